//! A collector of telemetry: takes spans and metrics by OTLP, answers as told, and remembers what it got.

pub mod metric;
pub mod span;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity as TlsIdentity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use self::metric::Pushed;
use self::span::{Span, Spans};
use crate::certificates::Identity;

/// How long a condition is awaited before the test fails with what had come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the collector answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes what comes.
    Takes,
    /// It takes the request, and never answers.
    Hangs,
    /// It says that it will not.
    Refuses,
}

/// A collector on a port of its own. Stops when dropped.
pub struct Collector {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    server: JoinHandle<()>,
}

struct Shared {
    manner: Manner,
    spans: Mutex<Vec<Span>>,
    pushes: Mutex<Vec<Pushed>>,
    headers: Mutex<Vec<MetadataMap>>,
    changed: watch::Sender<usize>,
}

impl Collector {
    /// Starts one that takes what comes.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        Self::start_with(Manner::Takes).await
    }

    /// Starts one that answers in this manner.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start_with(manner: Manner) -> Self {
        Self::begin(manner, None).await
    }

    /// Starts one that speaks TLS with this certificate, and takes what comes.
    ///
    /// # Panics
    /// When it cannot listen, or the certificate and its key make no server.
    pub async fn start_tls(identity: &Identity) -> Self {
        Self::begin(Manner::Takes, Some(identity)).await
    }

    async fn begin(manner: Manner, identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("the port it listens on");
        let shared = Arc::new(Shared {
            manner,
            spans: Mutex::default(),
            pushes: Mutex::default(),
            headers: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let traces = TraceServiceServer::from_arc(Arc::clone(&shared))
            .accept_compressed(CompressionEncoding::Gzip);
        let metrics = MetricsServiceServer::from_arc(Arc::clone(&shared))
            .accept_compressed(CompressionEncoding::Gzip);
        let mut builder = Server::builder();
        if let Some(identity) = identity {
            let identity = TlsIdentity::from_pem(&identity.certificate, &identity.key);
            builder = builder
                .tls_config(ServerTlsConfig::new().identity(identity))
                .expect("a certificate with its key");
        }
        let serving = builder
            .add_service(traces)
            .add_service(metrics)
            .serve_with_incoming(TcpIncoming::from(listener));
        let server = tokio::spawn(async move {
            serving.await.expect("a server");
        });
        Self {
            shared,
            address,
            scheme: if identity.is_some() { "https" } else { "http" },
            server,
        }
    }

    /// `http://127.0.0.1:PORT`, or `https` where it speaks TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How many requests came, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        *self.shared.changed.borrow()
    }

    /// A header of each request that came.
    #[must_use]
    pub fn header(&self, name: &str) -> Vec<Option<String>> {
        let headers = self.shared.headers.lock();
        headers
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|all| Some(all.get(name)?.to_str().ok()?.to_owned()))
            .collect()
    }

    /// All spans that it took.
    #[must_use]
    pub fn spans(&self) -> Spans {
        let spans = self.shared.spans.lock();
        Spans::new(spans.unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// All pushes of metrics that it took, the last one last.
    #[must_use]
    pub fn pushes(&self) -> Vec<Pushed> {
        let pushes = self.shared.pushes.lock();
        pushes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many pushes of metrics were taken.
    ///
    /// # Panics
    /// When they are not within a minute.
    pub async fn pushed(&self, count: usize) -> Vec<Pushed> {
        self.wait_for("pushes of metrics", || {
            let pushes = self.pushes();
            (pushes.len() >= count).then_some(pushes)
        })
        .await
    }

    /// Waits until the spans are as wanted, and returns them.
    ///
    /// # Panics
    /// When they are not within a minute; the message has them.
    pub async fn spans_when(&self, what: &str, wanted: impl Fn(&Spans) -> bool) -> Spans {
        self.wait_for(what, || {
            let spans = self.spans();
            wanted(&spans).then_some(spans)
        })
        .await
    }

    /// Waits until so many requests came, whatever became of them.
    ///
    /// # Panics
    /// When they do not within a minute.
    pub async fn asked(&self, times: usize) {
        self.wait_for("requests", || (self.requests() >= times).then_some(()))
            .await;
    }

    async fn wait_for<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                changed.changed().await.expect("it is borrowed here");
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "not within {PATIENCE:?}: {what}; there is\n{}{}",
                    self.spans().tree(),
                    self.spans()
                )
            })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// Keeps the headers of a request, and what it brings where that is taken; answers as told.
    async fn answer<T: Default>(
        &self,
        headers: MetadataMap,
        take: impl FnOnce(),
    ) -> Result<Response<T>, Status> {
        self.headers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(headers);
        if self.manner == Manner::Takes {
            take();
        }
        self.changed.send_modify(|requests| *requests += 1);
        match self.manner {
            Manner::Takes => Ok(Response::new(T::default())),
            Manner::Hangs => std::future::pending().await,
            Manner::Refuses => Err(Status::permission_denied("no telemetry, please")),
        }
    }
}

#[tonic::async_trait]
impl TraceService for Shared {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (headers, _, request) = request.into_parts();
        self.answer(headers, || {
            self.spans
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(span::read(request));
        })
        .await
    }
}

#[tonic::async_trait]
impl MetricsService for Shared {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (headers, _, request) = request.into_parts();
        self.answer(headers, || {
            self.pushes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Pushed::read(request));
        })
        .await
    }
}
