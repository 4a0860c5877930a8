//! Which events are being sent at this moment.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// The events that are being sent, each by a task of its own.
#[derive(Debug, Default)]
pub(super) struct Sending {
    tasks: JoinSet<()>,
    sequences: HashMap<Id, i64>,
}

impl Sending {
    pub(super) fn count(&self) -> usize {
        self.sequences.len()
    }

    pub(super) fn sequences(&self) -> Vec<i64> {
        self.sequences.values().copied().collect()
    }

    pub(super) fn begin(&mut self, sequence: i64, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.sequences.insert(id, sequence);
    }

    /// Waits for one to end; for ever where there is none. Takes away all that have.
    pub(super) async fn some_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            // Its event is in the store still, and is sent anew.
            Err(error) => error.id(),
        };
        self.sequences.remove(&id);
    }
}
