//! The event that a job becomes, ready to be sent.

use std::sync::Arc;

use cloudevents_http::{Message, into_binary};
use eventing::spans::Described;
use zeebe_client::HeldJob;

use super::Bench;
use crate::source::event::{self, Travelled};
use crate::source::task::{Task, TaskError};

/// An event on its way.
pub(super) struct Parcel {
    pub(super) task: Arc<Task>,
    pub(super) message: Message,
    pub(super) described: Described,
}

impl Bench {
    pub(super) fn parcel(
        &self,
        job: &HeldJob,
        variables: &str,
        travelled: &Travelled,
    ) -> Result<Parcel, TaskError> {
        let job = job.job();
        let task = self.tasks.of(job)?;
        let source = &self.config.event_source;
        let mut event = event::build(job, &task, source, variables, travelled)?;
        let hops = travelled.hops();
        if hops > self.config.hop_limit {
            self.metrics.looped();
            return Err(TaskError::new(
                "hops",
                format!(
                    "the event went through processes {} times, more than the limit of {}: events and processes start each other in a loop",
                    hops, self.config.hop_limit
                ),
            ));
        }
        self.binding.apply_overrides(&mut event);
        let described = self.traces.describe(&event, travelled);
        let mut message =
            into_binary(event).map_err(|error| TaskError::new("event", error.to_string()))?;
        self.traces.pass_on(travelled, &mut message.headers);
        Ok(Parcel {
            task,
            message,
            described,
        })
    }
}
