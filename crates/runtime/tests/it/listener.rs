use std::time::Duration;

use runtime::body::BodyRate;
use runtime::budget::Budget;
use runtime::listener::{Listener, ServeLimits};
use runtime::shutdown::Shutdown;
use runtime::telemetry::metrics::{Format, Metrics};

use crate::harness::{GRACE, Server, soon, until};

fn quick() -> ServeLimits {
    ServeLimits {
        header_deadline: Duration::from_millis(200),
        ..ServeLimits::default()
    }
}

#[tokio::test]
async fn two_requests_use_one_connection() {
    let server = Server::start(ServeLimits::default()).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.get("/ping").await;
        assert!(client.response().await.ends_with("pong"));
    }
    assert_eq!(server.activity.accepted(), 1);
    until("nothing is in flight", || server.activity.in_flight() == 0).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = Listener::bind_loopback().await.unwrap();
    let error = Listener::bind(first.address()).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()));
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_cut() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.activity.cut_slow_head(), 1);
    until("its seat is free", || server.activity.open() == 0).await;
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_cut() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.send("GET /ping HTTP/1.1\r\nhost: te").await;
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.activity.cut_slow_head(), 1);
}

#[tokio::test]
async fn a_second_head_has_a_deadline_of_its_own_and_idleness_between_them_does_not_count() {
    let server = Server::start(quick()).await;
    let (mut idle, mut slow) = (server.connect().await, server.connect().await);
    for client in [&mut idle, &mut slow] {
        client.get("/ping").await;
        assert!(client.response().await.ends_with("pong"));
    }
    slow.send("GET /ping HTTP/1.1\r\n").await;
    slow.closed().await;
    assert_eq!(server.activity.cut_slow_head(), 1);
    // As old as the one that was cut, and still served.
    idle.get("/ping").await;
    assert!(idle.response().await.ends_with("pong"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_deadline() {
    let server = Server::start(ServeLimits {
        idle_deadline: Duration::from_millis(100),
        ..ServeLimits::default()
    })
    .await;
    let mut client = server.connect().await;
    client.get("/ping").await;
    assert!(client.response().await.ends_with("pong"));
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.activity.closed_idle(), 1);
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused_with_431() {
    let server = Server::start(ServeLimits::default()).await;
    let mut client = server.connect().await;
    let long = "x".repeat(64 * 1024);
    client
        .send(&format!("GET /ping HTTP/1.1\r\nhost: test\r\nx: {long}"))
        .await;
    assert!(client.response().await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn more_than_100_headers_are_refused_with_431() {
    let server = Server::start(ServeLimits::default()).await;
    let mut client = server.connect().await;
    let many = "a: b\r\n".repeat(101);
    client
        .send(&format!("GET /ping HTTP/1.1\r\n{many}\r\n"))
        .await;
    assert!(client.response().await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_slow_body_is_ended_while_others_are_served() {
    let server = Server::start(ServeLimits {
        body_rate: BodyRate {
            bytes_per_second: 1024,
            grace: Duration::from_millis(150),
        },
        ..ServeLimits::default()
    })
    .await;
    let mut slow = server.connect().await;
    slow.announce(100).await;
    slow.send("a few bytes").await;
    until("the slow one is read", || {
        server.budget.available() == 1024 * 1024 - 11
    })
    .await;

    let mut quick = server.connect().await;
    quick.announce(4).await;
    quick.send("body").await;
    assert!(quick.response().await.ends_with("\r\n\r\n4"));

    let answer = slow.response().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("11 bytes so far"), "{answer}");
    slow.closed().await;
    until("its bytes are given back", || {
        server.budget.available() == 1024 * 1024
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_seat_its_handler_and_its_bytes() {
    let server = Server::start(ServeLimits::default()).await;
    let mut reading = server.connect().await;
    reading.announce(100).await;
    reading.send("a few bytes").await;
    let mut held = server.connect().await;
    held.get("/hold").await;
    until("both are in hand", || server.activity.in_flight() == 2).await;
    until("bytes are taken", || {
        server.budget.available() < 1024 * 1024
    })
    .await;

    drop((reading, held));

    until("both handlers are dropped", || {
        server.activity.in_flight() == 0
    })
    .await;
    until("both seats are free", || server.activity.open() == 0).await;
    assert_eq!(server.budget.available(), 1024 * 1024);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_response_is_cut() {
    let server = Server::start(ServeLimits {
        stall_deadline: Duration::from_millis(200),
        ..ServeLimits::default()
    })
    .await;
    let mut client = server.connect().await;
    client.get("/large").await;
    until("it is cut", || server.activity.cut_stalled() == 1).await;
    assert!(client.closed().await.len() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_own_connection_only() {
    let server = Server::start(ServeLimits::default()).await;
    let (mut bystander, mut unlucky) = (server.connect().await, server.connect().await);
    bystander.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;
    unlucky.get("/panic").await;
    assert_eq!(unlucky.closed().await, b"");
    server.hold.add_permits(1);
    assert!(bystander.response().await.ends_with("released"));
}

#[tokio::test]
async fn bodies_share_one_budget_and_who_finds_no_room_is_told_to_come_again() {
    let budget = Budget::new(1000, Duration::from_millis(20));
    let shutdown = Shutdown::new(GRACE);
    let server = Server::start_with(ServeLimits::default(), budget, shutdown).await;
    let mut first = server.connect().await;
    first.announce(601).await;
    first.send(&"x".repeat(600)).await;
    until("its bytes are taken", || server.budget.available() == 400).await;

    let mut second = server.connect().await;
    second.announce(600).await;
    second.send(&"x".repeat(600)).await;
    let answer = second.response().await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("try again"), "{answer}");

    first.send("x").await;
    assert!(first.response().await.ends_with("\r\n\r\n601"));
    until("all is given back", || server.budget.available() == 1000).await;
    second.announce(600).await;
    second.send(&"x".repeat(600)).await;
    assert!(second.response().await.ends_with("\r\n\r\n600"));
}

#[tokio::test]
async fn the_listener_counts_what_it_does() {
    let server = Server::start(quick()).await;
    let metrics = Metrics::new("a-program", "1").unwrap();
    server.activity.observe(&metrics.meter("listener"));
    let mut held = server.connect().await;
    held.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;
    server.connect().await.closed().await;
    until("its seat is free", || server.activity.open() == 1).await;
    let text = metrics.render(Format::Text).unwrap();
    for line in [
        "listener_connections_total 2",
        "listener_connections_open 1",
        "listener_requests_in_flight 1",
        r#"listener_connections_closed_total{reason="slow_head"} 1"#,
        r#"listener_connections_closed_total{reason="evicted"} 0"#,
    ] {
        assert!(text.lines().any(|is| is == line), "no `{line}` in\n{text}");
    }
}

// -- when all seats are taken

fn one_seat() -> ServeLimits {
    ServeLimits {
        max_connections: 1,
        ..ServeLimits::default()
    }
}

#[tokio::test]
async fn who_comes_when_all_seats_are_busy_waits_for_the_first_to_end() {
    let server = Server::start(one_seat()).await;
    let mut first = server.connect().await;
    first.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;

    let mut second = server.connect().await;
    second.get("/ping").await;
    let mut third = server.connect().await;
    third.get("/ping").await;
    assert_eq!(server.activity.open(), 1);

    server.hold.add_permits(1);
    assert!(first.response().await.ends_with("released"));
    // The first falls idle and has to leave; so does the second for the third.
    assert!(second.response().await.ends_with("pong"));
    assert!(third.response().await.ends_with("pong"));
    assert_eq!(first.closed().await, b"");
    assert_eq!(server.activity.evicted(), 2);
    assert_eq!(server.activity.open(), 1);
}

#[tokio::test]
async fn the_connection_idle_for_longest_makes_room() {
    let server = Server::start(ServeLimits {
        max_connections: 2,
        ..ServeLimits::default()
    })
    .await;
    let (mut older, mut newer) = (server.connect().await, server.connect().await);
    for client in [&mut older, &mut newer] {
        client.get("/ping").await;
        client.response().await;
    }
    let mut third = server.connect().await;
    third.get("/ping").await;
    assert!(third.response().await.ends_with("pong"));
    assert_eq!(older.closed().await, b"");
    newer.get("/ping").await;
    assert!(newer.response().await.ends_with("pong"));
    assert_eq!(server.activity.evicted(), 1);
}

#[tokio::test]
async fn a_slow_sender_loses_its_place_to_who_waits() {
    let server = Server::start(ServeLimits {
        max_connections: 1,
        ..quick()
    })
    .await;
    let mut slow = server.connect().await;
    slow.send("GET /ping").await;
    until("it has the seat", || server.activity.open() == 1).await;
    let mut waiting = server.connect().await;
    waiting.get("/ping").await;
    assert!(waiting.response().await.ends_with("pong"));
    assert_eq!(slow.closed().await, b"");
}

// -- HTTP/2 by prior knowledge

type H2 = hyper::client::conn::http2::SendRequest<axum::body::Body>;

async fn http2(server: &Server) -> H2 {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    sender
}

fn request(path: &str) -> http::Request<axum::body::Body> {
    http::Request::get(format!("http://test{path}"))
        .body(axum::body::Body::empty())
        .unwrap()
}

#[tokio::test]
async fn http2_without_tls_is_served_on_the_same_port_and_may_idle_past_the_header_deadline() {
    let server = Server::start(quick()).await;
    let mut sender = http2(&server).await;
    let response = soon(sender.send_request(request("/ping"))).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    drop(response);
    // A silent HTTP/1 connection that came after it is cut; this one is not.
    server.connect().await.closed().await;
    let response = soon(sender.send_request(request("/ping"))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(server.activity.cut_slow_head(), 1);
}

#[tokio::test]
async fn half_a_preface_of_http2_is_a_slow_head() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n").await;
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.activity.cut_slow_head(), 1);
}

#[tokio::test]
async fn an_http2_peer_that_does_not_answer_the_farewell_is_cut() {
    let server = Server::start(ServeLimits {
        idle_deadline: Duration::from_millis(100),
        ..quick()
    })
    .await;
    let mut client = server.connect().await;
    // The preface with its settings, and silence ever after.
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.send("\0\0\0\x04\0\0\0\0\0").await;
    let heard = client.closed().await;
    // GOAWAY (type 7, RFC 9113, section 6.8) came before the end.
    assert!(
        heard.windows(4).any(|frame| frame == [0, 8, 7, 0]),
        "{heard:?}"
    );
    assert_eq!(server.activity.closed_idle(), 1);
    until("its seat is free", || server.activity.open() == 0).await;
}

#[tokio::test]
async fn an_http2_request_that_is_reset_drops_its_handler() {
    let server = Server::start(ServeLimits::default()).await;
    let mut sender = http2(&server).await;
    let held = tokio::spawn(sender.send_request(request("/hold")));
    until("it is held", || server.activity.in_flight() == 1).await;
    held.abort();
    until("its handler is dropped", || {
        server.activity.in_flight() == 0
    })
    .await;
    let response = soon(sender.send_request(request("/ping"))).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn the_grace_cuts_http2_requests_and_drops_their_handlers() {
    let server = Server::start(ServeLimits::default()).await;
    let mut sender = http2(&server).await;
    let held = tokio::spawn(sender.send_request(request("/hold")));
    until("it is held", || server.activity.in_flight() == 1).await;
    server.shutdown.request();
    server.shutdown.abandon();
    let served = soon(server.serving).await.unwrap();
    assert_eq!((served.cut_connections, served.cut_requests), (1, 1));
    assert_eq!(server.activity.in_flight(), 0);
    assert!(soon(held).await.unwrap().is_err());
}
