//! The spans of a job, from when it is there to its end.
//!
//! A job goes on from what its process was last moved by, as `docs/TRACING.md` says; the events that leave go on from
//! the span of their delivery.

use std::future::Future;
use std::time::SystemTime;

use cloudevents::Event;
use eventing::extension::{TRACEPARENT, TRACESTATE};
use eventing::{Attempt, NotReached, describe};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use runtime::telemetry::traces::{
    Attributes, Origin, Span, SpanContext, SpanKind, Traces, read_traceparent, traceparent,
    tracestate,
};
use zeebe_client::{ActivatedJob, Address, Ended, SERVICE};

use super::event::Travelled;
use crate::config::TraceContinue;

/// Makes the spans of the role, or none.
#[derive(Debug)]
pub(super) struct JobTraces {
    traces: Traces,
    how: TraceContinue,
    engine: Address,
}

/// What a delivery's span and headers say of its event; nothing while tracing is off.
#[derive(Debug, Default)]
pub(super) struct Described {
    identity: Vec<(&'static str, String)>,
    baggage: Option<String>,
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
                attributes.text("messaging.destination.name", job.job_type.clone());
                attributes.text("zeebe.process.id", job.bpmn_process_id.clone());
                attributes.number("zeebe.process_instance.key", job.process_instance_key);
                attributes.text("zeebe.element.id", job.element_id.clone());
                attributes.number("zeebe.element_instance.key", job.element_instance_key);
                attributes.number("zeebe.job.key", job.key.0);
                attributes.number("zeebe.job.retries", job.retries.into());
                if missing {
                    attributes.text("zeebe.context", "missing");
                }
            },
        )
    }

    /// What later spans say of an event; it is kept since the event itself becomes a message.
    pub(super) fn describe(&self, event: &Event, travelled: &Travelled) -> Described {
        let Some(propagators) = self.traces.propagators() else {
            return Described::default();
        };
        Described {
            identity: describe::identity(event).collect(),
            baggage: travelled.baggage.clone().filter(|_| propagators.baggage),
        }
    }

    /// The span of one attempt to deliver an event, whose headers then say that they are of it.
    pub(super) fn deliver(
        &self,
        described: &Described,
        destination: &Uri,
        headers: &mut HeaderMap,
    ) -> Span {
        let ty = || {
            let ty = described
                .identity
                .iter()
                .find(|(key, _)| *key == "cloudevents.event_type");
            ty.map_or("", |(_, ty)| ty)
        };
        let span = self.traces.current().child(
            SpanKind::Producer,
            || format!("deliver {}", ty()).into(),
            |attributes| {
                attributes.text("messaging.system", "knative");
                attributes.text("messaging.operation.name", "deliver");
                attributes.text("messaging.operation.type", "send");
                for (key, value) in &described.identity {
                    attributes.text(key, value.clone());
                }
                attributes.text("http.request.method", "POST");
                server(attributes, destination.host(), destination.port_u16());
            },
        );
        if let (Some(context), Some(propagators)) = (span.context(), self.traces.propagators()) {
            propagators.inject(&context, described.baggage.as_deref(), headers);
            if propagators.trace_context {
                attribute(headers, TRACEPARENT, Some(traceparent(&context)));
                attribute(headers, TRACESTATE, tracestate(&context));
            }
        }
        span
    }

    /// Gives an end to the engine, as a span of its own.
    pub(super) async fn command(
        &self,
        command: &'static str,
        end: impl Future<Output = Ended>,
    ) -> Ended {
        let method = || format!("{SERVICE}/{command}");
        let span = self.traces.current().child(
            SpanKind::Client,
            || method().into(),
            |attributes| {
                attributes.text("rpc.system.name", "grpc");
                attributes.text("rpc.method", method());
                server(attributes, Some(self.engine.host()), self.engine.port());
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

/// What came of a delivery; `None` where it was given up.
pub(super) fn delivered(span: &Span, attempt: Option<&Attempt>) {
    let status = match attempt {
        Some(Attempt::Accepted { status, .. } | Attempt::Answered { status, .. }) => Some(*status),
        Some(Attempt::NotReached { .. }) | None => None,
    };
    if let Some(status) = status {
        span.describe(|attributes| {
            attributes.number("http.response.status_code", status.as_u16().into());
        });
    }
    match attempt {
        Some(Attempt::Accepted { .. }) => {}
        Some(attempt @ Attempt::Answered { status, .. }) => {
            span.fail(status.as_u16().to_string(), &attempt.summary());
        }
        Some(attempt @ Attempt::NotReached { why, .. }) => {
            let why = match why {
                NotReached::Refused => "connection_refused",
                NotReached::Dns => "dns",
                NotReached::Tls => "tls",
                NotReached::Unreachable => "unreachable",
                NotReached::TimedOut => "timeout",
                NotReached::ConnectionLost => "connection_lost",
            };
            span.fail(why, &attempt.summary());
        }
        None => span.fail("stopped", "the program stops; the event may have arrived"),
    }
}

fn context_of(travelled: &Travelled) -> Option<SpanContext> {
    read_traceparent(
        travelled.traceparent.as_deref()?,
        travelled.tracestate.as_deref(),
    )
}

fn server(attributes: &mut Attributes, host: Option<&str>, port: Option<u16>) {
    if let Some(host) = host {
        attributes.text("server.address", host.to_owned());
    }
    if let Some(port) = port {
        attributes.number("server.port", port.into());
    }
}

/// An attribute of an event in binary mode, set or taken away.
fn attribute(headers: &mut HeaderMap, name: &str, value: Option<String>) {
    let Ok(name) = HeaderName::try_from(format!("ce-{name}")) else {
        return;
    };
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => {
            headers.insert(name, value);
        }
        None => {
            headers.remove(name);
        }
    }
}
