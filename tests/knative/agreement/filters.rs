//! Which Triggers take which events: every dialect, and what each says of odd cases.
//!
//! Left out is CESQL that yields neither true nor false: there Knative's filter panics, and the event is
//! retried and lost; for ours it is no match, as the specification says.

use serde_json::json;
use testkit::destination::Answer;

use super::{Both, trigger};

/// What a Trigger's `spec` says of events; each row is a Trigger of its own.
const FILTERS: &[&str] = &[
    "",
    "filter: {}",
    "filter: {attributes: {}}",
    "filter: {attributes: {type: dev.knative.example}}",
    "filter: {attributes: {type: other}}",
    "filter: {attributes: {type: ''}}",
    "filter: {attributes: {subject: ''}}",
    "filter: {attributes: {missing: x}}",
    "filter: {attributes: {myextension: ''}}",
    "filter: {attributes: {type: dev.knative.example, source: /tests}}",
    "filter: {attributes: {type: dev.knative.example, source: other}}",
    "filter: {attributes: {specversion: '1.0'}}",
    "filter: {attributes: {hops: '20'}}",
    "filter: {attributes: {datacontenttype: application/json}}",
    "filter: {attributes: {id: first}}",
    "filters: []",
    "filters: [{exact: {type: dev.knative.example}}]",
    "filters: [{exact: {type: dev.knative}}]",
    "filters: [{exact: {type: DEV.knative.example}}]",
    "filters: [{exact: {missing: x}}]",
    "filters: [{exact: {type: dev.knative.example, source: /tests}}]",
    "filters: [{exact: {type: dev.knative.example, source: other}}]",
    "filters: [{prefix: {type: dev.knative}}]",
    "filters: [{prefix: {type: knative}}]",
    "filters: [{prefix: {missing: x}}]",
    "filters: [{prefix: {subject: top}}]",
    "filters: [{suffix: {type: .example}}]",
    "filters: [{suffix: {type: .exam}}]",
    "filters: [{suffix: {myextension: value}}]",
    "filters: [{all: [{exact: {subject: topic}}, {prefix: {type: dev.}}]}]",
    "filters: [{all: [{exact: {subject: topic}}, {exact: {subject: other}}]}]",
    "filters: [{any: [{exact: {subject: topic}}, {exact: {subject: other}}]}]",
    "filters: [{any: [{exact: {subject: x}}, {exact: {subject: why}}]}]",
    "filters: [{not: {exact: {subject: topic}}}]",
    "filters: [{not: {not: {exact: {subject: topic}}}}]",
    "filters: [{not: {exact: {missing: x}}}]",
    "filters: [{any: [{exact: {subject: x}}, {all: [{exact: {subject: topic}}, {not: {exact: {subject: x}}}]}]}]",
    "filters: [{not: {any: [{exact: {subject: x}}, {exact: {subject: topic}}]}}]",
    "filters: [{exact: {subject: topic}}, {exact: {type: other}}]",
    "filters: [{exact: {subject: topic}}]\nfilter: {attributes: {type: other}}",
    "filters: [{exact: {subject: other}}]\nfilter: {attributes: {subject: topic}}",
    "filters: []\nfilter: {attributes: {type: other}}",
    "filters: [{cesql: \"type = 'dev.knative.example'\"}]",
    "filters: [{cesql: \"type = 'other'\"}]",
    "filters: [{cesql: \"hops < 30\"}]",
    "filters: [{cesql: \"hops > 30\"}]",
    "filters: [{cesql: \"(type = 'x') OR (source = '/tests')\"}]",
    "filters: [{cesql: \"subject LIKE 'top%'\"}]",
    "filters: [{cesql: \"subject IN ('topic', 'other')\"}]",
    "filters: [{cesql: \"EXISTS subject\"}]",
    "filters: [{cesql: \"NOT EXISTS subject\"}]",
    "filters: [{cesql: \"missing < 5\"}]",
    "filters: [{cesql: \"missing = absent\"}]",
    "filters: [{cesql: \"missing != 'x'\"}]",
    "filters: [{not: {cesql: \"missing < 5\"}}]",
    "filters: [{cesql: \"LENGTH(subject) = 5\"}]",
    "filters: [{cesql: \"UPPER(subject) = 'TOPIC'\"}]",
    "filters: [{cesql: \"INT(hops) / 0 = 1\"}]",
    "filters: [{cesql: \"TRUE\"}]",
];

#[tokio::test]
async fn both_brokers_let_the_same_events_through_every_filter() {
    let triggers: Vec<String> = FILTERS
        .iter()
        .enumerate()
        .map(|(row, spec)| trigger(&format!("row-{row}"), spec))
        .collect();
    let both = Both::serving(&triggers, |_, _, _| Answer::Status(202)).await;

    let full = [
        ("ce-subject", "topic"),
        ("ce-myextension", "my-extension-value"),
        ("ce-hops", "20"),
        ("ce-time", "2020-03-21T12:34:56Z"),
    ];
    let far = [("ce-hops", "31")];
    let no_number = [("ce-hops", "many"), ("ce-subject", "other")];
    let umlaut = [("ce-subject", "%C3%A4hnlich")];
    for (ty, id, extensions) in [
        ("dev.knative.example", "first", &full[..]),
        ("dev.knative.example", "bare", &[]),
        ("dev.knative.example", "far", &far),
        ("other", "no number", &no_number),
        ("other", "umlaut", &umlaut),
    ] {
        let status = both.event(ty, id, extensions, &json!({"seats": 2})).await;
        assert_eq!(status, 202, "{id}");
    }

    let deliveries = both.deliveries();
    let took = |row: usize| deliveries.get(&format!("/row-{row}")).map_or(0, Vec::len);
    // Agreement in taking nothing, or everything, would prove little.
    assert_eq!(took(0), 5, "{}", FILTERS[0]);
    let discerning = (0..FILTERS.len()).filter(|row| !matches!(took(*row), 0 | 5));
    assert!(discerning.count() > FILTERS.len() / 2);
}
