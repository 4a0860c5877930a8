//! A small HTTP client, for programs that ask others on loopback: readiness, books, the website's requests.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// A client that keeps its connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// No whole answer came, or it is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{method} {url}: {reason}")]
pub struct NoAnswer {
    method: Method,
    url: String,
    reason: String,
}

impl Default for Client {
    fn default() -> Self {
        Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Client {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// No whole answer within ten seconds, or one of more than 8 MiB.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answered, NoAnswer> {
        let body = body.into();
        let answered = tokio::time::timeout(PATIENCE, async {
            let response = self.open(method.clone(), url, headers, body).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| no_answer(&method, url, &error))?;
            Ok(Answered {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        });
        answered
            .await
            .unwrap_or_else(|_| Err(no_answer(&method, url, &"no answer in time")))
    }

    /// Sends a request and returns as soon as the answer has begun, for bodies that have no end.
    ///
    /// # Errors
    /// No answer.
    pub async fn open(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<http::Response<hyper::body::Incoming>, NoAnswer> {
        let mut request = Request::builder().method(method.clone()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body.into()))
            .map_err(|error| no_answer(&method, url, &error))?;
        let response = self.0.request(request).await;
        response.map_err(|error| no_answer(&method, url, &error))
    }

    /// GET of a JSON value, which must be answered 200.
    ///
    /// # Errors
    /// No answer, another status, no JSON.
    pub async fn get_json(&self, url: &str) -> Result<Value, NoAnswer> {
        let answered = self.send(Method::GET, url, &[], Bytes::new()).await?;
        if answered.status != StatusCode::OK {
            let text = String::from_utf8_lossy(&answered.body);
            let reason = format!("{}: {text}", answered.status);
            return Err(no_answer(&Method::GET, url, &reason));
        }
        serde_json::from_slice(&answered.body).map_err(|error| no_answer(&Method::GET, url, &error))
    }
}

fn no_answer(method: &Method, url: &str, reason: &dyn std::fmt::Display) -> NoAnswer {
    NoAnswer {
        method: method.clone(),
        url: url.to_owned(),
        reason: reason.to_string(),
    }
}
