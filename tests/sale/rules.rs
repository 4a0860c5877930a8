//! The rules of the ticket sale, as a scenario needs them.

use std::fmt::Write;

use testkit::scenario::{Scenario, workspace};

/// Long enough that no scenario sees its end.
const NEVER: &str = "PT1H";
/// Every duration of the rules.
const DURATIONS: [&str; 6] = [
    "decideTimeout",
    "remindEvery",
    "checkoutTimeout",
    "paymentTimeout",
    "settleFor",
    "askAgainAfter",
];

/// The shipped rules, with the scenario's names of messages and these durations.
pub(crate) fn rules(scenario: &Scenario<'_>, durations: &[(&str, &str)]) -> String {
    for (name, _) in durations {
        assert!(DURATIONS.contains(name), "there is no duration `{name}`");
    }
    let path = workspace().join("knative/tickets/rules-quick.yaml");
    let shipped = std::fs::read_to_string(&path).expect("the rules are shipped");
    let mut rules = String::new();
    for line in shipped.lines() {
        let field = line.trim_start().split(':').next().unwrap_or_default();
        let duration = DURATIONS.contains(&field).then(|| {
            let given = durations.iter().find(|(name, _)| *name == field);
            given.map_or(NEVER, |(_, duration)| duration)
        });
        match (duration, line.split_once("message: ")) {
            (Some(duration), _) => writeln!(rules, "        {field}: {duration}"),
            (None, Some((indent, message))) => {
                writeln!(rules, "{indent}message: {}", scenario.of(message))
            }
            (None, None) => writeln!(rules, "{line}"),
        }
        .expect("text");
    }
    rules
}
