use std::time::Duration;

use runtime::listener::{ServeLimits, Served};
use runtime::shutdown::{CutOff, Shutdown, Signal, Signals};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::harness::{Server, soon, until};

#[tokio::test]
async fn a_request_in_flight_is_finished_and_new_connections_are_refused() {
    let server = Server::start(ServeLimits::default()).await;
    let (mut held, mut idle) = (server.connect().await, server.connect().await);
    idle.get("/ping").await;
    idle.response().await;
    held.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;

    server.shutdown.request();

    assert_eq!(idle.closed().await, b"");
    // Not at the first try: where another test is starting a program, that one holds a copy of the
    // socket for a moment.
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    server.hold.add_permits(1);
    let answer = held.response().await;
    assert!(answer.ends_with("released"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(soon(server.serving).await.unwrap(), Served::default());
}

#[tokio::test]
async fn what_is_in_flight_when_the_grace_expires_is_cut_and_counted() {
    let shutdown = Shutdown::new(Duration::from_millis(50));
    let budget = runtime::budget::Budget::new(1024, Duration::ZERO);
    let server = Server::start_with(ServeLimits::default(), budget, shutdown).await;
    let mut held = server.connect().await;
    held.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;
    server.shutdown.request();
    assert_eq!(held.closed().await, b"");
    assert_eq!(
        soon(server.serving).await.unwrap(),
        Served {
            cut_connections: 1,
            cut_requests: 1
        }
    );
    assert_eq!(server.activity.in_flight(), 0);
    assert_eq!(server.activity.open(), 0);
}

#[tokio::test]
async fn dropping_the_server_closes_its_connections() {
    let server = Server::start(ServeLimits::default()).await;
    let mut client = server.connect().await;
    client.get("/hold").await;
    until("it is held", || server.activity.in_flight() == 1).await;
    server.serving.abort();
    assert_eq!(client.closed().await, b"");
    until("its handler is dropped", || {
        server.activity.in_flight() == 0
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_first_signal_starts_the_grace_and_the_second_ends_it() {
    let shutdown = Shutdown::new(Duration::from_secs(30));
    let (send, signals) = mpsc::channel(2);
    let driven = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { Signals::from_channel(signals).drive(&shutdown).await }
    });
    assert_eq!(shutdown.remaining(), None);
    assert!(!shutdown.is_requested());

    send.send(Signal::Terminate).await.unwrap();
    shutdown.requested().await;
    assert_eq!(shutdown.remaining(), Some(Duration::from_secs(30)));
    assert!(!driven.is_finished());

    send.send(Signal::Interrupt).await.unwrap();
    shutdown.expired().await;
    assert_eq!(shutdown.remaining(), Some(Duration::ZERO));
    assert_eq!(driven.await.unwrap(), Signal::Interrupt);
}

#[test]
fn exit_codes_are_those_that_shells_report() {
    assert_eq!(Signal::Terminate.exit_code(), 143);
    assert_eq!(Signal::Interrupt.exit_code(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_does_not_prolong_the_grace() {
    let shutdown = Shutdown::new(Duration::from_secs(30));
    shutdown.request();
    tokio::time::advance(Duration::from_secs(20)).await;
    shutdown.request();
    assert_eq!(shutdown.remaining(), Some(Duration::from_secs(10)));
    let before = tokio::time::Instant::now();
    shutdown.expired().await;
    // Timers fire on the millisecond after their deadline.
    assert!(before.elapsed() < Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_of_the_grace_is_left_when_the_work_is_cut() {
    let grace = Duration::from_secs(30);
    let shutdown = Shutdown::new(grace);
    shutdown.reserve(Duration::from_secs(6));
    let (held, dropped) = oneshot::channel::<()>();
    shutdown.spawn(async move {
        let _held = held;
        std::future::pending().await
    });
    let requested = tokio::time::Instant::now();
    shutdown.request();
    assert_eq!(shutdown.remaining(), Some(Duration::from_secs(24)));
    assert_eq!(shutdown.drained().await, Err(CutOff { tasks: 1 }));
    assert!(dropped.await.is_err(), "the task was dropped");
    assert_eq!(shutdown.remaining(), Some(Duration::ZERO));
    // Timers fire on the millisecond after their deadline; on a paused clock nothing else takes time.
    let left = grace - requested.elapsed();
    assert!(left > Duration::from_secs(5), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_follows_the_request_and_does_not_reach_back() {
    let shutdown = Shutdown::new(Duration::from_secs(1));
    shutdown.token().cancel();
    assert!(!shutdown.is_requested());
    let token = shutdown.token();
    shutdown.request();
    assert!(token.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn background_tasks_are_waited_for_until_the_grace_expires() {
    let shutdown = Shutdown::new(Duration::from_secs(30));
    let (end, ended) = oneshot::channel::<()>();
    shutdown.spawn({
        let shutdown = shutdown.clone();
        async move {
            shutdown.requested().await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            let _ = end.send(());
        }
    });
    shutdown.request();
    assert_eq!(shutdown.drained().await, Ok(()));
    assert!(ended.await.is_ok());

    let shutdown = Shutdown::new(Duration::from_secs(30));
    let (held, dropped) = oneshot::channel::<()>();
    shutdown.spawn(async move {
        let _held = held;
        std::future::pending().await
    });
    shutdown.request();
    let error = shutdown.drained().await.unwrap_err();
    assert_eq!(error, CutOff { tasks: 1 });
    assert!(error.to_string().contains("1 background task"));
    assert!(dropped.await.is_err(), "the task was dropped");
}

#[tokio::test]
async fn a_real_sigterm_requests_the_shutdown() {
    let shutdown = Shutdown::new(Duration::from_secs(30));
    let signals = Signals::install().unwrap();
    let driven = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { signals.drive(&shutdown).await }
    });
    let own_id = std::process::id().to_string();
    let kill = || {
        let status = std::process::Command::new("kill")
            .args(["-TERM", &own_id])
            .status();
        assert!(status.unwrap().success());
    };
    kill();
    soon(shutdown.requested()).await;
    kill();
    assert_eq!(soon(driven).await.unwrap(), Signal::Terminate);
}
