//! Whatever comes in, an answer comes out.

use cloudevents_http::{
    Limits, decode, encode_batch, encode_binary, encode_structured, set_attribute,
};
use proptest::prelude::*;

use super::*;

/// Pieces of which rules files are made, in an order that a person might never choose.
fn yaml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "rules:",
        "match: all",
        "- name: a",
        "  - name: b",
        "    select:",
        "      type: T",
        "      exact: {type: T}",
        "      when: data.x > 0",
        "    start:",
        "      message: M",
        "      process: p",
        "    publish: {message: \"=event.type\"}",
        "    signal: {signal: s}",
        "    cancel: {process_instance_key: =data.key}",
        "      variables: {a: =data.a, b: [1, {c: =data}]}",
        "      variables: =data",
        "      version: 99999999999999999999",
        "    repeats: accepted",
        "&a",
        "*a",
        "<<: *a",
        "{",
        "}",
        "[",
        "]",
        ":",
        "-",
        "\t",
        "'",
        "\"",
        "|",
        ">",
        "---",
        "!!int x",
        "? ",
        "#",
        "=",
    ]);
    prop::collection::vec(
        (piece, prop::sample::select(vec!["\n", " ", "\n  ", ""])),
        0..24,
    )
    .prop_map(|pieces| pieces.into_iter().map(|(a, b)| format!("{a}{b}")).collect())
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"x\":",
        "\"bridgeContext\":",
        "1",
        "-1e9",
        "1e999",
        "18446744073709551616",
        "\"\\ud800\"",
        "\"\\u0062ridgeContext\":",
        "null",
        "true",
        ",",
        " ",
        "\"é\"",
        "\u{0}",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// A file that looks at everything an event has.
const CURIOUS: &str = r#"
rules:
  - name: all
    select: {}
    publish:
      message: =event.type + event.source
      correlation_key: "=has(event.subject) ? event.subject : ''"
      variables: {x: =data.x, all: =data, attributes: =event, n: '=size(data)', l: '=has(data.x) ? [data.x] : []'}
  - name: whole
    select: {}
    publish: {message: m, variables: =data}
"#;

proptest! {
    #[test]
    fn no_text_makes_loading_panic(text in yaml()) {
        let _ = Rules::load(&text, "rules.yaml", Settings::default());
    }

    #[test]
    fn no_characters_make_loading_panic(text in any::<String>()) {
        let _ = Rules::load(&text, "rules.yaml", Settings::default());
        let _ = expression::Template::parse(&format!("={text}"));
    }

    #[test]
    fn no_expression_makes_evaluating_panic(
        text in "[a-z(){}\\[\\].,?:!<>=&|+*/%'\"0-9 -]{0,24}",
        variables in data(),
    ) {
        if let Ok(template) = expression::Template::parse(&format!("={text}"))
            && let Ok(variables) = std::str::from_utf8(&variables)
        {
            let _ = template.json(variables);
            let _ = template.text(variables);
        }
    }

    #[test]
    fn every_event_is_planned_or_refused_and_variables_are_always_an_object(
        data in data(),
        content_type in prop::option::of(prop::sample::select(vec!["application/json", "text/plain", "image/png"])),
        hops in ".{0,8}",
    ) {
        let mut event = event(content_type, &data);
        event.set_extension(HOPS_ATTRIBUTE, hops);
        let curious = Rules::load(CURIOUS, "curious.yaml", Settings::default()).expect("a rules file");
        for rules in [by_default(), curious] {
            if let Ok(selected) = rules.plan(&event, &Travel::default()) {
                for planned in selected.plans {
                    let variables = message(planned.plan).variables;
                    let object: serde_json::Map<String, serde_json::Value> =
                        serde_json::from_str(&variables).expect("an object");
                    prop_assert!(object[TRAVEL_VARIABLE]["hops"].is_u64());
                    prop_assert_eq!(variables.matches("\"bridgeContext\"").count(), 1 + nested(&object));
                }
            }
        }
    }

    #[test]
    fn an_event_leads_to_the_same_plan_in_every_content_mode(
        id in "[ -~]{1,12}", subject in "[ -~é]{1,12}", number in any::<i32>(), total in "[1-9][0-9]{0,30}\\.[0-9]{1,4}",
    ) {
        let mut event = json(&format!(r#"{{"x":1,"total":{total}}}"#));
        event.set_id(id);
        event.set_subject(Some(subject));
        set_attribute(&mut event, "attempt", &number.to_string()).expect("an attribute");
        let messages = [
            encode_binary(&event).expect("binary"),
            encode_structured(&event).expect("structured"),
            encode_batch(std::slice::from_ref(&event)).expect("a batch"),
        ];
        let rules = Rules::load(CURIOUS, "curious.yaml", Settings::default()).expect("a rules file");
        let expected = rules.plan(&event, &Travel::default()).expect("plans");
        for message in messages {
            let read = decode(&message.headers, message.body, &Limits::default()).expect("an event");
            prop_assert_eq!(&rules.plan(&read[0], &Travel::default()).expect("plans"), &expected);
        }
    }
}

/// How often the name of the travelling variable stands below the top.
fn nested(object: &serde_json::Map<String, serde_json::Value>) -> usize {
    object
        .iter()
        .filter(|(name, _)| *name != TRAVEL_VARIABLE)
        .map(|(_, value)| value.to_string().matches("\"bridgeContext\"").count())
        .sum()
}
