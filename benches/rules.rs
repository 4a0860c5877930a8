//! What it costs to find out which command an event leads to.

use std::fmt::Write;
use std::hint::black_box;

use cloudevents_http::{Event, new_event, set_attribute, set_data};
use criterion::{Criterion, criterion_group, criterion_main};
use eventing_zeebe::rules::expression::Template;
use eventing_zeebe::rules::{DefaultRule, Rules, Settings, Travel};

/// About 200 bytes.
const DATA: &str = r#"{"reservationId":"r-0017c2","quantity":2,"price":49.90,"customer":{"name":"Ada Lovelace","email":"ada@example.org"},"seats":["A17","A18"],"note":"beside the aisle, please, if there is one left"}"#;

const TRAVEL: Travel<'_> = Travel {
    traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    tracestate: None,
    baggage: None,
    alone: false,
};

fn event() -> Event {
    let mut event =
        new_event("order-4711/3", "/shop/berlin", "Tickets.Requested").expect("an event");
    set_data(&mut event, Some("application/json"), DATA).expect("data");
    set_attribute(&mut event, "subject", "order-4711").expect("an attribute");
    event
}

/// A file in which one rule takes the event and the others do not.
fn rules(count: usize, last: &str) -> Rules {
    let mut text = "rules:\n".to_owned();
    for number in 1..count {
        let _ = writeln!(
            text,
            "- {{name: r{number}, select: {{type: Type.{number}}}, publish: {{message: m}}}}"
        );
    }
    text.push_str(last);
    Rules::load(&text, "rules.yaml", Settings::default()).expect("a rules file")
}

const PICKS: &str = "
- name: ticket-requested
  select: {type: Tickets.Requested}
  start:
    message: Tickets.Requested
    once_per: event.subject
    variables: {reservationId: =data.reservationId, quantity: =data.quantity, price: =data.price}
";

const INTERPRETS: &str = "
- name: ticket-requested
  select: {type: Tickets.Requested, when: data.quantity > 0}
  start:
    message: Tickets.Requested
    variables: {reservationId: =data.reservationId}
";

fn planning(criterion: &mut Criterion) {
    let event = event();
    let cases = [
        (
            "without a file",
            Rules::default_rules(DefaultRule::default()),
        ),
        ("10 rules, picking three fields", rules(10, PICKS)),
        ("10,000 rules, picking three fields", rules(10_000, PICKS)),
        (
            "10 rules, with an interpreted condition",
            rules(10, INTERPRETS),
        ),
    ];
    let mut group = criterion.benchmark_group("plan an event of 200 bytes");
    for (name, rules) in &cases {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| rules.plan(black_box(&event), &TRAVEL).expect("a plan"));
        });
    }
    group.finish();
}

fn templates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluate over 200 bytes of variables");
    for source in [
        "=customer.email",
        "=quantity > 1",
        "=\"order/\" + reservationId",
    ] {
        let template = Template::parse(source).expect("an expression");
        group.bench_function(source, |bencher| {
            bencher.iter(|| template.json(black_box(DATA)).expect("a value").len());
        });
    }
    group.finish();
}

criterion_group!(benches, planning, templates);
criterion_main!(benches);
