//! Pauses that grow while something fails and fall back once it works.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Doubles from 0.1 s to 10 s, each pause shortened at random by up to half.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn next(&mut self) -> Duration {
        let pause = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds_and_are_shortened_by_half_at_most() {
        for _ in 0..100 {
            let mut backoff = Backoff::default();
            for millis in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000] {
                let longest = Duration::from_millis(millis);
                let pause = backoff.next();
                assert!(
                    pause <= longest && pause >= longest / 2,
                    "{pause:?} of {longest:?}"
                );
            }
        }
    }

    #[test]
    fn pauses_differ_so_that_clients_do_not_come_back_together() {
        let first = Backoff::default().next();
        assert!((0..100).any(|_| Backoff::default().next() != first));
    }

    #[test]
    fn after_a_success_pauses_are_short_again() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.next();
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
