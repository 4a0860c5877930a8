//! Somebody who stands in a pod's network and tries to reach others: the demo's image, `demo reach`.

use serde_json::Value;

use crate::cluster::{kubectl, run, until};

/// Of the container.
const NAME: &str = "passer-by";
const IMAGE: &str = "dev.local/eventing-zeebe-demo:0.1.0";
const WITHIN: &str = "--timeout=240s";

/// A namespace beside a scenario's room, with a passer-by in it. It goes with this value.
pub(crate) struct Abroad {
    name: String,
    pod: PasserBy,
}

impl Abroad {
    /// Takes part in nothing, and listens on this port.
    pub(crate) fn new(called: &str, port: u16) -> Self {
        let name = format!("e2e-policies-{called}-{}", std::process::id());
        kubectl(&["create", "namespace", &name]).expect("a namespace");
        let pod = PasserBy::pod(&name, called, port);
        Self { name, pod }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Applies manifests there.
    pub(crate) fn apply(&self, manifests: &str) {
        self.change("apply", manifests);
    }

    /// Deletes what manifests name.
    pub(crate) fn delete(&self, manifests: &str) {
        self.change("delete", manifests);
    }

    fn change(&self, how: &str, manifests: &str) {
        let arguments = ["--namespace", &self.name, how, "--filename", "-"];
        run("kubectl", &arguments, manifests).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Who stands there.
    pub(crate) fn pod(&self) -> &PasserBy {
        &self.pod
    }
}

impl Drop for Abroad {
    fn drop(&mut self) {
        if let Err(error) = kubectl(&["delete", "namespace", &self.name, "--wait=false"]) {
            println!("{error}");
        }
    }
}

/// A container that can be sent to reach others.
pub(crate) struct PasserBy {
    called: String,
    namespace: String,
    pod: String,
    ip: String,
}

impl PasserBy {
    /// In a pod of its own, which listens on this port.
    pub(crate) fn pod(namespace: &str, called: &str, port: u16) -> Self {
        let apply = ["--namespace", namespace, "apply", "--filename", "-"];
        let pod = POD.replace("8080", &port.to_string());
        run("kubectl", &apply, &pod).unwrap_or_else(|error| panic!("{error}"));
        kubectl(&[
            "--namespace",
            namespace,
            "wait",
            "--for=condition=Ready",
            WITHIN,
            "pod/passer-by",
        ])
        .unwrap_or_else(|error| panic!("{error}"));
        Self::of(called, namespace, NAME)
    }

    /// Inside a pod that is there, in whose network it then is: an ephemeral container, which goes with the pod.
    pub(crate) async fn inside(called: &str, namespace: &str, pod: &str) -> Self {
        let place = ["--namespace", namespace, "debug", pod];
        let image = ["--image", IMAGE, "--image-pull-policy=IfNotPresent"];
        let who = ["--profile=restricted", "--container", NAME, "--"];
        // On a port that nobody is told, beside those of the pod.
        let what = ["/demo", "watch", "--port", "0"];
        kubectl(&[&place[..], &image, &who, &what].concat())
            .unwrap_or_else(|error| panic!("{error}"));
        until(&format!("a passer-by inside {pod}"), || async {
            let states = &object(namespace, pod)["status"]["ephemeralContainerStatuses"];
            let state = &states[0]["state"];
            assert!(state["terminated"].is_null(), "{pod}: {state:#}");
            state["running"].is_object().then_some(())
        })
        .await;
        Self::of(called, namespace, pod)
    }

    fn of(called: &str, namespace: &str, pod: &str) -> Self {
        let ip = object(namespace, pod)["status"]["podIP"]
            .as_str()
            .expect("a pod that runs has an address")
            .to_owned();
        Self {
            called: called.to_owned(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            ip,
        }
    }

    /// Who it is, to people.
    pub(crate) fn called(&self) -> &str {
        &self.called
    }

    /// A port of its pod.
    pub(crate) fn at(&self, port: u16) -> String {
        format!("{}:{port}", self.ip)
    }

    /// Whether a connection to `HOST:PORT` comes about from there.
    pub(crate) fn reaches(&self, address: &str) -> bool {
        let there = ["--namespace", &self.namespace, "exec", &self.pod];
        let reach = ["--container", NAME, "--", "/demo", "reach", address];
        match kubectl(&[&there[..], &reach].concat()) {
            Ok(_) => true,
            Err(error) if error.contains(&format!("not reached {address}")) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn object(namespace: &str, pod: &str) -> Value {
    let get = ["--namespace", namespace, "get", "pod", pod];
    let text = kubectl(&[&get[..], &["--output", "json"]].concat());
    let text = text.unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&text).expect("kubectl prints JSON")
}

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata:
  name: passer-by
spec:
  enableServiceLinks: false
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: passer-by
      image: dev.local/eventing-zeebe-demo:0.1.0
      imagePullPolicy: IfNotPresent
      args: [watch]
      env: [{name: LISTEN, value: 0.0.0.0}, {name: PORT, value: "8080"}]
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
"#;
