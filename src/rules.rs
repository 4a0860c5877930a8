//! Which engine command an event leads to.
//!
//! [`Rules::plan`] is a function of the event and of what travels with it: no clock, no socket, no
//! async. The same event gives the same plans each time it is delivered, which is what makes a
//! redelivery harmless.
//!
//! - [`plan`](Plan): the command, every field resolved.
//! - `json`: the one pass over data that came as JSON; what the engine could not hold is found here.
//! - `variables`: the JSON object that a command carries, put together from raw slices.
//! - `travel`: what travels with a process from the event that came in to the events that go out.
//! - `identity`: the message id.

mod default;
mod error;
mod event;
mod identity;
mod json;
mod plan;
mod travel;
mod variables;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use cloudevents::Event;

pub use default::DefaultRule;
pub use error::MappingError;
pub use plan::Plan;
pub use travel::{HOPS_ATTRIBUTE, TRAVEL_VARIABLE, Travel};

/// How events become engine commands.
#[derive(Debug)]
pub struct Rules {
    default: DefaultRule,
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
}

impl Rules {
    /// The behaviour without a rules file: every event is published as a message.
    #[must_use]
    pub fn default_rules(default: DefaultRule) -> Self {
        Self { default }
    }

    /// Resolves every command that an event leads to.
    ///
    /// # Errors
    ///
    /// The event cannot be turned into a command: its data is not the JSON that it claims to be, or
    /// the engine could not hold it. No retry of the same event changes that.
    pub fn plan(&self, event: &Event, travel: &Travel<'_>) -> Result<Selected, MappingError> {
        let plan = self.default.plan(event, travel)?;
        Ok(Selected {
            plans: vec![Planned { rule: None, plan }],
        })
    }
}
