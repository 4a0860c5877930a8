//! What each action makes of an event: every field, and the variables that are picked.

use super::*;

#[test]
fn a_start_by_message_has_a_key_of_its_own_unless_once_per_gives_one() {
    let event = json(DATA);
    let id = identity::of(&event, Some("r"));
    let start = message(plan("start: {message: Go}", &event));
    assert_eq!(
        (
            start.name.as_str(),
            &start.correlation_key,
            &start.message_id
        ),
        ("Go", &id, &id)
    );
    assert_eq!(start.time_to_live, Duration::from_secs(3600));
    assert_eq!(start.tenant_id, None);

    let once = message(plan(
        "start: {message: Go, once_per: data.order.id, time_to_live: PT2H, tenant_id: t}",
        &event,
    ));
    assert_eq!(
        (once.correlation_key.as_str(), &once.message_id),
        ("o-7", &id)
    );
    assert_eq!(once.time_to_live, Duration::from_secs(7200));
    assert_eq!(once.tenant_id.as_deref(), Some("t"));

    let empty = does("start: {message: Go, once_per: \"=''\"}");
    assert_eq!(
        refused(&empty, &event),
        "rule `r`: `once_per`: yields empty text, with which the engine would start an instance each time"
    );
}

#[test]
fn every_action_resolves_every_field() {
    let event = json(DATA);
    let carried = Arc::new(r#"{"bridgeContext":{"hops":0}}"#.to_owned());
    let table: Vec<(&str, Plan)> = vec![
        (
            "start: {process: =data.order.id, variables: {}}",
            Plan::CreateProcessInstance {
                bpmn_process_id: "o-7".into(),
                version: None,
                variables: carried.clone(),
                tenant_id: None,
                at_most_once: false,
            },
        ),
        (
            "start: {process: p, version: 3, at_most_once: true, tenant_id: t, variables: {}}",
            Plan::CreateProcessInstance {
                bpmn_process_id: "p".into(),
                version: Some(3),
                variables: carried.clone(),
                tenant_id: Some("t".into()),
                at_most_once: true,
            },
        ),
        (
            "start: {process: p, version: =data.retries, variables: {}}",
            Plan::CreateProcessInstance {
                bpmn_process_id: "p".into(),
                version: Some(2),
                variables: carried.clone(),
                tenant_id: None,
                at_most_once: false,
            },
        ),
        (
            "signal: {signal: =event.type, variables: {}}",
            Plan::BroadcastSignal {
                signal_name: "Tickets.Requested".into(),
                variables: carried.clone(),
                tenant_id: None,
                at_most_once: false,
            },
        ),
        (
            "set_variables: {element_instance_key: =data.key, local: true, variables: {}}",
            Plan::SetVariables {
                element_instance_key: 2251799813685249,
                variables: carried.clone(),
                local: true,
            },
        ),
        (
            "cancel: {process_instance_key: =data.n}",
            Plan::CancelProcessInstance {
                process_instance_key: 2251799813685250,
            },
        ),
        (
            "complete_job: {job_key: 7, variables: {}}",
            Plan::CompleteJob {
                job_key: 7,
                variables: carried.clone(),
            },
        ),
        (
            "fail_job: {job_key: =data.key, retries: =data.retries - 1, error_message: \"='no ' + data.order.id\", retry_back_off: 30s, variables: {}}",
            Plan::FailJob {
                job_key: 2251799813685249,
                retries: 1,
                error_message: "no o-7".into(),
                retry_back_off: Duration::from_secs(30),
                variables: carried.clone(),
            },
        ),
        (
            "throw_error: {job_key: =data.key, error_code: SOLD_OUT, variables: {}}",
            Plan::ThrowError {
                job_key: 2251799813685249,
                error_code: "SOLD_OUT".into(),
                error_message: String::new(),
                variables: carried.clone(),
            },
        ),
    ];
    for (action, expected) in table {
        assert_eq!(plan(action, &event), expected, "{action}");
    }
}

#[test]
fn variables_are_picked_with_the_bytes_that_came() {
    let event = json(DATA);
    let table = [
        (
            "{total: =data.order.total, id: =data.order.id}",
            r#""total":10.50,"id":"o-7","#,
        ),
        (
            "{a: text, b: 1, c: 1.5, d: true, e: null, f: '=''=x'''}",
            r#""a":"text","b":1,"c":1.5,"d":true,"e":null,"f":"=x","#,
        ),
        (
            "{nested: {list: [=data.n, {x: =event.type}, plain], empty: {}}}",
            r#""nested":{"list":[2251799813685250,{"x":"Tickets.Requested"},"plain"],"empty":{}},"#,
        ),
        ("{all: =data.order}", r#""all":{"id":"o-7","total":10.50},"#),
        ("=data.order", r#""id":"o-7","total":10.50,"#),
        (
            "{maybe: '=has(data.x) ? data.x : null'}",
            r#""maybe":null,"#,
        ),
        ("{}", ""),
    ];
    for (variables, expected) in table {
        let plan = plan(
            &format!("publish: {{message: m, variables: {variables}}}"),
            &event,
        );
        assert_eq!(
            message(plan).variables,
            format!(r#"{{{expected}"bridgeContext":{{"hops":0}}}}"#),
            "{variables}"
        );
    }
    let whole = message(plan("publish: {message: m}", &event)).variables;
    assert!(
        whole.starts_with(DATA.trim_end_matches('}').get(..40).expect("data")),
        "{whole}"
    );
}

#[test]
fn an_expression_over_the_whole_data_cannot_forge_what_travels() {
    let event = json(r#"{"inner":{"bridgeContext":{"hops":0},"a":1}}"#);
    let plan = plan("publish: {message: m, variables: =data.inner}", &event);
    assert_eq!(
        message(plan).variables,
        r#"{"a":1,"bridgeContext":{"hops":0}}"#
    );
}

#[test]
fn what_an_event_does_not_have_is_named_with_the_rule_and_the_field() {
    let table = [
        (
            "publish: {message: =data.nam}",
            "rule `r`: `message`: `data.nam` is missing; if it may be, write `has(data.nam) ? data.nam : null`",
        ),
        (
            "publish: {message: m, variables: {a: {b: =event.subject}}}",
            "rule `r`: `variables.a.b`: `event.subject` is missing; if it may be, write `has(event.subject) ? event.subject : null`",
        ),
        (
            "publish: {message: m, variables: {a: =event.type.x}}",
            "rule `r`: `variables.a`: `event.type.x` leads nowhere: an attribute has no parts",
        ),
        (
            "publish: {message: =data.order}",
            "rule `r`: `message`: `data.order` is an object: expected text",
        ),
        (
            "publish: {message: \"=''\"}",
            "rule `r`: `message`: is empty",
        ),
        (
            "publish: {message: m, variables: =data.key}",
            "rule `r`: `variables`: yields no object: expected one, whose members are the variables",
        ),
        (
            "cancel: {process_instance_key: =data.order.id}",
            "rule `r`: `process_instance_key`: is no key that the engine gave: expected a positive integer",
        ),
        (
            "fail_job: {job_key: 1, retries: =data.order.total}",
            "rule `r`: `retries`: is not what was expected: an integer of 0 or more",
        ),
    ];
    for (action, expected) in table {
        assert_eq!(refused(&does(action), &json(DATA)), expected, "{action}");
    }
    let text = event(Some("text/plain"), b"hello");
    assert_eq!(
        refused(&does("publish: {message: =data.x}"), &text),
        "rule `r`: `message`: `data.x` is missing: the event's data is not JSON"
    );
    let none = event(None, b"");
    assert_eq!(
        refused(&does("publish: {message: =data.x}"), &none),
        "rule `r`: `message`: `data.x` is missing: the event has no data"
    );
    assert_eq!(
        message(plan("publish: {message: =data}", &text)).name,
        "hello"
    );
}

/// The names of the rules that take an event.

#[test]
fn the_name_of_a_rule_is_part_of_the_message_id() {
    let event = json("{}");
    let id = message(plan("publish: {message: m}", &event)).message_id;
    assert_eq!(id, identity::of(&event, Some("r")));
    assert_ne!(id, identity::of(&event, None));
}

#[test]
fn the_context_attributes_come_beside_what_a_rule_picks() {
    let settings = Settings {
        defaults: DefaultRule {
            event_variable: Some("event".to_owned()),
            ..DefaultRule::default()
        },
        ..Settings::default()
    };
    let load = |variables: &str| {
        let text = format!(
            "rules:\n- name: r\n  select: {{}}\n  publish: {{message: m, variables: {variables}}}"
        );
        Rules::load(&text, "r.yaml", settings.clone()).map_err(|error| error.to_string())
    };
    let rules = load("{a: 1}").expect("a rules file");
    let variables = message(only(&rules, &json("{}"))).variables;
    assert!(
        variables.starts_with(r#"{"a":1,"event":{"datacontenttype":"#),
        "{variables}"
    );
    assert_eq!(
        load("{event: 1}").map(drop),
        Err("r.yaml:4: `variables` sets `event`, which is not a rule's to set".to_owned())
    );
}
