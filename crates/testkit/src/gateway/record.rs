//! What was asked of the gateway.

use std::any::Any;
use std::collections::HashMap;

use tonic::metadata::MetadataMap;

/// Every call that arrived, and what it asked for.
#[derive(Default)]
pub(super) struct Records {
    calls: HashMap<&'static str, usize>,
    requests: Vec<Request>,
    pub(super) last_metadata: MetadataMap,
}

struct Request {
    message: Box<dyn Any + Send>,
    taken: bool,
}

impl Records {
    /// Notes a call and returns its place.
    pub(super) fn arrived(
        &mut self,
        rpc: &'static str,
        message: impl Any + Send,
        metadata: &MetadataMap,
    ) -> usize {
        *self.calls.entry(rpc).or_default() += 1;
        self.last_metadata = metadata.clone();
        self.requests.push(Request {
            message: Box::new(message),
            taken: false,
        });
        self.requests.len() - 1
    }

    pub(super) fn took(&mut self, place: usize) {
        if let Some(request) = self.requests.get_mut(place) {
            request.taken = true;
        }
    }

    pub(super) fn calls(&self, rpc: &'static str) -> usize {
        self.calls.get(rpc).copied().unwrap_or_default()
    }

    pub(super) fn of_type<R: Any + Clone>(&self, taken_only: bool) -> Vec<R> {
        self.requests
            .iter()
            .filter(|request| request.taken || !taken_only)
            .filter_map(|request| request.message.downcast_ref::<R>())
            .cloned()
            .collect()
    }
}
