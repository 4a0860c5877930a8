//! Exemplars: for each bucket of a series the last traced event that fell into it.
//!
//! They count nothing: a bucket's count is the SDK's, and an exemplar only says where to look. Where two events come at one
//! moment into one bucket, or a scrape reads it, nobody waits: one of them is as good as the other.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, TraceId};

use super::DURATION_BOUNDARIES;
use crate::telemetry::traces::Span;

/// One for each boundary, and what is above them.
const BUCKETS: usize = DURATION_BOUNDARIES.len() + 1;
/// Series of one histogram that are remembered. Labels come from closed sets, all of which have room.
const MOST_SERIES: usize = 256;

/// An event that fell into a bucket, and its trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::telemetry) struct Exemplar {
    pub(in crate::telemetry) trace: TraceId,
    pub(in crate::telemetry) span: SpanId,
    /// In the histogram's unit.
    pub(in crate::telemetry) value: f64,
    pub(in crate::telemetry) at: SystemTime,
}

/// Those of one program. Clones share them.
#[derive(Debug, Clone, Default)]
pub(in crate::telemetry) struct Exemplars(Arc<Mutex<Vec<OfHistogram>>>);

/// Those of one histogram. Clones share them.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct OfHistogram {
    name: &'static str,
    series: Arc<Mutex<Vec<Arc<Series>>>>,
}

/// Those of one histogram with its labels.
#[derive(Debug)]
pub(super) struct Series {
    labels: Vec<KeyValue>,
    /// Nothing until the first comes: while tracing is off a series is no larger than its labels.
    buckets: OnceLock<Box<[Mutex<Option<Exemplar>>; BUCKETS]>>,
}

impl Exemplars {
    /// Room for those of a histogram, named as its instrument.
    pub(super) fn room(&self, name: &'static str) -> OfHistogram {
        if let Some(there) = self.of(|each| each == name) {
            return there;
        }
        let room = OfHistogram {
            name,
            series: Arc::default(),
        };
        locked(&self.0).push(room.clone());
        room
    }

    /// Those of the histogram whose name is meant.
    pub(in crate::telemetry) fn of(&self, is_meant: impl Fn(&str) -> bool) -> Option<OfHistogram> {
        let all = locked(&self.0);
        all.iter().find(|each| is_meant(each.name)).cloned()
    }
}

impl OfHistogram {
    /// Those of a series; `None` where there are too many of them.
    pub(super) fn series(&self, labels: &[KeyValue]) -> Option<Arc<Series>> {
        find_or_add(&mut locked(&self.series), labels)
    }

    /// Remembers a value whose series is not at hand; not where somebody else looks for one at this moment.
    pub(super) fn remember(&self, labels: &[KeyValue], value: f64, span: &Span) {
        if span.recorded().is_some()
            && let Some(mut all) = free(&self.series)
            && let Some(series) = find_or_add(&mut all, labels)
        {
            drop(all);
            series.remember(value, span);
        }
    }

    /// That of one bucket, by its upper boundary; the labels in any order, as their names and values.
    pub(in crate::telemetry) fn get(
        &self,
        labels: &[(&str, &str)],
        boundary: f64,
    ) -> Option<Exemplar> {
        let series = locked(&self.series)
            .iter()
            .find(|series| series.has(labels))
            .cloned()?;
        *locked(series.buckets.get()?.get(bucket_of(boundary))?)
    }
}

impl Series {
    /// Remembers a value, if its span is one that somebody will see.
    pub(super) fn remember(&self, value: f64, span: &Span) {
        if let Some((trace, span)) = span.recorded() {
            self.keep(Exemplar {
                trace,
                span,
                value,
                at: SystemTime::now(),
            });
        }
    }

    /// In place of the one before; not where its bucket is read at this moment, or another is kept there.
    pub(super) fn keep(&self, exemplar: Exemplar) {
        let buckets = self.buckets.get_or_init(Box::default);
        if let Some(mut bucket) = buckets.get(bucket_of(exemplar.value)).and_then(free) {
            *bucket = Some(exemplar);
        }
    }

    fn has(&self, labels: &[(&str, &str)]) -> bool {
        let has = |wanted: &KeyValue| {
            labels.iter().any(|(name, value)| {
                *name == wanted.key.as_str() && *value == wanted.value.as_str()
            })
        };
        self.labels.len() == labels.len() && self.labels.iter().all(has)
    }
}

/// A bucket ends with its boundary.
fn bucket_of(value: f64) -> usize {
    DURATION_BOUNDARIES.partition_point(|boundary| *boundary < value)
}

fn find_or_add(all: &mut Vec<Arc<Series>>, labels: &[KeyValue]) -> Option<Arc<Series>> {
    if let Some(found) = all.iter().find(|series| series.labels == labels) {
        return Some(Arc::clone(found));
    }
    let added = (all.len() < MOST_SERIES).then(|| {
        Arc::new(Series {
            labels: labels.to_vec(),
            buckets: OnceLock::new(),
        })
    });
    all.extend(added.clone());
    added
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a lock holds, where nobody else has it.
fn free<T>(lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match lock.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemplar(value: f64) -> Exemplar {
        Exemplar {
            trace: TraceId::from(1),
            span: SpanId::from(2),
            value,
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_value_on_a_boundary_is_in_the_bucket_that_ends_there_and_the_last_one_stays() {
        let of_histogram = Exemplars::default().room("some.duration");
        let labels = [KeyValue::new("command", "A"), KeyValue::new("outcome", "b")];
        let series = of_histogram.series(&labels).expect("room");
        for value in [0.0, 0.3, 0.5, 601.0, 700.0] {
            series.keep(exemplar(value));
        }
        // The labels come in whichever order.
        let kept = [0.0005, 0.25, 0.5, 1.0, 600.0, f64::INFINITY].map(|boundary| {
            let found = of_histogram.get(&[("outcome", "b"), ("command", "A")], boundary);
            found.map(|exemplar| exemplar.value)
        });
        let expected = [Some(0.0), None, Some(0.5), None, None, Some(700.0)];
        assert_eq!(kept, expected);
        for others in [
            &[("outcome", "b")][..],
            &[("outcome", "b"), ("command", "C")],
        ] {
            assert_eq!(of_histogram.get(others, 0.5), None);
        }
    }

    #[test]
    fn while_a_bucket_is_read_nobody_waits_for_it() {
        let series = Series {
            labels: Vec::new(),
            buckets: OnceLock::new(),
        };
        series.keep(exemplar(0.3));
        let buckets = series.buckets.get().expect("one");
        let read = locked(&buckets[bucket_of(0.3)]);
        series.keep(exemplar(0.4));
        assert_eq!(read.map(|exemplar| exemplar.value), Some(0.3));
    }

    #[test]
    fn series_have_an_end() {
        let exemplars = Exemplars::default();
        let of_histogram = exemplars.room("some.duration");
        let label = |item: usize| [KeyValue::new("item", item.to_string())];
        for item in 0..MOST_SERIES {
            assert!(of_histogram.series(&label(item)).is_some());
        }
        assert!(of_histogram.series(&label(MOST_SERIES)).is_none());
        // Those that are there are found, also by whoever asks for room again.
        assert!(exemplars.room("some.duration").series(&label(0)).is_some());
    }
}
