//! Who may send.

/// Subjects of tokens, each exact or with a `*` at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subjects(Vec<String>);

impl Subjects {
    /// These; any that the issuer vouches for where there are none.
    ///
    /// # Errors
    /// The first with a `*` elsewhere than at its end, where it would stand for nothing.
    pub fn new(subjects: Vec<String>) -> Result<Self, String> {
        let misplaced = subjects
            .iter()
            .find(|subject| subject.trim_end_matches('*').contains('*') || subject.ends_with("**"));
        match misplaced {
            Some(subject) => Err(subject.clone()),
            None => Ok(Self(subjects)),
        }
    }

    pub(super) fn allow(&self, subject: &str) -> bool {
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|allowed| match allowed.strip_suffix('*') {
                    Some(beginning) => subject.starts_with(beginning),
                    None => subject == allowed,
                })
    }
}
