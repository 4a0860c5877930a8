//! The spans of a job, from when it is there to its end, and of a drain.
//!
//! A job goes on from what its process was last moved by, as `docs/TRACING.md` says; the events that leave go on from
//! the span of their delivery.

use std::future::Future;
use std::time::SystemTime;

use cloudevents::Event;
use eventing::spans::{self, Described, Recipient};
use http::{HeaderMap, HeaderValue, Uri};
use runtime::telemetry::traces::{
    Fields, Origin, Propagators, Span, SpanContext, SpanKind, TRACEPARENT, TRACESTATE, TraceId,
    Traces, read_traceparent,
};
use zeebe_client::{ActivatedJob, Address, Ended};

use super::drain::Outcome;
use super::event::Travelled;
use super::metrics::{GONE_ALREADY, REFUSED, TOO_LATE};
use crate::config::TraceContinue;
use crate::rpc::Calls;

/// Makes the spans of the role, or none.
#[derive(Debug)]
pub(super) struct JobTraces {
    traces: Traces,
    how: TraceContinue,
    /// What the spans of all jobs say.
    activates: Fields,
    calls: Calls,
    /// Where most events go.
    shared: Recipient,
}

impl JobTraces {
    pub(super) fn new(
        traces: Traces,
        how: TraceContinue,
        engine: &Address,
        destination: &Uri,
    ) -> Self {
        Self {
            traces,
            how,
            activates: Fields::of(|fields| {
                fields.text("messaging.system", "zeebe");
                fields.text("messaging.operation.name", "activate");
                fields.text("messaging.operation.type", "process");
            }),
            calls: Calls::to(engine, &["CompleteJob"]),
            shared: Recipient::of(destination),
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
            |fields| {
                fields.name(&["activate ", &job.element_id]);
                fields.extend(&self.activates);
                fields.text("messaging.destination.name", &job.job_type);
                fields.text("zeebe.process.id", &job.bpmn_process_id);
                fields.number("zeebe.process_instance.key", job.process_instance_key);
                fields.text("zeebe.element.id", &job.element_id);
                fields.number("zeebe.element_instance.key", job.element_instance_key);
                fields.number("zeebe.job.key", job.key.0);
                fields.number("zeebe.job.retries", job.retries.into());
                if missing {
                    fields.text("zeebe.context", "missing");
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

    /// While tracing is off, what travelled goes on with the event; else each delivery writes its own.
    pub(super) fn pass_on(&self, travelled: &Travelled, headers: &mut HeaderMap) {
        if self.traces.propagators().is_some() {
            return;
        }
        let how = self.traces.how();
        if how != Propagators::default() {
            let context = context_of(travelled);
            spans::pass_on(
                &how,
                context.as_ref(),
                travelled.baggage.as_deref(),
                headers,
            );
            return;
        }
        // As it is, and it is in the event's attributes already.
        for (name, value) in [
            (TRACEPARENT, &travelled.traceparent),
            (TRACESTATE, &travelled.tracestate),
        ] {
            if let Some(Ok(value)) = value.as_ref().map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
    }

    /// The span of one attempt to deliver an event, whose headers then say that they are of it.
    pub(super) fn deliver(
        &self,
        described: &Described,
        destination: &Uri,
        headers: &mut HeaderMap,
    ) -> Span {
        let job = self.traces.current();
        spans::deliver(&job, described, destination, &self.shared, headers)
    }

    /// Gives an end to the engine, as a span of its own.
    pub(super) async fn command(
        &self,
        command: &'static str,
        end: impl Future<Output = Ended>,
    ) -> Ended {
        let span = self.calls.span(&self.traces.current(), command, |_| {});
        let ended = span.scope(end).await;
        match &ended {
            Ended::Done => {
                span.describe(|fields| fields.text("rpc.response.status_code", "OK"));
            }
            Ended::GoneAlready => {
                span.describe(|fields| fields.text("zeebe.outcome", GONE_ALREADY));
            }
            Ended::TooLate => {
                span.fail(TOO_LATE, "the job's activation had run out; it comes back");
            }
            Ended::Refused(error) => {
                if let Some(status) = error.status() {
                    span.describe(|fields| fields.text("rpc.response.status_code", status));
                }
                span.fail(REFUSED, &error.to_string());
            }
        }
        ended
    }

    /// How the job ended, which is said once; and why it was not done, where it was not.
    pub(super) fn ended(&self, outcome: &'static str, why: Option<&str>) {
        let span = self.traces.current();
        span.describe(|fields| fields.text("zeebe.job.end", outcome));
        if let Some(why) = why {
            span.fail(outcome, why);
        }
    }
}

/// The span of one drain, below that of the request which had it begin. The jobs worked meanwhile go on each from
/// its own process: the worker found them, for whatever reason.
pub(super) fn drain(request: &Span) -> Span {
    request.child(SpanKind::Internal, |fields| fields.name(&["drain"]))
}

/// How a drain ended.
pub(super) fn drained(span: &Span, outcome: &Outcome, jobs: u64) {
    span.describe(|fields| {
        fields.text("zeebe.drain.end", outcome.name());
        fields.number("zeebe.drain.jobs", i64::try_from(jobs).unwrap_or(i64::MAX));
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
