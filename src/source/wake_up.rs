//! `POST /drain`: a request that wakes the program and waits until the jobs that waited are worked.
//!
//! Any event will do; a PingSource sends one by the clock. There is one drain at a time, and whoever asks
//! while one runs is answered with it. It runs in a task of its own: whoever asked may go away, as a queue
//! proxy does whose time is over, and the drain goes on.
//!
//! What a PingSource makes of the answers: it sends its event again after 404, 413, 425, 429, 502, 503, 504 and
//! where it got none, five times within seconds, and after no other. Then that wake-up is lost, and
//! the next one comes by the clock.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use eventing::spans::{self, Arrival};
use http::{Request, Response, StatusCode};
use runtime::shutdown::Shutdown;
use runtime::telemetry::traces::{Span, SpanContext, Traces};
use tokio::sync::{Semaphore, watch};

use super::drain::{Drain, Outcome};
use super::trace;
use crate::recipient::{Recipient, Refusal, wrong_method};

const ROUTE: &str = "/drain";
/// So many requests wait for a drain at a time. A PingSource that comes each minute makes five; more would
/// only take the places of events.
const MOST_WAITING: usize = 16;

/// Why there is nothing to drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSource {
    /// The role was not asked for: it will not be there until the configuration is another.
    Role,
    /// `K_SINK` is not set: a SinkBinding will replace the program.
    Destination,
}

/// The running drain, or its result.
#[derive(Debug, Clone)]
struct Running {
    result: watch::Receiver<Option<Outcome>>,
    /// Of its span, which ends with it; `None` while tracing is off.
    context: Option<SpanContext>,
}

/// What every request to `/drain` shares.
#[derive(Debug)]
pub(super) struct WakeUps {
    recipient: Arc<Recipient>,
    drain: Result<Arc<Drain>, NoSource>,
    running: Mutex<Option<Running>>,
    waiting: Semaphore,
    shutdown: Shutdown,
    traces: Traces,
}

/// The route `POST /drain`.
pub(super) fn router(
    recipient: Arc<Recipient>,
    drain: Result<Arc<Drain>, NoSource>,
    shutdown: Shutdown,
    traces: Traces,
) -> Router {
    let wake_ups = WakeUps {
        recipient,
        drain,
        running: Mutex::default(),
        waiting: Semaphore::new(MOST_WAITING),
        shutdown,
        traces,
    };
    Router::new()
        .route(ROUTE, post(wake_up).fallback(async || wrong_method()))
        .with_state(Arc::new(wake_ups))
}

async fn wake_up(State(wake_ups): State<Arc<WakeUps>>, request: Request<Body>) -> Response<Body> {
    let mut span = Span::none();
    let (status, reason) = match wake_ups.take(request, &mut span).await {
        Ok(outcome) => (outcome.status(), outcome.reason()),
        Err(refusal) => (refusal.status, Some(refusal.reason)),
    };
    spans::answered(&span, status, reason.as_deref());
    span.within(|| wake_ups.recipient.answer(status, reason.as_deref(), None))
}

impl WakeUps {
    /// `span` becomes that of the request once it is known whose child it is.
    async fn take(&self, request: Request<Body>, span: &mut Span) -> Result<Outcome, Refusal> {
        let arrival = Arrival::of(&self.traces, request.headers());
        let received = self.recipient.receive(request).await;
        let known = received.as_ref().map_or(&[][..], |all| &all.events);
        *span = spans::ask(&self.traces, arrival, ROUTE, known);
        // What the event says is of no interest, so its bytes go at once, and its place among events.
        if received?.events.is_empty() {
            return Err(Refusal {
                status: StatusCode::BAD_REQUEST,
                reason: String::from("the batch has no event"),
            });
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Refusal {
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: format!("{MOST_WAITING} requests wait for the drain that runs already"),
        })?;
        let mut running = self.join(span)?;
        let ended = running.result.wait_for(Option::is_some).await;
        match ended.ok().and_then(|outcome| outcome.clone()) {
            Some(outcome) => Ok(outcome),
            None => Err(unavailable(
                "the drain ended without a result; send the event again",
            )),
        }
    }

    /// The drain that runs; one begins where none does, below the span of the request that has it begin.
    /// Whoever joins it is told by a link which it was.
    fn join(&self, span: &Span) -> Result<Running, Refusal> {
        let drain = self.drain.as_ref().map_err(|why| absent(*why))?;
        if let Some(why) = drain.no_destination() {
            drain.not_begun(&why);
            return Err(nothing_yet(&why));
        }
        if self.shutdown.is_requested() {
            return Err(unavailable(
                "the program stops; send the event again, to another",
            ));
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_ref().filter(|running| running.goes_on()) {
            if let Some(context) = &running.context {
                span.link(context);
            }
            return Ok(running.clone());
        }
        let (result, receiver) = watch::channel(None);
        let (drain, shutdown) = (Arc::clone(drain), self.shutdown.clone());
        let span = trace::drain(span);
        let begun = Running {
            result: receiver,
            context: span.context(),
        };
        self.shutdown.spawn(async move {
            let outcome = span.scope(drain.run(&shutdown, &span)).await;
            // Before anybody is answered.
            drop(span);
            result.send_replace(Some(outcome));
        });
        *running = Some(begun.clone());
        Ok(begun)
    }
}

impl Running {
    /// Whether it has no result yet, and will have one: one that was cut off never does.
    fn goes_on(&self) -> bool {
        self.result.borrow().is_none() && self.result.has_changed().is_ok()
    }
}

fn absent(why: NoSource) -> Refusal {
    match why {
        // Not to be sent again: a PingSource leaves it at that, and shows it.
        NoSource::Role => Refusal {
            status: StatusCode::NOT_IMPLEMENTED,
            reason: String::from(
                "there are no jobs to drain here: ROLES does not name the source; wake the one that plays it, or none",
            ),
        },
        NoSource::Destination => nothing_yet("K_SINK is not set, a SinkBinding sets it"),
    }
}

fn nothing_yet(why: &str) -> Refusal {
    unavailable(&format!(
        "there are no jobs to drain yet: {why}; send the event again"
    ))
}

fn unavailable(reason: &str) -> Refusal {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        reason: reason.to_owned(),
    }
}
