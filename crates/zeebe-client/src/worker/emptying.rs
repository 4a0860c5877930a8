//! For whoever wants to see all work done: is there anything left?

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::Ordering;

use super::{Found, JobWorker};

impl JobWorker {
    /// Polls for all job types as soon as there is a place, and says what was found. Jobs come by
    /// [`JobWorker::next`], as always. While the worker is paused it waits; after a stop it never ends. Where
    /// the engine fails, pauses are the caller's business. Dropping the future loses nothing.
    pub async fn poll_now(&self) -> Found {
        let mut number = 0;
        self.shared.asked_polls.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        let mut polled = self.shared.polled.subscribe();
        let found = polled
            .wait_for(|(answers, _)| *answers >= number)
            .await
            .map(|polled| polled.1.clone());
        match found {
            Ok(found) => found,
            // The sender lives as long as `self`.
            Err(_) => pending().await,
        }
    }

    /// Waits until every job that is held now has ended, or was given up. Dropping the future loses nothing.
    pub async fn settled(&self) {
        let next = self.shared.last_activation.load(Ordering::Relaxed);
        loop {
            let ended = self.shared.ended.notified();
            let mut ended = pin!(ended);
            // From here on no end is missed.
            ended.as_mut().enable();
            if self
                .shared
                .held()
                .keys()
                .all(|activation| *activation >= next)
            {
                return;
            }
            ended.await;
        }
    }
}
