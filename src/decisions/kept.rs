//! The last decisions: the oldest makes room.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::telemetry::logs::timestamp;
use serde_json::{Value, json};

use super::decision::Decision;
use super::question::Question;

#[derive(Debug)]
pub(super) struct Kept {
    most: usize,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    last: VecDeque<Decision>,
    /// How many there were, also those that are gone.
    all: u64,
}

impl Kept {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            written: Mutex::default(),
        }
    }

    pub(super) fn write(&self, decision: Decision) {
        let decision = Decision {
            time: timestamp(),
            ..decision
        };
        let mut written = self.written();
        written.all += 1;
        if written.last.len() == self.most {
            written.last.pop_front();
        }
        written.last.push_back(decision);
    }

    /// Those that are asked for, newest first, beside how many there are to be asked for.
    pub(super) fn answer(&self, question: &Question) -> Value {
        let (found, kept, all) = {
            let written = self.written();
            let newest_first = written.last.iter().rev();
            let found: Vec<Decision> = newest_first
                .filter(|decision| question.asks_for(decision))
                .take(question.limit())
                .cloned()
                .collect();
            (found, written.last.len(), written.all)
        };
        // What is written meanwhile does not wait for this.
        json!({ "decisions": found, "kept": kept, "written": all })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
