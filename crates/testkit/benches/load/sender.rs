//! Events into a sink: the same request over and over, on connections that are kept.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::program::Measured;

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_millis(700);

/// One span under load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) cpu_per_10000: f64,
    /// Of it, what the thread took that sends spans.
    pub(crate) sending_per_10000: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// An event in binary mode, as the bytes of a request.
pub(crate) fn request(address: &str, body_bytes: usize) -> Vec<u8> {
    let frame = r#"{"text":""}"#;
    let body = format!(
        r#"{{"text":"{}"}}"#,
        "x".repeat(body_bytes.saturating_sub(frame.len()))
    );
    format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nce-specversion: 1.0\r\nce-type: Tickets.Requested\r\n\
         ce-source: /shop/berlin\r\nce-id: order-4711/3\r\nce-subject: order-4711\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends with so many requests in flight, and measures for `span`.
pub(crate) async fn drive(
    program: &Measured,
    body_bytes: usize,
    in_flight: usize,
    span: Duration,
) -> Load {
    let request: Rc<[u8]> = request(&program.address, body_bytes).into();
    let latencies: Rc<RefCell<Vec<u32>>> = Rc::default();
    let counting = Rc::new(Cell::new(false));
    let local = LocalSet::new();
    let (cpu, sending, seconds) = local
        .run_until(async {
            for _ in 0..in_flight {
                let stream = TcpStream::connect(&program.address)
                    .await
                    .expect("a connection");
                stream.set_nodelay(true).expect("no delay");
                tokio::task::spawn_local(converse(
                    stream,
                    Rc::clone(&request),
                    Rc::clone(&latencies),
                    Rc::clone(&counting),
                ));
            }
            tokio::time::sleep(WARM_UP).await;
            let (cpu, sending, began) = (program.cpu(), program.sending(), Instant::now());
            counting.set(true);
            tokio::time::sleep(span).await;
            counting.set(false);
            (
                program.cpu() - cpu,
                program.sending() - sending,
                began.elapsed().as_secs_f64(),
            )
        })
        .await;
    drop(local);
    let mut latencies = latencies.take();
    latencies.sort_unstable();
    let count = latencies.len();
    let quantile = |part: f64| {
        let at = (count as f64 * part) as usize;
        let micros = latencies.get(at).or(latencies.last());
        micros.map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    };
    Load {
        per_second: count as f64 / seconds,
        cpu_per_10000: cpu / count as f64 * 10_000.0,
        sending_per_10000: sending / count as f64 * 10_000.0,
        p50_ms: quantile(0.5),
        p99_ms: quantile(0.99),
    }
}

async fn converse(
    mut stream: TcpStream,
    request: Rc<[u8]>,
    latencies: Rc<RefCell<Vec<u32>>>,
    counting: Rc<Cell<bool>>,
) {
    let mut answer = [0_u8; 2048];
    loop {
        let began = Instant::now();
        stream.write_all(&request).await.expect("a request sent");
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\n") {
            let more = stream.read(&mut answer[length..]).await.expect("an answer");
            assert!(more > 0, "the connection was closed");
            length += more;
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 2"),
            "{}",
            String::from_utf8_lossy(&answer[..length])
        );
        if counting.get() {
            let micros = began.elapsed().as_micros();
            latencies
                .borrow_mut()
                .push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
    }
}
