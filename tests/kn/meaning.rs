//! What an object means, apart from how it says it.

use serde_json::{Map, Value};

/// The object without what says nothing: empty fields, the namespace that it is in anyway, labels for people, kn's notes
/// to itself. Lists of things with names have no order, and a volume's name means nothing.
pub(crate) fn meaning(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(volumes) = object
        .pointer_mut("/spec/template/spec/volumes")
        .map(Value::take)
    {
        mount_volumes_themselves(&mut object, &volumes);
    }
    without_nothing(object)
}

/// Puts each volume in the place where it is mounted, by the path.
fn mount_volumes_themselves(object: &mut Value, volumes: &Value) {
    let containers = object.pointer_mut("/spec/template/spec/containers");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let mut mounted = Map::new();
        for mount in container["volumeMounts"].as_array().into_iter().flatten() {
            let volume = volumes.as_array().into_iter().flatten();
            let volume = volume.into_iter().find(|one| one["name"] == mount["name"]);
            let mut both = mount.clone();
            both["volume"] = volume.cloned().unwrap_or(Value::Null);
            both["volume"]["name"] = Value::Null;
            both["name"] = Value::Null;
            let path = mount["mountPath"].as_str().unwrap_or_default().to_owned();
            mounted.insert(path, both);
        }
        container["volumeMounts"] = Value::Object(mounted);
    }
}

fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, without_nothing(value)))
                .filter(|(name, value)| !says_nothing(name, value))
                .collect(),
        ),
        // The only container of a pod, and the like.
        Value::Array(mut items) if items.len() == 1 => {
            let mut item = items.remove(0);
            if let Some(container) = item.as_object_mut().filter(|one| one.contains_key("image")) {
                container.remove("name");
            }
            without_nothing(item)
        }
        Value::Array(items) if items.iter().all(|item| item["name"].is_string()) => Value::Object(
            items
                .into_iter()
                .map(|item| {
                    let name = item["name"].as_str().unwrap_or_default().to_owned();
                    (name, without_nothing(item))
                })
                .collect(),
        ),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

fn says_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::String(namespace) if name == "namespace" => namespace == "default",
        _ if name.starts_with("app.kubernetes.io/") || name.starts_with("client.knative.dev/") => {
            true
        }
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
