//! One event: from the outbox to the destination, until something has become of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cloudevents_http::{Limits, Message, attribute, decode, into_binary};
use eventing::extension::{TRACEPARENT, TRACESTATE};
use eventing::spans::{self, Described};
use eventing::{Attempt, Reason, Retry, retry};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use rusqlite::params;

use super::{LONGEST_PAUSE, Outbox, Row};
use crate::store::{Fault, Trace, Transaction};

/// How long the destination has for an answer: a Broker in memory answers after all its retries.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The first pause.
const PAUSE: Duration = Duration::from_millis(100);
/// How often in a row one is sent while the destination is away or busy.
const ATTEMPTS: u32 = 8;
/// The longest that an event is put aside for which the destination failed at.
const LONGEST_ASIDE: Duration = Duration::from_secs(60);

/// How long an event is put aside that was put aside so many times before.
fn grown(times: u32, longest: Duration) -> Duration {
    (PAUSE * 2_u32.saturating_pow(times.min(16))).min(longest)
}

impl Outbox {
    /// Sends one event until it is accepted, refused or put aside.
    pub(super) async fn send(self: Arc<Self>, row: Row) {
        let sequence = row.sequence;
        let (described, message) = match self.message(row.event) {
            Ok(message) => message,
            Err(reason) => {
                self.give_up(sequence, reason.clone(), reason).await;
                return;
            }
        };
        let mut pause = PAUSE;
        for attempts_left in (0..ATTEMPTS).rev() {
            let mut message = message.clone();
            let destination = self.binding.destination();
            let parent = self.store.traces().remote(described.context());
            let span = spans::deliver(
                &parent,
                &described,
                destination,
                &self.recipient,
                &mut message.headers,
            );
            let attempt = self.sender.send(destination, message, TIMEOUT).await;
            spans::delivered(&span, Some(&attempt));
            drop(span);
            match retry(&attempt) {
                Retry::Done => {
                    self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                    self.settle("deleted", sequence, |sequence, transaction| {
                        transaction.change("DELETE FROM outbox WHERE sequence = ?1", [sequence])?;
                        Ok(())
                    })
                    .await;
                    return;
                }
                Retry::GiveUp(_) => {
                    self.give_up(sequence, attempt.summary(), attempt.answer())
                        .await;
                    return;
                }
                Retry::Again(Reason::Failing) => {
                    let aside = grown(row.attempts, LONGEST_ASIDE);
                    self.put_aside(sequence, aside, &attempt).await;
                    return;
                }
                // It may have held its place for all of the time that an answer has.
                Retry::Again(Reason::NoAnswer) => {
                    let aside = grown(row.attempts, LONGEST_PAUSE);
                    self.put_aside(sequence, aside, &attempt).await;
                    return;
                }
                Retry::Again(
                    Reason::Away | Reason::Busy | Reason::Refused | Reason::Redirected,
                ) if attempts_left == 0 => {
                    self.put_aside(sequence, LONGEST_PAUSE, &attempt).await;
                }
                Retry::Again(
                    Reason::Away | Reason::Busy | Reason::Refused | Reason::Redirected,
                ) => {
                    self.counts.repeated.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(answer = attempt.summary(), "an event is sent again");
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn message(&self, event: Vec<u8>) -> Result<(Described, Message), String> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/cloudevents+json"),
        );
        let event = decode(&headers, event.into(), &Limits::default())
            .map_err(|error| error.to_string())?
            .pop();
        let mut event = event.ok_or("no event")?;
        self.binding.apply_overrides(&mut event);
        let trace: Vec<_> = [TRACEPARENT, TRACESTATE]
            .into_iter()
            .filter_map(|name| {
                let value = HeaderValue::from_str(&attribute(&event, name)?).ok()?;
                Some((name, value))
            })
            .collect();
        let described = Described::of(self.store.traces(), &event, None);
        let mut message = into_binary(event).map_err(|error| error.to_string())?;
        message.headers.extend(
            trace
                .into_iter()
                .map(|(name, value)| (HeaderName::from_static(name), value)),
        );
        Ok((described, message))
    }

    async fn put_aside(&self, sequence: i64, aside: Duration, attempt: &Attempt) {
        self.counts.repeated.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            answer = attempt.summary(),
            again_in_ms = aside.as_millis(),
            "an event is put aside for a while"
        );
        let aside = i64::try_from(aside.as_millis()).unwrap_or(i64::MAX);
        self.settle("put aside", sequence, move |sequence, transaction| {
            let due = transaction.now_ms().saturating_add(aside);
            transaction.change(
                "UPDATE outbox SET attempts = attempts + 1, due = ?2 WHERE sequence = ?1",
                params![sequence, due],
            )?;
            Ok(())
        })
        .await;
    }

    /// The reason goes to the table, beside the event; what is told goes to the log.
    async fn give_up(&self, sequence: i64, told: String, reason: String) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            sequence,
            reason = told,
            "the destination refuses an event for good; it is in the table `refused`"
        );
        self.settle("moved", sequence, move |sequence, transaction| {
            transaction.given_up(sequence, &reason)
        })
        .await;
    }

    /// Writes what became of an event. Where that fails it is sent again later, with its own id.
    async fn settle(
        &self,
        how: &str,
        sequence: i64,
        work: impl FnOnce(i64, &mut Transaction<'_>) -> Result<(), Fault> + Send + 'static,
    ) {
        let settled = self
            .store
            .transact(Trace::default(), move |transaction| {
                work(sequence, transaction)
            })
            .await;
        if let Err(fault) = settled {
            tracing::error!(sequence, %fault, "an event that was sent could not be {how}");
            // It is still in the outbox, and would be sent again at once, as fast as the destination takes it.
            tokio::time::sleep(LONGEST_PAUSE).await;
        }
    }
}
