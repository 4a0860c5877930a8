//! The spans of a job, from when it is there to its end, and of a drain.
//!
//! A job goes on from what its process was last moved by, as `docs/TRACING.md` says; the events that leave go on from
//! the span of their delivery.

use std::future::Future;
use std::time::SystemTime;

use cloudevents::Event;
use eventing::spans::{self, Described};
use http::{HeaderMap, Uri};
use runtime::telemetry::traces::{
    Attributes, Origin, Span, SpanContext, SpanKind, TraceId, Traces, read_traceparent,
};
use zeebe_client::{ActivatedJob, Address, Ended, SERVICE};

use super::drain::Outcome;
use super::event::Travelled;
use crate::config::TraceContinue;

/// Makes the spans of the role, or none.
#[derive(Debug)]
pub(super) struct JobTraces {
    traces: Traces,
    how: TraceContinue,
    engine: Address,
}

impl JobTraces {
    pub(super) fn new(traces: Traces, how: TraceContinue, engine: Address) -> Self {
        Self {
            traces,
            how,
            engine,
        }
    }

    pub(super) fn now(&self) -> Option<SystemTime> {
        self.traces.now()
    }

    /// The span of a job, from its activation to its end.
    pub(super) fn activate(
        &self,
        job: &ActivatedJob,
        travelled: Option<&Travelled>,
        began: Option<SystemTime>,
    ) -> Span {
        let before = began.and_then(|_| context_of(travelled?));
        let missing = before.is_none();
        self.traces.start(
            SpanKind::Consumer,
            || format!("activate {}", job.element_id).into(),
            |_| {
                let (parent, link) = match self.how {
                    TraceContinue::Parent => (before, None),
                    TraceContinue::Link => (None, before),
                };
                Origin {
                    parent,
                    link,
                    began,
                }
            },
            |attributes| {
                attributes.text("messaging.system", "zeebe");
                attributes.text("messaging.operation.name", "activate");
                attributes.text("messaging.operation.type", "process");
                attributes.text("messaging.destination.name", &job.job_type);
                attributes.text("zeebe.process.id", &job.bpmn_process_id);
                attributes.number("zeebe.process_instance.key", job.process_instance_key);
                attributes.text("zeebe.element.id", &job.element_id);
                attributes.number("zeebe.element_instance.key", job.element_instance_key);
                attributes.number("zeebe.job.key", job.key.0);
                attributes.number("zeebe.job.retries", job.retries.into());
                if missing {
                    attributes.text("zeebe.context", "missing");
                }
            },
        )
    }

    /// The trace of the job that is worked now; `None` while nothing is traced.
    pub(super) fn trace_id(&self) -> Option<TraceId> {
        Some(self.traces.current().context()?.trace_id())
    }

    /// What the spans of deliveries say of an event.
    pub(super) fn describe(&self, event: &Event, travelled: &Travelled) -> Described {
        Described::of(&self.traces, event, travelled.baggage.as_deref())
    }

    /// The span of one attempt to deliver an event, whose headers then say that they are of it.
    pub(super) fn deliver(
        &self,
        described: &Described,
        destination: &Uri,
        headers: &mut HeaderMap,
    ) -> Span {
        spans::deliver(&self.traces.current(), described, destination, headers)
    }

    /// Gives an end to the engine, as a span of its own.
    pub(super) async fn command(
        &self,
        command: &'static str,
        end: impl Future<Output = Ended>,
    ) -> Ended {
        let method = || [SERVICE, "/", command].concat();
        let span = self.traces.current().child(
            SpanKind::Client,
            || method().into(),
            |attributes| {
                attributes.text("rpc.system.name", "grpc");
                attributes.text("rpc.method", &method());
                attributes.text("server.address", self.engine.host());
                if let Some(port) = self.engine.port() {
                    attributes.number("server.port", port.into());
                }
            },
        );
        let ended = span.scope(end).await;
        match &ended {
            Ended::Done => {
                span.describe(|attributes| attributes.text("rpc.response.status_code", "OK"));
            }
            Ended::GoneAlready => {
                span.describe(|attributes| attributes.text("zeebe.outcome", "gone_already"));
            }
            Ended::TooLate => span.fail(
                "too_late",
                "the job's activation had run out; it comes back",
            ),
            Ended::Refused(error) => span.fail("refused", &error.to_string()),
        }
        ended
    }

    /// The job was not done, and why.
    pub(super) fn failed(&self, how: &'static str, reason: &str) {
        self.traces.current().fail(how, reason);
    }

    /// How the job ended.
    pub(super) fn ended(&self, how: &'static str) {
        let describe = |attributes: &mut Attributes| attributes.text("zeebe.job.end", how);
        self.traces.current().describe(describe);
    }
}

/// The span of one drain, below that of the request which had it begin. The jobs worked meanwhile go on each from
/// its own process: the worker found them, for whatever reason.
pub(super) fn drain(request: &Span) -> Span {
    request.child(SpanKind::Internal, || "drain".into(), |_| {})
}

/// How a drain ended.
pub(super) fn drained(span: &Span, outcome: &Outcome, jobs: u64) {
    span.describe(|attributes| {
        attributes.text("zeebe.drain.end", outcome.name());
        attributes.number("zeebe.drain.jobs", i64::try_from(jobs).unwrap_or(i64::MAX));
    });
    if let Some(reason) = outcome.reason() {
        span.fail(outcome.name(), &reason);
    }
}

fn context_of(travelled: &Travelled) -> Option<SpanContext> {
    read_traceparent(
        travelled.traceparent.as_deref()?,
        travelled.tracestate.as_deref(),
    )
}
