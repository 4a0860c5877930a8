//! How many commands may be in flight: fewer while the engine says that it is busy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::line::Line;

/// A limit that shrinks by a tenth when the engine refuses for backpressure and grows by one with each
/// window of successes, like a congestion window. Commands above it wait here, where waiting is
/// cheap, instead of adding to the engine's load. Those whose event was refused before go first.
///
/// All that was in flight when the engine had enough is refused together, and says the same thing
/// once: only a command that was sent after the limit shrank can shrink it further. Otherwise the
/// first full burst would take it down to one, and thousands of successes to get up again.
#[derive(Debug, Clone)]
pub(super) struct Limiter {
    most: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    in_flight: usize,
    successes: usize,
    /// How often the limit has shrunk.
    shrunk: u64,
    line: Line<Place>,
}

/// A place among the commands in flight; it is free again once this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    limiter: Limiter,
    /// How often the limit had shrunk when the place was taken.
    shrunk: u64,
    lesson: Lesson,
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
            most,
            state: Arc::new(Mutex::new(State {
                limit: most,
                in_flight: 0,
                successes: 0,
                shrunk: 0,
                line: Line::default(),
            })),
        }
    }

    /// Waits for a place, before all whose event was refused less often. Dropping the future gives it up.
    pub(super) async fn place(&self, refusals: u32) -> Place {
        loop {
            let waiting = {
                let mut state = self.state();
                // Whoever stands in line got a place as soon as there was one.
                if state.in_flight < state.limit {
                    state.in_flight += 1;
                    return self.place_of(&state);
                }
                state.line.join(refusals)
            };
            // The line lives as long as this does; it lets nobody go without a place.
            if let Ok(place) = waiting.await {
                return place;
            }
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().line.len()
    }

    fn place_of(&self, state: &State) -> Place {
        Place {
            limiter: self.clone(),
            shrunk: state.shrunk,
            lesson: Lesson::Nothing,
        }
    }

    /// Takes a place back, and gives away what there is.
    fn give_back(&self, shrunk: u64, lesson: Lesson) {
        let mut next: Vec<(oneshot::Sender<Place>, Place)> = Vec::new();
        {
            let mut state = self.state();
            state.in_flight -= 1;
            state.learn(self.most, shrunk, lesson);
            while state.in_flight < state.limit
                && let Some(waiting) = state.line.next()
            {
                state.in_flight += 1;
                next.push((waiting, self.place_of(&state)));
            }
        }
        for (waiting, place) in next {
            // One that has just left drops its place, which comes back here.
            let _ = waiting.send(place);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn learn(&mut self, most: usize, shrunk: u64, lesson: Lesson) {
        match lesson {
            Lesson::Nothing => {}
            Lesson::Success => {
                self.successes += 1;
                if self.successes >= self.limit {
                    self.successes = 0;
                    self.limit = (self.limit + 1).min(most);
                }
            }
            Lesson::Backpressure if shrunk < self.shrunk => {}
            Lesson::Backpressure => {
                self.shrunk += 1;
                self.successes = 0;
                self.limit = (self.limit - self.limit.div_ceil(10)).max(1);
            }
        }
    }
}

impl Place {
    /// Gives the place back, with what its command taught.
    pub(super) fn done(mut self, lesson: Lesson) {
        self.lesson = lesson;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limiter.give_back(self.shrunk, self.lesson);
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    async fn fill(limiter: &Limiter, places: usize) -> Vec<Place> {
        let mut taken = Vec::new();
        for _ in 0..places {
            taken.push(limiter.place(0).await);
        }
        taken
    }

    #[tokio::test]
    async fn backpressure_shrinks_the_limit_and_success_restores_it() {
        let limiter = Limiter::new(20);
        for _ in 0..200 {
            limiter.place(0).await.done(Lesson::Backpressure);
        }
        assert_eq!(limiter.state().limit, 1, "it never falls to nothing");
        for _ in 0..1000 {
            limiter.place(0).await.done(Lesson::Success);
        }
        assert_eq!(limiter.state().limit, 20, "and never rises above the most");
        assert_eq!(limiter.state().in_flight, 0);
    }

    #[tokio::test]
    async fn what_was_in_flight_together_shrinks_the_limit_once() {
        let limiter = Limiter::new(20);
        for place in fill(&limiter, 20).await {
            place.done(Lesson::Backpressure);
        }
        assert_eq!(limiter.state().limit, 18);
        limiter.place(0).await.done(Lesson::Backpressure);
        assert_eq!(
            limiter.state().limit,
            16,
            "but one that was sent afterwards does"
        );
    }

    #[tokio::test]
    async fn a_limit_that_shrank_lets_nobody_in_before_enough_have_gone() {
        let limiter = Limiter::new(20);
        let mut busy = fill(&limiter, 20).await;
        busy.pop().expect("a place").done(Lesson::Backpressure);
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.place(0).await }
        });
        yield_now().await;
        assert_eq!(limiter.state().limit, 18);
        assert_eq!(limiter.state().in_flight, 19);
        busy.pop();
        yield_now().await;
        assert!(!waiting.is_finished());
        busy.pop();
        waiting.await.expect("a place");
    }

    #[tokio::test]
    async fn who_was_refused_more_often_goes_first_and_the_others_in_the_order_in_which_they_came()
    {
        let limiter = Limiter::new(1);
        let only = limiter.place(0).await;
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        let mut all = tokio::task::JoinSet::new();
        for (name, refusals) in [("a", 0), ("b", 1), ("c", 0), ("d", 2), ("e", 1)] {
            let (limiter, order) = (limiter.clone(), Arc::clone(&order));
            all.spawn(async move {
                let _place = limiter.place(refusals).await;
                order.lock().expect("the order").push(name);
            });
            yield_now().await;
        }
        assert_eq!(limiter.waiting(), 5);
        drop(only);
        while all.join_next().await.is_some() {}
        assert_eq!(*order.lock().expect("the order"), ["d", "b", "e", "a", "c"]);
    }

    #[tokio::test]
    async fn who_gave_up_waiting_keeps_no_place_and_no_memory() {
        let limiter = Limiter::new(1);
        let only = limiter.place(0).await;
        for _ in 0..10_000 {
            let waiting = limiter.place(0);
            tokio::pin!(waiting);
            assert!(futures_util::poll!(waiting).is_pending());
        }
        assert!(limiter.waiting() < 1_000, "{}", limiter.waiting());
        // One that leaves after the place was given to it, and before it took it.
        let mut given = Box::pin(limiter.place(0));
        assert!(futures_util::poll!(&mut given).is_pending());
        drop(only);
        drop(given);
        drop(limiter.place(0).await);
        assert_eq!(limiter.state().in_flight, 0);
    }
}
