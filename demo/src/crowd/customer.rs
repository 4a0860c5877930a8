//! One of many customers: what kind, how far, and what comes next. A few bytes each.
//!
//! | of 100 | are | and |
//! |---|---|---|
//! | 79 | buyers | pay with a card that is valid |
//! | 5 | refused | pay with a card that is refused |
//! | 3 | slow cards | pay with a card that is slow |
//! | 5 | impatient | leave within ten times what others take to decide, wherever they are then, and never ask |
//! | 3 | dawdlers | are let in, and never ask |
//! | 3 | forgetful | have seats held, and never check out |
//! | 2 | fickle | have seats held, and leave |
//!
//! One of ten takes ten times as long as the others to decide.

use fastrand::Rng;

use super::arrivals::to_ms;
use crate::sale::Card;

/// What a customer will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Buyer,
    Refused,
    SlowCard,
    Impatient,
    Dawdler,
    Forgetful,
    Fickle,
}

const SHARES: [(Kind, u32); 7] = [
    (Kind::Buyer, 79),
    (Kind::Refused, 5),
    (Kind::SlowCard, 3),
    (Kind::Impatient, 5),
    (Kind::Dawdler, 3),
    (Kind::Forgetful, 3),
    (Kind::Fickle, 2),
];
/// One of so many is slow to decide, by this factor.
const SLOW_ONE_OF: u32 = 10;
const SLOW_FACTOR: f64 = 10.0;
/// The impatient leave within so many times what others take to decide; nobody takes longer, as that is what
/// dawdlers are for.
const LONGEST_FACTOR: u32 = 10;
/// The most tickets that one asks for; the least is one.
const MOST_TICKETS: u32 = 4;

/// What a customer does, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Join,
    Request,
    CheckOut,
    Leave,
}

/// What can be seen of a customer's sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Queued,
    Admitted,
    Held,
    SoldOut,
    Authorized,
    Refused,
    Refunded,
    Cancelled,
    Emitted,
    Released,
    Removed,
}

/// A customer.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    kind: Kind,
    tickets: u8,
    /// Which of [`Seen`], and which of [`Act`] above them.
    known: u16,
    /// When the last of them was.
    at_ms: u32,
    /// How long it takes to decide.
    thinks_ms: u32,
}

/// Where the bits of acts begin.
const ACTS: u32 = 11;

impl Customer {
    pub(super) fn draw(think_ms: u32, random: &mut Rng) -> Self {
        let mut drawn = random.u32(..100);
        let kind = SHARES.into_iter().find(|(_, share)| {
            let found = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            found
        });
        let factor = if random.u32(..SLOW_ONE_OF) == 0 {
            SLOW_FACTOR
        } else {
            1.0
        };
        let longest = think_ms.saturating_mul(LONGEST_FACTOR).max(1);
        let thinks = -f64::from(think_ms) * factor * (1.0 - random.f64()).ln();
        Self {
            kind: kind.map_or(Kind::Buyer, |(kind, _)| kind),
            tickets: u8::try_from(random.u32(1..=MOST_TICKETS)).unwrap_or(1),
            known: 0,
            at_ms: 0,
            thinks_ms: match kind {
                Some((Kind::Impatient, _)) => random.u32(..longest),
                _ => to_ms(thinks).min(longest),
            },
        }
    }

    pub(super) fn tickets(&self) -> u32 {
        u32::from(self.tickets)
    }

    pub(super) fn card(&self) -> Card {
        match self.kind {
            Kind::Refused => Card::Refused,
            Kind::SlowCard => Card::Slow,
            Kind::Buyer | Kind::Impatient | Kind::Dawdler | Kind::Forgetful | Kind::Fickle => {
                Card::Valid
            }
        }
    }

    pub(super) fn has_seen(&self, seen: Seen) -> bool {
        self.known & (1 << seen as u32) != 0
    }

    pub(super) fn has_done(&self, act: Act) -> bool {
        self.known & (1 << (ACTS + act as u32)) != 0
    }

    /// When the last thing happened.
    pub(super) fn at_ms(&self) -> u32 {
        self.at_ms
    }

    /// Whether there is nothing more that the customer would do or wait for.
    pub(super) fn is_over(&self) -> bool {
        self.has_done(Act::Leave)
            || [Seen::Emitted, Seen::Released, Seen::SoldOut, Seen::Removed]
                .into_iter()
                .any(|end| self.has_seen(end))
    }

    /// Whether money was taken and not given back.
    pub(super) fn is_charged(&self) -> bool {
        self.has_seen(Seen::Authorized) && !self.has_seen(Seen::Refunded)
    }

    /// Whether this is still what the customer wants to do; then it counts as done.
    pub(super) fn begins(&mut self, act: Act, now_ms: u32) -> bool {
        if self.is_over() || self.has_done(act) {
            return false;
        }
        self.known |= 1 << (ACTS + act as u32);
        self.at_ms = now_ms;
        true
    }

    /// Something was seen; `false` where it was before. Returns when to do what, if anything follows.
    pub(super) fn sees(&mut self, seen: Seen, now_ms: u32) -> (bool, Option<(u32, Act)>) {
        if self.has_seen(seen) {
            return (false, None);
        }
        self.known |= 1 << seen as u32;
        self.at_ms = now_ms;
        let act = match (seen, self.kind) {
            (_, Kind::Impatient) | (Seen::Admitted, Kind::Dawdler) => None,
            (Seen::Admitted, _) => Some(Act::Request),
            (Seen::Held, Kind::Forgetful | Kind::Dawdler) => None,
            (Seen::Held, Kind::Fickle) => Some(Act::Leave),
            (Seen::Held, Kind::Buyer | Kind::Refused | Kind::SlowCard) => Some(Act::CheckOut),
            (
                Seen::Queued
                | Seen::SoldOut
                | Seen::Authorized
                | Seen::Refused
                | Seen::Refunded
                | Seen::Cancelled
                | Seen::Emitted
                | Seen::Released
                | Seen::Removed,
                _,
            ) => None,
        };
        (
            true,
            act.map(|act| (now_ms.saturating_add(self.thinks_ms), act)),
        )
    }

    /// What follows once the customer has joined.
    pub(super) fn after_joining(&self, now_ms: u32) -> Option<(u32, Act)> {
        let leaves = self.kind == Kind::Impatient;
        leaves.then(|| (now_ms.saturating_add(self.thinks_ms), Act::Leave))
    }
}
