use std::fs;
use std::path::Path;

use runtime::cpu::{Threads, available, build, limit};
use tokio::runtime::{Handle, RuntimeFlavor};

fn write(root: &Path, file: &str, text: &str) {
    let file = root.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn limits_of_control_groups_are_read_as_fractions() {
    type Files = &'static [(&'static str, &'static str)];
    let cases: &[(&str, Files, Option<f64>)] = &[
        ("", &[], None),
        ("0::/\n", &[("cpu.max", "max 100000\n")], None),
        ("0::/\n", &[("cpu.max", "50000 100000\n")], Some(0.5)),
        ("0::/\n", &[("cpu.max", "nonsense\n")], None),
        // The least of a group and those that hold it.
        (
            "0::/pod/container\n",
            &[
                ("pod/cpu.max", "150000 100000\n"),
                ("pod/container/cpu.max", "200000 100000\n"),
            ],
            Some(1.5),
        ),
        // Named as the host sees it, mounted as the container does.
        (
            "0::/kubepods/pod1/c1\n",
            &[("cpu.max", "300000 100000\n")],
            Some(3.0),
        ),
        // Version 1, alone and with another controller.
        (
            "3:cpuset:/\n2:cpu:/job\n",
            &[
                ("cpu/job/cpu.cfs_quota_us", "25000\n"),
                ("cpu/job/cpu.cfs_period_us", "100000\n"),
            ],
            Some(0.25),
        ),
        (
            "4:cpu,cpuacct:/\n",
            &[
                ("cpu,cpuacct/cpu.cfs_quota_us", "200000\n"),
                ("cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ],
            Some(2.0),
        ),
        (
            "2:cpu:/\n",
            &[
                ("cpu/cpu.cfs_quota_us", "-1\n"),
                ("cpu/cpu.cfs_period_us", "100000\n"),
            ],
            None,
        ),
        ("no colons at all\n::\n", &[], None),
    ];
    for (groups, files, expected) in cases {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in *files {
            write(root.path(), file, text);
        }
        assert_eq!(
            limit(groups, root.path()),
            *expected,
            "{groups:?} {files:?}"
        );
    }
}

#[test]
fn one_cpu_or_less_means_one_thread() {
    let cases = [
        ("auto", 0.1, 1),
        ("auto", 1.0, 1),
        ("auto", 1.5, 2),
        ("Auto", 2.0, 2),
        ("auto", 64.0, 4),
        ("1", 64.0, 1),
        ("16", 2.0, 16),
    ];
    for (setting, cpus, threads) in cases {
        let parsed: Threads = setting.parse().unwrap();
        assert_eq!(parsed.count(cpus), threads, "{setting} at {cpus} CPUs");
    }
}

#[test]
fn a_setting_that_is_no_number_of_threads_is_named() {
    for setting in ["", "0", "-1", "many", "1.5"] {
        let error = setting.parse::<Threads>().unwrap_err().to_string();
        assert!(error.contains(&format!("`{setting}`")), "{error}");
        assert!(error.contains("auto"), "{error}");
    }
}

#[test]
fn a_runtime_is_built_as_set() {
    let flavor = |setting: &str| {
        let runtime = build(setting.parse().unwrap()).unwrap();
        runtime.block_on(async { Handle::current().runtime_flavor() })
    };
    assert_eq!(flavor("1"), RuntimeFlavor::CurrentThread);
    assert_eq!(flavor("2"), RuntimeFlavor::MultiThread);
    assert!(available() > 0.0);
}
