//! Server-sent events, as far as the website sends them.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

/// The longest that one may be.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What the website says.
pub(super) enum Item {
    /// How far the customer is.
    State(Value),
    /// An event that concerns the customer.
    Event {
        /// Where to go on after it.
        number: Option<String>,
        /// The event.
        event: Value,
    },
}

/// A stream that is open.
pub(super) struct Stream {
    body: Incoming,
    read: Vec<u8>,
}

impl Stream {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            read: Vec::new(),
        }
    }

    /// The next that is known; `None` when the stream has ended.
    pub(super) async fn next(&mut self) -> Option<Item> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(item) = item(&String::from_utf8_lossy(&block)) {
                    return Some(item);
                }
            }
            if self.read.len() > MAX_BYTES {
                return None;
            }
            // Broken off or ended: it is opened again either way.
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.read.extend_from_slice(&data);
            }
        }
    }
}

fn item(block: &str) -> Option<Item> {
    let field = |name: &str| {
        block
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(field, value)| (field == name).then(|| value.trim_start()))
    };
    let data: Value = serde_json::from_str(field("data")?).ok()?;
    match field("event")? {
        "state" => Some(Item::State(data)),
        "event" => Some(Item::Event {
            number: field("id").map(str::to_owned),
            event: data,
        }),
        _ => None,
    }
}
