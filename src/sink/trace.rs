//! The spans of an event in the sink, below that of its request: what the rules made of it, and the commands
//! that it leads to. `docs/TRACING.md` shows them all.

use runtime::telemetry::traces::{Fields, Span, SpanKind};
use zeebe_client::{EngineError, ErrorKind};

use super::metrics::refused;
use super::plan::Refused;
use super::prepared::command as command_of;
use crate::rpc::Calls;
use crate::rules::{Plan, Planned};

/// The span of what the rules make of an event.
pub(super) fn select(event: &Span) -> Span {
    event.child(SpanKind::Internal, |fields| fields.name(&["select rule"]))
}

/// What the rules said of an event: the last `Ok(n)` of `plans` are of it.
pub(super) fn selected(span: &Span, plans: &[Planned], result: &Result<usize, Refused>) {
    match result {
        Ok(count) => span.describe(|fields| {
            fields.number("zeebe.commands", i64::try_from(*count).unwrap_or(i64::MAX));
            let of_event = &plans[plans.len().saturating_sub(*count)..];
            let rules: Vec<&str> = of_event
                .iter()
                .filter_map(|planned| planned.rule.as_deref())
                .collect();
            if !rules.is_empty() {
                fields.text("zeebe.rule", &rules.join(","));
            }
        }),
        Err(Refused { refusal, .. }) => span.fail(refusal.status.as_str(), &refusal.reason),
    }
}

/// The span of one attempt to give a command to the engine.
pub(super) fn command(event: &Span, plan: &Plan, calls: &Calls) -> Span {
    calls.span(event, command_of(plan).name(), |fields| {
        subject(fields, plan)
    })
}

/// What came of it. That the engine has it already is no error.
pub(super) fn commanded(span: &Span, result: &Result<(), EngineError>) {
    let status = match result {
        Ok(()) => Some("OK"),
        Err(error) => error.status(),
    };
    span.describe(|fields| {
        if let Some(status) = status {
            fields.text("rpc.response.status_code", status);
        }
    });
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Duplicate => {
            span.describe(|fields| fields.text("zeebe.outcome", "duplicate"));
        }
        Err(error) => span.fail(refused(error.kind()), &error.to_string()),
    }
}

/// What a command is about.
fn subject(fields: &mut Fields, plan: &Plan) {
    match plan {
        Plan::PublishMessage {
            name,
            correlation_key,
            message_id,
            ..
        } => {
            fields.text("zeebe.message.name", name);
            fields.text("zeebe.message.id", message_id);
            fields.text("zeebe.message.correlation_key", correlation_key);
        }
        Plan::CreateProcessInstance {
            bpmn_process_id, ..
        } => fields.text("zeebe.process.id", bpmn_process_id),
        Plan::BroadcastSignal { signal_name, .. } => {
            fields.text("zeebe.signal.name", signal_name);
        }
        Plan::SetVariables {
            element_instance_key,
            ..
        } => fields.number("zeebe.element_instance.key", *element_instance_key),
        Plan::CancelProcessInstance {
            process_instance_key,
        } => fields.number("zeebe.process_instance.key", *process_instance_key),
        Plan::CompleteJob { job_key, .. }
        | Plan::FailJob { job_key, .. }
        | Plan::ThrowError { job_key, .. } => fields.number("zeebe.job.key", *job_key),
    }
}
