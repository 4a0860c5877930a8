//! Events in, plans out.

mod examples;
mod file;
mod robust;
mod shipped;

use std::time::Duration;

use cloudevents::{AttributesWriter, Data, Event, EventBuilder, EventBuilderV10};

use super::*;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn event(content_type: Option<&str>, data: &[u8]) -> Event {
    let mut event = EventBuilderV10::new()
        .id("1")
        .source("/shop")
        .ty("Tickets.Requested")
        .build()
        .expect("a valid event");
    event.set_data_unchecked(Data::Binary(data.to_vec()));
    let _ = event.set_datacontenttype(content_type);
    event
}

fn json(data: &str) -> Event {
    event(Some("application/json"), data.as_bytes())
}

fn only(rules: &Rules, event: &Event) -> Plan {
    let mut selected = rules
        .plan(event, &Travel::default())
        .expect("the event has a plan");
    assert_eq!(selected.plans.len(), 1);
    selected.plans.remove(0).plan
}

struct Message {
    name: String,
    correlation_key: String,
    message_id: String,
    time_to_live: Duration,
    variables: String,
    tenant_id: Option<String>,
}

fn message(plan: Plan) -> Message {
    let Plan::PublishMessage {
        name,
        correlation_key,
        message_id,
        time_to_live,
        variables,
        tenant_id,
    } = plan
    else {
        panic!("expected a message, found {plan:?}");
    };
    Message {
        name,
        correlation_key,
        message_id,
        time_to_live,
        variables: variables.to_string(),
        tenant_id,
    }
}

fn variables(rules: &Rules, event: &Event) -> String {
    message(only(rules, event)).variables
}

fn by_default() -> Rules {
    Rules::default_rules(DefaultRule::default())
}

#[test]
fn without_a_file_an_event_is_a_message_with_its_type_as_name() {
    let plan = only(&by_default(), &json(r#"{"a":1}"#));
    assert_eq!(
        plan,
        Plan::PublishMessage {
            name: "Tickets.Requested".to_owned(),
            correlation_key: String::new(),
            message_id: "5256bedc5077cf8a1b0236c9573b0acab3e40ce91f04117555fc58d830801b0b"
                .to_owned(),
            time_to_live: Duration::from_secs(3600),
            variables: Arc::new(r#"{"a":1,"bridgeContext":{"hops":0}}"#.to_owned()),
            tenant_id: None,
        }
    );
}

#[test]
fn the_correlation_key_is_the_extension_then_the_subject_then_empty() {
    let key = |event: &Event| message(only(&by_default(), event)).correlation_key;
    let mut event = json("{}");
    assert_eq!(key(&event), "");
    event.set_subject(Some("order-7"));
    assert_eq!(key(&event), "order-7");
    event.set_extension("correlationkey", 42);
    assert_eq!(key(&event), "42");
    event.set_extension("correlationkey", "c-1");
    assert_eq!(key(&event), "c-1");
}

#[test]
fn data_becomes_variables() {
    // content type, data, variables before the travelling one
    let table: &[(Option<&str>, &[u8], &str)] = &[
        (Some("application/json"), b"", ""),
        (Some("application/json"), b"{}", ""),
        (Some("application/json"), b" { } ", ""),
        (
            Some("application/json"),
            br#" {"a" : 1.10, "b":[1e2] } "#,
            r#""a" : 1.10, "b":[1e2] ,"#,
        ),
        (Some("application/json"), b"null", r#""data":null,"#),
        (Some("application/json"), b"[1, 2]", r#""data":[1, 2],"#),
        (
            Some("Application/CloudEvents+JSON; charset=utf-8"),
            b"7",
            r#""data":7,"#,
        ),
        (
            None,
            br#"{"a":9223372036854775807}"#,
            r#""a":9223372036854775807,"#,
        ),
        (None, b"just text", r#""data":"just text","#),
        (None, b"\xff\x00", r#""data":"/wA=","#),
        (
            Some("text/plain"),
            b"a \"quote\"\n\x01",
            r#""data":"a \"quote\"\n\u0001","#,
        ),
        (Some("text/plain"), b"\xff", r#""data":"/w==","#),
        (
            Some("application/octet-stream"),
            b"text",
            r#""data":"dGV4dA==","#,
        ),
        (Some("image/svg+xml"), b"<svg/>", r#""data":"<svg/>","#),
    ];
    for (content_type, data, expected) in table {
        let expected = format!(r#"{{{expected}"bridgeContext":{{"hops":0}}}}"#);
        assert_eq!(
            variables(&by_default(), &event(*content_type, data)),
            expected
        );
    }
}

#[test]
fn an_event_without_data_brings_only_what_travels() {
    let event = EventBuilderV10::new()
        .id("1")
        .source("/s")
        .ty("t")
        .build()
        .expect("valid");
    assert_eq!(
        variables(&by_default(), &event),
        r#"{"bridgeContext":{"hops":0}}"#
    );
}

#[test]
fn data_that_cannot_be_held_is_refused_and_its_place_is_named() {
    let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
    let table: &[(&str, &str)] = &[
        (
            r#"{"order":{"total":9223372036854775808}}"#,
            "`data.order.total`: is an integer beyond 64 bits with a sign, which the engine cannot hold; send it as a string",
        ),
        (
            r#"{"n":-9223372036854775809}"#,
            "`data.n`: is an integer beyond 64 bits with a sign, which the engine cannot hold; send it as a string",
        ),
        (
            r#"{"a,b":["{",{"x y":1e400}]}"#,
            r#"`data["a,b"][1]["x y"]`: is a number beyond the range of a double, which the engine cannot hold; send it as a string"#,
        ),
        (
            r#"{"a":"\ud800"}"#,
            "`data.a`: holds one half of a surrogate pair, which is no character",
        ),
        (
            "{",
            "`data`: is declared to be JSON (application/json), but is not JSON: expected the name of a member at byte 1, in `data`",
        ),
        (
            r#"{"a":1,"b":tru}"#,
            "`data`: is declared to be JSON (application/json), but is not JSON: expected a value at byte 11, in `data.b`",
        ),
        (
            "\u{feff}{}",
            "`data`: is declared to be JSON (application/json), but is not JSON: expected a value at byte 0, in `data`",
        ),
        (
            "{} {}",
            "`data`: is declared to be JSON (application/json), but is not JSON: expected the end of the text at byte 3, in `data`",
        ),
        (
            "01",
            "`data`: is declared to be JSON (application/json), but is not JSON: expected the end of the text at byte 1, in `data`",
        ),
        (
            "[1,]",
            "`data`: is declared to be JSON (application/json), but is not JSON: expected a value at byte 3, in `data[1]`",
        ),
    ];
    for (data, expected) in table {
        let error = by_default()
            .plan(&json(data), &Travel::default())
            .expect_err(data);
        assert_eq!(error.to_string(), *expected, "{data}");
    }
    let error = by_default()
        .plan(&json(&deep), &Travel::default())
        .expect_err("too deep");
    assert_eq!(error.reason, "is nested deeper than 100 levels");
}

#[test]
fn numbers_stay_what_they_were() {
    for number in [
        "0.10",
        "-0",
        "-0.0",
        "1E+2",
        "9223372036854775807",
        "-9223372036854775808",
        "123456789012345678901234567890.5",
        "1e-400",
    ] {
        let data = format!(r#"{{"n":{number}}}"#);
        assert_eq!(
            variables(&by_default(), &json(&data)),
            format!(r#"{{"n":{number},"bridgeContext":{{"hops":0}}}}"#)
        );
    }
}

#[test]
fn data_cannot_forge_what_travels() {
    for data in [
        r#"{"bridgeContext":{"hops":9},"a":1}"#,
        r#"{"a":1,"bridgeContext":null}"#,
        r#"{"bridge\u0043ontext":1,"a":1,"bridgeContext":2}"#,
    ] {
        assert_eq!(
            variables(&by_default(), &json(data)),
            r#"{"a":1,"bridgeContext":{"hops":0}}"#
        );
    }
    // Below the top it is somebody else's business.
    assert_eq!(
        variables(&by_default(), &json(r#"{"a":{"bridgeContext":1}}"#)),
        r#"{"a":{"bridgeContext":1},"bridgeContext":{"hops":0}}"#
    );
}

#[test]
fn the_trace_context_of_the_request_travels_before_that_of_the_event() {
    let mut event = json("{}");
    let of = |event: &Event, travel: &Travel<'_>| {
        message(
            by_default()
                .plan(event, travel)
                .expect("a plan")
                .plans
                .remove(0)
                .plan,
        )
        .variables
    };
    let other = "00-11111111111111111111111111111111-2222222222222222-00";
    event.set_extension("traceparent", other);
    event.set_extension("tracestate", "a=1");
    event.set_extension(HOPS_ATTRIBUTE, "3");
    assert_eq!(
        of(
            &event,
            &Travel {
                traceparent: Some(TRACE),
                tracestate: None,
                ..Travel::default()
            }
        ),
        format!(r#"{{"bridgeContext":{{"traceparent":"{TRACE}","hops":3}}}}"#)
    );
    let of_event =
        format!(r#"{{"bridgeContext":{{"traceparent":"{other}","tracestate":"a=1","hops":3}}}}"#);
    assert_eq!(of(&event, &Travel::default()), of_event);
    assert_eq!(
        of(
            &event,
            &Travel {
                traceparent: Some("nonsense"),
                tracestate: Some("b=2"),
                ..Travel::default()
            }
        ),
        of_event
    );
    event.set_extension(
        "traceparent",
        "00-00000000000000000000000000000000-2222222222222222-00",
    );
    assert_eq!(
        of(&event, &Travel::default()),
        r#"{"bridgeContext":{"hops":3}}"#
    );
}

#[test]
fn hops_are_counted_from_what_can_be_read() {
    let table: &[(&str, u32)] = &[
        ("0", 0),
        ("255", 255),
        ("99999999999", u32::MAX),
        ("-1", 0),
        ("x", 0),
        ("", 0),
        ("+1", 0),
    ];
    for (text, hops) in table {
        let mut event = json("{}");
        event.set_extension(HOPS_ATTRIBUTE, *text);
        assert_eq!(
            variables(&by_default(), &event),
            format!(r#"{{"bridgeContext":{{"hops":{hops}}}}}"#)
        );
    }
}

#[test]
fn the_context_attributes_come_under_one_variable_if_asked() {
    let rules = Rules::default_rules(DefaultRule {
        event_variable: Some("event".to_owned()),
        ..DefaultRule::default()
    });
    let mut event = json(r#"{"event":"forged","a":1}"#);
    event.set_extension("attempt", 2);
    assert_eq!(
        variables(&rules, &event),
        r#"{"a":1,"event":{"attempt":"2","datacontenttype":"application/json","id":"1","source":"/shop","specversion":"1.0","type":"Tickets.Requested"},"bridgeContext":{"hops":0}}"#
    );
}

#[test]
fn the_message_id_is_of_source_and_id_alone() {
    let id = |event: &Event| identity::of(event, None);
    let mut event = json("{}");
    let first = id(&event);
    for name in [
        "knativearrivaltime",
        "knativeerrorcode",
        "knativeerrordest",
        "traceparent",
    ] {
        event.set_extension(name, "x");
    }
    event.set_subject(Some("s"));
    event.set_type("other");
    assert_eq!(id(&event), first);
    assert_ne!(identity::of(&event, Some("rule")), first);
    event.set_source("/sho");
    event.set_id("p1");
    assert_ne!(id(&event), first, "the parts must not run together");
}
