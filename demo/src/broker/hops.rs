//! How often an event may go through the Broker as somebody's reply, so that loops end.
//!
//! Between Brokers the count travels in an extension; subscribers never see it.

use cloudevents_http::{Event, attribute};
use eventing::extension::BROKER_TTL;

/// What an event gets that brings no count of its own.
const FIRST: i32 = 255;

/// How often an event may still enter a Broker, this time included: one or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hops(i32);

impl Hops {
    /// Takes the count off an event that arrives from outside. What is no number counts as none.
    pub(super) fn take(event: &mut Event) -> Result<Self, NoneLeft> {
        let brought = attribute(event, BROKER_TTL).and_then(|value| value.parse::<i32>().ok());
        event.remove_extension(BROKER_TTL);
        match brought {
            None => Ok(Self(FIRST)),
            Some(count) => Self(count).next(),
        }
    }

    /// The count of the event that a subscriber answers with, in place of what the answer says.
    pub(super) fn of_reply(self, reply: &mut Event) -> Result<Self, NoneLeft> {
        reply.remove_extension(BROKER_TTL);
        self.next()
    }

    /// Dead letters carry the count on, as a cluster's do: a replay goes on counting.
    pub(super) fn put(self, event: &mut Event) {
        event.set_extension(BROKER_TTL, i64::from(self.0));
    }

    fn next(self) -> Result<Self, NoneLeft> {
        if self.0 > 1 {
            Ok(Self(self.0 - 1))
        } else {
            Err(NoneLeft)
        }
    }
}

/// An event has gone through the Broker too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event has no hops left (`knativebrokerttl`): replies go round in a circle")]
pub(super) struct NoneLeft;
