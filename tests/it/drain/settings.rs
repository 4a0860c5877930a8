//! How the settings of a drain relate to others.

use crate::config::read;

#[test]
fn a_drain_that_outlasts_the_patience_of_the_queue_proxy_is_refused() {
    for drain in ["60", "61"] {
        let settings = [
            ("BRIDGE_DRAIN_SECONDS", drain),
            ("BRIDGE_SERVICE_TIMEOUT_SECONDS", "60"),
        ];
        let problems = read(&settings).expect_err("refused");
        assert_eq!(problems.len(), 1, "{problems:?}");
        let (variable, problem) = &problems[0];
        assert_eq!(variable, "BRIDGE_DRAIN_SECONDS");
        assert!(
            problem.contains("BRIDGE_SERVICE_TIMEOUT_SECONDS"),
            "{problem}"
        );
    }
    let config = read(&[("BRIDGE_SERVICE_TIMEOUT_SECONDS", "241")]).expect("read");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_drain_that_sees_no_dead_pods_jobs_and_a_stop_that_is_cut_off_are_warned_about() {
    let source = ("K_SINK", "http://broker/");
    let warned: [(&[(&str, &str)], &str); 2] = [
        (
            &[source, ("BRIDGE_DRAIN_SECONDS", "15")],
            "BRIDGE_JOB_TIMEOUT_SECONDS",
        ),
        (
            &[
                ("BRIDGE_DRAIN_SECONDS", "20"),
                ("BRIDGE_SERVICE_TIMEOUT_SECONDS", "54"),
            ],
            "BRIDGE_GRACE_SECONDS",
        ),
    ];
    for (settings, said) in warned {
        let warnings = read(settings).expect("read").warnings;
        assert_eq!(warnings.len(), 1, "{settings:?}: {warnings:?}");
        assert!(warnings[0].contains(said), "{settings:?}: {warnings:?}");
    }
    // Where no job is worked there is none of a dead pod either.
    let warnings = read(&[("BRIDGE_DRAIN_SECONDS", "15")])
        .expect("read")
        .warnings;
    assert!(warnings.is_empty(), "{warnings:?}");
}
