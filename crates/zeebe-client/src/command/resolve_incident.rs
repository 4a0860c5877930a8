//! `ResolveIncident`.

use super::Command;
use crate::protocol::{ResolveIncidentRequest, ResolveIncidentResponse};

/// Marks an incident as resolved. RPC `ResolveIncident`.
#[derive(Debug, Clone)]
pub struct ResolveIncident {
    /// The incident.
    pub incident_key: i64,
}

impl Command for ResolveIncident {
    const NAME: &'static str = "ResolveIncident";
    type Request = ResolveIncidentRequest;

    fn into_request(self) -> Self::Request {
        ResolveIncidentRequest {
            incident_key: self.incident_key,
        }
    }
}

impl From<ResolveIncidentResponse> for () {
    fn from(_: ResolveIncidentResponse) {}
}
