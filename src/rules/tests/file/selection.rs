//! Which rules take an event.

use super::*;

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
        "rule `r`: `when`: `data.n` is neither true nor false"
    );
    assert!(taken(&rules("has(data.n) && data.n > 1"), &json("{}")).is_empty());
    assert!(taken(&rules("has(event.subject)"), &json("{}")).is_empty());
}
