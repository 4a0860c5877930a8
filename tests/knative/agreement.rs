//! The local Broker of the demo and Knative's own, side by side: the same manifests, the same events, the
//! same subscribers. What each delivers, how often, and what it answers must agree.
//!
//! Each table has its rows in a file of its own. Compared is all that a subscriber or sender can see, but
//! for what is each Broker's own: addresses, times of arrival, and the words for a connection that failed.

mod delivery;
mod filters;
mod ingress;
mod manifests;
mod replies;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use demo::broker::{Broker, Running, Settings, manifest};
use percent_encoding::percent_decode;
use serde_json::{Value, json};
use testkit::destination::{Answer, Destination, Received};
use testkit::request;

use crate::dataplane::Dataplane;

/// Where dead letters go, under the address of all subscribers.
const DEAD_LETTERS: &str = "/dead-letters";

/// What a dead letter sink is told.
const WHY: [&str; 3] = [
    "ce-knativeerrordest",
    "ce-knativeerrorcode",
    "ce-knativeerrordata",
];

/// How a subscriber answers: by its path, the event, and the number of this attempt, counted from 0.
type Script = fn(path: &str, event: &Received, attempt: usize) -> Answer;

/// What one subscriber got, attempt by attempt.
type Deliveries = Vec<BTreeMap<String, String>>;

/// One Broker, with the subscribers of its own.
struct Side {
    name: &'static str,
    url: String,
    destination: Destination,
    running: Kept,
}

/// What keeps a Broker running.
enum Kept {
    Ours { _broker: Running },
    Knatives { dataplane: Box<Dataplane> },
}

/// Both Brokers, serving the same manifests.
struct Both([Side; 2]);

impl Both {
    /// Serves the Broker `default` and these Triggers on both sides, to subscribers that answer alike.
    async fn serving(triggers: &[String], script: Script) -> Self {
        let yaml = format!("{BROKER}{}", triggers.concat());
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("all.yaml"), &yaml).expect("a file can be written");

        let destination = scripted(script).await;
        let any = format!("*={}", destination.url().trim_end_matches('/'));
        let manifests = manifest::read(&[folder.path().to_owned()], "default")
            .unwrap_or_else(|refusal| panic!("the local Broker refuses: {refusal}"));
        let broker = Broker::start(Settings {
            manifests,
            references: [any.parse().expect("a reference")].into_iter().collect(),
            ..Settings::default()
        })
        .await
        .expect("the local Broker starts");
        let ours = Side {
            name: "ours",
            url: broker.url("default", "default"),
            destination,
            running: Kept::Ours { _broker: broker },
        };

        let destination = scripted(script).await;
        let url = destination.url();
        let dataplane = Dataplane::start(folder.path(), &[("*", url.trim_end_matches('/'))]).await;
        let knatives = Side {
            name: "Knative's",
            url: dataplane.broker().to_owned(),
            destination,
            running: Kept::Knatives {
                dataplane: Box::new(dataplane),
            },
        };
        Self([ours, knatives])
    }

    /// Sends a request to both Brokers and returns the status that both answer with.
    ///
    /// Both answer after all deliveries are over: what came of it is there when this returns.
    async fn send(&self, what: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut statuses = Vec::new();
        for side in &self.0 {
            let answered = request::post(&side.url, headers, body.to_owned()).await;
            statuses.push(answered.status.as_u16());
        }
        assert_eq!(
            statuses[0],
            statuses[1],
            "{what}: the answers to the sender; Knative's said {:#?}",
            self.0[1].said()
        );
        statuses[0]
    }

    /// As [`Both::send`], with an event in binary mode that has JSON data.
    async fn event(&self, ty: &str, id: &str, extensions: &[(&str, &str)], data: &Value) -> u16 {
        let mut headers = vec![
            ("ce-specversion", "1.0"),
            ("ce-source", "/tests"),
            ("ce-type", ty),
            ("ce-id", id),
            ("content-type", "application/json"),
        ];
        headers.extend_from_slice(extensions);
        self.send(&format!("{ty} {id}"), &headers, &data.to_string())
            .await
    }

    /// What each subscriber got, by its path; the same on both sides.
    fn deliveries(&self) -> BTreeMap<String, Deliveries> {
        self.deliveries_but_for(&[])
    }

    /// As [`Both::deliveries`], where some headers are left out of the comparison.
    fn deliveries_but_for(&self, left_out: &[&str]) -> BTreeMap<String, Deliveries> {
        let [ours, knatives] = self.0.each_ref().map(|side| {
            let mut all = side.deliveries();
            for seen in all.values_mut().flatten() {
                seen.retain(|name, _| !left_out.contains(&name.as_str()));
            }
            all
        });
        let paths: std::collections::BTreeSet<_> = ours.keys().chain(knatives.keys()).collect();
        for path in paths {
            let of =
                |side: &BTreeMap<String, Deliveries>| side.get(path).cloned().unwrap_or_default();
            let (one, other) = (of(&ours), of(&knatives));
            let extra = |these: &Deliveries, those: &Deliveries| -> Deliveries {
                let mut left = those.clone();
                let mut extra = these.clone();
                extra.retain(|seen| match left.iter().position(|other| other == seen) {
                    Some(at) => {
                        left.swap_remove(at);
                        false
                    }
                    None => true,
                });
                extra
            };
            let (more, fewer) = (extra(&one, &other), extra(&other, &one));
            assert!(
                more.is_empty() && fewer.is_empty(),
                "{path}: only ours delivered {more:#?}, only Knative's {fewer:#?}"
            );
        }
        ours
    }

    /// The least pauses between attempts at one path, in order, of both sides.
    fn pauses(&self, path: &str) -> [Vec<std::time::Duration>; 2] {
        self.0.each_ref().map(|side| {
            let mut at: Vec<_> = side.destination.received();
            at.retain(|event| event.path == path);
            at.windows(2).map(|two| two[1].at - two[0].at).collect()
        })
    }
}

impl Side {
    /// What the Broker logged, as far as it can be told.
    fn said(&self) -> Vec<String> {
        match &self.running {
            Kept::Ours { .. } => Vec::new(),
            Kept::Knatives { dataplane } => dataplane.printed(),
        }
    }

    fn deliveries(&self) -> BTreeMap<String, Deliveries> {
        let mut by_path: BTreeMap<String, Deliveries> = BTreeMap::new();
        for event in self.destination.received() {
            let seen = self.seen(&event);
            by_path.entry(event.path).or_default().push(seen);
        }
        by_path
    }

    /// What a subscriber can tell of a delivery, without what is this Broker's own.
    fn seen(&self, event: &Received) -> BTreeMap<String, String> {
        let mut seen: BTreeMap<String, String> = event
            .headers
            .iter()
            .filter(|(name, _)| {
                let name = name.as_str();
                (name.starts_with("ce-") && name != "ce-knativearrivaltime")
                    || matches!(
                        name,
                        "content-type" | "prefer" | "kn-namespace" | "tracestate"
                    )
            })
            .map(|(name, value)| {
                // The specification wants spaces and the like percent-encoded; Go's SDK writes them as they are.
                let value = percent_decode(value.as_bytes()).decode_utf8_lossy();
                (name.to_string(), self.without_addresses(&value))
            })
            .collect();
        let arrived = event.header("ce-knativearrivaltime").is_some();
        seen.insert("arrival time".to_owned(), arrived.to_string());
        seen.insert("body".to_owned(), canonical(&event.body));
        seen
    }

    fn without_addresses(&self, text: &str) -> String {
        let subscribers = self.destination.url();
        text.replace(&self.url, "BROKER")
            .replace(subscribers.trim_end_matches('/'), "SUBSCRIBERS")
    }
}

/// JSON objects without regard to the order of their members or the time of arrival; other bodies as they are.
fn canonical(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut members)) => {
            if let Some(time) = members.get_mut("knativearrivaltime") {
                *time = json!("some time");
            }
            Value::Object(members).to_string()
        }
        Ok(_) | Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Subscribers at one address, told apart by their paths, that count the attempts at each event.
async fn scripted(script: Script) -> Destination {
    let attempts: Arc<Mutex<HashMap<(String, String), usize>>> = Arc::default();
    Destination::start(move |event| {
        let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let id = event.header("ce-id").unwrap_or_default().to_owned();
        let attempt = attempts.entry((event.path.clone(), id)).or_default();
        let answer = script(&event.path, event, *attempt);
        *attempt += 1;
        answer
    })
    .await
}

const BROKER: &str = "\
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
spec:
  delivery:
    retry: 2
    backoffPolicy: linear
    backoffDelay: PT0.001S
";

/// A Trigger of the Broker `default` that delivers to the path of its name; `spec` holds further fields in
/// YAML, each line without indentation.
fn trigger(name: &str, spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "\
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: {name}
spec:
  broker: default
  subscriber:
    ref:
      apiVersion: v1
      kind: Service
      name: {name}
    uri: /{name}
{spec}"
    )
}

/// A dead letter sink, as a line of a delivery block.
fn dead_letters() -> String {
    format!(
        "deadLetterSink: {{ref: {{apiVersion: v1, kind: Service, name: dead-letters}}, uri: {DEAD_LETTERS}}}"
    )
}
