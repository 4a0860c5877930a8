use std::time::Duration;

use eventing::{Attempt, NotReached, Retry, Sender, SenderSettings, retry};
use http::{HeaderValue, Method, Response, StatusCode, Version};
use testkit::destination::{Answer, Destination};

use crate::harness::{PATIENCE, message, response, send, sender, soon, uri};

#[tokio::test]
async fn an_event_arrives_as_it_was_written_and_names_its_sender() {
    let destination = Destination::accepting().await;
    let to = uri(&format!("{}shop/default?tenant=a", destination.url()));
    let mut sent = message("event-1");
    sent.headers
        .insert("traceparent", HeaderValue::from_static("00-1-2-03"));
    let attempt = sender().send(&to, sent, PATIENCE).await;
    assert!(matches!(
        attempt,
        Attempt::Accepted {
            status: StatusCode::ACCEPTED,
            whole: true,
            ..
        }
    ));

    let received = destination.received();
    let [request] = received.as_slice() else {
        panic!("one request, not {received:?}");
    };
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.path, "/shop/default?tenant=a");
    assert_eq!(request.version, Version::HTTP_11);
    assert_eq!(request.body, r#"{"seat":7}"#);
    for (name, value) in [
        ("host", destination.address().to_string().as_str()),
        ("ce-id", "event-1"),
        ("ce-type", "Seat.Reserved"),
        ("content-type", "application/json"),
        ("content-length", "10"),
        ("traceparent", "00-1-2-03"),
        (
            "user-agent",
            concat!("eventing-zeebe/", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_user_agent_of_the_messages_own_is_kept() {
    let destination = Destination::accepting().await;
    let mut sent = message("1");
    sent.headers
        .insert("user-agent", HeaderValue::from_static("demo-broker"));
    sender()
        .send(&uri(&destination.url()), sent, PATIENCE)
        .await;
    assert_eq!(
        destination.received()[0].header("user-agent"),
        Some("demo-broker")
    );
}

#[tokio::test]
async fn any_2xx_accepts_and_any_other_status_is_an_answer() {
    let destination = Destination::accepting().await;
    let sender = sender();
    for status in [200, 201, 202, 203, 204, 206, 299] {
        destination.answer(move |_| Answer::Status(status));
        match send(&sender, &destination).await {
            Attempt::Accepted { status: came, .. } => assert_eq!(came, status),
            other => panic!("{status}: {other:?}"),
        }
    }
    for status in [300, 304, 400, 401, 404, 429, 500, 503, 599, 600, 999] {
        destination.answer(move |_| Answer::Status(status));
        match send(&sender, &destination).await {
            Attempt::Answered { status: came, .. } => assert_eq!(came, status),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Destination::accepting().await;
    let location = elsewhere.url();
    let destination = Destination::accepting().await;
    let sender = sender();
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        destination.answer(move |_| {
            Answer::Response(
                Response::builder()
                    .status(status)
                    .header("location", &location)
                    .body("over there".into())
                    .unwrap(),
            )
        });
        let attempt = send(&sender, &destination).await;
        assert!(matches!(&attempt, Attempt::Answered { status: came, .. } if *came == status));
        assert!(matches!(retry(&attempt), Retry::GiveUp(_)));
    }
    assert_eq!(destination.received().len(), 5);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn retry_after_is_handed_on() {
    let destination = Destination::start(|_| {
        Answer::Response(
            Response::builder()
                .status(429)
                .header("retry-after", "17")
                .body("later".into())
                .unwrap(),
        )
    })
    .await;
    match send(&sender(), &destination).await {
        Attempt::Answered { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_secs(17)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_connection_serves_one_event_after_the_other() {
    let destination = Destination::start(|request| {
        let status = if request.id() == "refused" { 400 } else { 200 };
        Answer::Response(response(status, "with a body that is read"))
    })
    .await;
    let sender = sender();
    for id in ["1", "refused", "3"] {
        // A clone shares the connection too.
        sender
            .clone()
            .send(&uri(&destination.url()), message(id), PATIENCE)
            .await;
    }
    assert_eq!(destination.received().len(), 3);
    assert_eq!(destination.connections(), 1);
}

#[tokio::test]
async fn no_more_idle_connections_are_kept_than_asked_for() {
    let destination = Destination::accepting().await;
    let sender = Sender::new(&SenderSettings {
        max_idle_connections: 0,
        ..SenderSettings::default()
    })
    .unwrap();
    for _ in 0..3 {
        send(&sender, &destination).await;
    }
    assert_eq!(destination.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_the_recipient_closed_while_idle_is_replaced() {
    let mut destination = Destination::accepting().await;
    let sender = sender();
    send(&sender, &destination).await;
    destination.stop().await;
    destination.start_again().await;
    let attempt = send(&sender, &destination).await;
    assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
    assert_eq!(destination.received().len(), 2);
    assert_eq!(destination.connections(), 2);
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_reported_and_not_sent_again_in_secret() {
    let destination = Destination::accepting().await;
    let sender = sender();
    send(&sender, &destination).await;
    for how in [Answer::Cut, Answer::Status(202), Answer::Cut] {
        let cut = matches!(how, Answer::Cut);
        let before = destination.received().len();
        destination.answer(move |_| how.clone());
        let attempt = soon(send(&sender, &destination)).await;
        let lost = matches!(
            attempt,
            Attempt::NotReached {
                why: NotReached::ConnectionLost,
                ..
            }
        );
        assert_eq!(lost, cut, "{attempt:?}");
        assert_eq!(destination.received().len(), before + 1);
    }
}

#[tokio::test]
async fn giving_up_on_an_attempt_cuts_its_connection_and_no_other() {
    let destination = Destination::start(|request| match request.id() {
        "held" => Answer::Never,
        _ => Answer::Status(202),
    })
    .await;
    let sender = sender();
    let to = uri(&destination.url());
    let held = {
        let (sender, to) = (sender.clone(), to.clone());
        tokio::spawn(async move { sender.send(&to, message("held"), PATIENCE).await })
    };
    destination.wait_for_count(1).await;
    sender.send(&to, message("2"), PATIENCE).await;
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    sender.send(&to, message("3"), PATIENCE).await;
    let over: Vec<_> = destination
        .received()
        .iter()
        .map(|it| it.connection)
        .collect();
    assert_eq!(over, [0, 1, 1]);
}
