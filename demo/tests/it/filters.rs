use cloudevents_http::{Event, new_event, set_attribute};

use crate::support::{parse, trigger};

fn event() -> Event {
    let mut event = new_event("1234", "knativesource", "dev.knative.example").expect("valid");
    for (name, value) in [
        ("myextension", "my-extension-value"),
        ("subject", "topic"),
        ("hops", "20"),
        ("time", "2020-03-21T12:34:56.78Z"),
    ] {
        set_attribute(&mut event, name, value).expect("valid");
    }
    event
}

/// Whether a Trigger with this `spec` takes the event.
fn passes(spec: &str) -> bool {
    let yaml = trigger("t", "http://localhost/", &format!("  {spec}"));
    let manifests = parse(&yaml).unwrap_or_else(|refusal| panic!("{refusal}"));
    manifests.triggers[0].filter.passes(&event())
}

fn table(rows: &[(&str, bool)]) {
    for (spec, wanted) in rows {
        assert_eq!(passes(spec), *wanted, "{spec}");
    }
}

#[test]
fn attributes_must_all_be_equal_or_be_there() {
    table(&[
        ("filter: {}", true),
        ("filter: {attributes: {}}", true),
        ("filter: {attributes: {type: dev.knative.example}}", true),
        ("filter: {attributes: {type: other}}", false),
        ("filter: {attributes: {type: ''}}", true),
        ("filter: {attributes: {missing: ''}}", false),
        ("filter: {attributes: {missing: x}}", false),
        ("filter: {attributes: {dataschema: ''}}", false),
        ("filter: {attributes: {myextension: ''}}", true),
        (
            "filter: {attributes: {type: dev.knative.example, source: knativesource}}",
            true,
        ),
        (
            "filter: {attributes: {type: dev.knative.example, source: other}}",
            false,
        ),
        ("filter: {attributes: {specversion: '1.0'}}", true),
        (
            "filter: {attributes: {time: '2020-03-21T12:34:56.78Z'}}",
            true,
        ),
        ("filter: {attributes: {hops: '20'}}", true),
    ]);
}

#[test]
fn exact_prefix_and_suffix_compare_every_attribute_they_name() {
    table(&[
        ("filters: [{exact: {type: dev.knative.example}}]", true),
        ("filters: [{exact: {type: dev.knative}}]", false),
        ("filters: [{exact: {type: DEV.knative.example}}]", false),
        ("filters: [{exact: {missing: x}}]", false),
        (
            "filters: [{exact: {type: dev.knative.example, source: knativesource}}]",
            true,
        ),
        (
            "filters: [{exact: {type: dev.knative.example, source: other}}]",
            false,
        ),
        ("filters: [{prefix: {type: dev.knative}}]", true),
        ("filters: [{prefix: {type: knative}}]", false),
        ("filters: [{prefix: {missing: x}}]", false),
        ("filters: [{prefix: {type: dev., source: knative}}]", true),
        ("filters: [{prefix: {type: dev., source: other}}]", false),
        ("filters: [{suffix: {type: .example}}]", true),
        ("filters: [{suffix: {type: .exam}}]", false),
        ("filters: [{suffix: {myextension: value}}]", true),
        ("filters: [{suffix: {missing: x}}]", false),
    ]);
}

#[test]
fn filters_are_a_conjunction_and_nest() {
    let (yes, no) = ("{exact: {subject: topic}}", "{exact: {subject: other}}");
    for (form, wanted) in [
        ("[Y, Y]", true),
        ("[Y, N]", false),
        ("[{all: [Y, Y]}]", true),
        ("[{all: [Y, N]}]", false),
        ("[{any: [N, Y]}]", true),
        ("[{any: [N, N]}]", false),
        ("[{not: N}]", true),
        ("[{not: Y}]", false),
        ("[{not: {not: Y}}]", true),
        ("[{any: [N, {all: [Y, {not: N}]}]}]", true),
        ("[{not: {any: [N, Y]}}]", false),
        ("[{any: [N, {any: [N, Y]}]}, Y]", true),
    ] {
        let spec = format!("filters: {}", form.replace('Y', yes).replace('N', no));
        assert_eq!(passes(&spec), wanted, "{form}");
    }
}

#[test]
fn a_filter_that_says_nothing_lets_everything_pass() {
    table(&[
        ("filters: []", true),
        ("filters: [{}]", true),
        ("filters: [{any: []}]", true),
        ("filters: [{all: [{}]}]", true),
        ("filters: [{exact: {}}]", true),
        ("filters: [{cesql: ''}]", true),
        // The negation of nothing says nothing.
        ("filters: [{not: {}}]", true),
        ("filters: [{not: {not: {}}}]", true),
        // Beside one that says something it falls away.
        ("filters: [{}, {exact: {subject: other}}]", false),
        ("filters: [{any: [{}, {exact: {subject: other}}]}]", false),
    ]);
}

#[test]
fn filters_override_the_older_form_unless_they_are_empty() {
    table(&[
        (
            "filters: [{exact: {subject: topic}}]\n  filter: {attributes: {type: other}}",
            true,
        ),
        (
            "filters: [{exact: {subject: other}}]\n  filter: {attributes: {subject: topic}}",
            false,
        ),
        ("filters: []\n  filter: {attributes: {type: other}}", false),
        ("filters: [{}]\n  filter: {attributes: {type: other}}", true),
    ]);
}

#[test]
fn cesql_decides_where_it_is_true_and_an_error_is_no_match() {
    table(&[
        ("filters: [{cesql: \"type = 'dev.knative.example'\"}]", true),
        ("filters: [{cesql: \"type = 'other'\"}]", false),
        ("filters: [{cesql: \"hops < 30\"}]", true),
        ("filters: [{cesql: \"hops > 30\"}]", false),
        (
            "filters: [{cesql: \"(type = 'x') OR (source = 'knativesource')\"}]",
            true,
        ),
        ("filters: [{cesql: \"missing < 5\"}]", false),
        ("filters: [{cesql: \"missing = absent\"}]", false),
        ("filters: [{cesql: \"missing != 'x'\"}]", false),
        ("filters: [{not: {cesql: \"missing < 5\"}}]", true),
        ("filters: [{cesql: \"NOPE(type)\"}]", false),
        // Neither true nor false.
        ("filters: [{cesql: \"1 + 1\"}]", false),
        ("filters: [{cesql: \"type\"}]", false),
    ]);
}
