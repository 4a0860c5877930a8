//! While the destination is away, nothing is activated and one job probes.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Whether the destination is away.
#[derive(Debug)]
pub(super) struct Outage {
    probed: AtomicBool,
    trouble: watch::Sender<Option<String>>,
}

/// The right, and the duty, to try the destination until it answers.
#[derive(Debug)]
pub(super) struct Probe<'a>(&'a Outage);

impl Outage {
    pub(super) fn new() -> Self {
        Self {
            probed: AtomicBool::new(false),
            trouble: watch::Sender::new(None),
        }
    }

    /// Begins or goes on with an outage; the first who notices becomes the probe.
    pub(super) fn noticed(&self, what: &str) -> Option<Probe<'_>> {
        let probe = !self.probed.swap(true, Ordering::AcqRel);
        self.trouble.send_replace(Some(what.to_owned()));
        // Not `then_some`: a probe that is made and dropped ends the outage.
        probe.then(|| Probe(self))
    }

    /// What the destination last said, while it is away.
    pub(super) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.trouble.send_replace(None);
        self.0.probed.store(false, Ordering::Release);
    }
}
