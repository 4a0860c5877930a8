//! The website: the shop's page, and what it needs to know of its customer.
//!
//! A browser acts by requests, which become events; what events say of a session is kept, and shown to the
//! browser whose session it is, as it happens. A session is known once its customer has joined the line;
//! events of others are nobody's here and not kept.
//!
//! - `identity`: who a browser is. `origin`: whose requests are taken.
//! - `site`: the requests. `asked`: what they ask for. `acts`: what a customer can do, and when. `assets`: the page.
//! - `happening`: what an event says. `story`: how far a customer has come by all that was said.
//! - `keep`: the file, and its bounds.
//! - `listeners`, `stream`: what a browser sees as it happens.
//!
//! How far the line has moved concerns all who wait, and is kept once: who is ahead of whom is worked out when
//! it is shown.
//!
//! There is one website only: its state is in its file, and who listens is known in its memory.

mod acts;
mod asked;
mod assets;
mod happening;
mod identity;
mod keep;
mod listeners;
mod origin;
mod site;
mod story;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cloudevents::AttributesReader;
use cloudevents_http::Event;
use http::HeaderValue;
use runtime::shutdown::Shutdown;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use url::Url;

pub use self::keep::Bounds;
pub use self::site::Site;
pub use self::stream::Pace;

use self::assets::Assets;
use self::listeners::Listeners;
use crate::sale::{self, Moved};
use crate::service::{Service, data};
use crate::store::{Fault, Store, Trace, Transaction};

/// The largest diagram that is read, in bytes.
const LARGEST_DIAGRAM: u64 = 4 * 1024 * 1024;

/// What the website is started with.
#[derive(Debug, Clone, Default, Args)]
pub struct WebsiteArguments {
    /// Where the page reads how far the customer's process is; without it the page shows none
    #[arg(long, env = "PROCESS_VIEW_URL", value_name = "URL", value_parser = address)]
    pub process_view: Option<Url>,
    /// Where the page asks for programs to be killed; without it the page has no such button
    #[arg(long, env = "CONTROLS_URL", value_name = "URL", value_parser = address)]
    pub controls: Option<Url>,
    /// Where traces are shown (Jaeger's page); without it the page has no links to them
    #[arg(long, env = "TRACE_UI_URL", value_name = "URL", value_parser = address)]
    pub trace_ui: Option<Url>,
    /// The picture of the process, in place of the one in the program
    #[arg(long, env = "DIAGRAM", value_name = "FILE.svg")]
    pub diagram: Option<PathBuf>,
}

/// What one website allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Streams at one time.
    pub streams: usize,
    /// Streams of one browser at one time.
    pub streams_each: usize,
    /// How long they are silent, and last.
    pub pace: Pace,
    /// How much is kept.
    pub bounds: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Half of the listener's connections: the Broker needs some too.
            streams: 512,
            streams_each: 8,
            pace: Pace::default(),
            bounds: Bounds::default(),
        }
    }
}

/// Why the website cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The picture of the process.
    #[error("DIAGRAM: {}: {cause}", file.display())]
    Diagram {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        cause: std::io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// The website: what events mean to it.
#[derive(Debug)]
pub struct Website {
    shared: Arc<Shared>,
    limits: Limits,
}

/// What events and browsers share in memory.
#[derive(Debug)]
struct Shared {
    listeners: Arc<Listeners>,
    /// The highest number that was let in or passed over.
    line: watch::Sender<u64>,
}

impl Website {
    /// A website with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let listeners = Listeners::new(limits.streams, limits.streams_each);
        Self {
            shared: Arc::new(Shared {
                listeners: Arc::new(listeners),
                line: watch::Sender::new(0),
            }),
            limits,
        }
    }

    /// What browsers are answered with, from the store that this website keeps. Streams end when `shutdown`
    /// is requested.
    ///
    /// # Errors
    /// See [`SiteError`].
    pub async fn site(
        &self,
        arguments: &WebsiteArguments,
        store: Store,
        shutdown: Shutdown,
    ) -> Result<Site, SiteError> {
        let diagram = arguments.diagram.as_ref().map(read_diagram).transpose()?;
        let (salt, admitted) = store
            .transact(Trace::default(), |transaction| keep::site(transaction))
            .await?;
        self.shared.line.send_replace(admitted);
        let text = |url: &Option<Url>| {
            let url = url.as_ref()?.as_str();
            Some(url.trim_end_matches('/').to_owned())
        };
        let config = site::config(
            text(&arguments.process_view).as_deref(),
            text(&arguments.controls).as_deref(),
            text(&arguments.trace_ui).as_deref(),
        );
        Ok(Site {
            shared: Arc::clone(&self.shared),
            salt,
            store,
            assets: Assets::new(diagram),
            config,
            policy: policy(arguments),
            limits: self.limits,
            budget: Site::budget(),
            shutdown,
        })
    }

    /// The line has moved: one row, however many wait.
    fn moved(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let moved: Moved = data(event)?;
        let admitted = i64::try_from(moved.admitted).map_err(|_| {
            Fault::Refused(format!(
                "data of `{}`: `admitted`: is too large",
                event.ty()
            ))
        })?;
        if keep::moved(transaction, admitted)? {
            let shared = Arc::clone(&self.shared);
            transaction.after_commit(move || {
                shared.line.send_if_modified(|known| {
                    let further = moved.admitted > *known;
                    *known = moved.admitted.max(*known);
                    further
                });
            });
        }
        Ok(())
    }
}

impl Service for Website {
    fn name(&self) -> &'static str {
        "website"
    }

    fn schema(&self) -> &'static str {
        keep::SCHEMA
    }

    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let of_the_queue = [
            sale::QUEUE_MOVED,
            sale::CUSTOMER_QUEUED,
            sale::CUSTOMER_ADMITTED,
        ];
        if of_the_queue.contains(&event.ty()) && event.source() != sale::QUEUE {
            tracing::debug!(
                source = event.source(),
                "what only the queue knows is ignored"
            );
            return Ok(());
        }
        if event.ty() == sale::QUEUE_MOVED {
            return self.moved(event, transaction);
        }
        let happening = happening::read(event, &transaction.now_text())?;
        let Some(id) = happening::session(event) else {
            return Ok(());
        };
        let Some(mut session) = keep::session(transaction, &id)? else {
            return Ok(());
        };
        if let Some(happening) = happening {
            session.story.learn(happening);
        }
        keep::save(transaction, &session)?;
        keep::add_event(transaction, &session.id, event, &self.limits.bounds)?;
        let shared = Arc::clone(&self.shared);
        transaction.after_commit(move || shared.listeners.wake(&session.customer));
        Ok(())
    }

    fn due(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        let pause = keep::forget(transaction, &self.limits.bounds)?;
        Ok(u64::try_from(pause.as_millis()).ok())
    }

    fn books(&self, transaction: &mut Transaction<'_>) -> Result<Value, Fault> {
        let mut steps = Map::new();
        {
            let mut statement =
                transaction.prepare_cached("SELECT step, count(*) FROM sessions GROUP BY step")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                steps.insert(row.get(0)?, row.get::<_, i64>(1)?.into());
            }
        }
        Ok(json!({
            "sessions": transaction.number("SELECT count(*) FROM sessions", [])?,
            "steps": steps,
            "events": transaction.number("SELECT count(*) FROM events", [])?,
            "streams": self.shared.listeners.count(),
            "admitted": *self.shared.line.borrow(),
            // Since the program began.
            "rowsChanged": transaction.number("SELECT total_changes()", [])?,
        }))
    }
}

/// The page fetches from here, and reads from where it is told that it may.
fn policy(arguments: &WebsiteArguments) -> HeaderValue {
    let others: String = [&arguments.process_view, &arguments.controls]
        .into_iter()
        .flatten()
        .map(|url| format!(" {}", url.origin().ascii_serialization()))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{others}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("an origin is visible ASCII")
}

fn address(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|error: url::ParseError| error.to_string())?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        _ => Err("must begin with http:// or https://".to_owned()),
    }
}

fn read_diagram(file: &PathBuf) -> Result<Vec<u8>, SiteError> {
    let failed = |cause| SiteError::Diagram {
        file: file.clone(),
        cause,
    };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > LARGEST_DIAGRAM {
        let reason = format!("it has {bytes} bytes, {LARGEST_DIAGRAM} are allowed");
        return Err(failed(std::io::Error::other(reason)));
    }
    std::fs::read(file).map_err(failed)
}
