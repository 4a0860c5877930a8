use http::Method;
use serde_json::json;
use testkit::destination::Destination;
use testkit::request;

use super::browser::Browser;
use super::sessions::of_session;
use crate::support::{Service, post, post_from};

/// A website with two addresses, and the one for events.
async fn website(sink: &str) -> (Service, String) {
    let mut website = Service::start("website", &["--events-port", "0"], Some(sink)).await;
    let events = website
        .program
        .wait_for_line("its address for events", |line| {
            let (_, url) = line.split_once(" takes events at ")?;
            Some(url.to_owned())
        })
        .await;
    (website, events)
}

#[tokio::test]
async fn who_reaches_the_page_can_make_up_no_events_and_read_no_books() {
    let broker = Destination::accepting().await;
    let (website, events) = website(&broker.url()).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let admitted = of_session(&session);
    let forged = post(
        &website.url,
        "forged",
        "Tickets.CustomerAdmitted",
        &[],
        &admitted,
    )
    .await;
    assert_eq!(
        (forged.status.as_u16(), forged.header("allow")),
        (405, Some("GET, HEAD"))
    );
    for (address, path, status) in [
        (&website.url, "/books", 404),
        (&website.url, "/readyz", 404),
        (&website.url, "/healthz", 200),
        (&events, "/books", 200),
        (&events, "/readyz", 200),
        (&events, "/healthz", 200),
        (&events, "/", 404),
        (&events, "/api/config", 404),
    ] {
        let url = format!("{address}{path}");
        let answered = request::try_send(Method::GET, &url, &[], "").await;
        assert_eq!(answered.expect("an answer").status, status, "{path}");
    }
    assert_eq!(browser.me().await["step"], "joining");
    let told = post(&events, "told", "Tickets.CustomerAdmitted", &[], &admitted).await;
    assert_eq!(told.status, 202, "{}", told.text());
    assert_eq!(browser.me().await["step"], "shopping");
}

#[tokio::test]
async fn no_service_takes_an_event_that_a_page_sent() {
    let broker = Destination::accepting().await;
    let (website, events) = website(&broker.url()).await;
    let moved = json!({"session": "", "admitted": 7, "waiting": 0});
    let tickets = Service::start("tickets", &[], Some(&broker.url())).await;
    for url in [&events, &tickets.url] {
        for header in [
            ("origin", "http://evil.test"),
            ("origin", "null"),
            ("origin", website.url.as_str()),
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let sent = post(url, "one", "Tickets.QueueMoved", &[header], &moved).await;
            assert_eq!(sent.status, 403, "{header:?}");
        }
    }
    let sent = post(&events, "one", "Tickets.QueueMoved", &[], &moved).await;
    assert_eq!(sent.status, 202, "nothing of it was kept");
}

#[tokio::test]
async fn how_far_the_line_is_and_who_is_let_in_is_believed_of_the_queue_alone() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let moved = |admitted: u64| json!({"session": "", "admitted": admitted, "waiting": 0});
    for source in ["/tests", "/sale/website", "/sale/queue/"] {
        for (ty, data) in [
            ("Tickets.QueueMoved", moved(99)),
            ("Tickets.CustomerAdmitted", of_session(&session)),
            (
                "Tickets.CustomerQueued",
                json!({"session": session, "number": 3}),
            ),
        ] {
            let id = format!("{source}-{ty}");
            let sent = post_from(source, &website.url, &id, ty, &[], &data).await;
            assert_eq!(sent.status, 202, "{}", sent.text());
        }
    }
    assert_eq!(website.books().await["admitted"], 0);
    assert_eq!(browser.me().await["step"], "joining");
    for too_large in [u64::MAX, i64::MAX as u64 + 1] {
        let sent = website.send("Tickets.QueueMoved", &moved(too_large)).await;
        assert_eq!(sent.status, 422, "{}", sent.text());
    }
    website.accepts("Tickets.QueueMoved", &moved(5)).await;
    assert_eq!(website.books().await["admitted"], 5);
}
