//! One HTTP request over a connection of its own, or several over one.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

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

impl Answered {
    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body that is UTF-8")
    }

    /// The value of a header, if it is there once or more and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// The client's words, where no whole answer came.
///
/// # Panics
/// When the parts make no request.
pub async fn try_send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answered, String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(body.into()))
        .expect("a request that can be sent");
    answered(&Client::builder(TokioExecutor::new()).build_http(), request).await
}

/// POSTs without a body, each with its `authorization`, at one time on one HTTP/2 connection.
///
/// # Panics
/// When one of them gets no whole answer.
pub async fn post_at_once(url: &str, authorizations: &[String]) -> Vec<Answered> {
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let answers = authorizations.iter().map(|authorization| {
        let request = Request::post(url)
            .header("authorization", authorization)
            .body(Full::default())
            .expect("a request that can be sent");
        answered(&client, request)
    });
    let answers = join_all(answers).await.into_iter();
    answers
        .map(|answer| answer.unwrap_or_else(|error| panic!("POST {url}: {error}")))
        .collect()
}

async fn answered(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answered, String> {
    let (head, body) = client
        .request(request)
        .await
        .map_err(|error| format!("{error:?}"))?
        .into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| format!("{error:?}"))?
        .to_bytes();
    Ok(Answered {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// GET.
///
/// # Panics
/// When no whole answer comes.
pub async fn get(url: &str) -> Answered {
    try_send(Method::GET, url, &[], Bytes::new())
        .await
        .unwrap_or_else(|error| panic!("GET {url}: {error}"))
}

/// POST.
///
/// # Panics
/// When no whole answer comes.
pub async fn post(url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answered {
    try_send(Method::POST, url, headers, body)
        .await
        .unwrap_or_else(|error| panic!("POST {url}: {error}"))
}

/// POST of an event from `/tests` in binary mode with JSON data, and further headers.
///
/// # Panics
/// When no whole answer comes.
pub async fn post_event(
    url: &str,
    ty: &str,
    id: &str,
    headers: &[(&str, &str)],
    data: &Value,
) -> Answered {
    let mut all = vec![
        ("ce-specversion", "1.0"),
        ("ce-source", "/tests"),
        ("ce-type", ty),
        ("ce-id", id),
        ("content-type", "application/json"),
    ];
    all.extend_from_slice(headers);
    post(url, &all, data.to_string()).await
}
