//! The measurements: the bridge and the bare limit in turn, so that both meet the same disturbances.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::Effort;
use crate::program::{Measured, Memory, environment, settle};
use crate::sender::{self, Load};
use crate::{receiver, roles};

/// Requests in flight at the sink.
pub(crate) const IN_FLIGHT: usize = 64;
/// Starts of which the median is taken.
const STARTS: usize = 20;
/// Before a program without work counts as idle.
const IDLE: Duration = Duration::from_secs(2);
/// Until the source's connections are warm.
const WARM_UP: Duration = Duration::from_millis(700);

/// The bridge and its bare limit, round by round, and what memory they had.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) bridge: Vec<Load>,
    pub(crate) bare: Vec<Load>,
    pub(crate) bridge_idle: Memory,
    pub(crate) bridge_busy: Memory,
    pub(crate) bare_idle: Memory,
    pub(crate) bare_busy: Memory,
}

impl Pair {
    pub(crate) fn loads(&self) -> (&[Load], &[Load]) {
        (&self.bridge, &self.bare)
    }
}

/// A gateway as a program of its own.
pub(crate) struct Gateway {
    _program: Measured,
    pub(crate) url: String,
    counts: String,
}

impl Gateway {
    pub(crate) async fn start(job_bytes: usize) -> Self {
        let program = Measured::role(&["gateway", &job_bytes.to_string()]).await;
        let (url, counts) = program.address.split_once(',').expect("two addresses");
        let (url, counts) = (url.to_owned(), counts.to_owned());
        Self {
            _program: program,
            url,
            counts,
        }
    }

    /// Jobs completed; none may have failed.
    async fn completed(&self) -> f64 {
        let mut text = String::new();
        let mut stream = tokio::net::TcpStream::connect(&self.counts)
            .await
            .expect("the gateway's counts");
        stream.read_to_string(&mut text).await.expect("its counts");
        let (completed, failed) = text.split_once(' ').expect("two counts");
        assert_eq!(failed, "0", "no job fails");
        completed.parse().expect("a count")
    }
}

/// Events in: at 64 in flight over connections that are kept.
pub(crate) async fn sink(bridge: &Path, body_bytes: usize, effort: Effort) -> Pair {
    let gateway = Gateway::start(0).await;
    let bare = Measured::role(&["bare-sink", &gateway.url]).await;
    let bridge = Measured::bridge(bridge, &[("ZEEBE_GRPC_ADDRESS", &gateway.url)]).await;
    // One event each: the connection to the gateway is part of being idle.
    for program in [&bridge, &bare] {
        sender::drive(program, body_bytes, 1, Duration::from_millis(1)).await;
    }
    settle(IDLE).await;
    let mut pair = Pair {
        bridge: Vec::new(),
        bare: Vec::new(),
        bridge_idle: bridge.memory(),
        bare_idle: bare.memory(),
        bridge_busy: Memory::default(),
        bare_busy: Memory::default(),
    };
    for _ in 0..effort.rounds {
        pair.bare
            .push(sender::drive(&bare, body_bytes, IN_FLIGHT, effort.span).await);
        pair.bridge
            .push(sender::drive(&bridge, body_bytes, IN_FLIGHT, effort.span).await);
    }
    pair.bridge_busy = bridge.memory();
    pair.bare_busy = bare.memory();
    pair
}

/// Jobs out: 32 in flight, delivered to a destination and completed.
pub(crate) async fn source(bridge: &Path, effort: Effort) -> Pair {
    let destination = receiver::start().await;
    let destination = format!("http://{destination}/");
    let jobs_in_flight = roles::JOBS_IN_FLIGHT.to_string();
    let gateway = Gateway::start(200).await;
    let mut pair = Pair {
        bridge: Vec::new(),
        bare: Vec::new(),
        bridge_idle: Memory::default(),
        bare_idle: Memory::default(),
        bridge_busy: Memory::default(),
        bare_busy: Memory::default(),
    };
    // There is always a job to be had, so each is started for its turn alone.
    for _ in 0..effort.rounds {
        let bare = Measured::role(&["bare-source", &gateway.url, &destination]).await;
        pair.bare.push(work(&gateway, &bare, effort.span).await);
        pair.bare_busy = bare.memory();
        drop(bare);
        let settings = source_settings(&gateway, &destination, &jobs_in_flight);
        let bridge = Measured::bridge(bridge, &settings).await;
        pair.bridge.push(work(&gateway, &bridge, effort.span).await);
        pair.bridge_busy = bridge.memory();
    }
    pair
}

/// What the source is told, the bridge in either comparison.
pub(crate) fn source_settings<'s>(
    gateway: &'s Gateway,
    destination: &'s str,
    jobs_in_flight: &'s str,
) -> [(&'static str, &'s str); 4] {
    [
        ("ZEEBE_GRPC_ADDRESS", &gateway.url),
        ("K_SINK", destination),
        ("ZEEBE_JOB_TYPES", "cloudevents"),
        ("BRIDGE_MAX_JOBS_ACTIVE", jobs_in_flight),
    ]
}

pub(crate) async fn work(gateway: &Gateway, program: &Measured, span: Duration) -> Load {
    settle(WARM_UP).await;
    let (cpu, sending) = (program.cpu(), program.sending());
    let (jobs, began) = (gateway.completed().await, Instant::now());
    settle(span).await;
    let (cpu, sending) = (program.cpu() - cpu, program.sending() - sending);
    let jobs = gateway.completed().await - jobs;
    Load {
        per_second: jobs / began.elapsed().as_secs_f64(),
        cpu_per_10000: cpu / jobs * 10_000.0,
        sending_per_10000: sending / jobs * 10_000.0,
        p50_ms: 0.0,
        p99_ms: 0.0,
    }
}

/// Milliseconds from before the program is started to its first 202, start by start.
pub(crate) async fn start(bridge: &Path) -> Vec<f64> {
    let gateway = Gateway::start(0).await;
    (0..STARTS)
        .map(|_| first_answer(bridge, &gateway.url))
        .collect()
}

fn first_answer(bridge: &Path, gateway: &str) -> f64 {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let request = sender::request(&address.to_string(), 200);
    let began = Instant::now();
    let mut program = Command::new(bridge)
        .env_clear()
        .envs(environment(port, &[("ZEEBE_GRPC_ADDRESS", gateway)]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a program that starts");
    let mut stream = loop {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it does not listen"
        );
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => std::thread::sleep(Duration::from_micros(100)),
        }
    };
    stream.write_all(&request).expect("a request sent");
    let mut answer = [0_u8; 1024];
    let length = stream.read(&mut answer).expect("an answer");
    let took = began.elapsed().as_secs_f64() * 1000.0;
    assert!(
        answer.starts_with(b"HTTP/1.1 202"),
        "{}",
        String::from_utf8_lossy(&answer[..length])
    );
    program.kill().expect("it can be ended");
    program.wait().expect("its end");
    took
}
