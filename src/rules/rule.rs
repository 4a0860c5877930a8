//! One rule, and the set of them.

use std::sync::Arc;

use cloudevents::Event;

use super::Planned;
use super::action::{Action, Given};
use super::default::DefaultRule;
use super::error::MappingError;
use super::expression::Expression;
use super::scope::EventScope;
use super::select::{Index, Select};
use super::travel::Travel;
use super::variables::Content;

/// Which of several matching rules act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    All,
    First,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) select: Select,
    pub(super) when: Option<Expression>,
    pub(super) action: Action,
    /// It may run beside other commands, whose failure repeats it.
    pub(super) repeatable: bool,
}

/// The rules of one file.
#[derive(Debug)]
pub(super) struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
    pub(super) which: Match,
    pub(super) warnings: Vec<String>,
}

impl RuleSet {
    pub(super) fn plan(
        &self,
        event: &Event,
        travel: &Travel<'_>,
        default: &DefaultRule,
    ) -> Result<Vec<Planned>, MappingError> {
        // Data is looked at only once a rule may want it, and only once.
        let mut content = None;
        let mut plans = Vec::new();
        for number in self.index.candidates(event) {
            let Some(rule) = self.rules.get(number) else {
                continue;
            };
            if !rule.select.takes(event) {
                continue;
            }
            let of_rule = |error: MappingError| error.in_rule(&rule.name);
            let content = match &content {
                Some(content) => content,
                None => content.insert(Content::of(event, &default.reserved()).map_err(of_rule)?),
            };
            let scope = EventScope { event, content };
            if let Some(when) = &rule.when
                && !when
                    .boolean(&scope)
                    .map_err(|error| of_rule(MappingError::new("when", error.to_string())))?
            {
                continue;
            }
            let given = Given {
                default,
                rule: &rule.name,
                scope,
                travel,
            };
            plans.push(Planned {
                rule: Some(Arc::clone(&rule.name)),
                plan: rule.action.plan(&given).map_err(of_rule)?,
                repeatable: rule.repeatable,
            });
            if self.which == Match::First {
                break;
            }
        }
        Ok(plans)
    }
}
