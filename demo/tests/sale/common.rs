use http::Method;
use serde_json::{Value, json};
use testkit::destination::{Answer, Destination};
use testkit::request;

use crate::support::{Service, of_reservation, of_type, post, requested, wait_for};

#[tokio::test]
async fn an_event_that_comes_again_has_no_second_effect_in_any_content_mode() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let data = requested("r-1", 2);
    for _ in 0..3 {
        assert_eq!(
            tickets
                .send_as("one", "Tickets.Requested", &data)
                .await
                .status,
            202
        );
    }
    let event = json!({"specversion": "1.0", "id": "one", "source": "/tests", "type": "Tickets.Requested", "data": data});
    for (content_type, body) in [
        ("application/cloudevents+json", event.clone()),
        ("application/cloudevents-batch+json", json!([event, event])),
    ] {
        let headers = [("content-type", content_type)];
        let answered = request::post(&tickets.url, &headers, body.to_string()).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    // Another event about the same reservation changes nothing either.
    tickets.accepts("Tickets.Requested", &data).await;
    wait_for(&broker, "Tickets.Held", 1).await;
    let books = tickets.books().await;
    assert_eq!(
        (&books["held"], &books["free"]),
        (&json!(1), &json!(8)),
        "{books}"
    );
    assert_eq!(of_type(&broker.received(), "Tickets.Held").len(), 1);
}

#[tokio::test]
async fn data_that_is_not_what_its_type_needs_is_422_names_the_member_and_can_come_again_repaired()
{
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let mut no_session = requested("r-1", 2);
    no_session
        .as_object_mut()
        .expect("an object")
        .remove("session");
    for (data, named) in [
        (no_session, "session"),
        (
            json!({"session": "s", "reservationId": "r-1", "customer": "A", "tickets": "two"}),
            "two",
        ),
        (requested("r-1", 0), "tickets"),
        (requested("r-1", 7), "tickets"),
        (json!("no object"), "Tickets.Requested"),
    ] {
        let answered = tickets.send_as("one", "Tickets.Requested", &data).await;
        assert_eq!(answered.status, 422, "{data}");
        let reason: Value = serde_json::from_slice(&answered.body).expect("JSON");
        let reason = reason["error"].as_str().expect("a reason");
        assert!(reason.contains(named), "{data}: {reason}");
    }
    assert_eq!(tickets.books().await["free"], 10);
    // Nothing of it was kept, not even that it was there.
    let repaired = requested("r-1", 2);
    assert_eq!(
        tickets
            .send_as("one", "Tickets.Requested", &repaired)
            .await
            .status,
        202
    );
    wait_for(&broker, "Tickets.Held", 1).await;
}

#[tokio::test]
async fn what_is_no_event_is_400_and_a_batch_with_one_bad_event_is_refused_whole() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let answered = request::post(&tickets.url, &[("content-type", "text/plain")], "hello").await;
    assert_eq!(answered.status, 400);

    let event = |id: &str, data: Value| json!({"specversion": "1.0", "id": id, "source": "/tests", "type": "Tickets.Requested", "data": data});
    let batch = json!([
        event("a", requested("r-1", 2)),
        event("b", requested("r-2", 99))
    ]);
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let answered = request::post(&tickets.url, &headers, batch.to_string()).await;
    assert_eq!(answered.status, 422);
    assert_eq!(tickets.books().await["free"], 10);
}

#[tokio::test]
async fn events_of_other_types_and_other_requests_have_their_answers() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &[], Some(&broker.url())).await;
    payments.accepts("Something.Else", &json!({})).await;
    for (method, path, status) in [
        (Method::GET, "/healthz", 200),
        (Method::GET, "/readyz", 200),
        (Method::GET, "/books", 200),
        (Method::GET, "/", 404),
        (Method::POST, "/elsewhere", 404),
    ] {
        let url = format!("{}{path}", payments.url);
        let answered = request::try_send(method.clone(), &url, &[], "").await;
        assert_eq!(
            answered.expect("an answer").status,
            status,
            "{method} {path}"
        );
    }
    let unbound = Service::start("payments", &[], None).await;
    let answered = request::get(&format!("{}/readyz", unbound.url)).await;
    assert_eq!(answered.status, 503);
    assert!(answered.text().contains("K_SINK"));
}

#[tokio::test]
async fn an_event_goes_on_with_the_trace_of_the_one_that_caused_it() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", trace), ("tracestate", "a=b")];
    post(
        &tickets.url,
        "one",
        "Tickets.Requested",
        &headers,
        &requested("r-1", 1),
    )
    .await;
    let held = broker.wait_for_count(1).await.remove(0);
    for name in ["traceparent", "ce-traceparent"] {
        assert_eq!(held.header(name), Some(trace), "{name}");
    }
    assert_eq!(held.header("tracestate"), Some("a=b"));
    assert_eq!(held.header("ce-source"), Some("/sale/tickets"));
    assert_eq!(held.header("ce-subject"), Some("s-r-1"));
}

#[tokio::test]
async fn a_destination_that_is_away_gets_everything_once_it_is_back() {
    let mut broker = Destination::accepting().await;
    broker.stop().await;
    let tickets = Service::start("tickets", &["--stock", "100"], Some(&broker.url())).await;
    for number in 0..40 {
        tickets
            .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
            .await;
    }
    assert_eq!(tickets.books().await["outbox"], 40);
    broker.start_again().await;
    assert_eq!(wait_for(&broker, "Tickets.Held", 40).await.len(), 40);
    let mut ids: Vec<String> = broker
        .received()
        .iter()
        .map(|event| event.id().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn an_event_that_is_refused_or_failed_holds_up_no_other() {
    let broker = Destination::start(|event| {
        Answer::Status(match event.json()["reservationId"].as_str() {
            Some("bad") => 400,
            Some("unlucky") => 500,
            Some("silent") => return Answer::Cut,
            _ => 202,
        })
    })
    .await;
    // One at a time, so that one which keeps its place keeps all others out; and all there before the first.
    let arguments = ["--stock", "500", "--under-way", "1"];
    let mut tickets = Service::start("tickets", &arguments, None).await;
    tickets
        .accepts("Tickets.Requested", &requested("silent", 1))
        .await;
    tickets
        .accepts("Tickets.Requested", &requested("bad", 1))
        .await;
    tickets
        .accepts("Tickets.Requested", &requested("unlucky", 1))
        .await;
    for number in 0..100 {
        tickets
            .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
            .await;
    }
    tickets.kill_and_bind(&broker.url()).await;
    broker
        .wait_for("all others", |received| {
            let others = received.iter().filter(|event| {
                !matches!(
                    event.json()["reservationId"].as_str(),
                    Some("bad" | "unlucky" | "silent")
                )
            });
            (others.count() == 100).then_some(())
        })
        .await;
    let before_bad: Vec<Value> = broker
        .received()
        .iter()
        .map(|event| event.json()["reservationId"].clone())
        .take_while(|id| id != "bad")
        .collect();
    let silent = before_bad.iter().filter(|id| *id == "silent").count();
    // One that is repeated in its place would have had all its eight attempts.
    assert!((1..8).contains(&silent), "{before_bad:?}");
    let of = |id: &str| {
        of_type(&broker.received(), "Tickets.Held")
            .iter()
            .filter(|data| data["reservationId"] == id)
            .count()
    };
    assert_eq!(of("bad"), 1);
    let before = of("unlucky");
    broker.answer(|_| Answer::Status(202));
    broker
        .wait_for("the unlucky one again", |_| {
            (of("unlucky") > before).then_some(())
        })
        .await;
    // What it wrote of the last answer is not there before the next request is answered.
    tickets
        .accepts("Tickets.ReleaseRequested", &of_reservation("r-0"))
        .await;
    let books = tickets.books().await;
    assert_eq!(books["notSent"], 1, "{books}");
}
