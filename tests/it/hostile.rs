use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::gateway::FakeGateway;
use testkit::request;
use testkit::rules_file::RulesFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::sink;

async fn connect(bridge: &Bridge) -> TcpStream {
    let address = bridge.url().trim_start_matches("http://");
    TcpStream::connect(address.trim_end_matches('/'))
        .await
        .expect("a connection")
}

/// Sends these bytes and nothing more; what comes until the other side closes.
async fn say(bridge: &Bridge, text: &str) -> String {
    let mut stream = connect(bridge).await;
    // It may have answered and closed before all is written.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_length_that_is_not_true_is_refused_and_no_half_event_reaches_the_engine() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    for (rest, status) in [
        ("content-length: -1\r\n\r\n", "400"),
        ("content-length: ten\r\n\r\n", "400"),
        ("content-length: 99999999999999999999999\r\n\r\n", "400"),
        ("content-length: 2\r\ncontent-length: 3\r\n\r\n{}", "400"),
        ("content-length: 100\r\n\r\n{}", "400"),
        ("content-length: 5000000000\r\n\r\n{}", "413"),
        ("transfer-encoding: gzip\r\n\r\n", "400"),
        ("transfer-encoding: chunked\r\n\r\nzz\r\n", "400"),
        ("transfer-encoding: chunked\r\n\r\n5\r\n{}", "400"),
    ] {
        let head = "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: T\r\n";
        let answer = say(&bridge, &format!("{head}{rest}")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{rest:?}: {answer}"
        );
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn a_body_that_is_encoded_is_refused_instead_of_being_taken_for_data() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    for (encoding, status) in [("gzip", 415), ("br, gzip", 415), ("Identity", 202)] {
        let headers = [("content-encoding", encoding)];
        let answered = bridge.send_with("Test", "1", &headers, &json!("abc")).await;
        assert_eq!(answered.status, status, "{encoding}: {}", answered.text());
        if status == 415 {
            assert!(answered.text().contains("content-encoding"));
            assert_eq!(answered.header("accept-encoding"), Some("identity"));
        }
    }
    assert_eq!(gateway.calls("PublishMessage"), 1);
}

#[tokio::test]
async fn heads_too_large_and_attributes_too_long_are_refused() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let long = "s".repeat(60_000);
    let answered = bridge
        .send_with("Test", "1", &[("ce-long", &long)], &json!({}))
        .await;
    assert_eq!(answered.status, 431);
    let event = json!({"specversion": "1.0", "id": "1", "type": "T", "source": long});
    let headers = [("content-type", "application/cloudevents+json")];
    let answered = request::post(bridge.url(), &headers, event.to_string()).await;
    assert_eq!(answered.status, 413, "{}", answered.text());
    assert!(answered.text().contains("source"), "{}", answered.text());
    let names: Vec<String> = (0..100).map(|number| format!("x-{number}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let answered = bridge.send_with("Test", "1", &headers, &json!({})).await;
    assert_eq!(answered.status, 431);
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn values_of_events_that_a_field_cannot_take_are_refused_by_the_rule_and_the_field() {
    let rules = RulesFile::new(
        r#"rules:
  - {name: once, select: {type: Once}, start: {message: M, once_per: data.v}}
  - {name: "odd <b>\n\"é` ", select: {type: Named}, publish: {message: =data.v}}
  - {name: key, select: {type: Key}, cancel: {process_instance_key: =data.v}}
"#,
    );
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("RULES", rules.path())]).await;
    let cases: [(&str, Value, u16, &str); 18] = [
        ("Once", json!("k"), 202, ""),
        ("Once", json!(7), 202, ""),
        ("Once", json!(true), 202, ""),
        ("Once", json!(null), 422, "is null"),
        ("Once", json!(""), 422, "empty text"),
        ("Once", json!({}), 422, "is an object"),
        ("Once", json!([]), 422, "is an array"),
        ("Named", json!("m"), 202, ""),
        ("Named", json!(5), 202, ""),
        ("Named", json!(""), 422, "is empty"),
        ("Named", json!(null), 422, "is null"),
        ("Key", json!(5), 202, ""),
        ("Key", json!("5"), 202, ""),
        ("Key", json!(-5), 422, "positive integer"),
        ("Key", json!(5.0), 422, "positive integer"),
        ("Key", json!("+5"), 422, "positive integer"),
        ("Key", json!(" 5"), 422, "positive integer"),
        ("Key", json!("9223372036854775808"), 422, "positive integer"),
    ];
    for (number, (ty, value, status, said)) in cases.into_iter().enumerate() {
        let answered = bridge
            .send(ty, &number.to_string(), &json!({"v": value}))
            .await;
        assert_eq!(answered.status, status, "{ty} {value}: {}", answered.text());
        if status == 422 {
            let body: Value = serde_json::from_slice(&answered.body).expect("JSON");
            let reason = body["error"].as_str().expect("a reason");
            assert!(reason.starts_with("rule `"), "{reason}");
            assert!(reason.contains(said), "{reason}");
        }
    }
}

#[tokio::test]
async fn of_a_batch_each_event_acts_once_and_none_does_if_one_cannot() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let batch = |events: &[(&str, &str)]| {
        let events: Vec<String> = events
            .iter()
            .map(|(id, data)| {
                format!(
                    r#"{{"specversion":"1.0","id":"{id}","type":"T","source":"/s","data":{data}}}"#
                )
            })
            .collect();
        let headers = [("content-type", "application/cloudevents-batch+json")];
        let url = bridge.url().to_owned();
        async move { request::post(&url, &headers, format!("[{}]", events.join(","))).await }
    };
    let answered = batch(&[("1", "{}"), ("2", r#"{"a":99999999999999999999}"#)]).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    assert!(answered.text().contains("data.a"), "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 0);
    let answered = batch(&[("1", "{}"), ("2", "{}"), ("1", "{}"), ("1", "{}")]).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.published().len(), 2);
    assert_eq!(batch(&[]).await.status, 202, "nothing to do");
}

#[tokio::test]
async fn data_nested_as_deep_as_can_be_is_refused_and_ends_nothing() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    for (levels, status) in [(99, 202), (100, 422), (1_000_000, 422)] {
        let data = format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let event = format!(
            r#"{{"specversion":"1.0","id":"{levels}","type":"T","source":"/s","data":{data}}}"#
        );
        let headers = [("content-type", "application/cloudevents+json")];
        let answered = request::post(bridge.url(), &headers, event).await;
        assert_eq!(answered.status, status, "{levels}: {}", answered.text());
    }
    assert_eq!(gateway.published().len(), 1);
}

/// One frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short frame");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(content);
    frame
}

/// A text of HPACK without compression (RFC 7541, 5.2).
fn text(out: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    if length < 127 {
        out.push(length as u8);
    } else {
        out.push(127);
        length -= 127;
        while length >= 128 {
            out.push((length % 128) as u8 | 128);
            length /= 128;
        }
        out.push(length as u8);
    }
    out.extend(text.as_bytes());
}

/// The head of an event whose body does not come.
fn head_of_event(stream: u32, filling: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "bridge"),
        (":path", "/"),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/s"),
        ("ce-type", "Test"),
        ("ce-filling", filling),
    ] {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    let (headers, end_of_headers) = (1, 4);
    frame(headers, end_of_headers, stream, &block)
}

#[tokio::test]
async fn requests_at_one_time_are_bounded_though_each_connection_carries_many() {
    const CONNECTIONS: u32 = 60;
    const STREAMS: u32 = 32;
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("BRIDGE_MAX_CONNECTIONS", "64")]).await;
    let settings = frame(4, 0, 0, &[]);
    let filling = "x".repeat(8000);
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(settings);
    for stream in 0..STREAMS {
        flood.extend(head_of_event(2 * stream + 1, &filling));
    }
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = connect(&bridge).await;
        stream.write_all(&flood).await.expect("a flood");
        held.push(stream);
    }
    // 64 wait for their bodies, for seconds; the others must not.
    let refused = async |status: &str| {
        let labels = [("status", status)];
        bridge
            .metric_of("bridge_sink_requests_total", &labels)
            .await as u32
    };
    while refused("429").await + refused("408").await < CONNECTIONS * STREAMS - 64 {
        tokio::task::yield_now().await;
    }
    assert!(refused("429").await > 0, "all of them were let in");
    drop(held);
    // And there is room again.
    let began = std::time::Instant::now();
    while bridge.send("Test", "1", &json!({})).await.status != 202 {
        assert!(began.elapsed().as_secs() < 60, "no room");
    }
    assert_eq!(gateway.published().len(), 1);
}
