//! An authorization server that gives tokens, or what it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use testkit::gateway::FakeGateway;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeebe_client::{Credentials, Gateway, OAuth, Secret};

use crate::harness::settings;

pub(super) const CLIENT_SECRET: &str = "hunter2-client-secret";
const TOKEN: &str = "hunter2-token";

/// An authorization server that gives the tokens `hunter2-token-1`, `-2` and so on.
pub(super) struct TokenServer {
    pub(super) address: SocketAddr,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    requests: watch::Sender<Vec<String>>,
    answer: Mutex<(StatusCode, String)>,
    /// While false, nobody is answered.
    pub(super) open: watch::Sender<bool>,
}

impl TokenServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            requests: watch::Sender::new(Vec::new()),
            answer: Mutex::new((
                StatusCode::OK,
                format!(r#"{{"access_token":"{TOKEN}-N","expires_in":3600}}"#),
            )),
            open: watch::Sender::new(true),
        });
        tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            }
        });
        Self { address, shared }
    }

    pub(super) fn answer(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).expect("a status");
        *self.shared.answer.lock().expect("no panic") = (status, body.to_owned());
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.requests.borrow().clone()
    }

    pub(super) async fn asked(&self, times: usize) {
        let mut requests = self.shared.requests.subscribe();
        requests
            .wait_for(|requests| requests.len() >= times)
            .await
            .expect("it lives");
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials::OAuth(OAuth {
            authorization_server: format!("http://{}/oauth/token", self.address)
                .parse()
                .expect("a URI"),
            client_id: String::from("bridge"),
            client_secret: Secret::new(CLIENT_SECRET),
            audience: Some(String::from("zeebe api")),
            scope: None,
        })
    }

    /// A client of this gateway that gets its tokens here.
    pub(super) fn connect(&self, fake: &FakeGateway) -> Gateway {
        let mut settings = settings(fake);
        settings.credentials = self.credentials();
        settings.call_timeout = Duration::from_secs(5);
        Gateway::new(settings).expect("usable settings")
    }
}

async fn serve(stream: tokio::net::TcpStream, shared: Arc<Shared>) {
    let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let body = request.into_body().collect().await.expect("a body");
            let form = String::from_utf8(body.to_bytes().to_vec()).expect("a form");
            let mut count = 0;
            shared.requests.send_modify(|requests| {
                requests.push(form);
                count = requests.len();
            });
            let mut open = shared.open.subscribe();
            open.wait_for(|open| *open).await.expect("it lives");
            let (status, body) = shared.answer.lock().expect("no panic").clone();
            let body = body.replace("-N", &format!("-{count}"));
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    // A client that goes away is no failure of the server.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}
