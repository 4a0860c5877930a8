//! Events on their way to the Broker: a number of them at one time, each until it is accepted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudevents_http::Message;
use eventing::{Retry, Sender, SenderError, SenderSettings, retry};
use http::Uri;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::customer::Act;

/// How long the Broker has for an answer: one in memory answers after all its retries.
const TIMEOUT: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is on its way.
#[derive(Debug)]
pub(super) struct Sending {
    sender: Sender,
    broker: Arc<Uri>,
    at_most: usize,
    under_way: JoinSet<Sent>,
}

/// An act that has come to its end.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) number: u32,
    pub(super) act: Act,
    /// How long the Broker took, with all that was tried again.
    pub(super) took: Duration,
    pub(super) attempts: u32,
    /// Why the Broker will never take it.
    pub(super) refused: Option<String>,
}

impl Sending {
    pub(super) fn new(broker: Uri, at_most: usize) -> Result<Self, SenderError> {
        let settings = SenderSettings {
            max_idle_connections: at_most,
            ..SenderSettings::default()
        };
        Ok(Self {
            sender: Sender::new(&settings)?,
            broker: Arc::new(broker),
            at_most: at_most.max(1),
            under_way: JoinSet::new(),
        })
    }

    pub(super) fn has_room(&self) -> bool {
        self.under_way.len() < self.at_most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Sends an event until it is accepted: the same each time, with the same id.
    pub(super) fn begin(&mut self, number: u32, act: Act, message: Message) {
        let (sender, broker) = (self.sender.clone(), Arc::clone(&self.broker));
        self.under_way.spawn(async move {
            let begun = Instant::now();
            let mut pause = FIRST_PAUSE;
            let mut attempts = 0;
            loop {
                attempts += 1;
                let attempt = sender.send(&broker, message.clone(), TIMEOUT).await;
                let refused = match retry(&attempt) {
                    Retry::Done => None,
                    Retry::GiveUp(_) => Some(attempt.summary()),
                    Retry::Again(_) => {
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        continue;
                    }
                };
                return Sent {
                    number,
                    act,
                    took: begun.elapsed(),
                    attempts,
                    refused,
                };
            }
        });
    }

    /// Waits for the next to come to its end; for ever where nothing is on its way.
    pub(super) async fn next(&mut self) -> Sent {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(sent)) => return sent,
                // None of them is cancelled or panics.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}
