//! One budget in bytes for all bodies in hand, so that memory stays bounded whatever is sent.
//!
//! Bytes are taken as they arrive, not as a sender announces them: eight senders that announce
//! 4 MiB and send nothing must not shut out everybody else. The price is that many half-read bodies
//! can fill the budget together with none of them able to finish. So nobody waits for long: who got
//! no room within the [patience](Budget::new) is refused and gives back what it held, which lets
//! the next in line go on.
//!
//! The budget counts the bytes of bodies. A connection's own buffers come on top, bounded by the
//! listener's limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A number of bytes that all reservations share. Clones share it too.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: Arc<Semaphore>,
    capacity: usize,
    patience: Duration,
}

/// There was no room in the budget, and none came free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for {wanted} bytes in the budget of {capacity} bytes; try again later")]
pub struct Exhausted {
    /// How many bytes were asked for.
    pub wanted: usize,
    /// The whole budget, in bytes.
    pub capacity: usize,
}

impl Budget {
    /// A budget of `bytes`; who finds no room waits for at most `patience`, in the order of asking.
    #[must_use]
    pub fn new(bytes: usize, patience: Duration) -> Self {
        let capacity = bytes.min(Semaphore::MAX_PERMITS);
        Self {
            bytes: Arc::new(Semaphore::new(capacity)),
            capacity,
            patience,
        }
    }

    /// The whole budget, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The bytes that nobody holds.
    #[must_use]
    pub fn available(&self) -> usize {
        self.bytes.available_permits()
    }

    /// Takes `bytes` now, or says that there is no room.
    ///
    /// # Errors
    /// [`Exhausted`] when they are not free at this moment.
    pub fn try_reserve(&self, bytes: usize) -> Result<Reservation, Exhausted> {
        let mut reservation = self.nothing();
        reservation.try_grow(bytes)?;
        Ok(reservation)
    }

    /// Takes `bytes`, waiting for room. Dropping the future gives up the place in line.
    ///
    /// # Errors
    /// [`Exhausted`] when they did not come free within the patience, or never can.
    pub async fn reserve(&self, bytes: usize) -> Result<Reservation, Exhausted> {
        let mut reservation = self.nothing();
        reservation.grow(bytes).await?;
        Ok(reservation)
    }

    /// A reservation of no bytes, which can grow.
    pub fn nothing(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            held: None,
        }
    }

    fn exhausted(&self, wanted: usize) -> Exhausted {
        Exhausted {
            wanted,
            capacity: self.capacity,
        }
    }
}

// === impl Reservation ===

/// Bytes taken from a [`Budget`]; dropping it gives them back.
#[derive(Debug)]
#[must_use = "dropping the reservation gives its bytes back"]
pub struct Reservation {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    /// How many bytes this holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// The whole budget that this is part of, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.budget.capacity
    }

    /// Takes `more` bytes now, or says that there is no room and keeps what it has.
    ///
    /// # Errors
    /// [`Exhausted`] when they are not free at this moment.
    pub fn try_grow(&mut self, more: usize) -> Result<(), Exhausted> {
        let permits = u32::try_from(more).map_err(|_| self.budget.exhausted(more))?;
        match Arc::clone(&self.budget.bytes).try_acquire_many_owned(permits) {
            Ok(permit) => {
                self.merge(permit);
                Ok(())
            }
            // The semaphore is never closed.
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                Err(self.budget.exhausted(more))
            }
        }
    }

    /// Takes `more` bytes, waiting for room; keeps what it has either way.
    ///
    /// # Errors
    /// [`Exhausted`] when they did not come free within the budget's patience. What this holds
    /// already is held on: drop the reservation to let others go on.
    pub async fn grow(&mut self, more: usize) -> Result<(), Exhausted> {
        // No timer is armed and no clock read while there is room.
        if self.try_grow(more).is_ok() {
            return Ok(());
        }
        let needed = self.bytes().saturating_add(more);
        if needed > self.budget.capacity {
            return Err(self.budget.exhausted(more));
        }
        let permits = u32::try_from(more).map_err(|_| self.budget.exhausted(more))?;
        let wait = Arc::clone(&self.budget.bytes).acquire_many_owned(permits);
        match tokio::time::timeout(self.budget.patience, wait).await {
            Ok(Ok(permit)) => {
                self.merge(permit);
                Ok(())
            }
            Ok(Err(_)) | Err(_) => Err(self.budget.exhausted(more)),
        }
    }

    fn merge(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
    }
}
