//! Where an event goes, and how many jobs one destination may keep busy.
//!
//! Most go to the destination that all jobs share, `K_SINK`. A task may name one of its own where
//! configuration allows it. One of those that hangs must not take the places of all others: each has half
//! of the capacity at most, and all of them together three quarters.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::task::Task;
use crate::config::{AllowedDestination, SourceConfig};

/// How long a job waits for a place before it is handed back. So short that jobs for a destination that
/// hangs do not keep others out, and long enough that a busy one is not offered each job many times.
const PATIENCE: Duration = Duration::from_secs(1);

/// All destinations there are.
#[derive(Debug)]
pub(super) struct Destinations {
    shared: Uri,
    own: Vec<Own>,
    /// Of all own destinations together.
    places: Arc<Semaphore>,
}

#[derive(Debug)]
struct Own {
    allowed: AllowedDestination,
    places: Arc<Semaphore>,
}

/// Where the event of one job goes.
#[derive(Debug)]
pub(super) enum Destination<'a> {
    /// Where all go that name none.
    Shared(&'a Uri),
    /// Where its task says.
    Own(OwnDestination<'a>),
}

/// A destination of a task's own.
#[derive(Debug)]
pub(super) struct OwnDestination<'a> {
    pub(super) uri: &'a Uri,
    places: [&'a Arc<Semaphore>; 2],
}

/// A place at a destination of a task's own, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permits: [OwnedSemaphorePermit; 2],
}

impl Destinations {
    pub(super) fn new(shared: &Uri, config: &SourceConfig) -> Self {
        let capacity = config.max_jobs_active;
        let places = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        Self {
            shared: shared.clone(),
            own: config
                .allowed_destinations
                .iter()
                .map(|allowed| Own {
                    allowed: allowed.clone(),
                    places: places(capacity / 2),
                })
                .collect(),
            places: places(capacity - capacity.div_ceil(4)),
        }
    }

    /// The task's own destination only where configuration allows it.
    pub(super) fn of<'a>(&'a self, task: &'a Task) -> Destination<'a> {
        let Some(uri) = task.host.as_ref().filter(|host| **host != self.shared) else {
            return Destination::Shared(&self.shared);
        };
        match self.own.iter().find(|own| own.allowed.holds(uri)) {
            Some(own) => Destination::Own(OwnDestination {
                uri,
                places: [&own.places, &self.places],
            }),
            None => Destination::Shared(&self.shared),
        }
    }
}

impl OwnDestination<'_> {
    /// Waits a little for a place; `None` where there is none.
    pub(super) async fn place(&self) -> Option<Place> {
        let [own, all] = self.places;
        let permits = async {
            // Closed they never are.
            let own = Arc::clone(own).acquire_owned().await.ok()?;
            let all = Arc::clone(all).acquire_owned().await.ok()?;
            Some(Place {
                _permits: [own, all],
            })
        };
        tokio::time::timeout(PATIENCE, permits).await.ok()?
    }
}
