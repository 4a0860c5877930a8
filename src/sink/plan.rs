//! The events of a request -> all commands that it leads to, made and paid for before any is sent.

use cloudevents::Event;
use http::{HeaderMap, StatusCode};
use runtime::budget::Reservation;

use super::Sink;
use super::told;
use crate::config::NoRule;
use crate::decisions::Pen;
use crate::recipient::Refusal;
use crate::rules::{Planned, Travel, check_together};

/// Bytes of commands beyond those of the body that are not asked for: a small event must not wait for
/// the budget because its command is a little larger.
pub(super) const SLACK: usize = 1024;

/// The commands that one request leads to.
#[derive(Debug)]
pub(super) struct Planning {
    pub(super) plans: Vec<Planned>,
    /// For each of them, what writes down what becomes of it.
    pub(super) pens: Vec<Pen>,
}

/// Everything that one request leads to.
///
/// The body has paid for commands up to its own size; what they take beyond, because several rules act
/// or a rule puts together more than came, `reservation` grows by, command after command, before the
/// next one is made.
///
/// # Errors
/// What no command can be made of, and what is more than the limits allow.
pub(super) async fn plan(
    sink: &Sink,
    headers: &HeaderMap,
    events: &[Event],
    reservation: &mut Reservation,
) -> Result<Planning, Refusal> {
    let travel = Travel {
        traceparent: text(headers, "traceparent"),
        tracestate: text(headers, "tracestate"),
    };
    let mut commands = Commands {
        plans: Vec::with_capacity(events.len()),
        pens: Vec::with_capacity(events.len()),
        bytes: 0,
        most: sink.max_commands,
        reservation,
    };
    if let Err(refusal) = commands.of_all(sink, events, &travel).await {
        // None of them leads to anything, whichever is at fault.
        for event in events {
            told::refused(&told::about(sink, event, &travel), refusal.status);
        }
        return Err(refusal);
    }
    Ok(Planning {
        plans: commands.plans,
        pens: commands.pens,
    })
}

struct Commands<'r> {
    plans: Vec<Planned>,
    pens: Vec<Pen>,
    bytes: usize,
    most: usize,
    reservation: &'r mut Reservation,
}

impl Commands<'_> {
    async fn of_all(
        &mut self,
        sink: &Sink,
        events: &[Event],
        travel: &Travel<'_>,
    ) -> Result<(), Refusal> {
        for event in events {
            self.of(sink, event, travel).await?;
        }
        check_together(&self.plans).map_err(|error| unprocessable(error.to_string()))
    }

    async fn of(&mut self, sink: &Sink, event: &Event, travel: &Travel<'_>) -> Result<(), Refusal> {
        let before = self.plans.len();
        let pen = told::about(sink, event, travel);
        for planned in sink.rules.plans(event, travel) {
            let planned = planned.map_err(|error| unprocessable(error.to_string()))?;
            if self.plans.len() == self.most {
                return Err(unprocessable(format!(
                    "the request leads to more than {} commands, the limit that \
                     BRIDGE_MAX_COMMANDS_PER_REQUEST sets; send fewer events at once, or let fewer rules act",
                    self.most
                )));
            }
            self.bytes += planned.bytes;
            self.plans.push(planned);
            self.pens.push(pen.clone());
            self.pay().await?;
        }
        if self.plans.len() > before {
            return Ok(());
        }
        sink.metrics.unmatched();
        sink.unmatched.tell(event);
        match sink.no_rule {
            NoRule::Accept => {
                pen.decided(|decision| {
                    decision.outcome = told::UNMATCHED;
                    decision.status = Some(StatusCode::ACCEPTED.as_u16());
                });
                Ok(())
            }
            NoRule::Refuse => Err(unprocessable(String::from(
                "no rule selects this event; add one to the rules file",
            ))),
        }
    }

    /// Takes from the budget what the commands have grown beyond.
    async fn pay(&mut self) -> Result<(), Refusal> {
        let held = self.reservation.bytes();
        let more = self.bytes.saturating_sub(held + SLACK);
        if more == 0 {
            return Ok(());
        }
        let capacity = self.reservation.capacity();
        if held + more > capacity {
            return Err(Refusal {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                reason: format!(
                    "the commands that the request leads to take more than the {capacity} bytes that \
                     BRIDGE_BODY_BUDGET_BYTES allows for all requests; send less data, or let rules \
                     pick the variables they need"
                ),
            });
        }
        self.reservation.grow(more).await.map_err(|error| Refusal {
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: error.to_string(),
        })
    }
}

fn unprocessable(reason: String) -> Refusal {
    Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        reason,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
