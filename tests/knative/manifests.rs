use std::path::Path;

use testkit::destination::Destination;
use testkit::scenario::workspace;

use crate::dataplane::{Dataplane, Manifests, validate};

#[tokio::test]
async fn knative_admits_the_manifests_that_are_shipped() {
    let output =
        validate(Manifests::shipped(&["triggers", "demo", "tickets/triggers"]).path()).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "warnings: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let kinds = [
        "Broker default/default",
        "Trigger default/tickets-requested",
        "Trigger default/process",
        "Trigger default/website",
    ];
    for kind in kinds {
        assert!(said.contains(kind), "{kind} is not among {said}");
    }
}

#[tokio::test]
async fn knative_refuses_a_manifest_with_a_mistake() {
    let shipped =
        std::fs::read_to_string(workspace().join("knative/triggers/tickets-requested.yaml"))
            .expect("a Trigger is shipped");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (right, wrong) in [
        ("retry: 10", "retry: -1"),
        ("timeout: PT30S", "timeout: 30 seconds"),
        ("backoffPolicy: exponential", "backoffPolicy: quadratic"),
        ("deadLetterSink:", "deadLettersSink:"),
    ] {
        assert!(shipped.contains(right), "no `{right}` in the Trigger");
        std::fs::write(
            folder.path().join("trigger.yaml"),
            shipped.replace(right, wrong),
        )
        .expect("a file can be written");
        let output = validate(folder.path()).await;
        assert!(!output.status.success(), "`{wrong}` was admitted");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("REFUSED"), "{said}");
    }
}

#[tokio::test]
async fn each_shipped_trigger_delivers_the_type_that_it_names_and_no_other() {
    let bridge = Destination::accepting().await;
    let others = Destination::accepting().await;
    let dataplane = Dataplane::start(
        Manifests::shipped(&["triggers", "demo"]).path(),
        &[
            ("Service/eventing-zeebe", &bridge.url()),
            ("*", &others.url()),
        ],
    )
    .await;
    let mut types: Vec<String> = yaml_files(&workspace().join("knative/triggers"))
        .iter()
        .map(|trigger| named_type(trigger).to_owned())
        .collect();
    types.push(String::from("Somebody.Else"));
    for ty in &types {
        let answered = dataplane.send(ty, ty, &serde_json::json!({})).await;
        assert_eq!(answered.status, 202, "{ty}");
    }
    // The Broker answered after its Triggers had delivered: what is not there now never comes.
    types.pop();
    types.sort();
    let mut came: Vec<String> = bridge
        .received()
        .iter()
        .map(|event| event.ty().to_owned())
        .collect();
    came.sort();
    assert_eq!(came, types);
    assert!(others.received().is_empty(), "{:#?}", others.received());
}

fn yaml_files(folder: &Path) -> Vec<String> {
    let files: Vec<String> = std::fs::read_dir(folder)
        .expect("Triggers are shipped")
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .collect();
    assert!(!files.is_empty());
    files
}

fn named_type(trigger: &str) -> &str {
    trigger
        .lines()
        .find_map(|line| line.trim().strip_prefix("type: "))
        .expect("a Trigger of ours filters by type")
}
