//! The rules and Triggers that are shipped fit together.

use std::collections::BTreeSet;
use std::fs;

use super::examples::{load, root};
use super::*;

/// An event of the sale, by its source and type, and what becomes of it: rule, message and key.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, &'static str)],
);

const SALE: &[Row] = &[
    (
        "/sale/website",
        "Tickets.CustomerQueueJoined",
        &[("customer-joined", "Tickets.CustomerQueueJoined", "s-1")],
    ),
    (
        "/sale/queue",
        "Tickets.CustomerAdmitted",
        &[("customer-admitted", "Tickets.CustomerAdmitted", "s-1")],
    ),
    (
        "/sale/website",
        "Tickets.CustomerQueueLeft",
        &[("customer-left", "Customer.Gone", "s-1")],
    ),
    (
        "/sale/queue",
        "Tickets.CustomerRemoved",
        &[("customer-removed", "Customer.Gone", "s-1")],
    ),
    ("/zeebe/demo", "Tickets.CustomerRemoved", &[]),
    (
        "/sale/website",
        "Tickets.Requested",
        &[("tickets-requested", "Tickets.Requested", "s-1")],
    ),
    (
        "/sale/tickets",
        "Tickets.Held",
        &[("tickets-held", "Tickets.Held", "s-1")],
    ),
    (
        "/sale/tickets",
        "Tickets.SoldOut",
        &[("tickets-sold-out", "Tickets.SoldOut", "r-1")],
    ),
    (
        "/sale/website",
        "Tickets.CheckedOut",
        &[("tickets-checked-out", "Tickets.CheckedOut", "r-1")],
    ),
    (
        "/sale/payments",
        "Payments.Authorized",
        &[("payment-authorized", "Payments.Authorized", "p-1")],
    ),
    (
        "/sale/payments",
        "Payments.Refused",
        &[
            ("payment-refused", "Payments.Refused", "p-1"),
            ("payment-refused-not-charged", "Payments.NotCharged", "p-1"),
        ],
    ),
    (
        "/sale/payments",
        "Payments.Cancelled",
        &[("payment-cancelled", "Payments.NotCharged", "p-1")],
    ),
    (
        "/sale/payments",
        "Payments.Refunded",
        &[("payment-refunded", "Payments.NotCharged", "p-1")],
    ),
    (
        "/sale/tickets",
        "Tickets.Emitted",
        &[("tickets-emitted", "Tickets.Emitted", "r-1")],
    ),
    (
        "/sale/tickets",
        "Tickets.Released",
        &[("tickets-released", "Tickets.Released", "r-1")],
    ),
];

const DATA: &str = r#"{"session": "s-1", "reservationId": "r-1", "paymentId": "p-1", "customer": "Ada",
    "tickets": 2, "seats": ["A1", "A2"], "amount": 9980}"#;

#[test]
fn every_event_of_the_sale_becomes_the_message_that_the_process_waits_for() {
    let rules = load(&root().join("knative/tickets/rules.yaml"));
    let mut taken = BTreeSet::new();
    for (source, ty, expected) in SALE {
        let mut event = json(DATA);
        event.set_source(*source);
        event.set_type(*ty);
        let selected = rules.plan(&event, &Travel::default()).expect("a plan");
        let mut plans = selected.plans.iter();
        for (rule, message, key) in *expected {
            let planned = plans.next().unwrap_or_else(|| panic!("{ty}: no {rule}"));
            assert_eq!(planned.rule.as_deref(), Some(*rule), "{ty}");
            let plan = format!("{:?}", planned.plan);
            for part in [
                format!("name: \"{message}\""),
                format!("correlation_key: \"{key}\""),
            ] {
                assert!(plan.contains(&part), "{ty}: no {part} in {plan}");
            }
            taken.insert((*rule).to_owned());
        }
        assert_eq!(plans.count(), 0, "{ty}");
    }
    let all = rules.file.as_ref().expect("a file").rules.iter();
    let all: BTreeSet<String> = all.map(|rule| rule.name.to_string()).collect();
    assert_eq!(taken, all, "rules without an event here");
}

#[test]
fn a_checkout_that_names_no_card_is_paid_with_a_valid_one() {
    let rules = load(&root().join("knative/tickets/rules.yaml"));
    for (data, card) in [
        (r#"{"session": "s", "reservationId": "r"}"#, "valid"),
        (
            r#"{"session": "s", "reservationId": "r", "card": "slow"}"#,
            "slow",
        ),
    ] {
        let mut event = json(data);
        event.set_type("Tickets.CheckedOut");
        let plan = format!("{:?}", only(&rules, &event));
        assert!(plan.contains(&format!(r#"\"card\":\"{card}\""#)), "{plan}");
    }
}

#[test]
fn the_quick_rules_are_the_others_with_other_durations() {
    let without_durations = |file: &str| -> Vec<String> {
        load(&root().join(file));
        let text = fs::read_to_string(root().join(file)).expect("rules are shipped");
        let lines = text.lines().skip_while(|line| line.starts_with('#'));
        lines
            .map(|line| match line.split_once(": PT") {
                Some((name, rest)) => {
                    let comment = rest.split_once('#').map_or("", |(_, comment)| comment);
                    format!("{name}:{comment}")
                }
                None => line.to_owned(),
            })
            .collect()
    };
    assert_eq!(
        without_durations("knative/tickets/rules-quick.yaml"),
        without_durations("knative/tickets/rules.yaml")
    );
}

/// A reminder says that the place is kept, so none may come at the moment in which it is lost.
#[test]
fn no_reminder_comes_together_with_the_end_of_the_time_to_choose() {
    for file in [
        "knative/tickets/rules.yaml",
        "knative/tickets/rules-quick.yaml",
    ] {
        let text = fs::read_to_string(root().join(file)).expect("rules are shipped");
        let length = |variable: &str| {
            let (_, rest) = text.split_once(&format!("{variable}: ")).expect(variable);
            let written = rest.split_whitespace().next().expect("a length of time");
            duration::parse(written)
                .expect("a length of time")
                .as_millis()
        };
        let (every, timeout) = (length("remindEvery"), length("decideTimeout"));
        assert!(every < timeout, "{file}: no reminder at all");
        assert_ne!(timeout % every, 0, "{file}");
    }
}

#[test]
fn the_triggers_to_the_bridge_bring_what_the_rules_take() {
    for (trigger, rules) in [
        (
            "knative/tickets/triggers/process.yaml",
            "knative/tickets/rules.yaml",
        ),
        (
            "knative/hello/triggers/hello-requested.yaml",
            "knative/hello/rules.yaml",
        ),
    ] {
        load(&root().join(rules));
        let types = |file: &str, before: &str| -> BTreeSet<String> {
            let text = fs::read_to_string(root().join(file)).expect("a file that is shipped");
            let text = text.as_str();
            let found = text.split(before).skip(1);
            found
                .filter_map(|rest| rest.split([',', '}', '\n']).next())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(
            types(trigger, "  type: "),
            types(rules, "{type: "),
            "{trigger} and {rules}"
        );
    }
}
