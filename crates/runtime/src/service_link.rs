//! Variables that Kubernetes sets of its own accord.

/// Whether Kubernetes may have set a variable of this name, for a Service in the pod's namespace: `NAME_SERVICE_HOST`,
/// `NAME_PORT_4317_TCP` and the like.
#[must_use]
pub fn is_service_link(name: &str) -> bool {
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"]
        .iter()
        .any(|end| name.ends_with(end))
        || name.contains("_SERVICE_PORT_")
        || name
            .split("_PORT_")
            .skip(1)
            .any(|after| after.starts_with(|first: char| first.is_ascii_digit()))
}
