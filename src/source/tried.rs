//! Which jobs' events were sent before: the engine keeps no count of hand-backs, nor of what they were about.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use zeebe_client::JobKey;

use super::outcome::Ending;

/// So many jobs are remembered; beyond it the memory begins anew.
const MOST_JOBS: usize = 4096;

/// The jobs whose event was sent by this program, and is to be sent again.
#[derive(Debug, Default)]
pub(super) struct Tried(Mutex<HashSet<JobKey>>);

impl Tried {
    /// The event of a job was sent, and this is what it means: whether it was sent before.
    pub(super) fn before(&self, job: JobKey, ending: &Ending) -> bool {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ending {
            Ending::Complete | Ending::ThrowError(_) | Ending::Incident => {
                !jobs.is_empty() && jobs.remove(&job)
            }
            Ending::HandBack(_) | Ending::UseRetry => {
                if jobs.len() == MOST_JOBS && !jobs.contains(&job) {
                    jobs.clear();
                }
                !jobs.insert(job)
            }
        }
    }
}
