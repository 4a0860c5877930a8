//! Whether the token is there that the destination asks for. Where configuration says that it asks for one
//! (`BRIDGE_OIDC_TOKEN_REQUIRED`), there is no destination before the token: Knative brings `K_SINK` first, and to what
//! is sent without the token the Broker answers 401, which would be this job's answer for good.

use std::sync::Arc;
use std::time::Duration;

use runtime::shutdown::Shutdown;

use super::work::Bench;

/// Between looks at the file. A kubelet takes a minute to change it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps what is known of the token up to date until the shutdown; needs no task where none is required.
pub(super) fn watch(bench: &Arc<Bench>, shutdown: &Shutdown) {
    if !bench.binding.requires_token() {
        return;
    }
    let (bench, stop) = (Arc::clone(bench), shutdown.clone());
    shutdown.spawn(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.requested() => return,
            }
            bench.look_for_token();
        }
    });
}

impl Bench {
    /// Whether nothing is missing to send with; jobs are activated accordingly.
    pub(super) fn look_for_token(&self) -> bool {
        match self.binding.missing_token() {
            None => {
                self.outage.open();
                true
            }
            Some(missing) => {
                self.no_token(&missing);
                false
            }
        }
    }

    pub(super) fn no_token(&self, missing: &str) {
        self.outage.shut(format!(
            "{missing}, and BRIDGE_OIDC_TOKEN_REQUIRED asks for it: the source waits for the token that a SinkBinding brings"
        ));
    }
}
