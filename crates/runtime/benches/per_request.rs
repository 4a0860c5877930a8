//! What serving costs beside `axum::serve`, which keeps no deadline and no limit.
//!
//! Server and client share one thread, and what is given is that thread's CPU time, so that a busy
//! machine does not matter. Both servers run the same router on the same kind of connection; the
//! client's part is the same in both.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use runtime::listener::{Listener, ServeLimits};
use runtime::shutdown::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 32;

fn router() -> Router {
    Router::new().route(
        "/",
        post(|body: Bytes| async move {
            drop(body);
            http::StatusCode::ACCEPTED
        }),
    )
}

async fn connect(address: SocketAddr) -> Vec<TcpStream> {
    join_all((0..CONNECTIONS).map(|_| async move {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream
    }))
    .await
}

/// Each connection sends its requests one after the other.
async fn round(connections: &mut [TcpStream], request: &[u8]) {
    join_all(connections.iter_mut().map(|stream| async move {
        let mut response = [0; 1024];
        for _ in 0..REQUESTS {
            stream.write_all(request).await.expect("a request");
            let length = stream.read(&mut response).await.expect("a response");
            assert!(response[..length].starts_with(b"HTTP/1.1 202"));
        }
    }))
    .await;
}

/// What this thread has run so far.
fn cpu_time() -> Duration {
    // Gives the processor away, which brings the figure up to date.
    std::thread::sleep(Duration::from_micros(1));
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}

fn serving(criterion: &mut Criterion) {
    let body = "x".repeat(200);
    let request = format!(
        "POST / HTTP/1.1\r\nhost: bench\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-type: a.b\r\n\
         ce-source: /bench\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{body}"
    );
    let mut group = criterion.benchmark_group("512 requests");
    group.throughput(Throughput::Elements((CONNECTIONS * REQUESTS) as u64));
    for ours in [false, true] {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let mut connections = runtime.block_on(async {
            let address = if ours {
                let listener = Listener::bind_loopback().await.expect("a port");
                let address = listener.address();
                let shutdown = Shutdown::new(Duration::ZERO);
                tokio::spawn(listener.serve(router(), ServeLimits::default(), shutdown));
                address
            } else {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("its address");
                tokio::spawn(async move { axum::serve(listener, router()).await });
                address
            };
            connect(address).await
        });
        let name = if ours { "this listener" } else { "axum::serve" };
        group.bench_function(name, |b| {
            b.iter_custom(|rounds| {
                let before = cpu_time();
                for _ in 0..rounds {
                    runtime.block_on(round(&mut connections, request.as_bytes()));
                }
                cpu_time() - before
            });
        });
    }
    group.finish();
}

criterion_group!(per_request, serving);
criterion_main!(per_request);
