//! How long something took, many times: a fixed number of counters, whatever is counted.

/// Below this each millisecond has a counter; above, each power of two has half as many.
const EXACT: u32 = 64;
const HALF: usize = EXACT as usize / 2;
/// Powers of two from `EXACT` up to what 32 bits hold.
const POWERS: usize = 26;

/// Times in milliseconds, each known to a thirtieth.
#[derive(Debug, Clone)]
pub(super) struct Latency {
    counts: Vec<u32>,
    count: u64,
    sum_ms: u64,
    max_ms: u32,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: vec![0; EXACT as usize + POWERS * HALF],
            count: 0,
            sum_ms: 0,
            max_ms: 0,
        }
    }
}

impl Latency {
    pub(super) fn record(&mut self, ms: u32) {
        self.counts[bucket(ms)] += 1;
        self.count += 1;
        self.sum_ms += u64::from(ms);
        self.max_ms = self.max_ms.max(ms);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn max_ms(&self) -> u32 {
        self.max_ms
    }

    pub(super) fn mean_ms(&self) -> u64 {
        self.sum_ms.checked_div(self.count).unwrap_or(0)
    }

    /// The time that this share of all, in percent, stayed within.
    pub(super) fn percentile_ms(&self, percent: u64) -> u32 {
        let wanted = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted && seen > 0 {
                return highest(index).min(self.max_ms);
            }
        }
        self.max_ms
    }
}

fn bucket(ms: u32) -> usize {
    if ms < EXACT {
        return ms as usize;
    }
    let power = ms.ilog2() - EXACT.ilog2();
    let within = (ms >> (power + 1)) as usize - HALF;
    EXACT as usize + power as usize * HALF + within
}

/// The longest time that is counted there.
fn highest(bucket: usize) -> u32 {
    let Some(beyond) = bucket.checked_sub(EXACT as usize) else {
        return u32::try_from(bucket).unwrap_or(u32::MAX);
    };
    let (power, within) = (beyond / HALF, beyond % HALF);
    let highest = ((within + HALF + 1) as u64) << (power + 1);
    u32::try_from(highest - 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Latency, bucket, highest};

    #[test]
    fn each_time_has_a_counter_that_knows_it_to_a_thirtieth() {
        for ms in (0..70_000).chain([u32::MAX / 2, u32::MAX - 1, u32::MAX]) {
            let highest = highest(bucket(ms));
            assert!(
                highest >= ms && highest - ms <= ms / 31 + 1,
                "{ms}: {highest}"
            );
        }
    }

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut latency = Latency::default();
        assert_eq!((latency.percentile_ms(50), latency.mean_ms()), (0, 0));
        for ms in 1..=100 {
            latency.record(ms);
        }
        assert_eq!(latency.percentile_ms(50), 50);
        assert!((99..=100).contains(&latency.percentile_ms(99)));
        assert_eq!(
            (latency.count(), latency.max_ms(), latency.mean_ms()),
            (100, 100, 50)
        );
    }
}
