//! Tasks of the worker that panicked are begun again.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::stats::WorkerHealth;

/// Runs a task to its end, from the beginning again after each panic, with pauses that grow.
///
/// A panic is a mistake of ours, most likely about one answer or one job. To end the program for it would
/// cut off the deliveries under way, which are sound, and meet the same answer after the restart; to let the
/// task be would leave a program that does nothing and looks well. So it goes on, and says so: in the log,
/// and in the health until the engine is heard again.
pub(super) async fn after_panics<F>(
    health: &watch::Sender<WorkerHealth>,
    mut task: impl FnMut() -> F,
) where
    F: Future<Output = ()>,
{
    let mut backoff = Backoff::default();
    loop {
        // What the task owned is dropped with it; what is shared holds under a panic (a map, counters).
        let Err(panic) = AssertUnwindSafe(async { task().await })
            .catch_unwind()
            .await
        else {
            return;
        };
        let reason = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        tracing::error!(
            reason,
            "a task of the job worker panicked and is begun again"
        );
        health.send_replace(WorkerHealth::Failing(format!(
            "a task of the job worker panicked: {reason}"
        )));
        tokio::time::sleep(backoff.next()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_begun_again_and_the_health_says_why() {
        let health = watch::Sender::new(WorkerHealth::Connected);
        let mut begun = 0;
        after_panics(&health, || {
            begun += 1;
            let number = begun;
            let health = &health;
            async move {
                match number {
                    1 => panic!("the answer is {number}"),
                    2 => {
                        let said = health.borrow().clone();
                        assert!(
                            matches!(&said, WorkerHealth::Failing(reason) if reason.ends_with("the answer is 1")),
                            "{said:?}"
                        );
                    }
                    _ => unreachable!("it ended"),
                }
            }
        })
        .await;
        assert_eq!(begun, 2);
    }
}
