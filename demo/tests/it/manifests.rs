use std::path::{Path, PathBuf};
use std::time::Duration;

use cloudevents_http::new_event;
use demo::broker::destination::{ReferenceTarget, References};
use demo::broker::manifest::{self, Manifests};
use demo::broker::{Broker, Settings, StartError};
use demo::sale;
use eventing::BackoffPolicy;

use crate::support::{parse, trigger};

const HEAD: &str = "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n";

#[test]
fn what_a_cluster_would_refuse_is_refused_with_its_line_and_the_legal_values() {
    for (yaml, line, words) in [
        (
            "spec: {broker: b, subscriber: {uri: 'http://x'}, filtre: {}}",
            4,
            "unknown field `filtre`, expected one of broker, filter, filters, subscriber, delivery",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery:\n    retries: 3",
            8,
            "unknown field `retries`, expected one of retry, backoffPolicy",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery:\n    backoffPolicy: constant",
            8,
            "unknown variant `constant`, expected",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery:\n    retry: -3",
            8,
            "`spec.delivery.retry`: must not be negative",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery:\n    backoffDelay: 1s",
            8,
            "`spec.delivery.backoffDelay`: `1s` is no ISO 8601 duration such as `PT0.2S`",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery: {timeout: PT0S}",
            7,
            "must be above zero",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  delivery: {deadLetterSink: {}}",
            7,
            "`spec.delivery.deadLetterSink`: needs `ref` or `uri`",
        ),
        ("spec: {broker: b}", 4, "subscriber"),
        (
            "spec: {subscriber: {uri: 'http://x'}}",
            4,
            "`spec.broker`: is missing or empty",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: /relative}",
            6,
            "must be absolute",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'ftp://x'}",
            6,
            "must be absolute, http or https",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x', ref: {kind: Service, name: s}}",
            6,
            "must be relative beside a `ref`",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {ref: {kind: Service}}",
            6,
            "name",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  filter: {attributes: {TYPE: a}}",
            7,
            "`TYPE` is no attribute name",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  filters:\n  - exact: {type: a}\n    prefix: {type: b}",
            8,
            "`spec.filters[0]`: more than one dialect",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  filters:\n  - all:\n    - not:\n        suffix: {type: ''}",
            10,
            "`spec.filters[0].all[0].not.suffix`: the value for `type` is empty",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  filters:\n  - cesql: \"type LIKE\"",
            8,
            "`spec.filters[0].cesql`: `type LIKE`: expected a pattern in quotes, at character 10",
        ),
        (
            "spec:\n  broker: b\n  subscriber: {uri: 'http://x'}\n  filters:\n  - regex: {type: x}",
            8,
            "unknown field `regex`, expected one of exact, prefix, suffix, all, any, not, cesql",
        ),
        ("spec: [", 4, ""),
    ] {
        let refusal = parse(&format!("{HEAD}{yaml}\n")).expect_err(yaml);
        let text = refusal.to_string();
        assert_eq!(refusal.line(), Some(line), "{yaml}\n{text}");
        assert!(text.starts_with(&format!("test.yaml:{line}: ")), "{text}");
        assert!(text.contains(words), "{yaml}\n{text}");
    }
}

#[test]
fn lines_are_those_of_the_file_in_every_document_of_it() {
    let good = trigger("a", "http://x/", "");
    let yaml = format!("# a comment\n{good}---\n# nothing here\n---\n{HEAD}spec: {{nope: 1}}\n");
    let line = yaml
        .lines()
        .position(|line| line.contains("nope"))
        .expect("there")
        + 1;
    let refusal = parse(&yaml).expect_err("an unknown field");
    assert_eq!(refusal.line(), Some(line as u64), "{refusal}");
}

#[test]
fn other_kinds_are_left_alone_and_named() {
    let service = "---\napiVersion: serving.knative.dev/v1\nkind: Service\n\
                   metadata: {name: s}\nspec: {anything: goes}\n";
    let manifests = parse(&[service, &trigger("a", "http://x/", "")].concat()).expect("valid");
    assert_eq!((manifests.triggers.len(), manifests.skipped.len()), (1, 1));
    let skipped = &manifests.skipped[0];
    assert_eq!(
        (skipped.kind.as_str(), skipped.name.as_str()),
        ("Service", "s")
    );
}

#[test]
fn durations_are_iso_8601() {
    let timeout = |text: &str| {
        let spec = format!("  delivery: {{timeout: \"{text}\"}}");
        let manifests = parse(&trigger("t", "http://x/", &spec)).ok()?;
        manifests.triggers.into_iter().next()?.delivery?.timeout
    };
    for (text, seconds) in [
        ("PT0.2S", 0.2),
        ("PT1S", 1.0),
        ("PT1M30S", 90.0),
        ("PT1H", 3_600.0),
        ("P1D", 86_400.0),
        ("P1DT12H", 129_600.0),
        ("P2W", 1_209_600.0),
        ("PT0,5S", 0.5),
    ] {
        assert_eq!(
            timeout(text),
            Some(Duration::from_secs_f64(seconds)),
            "{text}"
        );
    }
    for text in [
        "P", "PT", "P1DT", "1S", "PT1", "PTS", "PT-1S", "-PT1S", "P1Y", "PT1S1M", "PT1.S", "PT1e3S",
    ] {
        assert_eq!(timeout(text), None, "{text}");
    }
}

#[tokio::test]
async fn references_are_resolved_from_the_most_exact_entry_on() {
    let reference = |text: &str| text.parse::<ReferenceTarget>().expect("valid");
    let references: References = [
        "Service/a/one=http://127.0.0.1:1/exact/",
        "Service/one=http://127.0.0.1:2/",
        "*=http://127.0.0.1:3/",
    ]
    .map(reference)
    .into_iter()
    .collect();
    let resolve = |namespace: &str, destination: &str| {
        let yaml = format!("{HEAD}spec:\n  broker: b\n  subscriber: {destination}\n");
        let trigger = parse(&yaml).expect("valid").triggers.remove(0);
        trigger
            .subscriber
            .resolve(namespace, &references)
            .map(String::from)
    };
    for (namespace, destination, url) in [
        (
            "a",
            "{ref: {kind: Service, name: one}}",
            "http://127.0.0.1:1/exact/",
        ),
        (
            "b",
            "{ref: {kind: Service, name: one}}",
            "http://127.0.0.1:2/",
        ),
        (
            "b",
            "{ref: {kind: Service, name: one, namespace: a}}",
            "http://127.0.0.1:1/exact/",
        ),
        (
            "b",
            "{ref: {kind: Service, name: two}}",
            "http://127.0.0.1:3/",
        ),
        (
            "b",
            "{ref: {kind: Channel, name: one}}",
            "http://127.0.0.1:3/",
        ),
        (
            "b",
            "{ref: {kind: Service, name: one}, uri: /drain}",
            "http://127.0.0.1:2/drain",
        ),
        (
            "a",
            "{ref: {kind: Service, name: one}, uri: in}",
            "http://127.0.0.1:1/exact/in",
        ),
        ("a", "{uri: 'http://127.0.0.1:4/x'}", "http://127.0.0.1:4/x"),
    ] {
        assert_eq!(
            resolve(namespace, destination).as_deref(),
            Ok(url),
            "{namespace} {destination}"
        );
    }
    for text in [
        "x",
        "Service=http://x",
        "a/b/c/d=http://x",
        "/a=http://x",
        "A/b=x",
        "A/b=ftp://x/",
    ] {
        assert!(text.parse::<ReferenceTarget>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_broker_does_not_start_with_an_address_missing_or_a_name_twice() {
    let start = |yaml: String| {
        let manifests = parse(&yaml).expect("valid");
        Broker::start(Settings {
            manifests,
            ..Settings::default()
        })
    };
    let yaml =
        format!("{HEAD}spec:\n  broker: b\n  subscriber: {{ref: {{kind: Service, name: s}}}}\n");
    let error = start(yaml).await.expect_err("no address");
    assert!(matches!(error, StartError::Unresolved { .. }));
    let text = error.to_string();
    assert!(
        text.contains("`default/t`")
            && text.contains("`Service/default/s`")
            && text.contains("--ref"),
        "{text}"
    );

    let twice = trigger("t", "http://x/", "").repeat(2);
    let error = start(twice).await.expect_err("a name twice");
    assert_eq!(error.to_string(), "Trigger `default/t` is there twice");

    // A Broker's own address needs no entry.
    let yaml = format!(
        "{HEAD}spec:\n  broker: b\n  subscriber: {{ref: {{kind: Broker, name: c}}}}\n---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {{name: c}}\n"
    );
    let running = start(yaml).await.expect("a Broker");
    let brokers = running.brokers();
    let names: Vec<_> = brokers
        .iter()
        .map(|(_, name, triggers)| (name.as_str(), *triggers))
        .collect();
    assert_eq!(names, [("b", 1), ("c", 0)]);
}

fn shipped(paths: &[&str]) -> Manifests {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../knative");
    let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
    manifest::read(&paths, "default").unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn the_shipped_delivery_blocks_are_complete() {
    let manifests = shipped(&["broker.yaml", "tickets/triggers", "hello/triggers"]);
    assert_eq!(manifests.brokers.len(), 1);
    let brokers = manifests.brokers.iter().map(|it| (&it.name, &it.delivery));
    let triggers = manifests.triggers.iter().map(|it| (&it.name, &it.delivery));
    for (name, delivery) in brokers.chain(triggers) {
        let delivery = delivery
            .as_ref()
            .unwrap_or_else(|| panic!("{name} has no delivery block"));
        assert!(delivery.retry > 0, "{name}");
        let backoff = Some((BackoffPolicy::Exponential, Duration::from_millis(200)));
        assert_eq!(delivery.backoff, backoff, "{name}");
        assert!(delivery.timeout.is_some(), "{name}");
        assert!(delivery.dead_letter_sink.is_some(), "{name}");
    }
}

#[test]
fn the_shipped_triggers_lead_each_event_of_the_sale_to_those_who_react() {
    let manifests = shipped(&["tickets/triggers"]);
    let takers = |ty: &str| {
        let event = new_event("1", "/test", ty).expect("valid");
        let triggers = manifests.triggers.iter();
        let takers = triggers.filter(|trigger| trigger.filter.passes(&event));
        let mut takers: Vec<_> = takers.map(|trigger| trigger.name.as_str()).collect();
        takers.sort_unstable();
        takers
    };
    for (ty, triggers) in [
        (
            sale::CUSTOMER_QUEUE_JOINED,
            &["process-tickets-customer-queue-joined", "queue"][..],
        ),
        (
            sale::CUSTOMER_ADMITTED,
            &["process-tickets-customer-admitted"],
        ),
        (sale::QUEUE_MOVED, &[]),
        (sale::REQUESTED, &["process-tickets-requested", "tickets"]),
        (
            sale::CHECKED_OUT,
            &["process-tickets-checked-out", "tickets"],
        ),
        (sale::PAYMENT_REQUESTED, &["payments"]),
        (sale::PAYMENT_CANCELLED, &["process-payments-cancelled"]),
        (sale::EMISSION_REQUESTED, &["tickets"]),
        (sale::RELEASED, &["process-tickets-released", "queue"]),
        ("Tickets.Requested.Not", &[]),
    ] {
        // The website takes all, to show customers what is theirs of it.
        let expected = [triggers, &["website"]].concat();
        assert_eq!(takers(ty), expected, "{ty}");
    }
}
