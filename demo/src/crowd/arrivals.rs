//! When customers come: as a Poisson process does whose rate is highest at the opening.
//!
//! Of such a process it is known that, once it is known how many come, each comes at a time of its own, drawn
//! from the shape of the rate alone. So times are drawn, not gaps.

use fastrand::Rng;

/// Of those who come, this share waits for the opening; the others come at any time.
const FOR_THE_OPENING: f64 = 0.6;
/// How soon after the opening they come on average, as a part of the whole time.
const SOON: f64 = 0.1;

/// When the customers come, in milliseconds after the opening, in order.
pub(super) fn draw(customers: u32, over_ms: u32, random: &mut Rng) -> Vec<u32> {
    let over = f64::from(over_ms);
    let mut times: Vec<u32> = (0..customers)
        .map(|_| {
            let part = if random.f64() < FOR_THE_OPENING {
                -SOON * (1.0 - random.f64()).ln()
            } else {
                random.f64()
            };
            // A few come after the end by this; they come in the whole time, too.
            let part = if part < 1.0 { part } else { random.f64() };
            to_ms(part * over)
        })
        .collect();
    times.sort_unstable();
    times
}

/// The most that come within one second.
pub(super) fn peak(times: &[u32]) -> usize {
    let mut begin = 0;
    let mut peak = 0;
    for (end, time) in times.iter().enumerate() {
        while time - times[begin] >= 1_000 {
            begin += 1;
        }
        peak = peak.max(end + 1 - begin);
    }
    peak
}

/// Milliseconds as a whole number; below 0 and above what fits, the nearest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates"
)]
pub(super) fn to_ms(ms: f64) -> u32 {
    ms as u32
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::{draw, peak};

    #[test]
    fn most_come_at_the_opening_and_all_in_time_and_order() {
        let times = draw(10_000, 100_000, &mut Rng::with_seed(1));
        assert_eq!(times.len(), 10_000);
        assert!(times.is_sorted());
        assert!(times[9_999] < 100_000);
        let in_the_first_tenth = times.iter().filter(|time| **time < 10_000).count();
        assert!(
            (3_500..5_000).contains(&in_the_first_tenth),
            "{in_the_first_tenth}"
        );
        assert!(peak(&times) > 3 * 10_000 / 100);
        assert_eq!(times, draw(10_000, 100_000, &mut Rng::with_seed(1)));
    }

    #[test]
    fn the_peak_is_the_fullest_second() {
        assert_eq!(peak(&[0, 10, 999, 1_500, 1_600, 9_000]), 3);
        assert_eq!(peak(&[]), 0);
    }
}
