//! What the others say when all has come to rest: the services' books, the dead letters, the processes.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::CrowdArguments;
use crate::client::{Client, NoAnswer};

/// How often it is asked whether all is at rest.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Where the books are.
#[derive(Debug)]
pub(super) struct Places {
    client: Client,
    queue: String,
    tickets: String,
    payments: String,
    dead_letters: String,
    processes: String,
}

/// All books at one time, as far as that goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Books {
    pub(super) queue: Value,
    pub(super) tickets: Value,
    pub(super) payments: Value,
    pub(super) dead_letters: Value,
    pub(super) processes: Value,
}

impl Places {
    pub(super) fn of(arguments: &CrowdArguments, client: Client) -> Self {
        let books = |url: &str| format!("{}/books", url.trim_end_matches('/'));
        let view = arguments.process_view.trim_end_matches('/');
        Self {
            client,
            queue: books(&arguments.queue),
            tickets: books(&arguments.tickets),
            payments: books(&arguments.payments),
            dead_letters: books(&arguments.dead_letters),
            processes: format!("{view}/counts?process={}", arguments.process),
        }
    }

    /// Waits until nothing is left to do, or nothing has changed for `patience`; returns the books.
    pub(super) async fn at_rest(&self, patience: Duration) -> Result<Books, String> {
        let mut changed = Instant::now();
        let mut last: Option<Books> = None;
        loop {
            let read = self.read().await;
            let waited = changed.elapsed() > patience;
            match read {
                Ok(books) => {
                    if books.are_at_rest() || (waited && last.as_ref() == Some(&books)) {
                        return Ok(books);
                    }
                    if last.as_ref() != Some(&books) {
                        changed = Instant::now();
                        last = Some(books);
                    }
                }
                // One that was killed a moment ago comes back.
                Err(error) if waited => return Err(error.to_string()),
                Err(_) => {}
            }
            sleep(ASK_EVERY).await;
        }
    }

    async fn read(&self) -> Result<Books, NoAnswer> {
        Ok(Books {
            queue: self.client.get_json(&self.queue).await?,
            tickets: self.client.get_json(&self.tickets).await?,
            payments: self.client.get_json(&self.payments).await?,
            dead_letters: self.client.get_json(&self.dead_letters).await?,
            processes: self.client.get_json(&self.processes).await?,
        })
    }
}

impl Books {
    /// Whether nobody has anything left to do.
    fn are_at_rest(&self) -> bool {
        let services = [&self.queue, &self.tickets, &self.payments];
        services.iter().all(|books| books["outbox"] == 0)
            && self.queue["waiting"] == 0
            && self.queue["shopping"] == 0
            && self.tickets["held"] == 0
            && self.payments["pending"] == 0
            && self.processes["active"] == 0
    }
}
