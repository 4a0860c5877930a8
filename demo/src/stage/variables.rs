//! What names stand for while the stage runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::text::Text;

/// The stage's own: its folder for this run, the folder's last part (another for each run), this
/// executable, and where the controls are.
pub(super) const BUILT_IN: [&str; 4] = ["CONTROLS_URL", "DEMO", "RUN", "RUN_NAME"];

/// What names stand for.
#[derive(Debug)]
pub(super) struct Variables {
    known: BTreeMap<String, String>,
    texts: BTreeMap<String, Text>,
    exported: Mutex<BTreeMap<String, String>>,
}

/// A name that nobody has said yet.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not known yet")]
pub(super) struct Unknown(String);

impl Variables {
    /// Names that stand for what they always will, and the texts of others.
    pub(super) fn new(known: BTreeMap<String, String>, texts: BTreeMap<String, Text>) -> Self {
        Self {
            known,
            texts,
            exported: Mutex::default(),
        }
    }

    /// Says what an exported name stands for; returns what it stood for before, where that was something
    /// else.
    pub(super) fn export(&self, name: &str, value: &str) -> Option<String> {
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        let before = exported.insert(name.to_owned(), value.to_owned());
        before.filter(|before| before != value)
    }

    /// The text with all variables replaced. That it ends was checked when the files were read.
    pub(super) fn resolve(&self, text: &Text) -> Result<String, Unknown> {
        text.resolve(|name| {
            if let Some(value) = self.known.get(name) {
                return Ok(value.clone());
            }
            if let Some(text) = self.texts.get(name) {
                return self.resolve(text);
            }
            let exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
            exported
                .get(name)
                .cloned()
                .ok_or_else(|| Unknown(name.to_owned()))
        })
    }
}
