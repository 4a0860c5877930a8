use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::manifests::parsed;
use testkit::script::prepared_by;

use crate::helm::{examples, rendered, tool, tools};
use crate::said;

/// JSON schemas of Knative's kinds, by the names that kubeconform looks for, made of the definitions that a cluster is
/// given.
struct Schemas(TempDir);

impl Schemas {
    fn of_knative() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let definitions = tools().join("knative");
        let entries = std::fs::read_dir(&definitions)
            .unwrap_or_else(|error| panic!("{}: {error}", definitions.display()));
        for entry in entries {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a definition");
            for definition in parsed(&text, &path.display().to_string()) {
                write_versions(&definition["spec"], folder.path());
            }
        }
        Self(folder)
    }
}

fn write_versions(spec: &Value, folder: &Path) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let kind = text(&spec["names"]["kind"]);
    let group = text(&spec["group"]);
    let group = group.split('.').next().unwrap_or_default();
    for version in spec["versions"].as_array().into_iter().flatten() {
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        for below in schema["properties"].as_object_mut().into_iter().flatten() {
            refuse_unknown(below.1);
        }
        let name = format!("{kind}-{group}-{}.json", text(&version["name"]));
        std::fs::write(folder.join(name), schema.to_string()).expect("a file can be written");
    }
}

/// A cluster drops what a definition does not name, unless it says that it keeps it; here it is a mistake.
fn refuse_unknown(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    let keeps = members.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if members.get("properties").is_some_and(Value::is_object)
        && !members.contains_key("additionalProperties")
        && !keeps
    {
        members.insert("additionalProperties".to_owned(), json!(false));
    }
    for value in members.values_mut() {
        refuse_unknown(value);
        value
            .as_array_mut()
            .into_iter()
            .flatten()
            .for_each(refuse_unknown);
    }
}

/// Kubeconform's word on these manifests.
fn conform(schemas: &Schemas, manifests: &Path) -> Output {
    let name = "{{ .ResourceKind }}{{ .KindSuffix }}.json";
    let places = [tools().join("kubernetes"), schemas.0.path().to_owned()];
    let mut command = tool("kubeconform");
    for place in places {
        command
            .arg("-schema-location")
            .arg(format!("{}/{name}", place.display()));
    }
    command
        .arg("-strict")
        .arg(manifests)
        .output()
        .expect("kubeconform can be run")
}

/// What Knative's webhooks say, and a strict reading of the rest.
fn admit(manifests: &Path) -> Output {
    Command::new(prepared_by("knative-dataplane"))
        .arg("validate")
        .arg(manifests)
        .env_clear()
        .output()
        .expect("the data plane can be run")
}

/// Without what is the Prometheus operator's, whose definitions are in neither.
fn without_monitors(text: &str) -> String {
    let others: Vec<&str> = text
        .split("\n---\n")
        .filter(|document| !document.contains("\napiVersion: monitoring.coreos.com/v1\n"))
        .collect();
    others.join("\n---\n")
}

fn write(folder: &Path, text: &str) {
    std::fs::write(folder.join("all.yaml"), text).expect("a file can be written");
}

#[test]
fn kubernetes_and_knative_know_every_field_of_every_example() {
    let schemas = Schemas::of_knative();
    for example in examples() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &without_monitors(&rendered(&example)));
        let output = conform(&schemas, folder.path());
        assert!(output.status.success(), "{example}: {}", said(&output));
    }
}

#[test]
fn knative_admits_every_example() {
    for example in examples() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &without_monitors(&rendered(&example)));
        let output = admit(folder.path());
        assert!(output.status.success(), "{example}: {}", said(&output));
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(warnings.is_empty(), "{example}: {warnings}");
    }
}

#[test]
fn a_field_that_there_is_not_would_be_found() {
    let schemas = Schemas::of_knative();
    let right = rendered("triggers.yaml");
    let only_knative_itself = ["subscribers:", "backOffPolicy:"];
    for (field, mistake) in [
        ("timeoutSeconds: 300", "timeoutSecond: 300"),
        ("\n  subject:", "\n  subjects:"),
        ("replicas: 1", "replica: 1"),
        ("policyTypes:", "policyType:"),
        // Where Knative's schemas allow for more.
        ("\n  subscriber:", "\n  subscribers:"),
        ("\n    backoffPolicy:", "\n    backOffPolicy:"),
    ] {
        assert!(right.contains(field), "no `{field}` in the example");
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &right.replace(field, mistake));
        let output = admit(folder.path());
        assert!(!output.status.success(), "{mistake}: {}", said(&output));
        if !only_knative_itself.contains(&mistake.trim()) {
            let output = conform(&schemas, folder.path());
            assert!(!output.status.success(), "{mistake}: {}", said(&output));
        }
    }
}
