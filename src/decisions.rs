//! What became of the last events and jobs: for whoever asks what happened to one of them.
//!
//! Both roles write here, and `GET /debug/decisions` reads. Nothing of an event's data is kept, and the
//! memory is bounded: so many decisions, each of at most [`MOST_BYTES`].
//!
//! - `decision`: one of them.
//! - `kept`: the last ones.
//! - [`question`](Question): which of them are asked for.

mod decision;
mod kept;
mod question;

use std::sync::Arc;

use kept::Kept;

pub use decision::{Decision, MOST_BYTES, Role, Text, shortened};
pub use question::{Question, QuestionError};

/// Where decisions are written; off, where none are kept. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Option<Arc<Kept>>);

impl Decisions {
    /// Keeps the last so many; 0 is off.
    #[must_use]
    pub fn keep(most: usize) -> Self {
        Self((most > 0).then(|| Arc::new(Kept::new(most))))
    }

    /// A pen for what will be decided about one event or job; `about` says which, and is asked only where
    /// decisions are kept.
    pub fn about(&self, about: impl FnOnce() -> Decision) -> Pen {
        Pen(self.0.as_ref().map(|kept| {
            Arc::new(Open {
                kept: Arc::clone(kept),
                about: about(),
            })
        }))
    }

    /// What is asked for, newest first, as JSON; `None` where none are kept.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Option<serde_json::Value> {
        self.0.as_ref().map(|kept| kept.answer(question))
    }
}

/// Writes down what is decided about one event or job. Writes nothing where no decisions are kept.
#[derive(Debug, Clone, Default)]
pub struct Pen(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    kept: Arc<Kept>,
    about: Decision,
}

impl Pen {
    /// Writes one decision; `decide` adds to what is known of the event or job.
    pub fn decided(&self, decide: impl FnOnce(&mut Decision)) {
        if let Some(open) = &self.0 {
            let mut decision = open.about.clone();
            decide(&mut decision);
            open.kept.write(decision);
        }
    }
}
