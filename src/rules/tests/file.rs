//! Rules files in, mistakes or plans out.

use super::*;

fn load(text: &str) -> Result<Rules, String> {
    Rules::load(text, "rules.yaml", Settings::default()).map_err(|error| error.to_string())
}

/// A file of one rule that does what is given, for events with some data.
fn does(action: &str) -> Rules {
    let indented = action.replace('\n', "\n    ");
    load(&format!(
        "rules:\n  - name: r\n    select: {{}}\n    {indented}\n"
    ))
    .expect(action)
}

fn plan(action: &str, event: &Event) -> Plan {
    only(&does(action), event)
}

fn refused(rules: &Rules, event: &Event) -> String {
    rules
        .plan(event, &Travel::default())
        .expect_err("the event is refused")
        .to_string()
}

const DATA: &str = r#"{"key":"2251799813685249","n":2251799813685250,"order":{"id":"o-7","total":10.50},"retries":2}"#;

#[test]
fn mistakes_are_told_with_their_line_and_what_is_legal() {
    let rule = |rest: &str| format!("rules:\n  - name: r\n    select: {{type: T}}\n{rest}");
    let table: &[(String, &str)] = &[
        ("rules: []".into(), "1: `rules` is empty: expected at least one rule"),
        ("ruels: []".into(), "1: the file has no field `ruels`; did you mean `rules`?; it has `match`, `rules`"),
        ("match: every\nrules: []".into(), "1: `match` is `every`: expected `all` or `first`"),
        ("match: all".into(), "1: the file needs a field `rules`"),
        ("- name: a".into(), "1: `the file` is a list: expected a map"),
        ("rules:\n  - select: {}\n    start: {message: m}".into(), "2: a rule needs a field `name`"),
        ("rules:\n  - name: 7\n    select: {}".into(), "2: `name` is a number: expected text (put it in quotes)"),
        ("rules:\n  - name: ''\n    select: {}".into(), "2: `name` is empty"),
        ("rules:\n  - name: a\n    start: {message: m}".into(), "2: a rule needs a field `select`"),
        (rule(""), "2: a rule needs one of `start`, `publish`, `signal`, `set_variables`, `cancel`, `complete_job`, `fail_job`, `throw_error`"),
        (rule("    start: {message: m}\n    publish: {message: m}"), "5: a rule has both `start` and `publish`: expected one of them"),
        (rule("    strat: {message: m}"), "4: a rule has no field `strat`; did you mean `start`?; it has `name`, `select`, `start`, `publish`, `signal`, `set_variables`, `cancel`, `complete_job`, `fail_job`, `throw_error`, `repeats`"),
        (rule("    start:\n      mesage: m"), "5: `start` has no field `mesage`; did you mean `message`?; it has `message`, `process`, `once_per`, `version`, `at_most_once`, `variables`, `time_to_live`, `tenant_id`"),
        (rule("    start: {}"), "4: `start` needs one of `message`, `process`"),
        (rule("    start: {message: m, process: p}"), "4: `start` has both `message` and `process`: expected one of them"),
        (rule("    start:\n      process: p\n      once_per: event.id"), "6: `start` by `process` takes no `once_per`: only a start by message can be held to one active instance"),
        (rule("    start:\n      message: m\n      at_most_once: true"), "6: `start` by `message` takes no `at_most_once`: a start by message is deduplicated by the engine"),
        (rule("    start: {process: p, version: 0}"), "4: `version` is 0: expected an integer of 1 or more, or an expression beginning with `=`"),
        (rule("    start: {process: p, version: latest}"), "4: `version` is text: expected an integer of 1 or more, or an expression beginning with `=`"),
        (rule("    start: {process: p, at_most_once: maybe}"), "4: `at_most_once` is text: expected `true` or `false`"),
        (rule("    start: {message: m, time_to_live: 1x}"), "4: `time_to_live`: `1x` is no length of time: expected a length of time such as `30s`, `1h30m`, `2d` or `PT1H30M`"),
        (rule("    start:\n      message: m\n      time_to_live: 1m"), "6: the time to live is 60s, but a delivery may be retried for 600s: a retry after the message is forgotten acts a second time"),
        (rule("    publish: {message: m, tenant_id: =event.tenant}"), "4: `tenant_id` is an expression: expected a constant, since an event must not choose its tenant"),
        (rule("    publish:\n      message: m\n      variables:\n        a: =dta.x"), "7: `variables.a`: `dta.x` names `dta`, which does not exist: an expression begins with `event` or `data`; text is written in quotes"),
        (rule("    publish:\n      message: m\n      variables:\n        a: [1, =data.x +]"), "7: `variables.a[1]`: `data.x +` is no expression: "),
        (rule("    publish:\n      message: m\n      variables:\n        bridgeContext: 1"), "7: `variables` sets `bridgeContext`, which is not a rule's to set"),
        (rule("    publish:\n      message: m\n      variables:\n        a: 99999999999999999999"), "7: `variables.a` is an integer beyond 64 bits with a sign, which the engine cannot hold; send it as a string"),
        (rule("    publish: {message: m, variables: data}"), "4: `variables` is text: expected a map, or an expression beginning with `=` that yields an object"),
        (rule("    publish: {message: m, correlation_key: data.orderId}"), "4: `correlation_key` is the literal text `data.orderId`: for the field of the event write `=data.orderId`, for the text itself `=\"data.orderId\"`"),
        (rule("    publish: {message: m, variables: {order: [data.orderId]}}"), "4: `variables.order[0]` is the literal text `data.orderId`: for the field of the event write `=data.orderId`, for the text itself `=\"data.orderId\"`"),
        (rule("    cancel: {process_instance_key: event.key}"), "4: `process_instance_key` is the literal text `event.key`: for the field of the event write `=event.key`, for the text itself `=\"event.key\"`"),
        (rule("    publish: {message: ''}"), "4: `message` is empty"),
        (rule("    publish: {}"), "4: `publish` needs a field `message`"),
        (rule("    publish: {message: =event.Type}"), "4: `message`: `event.Type` names the attribute `Type`, which no event can have: names are lower-case letters and digits; did you mean `type`?"),
        (rule("    publish: {message: \"=event.data + 'x'\"}"), "4: `message`: `event.data + 'x'` names the attribute `data`, which no event can have: names are lower-case letters and digits; the data is `data`, beside `event`"),
        (rule("    publish: {message: =data.map(x)}"), "4: `message`: "),
        (rule("    fail_job: {job_key: =data.key}"), "4: `fail_job` needs a field `retries`"),
        (rule("    fail_job: {job_key: =data.key, retries: -1}"), "4: `retries` is -1: expected an integer of 0 or more, or an expression beginning with `=`"),
        (rule("    cancel: {process_instance_key: 1}\n    repeats: fine"), "5: `repeats` is `fine`: expected `accepted`, or no such field"),
        ("rules:\n  - name: r\n    select: {typ: T}".into(), "3: `select` has no field `typ`; did you mean `type`?; it has `type`, `exact`, `prefix`, `suffix`, `when`"),
        ("rules:\n  - name: r\n    select:\n      prefix:\n        Source: /a".into(), "5: `prefix` names the attribute `Source`, which no event can have: names are lower-case letters and digits; did you mean `source`?"),
        ("rules:\n  - name: r\n    select: {exact: {attempt: 2}}".into(), "3: `exact.attempt` is a number: expected text (put it in quotes)"),
        ("rules:\n  - name: r\n    select: {type: A, exact: {type: B}}".into(), "3: no event can be of type `A` and of type `B`"),
        ("rules:\n  - name: r\n    select:\n      when: quantity > 0".into(), "4: `when`: `quantity > 0` names `quantity`, which does not exist: an expression begins with `event` or `data`; text is written in quotes"),
        ("rules:\n  - name: r\n    select:\n      when: ''".into(), "4: `when`: `` is empty: expected an expression"),
        ("rules:\n  - name: r\n    select: {}\n    cancel: {process_instance_key: 1}\n  - name: r\n    select: {}\n    cancel: {process_instance_key: 1}".into(), "5: `name` is `r`, which the rule on line 2 has too: names are part of the message id and must differ"),
        ("rules:\n  - name: a\n    name: b".into(), "3: is not YAML that rules can be read from: "),
        ("rules: [".into(), "1: is not YAML that rules can be read from: "),
        ("1: 2".into(), "1: a field's name must be text; put it in quotes"),
        ("".into(), "1: "),
    ];
    for (text, expected) in table {
        let error = load(text).expect_err(text);
        let expected = format!("rules.yaml:{expected}");
        // Where the words are those of a library, only ours before them are held fast.
        let ours = expected
            .ends_with(": ")
            .then(|| error.starts_with(&expected));
        assert!(
            ours.unwrap_or(error == expected),
            "{text}\n  found    {error}\n  expected {expected}"
        );
    }
}

#[test]
fn settings_that_give_one_variable_two_meanings_are_refused() {
    let load = |data: &str, event: Option<&str>| {
        let defaults = DefaultRule {
            data_variable: data.to_owned(),
            event_variable: event.map(str::to_owned),
            ..DefaultRule::default()
        };
        let settings = Settings {
            defaults,
            ..Settings::default()
        };
        Rules::load(
            "rules:\n- name: r\n  select: {}\n  publish: {message: m}",
            "r",
            settings,
        )
        .map(drop)
        .map_err(|error| error.to_string())
    };
    assert_eq!(load("data", Some("event")), Ok(()));
    assert_eq!(
        load("x", Some("x")),
        Err("the variable `x` cannot hold both the data and the context attributes".into())
    );
    assert_eq!(
        load(TRAVEL_VARIABLE, None),
        Err("the variable `bridgeContext` is the bridge's own".into())
    );
    assert_eq!(
        load("", None),
        Err("a variable's name must not be empty".into())
    );
}

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
            "rule `r`: `process_instance_key`: is `o-7`: expected a key that the engine gave, a positive integer",
        ),
        (
            "fail_job: {job_key: 1, retries: =data.order.total}",
            "rule `r`: `retries`: is `10.50`: expected an integer of 0 or more",
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
fn taken(rules: &Rules, event: &Event) -> Vec<String> {
    let selected = rules.plan(event, &Travel::default()).expect("plans");
    selected
        .plans
        .iter()
        .filter_map(|planned| planned.rule.as_deref().map(str::to_owned))
        .collect()
}

const SELECTING: &str = "
rules:
  - {name: any, select: {}, publish: {message: m}}
  - {name: exact, select: {type: Tickets.Requested}, publish: {message: m}}
  - {name: exact2, select: {exact: {type: Tickets.Requested, source: /shop}}, publish: {message: m}}
  - {name: prefix, select: {prefix: {type: Tickets.}}, publish: {message: m}}
  - {name: suffix, select: {suffix: {type: .Requested}}, publish: {message: m}}
  - {name: both, select: {prefix: {type: T}, suffix: {type: d, source: shop}}, publish: {message: m}}
  - {name: subject, select: {prefix: {subject: order-}}, publish: {message: m}}
  - {name: number, select: {exact: {attempt: '2'}}, publish: {message: m}}
  - {name: when, select: {when: =data.n > 1}, publish: {message: m}}
  - {name: flag, select: {type: Tickets.Requested, when: data.flag}, publish: {message: m}}
";

#[test]
fn rules_are_selected_by_attributes_and_condition_in_the_order_of_the_file() {
    let rules = load(SELECTING).expect("a rules file");
    let mut event = json(r#"{"n":2,"flag":true}"#);
    assert_eq!(
        taken(&rules, &event),
        [
            "any", "exact", "exact2", "prefix", "suffix", "both", "when", "flag"
        ]
    );
    event.set_subject(Some("order-1"));
    event.set_extension("attempt", 2);
    event.set_type("Tickets.Sold");
    event.set_source("/bar");
    assert_eq!(
        taken(&rules, &event),
        ["any", "prefix", "subject", "number", "when"]
    );
    event.set_type("é");
    assert_eq!(taken(&rules, &event), ["any", "subject", "number", "when"]);

    let first = load(&format!("match: first{SELECTING}")).expect("a rules file");
    assert_eq!(taken(&first, &event), ["any"]);
}

#[test]
fn no_rule_is_no_plan_and_data_is_not_looked_at() {
    let rules = load("rules:\n- {name: r, select: {type: Other}, publish: {message: m}}")
        .expect("a rules file");
    assert_eq!(
        rules.plan(&json("{broken"), &Travel::default()),
        Ok(Selected { plans: vec![] })
    );
}

#[test]
fn a_condition_that_cannot_be_decided_is_an_error_and_not_a_no() {
    let rules = |when: &str| {
        load(&format!(
            "rules:\n- {{name: r, select: {{when: '{when}'}}, publish: {{message: m}}}}"
        ))
        .expect(when)
    };
    assert_eq!(
        refused(&rules("data.n > 1"), &json("{}")),
        "rule `r`: `when`: `data.n > 1` needs `n`, which is missing; `has(...)` tells whether a field is there"
    );
    assert_eq!(
        refused(&rules("data.n"), &json(r#"{"n":"yes"}"#)),
        "rule `r`: `when`: `data.n` is \"yes\": expected true or false"
    );
    assert!(taken(&rules("has(data.n) && data.n > 1"), &json("{}")).is_empty());
    assert!(taken(&rules("has(event.subject)"), &json("{}")).is_empty());
}

#[test]
fn what_must_not_be_repeated_is_refused_beside_others_unless_repeats_are_accepted() {
    let start = "start: {process: p}";
    let file = |first: &str, select: &str, action: &str| {
        format!(
            "rules:\n- name: a\n  select: {first}\n  {start}\n- name: b\n  select: {select}\n  {action}\n"
        )
    };
    // the other's selection, and whether both can take one event
    let table = [
        ("{type: A}", "{type: B}", false),
        ("{type: A}", "{type: A}", true),
        ("{type: A}", "{}", true),
        ("{type: A}", "{prefix: {type: A}}", true),
        ("{type: A}", "{prefix: {type: B}}", false),
        ("{type: A}", "{suffix: {type: B}}", false),
        ("{type: A}", "{prefix: {source: /x}}", true),
        (
            "{type: A, prefix: {source: /x/}}",
            "{type: A, prefix: {source: /y}}",
            false,
        ),
        (
            "{type: A, prefix: {source: /x/}}",
            "{type: A, exact: {source: /x/1}}",
            true,
        ),
        (
            "{type: A, suffix: {source: x}}",
            "{type: A, suffix: {source: y}}",
            false,
        ),
        (
            "{type: A, suffix: {source: x}}",
            "{type: A, prefix: {source: y}}",
            true,
        ),
        ("{prefix: {type: A.}}", "{prefix: {type: A}}", true),
        ("{prefix: {type: A.}}", "{prefix: {type: B.}}", false),
        (
            "{type: A, when: data.x}",
            "{type: A, when: '!data.x'}",
            true,
        ),
    ];
    for (first, second, overlap) in table {
        let text = file(first, second, "publish: {message: m}");
        match load(&text) {
            Ok(_) => assert!(!overlap, "{text}"),
            Err(error) => {
                assert!(overlap, "{text}\n{error}");
                assert!(
                    error.starts_with(
                        "rules.yaml:2: rule `a` starts a process by its id or broadcasts a signal"
                    ),
                    "{error}"
                );
                assert!(error.contains("by rule `b` on line 5"), "{error}");
            }
        }
        load(&format!("match: first\n{text}")).expect("only one acts");
        load(&text.replacen(start, &format!("{start}\n  repeats: accepted"), 1)).expect("accepted");
    }
    assert!(load(&file("{}", "{}", "signal: {signal: s}")).is_err());
}

#[test]
fn a_batch_must_not_repeat_what_must_not_be_repeated() {
    let planned = |action: &str| {
        does(action)
            .plan(&json(DATA), &Travel::default())
            .expect("plans")
            .plans
            .remove(0)
    };
    let (message, start) = (
        planned("publish: {message: m}"),
        planned("start: {process: p}"),
    );
    assert_eq!(check_together(&[]), Ok(()));
    assert_eq!(check_together(std::slice::from_ref(&start)), Ok(()));
    assert_eq!(check_together(&[message.clone(), message.clone()]), Ok(()));
    let error = check_together(&[message.clone(), start])
        .expect_err("beside another")
        .to_string();
    assert!(
        error.starts_with("rule `r`: `repeats`: the request leads to 2 commands"),
        "{error}"
    );
    let accepted = planned("start: {process: p}\nrepeats: accepted");
    assert_eq!(check_together(&[message, accepted]), Ok(()));
}

#[test]
fn a_message_with_a_short_life_is_warned_about() {
    let rules = does("publish: {message: m, time_to_live: 1m}");
    assert_eq!(
        rules.warnings(),
        [
            "rules.yaml:4: the time to live is 60s, but a delivery may be retried for 600s: a retry after the message is forgotten acts a second time"
        ]
    );
    assert!(does("publish: {message: m}").warnings().is_empty());
}

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
