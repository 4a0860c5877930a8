use serde_json::Value;

/// A field that differs: the innermost that one of the two does not have, or has with another value.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// Names of fields, parted by dots.
    pub path: String,
    /// What the first has there.
    pub one: Option<Value>,
    /// What the second has there.
    pub other: Option<Value>,
}

/// Where two objects differ, field by field. Lists are compared as a whole.
#[must_use]
pub fn differences(one: &Value, other: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(one), Some(other), &mut found);
    found
}

fn compare(path: &str, one: Option<&Value>, other: Option<&Value>, found: &mut Vec<Difference>) {
    match (one, other) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let below = match path {
                    "" => name.clone(),
                    _ => format!("{path}.{name}"),
                };
                compare(&below, ours.get(name), theirs.get(name), found);
            }
        }
        _ if one == other => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            one: one.cloned(),
            other: other.cloned(),
        }),
    }
}
