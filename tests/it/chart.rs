//! The chart agrees with the program. What it renders is for `make chart`, which needs Helm.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use testkit::manifests::parsed;
use testkit::scenario::workspace;

fn yaml(path: &str) -> Value {
    let file = workspace().join("charts/eventing-zeebe").join(path);
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    parsed(&text, path).remove(0)
}

fn schema() -> Value {
    let path = workspace().join("charts/eventing-zeebe/values.schema.json");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a schema in JSON")
}

#[test]
fn its_versions_are_the_programs() {
    let chart = yaml("Chart.yaml");
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
}

/// Variables that a value of the chart's own sets, or that are credentials, or SinkBinding's.
const NOT_IN_CONFIG: [&str; 40] = [
    "BRIDGE_ADMIN_PORT",
    "BRIDGE_DRAIN_SECONDS",
    "BRIDGE_ENGINE_NAME",
    "BRIDGE_HOST",
    "BRIDGE_OIDC_ALLOWED_SUBJECTS",
    "BRIDGE_OIDC_AUDIENCE",
    "BRIDGE_OIDC_CA_CERTIFICATE_PATH",
    "BRIDGE_OIDC_DISCOVERY_TOKEN_PATH",
    "BRIDGE_OIDC_ISSUER",
    "BRIDGE_OIDC_TOKEN_PATH",
    "BRIDGE_SERVICE_TIMEOUT_SECONDS",
    "K_CA_CERTS",
    "K_CE_OVERRIDES",
    "K_SINK",
    "MODELS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "PORT",
    "ROLES",
    "RULES",
    "ZEEBE_ADDRESS",
    "ZEEBE_AUTHORIZATION_SERVER_URL",
    "ZEEBE_BASIC_AUTH_PASSWORD",
    "ZEEBE_BASIC_AUTH_USERNAME",
    "ZEEBE_CA_CERTIFICATE_PATH",
    "ZEEBE_CLIENT_CERTIFICATE_PATH",
    "ZEEBE_CLIENT_ID",
    "ZEEBE_CLIENT_KEY_PATH",
    "ZEEBE_CLIENT_SECRET",
    "ZEEBE_DEFAULT_TENANT_ID",
    "ZEEBE_GRPC_ADDRESS",
    "ZEEBE_INSECURE_CONNECTION",
    "ZEEBE_OVERRIDE_AUTHORITY",
    "ZEEBE_TOKEN_AUDIENCE",
    "ZEEBE_TOKEN_SCOPE",
];

/// docs/CONFIG.md is compared with the program elsewhere.
#[test]
fn every_variable_of_the_program_can_be_set_and_no_other() {
    let page = fs::read_to_string(workspace().join("docs/CONFIG.md")).expect("docs/CONFIG.md");
    let known: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(_, rest)| !rest.contains("| refused |"))
        .map(|(name, _)| name)
        .filter(|name| !NOT_IN_CONFIG.contains(name))
        .collect();
    assert!(known.len() > 20, "{known:?}");
    let schema = schema();
    let in_schema: BTreeSet<&str> = schema["properties"]["config"]["properties"]
        .as_object()
        .expect("config's properties")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(in_schema, known);
}

/// Whoever misspells a value is told, at each level.
#[test]
fn the_schema_knows_every_value_and_allows_no_other() {
    let values = yaml("values.yaml");
    same_names("", &values, &schema());
}

fn same_names(path: &str, values: &Value, schema: &Value) {
    let Some(values) = values.as_object().filter(|values| !values.is_empty()) else {
        return;
    };
    let Some(properties) = schema["properties"].as_object() else {
        // The delivery block is described once, for the Broker and for Triggers.
        let described = schema["allOf"][0].clone();
        assert!(described.is_object(), "{path}: no properties");
        return same_names(path, &Value::Object(values.clone()), &described);
    };
    assert_eq!(schema["additionalProperties"], false, "{path}");
    let names: BTreeSet<_> = values.keys().collect();
    // `global` is Helm's.
    let described: BTreeSet<_> = properties.keys().filter(|name| *name != "global").collect();
    assert_eq!(names, described, "{path}");
    for (name, value) in values {
        same_names(&format!("{path}/{name}"), value, &properties[name]);
    }
}

/// Its README lists each value with its default, and each example.
#[test]
fn its_page_lists_every_value_and_every_example() {
    let folder = workspace().join("charts/eventing-zeebe");
    let page = fs::read_to_string(folder.join("README.md")).expect("the chart's README.md");
    let (_, table) = page.split_once("\n## Values\n").expect("a table of values");
    let listed: BTreeSet<String> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split(" | ").take(2).collect::<Vec<_>>().join(" | "))
        .collect();
    let mut values = BTreeSet::new();
    rows("", &yaml("values.yaml"), &mut values);
    assert_eq!(listed, values);

    for entry in fs::read_dir(folder.join("examples")).expect("examples") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a name that is UTF-8");
        assert!(page.contains(&format!("(examples/{name})")), "{name}");
    }
}

/// The first two cells of each value's row.
fn rows(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value.as_object().filter(|members| !members.is_empty()) {
        Some(members) => {
            for (name, below) in members {
                let path = match path {
                    "" => name.clone(),
                    _ => format!("{path}.{name}"),
                };
                rows(&path, below, found);
            }
        }
        None => {
            found.insert(format!("| `{path}` | `{value}`"));
        }
    }
}

#[test]
fn each_example_says_everything_once() {
    let examples = workspace().join("charts/eventing-zeebe/examples");
    for file in fs::read_dir(examples).expect("the examples") {
        let name = file.expect("a file").file_name();
        // Helm takes the last of two members of one name, and says nothing; this reader refuses them.
        let values = yaml(&format!("examples/{}", name.display()));
        assert!(values.is_object(), "{}", name.display());
    }
}
