//! A Broker and its Triggers in one program, on loopback: a development tool.
//!
//! It does what Knative's Broker does over the in-memory channel, seen from outside: the same
//! answers, filters, retries, dead letters and replies, from the same YAML. It keeps nothing: an
//! event is held, in bounded memory, with its sender's request, until all Triggers are done. There
//! is no authentication, and no second copy.
//!
//! - [`manifest`]: Brokers and Triggers from files; [`destination`]: their references to addresses.
//! - [`filter`]: which events a Trigger takes.
//! - `routing`: both together, with every address resolved.
//! - `ingress`: requests and their answers; `hub`: one event to all Triggers.
//! - `arrival`, `hops`: an event inside the Broker.
//! - `delivery`: one event to one subscriber, with retries and dead letter sink.
//! - `counters`: what became of the events.

mod arrival;
mod counters;
mod delivery;
pub mod destination;
pub mod filter;
mod hops;
mod hub;
mod ingress;
pub mod manifest;
mod routing;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cloudevents_http::Limits;
use eventing::{Sender, SenderError, SenderSettings};
use runtime::budget::Budget;
use runtime::listener::{BindError, Listener, ServeLimits, Served};
use runtime::shutdown::Shutdown;
use tokio::task::JoinHandle;
use tower::service_fn;

pub use self::counters::Counts;
use self::destination::{References, Unresolved};
use self::hub::Hub;
use self::ingress::Ingress;
use self::manifest::Manifests;

/// How long a subscriber may take for the rest of its answer once its status is there.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a Broker program is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes a free one. Default 0.
    pub port: u16,
    /// The Brokers and Triggers. A Broker that only a Trigger names is there too.
    pub manifests: Manifests,
    /// Where references point. Those to the Brokers themselves need no entry.
    pub references: References,
    /// The greatest event, in bytes of its body. Default 4 MiB.
    pub max_event_bytes: usize,
    /// All events in hand together, replies too, in bytes; beyond it senders wait, then get 503.
    /// An answer that is being read comes on top. Default 64 MiB.
    pub budget_bytes: usize,
    /// How long a sender waits for memory before its 503. Default 10 s.
    pub patience: Duration,
    /// How long events in hand may take after [`Running::stop`]. Default 10 s.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            manifests: Manifests::default(),
            references: References::default(),
            max_event_bytes: 4 * 1024 * 1024,
            budget_bytes: 64 * 1024 * 1024,
            patience: Duration::from_secs(10),
            grace: Duration::from_secs(10),
        }
    }
}

/// Why a Broker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// No client for deliveries can be made.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// A Trigger's subscriber or dead letter sink has no address.
    #[error("Trigger `{trigger}`: {cause}")]
    Unresolved {
        /// The Trigger.
        trigger: String,
        /// What has no address.
        cause: Unresolved,
    },
    /// Two Brokers or two Triggers have one name.
    #[error("{kind} `{name}` is there twice")]
    Twice {
        /// The kind of object.
        kind: &'static str,
        /// Its namespace and name.
        name: String,
    },
}

/// A Broker to be started.
#[derive(Debug)]
pub struct Broker;

impl Broker {
    /// Starts a Broker; it serves when this returns. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// See [`StartError`]; then nothing was started.
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        let shutdown = Shutdown::new(settings.grace);
        Self::start_with(settings, shutdown).await
    }

    /// As [`start`](Self::start), to be stopped by a shutdown that others know too.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(settings: Settings, shutdown: Shutdown) -> Result<Running, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let listener = Listener::bind(address).await?;
        let address = listener.address();
        let brokers = routing::routes(&settings, address)?;

        let budget = Budget::new(settings.budget_bytes, settings.patience);
        let limits = Limits {
            max_data_bytes: settings.max_event_bytes,
            ..Limits::default()
        };
        let sender = Sender::new(&SenderSettings {
            // One more, so that what is too long is seen to be.
            max_answer_bytes: settings.max_event_bytes.saturating_add(1),
            // A reply is the event of somebody who may take time to write it.
            answer_timeout: REPLY_TIMEOUT,
            ..SenderSettings::default()
        })?;
        let hub = Arc::new(Hub {
            brokers,
            sender,
            limits: limits.clone(),
            budget: budget.clone(),
            counters: counters::Counters::default(),
        });
        let ingress = Ingress {
            hub: Arc::clone(&hub),
            limits,
            budget,
        };
        let service = service_fn(move |request| {
            let ingress = ingress.clone();
            async move { Ok::<_, Infallible>(ingress.answer(request).await) }
        });
        let served = listener.serve(service, ServeLimits::default(), shutdown.clone());
        Ok(Running {
            address,
            hub,
            shutdown,
            task: tokio::spawn(served),
        })
    }
}

/// A Broker that runs. Dropping it lets it run on until its tokio runtime ends.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    hub: Arc<Hub>,
    shutdown: Shutdown,
    task: JoinHandle<Served>,
}

impl Running {
    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to send events for a Broker.
    #[must_use]
    pub fn url(&self, namespace: &str, name: &str) -> String {
        format!("http://{}/{namespace}/{name}", self.address)
    }

    /// Namespace, name and number of Triggers of each Broker, in order.
    #[must_use]
    pub fn brokers(&self) -> Vec<(String, String, usize)> {
        let brokers = self.hub.brokers.iter();
        let mut brokers: Vec<_> = brokers
            .map(|(broker, routes)| (broker.namespace.clone(), broker.name.clone(), routes.len()))
            .collect();
        brokers.sort();
        brokers
    }

    /// What became of the events up to now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.hub.counters.read()
    }

    /// Takes nothing new, finishes what is in hand within the grace, and says what it cut off.
    pub async fn stop(self) -> (Counts, Served) {
        self.shutdown.request();
        self.stopped().await
    }

    /// Comes back once the shutdown was requested and all is finished or cut off.
    pub async fn stopped(self) -> (Counts, Served) {
        let served = self.task.await.unwrap_or_default();
        (self.hub.counters.read(), served)
    }
}
