//! A level of the sale on the shared broker, with its rules, a bridge, and a destination in place of the Broker.

use serde_json::Value;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::rules_file::RulesFile;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::customer::Customer;
use crate::bridge::both_roles;
use crate::rules::rules;

/// Where customers buy tickets.
pub(super) struct Shop {
    pub(super) scenario: Scenario<'static>,
    pub(super) bridge: Bridge,
    pub(super) broker: Destination,
    _rules: RulesFile,
}

impl Shop {
    /// Opens one for a model of `bpmn/tickets`. What has no duration here takes for ever.
    pub(super) async fn open(name: &'static str, level: &str, durations: &[(&str, &str)]) -> Self {
        Self::open_with(name, level, durations, &[]).await
    }

    /// As [`Shop::open`], with further settings of the bridge.
    pub(super) async fn open_with(
        name: &'static str,
        level: &str,
        durations: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> Self {
        let scenario = Scenario::new(Zeebe::shared().await, name);
        scenario.deploy(&format!("bpmn/tickets/{level}.bpmn")).await;
        let rules = RulesFile::new(&rules(&scenario, durations));
        let broker = Destination::accepting().await;
        let mut settings = vec![("RULES", rules.path()), ("BRIDGE_RETRY_BACKOFF_MS", "50")];
        settings.extend_from_slice(more);
        let bridge = both_roles(scenario.zeebe(), &scenario, &broker, &settings).await;
        Self {
            scenario,
            bridge,
            broker,
            _rules: rules,
        }
    }

    /// A customer who has done nothing yet.
    pub(super) fn customer(&self, name: &str) -> Customer<'_> {
        Customer::new(self, name)
    }

    /// Has the destination refuse events of this type for good, until it is told to accept them.
    pub(super) fn refuses(&self, ty: &'static str) {
        self.broker
            .answer(move |received| Answer::Status(if received.ty() == ty { 400 } else { 202 }));
    }

    /// Has the destination accept everything again.
    pub(super) fn accepts(&self) {
        self.broker.answer(|_| Answer::Status(202));
    }

    /// The events that the process emitted about a session, in the order in which they came.
    pub(super) fn emitted(&self, session: &str) -> Vec<Received> {
        let mut received = self.broker.received();
        received.retain(|event| event.header("ce-subject") == Some(session));
        received
    }

    /// Waits until the process has emitted so many events of this type about a session.
    pub(super) async fn emits(&self, session: &str, ty: &str, count: usize) -> Vec<Received> {
        self.broker
            .wait_for(&format!("{count} {ty} of {session}"), |all| {
                let of: Vec<Received> = all
                    .iter()
                    .filter(|event| event.ty() == ty)
                    .filter(|event| event.header("ce-subject") == Some(session))
                    .cloned()
                    .collect();
                (of.len() >= count).then_some(of)
            })
            .await
    }

    /// Waits until the one instance of a session is as wanted.
    pub(super) async fn sale(
        &self,
        session: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let of_session = |all: &[Value]| -> Vec<Value> {
            all.iter()
                .filter(|sale| sale["variables"]["session"] == session)
                .cloned()
                .collect()
        };
        let all = self
            .scenario
            .instances_when("ticket-sale", &format!("{session}: {what}"), |all| {
                let of = of_session(all);
                assert!(of.len() <= 1, "two sales of {session}: {of:#?}");
                of.first().is_some_and(&wanted)
            })
            .await;
        of_session(&all).remove(0)
    }
}
