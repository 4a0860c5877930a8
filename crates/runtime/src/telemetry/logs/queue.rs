//! Between who logs and who writes.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const LINES: usize = 1024;
/// How long the end of the program waits for them.
const FLUSH: Duration = Duration::from_secs(1);

thread_local! {
    /// Set on the thread that writes, while it logs itself: its lines go past the queue, which may
    /// be full again.
    static OWN_LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Log lines on their way to a thread that writes them.
///
/// A log call never waits: where whoever reads the stream has stopped, up to 1,024 lines are kept,
/// further ones are dropped, and a line says how many once writing goes on. A thread of the runtime
/// that waited would stop the program for the sake of its logs.
#[derive(Clone, Debug)]
pub struct LogQueue {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Keeps the log lines of a program from being lost at its end: dropping it waits until they are
/// written, for at most a second.
#[derive(Debug)]
#[must_use = "dropping the guard at once loses the last log lines"]
pub struct LogGuard(SyncSender<Entry>);

impl LogQueue {
    /// Starts the thread that writes to `stream`; it ends when all clones of the queue are gone.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(stream: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let (entries, written) = sync_channel(LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let queue = Self {
            entries: entries.clone(),
            dropped: Arc::clone(&dropped),
        };
        thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || write(stream, &written, &dropped))?;
        Ok((queue, LogGuard(entries)))
    }
}

fn write(mut stream: impl Write, entries: &Receiver<Entry>, dropped: &AtomicU64) {
    while let Ok(entry) = entries.recv() {
        match entry {
            // A stream that fails has no better place to be told of than itself.
            Entry::Line(line) => {
                let _ = stream.write_all(&line);
            }
            Entry::Flush(done) => {
                let _ = stream.flush();
                let _ = done.try_send(());
            }
        }
        let lines = dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            // Through tracing, so that it looks like all others.
            OWN_LINES.set(Some(Vec::new()));
            tracing::warn!(lines, "log lines were dropped: their reader was too slow");
            let _ = stream.write_all(&OWN_LINES.take().unwrap_or_default());
        }
    }
}

impl Write for LogQueue {
    /// The formatting layer hands over one whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let own = OWN_LINES.with_borrow_mut(|own| {
            let own = own.as_mut();
            own.map(|own| own.extend_from_slice(line)).is_some()
        });
        if own {
            return Ok(line.len());
        }
        match self.entries.try_send(Entry::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for LogQueue {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self::Writer {
        self.clone()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let deadline = Instant::now() + FLUSH;
        let (done, flushed) = sync_channel(1);
        // The queue may be full of lines that are just being read: each try leaves time for some.
        while let Err(TrySendError::Full(_)) = self.0.try_send(Entry::Flush(done.clone())) {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _ = flushed.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}
