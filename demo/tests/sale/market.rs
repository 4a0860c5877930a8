//! A Broker between services that were started before it.

use std::path::Path;

use demo::broker::{Broker, Running, Settings, manifest};
use testkit::destination::Destination;
use tokio::task::JoinHandle;

/// A Broker with a Trigger for each subscriber, and one that remembers every event.
pub(crate) struct Market {
    /// The Broker's address.
    pub(crate) broker: String,
    /// What every event came to.
    pub(crate) watch: Destination,
    forwarding: JoinHandle<()>,
    _running: Running,
}

impl Market {
    /// Opens one: what services send to the relay goes on to the Broker, and from there to all subscribers.
    /// Services have to know where to send to, and the Broker its subscribers: the relay comes first.
    pub(crate) async fn open(relay: Destination, subscribers: &[(&str, &str)]) -> Self {
        let watch = Destination::accepting().await;
        let watching = watch.url();
        let all = subscribers
            .iter()
            .copied()
            .chain([("watch", watching.as_str())]);
        let mut manifests = manifest::Manifests::default();
        let triggers = triggers(all);
        manifest::parse(Path::new("test.yaml"), &triggers, "default", &mut manifests)
            .expect("manifests");
        let running = Broker::start(Settings {
            manifests,
            ..Settings::default()
        })
        .await
        .expect("a Broker");
        let broker = running.url("default", "default");
        Self {
            forwarding: tokio::spawn(forward(relay, broker.clone())),
            broker,
            watch,
            _running: running,
        }
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

/// Every service gets every event: which ones it takes is its own business.
fn triggers<'a>(subscribers: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    subscribers
        .map(|(name, url)| {
            format!(
                "---\napiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {{name: {name}}}\n\
                 spec:\n  broker: default\n  subscriber: {{uri: \"{url}\"}}\n\
                 \x20 delivery: {{retry: 5, backoffPolicy: linear, backoffDelay: PT0.05S}}\n"
            )
        })
        .collect()
}

/// Events go on as they are.
async fn forward(relay: Destination, broker: String) {
    let mut forwarded = 0;
    loop {
        let all = relay.wait_for_count(forwarded + 1).await;
        for event in &all[forwarded..] {
            let headers: Vec<(&str, &str)> = event
                .headers
                .iter()
                .filter(|(name, _)| name.as_str().starts_with("ce-") || *name == "content-type")
                .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
                .collect();
            testkit::request::post(&broker, &headers, event.body.clone()).await;
        }
        forwarded = all.len();
    }
}
