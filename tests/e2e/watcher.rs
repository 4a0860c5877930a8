//! What a watcher of the demo has seen: `watch` or `dead-letters`.

use serde_json::Value;
use testkit::request::{get, try_send};

use crate::cluster::until;
use crate::forward::Forward;
use crate::room::Room;

/// A watcher, which keeps the last 100 events.
pub(crate) struct Watcher {
    forward: Forward,
}

impl Watcher {
    /// The Service of this name.
    pub(crate) async fn of(room: &Room, service: &str) -> Self {
        let target = format!("service/{service}");
        Self {
            forward: Forward::to(room.name(), &target, 80).await,
        }
    }

    /// Its events, in the JSON form of CloudEvents, oldest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let url = format!("{}/events", self.forward.url());
        let answered = try_send(http::Method::GET, &url, &[], "").await;
        let answered = answered.unwrap_or_else(|error| panic!("{url}: {error}"));
        serde_json::from_slice(&answered.body).expect("a batch")
    }

    /// How many it has seen.
    pub(crate) async fn count(&self) -> u64 {
        let answered = get(&format!("{}/books", self.forward.url())).await;
        let books: Value = serde_json::from_slice(&answered.body).expect("JSON");
        books["seen"].as_u64().expect("a count")
    }

    /// What `GET /` shows to people.
    pub(crate) async fn lines(&self) -> String {
        get(&format!("{}/", self.forward.url()))
            .await
            .text()
            .to_owned()
    }

    /// Waits for the first event whose data has this text somewhere.
    pub(crate) async fn sees(&self, text: &str) -> Value {
        until(&format!("an event with `{text}`"), || async {
            let events = self.events().await;
            events
                .into_iter()
                .find(|event| event["data"].to_string().contains(text))
        })
        .await
    }
}
