use std::collections::BTreeSet;

use testkit::destination::{Destination, Received};
use testkit::request;
use testkit::scenario::workspace;

use crate::dataplane::{Dataplane, Manifests, NONE, Trigger, validate};

#[tokio::test]
async fn knative_admits_the_manifests_that_are_shipped() {
    for (folder, some) in [
        (
            "split",
            &[
                "Broker default/default",
                "Service default/eventing-zeebe",
                "Deployment default/eventing-zeebe-source",
                "SinkBinding default/eventing-zeebe",
                "NetworkPolicy default/eventing-zeebe",
            ][..],
        ),
        (
            "combined/component",
            &[
                "Service default/eventing-zeebe",
                "SinkBinding default/eventing-zeebe",
                "PingSource default/eventing-zeebe-wake-up",
            ],
        ),
        ("hello/watch.yaml", &["Deployment default/watch"]),
        ("hello/triggers", &["Trigger default/hello-requested"]),
        (
            "tickets/services",
            &[
                "Deployment default/website",
                "SinkBinding default/ticket-sale",
            ],
        ),
        (
            "tickets/triggers",
            &[
                "Trigger default/process-payments-authorized",
                "Trigger default/process-tickets-customer-removed",
                "Trigger default/website",
            ],
        ),
    ] {
        let output = validate(&workspace().join("knative").join(folder)).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{folder}: {said}{warnings}");
        assert!(warnings.is_empty(), "{folder}: {warnings}");
        for one in some {
            assert!(said.contains(one), "{one} is not among {said}");
        }
    }
}

#[tokio::test]
async fn knative_refuses_a_manifest_with_a_mistake() {
    let shipped =
        std::fs::read_to_string(workspace().join("knative/hello/triggers/hello-requested.yaml"))
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
async fn each_shipped_trigger_delivers_the_types_that_it_names_and_no_other() {
    let bridge = Destination::accepting().await;
    let queue = Destination::accepting().await;
    let tickets = Destination::accepting().await;
    let payments = Destination::accepting().await;
    let website = Destination::accepting().await;
    let others = Destination::accepting().await;
    let subscribers = [
        ("process", &bridge),
        ("queue", &queue),
        ("tickets", &tickets),
        ("payments", &payments),
    ];
    let dataplane = Dataplane::start(
        Manifests::shipped(&["tickets/triggers"]).path(),
        &[
            ("Service/eventing-zeebe", &bridge.url()),
            ("Service/queue", &queue.url()),
            ("Service/tickets", &tickets.url()),
            ("Service/payments", &payments.url()),
            ("Service/website-events", &website.url()),
            ("*", &others.url()),
        ],
    )
    .await;
    let mut all: BTreeSet<String> = subscribers
        .iter()
        .flat_map(|(trigger, _)| named_types(trigger))
        .collect();
    all.insert(String::from("Somebody.Else"));
    for ty in &all {
        let answered = dataplane.send(ty, ty, &serde_json::json!({})).await;
        assert_eq!(answered.status, 202, "{ty}");
    }
    // The Broker answered after its Triggers had delivered: what is not there now never comes.
    for (trigger, subscriber) in subscribers {
        let mut expected = named_types(trigger);
        if trigger == "process" {
            // Only what the queue removes, and these events are from elsewhere.
            assert!(expected.remove("Tickets.CustomerRemoved"));
        }
        assert_eq!(types(&subscriber.received()), expected, "{trigger}");
    }
    assert_eq!(types(&website.received()), all);
    assert!(others.received().is_empty(), "{:#?}", others.received());

    let removed = [
        ("ce-specversion", "1.0"),
        ("ce-source", "/sale/queue"),
        ("ce-type", "Tickets.CustomerRemoved"),
        ("ce-id", "removed"),
    ];
    let answered = request::post(dataplane.broker(), &removed, "").await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(types(&bridge.received()).contains("Tickets.CustomerRemoved"));
}

/// As the chart makes it of `triggers: [{name: process, types: [...]}]`.
#[tokio::test]
async fn one_trigger_for_all_types_of_the_sale_delivers_each_event_once_and_no_other() {
    let named = named_types("process");
    let types_of_it: Vec<&str> = named.iter().map(String::as_str).collect();
    let manifests = Manifests::of(&[Trigger {
        name: "process",
        types: &types_of_it,
        subscriber: "eventing-zeebe",
        delivery: NONE,
    }]);
    let output = validate(manifests.path()).await;
    assert!(output.status.success(), "{output:?}");
    let bridge = Destination::accepting().await;
    let others = Destination::accepting().await;
    let dataplane = Dataplane::start(
        manifests.path(),
        &[
            ("Service/eventing-zeebe", &bridge.url()),
            ("*", &others.url()),
        ],
    )
    .await;
    // What begins or ends like one of them, and what others send.
    let near = types_of_it.iter().flat_map(|ty| {
        let (begins, ends) = (&ty[..ty.len() - 1], &ty[1..]);
        [
            begins.to_owned(),
            ends.to_owned(),
            format!("{ty}.Again"),
            ty.to_lowercase(),
        ]
    });
    let all = named.iter().cloned().chain(near);
    for ty in all.chain(["Somebody.Else".to_owned()]) {
        let answered = dataplane.send(&ty, &ty, &serde_json::json!({})).await;
        assert_eq!(answered.status, 202, "{ty}");
    }
    // The Broker answered after its Trigger had delivered.
    let received = bridge.received();
    assert_eq!(types(&received), named);
    assert_eq!(received.len(), named.len());
    assert!(others.received().is_empty(), "{:#?}", others.received());
}

fn types(received: &[Received]) -> BTreeSet<String> {
    received.iter().map(|event| event.ty().to_owned()).collect()
}

/// The types that a Trigger of the sale filters by.
fn named_types(trigger: &str) -> BTreeSet<String> {
    let path = workspace().join(format!("knative/tickets/triggers/{trigger}.yaml"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let types: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("type: "))
        .map(str::to_owned)
        .collect();
    assert!(!types.is_empty(), "{trigger}");
    types
}
