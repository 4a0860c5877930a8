//! What waits, sent at a program's end.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// Has what waits sent at a program's end.
#[derive(Debug)]
pub struct Flush {
    thread: mpsc::Sender<oneshot::Sender<()>>,
    what: &'static str,
}

/// Of the thread that sends: who waits until it has.
pub(in crate::telemetry) type Asked = mpsc::Receiver<oneshot::Sender<()>>;

/// A way to ask for a flush; `what` is what is sent, as the log calls it.
pub(in crate::telemetry) fn flush(what: &'static str) -> (Flush, Asked) {
    let (thread, asked) = mpsc::channel(1);
    (Flush { thread, what }, asked)
}

impl Flush {
    /// Waits until all that there is was sent, or given up, for at most `limit`. Whether it was is in the log,
    /// and for spans in the metrics.
    pub async fn within(&self, limit: Duration) {
        let (done, sent) = oneshot::channel();
        let flushing = async {
            if self.thread.send(done).await.is_ok() {
                let _ = sent.await;
            }
        };
        if tokio::time::timeout(limit, flushing).await.is_err() {
            tracing::warn!(
                limit_seconds = limit.as_secs_f32(),
                "the collector takes no {what}; the last ones are lost",
                what = self.what
            );
        }
    }
}
