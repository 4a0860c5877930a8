//! The chart's alerts and its dashboard speak of what the program exports. Whether they fire is for `make alerts`,
//! which needs promtool.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::manifests::parsed;
use testkit::scenario::workspace;

use crate::docs::{anchor, documented_metrics};
use crate::layout::files_in;

/// What kube-state-metrics exports, and we ask for.
const OF_KUBERNETES: [&str; 5] = [
    "kube_pod_container_info",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_restarts_total",
    "kube_pod_status_phase",
    "kube_pod_status_ready",
];
const PREFIXES: [&str; 5] = ["bridge_", "process_", "telemetry_", "kube_", OF_THE_ENGINE];
/// What the exporter of observer/ counts.
const OF_THE_ENGINE: &str = "eventing_zeebe_";
const RULES: &str = "charts/eventing-zeebe/alerts/rules.yaml";
/// What promtool is given: what fires, what does not, and what comes near.
const TESTS: &str = "charts/eventing-zeebe/alerts/tests";
const DASHBOARD: &str = "charts/eventing-zeebe/dashboards/eventing-zeebe.json";

fn read(path: impl AsRef<Path>) -> String {
    let file = workspace().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rules() -> Vec<Value> {
    let file = parsed(&read(RULES), RULES).remove(0);
    let groups = file["groups"].as_array().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.cloned().collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(DASHBOARD)).expect("a dashboard in JSON")
}

fn panels() -> Vec<Value> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    panels.clone()
}

/// Every value with this name, wherever it stands.
fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|it| all(it, name, found));
        }
        Value::Array(items) => items.iter().for_each(|it| all(it, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let found = value.pointer(path).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {path} in {value:#}"))
}

/// The metrics in a text, a histogram's by the name of all its series.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .map(|word| {
            let histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| word.strip_suffix(suffix));
            histogram.unwrap_or(word).to_owned()
        })
        .collect()
}

/// The metrics in a file, or in all files of a folder.
fn metrics_at(place: &str) -> BTreeSet<String> {
    let place = workspace().join(place);
    let files = if place.is_dir() {
        files_in(&place)
    } else {
        vec![place]
    };
    files
        .iter()
        .flat_map(|file| metrics_in(&read(file)))
        .collect()
}

/// The metrics that docs/OPERATING.md lists of the engine.
fn documented_metrics_of_the_engine() -> BTreeSet<String> {
    let page = read("docs/OPERATING.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next())
        .filter(|name| name.starts_with(OF_THE_ENGINE))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_engines_exporter_counts_what_is_documented_and_nothing_else() {
    let counted: BTreeSet<String> = files_in(&workspace().join("observer/broker/observer"))
        .iter()
        .flat_map(|file| {
            let file = read(file);
            let counters = file.split("Counter.builder(\"").skip(1);
            let names = counters.filter_map(|after| after.split('"').next());
            // As Micrometer writes them for Prometheus.
            let names = names.map(|name| format!("{}_total", name.replace('.', "_")));
            names.collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(counted, documented_metrics_of_the_engine());
}

#[test]
fn every_metric_that_they_ask_for_is_exported() {
    let mut known = documented_metrics();
    known.extend(documented_metrics_of_the_engine());
    known.extend(OF_KUBERNETES.map(str::to_owned));
    for place in [RULES, DASHBOARD, TESTS] {
        let asked = metrics_at(place);
        assert!(asked.len() > 10, "{place}: {asked:?}");
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "{place}: nobody exports {unknown:?}; docs/OPERATING.md lists what the program does"
        );
    }
}

#[test]
fn the_dashboard_shows_every_metric_of_ours() {
    let shown = metrics_in(&read(DASHBOARD));
    let mut documented = documented_metrics();
    documented.extend(documented_metrics_of_the_engine());
    let missing: Vec<_> = documented.difference(&shown).collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
}

#[test]
fn every_alert_has_its_row_and_its_runbook_in_operating_md() {
    let page = read("docs/OPERATING.md");
    let anchors: BTreeSet<String> = page.lines().filter_map(anchor).collect();
    let rows: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `EventingZeebe"))
        .filter_map(|row| row.split('`').next())
        .collect();
    let mut alerts = BTreeSet::new();
    let rules = rules();
    for rule in &rules {
        let alert = text(rule, "/alert");
        let short = alert.strip_prefix("EventingZeebe").expect(alert);
        assert!(alerts.insert(short), "{alert} is there twice");
        for path in ["/annotations/summary", "/annotations/description"] {
            assert!(!text(rule, path).is_empty(), "{alert}: {path}");
        }
        let severity = text(rule, "/labels/severity");
        assert!(["critical", "warning"].contains(&severity), "{alert}");
        let runbook = text(rule, "/annotations/runbook");
        let anchor = runbook.strip_prefix("docs/OPERATING.md#");
        assert!(
            anchor.is_some_and(|anchor| anchors.contains(anchor)),
            "{alert}: `{runbook}` leads nowhere"
        );
    }
    assert_eq!(rows, alerts, "the table in docs/OPERATING.md");
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let mut ids = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in panels() {
        let title = text(&panel, "/title");
        let id = panel["id"].as_u64().expect("an id");
        assert!(ids.insert(id), "{title}: id {id} is there twice");
        assert!(titles.insert(title.to_owned()), "{title} is there twice");
        if panel["type"] == "row" {
            continue;
        }
        assert!(text(&panel, "/description").len() > 20, "{title}");
        assert!(
            !text(&panel, "/fieldConfig/defaults/unit").is_empty(),
            "{title}"
        );
        let targets = panel["targets"].as_array().expect(title);
        assert!(!targets.is_empty(), "{title} asks nothing");
        for target in targets {
            assert_eq!(text(target, "/datasource/uid"), "${datasource}", "{title}");
            assert!(!metrics_in(text(target, "/expr")).is_empty(), "{title}");
        }
    }
}

#[test]
fn no_panel_lies_on_another() {
    let mut taken = BTreeSet::new();
    for panel in panels() {
        let at = |side: &str| panel["gridPos"][side].as_u64().expect("a number");
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
}

/// It has to go into any Grafana, by hand or by the sidecar, beside others and again: nothing in it is of one installation.
#[test]
fn the_dashboard_can_be_imported_anywhere_and_again() {
    let dashboard = dashboard();
    assert_eq!(
        text(&dashboard, "/uid"),
        "eventing-zeebe",
        "links hang on it"
    );
    assert!(dashboard.get("id").is_none(), "a number of one database");
    assert!(
        dashboard.get("__inputs").is_none(),
        "the sidecar asks nobody"
    );
    assert!(dashboard["schemaVersion"].as_u64() >= Some(36));
    let variables = dashboard["templating"]["list"].as_array().expect("a list");
    assert_eq!(text(&variables[0], "/name"), "datasource");
    assert_eq!(text(&variables[0], "/type"), "datasource");
    assert_eq!(text(&variables[0], "/query"), "prometheus");
    assert_eq!(text(&variables[0], "/current/value"), "", "none is chosen");
    let mut datasources = Vec::new();
    all(&dashboard, "datasource", &mut datasources);
    assert!(datasources.len() > 40, "{}", datasources.len());
    for datasource in datasources {
        assert_eq!(text(datasource, "/uid"), "${datasource}");
        assert_eq!(text(datasource, "/type"), "prometheus");
    }
}

#[test]
fn every_query_is_of_the_chosen_bridges_and_over_a_time_that_follows_the_picture() {
    for panel in panels() {
        let title = text(&panel, "/title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = text(target, "/expr");
            for metric in metrics_of_ours(query) {
                assert!(
                    metric
                        .selector
                        .starts_with("{namespace=~\"$namespace\", job=~\"$job\""),
                    "{title}: {query}"
                );
                let over = metric.range.unwrap_or_default();
                let allowed: &[&str] = match metric.function {
                    Some("rate" | "avg_over_time") => &["$__rate_interval"],
                    // The whole picture, or what its title says.
                    Some("increase") => &["$__range", "1h"],
                    _ => &[""],
                };
                assert!(allowed.contains(&over), "{title}: {query}");
                let counts = ["_total", "_bucket", "_sum", "_count"];
                let counts = counts.iter().any(|end| metric.name.ends_with(end));
                assert!(
                    // Or whether it is there at all.
                    !counts
                        || matches!(
                            metric.function,
                            Some("rate" | "increase" | "count" | "clamp")
                        ),
                    "{title}: a counter by itself says nothing: {query}"
                );
            }
        }
    }
}

/// A metric that a query asks for.
struct Asked<'a> {
    name: &'a str,
    /// What is asked for of it, in braces.
    selector: &'a str,
    /// Over which time, where that is said.
    range: Option<&'a str>,
    /// What is made of it.
    function: Option<&'a str>,
}

/// Those that the program exports, as they stand in a query.
fn metrics_of_ours(query: &str) -> Vec<Asked<'_>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut asked = Vec::new();
    for (brace, _) in query.match_indices('{') {
        let before = &query[..brace];
        let start = before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        let name = &before[start..];
        if name.starts_with("kube_") {
            continue;
        }
        let end = brace + query[brace..].find('}').expect("a brace that closes") + 1;
        let range = query[end..].strip_prefix('[');
        let called = before[..start].strip_suffix('(').unwrap_or_default();
        let function = called.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        asked.push(Asked {
            name,
            selector: &query[brace..end],
            range: range.and_then(|range| range.split(']').next()),
            function: Some(&called[function..]).filter(|it| !it.is_empty()),
        });
    }
    asked
}
