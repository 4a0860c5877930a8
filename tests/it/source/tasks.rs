//! What a task says, and the event that leaves.

use std::collections::HashSet;

use serde_json::json;
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, JobState};

use super::{job, with_headers};
use crate::support::source;

#[tokio::test]
async fn custom_headers_say_what_the_event_is() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let overrides = json!({"extensions": {"cluster": "eu-1"}}).to_string();
    let settings = [
        ("K_CE_OVERRIDES", overrides.as_str()),
        ("BRIDGE_ENGINE_NAME", "blue"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    let variables = json!({
        "order": {"id": "o-1", "total": 10.5}, "kind": "Placed", "note": "hello",
        "bridgeContext": {"hops": 3, "traceparent": "00-11111111111111111111111111111111-2222222222222222-01"},
    });
    let key = gateway.add_job(with_headers(
        &variables,
        &json!({
            "ce-type": "=\"Order.\" + kind", "ce-source": "/shop", "ce-subject": "=order.id",
            "ce-dataschema": "https://example.com/order", "ce-ext-correlationkey": "=order.id",
            "ce-ext-cluster": "overridden", "ce-data": "order",
        }),
    ));
    let received = destination.wait_for_count(1).await;
    let event = &received[0];
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", key.0.to_string().as_str()),
        ("ce-type", "Order.Placed"),
        ("ce-source", "/shop"),
        ("ce-subject", "o-1"),
        ("ce-dataschema", "https://example.com/order"),
        ("ce-correlationkey", "o-1"),
        ("ce-cluster", "eu-1"),
        ("ce-bpmnprocessid", "ticket-sale"),
        ("ce-bridgehops", "4"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(event.header(name), Some(value), "{name}");
    }
    for header in ["traceparent", "ce-traceparent"] {
        let value = event.header(header).unwrap_or_default();
        assert!(
            value.starts_with("00-11111111111111111111111111111111-"),
            "{header}: {value}"
        );
    }
    assert_eq!(event.json(), json!({"id": "o-1", "total": 10.5}));

    // All variables by default, without what travels; and text as text.
    gateway.add_job(job(&variables));
    let plain = json!({"ce-data": "note", "ce-datacontenttype": "text/plain"});
    gateway.add_job(with_headers(&variables, &plain));
    let received = destination
        .wait_for("three events", |all| (all.len() == 3).then(|| all.to_vec()))
        .await;
    let by_type = |content_type: &str| -> &Received {
        received[1..]
            .iter()
            .find(|one| one.header("content-type") == Some(content_type))
            .expect(content_type)
    };
    let mut rest = variables.clone();
    rest.as_object_mut()
        .expect("an object")
        .remove("bridgeContext");
    assert_eq!(by_type("application/json").json(), rest);
    assert_eq!(
        by_type("application/json").header("ce-source"),
        Some("/zeebe/blue")
    );
    assert_eq!(by_type("text/plain").body, "hello");
}

#[tokio::test]
async fn a_task_that_makes_no_event_is_an_incident_at_once_naming_the_header() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_HOP_LIMIT", "5")];
    let bridge = source(&gateway, &destination, &settings).await;
    let cases = [
        (json!({}), json!({"ce-type": ""}), "ce-type"),
        (json!({}), json!({"ce-subject": "=missing"}), "ce-subject"),
        (json!({}), json!({"ce-subject": "=1 +"}), "ce-subject"),
        (json!({}), json!({"ce-ext-Not_Legal": "x"}), "Not_Legal"),
        (json!({}), json!({"ce-data": "missing"}), "ce-data"),
        (json!({}), json!({"ce-ext-id": "x"}), "ce-ext-id"),
        (json!({}), json!({"ce-ext-source": "/x"}), "`ce-source`"),
        (json!({}), json!({"ce-ext-bridgehops": "0"}), "bridgehops"),
        (json!({}), json!({"ce-ext-knativebrokerttl": "9"}), "ttl"),
        (json!({}), json!({"ce-subjct": "x"}), "mean ce-subject?"),
        (json!({}), json!({"errormap": "4xx=X"}), "mean error-map?"),
        (json!({}), json!({"error-map": "9=X"}), "error-map"),
        (
            json!({}),
            json!({"Type": "T", "Mode": "WAIT_FOR_CLOUD_EVENT"}),
            "WAIT_FOR_CLOUD_EVENT",
        ),
        (json!({"bridgeContext": {"hops": 5}}), json!({}), "loop"),
    ];
    for (variables, headers, word) in cases {
        let key = gateway.add_job(with_headers(&variables, &headers));
        gateway
            .wait_for(&format!("an incident for {headers}"), |gateway| {
                gateway.job(key).state == JobState::Incident
            })
            .await;
        let job = gateway.job(key);
        assert!(
            job.error_message.contains(word),
            "{headers}: {}",
            job.error_message
        );
        assert_eq!(job.activations, 1, "{headers}: retries used up in a loop");
    }
    assert!(destination.received().is_empty());
    let loops = bridge.metric("bridge_source_loops_total").await;
    assert!((loops - 1.0).abs() < 0.1, "{loops}");
}

#[tokio::test]
async fn a_model_sends_elsewhere_only_where_configuration_allows_it() {
    let gateway = FakeGateway::start().await;
    let (destination, direct, other) = tokio::join!(
        Destination::accepting(),
        Destination::accepting(),
        Destination::accepting()
    );
    let allowed = format!("{}tickets", direct.url());
    let settings = [("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str())];
    let _bridge = source(&gateway, &destination, &settings).await;
    let hosts = [
        (format!("{}tickets/emit", direct.url()), "direct"),
        (format!("{}ticketsandmore", direct.url()), "shared"),
        (format!("{}tickets/../admin", direct.url()), "shared"),
        (format!("{}tickets/%2e%2E/admin", direct.url()), "shared"),
        (format!("{}tickets/..%2fadmin", direct.url()), "shared"),
        (format!("{}tickets//", direct.url()), "shared"),
        (other.url(), "shared"),
    ];
    for (host, _) in &hosts {
        let headers = json!({"Type": "Test.Emitted", "Host": host, "Mode": "EMIT_ONLY"});
        gateway.add_job(with_headers(&json!({"host": host}), &headers));
    }
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == hosts.len()
        })
        .await;
    let shared = hosts.iter().filter(|(_, to)| *to == "shared").count();
    assert_eq!(destination.received().len(), shared);
    assert_eq!(direct.received().len(), 1);
    assert_eq!(direct.received()[0].path, "/tickets/emit");
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn one_direct_destination_that_is_away_does_not_stop_the_others() {
    let gateway = FakeGateway::start().await;
    let (destination, mut direct) =
        tokio::join!(Destination::accepting(), Destination::accepting());
    direct.stop().await;
    let allowed = direct.url();
    let settings = [("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str())];
    let bridge = source(&gateway, &destination, &settings).await;
    let headers = json!({"Type": "Test.Emitted", "Host": direct.url()});
    let stuck = gateway.add_job(with_headers(&json!({}), &headers));
    gateway
        .wait_for("a hand-back", |gateway| gateway.job(stuck).failures > 0)
        .await;
    gateway.add_jobs((0..20).map(|_| job(&json!({}))));
    destination.wait_for_count(20).await;
    assert_eq!(gateway.job(stuck).retries, 3);
    assert_eq!(bridge.get("readyz").await.status, 200);
    direct.start_again().await;
    gateway
        .wait_for("the job", |gateway| {
            gateway.job(stuck).state == JobState::Completed
        })
        .await;
}

#[tokio::test]
async fn a_direct_destination_that_hangs_does_not_take_the_places_of_the_others() {
    let gateway = FakeGateway::start().await;
    let (destination, direct) = tokio::join!(
        Destination::accepting(),
        Destination::start(|_| Answer::Never)
    );
    let allowed = direct.url();
    let settings = [
        ("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str()),
        ("BRIDGE_MAX_JOBS_ACTIVE", "4"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    let headers = json!({"Type": "Test.Emitted", "Host": direct.url()});
    let stuck = gateway.add_jobs((0..12).map(|_| with_headers(&json!({}), &headers)));
    // Half of the capacity, and no more.
    direct.wait_for_count(2).await;
    gateway.add_jobs((0..20).map(|_| job(&json!({}))));
    gateway
        .wait_for("the others", |gateway| {
            gateway.jobs(JobState::Completed) == 20
        })
        .await;
    assert_eq!(direct.received().len(), 2);
    // Those that found no place kept their retries.
    assert!(stuck.iter().all(|key| gateway.job(*key).retries == 3));
    direct.answer(|_| Answer::Status(202));
}

#[tokio::test]
async fn the_same_variables_are_fetched_by_stream_and_poll_and_what_travels_always() {
    use zeebe_client::protocol::{ActivateJobsRequest, StreamActivatedJobsRequest};

    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [
        ("FETCH_VARIABLES", "seat, price"),
        ("ZEEBE_DEFAULT_TENANT_ID", "acme"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    gateway
        .wait_for("stream and poll", |gateway| {
            gateway.calls("ActivateJobs") > 1 && gateway.calls("StreamActivatedJobs") > 1
        })
        .await;
    let wanted = ["seat", "price", "bridgeContext"]
        .map(str::to_owned)
        .to_vec();
    let mut types = HashSet::new();
    for poll in gateway.arrived::<ActivateJobsRequest>() {
        assert_eq!(poll.fetch_variable, wanted);
        assert_eq!(poll.tenant_ids, ["acme"]);
        types.insert(poll.r#type);
    }
    for stream in gateway.arrived::<StreamActivatedJobsRequest>() {
        assert_eq!(stream.fetch_variable, wanted);
        assert_eq!(stream.tenant_ids, ["acme"]);
        types.insert(stream.r#type);
    }
    assert_eq!(
        types,
        HashSet::from(["cloudevents", "knative"].map(str::to_owned))
    );
}
