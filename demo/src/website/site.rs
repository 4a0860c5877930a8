//! The requests of browsers.
//!
//! | request | answer |
//! |---|---|
//! | `GET /`, and what the page is made of | 200; 304 where the browser has it. The page gives a cookie to who has none |
//! | `GET /api/config` | where else the page may look |
//! | `GET /api/me` | the customer's state |
//! | `GET /api/stream` | server-sent events; 429, 503 where there are too many streams |
//! | `POST /api/...` | 202 and the state; 400, 422 for a body that is not what is needed; 409 where it is not the time for it |
//! | any of them without a cookie of ours | 401: the page has not been opened |
//! | `POST` from elsewhere | 403 |
//! | another method; another path | 405; 404 |

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventing::spans;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use runtime::body::{ReadError, read_body};
use runtime::budget::Budget;
use runtime::listener::PacedRequest;
use runtime::shutdown::Shutdown;
use runtime::telemetry::traces::Span;
use serde_json::{Value, json};

use super::acts::Refusal;
use super::asked::{self, Verb};
use super::assets::{Assets, PAGE};
use super::identity::{self, Customer};
use super::listeners::TooMany;
use super::stream::Feed;
use super::{Limits, Shared, keep, origin};
use crate::sale::MAX_TICKETS;
use crate::service::door::Door;
use crate::service::{Answer, Routes, json_answer, refused, text};
use crate::store::{Fault, Store, Trace};

/// The largest body of a request, in bytes.
const MAX_BODY_BYTES: usize = 4 * 1024;
/// Memory for bodies in hand.
const BUDGET_BYTES: usize = 1024 * 1024;
/// How long a request waits for memory, and then for the file.
const PATIENCE: Duration = Duration::from_secs(10);
const EVENTS: &str = "text/event-stream";
/// When to come again where there is no place, in seconds.
const COME_AGAIN: &str = "5";

/// What browsers are answered with.
pub struct Site {
    pub(super) shared: Arc<Shared>,
    pub(super) salt: String,
    pub(super) store: Store,
    pub(super) assets: Assets,
    pub(super) config: Value,
    pub(super) policy: HeaderValue,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) shutdown: Shutdown,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Asset,
    Config,
    Me,
    Stream,
    Act(Verb),
}

impl Routes for Site {
    async fn answer(&self, door: Door, request: PacedRequest) -> Answer {
        let mut answer = self.route(door, request).await;
        let headers = answer.headers_mut();
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ] {
            headers.entry(name).or_insert(value);
        }
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

impl Site {
    /// Memory for bodies in hand.
    pub(super) fn budget() -> Budget {
        Budget::new(BUDGET_BYTES, PATIENCE)
    }

    async fn route(&self, door: Door, request: PacedRequest) -> Answer {
        let Some(place) = self.place(request.uri().path()) else {
            return text(StatusCode::NOT_FOUND, "there is nothing here");
        };
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        let (parts, body) = request.into_parts();
        match place {
            Place::Act(verb) if parts.method == Method::POST => {
                let body = read_body(body, MAX_BODY_BYTES, &self.budget).await;
                self.act(verb, &parts, body.map(|(body, _)| body)).await
            }
            Place::Act(_) => not_allowed("POST"),
            Place::Asset if reads => self.asset(&parts),
            // The events of the Broker come there.
            Place::Asset if parts.uri.path() == PAGE && door.is_back() => {
                not_allowed("GET, HEAD, POST")
            }
            Place::Config if reads => json_answer(StatusCode::OK, &self.config),
            Place::Me if reads => self.me(&parts.headers).await,
            Place::Stream if reads => self.stream(&parts),
            Place::Asset | Place::Config | Place::Me | Place::Stream => not_allowed("GET, HEAD"),
        }
    }

    fn place(&self, path: &str) -> Option<Place> {
        Some(match path {
            "/api/config" => Place::Config,
            "/api/me" => Place::Me,
            "/api/stream" => Place::Stream,
            "/api/join" => Place::Act(Verb::Join),
            "/api/request" => Place::Act(Verb::Request),
            "/api/checkout" => Place::Act(Verb::Checkout),
            "/api/leave" => Place::Act(Verb::Leave),
            "/api/again" => Place::Act(Verb::Again),
            path if self.assets.has(path) => Place::Asset,
            _ => return None,
        })
    }

    fn asset(&self, parts: &Parts) -> Answer {
        let path = parts.uri.path();
        let Some(mut answer) = self.assets.answer(path, &parts.headers) else {
            return text(StatusCode::NOT_FOUND, "there is nothing here");
        };
        if path == PAGE && Customer::of(&parts.headers).is_none() {
            let cookie = identity::new_cookie(origin::is_secure(&parts.headers));
            match cookie.map_err(asked::no_random_bits) {
                Ok(cookie) => {
                    answer.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                Err((status, reason)) => return refused(status, &reason),
            }
        }
        answer
    }

    async fn me(&self, headers: &HeaderMap) -> Answer {
        let Some(customer) = Customer::of(headers) else {
            return nobody();
        };
        let salt = self.salt.clone();
        let session = self
            .in_time(self.store.transact(Trace::default(), move |transaction| {
                keep::current(transaction, &customer, &salt)
            }))
            .await;
        match session {
            Ok(session) => self.state(StatusCode::OK, &session),
            Err(answer) => answer,
        }
    }

    fn stream(&self, parts: &Parts) -> Answer {
        let Some(customer) = Customer::of(&parts.headers) else {
            return nobody();
        };
        let listener = match self.shared.listeners.listen(&customer) {
            Ok(listener) => listener,
            Err(TooMany::Here) => {
                let reason = "this browser has too many streams open: close a tab";
                return come_again(StatusCode::TOO_MANY_REQUESTS, reason);
            }
            Err(TooMany::Everywhere) => {
                let reason = "too many browsers are connected";
                return come_again(StatusCode::SERVICE_UNAVAILABLE, reason);
            }
        };
        let last = parts
            .headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .unwrap_or(0)
            .max(0);
        let feed = Feed::new(
            self.store.clone(),
            self.salt.clone(),
            listener,
            self.shared.line.subscribe(),
            self.shutdown.clone(),
            self.limits.pace,
            last,
        );
        let body = StreamBody::new(Box::pin(feed.frames()));
        let mut answer = Response::new(body.boxed_unsync());
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
        answer
    }

    async fn act(&self, verb: Verb, parts: &Parts, body: Result<Bytes, ReadError>) -> Answer {
        if let Err(foreign) = origin::check(parts) {
            return refused(StatusCode::FORBIDDEN, &foreign.to_string());
        }
        let Some(customer) = Customer::of(&parts.headers) else {
            return nobody();
        };
        let span = asked::click(self.store.traces(), verb, &parts.headers);
        let answer = self.do_for(customer, verb, parts, body, &span).await;
        // The reason in the body may quote what the browser sent; a trace has no data.
        let reason = answer.status().canonical_reason();
        spans::answered(&span, answer.status(), reason);
        answer
    }

    async fn do_for(
        &self,
        customer: Customer,
        verb: Verb,
        parts: &Parts,
        body: Result<Bytes, ReadError>,
        span: &Span,
    ) -> Answer {
        let asked =
            asked::act(verb, body).and_then(|act| Ok((act, asked::trace(span, &parts.headers)?)));
        let (act, trace) = match asked {
            Ok(asked) => asked,
            Err((status, reason)) => return refused(status, &reason),
        };
        let (salt, bounds) = (self.salt.clone(), self.limits.bounds);
        let shared = Arc::clone(&self.shared);
        let done = self
            .in_time(self.store.transact(trace, move |transaction| {
                let session = keep::current(transaction, &customer, &salt)?;
                let done = act.apply(session, &salt, &bounds, transaction)?;
                transaction.after_commit(move || shared.listeners.wake(&customer));
                Ok(done)
            }))
            .await;
        match done {
            Ok(Ok(session)) => self.state(StatusCode::ACCEPTED, &session),
            Ok(Err(Refusal::NotNow(reason))) => refused(StatusCode::CONFLICT, reason),
            Ok(Err(Refusal::Full)) => {
                let reason = "as many customers as can be served are here: come again later";
                come_again(StatusCode::SERVICE_UNAVAILABLE, reason)
            }
            Err(answer) => answer,
        }
    }

    fn state(&self, status: StatusCode, session: &keep::Session) -> Answer {
        let admitted = *self.shared.line.borrow();
        json_answer(status, &session.story.state(&session.id, admitted))
    }

    /// What the file says, or the answer where it says nothing in time.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Answer> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => {
                tracing::error!(%fault, "a browser's request could not be served");
                Err(come_again(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the store did not take it",
                ))
            }
            Err(_) => Err(come_again(
                StatusCode::SERVICE_UNAVAILABLE,
                "the store is busy",
            )),
        }
    }
}

/// What the page is told of its surroundings.
pub(super) fn config(
    process_view: Option<&str>,
    controls: Option<&str>,
    traces: Option<&str>,
) -> Value {
    json!({
        "processView": process_view,
        "controls": controls,
        "traceUi": traces,
        "maxTickets": MAX_TICKETS,
    })
}

fn nobody() -> Answer {
    refused(
        StatusCode::UNAUTHORIZED,
        "this browser has no cookie of ours: open the page first",
    )
}

fn come_again(status: StatusCode, reason: &str) -> Answer {
    let mut answer = refused(status, reason);
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static(COME_AGAIN));
    answer
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "another method is needed");
    let headers = answer.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    answer
}
