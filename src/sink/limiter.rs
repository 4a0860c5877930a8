//! How many commands may be in flight: fewer while the engine says that it is busy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A limit that shrinks by a tenth when the engine refuses for backpressure and grows by one with each
/// window of successes, like a congestion window. Commands above it wait here, where waiting is
/// cheap, instead of adding to the engine's load.
///
/// All that was in flight when the engine had enough is refused together, and says the same thing
/// once: only a command that was sent after the limit shrank can shrink it further. Otherwise the
/// first full burst would take it down to one, and thousands of successes to get up again.
#[derive(Debug)]
pub(super) struct Limiter {
    permits: Arc<Semaphore>,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits to withdraw as they come back.
    excess: usize,
    successes: usize,
    /// How often the limit has shrunk.
    shrunk: u64,
}

/// A place among the commands in flight, to be given back by [`Limiter::done`].
#[derive(Debug)]
pub(super) struct Place {
    permit: OwnedSemaphorePermit,
    /// How often the limit had shrunk when the place was taken.
    shrunk: u64,
}

/// What a command taught about the engine's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lesson {
    Success,
    Backpressure,
    Nothing,
}

impl Limiter {
    pub(super) fn new(most: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(most)),
            most,
            state: Mutex::new(State {
                limit: most,
                excess: 0,
                successes: 0,
                shrunk: 0,
            }),
        }
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Option<Place> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => Arc::clone(&self.permits).acquire_owned().await.ok()?,
        };
        let shrunk = self.state().shrunk;
        Some(Place { permit, shrunk })
    }

    /// Gives a place back, with what its command taught.
    pub(super) fn done(&self, place: Place, lesson: Lesson) {
        let mut state = self.state();
        match lesson {
            Lesson::Nothing => {}
            Lesson::Success => {
                state.successes += 1;
                if state.successes >= state.limit {
                    state.successes = 0;
                    if state.limit < self.most {
                        state.limit += 1;
                        if state.excess > 0 {
                            state.excess -= 1
                        } else {
                            self.permits.add_permits(1)
                        }
                    }
                }
            }
            Lesson::Backpressure if place.shrunk < state.shrunk => {}
            Lesson::Backpressure => {
                state.shrunk += 1;
                state.successes = 0;
                let lower = (state.limit - state.limit.div_ceil(10)).max(1);
                state.excess += state.limit - lower;
                state.limit = lower;
            }
        }
        if state.excess > 0 {
            state.excess -= 1;
            place.permit.forget();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn limit(&self) -> usize {
        self.state().limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn backpressure_shrinks_the_limit_and_success_restores_it() {
        let limiter = Limiter::new(20);
        for _ in 0..200 {
            let place = limiter.place().await.expect("open");
            limiter.done(place, Lesson::Backpressure);
        }
        assert_eq!(limiter.limit(), 1, "it never falls to nothing");
        assert_eq!(limiter.permits.available_permits(), 1);
        for _ in 0..1000 {
            let place = limiter.place().await.expect("open");
            limiter.done(place, Lesson::Success);
        }
        assert_eq!(limiter.limit(), 20, "and never rises above the most");
        assert_eq!(limiter.permits.available_permits(), 20);
    }

    #[tokio::test]
    async fn what_was_in_flight_together_shrinks_the_limit_once() {
        let limiter = Limiter::new(20);
        let mut burst = Vec::new();
        for _ in 0..20 {
            burst.push(limiter.place().await.expect("open"));
        }
        for place in burst {
            limiter.done(place, Lesson::Backpressure);
        }
        assert_eq!(limiter.limit(), 18);
        assert_eq!(limiter.permits.available_permits(), 18);
        let later = limiter.place().await.expect("open");
        limiter.done(later, Lesson::Backpressure);
        assert_eq!(limiter.limit(), 16, "but one that was sent afterwards does");
    }
}
