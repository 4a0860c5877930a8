//! One rule, and the set of them.

use std::cell::OnceCell;
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
    pub(super) fn plans<'a>(
        &'a self,
        event: &'a Event,
        travel: &'a Travel<'a>,
        default: &'a DefaultRule,
    ) -> Plans<'a> {
        Plans {
            set: self,
            candidates: self.index.candidates(event).into_iter(),
            event,
            travel,
            default,
            content: None,
            whole: OnceCell::new(),
        }
    }
}

/// The plans of one event, each made when it is asked for.
#[derive(Debug)]
pub(super) struct Plans<'a> {
    set: &'a RuleSet,
    candidates: std::vec::IntoIter<usize>,
    event: &'a Event,
    travel: &'a Travel<'a>,
    default: &'a DefaultRule,
    /// Data is looked at only once a rule may want it, and only once.
    content: Option<Content<'a>>,
    whole: OnceCell<Arc<String>>,
}

impl Iterator for Plans<'_> {
    type Item = Result<Planned, MappingError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rule = self.set.rules.get(self.candidates.next()?)?;
            match self.of(rule) {
                Ok(None) => {}
                Ok(Some(planned)) => {
                    if self.set.which == Match::First {
                        self.candidates = Vec::new().into_iter();
                    }
                    return Some(Ok(planned));
                }
                Err(error) => return Some(Err(error.in_rule(&rule.name))),
            }
        }
    }
}

impl Plans<'_> {
    /// What one rule makes of the event; `None` where it does not take it.
    fn of(&mut self, rule: &Rule) -> Result<Option<Planned>, MappingError> {
        if !rule.select.takes(self.event) {
            return Ok(None);
        }
        let content = match &self.content {
            Some(content) => content,
            None => self
                .content
                .insert(Content::of(self.event, &self.default.reserved())?),
        };
        let scope = EventScope {
            event: self.event,
            content,
        };
        if let Some(when) = &rule.when
            && !when
                .boolean(&scope)
                .map_err(|error| MappingError::new("when", error.to_string()))?
        {
            return Ok(None);
        }
        let shared = self.whole.get().cloned();
        let plan = rule.action.plan(&Given {
            default: self.default,
            rule: &rule.name,
            scope,
            travel: self.travel,
            whole: &self.whole,
        })?;
        let paid = shared
            .filter(|shared| {
                plan.variables()
                    .is_some_and(|brought| Arc::ptr_eq(brought, shared))
            })
            .map_or(0, |shared| shared.len());
        Ok(Some(Planned {
            rule: Some(Arc::clone(&rule.name)),
            bytes: plan.bytes() - paid,
            plan,
            repeatable: rule.repeatable,
        }))
    }
}
