//! `EvaluateDecision`.

use super::Command;
use crate::protocol::{EvaluateDecisionRequest, EvaluateDecisionResponse};

/// Evaluates a decision. RPC `EvaluateDecision`.
#[derive(Debug, Clone)]
pub struct EvaluateDecision {
    /// The id of the decision in its model.
    pub decision_id: String,
    /// The text of one JSON object; empty for none.
    pub variables: String,
    /// The tenant; `None` is the engine's default tenant.
    pub tenant_id: Option<String>,
}

impl Command for EvaluateDecision {
    const NAME: &'static str = "EvaluateDecision";
    type Request = EvaluateDecisionRequest;

    fn into_request(self) -> Self::Request {
        EvaluateDecisionRequest {
            decision_id: self.decision_id,
            variables: self.variables,
            tenant_id: self.tenant_id.unwrap_or_default(),
            decision_key: 0,
        }
    }
}

/// What the decision said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluateDecisionAnswer {
    /// The deployed decision.
    pub decision_key: i64,
    /// Its output, JSON.
    pub decision_output: String,
    /// The decision that failed; empty where none did.
    pub failed_decision_id: String,
    /// Why it failed.
    pub failure_message: String,
}

impl From<EvaluateDecisionResponse> for EvaluateDecisionAnswer {
    fn from(answer: EvaluateDecisionResponse) -> Self {
        Self {
            decision_key: answer.decision_key,
            decision_output: answer.decision_output,
            failed_decision_id: answer.failed_decision_id,
            failure_message: answer.failure_message,
        }
    }
}
