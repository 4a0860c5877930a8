//! A job in hand, and what writes down what becomes of it.

use std::ops::{Deref, DerefMut};

use eventing::Attempt;
use http::HeaderMap;
use runtime::telemetry::traces::TraceId;
use zeebe_client::HeldJob;

use crate::decisions::{Decision, Decisions, Pen, Role};

/// The outcome of a delivery that is tried again while its job is held.
const RETRIED: &str = "retried";

/// A job that is worked; all that it can do, this can.
#[derive(Debug)]
pub(super) struct InHand {
    job: HeldJob,
    pen: Pen,
    /// What the destination answered last, if it did.
    status: Option<u16>,
    retries: u32,
}

impl InHand {
    pub(super) fn new(job: HeldJob, decisions: &Decisions) -> Self {
        Self {
            pen: decisions.about(|| about(&job)),
            job,
            status: None,
            retries: 0,
        }
    }

    /// The event of the job is made: these are its HTTP headers. `trace` is the trace that it leaves in, where
    /// there is one; else it leaves in the one that it was made in.
    pub(super) fn becomes(
        &mut self,
        headers: &HeaderMap,
        trace: Option<TraceId>,
        decisions: &Decisions,
    ) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        self.pen = decisions.about(|| Decision {
            source: text("ce-source").unwrap_or_default().into(),
            ty: text("ce-type").unwrap_or_default().into(),
            trace: match trace {
                Some(trace) => trace.to_string().as_str().into(),
                None => text("traceparent")
                    .and_then(|parent| parent.get(3..35))
                    .unwrap_or_default()
                    .into(),
            },
            ..about(&self.job)
        });
    }

    pub(super) fn answered(&mut self, attempt: &Attempt) {
        self.status = match attempt {
            Attempt::Accepted { status, .. } | Attempt::Answered { status, .. } => {
                Some(status.as_u16())
            }
            Attempt::NotReached { .. } => None,
        };
    }

    /// The delivery failed and is tried again.
    pub(super) fn again(&mut self, attempt: &Attempt) {
        self.answered(attempt);
        self.write(RETRIED);
        self.retries += 1;
    }

    /// The job ended so.
    pub(super) fn ended(&self, outcome: &'static str) {
        self.write(outcome);
    }

    /// What the destination answered last, if it did.
    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    fn write(&self, outcome: &'static str) {
        self.pen.decided(|decision| {
            decision.outcome = outcome;
            decision.status = self.status;
            decision.retries = self.retries;
        });
    }
}

/// The event's id is the job's key.
fn about(job: &HeldJob) -> Decision {
    let job = job.job();
    Decision {
        role: Role::Source,
        id: (&*job.key.to_string()).into(),
        job: Some(job.key.0),
        process_instance: Some(job.process_instance_key),
        element: (&*job.element_id).into(),
        ..Decision::default()
    }
}

impl Deref for InHand {
    type Target = HeldJob;

    fn deref(&self) -> &HeldJob {
        &self.job
    }
}

impl DerefMut for InHand {
    fn deref_mut(&mut self) -> &mut HeldJob {
        &mut self.job
    }
}
