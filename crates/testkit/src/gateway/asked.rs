//! What was asked of the gateway.

use std::any::Any;
use std::sync::atomic::Ordering;
use std::time::Duration;

use zeebe_client::protocol::{
    BroadcastSignalRequest, CancelProcessInstanceRequest, CompleteJobRequest,
    CreateProcessInstanceRequest, FailJobRequest, PublishMessageRequest, SetVariablesRequest,
    ThrowErrorRequest, UpdateJobTimeoutRequest,
};

use super::FakeGateway;
use super::fast::Fast;
use super::fault::known;

/// How long a condition is awaited before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was asked of it.
impl FakeGateway {
    /// How many calls of this RPC arrived, those that were refused included.
    ///
    /// # Panics
    /// When there is no such RPC.
    #[must_use]
    pub fn calls(&self, rpc: &str) -> usize {
        self.shared.look(|state| state.records.calls(known(rpc)))
    }

    /// All requests of this kind that arrived, in order, those that were refused included.
    #[must_use]
    pub fn arrived<R: Any + Clone>(&self) -> Vec<R> {
        self.shared.look(|state| state.records.of_type(false))
    }

    /// All requests of this kind that had their effect, in order.
    #[must_use]
    pub fn taken<R: Any + Clone>(&self) -> Vec<R> {
        self.shared.look(|state| state.records.of_type(true))
    }

    /// The messages that were buffered; duplicates are not.
    #[must_use]
    pub fn published(&self) -> Vec<PublishMessageRequest> {
        self.taken()
    }

    /// The process instances that were created.
    #[must_use]
    pub fn created(&self) -> Vec<CreateProcessInstanceRequest> {
        self.taken()
    }

    /// The signals that were broadcast.
    #[must_use]
    pub fn broadcast(&self) -> Vec<BroadcastSignalRequest> {
        self.taken()
    }

    /// The variables that were set.
    #[must_use]
    pub fn variables_set(&self) -> Vec<SetVariablesRequest> {
        self.taken()
    }

    /// The process instances that were cancelled.
    #[must_use]
    pub fn cancelled(&self) -> Vec<CancelProcessInstanceRequest> {
        self.taken()
    }

    /// The jobs that were completed.
    #[must_use]
    pub fn completed(&self) -> Vec<CompleteJobRequest> {
        self.taken()
    }

    /// The jobs that were failed, hand-backs included.
    #[must_use]
    pub fn failed(&self) -> Vec<FailJobRequest> {
        self.taken()
    }

    /// The errors that were thrown.
    #[must_use]
    pub fn thrown(&self) -> Vec<ThrowErrorRequest> {
        self.taken()
    }

    /// The activations that were prolonged.
    #[must_use]
    pub fn prolonged(&self) -> Vec<UpdateJobTimeoutRequest> {
        self.taken()
    }

    /// A header of the last call, such as `authorization`.
    #[must_use]
    pub fn last_header(&self, name: &str) -> Option<String> {
        self.shared.look(|state| {
            let value = state.records.last_metadata.get(name)?;
            Some(value.to_str().ok()?.to_owned())
        })
    }

    /// Waits until `condition` holds of this gateway; looked at again after each change.
    ///
    /// # Panics
    /// When it does not hold within a minute.
    pub async fn wait_for(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        let holds = async {
            while !condition(self) {
                changed
                    .changed()
                    .await
                    .expect("the gateway is borrowed here");
            }
        };
        if tokio::time::timeout(PATIENCE, holds).await.is_err() {
            panic!("the gateway has not seen within {PATIENCE:?}: {what}");
        }
    }

    /// Messages published to a [fast](Self::fast) gateway.
    #[must_use]
    pub fn count_published(&self) -> u64 {
        self.count(|fast| fast.published.load(Ordering::Relaxed))
    }

    /// Jobs completed at a [fast](Self::fast) gateway.
    #[must_use]
    pub fn count_completed(&self) -> u64 {
        self.count(|fast| fast.completed.load(Ordering::Relaxed))
    }

    /// Jobs failed at a [fast](Self::fast) gateway.
    #[must_use]
    pub fn count_failed(&self) -> u64 {
        self.count(|fast| fast.failed.load(Ordering::Relaxed))
    }

    fn count(&self, counter: impl FnOnce(&Fast) -> u64) -> u64 {
        self.shared.fast.as_ref().map_or(0, counter)
    }
}
