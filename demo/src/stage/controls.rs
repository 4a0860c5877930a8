//! Requests on loopback that show the programs and kill one, as a button on a page does.
//!
//! | request | answer |
//! |---|---|
//! | `GET /programs` | 200: name, id of the process, how often it was started again, state |
//! | `POST /programs/NAME/kill` | 202: it is killed with SIGKILL, and is started again |
//! | the same without the header `X-Stage: 1` | 403 |
//! | with an `Origin` that is not one of the stage's, or a `Host` that is not loopback | 403 |
//! | a program that is not there; one that does not run | 404; 409 |
//!
//! The header makes a browser ask first whether a page may send it, and only the stage's own pages may. The
//! `Host` is looked at because a name of somebody else's can be made to lead here.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use runtime::listener::{Listener, PacedRequest, ServeLimits};
use runtime::shutdown::Shutdown;
use serde_json::json;
use tower::service_fn;

use super::board::NotKilled;
use super::keeper::Shared;

/// What must be sent with what acts.
const STAGE: &str = "x-stage";

/// Serves until the shutdown is requested.
pub(super) async fn serve(
    listener: Listener,
    origins: Vec<String>,
    shared: Arc<Shared>,
    shutdown: Shutdown,
) {
    let origins: Arc<[String]> = origins.into();
    let service = service_fn(move |request: PacedRequest| {
        let answer = answer(&request, &origins, &shared);
        async move { Ok::<_, Infallible>(answer) }
    });
    let _ = listener
        .serve(service, ServeLimits::default(), shutdown)
        .await;
}

fn answer(request: &PacedRequest, origins: &[String], shared: &Shared) -> Response<Full<Bytes>> {
    let headers = request.headers();
    if !is_loopback(headers) {
        return text(
            StatusCode::FORBIDDEN,
            "the Host must be 127.0.0.1 or localhost",
        );
    }
    let origin = headers.get(header::ORIGIN);
    let known = origin.filter(|origin| origins.iter().any(|it| it.as_bytes() == origin.as_bytes()));
    if origin.is_some() && known.is_none() {
        return text(
            StatusCode::FORBIDDEN,
            "this Origin may not use the controls",
        );
    }
    let mut response = respond(request, shared);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(origin) = known {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}

fn respond(request: &PacedRequest, shared: &Shared) -> Response<Full<Bytes>> {
    let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    match (request.method(), path.as_slice()) {
        (&Method::OPTIONS, ["programs"] | ["programs", _, "kill"]) => {
            let mut response = text(StatusCode::NO_CONTENT, "");
            let headers = response.headers_mut();
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, POST"),
            );
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(STAGE),
            );
            response
        }
        (&Method::GET, ["programs"]) => json_text(StatusCode::OK, &json!(shared.board.all())),
        (&Method::POST, ["programs", name, "kill"]) => {
            if request
                .headers()
                .get(STAGE)
                .is_none_or(|value| value != "1")
            {
                return text(StatusCode::FORBIDDEN, "needs the header X-Stage: 1");
            }
            match shared.board.kill(name) {
                Ok(id) => json_text(StatusCode::ACCEPTED, &json!({"killed": id})),
                Err(NotKilled::Unknown) => text(StatusCode::NOT_FOUND, "there is no such program"),
                Err(NotKilled::NotRunning) => text(StatusCode::CONFLICT, "it does not run now"),
            }
        }
        _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

fn is_loopback(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    matches!(name, Some("127.0.0.1" | "localhost"))
}

fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}

fn json_text(status: StatusCode, value: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = text(status, &value.to_string());
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
