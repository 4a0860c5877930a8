//! Which events are being sent at this moment.

use std::collections::HashMap;

use super::Row;
use tokio::task::{Id, JoinError, JoinSet};

/// An event that is being sent.
#[derive(Debug)]
pub(super) struct Under {
    sequence: i64,
    /// It was put aside before.
    again: bool,
}

impl Under {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            sequence: row.sequence,
            again: row.attempts > 0,
        }
    }
}

/// The events that are being sent, each by a task of its own.
#[derive(Debug, Default)]
pub(super) struct Sending {
    tasks: JoinSet<()>,
    events: HashMap<Id, Under>,
}

impl Sending {
    pub(super) fn count(&self) -> usize {
        self.events.len()
    }

    /// How many of them were put aside before.
    pub(super) fn count_again(&self) -> usize {
        self.events.values().filter(|under| under.again).count()
    }

    pub(super) fn sequences(&self) -> Vec<i64> {
        self.events.values().map(|under| under.sequence).collect()
    }

    pub(super) fn begin(&mut self, event: Under, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.events.insert(id, event);
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
        self.events.remove(&id);
    }
}
