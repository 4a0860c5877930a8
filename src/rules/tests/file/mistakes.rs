//! Mistakes in a file, and in settings beside it: each with its place and what is legal.

use super::*;

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
        (rule("    start:\n      message: m\n      time_to_live: 1m"), "6: rule `r`: the time to live is 60s, but Triggers redeliver for 600s (BRIDGE_TRIGGER_HORIZON_SECONDS): a redelivery after the message is forgotten acts a second time; set its `time_to_live` to `600s` or more"),
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
fn a_message_with_a_short_life_is_warned_about() {
    let rules = does("publish: {message: m, time_to_live: 1m}");
    assert_eq!(
        rules.warnings(),
        [
            "rules.yaml:4: rule `r`: the time to live is 60s, but Triggers redeliver for 600s (BRIDGE_TRIGGER_HORIZON_SECONDS): a redelivery after the message is forgotten acts a second time; set its `time_to_live` to `600s` or more"
        ]
    );
    assert!(does("publish: {message: m}").warnings().is_empty());
    assert!(
        does("start: {message: m, time_to_live: 10m}")
            .warnings()
            .is_empty()
    );
}

#[test]
fn a_rule_without_a_time_to_live_is_held_to_the_one_of_the_settings() {
    let settings = Settings {
        retry_horizon: Duration::from_millis(3_600_001),
        ..Settings::default()
    };
    let file = "rules:\n  - name: r\n    select: {type: T}\n    start: {message: m}";
    let refused = Rules::load(file, "rules.yaml", settings)
        .expect_err("a start that is forgotten")
        .to_string();
    assert_eq!(
        refused,
        "rules.yaml:4: rule `r`: the time to live is 3600s, but Triggers redeliver for 3600.001s (BRIDGE_TRIGGER_HORIZON_SECONDS): a redelivery after the message is forgotten acts a second time; set BRIDGE_TIME_TO_LIVE_SECONDS, or its `time_to_live`, to 3601 s or more"
    );
}
