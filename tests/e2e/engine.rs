//! The gateway, by the name that the manifests have for it: a Service `zeebe-gateway` in each scenario's namespace.
//!
//! `E2E_ENGINE_ADDRESS` is `HOST:PORT` of a gateway that pods reach. Without it an engine is started as a pod, in a
//! namespace of its own, which `scripts/e2e` removes. `E2E_OBSERVER_URL`, where there is one, is asked when an instance
//! began.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use testkit::request::get;

use crate::cluster::{kubectl, run};

const NAMESPACE: &str = "e2e-engine";
const POD: &str = include_str!("engine.yaml");

static ADDRESS: OnceLock<(String, String)> = OnceLock::new();

/// Starts the engine where none is named.
pub(crate) fn ready() {
    address();
}

/// Host and port.
fn address() -> &'static (String, String) {
    ADDRESS.get_or_init(|| {
        if let Ok(named) = std::env::var("E2E_ENGINE_ADDRESS") {
            let (host, port) = named
                .rsplit_once(':')
                .unwrap_or_else(|| panic!("E2E_ENGINE_ADDRESS: HOST:PORT, not `{named}`"));
            return (host.to_owned(), port.to_owned());
        }
        // It may be there from a run before.
        let _ = kubectl(&["create", "namespace", NAMESPACE]);
        let apply = ["--namespace", NAMESPACE, "apply", "--filename", "-"];
        run("kubectl", &apply, POD).unwrap_or_else(|error| panic!("{error}"));
        let wait = [
            "--namespace",
            NAMESPACE,
            "wait",
            "--for=condition=Available",
            "--timeout=300s",
            "deploy/zeebe",
        ];
        kubectl(&wait).unwrap_or_else(|error| panic!("{error}"));
        let host = format!("zeebe-gateway.{NAMESPACE}.svc.cluster.local");
        (host, "26500".to_owned())
    })
}

/// The Service by whose name the manifests reach the engine.
pub(crate) fn service() -> String {
    let (host, port) = address();
    let head = "apiVersion: v1\nkind: Service\nmetadata: {name: zeebe-gateway}\n";
    if host.parse::<IpAddr>().is_err() {
        return format!("{head}spec: {{type: ExternalName, externalName: {host}}}\n");
    }
    format!(
        "{head}spec: {{ports: [{{name: grpc, port: 26500, targetPort: {port}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: zeebe-gateway-1, labels: {{kubernetes.io/service-name: zeebe-gateway}}}}
addressType: IPv4
endpoints: [{{addresses: [{host}]}}]
ports: [{{name: grpc, port: {port}, protocol: TCP}}]
"
    )
}

/// The port on which the gateway listens, which is the one that policies see.
pub(crate) fn port() -> &'static str {
    &address().1
}

/// When the engine began the instance of `hello` for this name; `None` without an observer.
pub(crate) async fn instance_began(name: &str) -> Option<SystemTime> {
    let observer = std::env::var("E2E_OBSERVER_URL").ok()?;
    let url = format!("{observer}/instances?process=hello&variable=name&value={name}");
    let answered = get(&url).await;
    let instances: Value = serde_json::from_slice(&answered.body).ok()?;
    let at = instances[0]["startedAt"].as_u64()?;
    Some(UNIX_EPOCH + Duration::from_millis(at))
}
