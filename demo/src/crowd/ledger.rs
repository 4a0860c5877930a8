//! What the crowd itself has seen: counts, times, and what is against the rules.

use std::collections::BTreeMap;
use std::time::Duration;

use super::customer::{Act, Customer, Seen};
use super::latency::Latency;
use super::receiver::{Happened, Turn};

/// What may take time, in the order in which a customer goes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Until the Broker has accepted an event: each Trigger has delivered it.
    Broker,
    /// From joining to a number in the line.
    Joining,
    /// In the line.
    Line,
    /// From asking for tickets to seats that are held.
    Holding,
    /// From the checkout to the answer about the payment.
    Paying,
    /// From the payment to the tickets.
    Emitting,
}

impl Step {
    pub(super) const ALL: [Self; 6] = [
        Self::Broker,
        Self::Joining,
        Self::Line,
        Self::Holding,
        Self::Paying,
        Self::Emitting,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Broker => "an event is accepted by the Broker and all its Triggers",
            Self::Joining => "joined, until there is a number in the line",
            Self::Line => "in the line, until the customer is let in",
            Self::Holding => "asked for tickets, until seats are held",
            Self::Paying => "checked out, until the payment is authorized",
            Self::Emitting => "paid, until the tickets are emitted",
        }
    }
}

/// The crowd's own books.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    latencies: BTreeMap<Step, Latency>,
    /// Events that were delivered to the crowd, each counted once.
    pub(super) seen: u64,
    /// The same again.
    pub(super) again: u64,
    pub(super) sent: u64,
    pub(super) attempts: u64,
    /// Why the Broker refused events for good.
    pub(super) refused: Vec<String>,
    turns: Vec<Turn>,
    over: u32,
}

/// How many refusals are told in words.
const WORDS: usize = 5;

impl Ledger {
    pub(super) fn latency(&self, step: Step) -> Option<&Latency> {
        self.latencies.get(&step)
    }

    /// How many customers have nothing more to wait for.
    pub(super) fn over(&self) -> u32 {
        self.over
    }

    pub(super) fn record(&mut self, step: Step, ms: u32) {
        self.latencies.entry(step).or_default().record(ms);
    }

    pub(super) fn accepted(&mut self, took: Duration, attempts: u32) {
        self.sent += 1;
        self.attempts += u64::from(attempts);
        self.record(
            Step::Broker,
            u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
        );
    }

    pub(super) fn refused(&mut self, reason: String) {
        if self.refused.len() < WORDS {
            self.refused.push(reason);
        }
    }

    /// How many were let in while somebody with a higher number had been before, by the times and numbers that
    /// the customers were told.
    pub(super) fn out_of_turn(&self) -> u64 {
        let mut turns: Vec<&Turn> = self.turns.iter().collect();
        turns.sort_unstable();
        let mut highest = 0;
        let out_of_turn = turns.into_iter().filter(|turn| {
            let late = turn.number < highest;
            highest = highest.max(turn.number);
            late
        });
        out_of_turn.count() as u64
    }

    /// A customer begins to do something.
    pub(super) fn begins(&mut self, customer: &mut Customer, act: Act, now_ms: u32) -> bool {
        let begins = customer.begins(act, now_ms);
        if begins && customer.is_over() {
            self.over += 1;
        }
        begins
    }

    /// A customer sees something; returns when to do what.
    pub(super) fn sees(
        &mut self,
        customer: &mut Customer,
        Happened { seen, turn, .. }: Happened,
        now_ms: u32,
    ) -> Option<(u32, Act)> {
        let (before, was_over) = (customer.clone(), customer.is_over());
        let (news, act) = customer.sees(seen, now_ms);
        if !news {
            self.again += 1;
            return None;
        }
        self.seen += 1;
        self.turns.extend(turn);
        if !was_over && customer.is_over() {
            self.over += 1;
        }
        // Where events came in another order, or the customer did something else meanwhile, nothing is
        // measured.
        let step = match seen {
            Seen::Queued if !before.has_seen(Seen::Admitted) => Some(Step::Joining),
            Seen::Admitted if before.has_seen(Seen::Queued) => Some(Step::Line),
            Seen::Held => Some(Step::Holding),
            Seen::Authorized if before.has_done(Act::CheckOut) => Some(Step::Paying),
            Seen::Emitted if before.has_seen(Seen::Authorized) => Some(Step::Emitting),
            Seen::Queued
            | Seen::Admitted
            | Seen::SoldOut
            | Seen::Authorized
            | Seen::Refused
            | Seen::Refunded
            | Seen::Cancelled
            | Seen::Emitted
            | Seen::Released
            | Seen::Removed => None,
        };
        if let Some(step) = step.filter(|_| !was_over) {
            self.record(step, now_ms.saturating_sub(before.at_ms()));
        }
        act
    }
}
