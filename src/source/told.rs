//! Which of the jobs that were not done are named in the log: of each kind one a second, which says how many it
//! stands for. An outage or a consumer that refuses all it gets must not fill the log; the metrics count every job.

use super::in_hand::InHand;
use super::metrics::{HAND_BACK, INCIDENT, USE_RETRY};
use crate::recipient::Refusals;

/// What the log has heard.
#[derive(Debug, Default)]
pub(super) struct Told {
    incidents: Refusals,
    retries: Refusals,
    hand_backs: Refusals,
}

/// A line about a job, by its identifiers and why.
macro_rules! tell {
    ($level:ident, $in_hand:expr, $why:expr, $passed_over:expr, $text:literal) => {{
        let job = $in_hand.job();
        let key = job.key.0;
        tracing::$level!(
            job_key = key,
            job_type = job.job_type,
            element_id = job.element_id,
            process_id = job.bpmn_process_id,
            process_instance_key = job.process_instance_key,
            // The event's id is the job's key.
            event_id = key.to_string(),
            status = $in_hand.status(),
            reason = $why,
            passed_over = $passed_over,
            $text
        );
    }};
}

impl Told {
    /// A job ended so since it was not done: `why` holds nobody's data. Whether it is named.
    pub(super) fn ended(&self, job: &InHand, how: &'static str, why: &str) -> bool {
        let of_kind = match how {
            INCIDENT => &self.incidents,
            USE_RETRY => &self.retries,
            HAND_BACK => &self.hand_backs,
            _ => return false,
        };
        let Some(passed_over) = of_kind.turn() else {
            return false;
        };
        match how {
            INCIDENT => tell!(warn, job, why, passed_over, "a job became an incident"),
            USE_RETRY => tell!(info, job, why, passed_over, "a job used one of its retries"),
            _ => tell!(info, job, why, passed_over, "a job was handed back"),
        }
        true
    }
}
