//! One request and its response.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cloudevents_http::{Limits, Message};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use runtime::body::read_body;
use runtime::budget::{Budget, Reservation};
use url::Url;

/// Sends over plain HTTP; follows no redirect and asks no proxy.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    limits: Limits,
    budget: Budget,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Pays for the body.
    pub(super) reservation: Reservation,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) struct NoResponse(String);

impl fmt::Display for NoResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Sender {
    pub(in crate::broker) fn new(limits: Limits, budget: Budget) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            limits,
            budget,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) async fn send(
        &self,
        destination: &Url,
        message: &Message,
        timeout: Option<Duration>,
    ) -> Result<Response, NoResponse> {
        let exchange = self.exchange(destination, message);
        match timeout {
            None => exchange.await,
            Some(timeout) => match tokio::time::timeout(timeout, exchange).await {
                Ok(response) => response,
                Err(_) => Err(NoResponse(format!("no answer within {timeout:?}"))),
            },
        }
    }

    async fn exchange(&self, destination: &Url, message: &Message) -> Result<Response, NoResponse> {
        let mut request = Request::post(destination.as_str())
            .body(Full::new(message.body.clone()))
            .map_err(|error| NoResponse(error.to_string()))?;
        *request.headers_mut() = message.headers.clone();
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| NoResponse(causes(&error)))?;
        let (parts, body) = response.into_parts();
        let (body, reservation) = read_body(body, self.limits.max_data_bytes, &self.budget)
            .await
            .map_err(|error| NoResponse(format!("the answer cannot be read: {error}")))?;
        Ok(Response {
            status: parts.status,
            headers: parts.headers,
            body,
            reservation,
        })
    }
}

/// An error with what caused it: hyper's own words alone say little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
