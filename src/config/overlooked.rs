//! Variables that look as if they were ours and are not read: said, not refused.
//!
//! An unknown `BRIDGE_*` is refused, since nobody else sets such a name. `ZEEBE_*` is shared with
//! Camunda's clients and the engine, and Kubernetes makes service links of it where a Service is called
//! `zeebe`.

use runtime::service_link::is_service_link;

use super::env::SETTINGS;

/// What Camunda's clients read and this program does not, with what it reads in place of it.
const OF_OTHER_CLIENTS: &[(&str, Option<&str>)] = &[
    ("ZEEBE_CAMUNDA_CLOUD_CLUSTER_ID", Some("ZEEBE_GRPC_ADDRESS")),
    ("ZEEBE_CLIENT_CONFIG_PATH", None),
    ("ZEEBE_CLIENT_MAX_RETRIES", None),
    ("ZEEBE_CLIENT_MAX_RETRY_TIMEOUT", None),
    ("ZEEBE_CLIENT_RETRY", None),
    (
        "ZEEBE_CLIENT_SSL_CERT_CHAIN_PATH",
        Some("ZEEBE_CLIENT_CERTIFICATE_PATH"),
    ),
    (
        "ZEEBE_CLIENT_SSL_PRIVATE_KEY_PATH",
        Some("ZEEBE_CLIENT_KEY_PATH"),
    ),
    (
        "ZEEBE_CLIENT_SSL_ROOT_CERTS_PATH",
        Some("ZEEBE_CA_CERTIFICATE_PATH"),
    ),
    (
        "ZEEBE_DEFAULT_JOB_WORKER_TENANT_IDS",
        Some("ZEEBE_DEFAULT_TENANT_ID"),
    ),
    ("ZEEBE_GATEWAY_ADDRESS", Some("ZEEBE_GRPC_ADDRESS")),
    ("ZEEBE_HOST", Some("ZEEBE_GRPC_ADDRESS")),
    ("ZEEBE_NODE_EAGER_CONNECT", None),
    ("ZEEBE_NODE_LOG_LEVEL", Some("BRIDGE_LOG")),
    ("ZEEBE_PREFER_REST_OVER_GRPC", None),
    ("ZEEBE_REST_ADDRESS", Some("ZEEBE_GRPC_ADDRESS")),
    ("ZEEBE_SECURE_CONNECTION", Some("ZEEBE_GRPC_ADDRESS")),
    ("ZEEBE_TENANT_ID", Some("ZEEBE_DEFAULT_TENANT_ID")),
];

/// Names that differ by less than this are taken for one that was misspelt; 1 is the same name.
const ALIKE: f64 = 0.87;

/// What to say of the variables that are set, one line each; nothing of those that mean nothing to us.
pub(super) fn overlooked<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.into_iter().filter_map(said_of).collect()
}

fn said_of(name: &str) -> Option<String> {
    if SETTINGS.iter().any(|setting| setting.name == name) {
        return None;
    }
    let rest = name.strip_prefix("ZEEBE_")?;
    if let Some((_, instead)) = OF_OTHER_CLIENTS.iter().find(|(known, _)| *known == name) {
        return Some(match instead {
            Some(instead) => format!(
                "{name} is set and ignored: it is for other clients of the engine; this program reads {instead}"
            ),
            None => {
                format!("{name} is set and ignored: it is for other clients of the engine")
            }
        });
    }
    if is_service_link(name) {
        return None;
    }
    let (likeness, nearest) = SETTINGS
        .iter()
        .filter_map(|setting| setting.name.strip_prefix("ZEEBE_"))
        .map(|known| (strsim::jaro_winkler(rest, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness >= ALIKE).then(|| format!("{name} is set and ignored: did you mean ZEEBE_{nearest}?"))
}
