use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use testkit::destination::Destination;
use testkit::program::Program;
use testkit::request;

use super::browser::Browser;
use crate::support::Service;

#[tokio::test]
async fn the_page_gives_a_cookie_once_and_all_its_files_are_here_and_known_again() {
    let website = Service::start("website", &[], None).await;
    let page = request::get(&format!("{}/", website.url)).await;
    let cookie = page.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(
        cookie.split(';').next().expect("a pair").len(),
        "customer=".len() + 64
    );
    assert_ne!(
        request::get(&format!("{}/", website.url))
            .await
            .header("set-cookie"),
        Some(cookie.as_str())
    );
    let browser = Browser::open(&website.url).await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/diagram.svg", "image/svg+xml"),
    ] {
        let file = browser.get(path).await;
        assert_eq!(
            (file.status.as_u16(), file.header("content-type")),
            (200, Some(content_type))
        );
        assert_eq!(file.header("set-cookie"), None, "{path}");
        assert_eq!(file.header("cache-control"), Some("private, no-cache"));
        assert!(!file.body.is_empty(), "{path}");
        let etag = file.header("etag").expect("a tag");
        let headers = [("if-none-match", etag), ("cookie", browser.cookie())];
        let url = format!("{}{path}", website.url);
        let again = request::try_send(Method::GET, &url, &headers, "")
            .await
            .expect("an answer");
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{path}"
        );
        let head = request::try_send(Method::HEAD, &url, &headers[1..], "").await;
        let head = head.expect("an answer");
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn the_page_may_fetch_from_its_own_website_and_where_it_was_told_and_nowhere_else() {
    let arguments = [
        "--process-view",
        "http://127.0.0.1:9001/",
        "--controls",
        "http://127.0.0.1:9002/stage/",
        "--trace-ui",
        "http://127.0.0.1:16686",
    ];
    let website = Service::start("website", &arguments, None).await;
    let page = request::get(&format!("{}/", website.url)).await;
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let connect = "connect-src 'self' http://127.0.0.1:9001 http://127.0.0.1:9002;";
    assert!(policy.contains(connect), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let config = request::get(&format!("{}/api/config", website.url)).await;
    let config: Value = serde_json::from_slice(&config.body).expect("JSON");
    let expected = json!({
        "processView": "http://127.0.0.1:9001",
        "controls": "http://127.0.0.1:9002/stage",
        "traceUi": "http://127.0.0.1:16686",
        "maxTickets": 6,
    });
    assert_eq!(config, expected);

    let alone = Service::start("website", &[], None).await;
    let config = request::get(&format!("{}/api/config", alone.url)).await;
    let config: Value = serde_json::from_slice(&config.body).expect("JSON");
    let expected = json!({"processView": null, "controls": null, "traceUi": null, "maxTickets": 6});
    assert_eq!(config, expected);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_and_events_come_where_the_page_is() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    for (method, path, status, allow) in [
        (Method::GET, "/elsewhere", 404, None),
        (Method::GET, "/assets/index.html", 404, None),
        (Method::GET, "/../Cargo.toml", 404, None),
        (Method::PUT, "/", 405, Some("GET, HEAD, POST")),
        (Method::POST, "/style.css", 405, Some("GET, HEAD")),
        (Method::POST, "/api/me", 405, Some("GET, HEAD")),
        (Method::DELETE, "/api/stream", 405, Some("GET, HEAD")),
        (Method::GET, "/api/join", 405, Some("POST")),
        (Method::GET, "/api/me", 401, None),
        (Method::GET, "/api/stream", 401, None),
        (Method::GET, "/readyz", 200, None),
    ] {
        let url = format!("{}{path}", website.url);
        let answered = request::try_send(method.clone(), &url, &[], "")
            .await
            .expect("an answer");
        assert_eq!(
            (answered.status.as_u16(), answered.header("allow")),
            (status, allow),
            "{method} {path}"
        );
    }
    website.accepts("Something.Else", &json!({})).await;
    let answered = request::post(&website.url, &[("content-type", "text/plain")], "hello").await;
    assert_eq!(answered.status, 400);
}

#[tokio::test]
async fn what_another_site_could_send_is_refused_and_changes_nothing() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::open(&website.url).await;
    let json = ("content-type", "application/json");
    for headers in [
        &[json][..],
        &[json, ("origin", "http://evil.test")],
        &[json, ("origin", "null")],
        &[json, ("sec-fetch-site", "cross-site")],
        &[
            json,
            ("sec-fetch-site", "same-site"),
            ("origin", &website.url),
        ],
        &[
            ("content-type", "text/plain"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[("sec-fetch-site", "same-origin")],
    ] {
        let answered = browser
            .post("join", headers, r#"{"customer": "Ada"}"#)
            .await;
        assert_eq!(answered.status, 403, "{headers:?}");
    }
    assert_eq!(browser.me().await["step"], "visiting");
    let headers = [json, ("origin", website.url.as_str())];
    let answered = browser
        .post("join", &headers, r#"{"customer": "Ada"}"#)
        .await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let elsewhere = request::post(&format!("{}/api/join", website.url), &headers, "{}").await;
    assert_eq!(elsewhere.status, 401);
}

#[tokio::test]
async fn what_it_cannot_be_started_with_is_said_by_name() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let folder = data.path().to_str().expect("a path in UTF-8");
    for (flag, value, said) in [
        ("--process-view", "127.0.0.1:9000", "--process-view"),
        (
            "--controls",
            "ftp://here",
            "must begin with http:// or https://",
        ),
        ("--diagram", "no-such.svg", "DIAGRAM: no-such.svg"),
    ] {
        let arguments = ["website", "--data", folder, flag, value];
        let mut program = Program::start(env!("CARGO_BIN_EXE_demo"), &arguments, &BTreeMap::new())
            .expect("the program");
        assert!(!program.ended().await.success());
        let output = program.output().join("\n");
        assert!(output.contains(said), "{flag} {value}: {output}");
    }
    let picture = data.path().join("other.svg");
    std::fs::write(&picture, "<svg/>").expect("a file");
    let picture = picture.to_str().expect("a path in UTF-8");
    let website = Service::start("website", &["--diagram", picture], None).await;
    let answered = request::get(&format!("{}/diagram.svg", website.url)).await;
    assert_eq!(answered.text(), "<svg/>");
}
