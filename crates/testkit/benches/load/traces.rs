//! What traces cost: the bridge with every event traced, and the same without, in turn.

use std::path::Path;

use testkit::request;

use crate::program::Measured;
use crate::runs::{Gateway, IN_FLIGHT, source_settings, work};
use crate::sender::{self, Load};
use crate::{Effort, receiver, roles};

/// Both, round by round, and what became of the spans of all rounds.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    pub(crate) on: Vec<Load>,
    pub(crate) off: Vec<Load>,
    /// Spans that the collector took.
    pub(crate) sent: f64,
    /// Spans that had no place in the queue, or were not taken.
    pub(crate) lost: f64,
    /// CPU seconds of the collector.
    pub(crate) collector: f64,
}

/// Events in.
pub(crate) async fn sink(bridge: &Path, body_bytes: usize, effort: Effort) -> Traced {
    let gateway = Gateway::start(0).await;
    let collector = Measured::role(&["collector"]).await;
    let settings = [("ZEEBE_GRPC_ADDRESS", gateway.url.as_str())];
    let off = Measured::bridge(bridge, &settings).await;
    let on = Measured::bridge(bridge, &with_traces(&settings, &collector)).await;
    let mut traced = Traced::default();
    for _ in 0..effort.rounds {
        let drive = |program| sender::drive(program, body_bytes, IN_FLIGHT, effort.span);
        traced.off.push(drive(&off).await);
        traced.on.push(drive(&on).await);
    }
    traced.count(&on).await;
    traced.collector = collector.cpu();
    traced
}

/// Jobs out.
pub(crate) async fn source(bridge: &Path, effort: Effort) -> Traced {
    let destination = receiver::start().await;
    let destination = format!("http://{destination}/");
    let jobs_in_flight = roles::JOBS_IN_FLIGHT.to_string();
    let gateway = Gateway::start(200).await;
    let collector = Measured::role(&["collector"]).await;
    let settings = source_settings(&gateway, &destination, &jobs_in_flight);
    let mut traced = Traced::default();
    // There is always a job to be had, so each is started for its turn alone.
    for _ in 0..effort.rounds {
        let off = Measured::bridge(bridge, &settings).await;
        traced.off.push(work(&gateway, &off, effort.span).await);
        drop(off);
        let on = Measured::bridge(bridge, &with_traces(&settings, &collector)).await;
        traced.on.push(work(&gateway, &on, effort.span).await);
        traced.count(&on).await;
    }
    traced.collector = collector.cpu();
    traced
}

/// Room for the spans of a round: one that finds the queue full is not written, so what is left out would
/// flatter.
const QUEUE: (&str, &str) = ("OTEL_BSP_MAX_QUEUE_SIZE", "262144");

/// All is sampled by default.
fn with_traces<'s>(
    settings: &[(&'static str, &'s str)],
    collector: &'s Measured,
) -> Vec<(&'static str, &'s str)> {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str());
    let settings = settings.iter().copied();
    settings.chain([endpoint, QUEUE]).collect()
}

impl Traced {
    /// Adds what a bridge says of its spans, once its turns are over.
    async fn count(&mut self, bridge: &Measured) {
        let page = request::get(&format!("http://{}/metrics", bridge.address)).await;
        for line in page.text().lines() {
            let Some(counted) = line.strip_prefix("telemetry_spans_total{") else {
                continue;
            };
            let (labels, count) = counted.rsplit_once(' ').expect("a count");
            let count: f64 = count.parse().expect("a number");
            if labels.contains("outcome=\"sent\"") {
                self.sent += count;
            } else {
                self.lost += count;
            }
        }
    }
}
