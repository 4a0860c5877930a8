//! The spans of an event, from the request that brings it to the commands that it leads to.
//!
//! A request with one event is one span. Of a batch, which may bring events of several traces, each event
//! has one more of its own, and it is that which its process goes on from. `docs/TRACING.md` shows them all.

use std::time::SystemTime;

use cloudevents::{AttributesReader, Event};
use cloudevents_http::attribute;
use eventing::describe;
use eventing::extension::{TRACEPARENT, TRACESTATE};
use http::{HeaderMap, StatusCode};
use runtime::telemetry::traces::{
    Attributes, Origin, Propagators, Span, SpanContext, SpanKind, Traces, read_traceparent,
};
use zeebe_client::{Address, EngineError, ErrorKind};

use super::metrics::refused;
use super::prepared::command as command_of;
use crate::recipient::Refusal;
use crate::rules::{Plan, Planned};

/// The gateway's gRPC service.
const SERVICE: &str = "gateway_protocol.Gateway";

/// What is known of a request before its body is there; nothing while tracing is off.
pub(super) struct Arrival {
    began: Option<SystemTime>,
    context: Option<SpanContext>,
}

impl Arrival {
    pub(super) fn of(traces: &Traces, headers: &HeaderMap) -> Self {
        Self {
            began: traces.now(),
            context: traces.propagators().and_then(|how| how.context(headers)),
        }
    }
}

/// The span of a request; `events` is empty where there are none to be had of it.
pub(super) fn receive(traces: &Traces, arrival: Arrival, events: &[Event]) -> Span {
    traces.start(
        SpanKind::Consumer,
        || match events {
            [] => "receive".into(),
            [only] => format!("receive {}", only.ty()).into(),
            [..] => "receive batch".into(),
        },
        |propagators| Origin {
            began: arrival.began,
            ..match events {
                [only] => origin(arrival.context, context_of(only, propagators)),
                [..] => origin(arrival.context, None),
            }
        },
        |attributes| {
            messaging(attributes, "receive");
            match events {
                [only] => identify(attributes, only),
                [..] => {
                    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
                    attributes.number("messaging.batch.message_count", count);
                }
            }
        },
    )
}

/// The span of one of so many events of a request.
pub(super) fn event(request: &Span, event: &Event, of: usize) -> Span {
    if of == 1 {
        return request.clone();
    }
    request.sibling(
        SpanKind::Consumer,
        || format!("process {}", event.ty()).into(),
        |propagators| origin(context_of(event, propagators), request.context()),
        |attributes| {
            messaging(attributes, "process");
            identify(attributes, event);
        },
    )
}

/// What the rules said of an event: the last `Ok(n)` of `plans` are of it.
pub(super) fn selected(span: &Span, plans: &[Planned], result: &Result<usize, Refusal>) {
    match result {
        Ok(count) => span.describe(|attributes| {
            attributes.number("zeebe.commands", i64::try_from(*count).unwrap_or(i64::MAX));
            let of_event = &plans[plans.len().saturating_sub(*count)..];
            let rules: Vec<&str> = of_event
                .iter()
                .filter_map(|planned| planned.rule.as_deref())
                .collect();
            if !rules.is_empty() {
                attributes.text("zeebe.rule", rules.join(","));
            }
        }),
        Err(refusal) => span.fail(refusal.status.as_u16().to_string(), &refusal.reason),
    }
}

/// How a request was answered. Whatever was not accepted is an error: the event has not arrived.
pub(super) fn answered(span: &Span, status: StatusCode, reason: Option<&str>) {
    span.describe(|attributes| {
        attributes.number("http.response.status_code", status.as_u16().into());
    });
    if !status.is_success() {
        span.fail(status.as_u16().to_string(), reason.unwrap_or_default());
    }
}

/// The span of one attempt to give a command to the engine.
pub(super) fn command(event: &Span, plan: &Plan, engine: &Address) -> Span {
    let method = || format!("{SERVICE}/{}", command_of(plan).name());
    event.child(
        SpanKind::Client,
        || method().into(),
        |attributes| {
            attributes.text("rpc.system.name", "grpc");
            attributes.text("rpc.method", method());
            attributes.text("server.address", engine.host().to_owned());
            if let Some(port) = engine.port() {
                attributes.number("server.port", port.into());
            }
            subject(attributes, plan);
        },
    )
}

/// What came of it. That the engine has it already is no error.
pub(super) fn commanded(span: &Span, result: &Result<(), EngineError>) {
    let status = match result {
        Ok(()) => Some("OK"),
        Err(error) => error.status(),
    };
    span.describe(|attributes| {
        if let Some(status) = status {
            attributes.text("rpc.response.status_code", status);
        }
    });
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Duplicate => {
            span.describe(|attributes| attributes.text("zeebe.outcome", "duplicate"));
        }
        Err(error) => span.fail(refused(error.kind()), &error.to_string()),
    }
}

/// What a command is about.
fn subject(attributes: &mut Attributes, plan: &Plan) {
    match plan {
        Plan::PublishMessage {
            name,
            correlation_key,
            message_id,
            ..
        } => {
            attributes.text("zeebe.message.name", name.clone());
            attributes.text("zeebe.message.id", message_id.clone());
            attributes.text("zeebe.message.correlation_key", correlation_key.clone());
        }
        Plan::CreateProcessInstance {
            bpmn_process_id, ..
        } => attributes.text("zeebe.process.id", bpmn_process_id.clone()),
        Plan::BroadcastSignal { signal_name, .. } => {
            attributes.text("zeebe.signal.name", signal_name.clone());
        }
        Plan::SetVariables {
            element_instance_key,
            ..
        } => attributes.number("zeebe.element_instance.key", *element_instance_key),
        Plan::CancelProcessInstance {
            process_instance_key,
        } => attributes.number("zeebe.process_instance.key", *process_instance_key),
        Plan::CompleteJob { job_key, .. }
        | Plan::FailJob { job_key, .. }
        | Plan::ThrowError { job_key, .. } => attributes.number("zeebe.job.key", *job_key),
    }
}

fn messaging(attributes: &mut Attributes, operation: &'static str) {
    attributes.text("messaging.system", "knative");
    attributes.text("messaging.operation.name", operation);
    attributes.text("messaging.operation.type", "process");
}

fn identify(attributes: &mut Attributes, event: &Event) {
    for (key, value) in describe::identity(event) {
        attributes.text(key, value);
    }
}

/// The context in an event's own attributes.
fn context_of(event: &Event, propagators: &Propagators) -> Option<SpanContext> {
    if !propagators.trace_context {
        return None;
    }
    let parent = attribute(event, TRACEPARENT)?;
    read_traceparent(&parent, attribute(event, TRACESTATE).as_deref())
}

/// The first is the parent, the second the fallback; where both are there and differ, a link.
fn origin(first: Option<SpanContext>, second: Option<SpanContext>) -> Origin {
    match (first, second) {
        (None, second) => Origin {
            parent: second,
            ..Origin::default()
        },
        (first, second) if first == second => Origin {
            parent: first,
            ..Origin::default()
        },
        (first, second) => Origin {
            parent: first,
            link: second,
            ..Origin::default()
        },
    }
}
