//! How far a customer has come: what is known of a session, and what each happening adds.
//!
//! Events come in any order and any number of times. So nothing here depends on when something came: a
//! session has reached the furthest step that anything which happened to it leads to, and its outcome is the
//! weightiest of its ends. [`Happening::leads_to`] and [`Happening::ends`] are the whole table:
//!
//! | happening | at least this step | outcome |
//! |---|---|---|
//! | joined | joining | |
//! | queued | waiting | |
//! | admitted | shopping | |
//! | requested | requested | |
//! | held | held | |
//! | checked out; authorized, payment refused | paying | |
//! | released | ended | released |
//! | sold out | ended | sold-out |
//! | left | ended | left |
//! | removed | ended | removed |
//! | emitted | emitted | emitted |
//! | notified | | |
//!
//! Steps are in the order of the table, and outcomes too: who has the tickets has them, whatever else was said.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sale::{self, Held};

/// How many notifications a customer is shown.
const NOTIFICATIONS: usize = 20;
/// The longest text of others that is kept, in characters.
const TEXT_CHARACTERS: usize = 500;

/// How far a session has come.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    #[default]
    Visiting,
    Joining,
    Waiting,
    Shopping,
    Requested,
    Held,
    Paying,
    Ended,
    Emitted,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Released,
    SoldOut,
    Left,
    Removed,
    Emitted,
}

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Happening {
    Joined {
        customer: String,
    },
    Queued {
        number: u64,
    },
    Admitted {
        number: u64,
    },
    Requested {
        reservation: String,
        tickets: u32,
    },
    Held(Held),
    CheckedOut {
        reservation: String,
    },
    Authorized {
        reservation: String,
    },
    PaymentRefused {
        reservation: String,
        reason: String,
    },
    Released {
        reservation: String,
    },
    SoldOut {
        reservation: String,
    },
    Left,
    Removed {
        reason: String,
    },
    Emitted {
        reservation: String,
        seats: Vec<String>,
        amount: u64,
    },
    Notified(Notice),
}

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) time: String,
    pub(super) kind: String,
    pub(super) text: String,
}

/// What is known of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Story {
    pub(super) step: Step,
    customer: Option<String>,
    number: Option<u64>,
    pub(super) reservation: Option<String>,
    tickets: Option<u32>,
    seats: Option<Vec<String>>,
    amount: Option<u64>,
    outcome: Option<Outcome>,
    /// What became of the reservation is known, for good.
    #[serde(default)]
    settled: bool,
    removed: Option<String>,
    refused: Option<String>,
    notices: Vec<Notice>,
}

impl Happening {
    /// The step that a session has reached at least.
    fn leads_to(&self) -> Step {
        match self {
            Self::Notified(_) => Step::Visiting,
            Self::Joined { .. } => Step::Joining,
            Self::Queued { .. } => Step::Waiting,
            Self::Admitted { .. } => Step::Shopping,
            Self::Requested { .. } => Step::Requested,
            Self::Held(_) => Step::Held,
            Self::CheckedOut { .. } | Self::Authorized { .. } | Self::PaymentRefused { .. } => {
                Step::Paying
            }
            Self::Released { .. } | Self::SoldOut { .. } | Self::Left | Self::Removed { .. } => {
                Step::Ended
            }
            Self::Emitted { .. } => Step::Emitted,
        }
    }

    /// How it ends a session, if it does.
    fn ends(&self) -> Option<Outcome> {
        match self {
            Self::Released { .. } => Some(Outcome::Released),
            Self::SoldOut { .. } => Some(Outcome::SoldOut),
            Self::Left => Some(Outcome::Left),
            Self::Removed { .. } => Some(Outcome::Removed),
            Self::Emitted { .. } => Some(Outcome::Emitted),
            Self::Notified(_)
            | Self::Joined { .. }
            | Self::Queued { .. }
            | Self::Admitted { .. }
            | Self::Requested { .. }
            | Self::Held(_)
            | Self::CheckedOut { .. }
            | Self::Authorized { .. }
            | Self::PaymentRefused { .. } => None,
        }
    }

    /// Whether what becomes of a reservation is certain after it.
    fn settles(&self) -> bool {
        matches!(
            self,
            Self::Released { .. } | Self::SoldOut { .. } | Self::Emitted { .. }
        )
    }

    /// The reservation that it is about, if it is about one.
    fn reservation(&self) -> Option<&str> {
        match self {
            Self::Requested { reservation, .. }
            | Self::CheckedOut { reservation }
            | Self::Authorized { reservation }
            | Self::PaymentRefused { reservation, .. }
            | Self::Released { reservation }
            | Self::SoldOut { reservation }
            | Self::Emitted { reservation, .. } => Some(reservation),
            Self::Held(held) => Some(&held.reservation_id),
            Self::Notified(_)
            | Self::Joined { .. }
            | Self::Queued { .. }
            | Self::Admitted { .. }
            | Self::Left
            | Self::Removed { .. } => None,
        }
    }
}

impl Story {
    /// The customer asks for tickets: the reservation is this session's from now on.
    pub(super) fn request(&mut self, reservation: &str, tickets: u32) {
        self.reservation = Some(reservation.to_owned());
        self.learn(Happening::Requested {
            reservation: reservation.to_owned(),
            tickets,
        });
    }

    /// Adds what happened. What is about another reservation than the session's is not its business.
    pub(super) fn learn(&mut self, happening: Happening) {
        if happening
            .reservation()
            .is_some_and(|it| self.reservation.as_deref() != Some(it))
        {
            return;
        }
        self.step = self.step.max(happening.leads_to());
        self.outcome = self.outcome.max(happening.ends());
        self.settled |= happening.settles();
        match happening {
            Happening::Joined { customer } => self.customer = Some(customer),
            Happening::Queued { number } | Happening::Admitted { number } => {
                self.number = Some(number);
            }
            Happening::Requested { tickets, .. } => self.tickets = Some(tickets),
            Happening::Held(Held { seats, amount, .. })
            | Happening::Emitted { seats, amount, .. } => {
                self.seats = Some(seats);
                self.amount = Some(amount);
            }
            Happening::PaymentRefused { reason, .. } => self.refused = Some(short(reason)),
            Happening::Removed { reason } => self.removed = Some(short(reason)),
            Happening::Notified(notice) => self.tell(notice),
            Happening::CheckedOut { .. }
            | Happening::Authorized { .. }
            | Happening::Released { .. }
            | Happening::SoldOut { .. }
            | Happening::Left => {}
        }
    }

    /// Keeps the latest notices, in the order of their times.
    fn tell(&mut self, notice: Notice) {
        let notice = Notice {
            time: notice.time,
            kind: short(notice.kind),
            text: short(notice.text),
        };
        let at = self.notices.partition_point(|other| *other < notice);
        self.notices.insert(at, notice);
        let surplus = self.notices.len().saturating_sub(NOTIFICATIONS);
        self.notices.drain(..surplus);
    }

    /// The name that the customer gave.
    pub(super) fn customer(&self) -> &str {
        self.customer.as_deref().unwrap_or_default()
    }

    /// Whether the sale is over for it.
    pub(super) fn is_over(&self) -> bool {
        self.step >= Step::Ended
    }

    /// Whether nothing can come of it any more: nothing was asked for, or it is known what became of that. Who
    /// left while paying may have the tickets yet.
    pub(super) fn is_settled(&self) -> bool {
        self.reservation.is_none() || self.settled
    }

    /// As the browser is told it; all up to number `admitted` were let in or passed over.
    pub(super) fn state(&self, session: &str, admitted: u64) -> Value {
        let ahead = (self.step == Step::Waiting)
            .then(|| Some(self.number?.saturating_sub(1).saturating_sub(admitted)));
        let reason = match self.outcome {
            Some(Outcome::Removed) => self.removed.as_deref(),
            Some(Outcome::Released) | None => self.refused.as_deref(),
            Some(Outcome::SoldOut | Outcome::Left | Outcome::Emitted) => None,
        };
        json!({
            "session": session,
            "customer": self.customer,
            "step": self.step,
            "number": self.number,
            "ahead": ahead.flatten(),
            "reservationId": self.reservation,
            "tickets": self.tickets,
            "seats": self.seats,
            "amount": self.amount,
            "currency": sale::CURRENCY,
            "outcome": self.outcome,
            "settled": self.is_settled(),
            "reason": reason,
            "notifications": self.notices,
        })
    }
}

fn short(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARACTERS) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests;
