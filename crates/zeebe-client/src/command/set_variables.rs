//! `SetVariables`.

use super::Command;
use crate::protocol::{SetVariablesRequest, SetVariablesResponse};

/// Sets variables of a process instance or one of its elements. RPC `SetVariables`.
#[derive(Debug, Clone)]
pub struct SetVariables {
    /// A process instance key or an element instance key.
    pub element_instance_key: i64,
    /// The text of one JSON object; empty for none.
    pub variables: String,
    /// In exactly this scope, instead of in the enclosing one that knows them.
    pub local: bool,
}

impl Command for SetVariables {
    const NAME: &'static str = "SetVariables";
    type Request = SetVariablesRequest;

    fn into_request(self) -> Self::Request {
        SetVariablesRequest {
            element_instance_key: self.element_instance_key,
            variables: self.variables,
            local: self.local,
        }
    }
}

impl From<SetVariablesResponse> for () {
    fn from(_: SetVariablesResponse) {}
}
