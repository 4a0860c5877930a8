//! One HTTP request over a connection of its own.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

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
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
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
