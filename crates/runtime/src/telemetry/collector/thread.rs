//! The thread that sends.

use std::sync::mpsc::sync_channel;
use std::thread;

use super::exporter::Exporter;
use crate::telemetry::otel::Collector;

/// Why telemetry cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The collector's settings; names the variable.
    #[error("{0}")]
    Collector(String),
    /// The operating system refuses a thread.
    #[error("cannot start the thread `{name}`: {cause}")]
    Thread {
        /// What it was to be called.
        name: &'static str,
        /// Its reason.
        #[source]
        cause: std::io::Error,
    },
}

/// Starts a thread that sends as long as `send` goes on; `method` is the collector's for gRPC, `/SERVICE/METHOD`.
///
/// # Errors
/// See [`StartError`].
pub(in crate::telemetry) fn start<F>(
    name: &'static str,
    method: &'static str,
    collector: &Collector,
    send: impl FnOnce(Exporter) -> F + Send + 'static,
) -> Result<(), StartError>
where
    F: Future<Output = ()>,
{
    let (ready, started) = sync_channel(1);
    let collector = collector.clone();
    let body = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(cause) => {
                let _ = ready.send(Err(StartError::Thread { name, cause }));
                return;
            }
        };
        runtime.block_on(async {
            // Made here, since what it is made of belongs to the runtime that it is made in.
            match Exporter::new(&collector, method) {
                Ok(exporter) => {
                    let _ = ready.send(Ok(()));
                    send(exporter).await;
                }
                Err(problem) => {
                    let _ = ready.send(Err(StartError::Collector(problem)));
                }
            }
        });
        runtime.shutdown_background();
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|cause| StartError::Thread { name, cause })?;
    started.recv().unwrap_or_else(|_| {
        Err(StartError::Collector(format!(
            "the thread `{name}` has ended"
        )))
    })
}
