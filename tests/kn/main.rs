//! The commands of docs/INSTALL.md that use `kn`, run as they stand there, make what is in knative/: `make kn-check`.

mod api;
mod meaning;

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::Value;
use testkit::manifests::{Difference, differences, kind, name, shipped};
use testkit::scenario::workspace;
use testkit::script::prepared_by;

use self::api::Api;
use self::meaning::meaning;

#[tokio::test(flavor = "multi_thread")]
async fn what_kn_makes_is_what_the_manifests_say_but_for_what_it_has_no_words_for() {
    let api = Api::start(&[
        ("eventing.knative.dev/v1", "Broker", "default"),
        ("v1", "Service", "dead-letters"),
    ])
    .await;
    let page = install_page();
    let blocks = commands(&page);
    assert_eq!(blocks.len(), 2, "split, and what makes it combined");

    let mut seen = BTreeSet::new();
    for (block, folders, made) in [
        (
            &blocks[0],
            &["split", "hello/triggers"][..],
            &["Broker", "Service", "SinkBinding", "Trigger"][..],
        ),
        (
            &blocks[1],
            &["split", "combined/component"],
            &["PingSource", "Service", "SinkBinding"],
        ),
    ] {
        api.forget_what_was_written();
        let output = run(&api, block);
        assert!(
            output.status.success(),
            "{block}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let written = api.written();
        let kinds: Vec<_> = written.iter().map(kind).collect();
        assert_eq!(kinds, made, "{block}");
        let manifests = manifests(folders);
        for object in &written {
            let manifest = manifests
                .iter()
                .rev()
                .find(|manifest| {
                    let group = |one: &Value| {
                        let version = one["apiVersion"].as_str().unwrap_or_default();
                        version.split_once('/').map(|(group, _)| group.to_owned())
                    };
                    group(manifest) == group(object)
                        && kind(manifest) == kind(object)
                        && name(manifest) == name(object)
                })
                .unwrap_or_else(|| panic!("no manifest of {object:#}"));
            for Difference { path, one, other } in differences(&meaning(manifest), &meaning(object))
            {
                println!("{} {path}: {one:?}, kn {other:?}", kind(object));
                seen.insert(format!("{} `{path}`", kind(object)));
            }
        }
    }
    assert_eq!(seen, admitted(&page), "the table of docs/INSTALL.md");
}

/// Where kn leaves a Trigger's deliveries to the Broker, they are those that the manifest has.
#[test]
fn the_broker_delivers_as_the_triggers_to_the_bridge_do() {
    let manifests = manifests(&["split", "hello/triggers", "tickets/triggers"]);
    let broker = manifests.iter().find(|one| kind(one) == "Broker");
    let broker = &broker.expect("a Broker")["spec"]["delivery"];
    let mut compared = 0;
    for trigger in manifests.iter().filter(|one| kind(one) == "Trigger") {
        if trigger["spec"]["subscriber"]["ref"]["name"] == "eventing-zeebe" {
            assert_eq!(&trigger["spec"]["delivery"], broker, "{trigger:#}");
            compared += 1;
        }
    }
    assert!(compared > 1);
}

fn install_page() -> String {
    let path = workspace().join("docs/INSTALL.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The chapter about kn, without the text before and after.
fn chapter(page: &str) -> &str {
    let (_, rest) = page.split_once("\n## With kn\n").expect("a chapter");
    rest.split("\n## ").next().unwrap_or(rest)
}

/// Its blocks of commands, as they stand there.
fn commands(page: &str) -> Vec<String> {
    chapter(page)
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(|block| block.replace("YOUR-NAMESPACE", "default"))
        .collect()
}

/// The differences that its table admits: kind and path, as they stand in its first column.
fn admitted(page: &str) -> BTreeSet<String> {
    chapter(page)
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|cell| cell.contains('`'))
        .flat_map(|cell| {
            let (kind, paths) = cell.split_once(' ').unwrap_or(("", cell));
            paths.split(", ").map(move |path| format!("{kind} {path}"))
        })
        .collect()
}

/// All documents of these folders of `knative`.
fn manifests(folders: &[&str]) -> Vec<Value> {
    folders.iter().flat_map(|folder| shipped(folder)).collect()
}

/// Runs commands in a shell, where `kn` is the one that `scripts/kn` builds and the cluster is `api`.
fn run(api: &Api, commands: &str) -> Output {
    let kn = prepared_by("kn");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(kn, folder.path().join("kn")).expect("a link");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, api.kubeconfig()).expect("a file can be written");
    let mut path = folder.path().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").expect("a PATH"));
    Command::new("bash")
        .args(["-e", "-c", commands])
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("KUBECONFIG", kubeconfig)
        .output()
        .expect("bash can be run")
}
