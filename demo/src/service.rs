//! What all services of the sale have in common: they receive events, handle each once, send others, and stop
//! in order. What an event means is each service's own.
//!
//! | request | answer |
//! |---|---|
//! | `POST /` with an event or a batch | 202 and an empty body, once all of it is in the store |
//! | the same event again | 202; nothing happens |
//! | no event; data that is not what its type needs | 400; 422, naming the member; nothing of it was kept |
//! | the store or the memory for bodies is not to be had, or not in time | 503: come again |
//! | an event that a page sent (`Origin`, `Sec-Fetch-Site`) | 403 |
//! | `GET /healthz` | 200 |
//! | `GET /readyz` | 200; 503 with the reason while there is no `K_SINK`, and once it is asked to stop |
//! | `GET /books` | what the service counts, as JSON |
//!
//! With a second address (`EVENTS_PORT`) events, books and readiness are there and nowhere else: what browsers reach is the
//! service's own, and no one of them can make up events.
//!
//! - [`door`]: which address is for what.
//! - `receive`: from a request to the store.
//! - [`settings`]: what a service is started with.

pub mod door;
mod receive;
pub mod settings;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloudevents_http::Event;
use eventing::{Sender, SenderError, SenderSettings};
use futures_util::future::OptionFuture;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use runtime::budget::Budget;
use runtime::listener::{BindError, Listener, PacedRequest};
use runtime::readiness::{Readiness, ReadinessHandle};
use runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::service_fn;

use self::door::Door;
pub use self::receive::data;
pub(crate) use self::receive::{JsonError, from_json, refused, status_of};
use self::settings::Settings;
use crate::store::{Fault, OpenError, Outbox, OutboxCounts, Store, Trace, Transaction};

/// Memory for bodies in hand.
const BUDGET_BYTES: usize = 32 * 1024 * 1024;
/// How long a request waits for memory, and then for the store.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon what is due is looked at again where that failed.
const AFTER_A_FAULT: Duration = Duration::from_secs(1);

/// An answer to a request.
pub type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A service of the sale: what it keeps, and what events mean to it.
pub trait Service: Send + Sync + 'static {
    /// Its name: of its file, and in the `source` of its events, `/sale/NAME`.
    fn name(&self) -> &'static str;

    /// Statements that make its tables, and may be run again.
    fn schema(&self) -> &'static str;

    /// Applies an event that was not applied before. Types that mean nothing here are ignored.
    ///
    /// # Errors
    /// Data that is not what the type needs; the store. Then nothing of it is kept.
    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault>;

    /// Does what time has made due; returns after how many milliseconds there is more, if there is.
    ///
    /// # Errors
    /// The store; it is tried again.
    fn due(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        let _ = transaction;
        Ok(None)
    }

    /// What it counts.
    ///
    /// # Errors
    /// The store.
    fn books(&self, transaction: &mut Transaction<'_>) -> Result<Value, Fault>;
}

/// Answers the requests that are no events, for a service that has more to say.
pub trait Routes: Send + Sync + 'static {
    /// Answers one request, which came to this door.
    fn answer(&self, door: Door, request: PacedRequest) -> impl Future<Output = Answer> + Send;
}

/// No further requests: 404.
#[derive(Debug)]
pub struct NoRoutes;

impl Routes for NoRoutes {
    async fn answer(&self, _: Door, _: PacedRequest) -> Answer {
        text(StatusCode::NOT_FOUND, "there is nothing here")
    }
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The destination's certificates.
    #[error("K_CA_CERTS: {0}")]
    Sender(#[from] SenderError),
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    events: Option<SocketAddr>,
    store: Store,
    task: JoinHandle<Result<(), Lost>>,
}

/// The store can no longer be used. Nothing that was answered is lost; the program should end and be started
/// again.
#[derive(Debug, thiserror::Error)]
#[error("the thread of the store has ended; start again")]
pub struct Lost;

impl Running {
    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address where it takes events, where that is another.
    #[must_use]
    pub fn events_address(&self) -> Option<SocketAddr> {
        self.events
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Comes back once the shutdown was requested, all is finished and the outbox is empty, or the grace over.
    ///
    /// # Errors
    /// The store was lost before.
    pub async fn stopped(self) -> Result<(), Lost> {
        // It is never aborted; a panic in it leaves as little as a lost store does.
        self.task.await.unwrap_or(Err(Lost))
    }
}

/// What all requests share.
struct Desk<S, R> {
    service: Arc<S>,
    routes: R,
    store: Store,
    budget: Budget,
    outbox: Option<Arc<OutboxCounts>>,
    readiness: Readiness,
    /// Says whether there is somewhere to send to.
    _destination: ReadinessHandle,
}

/// Opens the store of a service, for those who need it before the service runs.
///
/// # Errors
/// See [`OpenError`].
pub fn open(service: &impl Service, settings: &Settings) -> Result<Store, OpenError> {
    let name = service.name();
    let file = settings.data.join(format!("{name}.sqlite"));
    let source = format!("/sale/{name}");
    Store::open(&file, service.schema(), &source, settings.remembered)
}

/// Starts a service on a store that [`open`] opened; it serves when this returns, until `shutdown` is requested.
///
/// # Errors
/// See [`StartError`]; then nothing was started.
pub async fn start<S: Service, R: Routes>(
    service: S,
    routes: R,
    store: Store,
    settings: Settings,
    shutdown: Shutdown,
) -> Result<Running, StartError> {
    let listener = Listener::bind(settings.address).await?;
    let address = listener.address();
    let back = match settings.events {
        Some(address) => Some(Listener::bind(address).await?),
        None => None,
    };
    let events = back.as_ref().map(Listener::address);
    let readiness = Readiness::new();
    let destination = readiness.register("destination");
    let outbox = match settings.binding {
        Some(binding) => {
            let sender = Sender::new(&SenderSettings::for_binding(&binding))?;
            destination.ready();
            Some(Outbox::new(
                store.clone(),
                sender,
                binding,
                settings.under_way,
            ))
        }
        None => {
            destination.not_ready("K_SINK is not set: events would stay in the outbox");
            None
        }
    };
    let desk = Arc::new(Desk {
        service: Arc::new(service),
        routes,
        store: store.clone(),
        budget: Budget::new(BUDGET_BYTES, PATIENCE),
        outbox: outbox.as_ref().map(Outbox::counts),
        readiness: readiness.clone(),
        _destination: destination,
    });
    let serve = |listener: Listener, door| {
        let desk = Arc::clone(&desk);
        let requests = service_fn(move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(desk.answer(door, request).await) }
        });
        listener.serve(requests, settings.limits, shutdown.clone())
    };
    let door = match events {
        Some(_) => Door::Front,
        None => Door::Only,
    };
    let front = serve(listener, door);
    let back = OptionFuture::from(back.map(|listener| serve(listener, Door::Back)));
    let served = async { tokio::join!(front, back) };
    let kept = store.clone();
    let task = tokio::spawn(async move {
        let (over, last_word) = tokio::sync::oneshot::channel::<()>();
        let working = async {
            let outcome = tokio::select! {
                _ = served => Ok(()),
                never = work_what_is_due(&desk.service, &desk.store) => match never {},
                () = kept.lost() => Err(Lost),
            };
            drop(over);
            outcome
        };
        let sending = async {
            if let Some(outbox) = outbox {
                let last_word = async {
                    let _ = last_word.await;
                };
                tokio::select! {
                    () = outbox.run(&shutdown, last_word) => {}
                    () = kept.lost() => {}
                }
            }
        };
        let leaving = async {
            shutdown.requested().await;
            readiness.stop();
        };
        let work = async { tokio::join!(working, sending).0 };
        tokio::select! {
            outcome = work => outcome,
            never = async { leaving.await; std::future::pending::<Infallible>().await } => match never {},
        }
    });
    Ok(Running {
        address,
        events,
        store,
        task,
    })
}

/// Looks at what is due whenever something is, or may be.
async fn work_what_is_due<S: Service>(service: &Arc<S>, store: &Store) -> Infallible {
    loop {
        let looking = Arc::clone(service);
        let next = store
            .transact(Trace::default(), move |transaction| {
                looking.due(transaction)
            })
            .await;
        let pause = match next {
            Ok(next) => next.map(Duration::from_millis),
            Err(fault) => {
                tracing::error!(%fault, "what is due could not be done; it is tried again");
                Some(AFTER_A_FAULT)
            }
        };
        let later = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = later => {}
            () = store.due_changed() => {}
        }
    }
}

impl<S: Service, R: Routes> Desk<S, R> {
    async fn answer(&self, door: Door, request: PacedRequest) -> Answer {
        let is_back = door.is_back();
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/") if is_back => self.receive(request).await,
            (&Method::GET, "/healthz") => text(StatusCode::OK, ""),
            (&Method::GET, "/readyz") if is_back => self.ready(),
            (&Method::GET, "/books") if is_back => self.books().await,
            _ if door.is_front() => self.routes.answer(door, request).await,
            _ => NoRoutes.answer(door, request).await,
        }
    }

    fn ready(&self) -> Answer {
        let reasons = self.readiness.snapshot().reasons;
        let status = match reasons.len() {
            0 => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let lines = reasons
            .iter()
            .map(|not_ready| format!("{}: {}\n", not_ready.check, not_ready.reason));
        text(status, &lines.collect::<String>())
    }

    async fn books(&self) -> Answer {
        let service = Arc::clone(&self.service);
        let books = self
            .store
            .transact(Trace::default(), move |transaction| {
                let mut books = service.books(transaction)?;
                books["outbox"] = transaction
                    .number("SELECT count(*) FROM outbox", [])?
                    .into();
                books["notSent"] = transaction
                    .number("SELECT count(*) FROM refused", [])?
                    .into();
                Ok(books)
            })
            .await;
        match books {
            Ok(mut books) => {
                if let Some(counts) = &self.outbox {
                    let (accepted, repeated, refused) = counts.read();
                    books["sent"] =
                        json!({"accepted": accepted, "repeated": repeated, "refused": refused});
                }
                json_answer(StatusCode::OK, &books)
            }
            Err(fault) => text(StatusCode::SERVICE_UNAVAILABLE, &fault.to_string()),
        }
    }
}

/// An answer in plain text.
#[must_use]
pub fn text(status: StatusCode, text: &str) -> Answer {
    answer(
        status,
        "text/plain; charset=utf-8",
        Bytes::copy_from_slice(text.as_bytes()),
    )
}

/// An answer in JSON.
#[must_use]
pub fn json_answer(status: StatusCode, value: &Value) -> Answer {
    answer(status, "application/json", Bytes::from(value.to_string()))
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let empty = body.is_empty();
    let mut response = Response::new(Full::new(body).boxed_unsync());
    *response.status_mut() = status;
    if !empty {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}
