//! What a browser sees as it happens: server-sent events.
//!
//! | it sends | when |
//! |---|---|
//! | `event: state`, the customer's state | at the beginning, and when it has changed |
//! | `event: event`, `id:` its number | each event of the session, in the order in which it came |
//! | a comment | after 15 seconds without anything |
//! | its end | when the program is asked to stop, the file cannot be read, or after ten minutes |
//!
//! The browser comes back by itself, with the number of the last event that it saw, and gets those after it.
//! Nothing is put aside for it: what it takes next is read when it takes it, some 32 KiB at a time, and the
//! listener cuts who takes nothing for half a minute. The end after ten minutes frees the place of a browser
//! that went away without a word.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http_body::Frame;
use runtime::shutdown::Shutdown;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::keep::{self, Session};
use super::listeners::Listener;
use crate::store::{Fault, Store, Trace};

/// How much is read at one time, in bytes.
const AT_ONCE: usize = 32 * 1024;

/// How long streams are silent, and how long they last.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After so long without anything a comment is sent.
    pub heartbeat: Duration,
    /// After so long it ends; the browser comes back.
    pub lasts: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            lasts: Duration::from_secs(10 * 60),
        }
    }
}

/// One browser's stream.
pub(super) struct Feed {
    store: Store,
    salt: String,
    listener: Listener,
    line: watch::Receiver<u64>,
    shutdown: Shutdown,
    pace: Pace,
    ends: Instant,
    beats: Instant,
    /// The number of the last event that it was sent.
    last: i64,
    /// There may be more to read.
    behind: bool,
    session: Option<Session>,
    /// The state that it was sent last.
    told: String,
}

/// What the file has for a stream.
struct Look {
    session: Session,
    events: Vec<(i64, String)>,
    last_of_all: i64,
}

impl Feed {
    pub(super) fn new(
        store: Store,
        salt: String,
        listener: Listener,
        line: watch::Receiver<u64>,
        shutdown: Shutdown,
        pace: Pace,
        last: i64,
    ) -> Self {
        let now = Instant::now();
        Self {
            store,
            salt,
            listener,
            line,
            shutdown,
            pace,
            ends: now + pace.lasts,
            beats: now + pace.heartbeat,
            last,
            behind: true,
            session: None,
            told: String::new(),
        }
    }

    /// The pieces of the body.
    pub(super) fn frames(self) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
        unfold(self, |mut feed| async move {
            let piece = feed.next().await?;
            feed.beats = Instant::now() + feed.pace.heartbeat;
            Some((Ok(Frame::data(piece.into())), feed))
        })
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            if self.behind {
                let piece = match self.read().await {
                    Ok(piece) => piece,
                    Err(fault) => {
                        tracing::error!(%fault, "a stream ends; its browser comes back");
                        return None;
                    }
                };
                if !piece.is_empty() {
                    return Some(piece);
                }
                continue;
            }
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return None,
                () = sleep_until(self.ends) => return None,
                () = self.listener.changed() => self.behind = true,
                // The website has the sender.
                Ok(()) = self.line.changed() => {
                    let mut piece = String::new();
                    self.tell_state(&mut piece);
                    if !piece.is_empty() {
                        return Some(piece);
                    }
                }
                () = sleep_until(self.beats) => return Some(":\n\n".to_owned()),
            }
        }
    }

    /// Reads what is new, and writes it down.
    async fn read(&mut self) -> Result<String, Fault> {
        let (customer, salt) = (self.listener.customer().clone(), self.salt.clone());
        let last = self.last;
        let look = self.store.transact(Trace::default(), move |transaction| {
            let last_of_all = keep::last_number(transaction)?;
            // A number that was never given is of another file.
            let last = if last > last_of_all { 0 } else { last };
            let session = keep::current(transaction, &customer, &salt)?;
            let events = keep::events_after(transaction, &session.id, last, AT_ONCE)?;
            Ok(Look {
                session,
                events,
                last_of_all,
            })
        });
        let look = look.await?;
        let mut piece = String::new();
        if self.told.is_empty() {
            piece.push_str("retry: 1000\n\n");
        }
        self.session = Some(look.session);
        self.tell_state(&mut piece);
        // All that there was has been read where nothing came.
        self.behind = !look.events.is_empty();
        self.last = self.last.min(look.last_of_all);
        for (number, event) in look.events {
            let _ = write!(piece, "id: {number}\nevent: event\ndata: {event}\n\n");
            self.last = number;
        }
        Ok(piece)
    }

    /// Writes down the state where it is not what was sent last.
    fn tell_state(&mut self, piece: &mut String) {
        let admitted = *self.line.borrow_and_update();
        let Some(session) = &self.session else {
            return;
        };
        let state = session.story.state(&session.id, admitted).to_string();
        if state != self.told {
            let _ = write!(piece, "event: state\ndata: {state}\n\n");
            self.told = state;
        }
    }
}
