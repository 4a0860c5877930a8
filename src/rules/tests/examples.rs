//! What is shown to readers works as it stands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cloudevents_http::set_attribute;

use super::*;

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn load(path: &Path) -> Rules {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let rules =
        Rules::load(&text, &name, Settings::default()).unwrap_or_else(|error| panic!("{error}"));
    assert!(rules.warnings().is_empty(), "{:?}", rules.warnings());
    rules
}

const CARRIED: &str = r#""bridgeContext":{"hops":0}}"#;

/// The type of an event with source `/shop/1`, its extension attributes, its data, the rule that
/// takes it, and the plan as debug text up to the fields that do not matter.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    Option<&'static str>,
    &'static str,
);

const KEYS: &[(&str, &str)] = &[("jobkey", "12"), ("processinstancekey", "34")];

const EXAMPLES: &[(&str, &[Row])] = &[
    (
        "by-process-id.yaml",
        &[
            (
                "Orders.Placed",
                &[],
                r#"{"total":1000.00}"#,
                Some("large-orders"),
                r#"CreateProcessInstance { bpmn_process_id: "approve-order", version: Some(3), variables: "{\"order\":{\"total\":1000.00},CARRIED", tenant_id: None, at_most_once: false }"#,
            ),
            (
                "Orders.Placed",
                &[],
                r#"{"total":5,"express":true}"#,
                Some("other-orders"),
                r#"CreateProcessInstance { bpmn_process_id: "fulfil-order", version: None, variables: "{\"order\":{\"total\":5,\"express\":true},\"priority\":\"high\",CARRIED", tenant_id: None, at_most_once: true }"#,
            ),
        ],
    ),
    (
        "jobs-and-instances.yaml",
        &[
            (
                "Work.Done",
                KEYS,
                r#"{"result":[1]}"#,
                Some("work-done"),
                r#"CompleteJob { job_key: 12, variables: "{\"result\":[1],CARRIED" }"#,
            ),
            (
                "Work.Refused",
                KEYS,
                r#"{"code":"SOLD_OUT"}"#,
                Some("work-refused"),
                r#"ThrowError { job_key: 12, error_code: "SOLD_OUT", error_message: "", variables: "{CARRIED" }"#,
            ),
            (
                "Work.Failed",
                KEYS,
                r#"{"retries":0,"reason":"no power"}"#,
                Some("work-failed"),
                r#"FailJob { job_key: 12, retries: 0, error_message: "no power", retry_back_off: 30s, variables: "{CARRIED" }"#,
            ),
            (
                "Customers.AddressChanged",
                KEYS,
                r#"{"address":{"city":"Bern"}}"#,
                Some("address-changed"),
                r#"SetVariables { element_instance_key: 34, variables: "{\"address\":{\"city\":\"Bern\"},CARRIED", local: false }"#,
            ),
            (
                "Orders.Withdrawn",
                KEYS,
                "{}",
                Some("order-withdrawn"),
                "CancelProcessInstance { process_instance_key: 34 }",
            ),
            (
                "Prices.Changed",
                &[],
                r#"{"validFrom":"2030-01-01"}"#,
                Some("prices-changed"),
                r#"BroadcastSignal { signal_name: "Prices.Changed", variables: "{\"valid\":\"2030-01-01\",CARRIED", tenant_id: None, at_most_once: false }"#,
            ),
        ],
    ),
];

#[test]
fn every_example_is_loaded_and_each_of_its_rules_leads_to_its_plan() {
    let folder = root().join("examples/rules");
    let there: BTreeSet<String> = fs::read_dir(&folder)
        .expect("examples/rules")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let tested: BTreeSet<String> = EXAMPLES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(there, tested);
    for (name, rows) in EXAMPLES {
        let rules = load(&folder.join(name));
        let file = rules.file.as_ref().expect("a file");
        for rule in &file.rules {
            let acts = rows
                .iter()
                .any(|(_, _, _, taken, _)| *taken == Some(&*rule.name));
            assert!(acts, "{name}: no event for rule {}", rule.name);
        }
        for (ty, attributes, data, rule, expected) in *rows {
            let mut event = json(data);
            event.set_type(*ty);
            event.set_source("/shop/1");
            for (name, value) in *attributes {
                set_attribute(&mut event, name, value).expect("an attribute");
            }
            let selected = rules
                .plan(&event, &Travel::default())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let taken: Vec<_> = selected
                .plans
                .iter()
                .map(|planned| planned.rule.as_deref())
                .collect();
            assert_eq!(
                taken,
                rule.iter().map(|rule| Some(*rule)).collect::<Vec<_>>(),
                "{name}: {data}"
            );
            if let (Some(planned), Some(rule)) = (selected.plans.first(), rule) {
                let expected = expected
                    .replace("ID", &identity::of(&event, Some(rule)))
                    .replace("CARRIED", &CARRIED.replace('"', "\\\""));
                assert_eq!(format!("{:?}", planned.plan), expected, "{name}: {data}");
            }
        }
    }
}

#[test]
fn every_file_in_the_documentation_can_be_loaded() {
    let text = fs::read_to_string(root().join("docs/RULES.md")).expect("docs/RULES.md");
    let mut blocks = 0;
    for block in text.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        Rules::load(block, "docs/RULES.md", Settings::default())
            .unwrap_or_else(|error| panic!("{error}\n{block}"));
        blocks += 1;
    }
    assert!(blocks >= 3, "{blocks}");
}
