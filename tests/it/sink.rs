mod answers;
mod limits;
mod requests;

use serde_json::Value;
use testkit::request::Answered;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The answer's reason: a short JSON object with nothing else in it.
fn reason(answered: &Answered) -> String {
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert!(answered.body.len() <= 768, "{}", answered.text());
    let body: Value = serde_json::from_slice(&answered.body).expect("JSON");
    assert_eq!(body.as_object().expect("an object").len(), 1, "{body}");
    body["error"].as_str().expect("a reason").to_owned()
}

/// An event, but for its data.
const HEADERS: [(&str, &str); 5] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/s"),
    ("ce-type", "Test"),
    ("content-type", "application/json"),
];

pub(crate) async fn connect(url: &str) -> TcpStream {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    TcpStream::connect(address).await.expect("a connection")
}

/// What comes until the other side closes or a whole head is there.
pub(crate) async fn read_some(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while !all.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}
