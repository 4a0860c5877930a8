//! The file with a program's output.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How much of the end of a file is looked at.
const END_BYTES: u64 = 16 * 1024;
/// How many lines are shown.
const LINES: usize = 15;

/// A program's file, `NAME.log` in the folder of the run.
#[derive(Debug)]
pub(super) struct Log(PathBuf);

impl Log {
    pub(super) fn of(folder: &Path, name: &str) -> Self {
        Self(folder.join(format!("{name}.log")))
    }

    /// Opens it for one more run, and returns where that run's output begins.
    pub(super) fn append(&self, title: &str) -> io::Result<(File, u64)> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        writeln!(file, "--- {title}")?;
        let begin = file.metadata()?.len();
        Ok((file, begin))
    }

    /// Whether a text stands in a line that was written after `begin`.
    pub(super) fn has(&self, text: &str, begin: u64) -> io::Result<bool> {
        let mut file = File::open(&self.0)?;
        file.seek(SeekFrom::Start(begin))?;
        let mut read = Vec::new();
        // What says that it is ready stands near the beginning.
        file.take(1024 * 1024).read_to_end(&mut read)?;
        Ok(String::from_utf8_lossy(&read).contains(text))
    }

    /// Its last lines, for a person.
    pub(super) fn end(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.0)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES)))?;
            let mut read = Vec::new();
            file.read_to_end(&mut read)?;
            let text = String::from_utf8_lossy(&read);
            let lines: Vec<&str> = text.lines().collect();
            Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
        };
        read().unwrap_or_else(|error| format!("{}: {error}", self.0.display()))
    }
}
