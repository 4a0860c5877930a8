//! One event to one Trigger's subscriber, until it is accepted or given up.
//!
//! - `attempt`: one request and its response.
//! - `answer`: TABLE: what a response means.

mod answer;
mod attempt;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloudevents_http::Event;
use http::{HeaderMap, HeaderName, HeaderValue};
use runtime::budget::Reservation;
use url::Url;

use self::answer::Next;
pub(super) use self::attempt::Sender;
use super::arrival::Arrival;
use super::counters::{Count, Counters};
use super::filter::Filter;
use super::hub::BrokerName;
use super::manifest::{Backoff, Delivery};

/// Characters of `knativeerrordata` at most.
const MAX_ERROR_DATA: usize = 1_024;

/// A Trigger with every address resolved.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) trigger: String,
    /// The Broker that replies go to, and its address.
    pub(super) broker: BrokerName,
    pub(super) broker_url: Url,
    pub(super) filter: Filter,
    pub(super) subscriber: Url,
    pub(super) dead_letter_sink: Option<Url>,
    pub(super) delivery: Delivery,
}

/// What a subscriber answered with.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) event: Event,
    pub(super) headers: HeaderMap,
    /// Pays for the event.
    pub(super) reservation: Reservation,
}

/// A delivery that was given up.
#[derive(Debug)]
pub(super) struct GivenUp {
    pub(super) destination: Url,
    pub(super) code: u16,
    pub(super) body: Bytes,
}

impl Route {
    /// Sends to the subscriber, as often as the delivery block says.
    pub(super) async fn deliver(
        &self,
        arrival: &Arrival,
        sender: &Sender,
        counters: &Counters,
    ) -> Result<Option<Box<Reply>>, GivenUp> {
        let given_up = |code: u16, body: Bytes| GivenUp {
            destination: self.subscriber.clone(),
            code,
            body,
        };
        let mut message = arrival
            .message(self.delivery.format)
            .map_err(|error| given_up(500, Bytes::from(error.to_string())))?;
        self.add_headers(&mut message.headers, arrival);
        message
            .headers
            .insert("prefer", HeaderValue::from_static("reply"));

        let mut attempt = 0;
        loop {
            let response = sender
                .send(&self.subscriber, &message, self.delivery.timeout)
                .await;
            let answer = answer::of_subscriber(response, sender.limits());
            match answer.next(attempt < self.delivery.retry) {
                Next::Done(reply) => return Ok(reply),
                Next::GiveUp { code, body } => return Err(given_up(code, body)),
                Next::Again { retry_after } => self.pause(attempt, retry_after, counters).await,
            }
            attempt += 1;
        }
    }

    /// Sends to the dead letter sink, with the same retries; what it answers is not looked into.
    pub(super) async fn dead_letter(
        &self,
        arrival: &Arrival,
        why: &GivenUp,
        sender: &Sender,
        counters: &Counters,
    ) -> Result<(), GivenUp> {
        let Some(sink) = &self.dead_letter_sink else {
            return Err(why.again());
        };
        let mut data = STANDARD.encode(&why.body);
        data.truncate(MAX_ERROR_DATA);
        let mut errors = vec![
            ("knativeerrordest", why.destination.to_string()),
            ("knativeerrorcode", why.code.to_string()),
        ];
        if !data.is_empty() {
            errors.push(("knativeerrordata", data));
        }
        let mut message = arrival.dead_letter(&errors).map_err(|_| why.again())?;
        self.add_headers(&mut message.headers, arrival);

        let mut attempt = 0;
        loop {
            let response = sender.send(sink, &message, self.delivery.timeout).await;
            let answer = answer::of_dead_letter_sink(response);
            match answer.next(attempt < self.delivery.retry) {
                Next::Done(_) => return Ok(()),
                Next::GiveUp { code, body } => {
                    return Err(GivenUp {
                        destination: sink.clone(),
                        code,
                        body,
                    });
                }
                Next::Again { retry_after } => self.pause(attempt, retry_after, counters).await,
            }
            attempt += 1;
        }
    }

    async fn pause(&self, attempt: u32, retry_after: Option<Duration>, counters: &Counters) {
        counters.add(Count::Retried);
        let asked = match (retry_after, self.delivery.retry_after_max) {
            (Some(asked), Some(most)) => asked.min(most),
            (Some(_) | None, _) => Duration::ZERO,
        };
        tokio::time::sleep(pause(&self.delivery, attempt).max(asked)).await;
    }

    fn add_headers(&self, headers: &mut HeaderMap, arrival: &Arrival) {
        for (name, value) in &arrival.carried {
            headers.insert(name.clone(), value.clone());
        }
        // A namespace is a DNS label: its letters are all legal in a header.
        if let Ok(namespace) = HeaderValue::from_str(&self.broker.namespace) {
            headers.insert(HeaderName::from_static("kn-namespace"), namespace);
        }
    }
}

impl GivenUp {
    fn again(&self) -> Self {
        Self {
            destination: self.destination.clone(),
            code: self.code,
            body: self.body.clone(),
        }
    }
}

/// The pause after attempt number `attempt`, from 0.
fn pause(delivery: &Delivery, attempt: u32) -> Duration {
    match delivery.backoff {
        None => Duration::ZERO,
        Some((Backoff::Linear, delay)) => delay.saturating_mul(attempt),
        Some((Backoff::Exponential, delay)) => {
            delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
        }
    }
}
