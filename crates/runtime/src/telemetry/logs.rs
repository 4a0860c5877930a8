//! Log lines: one JSON object a line in a pod, readable in a terminal.
//!
//! They go to standard error: Kubernetes takes both streams, and standard output stays free for
//! what a command prints. A JSON line is flat: `timestamp` (RFC 3339, UTC), `level`, `target`,
//! `message` and the event's own fields, so those must not bear these four names. A line that is
//! written within a [`Span`](super::traces::Span) has its `trace_id` and `span_id` too.

mod filter;
mod ids;
mod queue;

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;
use std::thread;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

pub use filter::LogFilter;
pub use queue::{LogGuard, LogQueue};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What is logged, and how it looks.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// A level, or levels by target, as in `info,h2=warn`.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            filter: "info".to_owned(),
        }
    }
}

/// Why logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A format that does not exist.
    #[error("`{0}` is not a log format; use `auto`, `json` or `text`")]
    Format(String),
    /// A filter that cannot be read.
    #[error(
        "`{filter}` is not a log filter ({cause}); use a level (`info`) or levels by target (`info,h2=warn`)"
    )]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes log lines: {0}")]
    Thread(#[source] io::Error),
    /// Somebody else in this program installed a subscriber before.
    #[error("logs were set up twice in one program")]
    Twice,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(LogError::Format(text.to_owned())),
        }
    }
}

/// Sends all log events of this program to standard error from now on, panics among them.
///
/// A log call never waits for whoever reads standard error: see [`LogQueue`]. Keep the guard to the
/// end of `main`; dropping it waits, for at most a second, until what was logged is written. The filter is
/// there to be changed.
///
/// # Errors
/// See [`LogError`].
pub fn install(settings: &LogSettings) -> Result<(LogGuard, LogFilter), LogError> {
    let (queue, guard) = LogQueue::start(io::stderr()).map_err(LogError::Thread)?;
    let (layer, filter) = layer(settings, io::stderr().is_terminal(), queue)?;
    tracing_subscriber::registry()
        .with(layer)
        .try_init()
        .map_err(|_| LogError::Twice)?;
    panic::set_hook(Box::new(log_panic));
    Ok((guard, filter))
}

/// The time now, as it stands in a line.
#[must_use]
pub fn timestamp() -> String {
    let mut text = String::new();
    // Text takes whatever is written into it.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// A panic is a log line like any other, or a collector that reads JSON would lose it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let literal = payload.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let location = panic.location().map(ToString::to_string);
    let thread = thread::current();
    tracing::error!(
        panic = message.unwrap_or("no message"),
        location,
        thread = thread.name(),
        "a bug: the program panicked"
    );
}

/// The log lines as one layer, for a program that has others beside it. It brings its own filter, which may
/// be changed while the program runs.
///
/// `terminal` decides what [`LogFormat::Auto`] means, and with it colour.
///
/// # Errors
/// [`LogError::Filter`].
pub fn layer<S, W>(
    settings: &LogSettings,
    terminal: bool,
    writer: W,
) -> Result<(impl Layer<S> + use<S, W>, LogFilter), LogError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let (targets, filter) = LogFilter::new(&settings.filter)?;
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(terminal && !json);
    let lines = if json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .map_event_format(ids::json)
            .boxed()
    } else {
        lines.map_event_format(ids::text).boxed()
    };
    Ok((lines.with_filter(targets), filter))
}
