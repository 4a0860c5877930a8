//! Rules files in, mistakes or plans out.

mod actions;
mod mistakes;
mod repeats;
mod selection;

use super::*;

fn load(text: &str) -> Result<Rules, String> {
    Rules::load(text, "rules.yaml", Settings::default()).map_err(|error| error.to_string())
}

/// A file of one rule that does what is given, for events with some data.
fn does(action: &str) -> Rules {
    let indented = action.replace('\n', "\n    ");
    load(&format!(
        "rules:\n  - name: r\n    select: {{}}\n    {indented}\n"
    ))
    .expect(action)
}

fn plan(action: &str, event: &Event) -> Plan {
    only(&does(action), event)
}

fn refused(rules: &Rules, event: &Event) -> String {
    rules
        .plan(event, &Travel::default())
        .expect_err("the event is refused")
        .to_string()
}

const DATA: &str = r#"{"key":"2251799813685249","n":2251799813685250,"order":{"id":"o-7","total":10.50},"retries":2}"#;
