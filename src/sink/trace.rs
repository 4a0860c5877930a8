//! The spans of an event in the sink, below that of its request: what the rules made of it, and the commands
//! that it leads to. `docs/TRACING.md` shows them all.

use runtime::telemetry::traces::{Attributes, Span, SpanKind};
use zeebe_client::{Address, EngineError, ErrorKind, SERVICE};

use super::metrics::refused;
use super::prepared::command as command_of;
use crate::recipient::Refusal;
use crate::rules::{Plan, Planned};

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
                attributes.text("zeebe.rule", &rules.join(","));
            }
        }),
        Err(refusal) => span.fail(refusal.status.as_str(), &refusal.reason),
    }
}

/// The span of one attempt to give a command to the engine.
pub(super) fn command(event: &Span, plan: &Plan, engine: &Address) -> Span {
    let method = || [SERVICE, "/", command_of(plan).name()].concat();
    event.child(
        SpanKind::Client,
        || method().into(),
        |attributes| {
            attributes.text("rpc.system.name", "grpc");
            attributes.text("rpc.method", &method());
            attributes.text("server.address", engine.host());
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
            attributes.text("zeebe.message.name", name);
            attributes.text("zeebe.message.id", message_id);
            attributes.text("zeebe.message.correlation_key", correlation_key);
        }
        Plan::CreateProcessInstance {
            bpmn_process_id, ..
        } => attributes.text("zeebe.process.id", bpmn_process_id),
        Plan::BroadcastSignal { signal_name, .. } => {
            attributes.text("zeebe.signal.name", signal_name);
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
