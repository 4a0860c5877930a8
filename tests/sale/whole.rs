//! What holds of every trace of the ticket sale.

use demo::sale;
use testkit::collector::span::{Span, SpanKind, Spans};
use testkit::scenario::{Scenario, workspace};

/// The click that the sale's trace begins with.
pub(crate) const PAYS: &str = "customer pays";
/// The bridge's name in traces.
pub(crate) const BRIDGE: &str = "eventing-zeebe";
/// The command that most events lead to.
pub(crate) const PUBLISH: &str = "gateway_protocol.Gateway/PublishMessage";

/// The sale's trace as docs/TRACING.md has it, in the order of [`Spans::tree`].
pub(crate) fn documented() -> String {
    let file = workspace().join("docs/TRACING.md");
    let text = std::fs::read_to_string(file).expect("the documents are there");
    let begin = text.find("\nwebsite: customer pays").expect("the tree") + 1;
    let end = text[begin..].find("```").expect("its end");
    sorted(&text[begin..begin + end])
}

/// A tree with what stands side by side in the order of the alphabet.
pub(crate) fn sorted(tree: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let top = tree.lines().next().map_or(0, depth);
    let mut branches: Vec<(&str, String)> = Vec::new();
    for line in tree.lines() {
        match branches.last_mut() {
            Some((_, below)) if depth(line) > top => {
                below.push_str(line);
                below.push('\n');
            }
            Some(_) | None => branches.push((line, String::new())),
        }
    }
    let mut branches: Vec<String> = branches
        .into_iter()
        .map(|(line, below)| {
            let below = if below.is_empty() {
                below
            } else {
                sorted(&below)
            };
            format!("{line}\n{below}")
        })
        .collect();
    branches.sort();
    branches.concat()
}

/// Whether the trace of this click has so many spans as a tree has lines, and every span its parent. More may come yet.
pub(crate) fn has_come(all: &Spans, click: &str, tree: &str) -> bool {
    all.named(click).first().is_some_and(|root| {
        all.of_trace(&root.trace).iter().count() >= tree.lines().count()
            && all.orphans(&[]).is_empty()
    })
}

/// That this is the tree of a trace.
pub(crate) fn assert_tree(trace: &Spans, expected: &str) {
    let tree = trace.tree();
    assert!(
        tree == expected,
        "the tree is\n{tree}and should be\n{expected}"
    );
}

/// The one trace that begins with this click.
///
/// # Panics
/// When it has spans without their parents, another root, or an error; or an event that did not arrive as it left.
pub(crate) fn of_click(all: &Spans, click: &str) -> Spans {
    let root = all.one(click);
    let trace = all.of_trace(&root.trace);
    assert_eq!(trace.orphans(&[]), Vec::<&Span>::new(), "{trace}");
    let roots: Vec<&Span> = trace.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots, [root], "{trace}");
    for span in trace.iter() {
        assert_eq!(span.error, None, "{span:#?}");
        assert_eq!(span.links, [], "{span:#?}");
    }
    for delivery in trace.iter().filter(|span| span.kind == SpanKind::Producer) {
        let arrived = trace.children(delivery);
        assert!(!arrived.is_empty(), "nobody had {delivery:#?}");
        for arrival in arrived {
            assert_eq!(arrival.kind, SpanKind::Consumer, "{arrival:#?}");
            for name in ["id", "source", "type", "subject"] {
                let name = format!("cloudevents.{name}");
                assert_ne!(arrival.get(&name), "", "{name} of {arrival:#?}");
                assert_eq!(arrival.get(&name), delivery.get(&name), "{arrival:#?}");
            }
        }
    }
    trace
}

/// What the spans say of the click, and of its event's way into the process and out of it.
pub(crate) fn assert_attributes(trace: &Spans, scenario: &Scenario<'_>) {
    let message = scenario.of(sale::CHECKED_OUT);
    let (job_type, process) = (scenario.job_type(), scenario.of("ticket-sale"));
    let click = one(trace, "website", "customer pays");
    let codes = [
        ("http.request.method", "POST"),
        ("http.response.status_code", "202"),
    ];
    assert_says(click, &codes);

    let leaves = one(trace, "website", "deliver Tickets.CheckedOut");
    let session = leaves.get("cloudevents.subject");
    let told = [
        ("messaging.system", "knative"),
        ("messaging.operation.name", "deliver"),
        ("messaging.operation.type", "send"),
        ("cloudevents.type", sale::CHECKED_OUT),
        ("cloudevents.source", "/sale/website"),
        ("server.address", "127.0.0.1"),
        codes[0],
        codes[1],
    ];
    assert_says(leaves, &told);

    let arrives = one(trace, BRIDGE, "receive Tickets.CheckedOut");
    let told = [
        ("messaging.system", "knative"),
        ("messaging.operation.name", "receive"),
        ("messaging.operation.type", "process"),
        ("cloudevents.subject", session),
        codes[1],
    ];
    assert_says(arrives, &told);

    let children = trace.children(arrives);
    let publish = children.iter().find(|span| span.name == PUBLISH);
    let told = [
        ("rpc.system.name", "grpc"),
        ("rpc.method", PUBLISH),
        ("zeebe.message.name", &message),
    ];
    assert_says(publish.expect("a command"), &told);
    let select = children.iter().find(|span| span.name == "select rule");
    let told = [
        ("zeebe.commands", "1"),
        ("zeebe.rule", "tickets-checked-out"),
    ];
    assert_says(select.expect("rules"), &told);

    let instance = one(trace, BRIDGE, "activate RequestPayment").get("zeebe.process_instance.key");
    assert_ne!(instance, "");
    for (element, ty) in [
        ("RequestPayment", sale::PAYMENT_REQUESTED),
        ("RequestTickets", sale::EMISSION_REQUESTED),
        ("TellTicketsSent", sale::NOTIFICATION_REQUESTED),
    ] {
        let job = one(trace, BRIDGE, &format!("activate {element}"));
        let told = [
            ("messaging.system", "zeebe"),
            ("messaging.destination.name", &job_type),
            ("zeebe.process.id", &process),
            ("zeebe.process_instance.key", instance),
            ("zeebe.element.id", element),
            ("zeebe.job.end", "complete"),
        ];
        assert_says(job, &told);
        let told = [
            ("cloudevents.type", ty),
            ("cloudevents.source", "/zeebe/tests"),
            ("cloudevents.id", job.get("zeebe.job.key")),
            ("cloudevents.subject", session),
            codes[1],
        ];
        assert_says(one(trace, BRIDGE, &format!("deliver {ty}")), &told);
    }
}

/// The one span of a service that has this name.
fn one<'a>(spans: &'a Spans, service: &str, name: &str) -> &'a Span {
    let mut found = spans.named(name);
    found.retain(|span| span.service == service);
    match found[..] {
        [only] => only,
        _ => panic!("{} spans `{service}: {name}` in\n{spans}", found.len()),
    }
}

/// That a span has these attributes; others besides.
fn assert_says(span: &Span, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        assert_eq!(span.get(name), *value, "{name} of {span:#?}");
    }
}
