//! Who may send, where anybody is asked.

use std::sync::Arc;
use std::time::SystemTime;

use eventing::{Outcome, Verifier};
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

use super::Refusal;

/// Checks each sender, and counts how that ended.
#[derive(Debug)]
pub struct Senders {
    verifier: Arc<Verifier>,
    checks: Counter<u64>,
}

impl Senders {
    /// Asks for tokens that this verifier takes.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, meter: &Meter) -> Self {
        let checks = meter
            .u64_counter("bridge.senders.checks")
            .with_description("Requests whose sender was checked, by what was found")
            .build();
        for outcome in Outcome::ALL {
            checks.add(0, &[label(outcome)]);
        }
        Self { verifier, checks }
    }

    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let checked = self.verifier.check(headers, SystemTime::now()).await;
        let outcome = checked
            .as_ref()
            .map_or_else(|denied| denied.outcome, |()| Outcome::Allowed);
        self.checks.add(1, &[label(outcome)]);
        match (checked, outcome.status()) {
            (Err(denied), Some(status)) => Err(Refusal {
                status,
                reason: denied.reason,
            }),
            (Ok(()), _) | (Err(_), None) => Ok(()),
        }
    }
}

fn label(outcome: Outcome) -> KeyValue {
    KeyValue::new("outcome", outcome.name())
}
