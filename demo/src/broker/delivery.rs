//! One event to one Trigger's subscriber, until it is accepted or given up.
//!
//! What is retried, and when, is the table of the `eventing` crate; `answer` adds what a Broker's
//! filter looks for in an answer that accepts.

mod answer;

use bytes::Bytes;
use cloudevents_http::{Event, Limits, Message};
use eventing::reply::{PREFER, REPLY};
use eventing::{Attempt, DeliverySpec, Retry, Sender, mark_dead_letter, retry};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};

use self::answer::Judged;
use super::arrival::Arrival;
use super::counters::{Count, Counters};
use super::filter::Filter;
use super::hub::BrokerName;
use super::manifest::Format;

const KN_NAMESPACE: HeaderName = HeaderName::from_static("kn-namespace");
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("demo-broker/", env!("CARGO_PKG_VERSION")));

/// How much of a refusal is kept, in bytes: as much as a dead letter sink is told.
const TOLD: usize = 768;

/// A Trigger with every address resolved.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) trigger: String,
    /// The Broker that replies go to, and its address.
    pub(super) broker: BrokerName,
    pub(super) broker_url: Uri,
    pub(super) filter: Filter,
    pub(super) subscriber: Uri,
    pub(super) dead_letter_sink: Option<Uri>,
    pub(super) delivery: DeliverySpec,
    pub(super) format: Format,
}

/// What a subscriber answered with.
#[derive(Debug)]
pub(super) struct Reply {
    /// The event; or why the Broker, to which it goes, will refuse it.
    pub(super) event: Result<Event, String>,
    pub(super) headers: HeaderMap,
    /// The length of the answer's body.
    pub(super) bytes: usize,
}

/// A delivery that was given up.
#[derive(Debug)]
pub(super) struct GivenUp {
    pub(super) destination: Uri,
    attempt: Attempt,
}

impl Route {
    /// Sends to the subscriber, as often as the delivery block says.
    pub(super) async fn deliver(
        &self,
        arrival: &Arrival,
        sender: &Sender,
        limits: &Limits,
        counters: &Counters,
    ) -> Result<Option<Box<Reply>>, Box<GivenUp>> {
        let mut message = arrival.message(self.format).map_err(|error| {
            let code = StatusCode::INTERNAL_SERVER_ERROR;
            GivenUp::new(&self.subscriber, code, error.to_string())
        })?;
        message.headers.insert(PREFER, REPLY);
        let judge = |attempt| answer::of_subscriber(attempt, limits);
        self.send(&self.subscriber, message, arrival, sender, counters, judge)
            .await
    }

    /// Sends to the dead letter sink, with the same retries; what it answers is not looked into.
    ///
    /// Without a sink the delivery stays given up for its first reason.
    pub(super) async fn dead_letter(
        &self,
        arrival: &Arrival,
        why: &GivenUp,
        sender: &Sender,
        counters: &Counters,
    ) -> Result<(), Undelivered> {
        let Some(sink) = &self.dead_letter_sink else {
            return Err(Undelivered::NoSink);
        };
        let message = arrival
            .dead_letter(|event| mark_dead_letter(event, &why.destination, &why.attempt))
            .map_err(|error| {
                let code = StatusCode::INTERNAL_SERVER_ERROR;
                Undelivered::Refused(GivenUp::new(sink, code, error.to_string()))
            })?;
        self.send(sink, message, arrival, sender, counters, answer::of_any)
            .await
            .map_err(Undelivered::Refused)
    }

    async fn send<T>(
        &self,
        destination: &Uri,
        mut message: Message,
        arrival: &Arrival,
        sender: &Sender,
        counters: &Counters,
        judge: impl Fn(Attempt) -> Judged<T>,
    ) -> Result<T, Box<GivenUp>> {
        self.add_headers(&mut message.headers, arrival);
        let mut retries = 0;
        loop {
            let attempt = sender
                .send(destination, message.clone(), self.delivery.timeout)
                .await;
            let refused = match judge(attempt) {
                Judged::Accepted(accepted) => return Ok(accepted),
                Judged::Refused(refused) => refused,
            };
            match retry(&refused) {
                Retry::Again(_) if retries < self.delivery.retry => {
                    counters.add(Count::Retried);
                    tokio::time::sleep(self.delivery.pause(&refused, retries)).await;
                    retries += 1;
                }
                Retry::Again(_) | Retry::GiveUp(_) | Retry::Done => {
                    return Err(GivenUp::after(destination, refused));
                }
            }
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap, arrival: &Arrival) {
        for (name, value) in &arrival.carried {
            headers.insert(name.clone(), value.clone());
        }
        headers.insert(header::USER_AGENT, USER_AGENT);
        // A namespace is a DNS label: its letters are all legal in a header.
        if let Ok(namespace) = HeaderValue::from_str(&self.broker.namespace) {
            headers.insert(KN_NAMESPACE, namespace);
        }
    }
}

/// Why the dead letter sink has not got an event.
#[derive(Debug)]
pub(super) enum Undelivered {
    NoSink,
    Refused(Box<GivenUp>),
}

// === impl GivenUp ===

impl GivenUp {
    pub(super) fn new(destination: &Uri, status: StatusCode, reason: String) -> Box<Self> {
        Box::new(Self {
            destination: destination.clone(),
            attempt: Attempt::Answered {
                status,
                retry_after: None,
                body: Bytes::from(reason),
            },
        })
    }

    fn after(destination: &Uri, attempt: Attempt) -> Box<Self> {
        let attempt = match attempt {
            Attempt::Answered {
                status,
                retry_after,
                body,
            } => Attempt::Answered {
                status,
                retry_after,
                // A copy, so that the rest can go.
                body: Bytes::copy_from_slice(body.get(..TOLD).unwrap_or(&body)),
            },
            other @ (Attempt::Accepted { .. } | Attempt::NotReached { .. }) => other,
        };
        Box::new(Self {
            destination: destination.clone(),
            attempt,
        })
    }

    /// Status and reason in one line.
    pub(super) fn summary(&self) -> String {
        self.attempt.answer()
    }
}
