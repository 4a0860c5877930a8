//! Which engine command an event leads to.
//!
//! [`Rules::plan`] is a function of the event and of what travels with it: no clock, no socket, no
//! async. The same event gives the same plans each time it is delivered, which is what makes a
//! redelivery harmless.
//!
//! From the file to the command:
//!
//! - `document`: the YAML as it is written, each node with its line.
//! - `compile`: from the document to rules; what can be wrong with a file is found here.
//! - `rule`, `select`: which rules take an event.
//! - [`expression`]: reading values out of attributes and data.
//! - `scope`, `event`: what `event` and `data` are in an expression.
//! - `action`, `default`: what a rule does, and what happens where there is none.
//! - `plan`: the command, every field resolved.
//!
//! What a command carries:
//!
//! - `json`: the one pass over data that came as JSON; what the engine could not hold is found here.
//! - `variables`: the JSON object that a command brings, put together from raw slices.
//! - `travel`: what goes with a process from the event that came in to the events that go out.
//! - `identity`: the message id.

mod action;
mod compile;
mod default;
mod document;
mod duration;
mod error;
mod event;
pub mod expression;
mod identity;
mod json;
mod plan;
mod rule;
mod scope;
mod select;
mod travel;
mod variables;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use cloudevents::Event;
use rule::RuleSet;

pub use default::DefaultRule;
pub use error::{MappingError, RulesError};
pub use plan::Plan;
pub use travel::{HOPS_ATTRIBUTE, TRAVEL_VARIABLE, Travel};

/// How events become engine commands.
#[derive(Debug)]
pub struct Rules {
    default: DefaultRule,
    file: Option<RuleSet>,
}

/// What a rules file is read against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What a rule that leaves a field open falls back to.
    pub defaults: DefaultRule,
    /// For how long a delivery may be retried at most. A rule that starts a process by message must
    /// know its duplicates for as long; one that publishes is warned about.
    pub retry_horizon: Duration,
}

impl Default for Settings {
    /// A retry horizon of ten minutes: more than ten exponential retries from 0.2 s take.
    fn default() -> Self {
        Self {
            defaults: DefaultRule::default(),
            retry_horizon: Duration::from_secs(600),
        }
    }
}

/// What an event leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// One for each rule that matched, in the order of the file; empty where none did.
    pub plans: Vec<Planned>,
}

/// A plan, and the rule that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The rule's name; `None` where there is no rules file.
    pub rule: Option<Arc<str>>,
    /// The command to give.
    pub plan: Plan,
    /// Bytes of memory that it takes, without what it shares with an earlier one of the same event.
    pub bytes: usize,
    /// Whether it may be given beside other commands, whose failure would have it given again.
    pub repeatable: bool,
}

impl Rules {
    /// The behaviour without a rules file: every event is published as a message.
    #[must_use]
    pub fn default_rules(default: DefaultRule) -> Self {
        Self {
            default,
            file: None,
        }
    }

    /// Reads a rules file; its format is described in `docs/RULES.md`.
    ///
    /// `file_name` is what errors call it.
    ///
    /// # Errors
    ///
    /// The first mistake in the file, with its line: nothing that a rule could get wrong by itself is
    /// left to be found when an event comes.
    pub fn load(text: &str, file_name: &str, settings: Settings) -> Result<Self, RulesError> {
        if let Some(mistake) = settings.defaults.mistake() {
            return Err(RulesError::of_settings(mistake));
        }
        Ok(Self {
            file: Some(compile::compile(text, file_name, &settings)?),
            default: settings.defaults,
        })
    }

    /// What the operator should know of the rules, though they work: one line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        self.file.as_ref().map_or(&[], |file| &file.warnings)
    }

    /// The rules of the file by their names, in its order; none where there is no file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let rules = self.file.iter().flat_map(|file| &file.rules);
        rules.map(|rule| &*rule.name)
    }

    /// Resolves every command that an event leads to.
    ///
    /// # Errors
    ///
    /// The event cannot be turned into a command: its data is not the JSON that it claims to be, the
    /// engine could not hold it, or a rule asks for what it does not have. No retry of the same event
    /// changes that.
    pub fn plan(&self, event: &Event, travel: &Travel<'_>) -> Result<Selected, MappingError> {
        let plans = self.plans(event, travel).collect::<Result<_, _>>()?;
        Ok(Selected { plans })
    }

    /// As [`Rules::plan`], one command after the other: none takes memory before it is asked for, so that
    /// whoever counts it can stop. After an error nothing that follows is of use.
    pub fn plans<'a>(&'a self, event: &'a Event, travel: &'a Travel<'a>) -> Plans<'a> {
        Plans(match &self.file {
            Some(file) => Of::File(file.plans(event, travel, &self.default)),
            None => Of::Default(Some((&self.default, event, travel))),
        })
    }
}

/// The commands that one event leads to, in the order of the file; see [`Rules::plans`].
#[derive(Debug)]
pub struct Plans<'a>(Of<'a>);

#[derive(Debug)]
enum Of<'a> {
    Default(Option<(&'a DefaultRule, &'a Event, &'a Travel<'a>)>),
    File(rule::Plans<'a>),
}

impl Iterator for Plans<'_> {
    type Item = Result<Planned, MappingError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Of::Default(once) => {
                let (default, event, travel) = once.take()?;
                Some(default.plan(event, travel).map(|plan| Planned {
                    rule: None,
                    bytes: plan.bytes(),
                    plan,
                    repeatable: true,
                }))
            }
            Of::File(plans) => plans.next(),
        }
    }
}

/// Checks that the commands of one request, of all events of a batch, may be given together.
///
/// A request has one answer. If one of several commands fails, its sender repeats all of them.
///
/// # Errors
///
/// There are several, and one must not be repeated: a start by process id or a signal, of a rule
/// that does not accept repeats.
pub fn check_together(plans: &[Planned]) -> Result<(), MappingError> {
    if plans.len() < 2 {
        return Ok(());
    }
    match plans.iter().find(|planned| !planned.repeatable) {
        None => Ok(()),
        Some(planned) => Err(MappingError {
            rule: planned.rule.clone(),
            field: "repeats".to_owned(),
            reason: format!(
                "the request leads to {} commands, and a failure of another would repeat this one: \
                 send the event alone, or accept it with `repeats: accepted`",
                plans.len()
            ),
        }),
    }
}
