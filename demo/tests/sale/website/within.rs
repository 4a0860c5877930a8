use std::time::Duration;

use demo::service::settings::Settings;
use demo::service::{self, Running};
use demo::website::{Bounds, Limits, Pace, Website, WebsiteArguments};
use runtime::listener::ServeLimits;
use runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use super::browser::{Browser, Message};
use super::sessions::of_session;
use crate::support::post;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A website in this process.
struct Within {
    url: String,
    _running: Running,
    _data: TempDir,
}

async fn website(limits: Limits, serve: ServeLimits) -> Within {
    let data = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings {
        address: "127.0.0.1:0".parse().expect("an address"),
        events: None,
        data: data.path().to_owned(),
        binding: None,
        under_way: 1,
        remembered: 1_000,
        limits: serve,
    };
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let website = Website::new(limits);
    let store = service::open(&website, &settings).expect("a store");
    let site = website
        .site(
            &WebsiteArguments::default(),
            store.clone(),
            shutdown.clone(),
        )
        .await
        .expect("a site");
    let running = service::start(website, site, store, settings, shutdown)
        .await
        .expect("a website");
    Within {
        url: format!("http://{}", running.address()),
        _running: running,
        _data: data,
    }
}

fn paced(heartbeat: Duration, lasts: Duration) -> Limits {
    Limits {
        pace: Pace { heartbeat, lasts },
        ..Limits::default()
    }
}

fn bounded(bounds: Bounds) -> Limits {
    Limits {
        bounds,
        ..Limits::default()
    }
}

impl Within {
    async fn books(&self) -> Value {
        let answered = request::get(&format!("{}/books", self.url)).await;
        serde_json::from_slice(&answered.body).expect("JSON")
    }

    /// Waits until it counts so many of something.
    async fn has(&self, what: &str, count: usize) {
        let waiting = async {
            while self.books().await[what] != count {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        waited.unwrap_or_else(|_| panic!("there are never {count} {what}"));
    }
}

#[tokio::test]
async fn streams_are_bounded_in_all_and_a_place_is_free_again_when_its_browser_goes() {
    let limits = Limits {
        streams: 2,
        ..Limits::default()
    };
    let website = website(limits, ServeLimits::default()).await;
    let first = Browser::open(&website.url).await;
    let mut one = first.stream(None).await;
    let other = Browser::open(&website.url).await.stream(None).await;
    let third = Browser::open(&website.url).await;
    let refused = third.get("/api/stream").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    one.state(|state| state["step"] == "visiting").await;
    drop(other);
    website.has("streams", 1).await;
    third.stream(None).await.state(|_| true).await;
}

#[tokio::test]
async fn a_stream_with_nothing_to_say_says_that_it_is_there() {
    let website = website(
        paced(Duration::from_millis(20), HOUR),
        ServeLimits::default(),
    )
    .await;
    let mut stream = Browser::open(&website.url).await.stream(None).await;
    stream.next_of("state").await;
    for _ in 0..3 {
        assert_eq!(stream.next().await, Some(Message::default()));
    }
}

#[tokio::test]
async fn a_stream_ends_after_its_time_and_frees_its_place() {
    let website = website(
        paced(HOUR, Duration::from_millis(20)),
        ServeLimits::default(),
    )
    .await;
    let mut stream = Browser::open(&website.url).await.stream(None).await;
    stream.ends().await;
    website.has("streams", 0).await;
}

#[tokio::test]
async fn a_browser_that_takes_nothing_is_dropped_while_others_see_everything() {
    let serve = ServeLimits {
        stall_deadline: Duration::from_millis(300),
        ..ServeLimits::default()
    };
    let website = website(Limits::default(), serve).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let mut reading = browser.stream(None).await;
    // Another tab, which asks and never reads.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let address = website.url.trim_start_matches("http://");
    let mut stalled = socket
        .connect(address.parse().expect("an address"))
        .await
        .expect("a connection");
    let request = format!(
        "GET /api/stream HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\n\r\n",
        browser.cookie()
    );
    stalled.write_all(request.as_bytes()).await.expect("sent");
    website.has("streams", 2).await;

    let text = "x".repeat(8_000);
    let mut sent = 0;
    while website.books().await["streams"] == 2 {
        assert!(sent < 20_000, "it is never dropped");
        let data = json!({"session": session, "text": text});
        let id = format!("e-{sent}");
        assert_eq!(
            post(&website.url, &id, "Some.Event", &[], &data)
                .await
                .status,
            202
        );
        let event = reading.next_of("event").await;
        assert_eq!(event.data["id"], id);
        sent += 1;
    }
    assert_eq!(website.books().await["streams"], 1);
    // The other tab comes back and sees what it missed.
    let last = browser.stream(None).await.events(1).await.remove(0);
    assert_eq!(last.data["type"], "Some.Event");
}

#[tokio::test]
async fn where_as_many_customers_are_as_can_be_kept_nobody_new_may_join() {
    let bounds = Bounds {
        sessions: 2,
        ..Bounds::default()
    };
    let website = website(bounded(bounds), ServeLimits::default()).await;
    let first = Browser::joined(&website.url).await;
    Browser::joined(&website.url).await;
    let third = Browser::open(&website.url).await;
    let join = json!({"customer": "Ada"});
    let refused = third.act("join", &join).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(third.me().await["step"], "visiting");
    // Who is in goes on.
    first.acts("join", &join).await;
    first.acts("leave", &json!({})).await;
    assert_eq!(first.act("again", &json!({})).await.status, 503);
}

#[tokio::test]
async fn the_oldest_events_make_room_for_others() {
    let bounds = Bounds {
        events: 5,
        ..Bounds::default()
    };
    let website = website(bounded(bounds), ServeLimits::default()).await;
    let browsers = [
        Browser::joined(&website.url).await,
        Browser::joined(&website.url).await,
    ];
    for number in 0..10 {
        let data = json!({"session": browsers[number % 2].session().await});
        post(&website.url, &number.to_string(), "Some.Event", &[], &data).await;
    }
    website.has("events", 5).await;
    let seen = browsers[1].stream(None).await.events(3).await;
    let ids: Vec<_> = seen.iter().map(|event| &event.data["id"]).collect();
    assert_eq!(ids, ["5", "7", "9"]);
}

#[tokio::test]
async fn sessions_that_nothing_touches_go_with_their_events() {
    let bounds = Bounds {
        untouched: Duration::from_millis(50),
        ..Bounds::default()
    };
    let website = website(bounded(bounds), ServeLimits::default()).await;
    let browser = Browser::joined(&website.url).await;
    let data = json!({"session": browser.session().await});
    post(&website.url, "one", "Some.Event", &[], &data).await;
    website.has("sessions", 0).await;
    website.has("events", 0).await;
    // There is room again.
    browser.acts("join", &json!({"customer": "Ada"})).await;
}

#[tokio::test]
async fn who_is_never_told_what_became_of_the_seats_may_begin_again_after_a_long_silence() {
    for (unsettled, status) in [(HOUR, 409), (Duration::ZERO, 202)] {
        let bounds = Bounds {
            unsettled,
            ..Bounds::default()
        };
        let website = website(bounded(bounds), ServeLimits::default()).await;
        let browser = Browser::joined(&website.url).await;
        let admitted = of_session(&browser.session().await);
        post(
            &website.url,
            "one",
            "Tickets.CustomerAdmitted",
            &[],
            &admitted,
        )
        .await;
        browser.acts("request", &json!({"tickets": 2})).await;
        browser.acts("leave", &json!({})).await;
        let answered = browser.act("again", &json!({})).await;
        assert_eq!(answered.status, status, "{}", answered.text());
    }
}
