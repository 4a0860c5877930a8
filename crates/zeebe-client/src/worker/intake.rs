//! What becomes of a job that arrived: to whoever waits for one, or back.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::mpsc;

use super::Shared;
use super::backoff::Backoff;
use super::held::{Ended, HeldJob};
use super::lock::Standing;
use super::stats::count;

/// So many hand-backs are under way at one time.
const CONCURRENT: usize = 16;

/// Passes a job on. One that may have used a third of its time on the way is renewed first: if the engine
/// refuses, somebody else has it. One whose time may be over is left alone, since a renewal could not
/// tell our activation from that of another. Returns whether it was passed on.
pub(super) async fn admit(
    shared: &Shared,
    job: HeldJob,
    jobs: &mpsc::UnboundedSender<HeldJob>,
) -> bool {
    let mut backoff = Backoff::default();
    loop {
        match job.standing() {
            Standing::Fresh => {
                // The receiver lives as long as the worker; what it never reads is handed back by `stop`.
                let _ = jobs.send(job);
                return true;
            }
            Standing::Aging => job.renew().await,
            Standing::Over => {
                leave(shared, job);
                return false;
            }
        }
        if job.standing() == Standing::Aging {
            tokio::time::sleep(backoff.next()).await;
        }
    }
}

/// Forgets a job whose activation may be over: it comes back, to us or to another.
pub(super) fn leave(shared: &Shared, job: HeldJob) {
    count(&shared.stats.stale, 1);
    tracing::debug!(
        job_key = job.job().key.0,
        "a job came too late to be worked"
    );
    drop(job);
}

/// Gives back what nobody took, each unless its activation may be over.
pub(super) async fn hand_back(jobs: Vec<HeldJob>, reason: &str) {
    stream::iter(jobs)
        .for_each_concurrent(CONCURRENT, |mut job| async move {
            match job.hand_back(reason, Duration::ZERO).await {
                Ended::Done | Ended::GoneAlready => {}
                Ended::TooLate | Ended::Refused(_) => tracing::debug!(
                    job_key = job.job().key.0,
                    "a job that nobody took comes back when its activation runs out"
                ),
            }
        })
        .await;
}
