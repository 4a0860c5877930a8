//! The keys that are known, and when the issuer is asked again.
//!
//! One task asks, at its own pace: however many tokens come with however many keys, one reading is under way, and
//! the next has its time. A request with an unknown key wakes the task where that has come, and waits for it.
//! Known keys stay while the issuer is away.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use super::Pace;
use super::bearer::Token;
use super::claims::{LEEWAY, seconds};
use super::issuer::Issuer;
use super::keys::{Keys, Verdict};

/// So many requests wait for a reading at a time: anybody can make a token with a key that is not known.
const MOST_WAITING: usize = 64;

/// Whether the issuer tells its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysHealth {
    /// It was not asked yet.
    Unknown,
    /// Keys are known.
    Known,
    /// None are known, and why.
    Missing(String),
}

/// What is known of a token's signature.
#[derive(Debug)]
pub(super) enum Found {
    Signed,
    Forged,
    UnknownKey,
    /// It cannot be told now, and why.
    Away(String),
}

#[derive(Debug)]
pub(super) struct Keyring {
    issuer: Issuer,
    pace: Pace,
    last: watch::Sender<Last>,
    health: watch::Sender<KeysHealth>,
    wanted: Notify,
    waiting: Semaphore,
}

/// The last reading.
#[derive(Debug, Clone, Default)]
struct Last {
    keys: Option<Arc<Keys>>,
    trouble: Option<String>,
    began: Option<(Instant, SystemTime)>,
    /// Until then nothing is gained by asking for another.
    rest_until: Option<Instant>,
    readings: u64,
}

impl Keyring {
    pub(super) fn new(issuer: Issuer, pace: Pace) -> Self {
        Self {
            issuer,
            pace,
            last: watch::Sender::default(),
            health: watch::Sender::new(KeysHealth::Unknown),
            wanted: Notify::new(),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

    pub(super) fn health(&self) -> watch::Receiver<KeysHealth> {
        self.health.subscribe()
    }

    pub(super) async fn keep(&self) {
        loop {
            let began = Instant::now();
            let clock = SystemTime::now();
            let read = self.issuer.keys().await;
            let (rest, due) = match &read {
                Ok(_) => (self.pace.rest, self.pace.keep),
                Err(_) => (self.pace.again, self.pace.again),
            };
            // From its end: an issuer that takes long is not asked without pause.
            let ended = Instant::now();
            self.last.send_modify(|last| {
                last.began = Some((began, clock));
                last.rest_until = Some(ended + rest);
                last.readings += 1;
                match read {
                    Ok(keys) => {
                        last.keys = Some(Arc::new(keys));
                        last.trouble = None;
                    }
                    Err(why) => last.trouble = Some(why),
                }
            });
            self.publish();
            tokio::time::sleep_until(ended + rest).await;
            tokio::select! {
                () = tokio::time::sleep_until(ended + due) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    fn publish(&self) {
        let health = {
            let last = self.last.borrow();
            match (&last.keys, &last.trouble) {
                (Some(_), _) => KeysHealth::Known,
                (None, Some(why)) => KeysHealth::Missing(why.clone()),
                (None, None) => KeysHealth::Unknown,
            }
        };
        self.health.send_if_modified(|known| {
            let changed = *known != health;
            *known = health;
            changed
        });
    }

    /// Whether the issuer signed a token that says it was made at `issued`.
    pub(super) async fn find(&self, token: &Token<'_>, issued: Option<f64>) -> Found {
        let came = Instant::now();
        let last = self.last.borrow().clone();
        match last.verdict(token) {
            Verdict::Signed => return Found::Signed,
            Verdict::Forged => return Found::Forged,
            Verdict::NoKey => {}
        }
        let last = if last.rest_until.is_some_and(|until| came < until) {
            last
        } else {
            let Ok(_waiting) = self.waiting.try_acquire() else {
                return Found::Away(String::from("others wait for its issuer already"));
            };
            match self.next(last.readings).await {
                Some(next) => next,
                None => return Found::Away(String::from("its issuer has not answered yet")),
            }
        };
        match last.verdict(token) {
            Verdict::Signed => return Found::Signed,
            Verdict::Forged => return Found::Forged,
            Verdict::NoKey => {}
        }
        if let Some(why) = last.trouble {
            return Found::Away(why);
        }
        // An issuer shows a key before it signs with it. A token that is newer than the last reading may be signed
        // with one that came since; and its clock may be behind ours, so that a new token looks older.
        let shown = last.began.is_some_and(|(began, clock)| {
            began >= came || issued.is_some_and(|issued| issued + LEEWAY <= seconds(clock))
        });
        if shown {
            Found::UnknownKey
        } else {
            Found::Away(String::from(
                "its key is newer than what is known of its issuer",
            ))
        }
    }

    /// The reading after so many.
    async fn next(&self, readings: u64) -> Option<Last> {
        let mut last = self.last.subscribe();
        self.wanted.notify_one();
        let next = last.wait_for(|last| last.readings > readings);
        match tokio::time::timeout(self.pace.limit, next).await {
            Ok(Ok(last)) => Some(last.clone()),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

impl Last {
    fn verdict(&self, token: &Token<'_>) -> Verdict {
        match &self.keys {
            Some(keys) => keys.verdict(token),
            None => Verdict::NoKey,
        }
    }
}
