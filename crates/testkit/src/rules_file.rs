//! A rules file of a test's own.

use tempfile::NamedTempFile;

/// A file that can be written anew; gone when dropped.
pub struct RulesFile(NamedTempFile);

impl RulesFile {
    /// A file with this text.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let file = Self(NamedTempFile::new().expect("a temporary file"));
        file.write(text);
        file
    }

    /// Writes another text in place of what it has.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, text: &str) {
        std::fs::write(self.0.path(), text).expect("a file can be written");
    }

    /// Where it is, for `RULES`.
    ///
    /// # Panics
    /// When the path is not UTF-8.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path().to_str().expect("a path that is UTF-8")
    }
}
