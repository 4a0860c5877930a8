//! A namespace for each scenario.

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::cluster::{kubectl, run, until};
use crate::engine;

static ALONE: Mutex<()> = Mutex::const_new(());

/// The pods of the Knative Service.
pub(crate) const SERVICE_PODS: &str = "serving.knative.dev/service=eventing-zeebe";

/// A namespace that enforces PodSecurity `restricted`. It goes with this value; where the scenario fails, all that the
/// cluster tells of it is printed before. `E2E_KEEP=1` leaves a failed one to be looked into.
pub(crate) struct Room {
    name: String,
    _alone: MutexGuard<'static, ()>,
}

impl Room {
    /// An empty namespace, once no other scenario runs.
    pub(crate) async fn new(scenario: &str) -> Self {
        let alone = ALONE.lock().await;
        let room = Self {
            name: format!("e2e-{scenario}-{}", std::process::id()),
            _alone: alone,
        };
        engine::ready();
        let name = room.name();
        kubectl(&["create", "namespace", name]).expect("a namespace");
        let enforced = "pod-security.kubernetes.io/enforce=restricted";
        kubectl(&["label", "namespace", name, enforced]).expect("a label");
        println!("== {name}");
        room
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What kubectl prints, in this namespace.
    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        kubectl(&[&["--namespace", self.name()], arguments].concat())
    }

    /// As [`Self::try_kubectl`], where it has to end well.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// One object, or a list of them.
    pub(crate) fn get(&self, what: &[&str]) -> Value {
        let text = self.kubectl(&[&["get", "--output", "json"], what].concat());
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    /// Applies manifests.
    pub(crate) fn apply(&self, manifests: &str) {
        let arguments = ["--namespace", self.name(), "apply", "--filename", "-"];
        run("kubectl", &arguments, manifests).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Applies what kustomize makes of a folder of the checkout, and gives the engine its name.
    pub(crate) fn install(&self, folder: &str) {
        self.engine_appears();
        self.apply(&rendered(folder));
    }

    /// The Service `zeebe-gateway`.
    pub(crate) fn engine_appears(&self) {
        self.apply(&engine::service());
    }

    /// Waits until all of it is ready, and all Deployments have their pods.
    pub(crate) fn ready(&self) {
        let all = "broker,sinkbinding,trigger,ksvc";
        let within = "--timeout=240s";
        self.kubectl(&["wait", "--for=condition=Ready", within, "--all", all]);
        self.kubectl(&[
            "wait",
            "--for=condition=Available",
            within,
            "--all",
            "deploy",
        ]);
        // What a SinkBinding has changed is rolled out: the pod without K_SINK is gone.
        for deployment in self.names("deploy") {
            if !deployment.contains("-deployment") {
                self.kubectl(&["rollout", "status", within, "deploy", &deployment]);
            }
        }
    }

    /// The names of all of a kind.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        self.names_of(&[kind])
    }

    /// The names of the pods of the Knative Service, whatever they do.
    pub(crate) fn service_pods(&self) -> Vec<String> {
        self.names_of(&["pods", "--selector", SERVICE_PODS])
    }

    fn names_of(&self, what: &[&str]) -> Vec<String> {
        let list = self.get(what);
        let items = list["items"].as_array().expect("a list");
        let name = |item: &Value| item["metadata"]["name"].as_str().map(str::to_owned);
        items.iter().filter_map(name).collect()
    }

    /// Waits until the Knative Service has no pod at all.
    pub(crate) async fn at_zero(&self) {
        until("no pod of the Knative Service", || async {
            self.service_pods().is_empty().then_some(())
        })
        .await;
    }

    fn tell(&self) {
        let kinds = "broker,trigger,sinkbinding,pingsource,ksvc,revision,deploy,pods,networkpolicy";
        for arguments in [
            &["get", kinds, "--output", "wide"][..],
            &["get", "events", "--sort-by", ".lastTimestamp"],
        ] {
            let told = self.try_kubectl(arguments);
            println!("-- {arguments:?}\n{}", told.unwrap_or_else(|error| error));
        }
        for pod in self.names("pods") {
            let told = self.try_kubectl(&[
                "logs",
                &pod,
                "--all-containers",
                "--prefix",
                "--tail",
                "100",
            ]);
            println!("-- logs of {pod}\n{}", told.unwrap_or_else(|error| error));
        }
        // Why no pod came, or no event: only Knative can tell.
        for (namespace, deployment) in ON_THE_WAY {
            let pod = format!("deploy/{deployment}");
            let told = kubectl(&["--namespace", namespace, "logs", &pod, "--tail", "30"]);
            println!(
                "-- logs of {deployment}\n{}",
                told.unwrap_or_else(|error| error)
            );
        }
    }
}

/// Whom an event passes on its way to a pod that is not there yet.
const ON_THE_WAY: [(&str, &str); 4] = [
    ("knative-eventing", "mt-broker-filter"),
    ("knative-eventing", "imc-dispatcher"),
    ("knative-serving", "activator"),
    ("knative-serving", "autoscaler"),
];

impl Drop for Room {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
            if std::env::var_os("E2E_KEEP").is_some() {
                println!("kept: kubectl delete namespace {}", self.name);
                return;
            }
        }
        // With the grace that its pods have, and awaited: one that is deleted by force goes on for a while, and would
        // work the jobs of the next scenario.
        let gone = self.try_kubectl(&["delete", "namespace", self.name(), "--timeout=400s"]);
        if let Err(error) = gone {
            println!("{error}");
        }
    }
}

/// What kustomize makes of a folder of the checkout.
pub(crate) fn rendered(folder: &str) -> String {
    let folder = testkit::scenario::workspace().join(folder);
    kubectl(&["kustomize", folder.to_str().expect("a path of text")])
        .unwrap_or_else(|error| panic!("{error}"))
}
