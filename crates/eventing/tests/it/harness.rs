//! What the themes share: an event, a sender with short times, a limit on waiting.

use std::time::Duration;

use bytes::Bytes;
use cloudevents_http::{Event, Message, into_binary, new_event, set_data};
use eventing::{Attempt, Sender, SenderSettings};
use http::{Response, Uri};
use testkit::destination::Destination;

/// Longer than any answer that comes; no test waits this long when it passes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A deadline that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

pub(crate) fn event(id: &str) -> Event {
    let mut event = new_event(id, "/zeebe/test", "Seat.Reserved").unwrap();
    set_data(&mut event, Some("application/json"), r#"{"seat":7}"#).unwrap();
    event
}

pub(crate) fn message(id: &str) -> Message {
    into_binary(event(id)).unwrap()
}

pub(crate) fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

pub(crate) fn sender() -> Sender {
    Sender::new(&SenderSettings::default()).unwrap()
}

/// One attempt with nothing particular about it.
pub(crate) async fn send(sender: &Sender, destination: &Destination) -> Attempt {
    sender
        .send(&uri(&destination.url()), message("1"), PATIENCE)
        .await
}

pub(crate) fn response(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

/// Fails the test instead of hanging it.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("an end in time")
}
