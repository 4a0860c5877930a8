//! Somebody who stands in a pod's network and tries to reach others: the demo's image, `demo reach`.

use serde_json::Value;

use crate::cluster::{kubectl, run, until};
use crate::room::Room;

/// Of the container.
const NAME: &str = "passer-by";
const IMAGE: &str = "dev.local/eventing-zeebe-demo:0.1.0";
const WITHIN: &str = "--timeout=240s";

/// A namespace beside a scenario's room, with a passer-by in it. It goes with this value.
pub(crate) struct Abroad {
    namespace: Namespace,
    pod: PasserBy,
}

impl Abroad {
    /// Of this room. Takes part in nothing, and listens on this port.
    pub(crate) fn of(room: &Room, called: &str, port: u16) -> Self {
        // With the room's own name: those of the scenario before may still be going.
        let namespace = Namespace::new(format!("{}-{called}", room.name()));
        let pod = PasserBy::pod(&namespace.0, called, port);
        Self { namespace, pod }
    }

    /// Says what its passer-by reaches in any case.
    pub(crate) fn surely_reaches(mut self, address: String) -> Self {
        self.pod = self.pod.surely_reaches(address);
        self
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.namespace.0
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
        let arguments = ["--namespace", self.name(), how, "--filename", "-"];
        run("kubectl", &arguments, manifests).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Who stands there.
    pub(crate) fn pod(&self) -> &PasserBy {
        &self.pod
    }
}

/// Goes with this value, also where nobody ever came to stand in it.
struct Namespace(String);

impl Namespace {
    fn new(name: String) -> Self {
        kubectl(&["create", "namespace", &name]).unwrap_or_else(|error| panic!("{error}"));
        Self(name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = kubectl(&["delete", "namespace", &self.0, "--wait=false"]) {
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
    sure: Option<String>,
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
        // On a port that nobody is told, beside those of the pod.
        debugs(namespace, pod, NAME, 0).await;
        Self::of(called, namespace, pod)
    }

    /// Has somebody listen on this port of its pod, where nobody does: a policy is for the port, whoever has it.
    pub(crate) async fn listens_on(&self, port: u16) {
        let own = self.at(port);
        if !self.reaches(&own) {
            debugs(&self.namespace, &self.pod, &format!("{NAME}-{port}"), port).await;
            until(&format!("{} listens on {port}", self.called), || async {
                self.reaches(&own).then_some(())
            })
            .await;
        }
    }

    /// Says what it reaches in any case, policies or none: whether its network is quick enough is seen by that.
    pub(crate) fn surely_reaches(mut self, address: String) -> Self {
        self.sure = Some(address);
        self
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
            sure: None,
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

    /// What it reaches in any case.
    pub(crate) fn sure(&self) -> &str {
        let sure = self.sure.as_deref();
        sure.unwrap_or_else(|| panic!("it was not said what {} surely reaches", self.called))
    }

    /// Whether a connection to `HOST:PORT` comes about from there.
    pub(crate) fn reaches(&self, address: &str) -> bool {
        self.tries(&[address]) == [true]
    }

    /// Whether connections come about from there, one after the other.
    pub(crate) fn tries(&self, addresses: &[&str]) -> Vec<bool> {
        let there = ["--namespace", &self.namespace, "exec", &self.pod];
        let reach = ["--container", NAME, "--", "/demo", "reach"];
        let said = kubectl(&[&there[..], &reach, addresses].concat());
        let said = said.unwrap_or_else(|error| error);
        told(&said, addresses).unwrap_or_else(|| panic!("{said}"))
    }
}

/// What `demo reach` tells of each address, also where kubectl puts words of its own around it; none where it does not
/// tell of all.
fn told(said: &str, addresses: &[&str]) -> Option<Vec<bool>> {
    let mut rest = said;
    let mut all = Vec::new();
    for address in addresses {
        // "not reached ADDRESS: why" has "reached ADDRESS" in it.
        let word = format!("reached {address}");
        let (before, after) = rest.split_once(&word)?;
        all.push(!before.ends_with("not "));
        rest = after;
    }
    Some(all)
}

/// Has a container of the demo, called so, listen on a port in the network of a pod that is there.
async fn debugs(namespace: &str, pod: &str, called: &str, port: u16) {
    let place = ["--namespace", namespace, "debug", pod];
    let image = ["--image", IMAGE, "--image-pull-policy=IfNotPresent"];
    let who = ["--profile=restricted", "--container", called, "--"];
    let port = port.to_string();
    let what = ["/demo", "watch", "--listen", "0.0.0.0", "--port", &port];
    kubectl(&[&place[..], &image, &who, &what].concat()).unwrap_or_else(|error| panic!("{error}"));
    until(&format!("a container {called} inside {pod}"), || async {
        let states = &object(namespace, pod)["status"]["ephemeralContainerStatuses"];
        let mut states = states.as_array()?.iter();
        let state = &states.find(|state| state["name"] == *called)?["state"];
        assert!(state["terminated"].is_null(), "{pod}: {state:#}");
        state["running"].is_object().then_some(())
    })
    .await;
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

#[test]
fn what_was_reached_is_read_in_the_order_in_which_it_was_tried() {
    let addresses = [
        "10.0.0.1:80",
        "10.0.0.2:8080",
        "10.0.0.2:8080",
        "10.0.0.1:80",
    ];
    let ended = "reached 10.0.0.1:80\nnot reached 10.0.0.2:8080: timed out\nreached 10.0.0.2:8080\nreached 10.0.0.1:80\n";
    let failed = format!(
        "kubectl exec -- /demo reach {}: {ended}command terminated with exit code 1",
        addresses.join(" ")
    );
    for said in [ended, &failed] {
        assert_eq!(told(said, &addresses), Some(vec![true, false, true, true]));
    }
    let cut = "kubectl exec: reached 10.0.0.1:80\nerror: the pod is gone";
    assert_eq!(told(cut, &addresses), None);
}
