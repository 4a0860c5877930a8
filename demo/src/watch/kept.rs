//! The last events of a watcher: few enough to fit into memory, whatever is sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use cloudevents_http::{Error, Event, Message, encode_batch};

/// As many as a receiver takes in one batch by default.
const MOST: usize = 100;
/// Bytes of bodies.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The last 100 events, or fewer where their bodies would exceed 16 MiB; then the oldest go.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    events: VecDeque<One>,
    bytes: usize,
}

#[derive(Debug)]
struct One {
    event: Event,
    line: String,
    bytes: usize,
}

impl Kept {
    /// Keeps an event with its line; `bytes` are those of the body that it came with.
    pub(super) fn keep(&self, event: Event, line: String, bytes: usize) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.bytes += bytes;
        inside.events.push_back(One { event, line, bytes });
        while inside.events.len() > MOST || inside.bytes > MOST_BYTES {
            let Some(oldest) = inside.events.pop_front() else {
                break;
            };
            inside.bytes -= oldest.bytes;
        }
    }

    /// Their lines, oldest first.
    pub(super) fn lines(&self) -> String {
        let inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = inside.events.iter().map(|one| format!("{}\n", one.line));
        lines.collect()
    }

    /// Themselves, oldest first, as one batch.
    ///
    /// # Errors
    /// As [`encode_batch`]: none for events that were decoded.
    pub(super) fn batch(&self) -> Result<Message, Error> {
        let inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events: Vec<Event> = inside.events.iter().map(|one| one.event.clone()).collect();
        drop(inside);
        encode_batch(&events)
    }
}
