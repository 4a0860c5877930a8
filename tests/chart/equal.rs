use serde_json::{Map, Value, json};
use testkit::manifests::{Difference, differences, kind, name, parsed, shipped};
use testkit::scenario::workspace;

use crate::helm::objects;

#[test]
fn topology_split_is_what_knative_ships() {
    same("split.yaml", &["split"], &[]);
}

#[test]
fn topology_combined_is_what_knative_ships() {
    // What the component replaces or takes away; see its Kustomization.
    let gone = [
        "Deployment eventing-zeebe-source",
        "NetworkPolicy eventing-zeebe-source",
    ];
    same("combined.yaml", &["split", "combined/component"], &gone);
}

/// The example and these folders, of which the later ones replace what the earlier have, hold the same objects.
fn same(example: &str, folders: &[&str], gone: &[&str]) {
    let mut manifests = Map::new();
    for object in folders.iter().flat_map(|folder| shipped(folder)) {
        manifests.insert(called(&object), meaning(&object));
    }
    manifests.retain(|called, _| !gone.contains(&called.as_str()));
    let rendered: Map<String, Value> = with_plain_rules(objects(example))
        .iter()
        // The pod of `helm test`.
        .filter(|object| object["metadata"]["annotations"]["helm.sh/hook"].is_null())
        .map(|object| (called(object), meaning(object)))
        .map(|(called, mut object)| {
            // knative/'s Broker is anybody's, the chart's is a release's.
            if object["kind"] == "Broker" {
                object["metadata"] = json!({"name": object["metadata"]["name"]});
            }
            (called, object)
        })
        .collect();
    assert!(rendered.len() > 5, "{:?}", rendered.keys());

    let found = differences(&Value::Object(manifests), &Value::Object(rendered));
    let found: Vec<String> = found.iter().map(line).collect();
    assert!(
        found.is_empty(),
        "{example}, beside {folders:?}:\n{}",
        found.join("\n")
    );
}

/// The chart names the ConfigMap of the rules by what is in it, and never changes it; a manifest has one name for all.
fn with_plain_rules(mut objects: Vec<Value>) -> Vec<Value> {
    let rules = objects
        .iter_mut()
        .find(|object| kind(object) == "ConfigMap")
        .expect("rules");
    let named = rules["metadata"]["name"].take();
    rules["metadata"]["name"] = json!("eventing-zeebe-rules");
    let hook = rules["metadata"]["annotations"].take();
    assert!(hook["helm.sh/hook"].is_string(), "{hook}");
    assert_eq!(rules["immutable"].take(), json!(true));

    let volume = objects
        .iter_mut()
        .filter_map(|object| object.pointer_mut("/spec/template/spec/volumes"))
        .filter_map(Value::as_array_mut)
        .flatten()
        .find(|volume| volume["name"] == "rules")
        .expect("a volume of the rules");
    assert_eq!(volume["configMap"]["name"], named);
    volume["configMap"]["name"] = json!("eventing-zeebe-rules");
    objects
}

fn called(object: &Value) -> String {
    format!("{} {}", kind(object), name(object))
}

fn line(difference: &Difference) -> String {
    let Difference { path, one, other } = difference;
    let show = |side: &Option<Value>| side.as_ref().map_or("nothing".to_owned(), Value::to_string);
    format!(
        "{path}: knative/ has {}, the chart {}",
        show(one),
        show(other)
    )
}

/// An object without what the two have of themselves: Helm's labels, and the one that names a release. Lists of things with
/// names have no order; files are read.
fn meaning(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(field, _)| !is_the_chart_s_own(field))
                .map(|(field, below)| (field.clone(), meaning(below)))
                .map(|(field, below)| match (field.as_str(), below.as_str()) {
                    ("rules.yaml", Some(text)) => (field, read(text)),
                    _ => (field, below),
                })
                .filter(|(_, below)| !below.is_null() && below != &Value::Object(Map::new()))
                .collect(),
        ),
        Value::Array(items) if items.iter().all(|item| item["name"].is_string()) => {
            let named = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
            Value::Object(
                items
                    .iter()
                    .map(|item| (named(item), meaning(item)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(meaning).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            other.clone()
        }
    }
}

fn is_the_chart_s_own(field: &str) -> bool {
    [
        "app.kubernetes.io/instance",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
    ]
    .contains(&field)
}

fn read(text: &str) -> Value {
    parsed(text, "rules.yaml").remove(0)
}

/// The example of the sale does for the bridge what `knative/tickets` does.
#[test]
fn the_ticket_sale_has_the_rules_and_the_triggers_of_knative() {
    let rendered = objects("tickets.yaml");
    let rules = rendered
        .iter()
        .find(|object| kind(object) == "ConfigMap")
        .expect("rules");
    let file = workspace().join("knative/tickets/rules.yaml");
    let file = std::fs::read_to_string(&file).expect("the rules of the sale");
    let rules = rules["data"]["rules.yaml"].as_str().expect("a text");
    assert_eq!(read(rules), read(&file));

    let triggers = |objects: &[Value]| -> Vec<Value> {
        let mut specs: Vec<Value> = objects
            .iter()
            .filter(|object| kind(object) == "Trigger")
            .map(|trigger| trigger["spec"].clone())
            .collect();
        specs.sort_by_key(Value::to_string);
        specs
    };
    let manifests = triggers(&shipped("tickets/triggers/process.yaml"));
    assert!(manifests.len() > 10);
    assert_eq!(triggers(&rendered), manifests);
}
