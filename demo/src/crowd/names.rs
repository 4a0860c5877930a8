//! What the customers of a crowd go by, and the events that they send: the same for the same act, so that one
//! that is sent again is known again.

use cloudevents_http::{Message, into_binary, new_event, set_attribute, set_data};
use serde::Serialize;

use super::customer::{Act, Customer};
use crate::sale::{self, CheckedOut, Joined, OfSession, Requested};

/// A crowd's name: what it calls its customers begins with it.
#[derive(Debug, Clone)]
pub(super) struct Names(String);

impl Names {
    /// Of the crowd that is drawn from this seed.
    pub(super) fn of(seed: u64) -> Self {
        Self(format!("crowd-{seed:x}-"))
    }

    fn session(&self, number: u32) -> String {
        format!("{}{number}", self.0)
    }

    /// Which customer this session is; `None` where it is nobody of this crowd.
    pub(super) fn number(&self, session: &str) -> Option<u32> {
        session.strip_prefix(&self.0)?.parse().ok()
    }

    /// The request that an act is.
    ///
    /// # Errors
    /// The text would make no event, which a customer's name always does.
    pub(super) fn message(
        &self,
        number: u32,
        customer: &Customer,
        act: Act,
    ) -> Result<Message, String> {
        let session = self.session(number);
        let reservation_id = format!("r-{session}");
        let name = format!("Customer {number}");
        match act {
            Act::Join => message(
                sale::CUSTOMER_QUEUE_JOINED,
                "joined",
                &session,
                &Joined {
                    session: session.clone(),
                    customer: name,
                },
            ),
            Act::Request => message(
                sale::REQUESTED,
                "requested",
                &session,
                &Requested {
                    session: session.clone(),
                    reservation_id,
                    customer: name,
                    tickets: customer.tickets(),
                },
            ),
            Act::CheckOut => message(
                sale::CHECKED_OUT,
                "checked-out",
                &session,
                &CheckedOut {
                    session: session.clone(),
                    reservation_id,
                    card: customer.card(),
                },
            ),
            Act::Leave => message(
                sale::CUSTOMER_QUEUE_LEFT,
                "left",
                &session,
                &OfSession {
                    session: session.clone(),
                },
            ),
        }
    }
}

fn message(ty: &str, verb: &str, session: &str, data: &impl Serialize) -> Result<Message, String> {
    let text = serde_json::to_string(data).map_err(|error| error.to_string())?;
    let id = format!("{session}-{verb}");
    let event = || {
        let mut event = new_event(&id, "/sale/website", ty)?;
        set_attribute(&mut event, "subject", session)?;
        set_data(&mut event, Some("application/json"), text)?;
        into_binary(event)
    };
    event().map_err(|error| error.to_string())
}
