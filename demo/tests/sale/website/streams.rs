use serde_json::json;

use super::browser::Browser;
use super::sessions::of_session;
use crate::support::{Service, post};

#[tokio::test]
async fn a_browser_sees_its_state_and_events_as_they_come_in_all_its_tabs() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::open(&website.url).await;
    let mut tabs = [browser.stream(None).await, browser.stream(None).await];
    for tab in &mut tabs {
        tab.state(|state| state["step"] == "visiting").await;
    }
    let session = browser.acts("join", &json!({"customer": "Ada"})).await["session"].clone();
    for tab in &mut tabs {
        tab.state(|state| state["step"] == "joining").await;
    }
    let headers = [("ce-subject", "s-1"), ("ce-time", "2026-11-27T12:00:00.5Z")];
    let data = json!({"session": session, "number": 7});
    post(
        &website.url,
        "one",
        "Tickets.CustomerQueued",
        &headers,
        &data,
    )
    .await;
    for tab in &mut tabs {
        let state = tab.state(|state| state["step"] == "waiting").await;
        assert_eq!((&state["number"], &state["ahead"]), (&json!(7), &json!(6)));
        let event = tab.events(1).await.remove(0);
        assert_eq!(event.id, Some(event.data["number"].to_string()));
        let expected = json!({
            "number": event.data["number"], "id": "one", "source": "/sale/queue", "type": "Tickets.CustomerQueued",
            "subject": "s-1", "time": "2026-11-27T12:00:00.500Z", "traceparent": null, "data": data,
        });
        assert_eq!(event.data, expected);
    }
    // A reload: state first, and what came before.
    let mut reloaded = browser.stream(None).await;
    assert_eq!(reloaded.next().await.expect("a message").event, "");
    assert_eq!(reloaded.next().await.expect("a message").event, "state");
    assert_eq!(reloaded.events(1).await[0].data["id"], "one");
}

#[tokio::test]
async fn a_customer_sees_their_own_events_only() {
    let website = Service::start("website", &[], None).await;
    let (ada, bob) = (
        Browser::joined(&website.url).await,
        Browser::joined(&website.url).await,
    );
    let (of_ada, of_bob) = (ada.session().await, bob.session().await);
    assert_ne!(of_ada, of_bob);
    let mut seen_by_bob = bob.stream(None).await;
    for number in 0..20 {
        let data = json!({"session": of_ada, "secret": number});
        website.accepts("Some.Event", &data).await;
    }
    // A subject does not make it bob's.
    let data = json!({"session": of_ada});
    post(
        &website.url,
        "x",
        "Some.Event",
        &[("ce-subject", &of_bob)],
        &data,
    )
    .await;
    // Of data without a session it does.
    post(
        &website.url,
        "y",
        "Some.Event",
        &[("ce-subject", &of_bob)],
        &json!({"of": "bob"}),
    )
    .await;
    website
        .accepts("Tickets.CustomerAdmitted", &of_session(&of_bob))
        .await;
    let seen = seen_by_bob.events(2).await;
    assert_eq!(seen[0].data["data"], json!({"of": "bob"}));
    assert_eq!(seen[1].data["type"], "Tickets.CustomerAdmitted");
    assert_eq!(ada.me().await["step"], "joining");
    assert_eq!(ada.stream(None).await.events(21).await.len(), 21);
    // Whoever knows the session has no cookie by it.
    let cookie = format!("customer={of_bob}");
    let url = format!("{}/api/me", website.url);
    let answered =
        testkit::request::try_send(http::Method::GET, &url, &[("cookie", &cookie)], "").await;
    assert_eq!(answered.expect("an answer").status, 401);
}

#[tokio::test]
async fn a_browser_that_comes_back_gets_what_came_after_the_last_that_it_saw() {
    let mut website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let send = |website: &Service, number: u32| {
        let url = website.url.clone();
        let data = json!({"session": session, "what": number});
        async move {
            let answered = post(&url, &format!("e-{number}"), "Some.Event", &[], &data).await;
            assert_eq!(answered.status, 202);
        }
    };
    for number in 0..5 {
        send(&website, number).await;
    }
    let seen = browser.stream(None).await.events(3).await;
    let last = seen[2].id.clone().expect("a number");
    website.kill_and_start_again().await;
    let browser = browser.at(&website.url);
    let mut back = browser.stream(Some(&last)).await;
    let missed = back.events(2).await;
    assert_eq!(
        missed.iter().map(|it| &it.data["id"]).collect::<Vec<_>>(),
        ["e-3", "e-4"]
    );
    send(&website, 5).await;
    assert_eq!(back.events(1).await[0].data["id"], "e-5");
    // Numbers that make no sense are as good as none, such as those of a file that was lost.
    for last in ["999999999", "-5", "x", "99999999999999999999", ""] {
        let all = browser.stream(Some(last)).await.events(6).await;
        assert_eq!(all[0].data["id"], "e-0", "{last}");
    }
}

#[tokio::test]
async fn the_last_two_hundred_events_are_kept_and_data_that_cannot_be_shown_is_null() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    for number in 0..260 {
        let data = json!({"session": session, "text": "x".repeat(1_000)});
        website
            .send_as(&format!("e-{number}"), "Some.Event", &data)
            .await;
    }
    let mut stream = browser.stream(None).await;
    let seen = stream.events(200).await;
    assert_eq!(
        (&seen[0].data["id"], &seen[199].data["id"]),
        (&json!("e-60"), &json!("e-259"))
    );
    assert_eq!(website.books().await["events"], 200);

    let subject = ("ce-subject", session.as_str());
    let large = json!({"session": session, "text": "x".repeat(9_000)});
    post(&website.url, "large", "Some.Event", &[], &large).await;
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-source", "/tests"),
        ("ce-type", "Some.Event"),
        ("ce-id", "text"),
        ("content-type", "text/plain"),
        subject,
    ];
    testkit::request::post(&website.url, &headers, "no\njson\n\ndata: x").await;
    for (event, id) in stream.events(2).await.into_iter().zip(["large", "text"]) {
        assert_eq!(
            (&event.data["id"], &event.data["data"]),
            (&json!(id), &json!(null))
        );
    }
    // Whitespace in JSON does not break a message.
    let headers = [
        headers[0],
        headers[1],
        headers[2],
        ("ce-id", "json"),
        ("content-type", "application/json"),
    ];
    let data = format!("{{\n\n  \"session\":\r\n\"{session}\"\n}}");
    testkit::request::post(&website.url, &headers, data).await;
    assert_eq!(
        stream.events(1).await[0].data["data"],
        json!({"session": session})
    );
}

#[tokio::test]
async fn a_new_sale_goes_on_in_the_streams_that_are_open() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let first = browser.session().await;
    let mut stream = browser.stream(None).await;
    website
        .accepts("Some.Event", &json!({"session": first}))
        .await;
    stream.events(1).await;
    browser.acts("leave", &json!({})).await;
    stream.state(|state| state["outcome"] == "left").await;
    let second = browser.acts("again", &json!({})).await["session"].clone();
    stream.state(|state| state["session"] == second).await;
    website
        .accepts("Of.First", &json!({"session": first}))
        .await;
    website
        .accepts("Of.Second", &json!({"session": second}))
        .await;
    assert_eq!(stream.events(1).await[0].data["type"], "Of.Second");
    assert_eq!(
        browser.stream(None).await.events(1).await[0].data["type"],
        "Of.Second"
    );
}

#[tokio::test]
async fn a_browser_has_eight_streams_at_most_and_none_is_taken_from_it() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::open(&website.url).await;
    let mut tabs = Vec::new();
    for _ in 0..8 {
        tabs.push(browser.stream(None).await);
    }
    let refused = browser.try_stream(None).await.err().expect("no stream");
    assert_eq!(refused, 429);
    Browser::open(&website.url)
        .await
        .stream(None)
        .await
        .state(|_| true)
        .await;
    browser.acts("join", &json!({"customer": "Ada"})).await;
    for tab in &mut tabs {
        tab.state(|state| state["step"] == "joining").await;
    }
}

#[tokio::test]
async fn sigterm_ends_open_streams_at_once_and_the_program_with_0() {
    let arguments = ["--grace-seconds", "86400"];
    let mut website = Service::start("website", &arguments, None).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let browser = Browser::open(&website.url).await;
        let mut stream = browser.stream(None).await;
        stream.next_of("state").await;
        streams.push(stream);
    }
    website.program.terminate();
    for stream in &mut streams {
        stream.ends().await;
    }
    let status = website.program.ended().await;
    assert_eq!(status.code(), Some(0), "{:?}", website.program.output());
}
