//! What a customer can do, and when.
//!
//! | | where the step is | then |
//! |---|---|---|
//! | join | visiting | joining; `Tickets.CustomerQueueJoined` |
//! | | any other | nothing |
//! | request | shopping | requested; `Tickets.Requested` |
//! | checkout | held | paying; `Tickets.CheckedOut` |
//! | leave | from joining to paying | ended; `Tickets.CustomerQueueLeft` |
//! | | any other | nothing |
//! | again | ended, emitted | visiting, in a new session; refused while it is open what becomes of the reservation |
//! | | visiting | nothing |
//!
//! At all other steps it is refused (409), and nothing is changed.
//!
//! Who left while paying may have tickets yet, and a new session would hide them. So `again` waits for what becomes of the
//! reservation, until nothing was heard of the session for [`Bounds::unsettled`]: where an answer is lost for good, the
//! browser is not kept out of the shop for good.

use serde::{Deserialize, Deserializer, de};

use super::keep::{self, Bounds, Session};
use super::story::{Happening, Step};
use crate::sale::{self, Card, CheckedOut, Joined, MAX_TICKETS, OfSession, Requested};
use crate::store::{Fault, Transaction};

/// The longest name, in characters.
const NAME_CHARACTERS: usize = 80;

const OVER: &str = "this sale is over for you";
const UNSETTLED: &str =
    "it is not certain yet what becomes of the seats that you asked for: come back in a moment";

/// Something that a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Join(Join),
    Request {
        asked: Request,
        /// What the reservation will go by.
        reservation: String,
    },
    Checkout(Checkout),
    Leave,
    Again,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Join {
    #[serde(deserialize_with = "name")]
    customer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Request {
    #[serde(deserialize_with = "tickets")]
    tickets: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Checkout {
    card: Card,
}

/// Why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not at this step; why, to the customer.
    NotNow(&'static str),
    /// There are as many sessions as can be kept.
    Full,
}

impl Act {
    /// Does it, and says what became of the session.
    pub(super) fn apply(
        self,
        session: Session,
        salt: &str,
        bounds: &Bounds,
        transaction: &mut Transaction<'_>,
    ) -> Result<Result<Session, Refusal>, Fault> {
        let step = session.story.step;
        match (self, step) {
            (Self::Join(join), Step::Visiting) => {
                joined(session, join.customer, bounds, transaction)
            }
            (Self::Request { asked, reservation }, Step::Shopping) => {
                requested(session, asked.tickets, reservation, transaction)
            }
            (Self::Checkout(checkout), Step::Held) => {
                checked_out(session, checkout.card, transaction)
            }
            (
                Self::Leave,
                Step::Joining
                | Step::Waiting
                | Step::Shopping
                | Step::Requested
                | Step::Held
                | Step::Paying,
            ) => left(session, transaction),
            (Self::Again, Step::Ended)
                if !session.story.is_settled() && is_expected(&session, bounds, transaction) =>
            {
                Ok(Err(Refusal::NotNow(UNSETTLED)))
            }
            (Self::Again, Step::Ended | Step::Emitted) => {
                if !keep::has_room(transaction, bounds)? {
                    return Ok(Err(Refusal::Full));
                }
                let next = Session::new(session.customer, session.sale + 1, salt);
                keep::save(transaction, &next)?;
                Ok(Ok(next))
            }
            (Self::Join(_), _)
            | (Self::Leave, Step::Visiting | Step::Ended | Step::Emitted)
            | (Self::Again, Step::Visiting) => Ok(Ok(session)),
            (Self::Request { .. }, _) => Ok(Err(Refusal::NotNow(if step < Step::Shopping {
                "you are not in the shop yet"
            } else if session.story.is_over() {
                OVER
            } else {
                "you have asked for tickets already"
            }))),
            (Self::Checkout(_), _) => Ok(Err(Refusal::NotNow(if step < Step::Held {
                "nothing is held for you"
            } else if session.story.is_over() {
                OVER
            } else {
                "you are paying already"
            }))),
            (Self::Again, _) => Ok(Err(Refusal::NotNow("this sale is not over for you"))),
        }
    }
}

/// Whether something may still be heard of a session.
fn is_expected(session: &Session, bounds: &Bounds, transaction: &Transaction<'_>) -> bool {
    let silent = transaction.now_ms().saturating_sub(session.touched);
    silent < i64::try_from(bounds.unsettled.as_millis()).unwrap_or(i64::MAX)
}

type Done = Result<Result<Session, Refusal>, Fault>;

fn joined(
    mut session: Session,
    customer: String,
    bounds: &Bounds,
    transaction: &mut Transaction<'_>,
) -> Done {
    if !keep::has_room(transaction, bounds)? {
        return Ok(Err(Refusal::Full));
    }
    let joined = Joined {
        session: session.id.clone(),
        customer: customer.clone(),
    };
    session.story.learn(Happening::Joined { customer });
    keep::save(transaction, &session)?;
    transaction.emit(sale::CUSTOMER_QUEUE_JOINED, &session.id, &joined)?;
    Ok(Ok(session))
}

fn requested(
    mut session: Session,
    tickets: u32,
    reservation: String,
    transaction: &mut Transaction<'_>,
) -> Done {
    session.story.request(&reservation, tickets);
    keep::save(transaction, &session)?;
    let requested = Requested {
        session: session.id.clone(),
        reservation_id: reservation,
        customer: session.story.customer().to_owned(),
        tickets,
    };
    transaction.emit(sale::REQUESTED, &session.id, &requested)?;
    Ok(Ok(session))
}

fn checked_out(mut session: Session, card: Card, transaction: &mut Transaction<'_>) -> Done {
    // Who is at this step has one.
    let reservation = session.story.reservation.clone().unwrap_or_default();
    session.story.learn(Happening::CheckedOut {
        reservation: reservation.clone(),
    });
    keep::save(transaction, &session)?;
    let checked_out = CheckedOut {
        session: session.id.clone(),
        reservation_id: reservation,
        card,
    };
    transaction.emit(sale::CHECKED_OUT, &session.id, &checked_out)?;
    Ok(Ok(session))
}

fn left(mut session: Session, transaction: &mut Transaction<'_>) -> Done {
    session.story.learn(Happening::Left);
    keep::save(transaction, &session)?;
    let left = OfSession {
        session: session.id.clone(),
    };
    transaction.emit(sale::CUSTOMER_QUEUE_LEFT, &session.id, &left)?;
    Ok(Ok(session))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let name = name.trim();
    let visible = !name.chars().any(char::is_control);
    if visible && (1..=NAME_CHARACTERS).contains(&name.chars().count()) {
        Ok(name.to_owned())
    } else {
        Err(de::Error::custom(format!(
            "must be 1 to {NAME_CHARACTERS} visible characters"
        )))
    }
}

fn tickets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let tickets = u32::deserialize(deserializer)?;
    if (1..=MAX_TICKETS).contains(&tickets) {
        Ok(tickets)
    } else {
        Err(de::Error::custom(format!("must be 1 to {MAX_TICKETS}")))
    }
}
