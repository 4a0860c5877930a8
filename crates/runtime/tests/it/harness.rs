//! A server with handlers that tests can hold open, and a client that speaks raw bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{get, post};
use runtime::body::{ReadError, read_body};
use runtime::budget::Budget;
use runtime::listener::{Activity, Listener, ServeLimits, Served};
use runtime::shutdown::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub(crate) const GRACE: Duration = Duration::from_secs(20);
/// Fails a test that would hang; no test waits this long when it passes.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) activity: Arc<Activity>,
    pub(crate) shutdown: Shutdown,
    pub(crate) budget: Budget,
    /// `/hold` answers for each permit added here.
    pub(crate) hold: Arc<Semaphore>,
    pub(crate) serving: JoinHandle<Served>,
}

impl Server {
    pub(crate) async fn start(limits: ServeLimits) -> Self {
        let budget = Budget::new(1024 * 1024, Duration::from_millis(50));
        Self::start_with(limits, budget, Shutdown::new(GRACE)).await
    }

    pub(crate) async fn start_with(
        limits: ServeLimits,
        budget: Budget,
        shutdown: Shutdown,
    ) -> Self {
        let hold = Arc::new(Semaphore::new(0));
        let router = router(budget.clone(), Arc::clone(&hold));
        let listener = Listener::bind_loopback().await.unwrap();
        Self {
            address: listener.address(),
            activity: listener.activity(),
            shutdown: shutdown.clone(),
            budget,
            hold,
            serving: tokio::spawn(listener.serve(router, limits, shutdown)),
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }
}

fn router(budget: Budget, hold: Arc<Semaphore>) -> Router {
    let read = move |body: Body| {
        let budget = budget.clone();
        async move {
            match read_body(body, 256 * 1024, &budget).await {
                Ok((bytes, _reservation)) => (StatusCode::OK, bytes.len().to_string()),
                Err(error) => {
                    let status = match &error {
                        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                        ReadError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
                        ReadError::Aborted(_) => StatusCode::BAD_REQUEST,
                        ReadError::BudgetExhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
                    };
                    (status, error.to_string())
                }
            }
        }
    };
    let held = move || {
        let hold = Arc::clone(&hold);
        async move {
            hold.acquire().await.unwrap().forget();
            "released"
        }
    };
    Router::new()
        .route("/read", post(read))
        .route("/hold", get(held))
        .route("/ping", get(|| async { "pong" }))
        .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }))
        .route(
            "/panic",
            get(|| async { panic!("a handler of a test panics") as &'static str }),
        )
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))
            .await;
    }

    /// Announces a body of `length` bytes and sends none of it.
    pub(crate) async fn announce(&mut self, length: usize) {
        self.send(&format!(
            "POST /read HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
    }

    /// One response with a `content-length`, as text.
    pub(crate) async fn response(&mut self) -> String {
        let mut text = Vec::new();
        let read = async {
            loop {
                let mut byte = [0];
                if self.0.read(&mut byte).await.unwrap() == 0 {
                    break;
                }
                text.push(byte[0]);
                if let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
                    let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
                    let length: usize = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "))
                        .map_or(0, |length| length.trim().parse().unwrap());
                    if text.len() == end + 4 + length {
                        break;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("a response in time");
        String::from_utf8(text).unwrap()
    }

    /// Resolves when the peer has closed the connection; returns what it still sent.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is a close too: the peer had bytes of ours unread.
        let _ = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut rest))
            .await
            .expect("the connection to be closed in time");
        rest
    }
}

/// Resolves when `condition` holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, wait).await.is_ok(),
        "never came true: {what}"
    );
}

/// Fails the test instead of hanging it.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("an end in time")
}
