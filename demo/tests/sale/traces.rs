use serde_json::json;
use testkit::collector::Collector;
use testkit::destination::Destination;

use crate::market::Market;
use crate::support::Service;
use crate::website::browser::Browser;

/// Over the Broker, from the browser to the browser.
#[tokio::test]
async fn one_trace_leads_from_a_customers_click_through_all_services_back_to_the_page() {
    let collector = Collector::start().await;
    let endpoint = collector.url();
    let traced = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let relay = Destination::accepting().await;
    let sink = relay.url();
    let start = |name, arguments| Service::start_with(name, arguments, Some(&sink), &traced);
    let queue = start("queue", &["--shop-seats", "1"]).await;
    let tickets = start("tickets", &["--stock", "3", "--choreographed"]).await;
    let payments = start("payments", &["--work-for-ms", "20"]).await;
    let website = start("website", &[]).await;
    let subscribers = [
        ("queue", queue.url.as_str()),
        ("tickets", &tickets.url),
        ("payments", &payments.url),
        ("website", &website.url),
    ];
    let _market = Market::open(relay, &subscribers).await;

    let browser = Browser::joined(&website.url).await;
    let mut stream = browser.stream(None).await;
    stream.state(|state| state["step"] == "shopping").await;
    browser.acts("request", &json!({"tickets": 2})).await;
    stream.state(|state| state["step"] == "held").await;
    browser.acts("checkout", &json!({"card": "valid"})).await;
    stream.state(|state| state["outcome"] == "emitted").await;

    let emitted = "receive Tickets.Emitted";
    let spans = collector
        .spans_when("the end of the sale, and all that led there", |spans| {
            let at_the_page = |span: &&testkit::collector::span::Span| span.service == "website";
            spans
                .named(emitted)
                .into_iter()
                .any(|span| at_the_page(&span))
                && spans.orphans(&[]).is_empty()
        })
        .await;
    let end = spans.named(emitted);
    let end = end
        .iter()
        .find(|span| span.service == "website")
        .expect("it is there");
    assert_eq!(
        spans.path(end),
        [
            "website: customer pays",
            "website: deliver Tickets.CheckedOut",
            "tickets: receive Tickets.CheckedOut",
            "tickets: deliver Payments.RequestReceived",
            "payments: receive Payments.RequestReceived",
            "payments: deliver Payments.Authorized",
            "tickets: receive Payments.Authorized",
            "tickets: deliver Tickets.Emitted",
            "website: receive Tickets.Emitted",
        ]
    );
    assert!(spans.iter().all(|span| span.error.is_none()), "{spans}");
}

#[tokio::test]
async fn a_click_that_is_refused_is_an_error_in_its_trace_and_says_nothing_of_what_was_sent() {
    let collector = Collector::start().await;
    let endpoint = collector.url();
    let traced = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let website = Service::start_with("website", &[], None, &traced).await;
    let browser = Browser::open(&website.url).await;
    for (what, body, status) in [
        ("checkout", json!({"card": "valid"}), 409),
        ("request", json!({"tickets": "4111-SECRET"}), 422),
        ("join", json!({"customer": "Ada"}), 202),
    ] {
        assert_eq!(browser.act(what, &body).await.status, status);
    }
    let clicks = [
        ("customer pays", "409", Some("Conflict")),
        (
            "customer asks for tickets",
            "422",
            Some("Unprocessable Entity"),
        ),
        ("customer joins the line", "202", None),
    ];
    let spans = collector
        .spans_when("all clicks", |spans| {
            clicks
                .iter()
                .all(|(name, ..)| !spans.named(name).is_empty())
        })
        .await;
    for (name, status, error) in clicks {
        let click = spans.one(name);
        assert_eq!(click.get("http.response.status_code"), status, "{click:#?}");
        assert_eq!(click.error.as_deref(), error, "{click:#?}");
    }
    assert!(!spans.to_string().contains("4111"), "{spans}");
}
