//! Variables that are set and that nobody reads: said, since whoever sets one expects something of it.
//!
//! Others share the prefix. What the agents of other languages read, and what an operator gives every pod that it
//! injects them into, is no mistake of whoever runs this program, so nothing is said of it; nor of what Kubernetes makes of
//! a Service called `otel-collector`.

use super::variables::{Honour, VARIABLES};
use crate::service_link::is_service_link;

/// What the names of others go on with, after `OTEL_`.
const OF_OTHERS: &[&str] = &[
    "CPP_",
    "DOTNET_",
    "EBPF_",
    "ERLANG_",
    "GO_",
    "INJECTOR_",
    "INSTRUMENTATION_",
    "JAVAAGENT_",
    "JAVA_",
    "JS_",
    "NODE_",
    "OPERATOR_",
    "PHP_",
    "POD_IP",
    "PYTHON_",
    // With OTEL_RESOURCE_ATTRIBUTES the operator sets what its value is put together from.
    "RESOURCE_ATTRIBUTES_",
    "RUBY_",
    "SWIFT_",
];

/// Whether the program reads it.
pub(super) fn is_honoured(name: &str) -> bool {
    let row = VARIABLES.iter().find(|known| known.name == name);
    row.is_some_and(|known| known.honour == Honour::Us)
}

/// What to say of a variable that is set; nothing where it is read, or where it is not meant for this program.
pub(super) fn said_of(name: &str, value: &str) -> Option<String> {
    if let Some(known) = VARIABLES.iter().find(|known| known.name == name) {
        // That nothing is exported is what happens.
        let is_said = known.honour == Honour::Refused && value != "none";
        return is_said.then(|| format!("{name} is set and ignored; docs/CONFIG.md says why"));
    }
    let rest = name.strip_prefix("OTEL_")?;
    if OF_OTHERS.iter().any(|start| rest.starts_with(start)) || is_service_link(name) {
        return None;
    }
    Some(match nearest(name) {
        Some(nearest) => format!("{name} is set and ignored: did you mean {nearest}?"),
        None => format!(
            "{name} is set and ignored: this program does not know it; docs/CONFIG.md lists those that it reads"
        ),
    })
}

/// The known name that differs least; `None` where even that differs by more than a quarter.
fn nearest(name: &str) -> Option<&'static str> {
    VARIABLES
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known.name), known.name))
        .filter(|(distance, known)| *distance <= known.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
