//! A subscriber that answers as told and remembers what it got, and a sender.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use demo::broker::manifest::{self, Manifests};
use demo::broker::{Broker, Running, Settings};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use runtime::listener::{Listener, PacedRequest, ServeLimits};
use runtime::shutdown::Shutdown;
use tokio::sync::Notify;
use tower::service_fn;

/// What a subscriber was sent.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Delivered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// How a subscriber answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// Only once this is told to; never, if nobody does.
    gate: Option<Arc<Notify>>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            gate: None,
        }
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With an event, in binary mode.
    pub(crate) fn event(self, ty: &str) -> Self {
        self.header("ce-specversion", "1.0")
            .header("ce-id", "reply")
            .header("ce-source", "/subscriber")
            .header("ce-type", ty)
    }

    pub(crate) fn once_told(mut self, gate: &Arc<Notify>) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }
}

/// A subscriber on a port of its own.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Delivered>>>,
    came: Arc<Notify>,
}

impl Subscriber {
    /// Answers with each of `first` once, then always with `then`.
    pub(crate) async fn start(first: Vec<Answer>, then: Answer) -> Self {
        let listener = Listener::bind_loopback().await.expect("a free port");
        let subscriber = Self {
            url: format!("http://{}/", listener.address()),
            seen: Arc::default(),
            came: Arc::default(),
        };
        let (seen, came) = (Arc::clone(&subscriber.seen), Arc::clone(&subscriber.came));
        let answers = Arc::new(Mutex::new(VecDeque::from(first)));
        let service = service_fn(move |request: PacedRequest| {
            let (seen, came, answers) =
                (Arc::clone(&seen), Arc::clone(&came), Arc::clone(&answers));
            let then = then.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.expect("a whole body").to_bytes();
                lock(&seen).push(Delivered {
                    headers: parts.headers,
                    body,
                });
                came.notify_one();
                let answer = lock(&answers).pop_front().unwrap_or(then);
                if let Some(gate) = answer.gate {
                    gate.notified().await;
                }
                let mut response = Response::builder().status(answer.status);
                for (name, value) in answer.headers {
                    response = response.header(name, value);
                }
                Ok::<_, Infallible>(
                    response
                        .body(Full::new(Bytes::from(answer.body)))
                        .expect("a valid answer"),
                )
            }
        });
        tokio::spawn(listener.serve(
            service,
            ServeLimits::default(),
            Shutdown::new(Duration::ZERO),
        ));
        subscriber
    }

    /// Accepts everything.
    pub(crate) async fn accepting() -> Self {
        Self::start(Vec::new(), Answer::status(202)).await
    }

    pub(crate) fn seen(&self) -> Vec<Delivered> {
        lock(&self.seen).clone()
    }

    /// Comes back once a request has come that nobody has waited for yet.
    pub(crate) async fn comes(&self) {
        self.came.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn parse(yaml: &str) -> Result<Manifests, manifest::Refusal> {
    let mut manifests = Manifests::default();
    manifest::parse(Path::new("test.yaml"), yaml, "default", &mut manifests)?;
    Ok(manifests)
}

/// A Trigger of the Broker `default`; `spec` holds further fields, indented by two.
pub(crate) fn trigger(name: &str, subscriber: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {{name: {name}}}\n\
         spec:\n  broker: default\n  subscriber: {{uri: \"{subscriber}\"}}\n{spec}\n"
    )
}

pub(crate) async fn start(yaml: &str) -> Running {
    start_with(yaml, Settings::default()).await
}

pub(crate) async fn start_with(yaml: &str, settings: Settings) -> Running {
    let settings = Settings {
        manifests: parse(yaml).expect("valid manifests"),
        ..settings
    };
    Broker::start(settings).await.expect("a Broker")
}

/// A sender of requests.
#[derive(Debug, Clone)]
pub(crate) struct Sender(Client<HttpConnector, Full<Bytes>>);

impl Sender {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .expect("a valid request");
        let response = self.0.request(request).await.expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole body");
        (
            status,
            String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        )
    }

    /// A small event to the Broker `default`; `headers` add to it, or replace.
    pub(crate) async fn event(&self, broker: &Running, headers: &[(&str, &str)]) -> StatusCode {
        let mut all = vec![
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/test"),
            ("ce-type", "Tickets.Requested"),
            ("content-type", "application/json"),
        ];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers);
        let url = broker.url("default", "default");
        self.send(Method::POST, &url, &all, "{\"seats\":2}").await.0
    }
}
