//! How old the activation of a job can be that is read from a stream.
//!
//! What is pushed is activated when it is pushed, and may then lie: in the gateway, on the way, and with
//! us until there is room. The job's own deadline is told by the engine's clock, which is not ours. So
//! the age is bounded by what can be seen from here, and rather too high than too low:
//!
//! - The stream was seen empty, and seen empty again a little later ([`SETTLED`]): whatever was on its way
//!   the first time has arrived and been read by the second. So what is read from then on was pushed after
//!   the first. Jobs that come in between change nothing.
//! - A stream that is never empty is read in order. What lies on the way is bounded by the window: a job
//!   with more than that before it was pushed after what came so long before it had been read.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything is on its way.
pub(super) const SETTLED: Duration = Duration::from_millis(100);
/// Between two looks at a stream that was watched; after more the whole program was held up, and what
/// came meanwhile may not have been seen.
const WATCHED: Duration = Duration::from_millis(500);
/// The window is not all that lies on the way: the gateway and proxies keep some of their own.
const WINDOWS: u64 = 4;

#[derive(Debug)]
pub(super) struct Age {
    /// Whatever is read now was pushed after this.
    since: Instant,
    /// When it was seen empty, lately.
    empty: VecDeque<Instant>,
    looked_at: Instant,
    /// What can lie on the way, but for the one message that is above it.
    on_the_way: u64,
    largest: u64,
    /// Bytes read since the stream was opened.
    read: u64,
    /// How much had been read at some moments.
    marks: VecDeque<(Instant, u64)>,
}

impl Age {
    /// Of a stream that is opened now, with a window of so many bytes.
    pub(super) fn of_new(window: u32) -> Self {
        let now = Instant::now();
        Self {
            since: now,
            empty: VecDeque::new(),
            looked_at: now,
            on_the_way: u64::from(window) * WINDOWS,
            largest: 0,
            read: 0,
            marks: VecDeque::new(),
        }
    }

    /// There was nothing to read just now.
    pub(super) fn saw_nothing(&mut self) {
        let now = self.look();
        while let Some(when) = self.empty.front().copied()
            && now - when >= SETTLED
        {
            self.since = self.since.max(when);
            self.empty.pop_front();
        }
        // A few of them are fine enough.
        let last = self.empty.back();
        if last.is_none_or(|last| now - *last >= SETTLED / 4) {
            self.empty.push_back(now);
        }
    }

    /// Now. After a time without a look, what was seen before says nothing.
    fn look(&mut self) -> Instant {
        let now = Instant::now();
        if now - self.looked_at > WATCHED {
            self.empty.clear();
        }
        self.looked_at = now;
        now
    }

    /// A job with so many bytes was read: since when it can be activated at the earliest.
    pub(super) fn read(&mut self, bytes: u64) -> Instant {
        let now = self.look();
        let before_it = self.read;
        self.read += bytes;
        self.largest = self.largest.max(bytes);
        let most = self.on_the_way + self.largest;
        while let Some((when, read)) = self.marks.front().copied()
            && read + most <= before_it
        {
            self.since = self.since.max(when);
            self.marks.pop_front();
        }
        // Some dozens at a time are fine enough.
        let last = self.marks.back().map(|(_, read)| *read);
        if last.is_none_or(|last| last + most / 32 <= self.read) {
            self.marks.push_back((now, self.read));
        }
        self.since
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const WINDOW: u32 = 1000;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_out_of_the_blue_is_new() {
        let mut age = Age::of_new(WINDOW);
        for _ in 0..100 {
            advance(millis(100)).await;
            age.saw_nothing();
        }
        assert!(age.read(10).elapsed() <= SETTLED);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_all_the_time_one_by_one_is_new() {
        let mut age = Age::of_new(WINDOW);
        for read in 0..2_000 {
            age.saw_nothing();
            advance(millis(40)).await;
            let age = age.read(1).elapsed();
            assert!(age <= SETTLED + millis(80), "{read}: {age:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_read_for_long_may_have_come_at_its_beginning() {
        let mut age = Age::of_new(WINDOW);
        advance(millis(100)).await;
        age.saw_nothing();
        advance(millis(100)).await;
        age.saw_nothing();
        advance(millis(8_000)).await;
        assert!(age.read(10).elapsed() >= millis(8_000));
        // More may be on its way.
        age.saw_nothing();
        advance(millis(50)).await;
        age.saw_nothing();
        assert!(age.read(10).elapsed() >= millis(8_000));
        age.saw_nothing();
        advance(SETTLED).await;
        age.saw_nothing();
        assert!(age.read(10).elapsed() <= SETTLED);
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_the_program_was_held_up_is_not_time_in_which_nothing_came() {
        let mut age = Age::of_new(WINDOW);
        age.saw_nothing();
        advance(millis(8_000)).await;
        // What came meanwhile is not here yet.
        age.saw_nothing();
        assert!(age.read(10).elapsed() >= millis(8_000));
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_stream_that_is_never_empty_what_has_much_before_it_is_as_new_as_that() {
        let mut age = Age::of_new(WINDOW);
        let step = millis(10);
        for read in 0..2_000_u32 {
            advance(step).await;
            let age = age.read(10).elapsed();
            // 4,000 bytes may lie on the way: 400 jobs, read in 4 s.
            assert!(age >= step * read.min(400), "{read}: {age:?}");
            assert!(age <= step * 450, "{read}: {age:?}");
        }
    }
}
