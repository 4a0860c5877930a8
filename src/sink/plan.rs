//! The events of a request -> all commands that it leads to, made and paid for before any is sent.

use std::sync::Arc;

use cloudevents::Event;
use http::{HeaderMap, StatusCode};
use runtime::budget::Reservation;
use runtime::telemetry::traces::Span;

use super::Sink;
use super::acknowledge::Acknowledgement;
use super::told::{self, At, Told};
use super::trace;
use crate::config::NoRule;
use crate::decisions::Pen;
use crate::recipient::Refusal;
use crate::rules::{MappingError, Planned, Travel, check_together};

/// Bytes of commands beyond those of the body that are not asked for: a small event must not wait for
/// the budget because its command is a little larger.
pub(super) const SLACK: usize = 1024;

/// The commands that one request leads to.
#[derive(Debug, Default)]
pub(super) struct Planning {
    pub(super) plans: Vec<Planned>,
    /// For each of them what is told of it.
    pub(super) steps: Vec<Step>,
}

/// What is told of a command: in a span, and to whoever asks.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The span of its event.
    pub(super) span: Span,
    /// Writes down what becomes of it.
    pub(super) pen: Pen,
    /// The event's place in the request.
    event: usize,
}

impl Step {
    /// What to say is at fault where this command is.
    pub(super) fn at(&self, planned: &Planned) -> At {
        At {
            event: self.event,
            rule: planned.rule.clone(),
        }
    }
}

/// A request that no command is given for.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// What was at fault, where that is known.
    pub(super) at: Option<At>,
    /// What became of the event at fault, in one word.
    outcome: &'static str,
}

impl Refused {
    fn new(refusal: Refusal, at: Option<At>) -> Self {
        Self {
            refusal,
            at,
            outcome: told::REFUSED,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal, None)
    }
}

/// Everything that the events of one request lead to.
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
    told: &[Told],
    reservation: &mut Reservation,
) -> Result<Planning, Refused> {
    let mut commands = Commands {
        planning: Planning::default(),
        bytes: 0,
        most: sink.max_commands,
        reservation,
    };
    let planned = commands.of_all(sink, headers, events, told).await;
    planned.inspect_err(|refused| {
        // None of them leads to anything, whichever is at fault.
        for (place, event) in told.iter().enumerate() {
            let at = refused.at.as_ref().filter(|at| at.event == place);
            let outcome = at.map_or(told::REFUSED, |_| refused.outcome);
            let rule = at.and_then(|at| at.rule.as_ref());
            told::without_command(&event.pen, outcome, refused.refusal.status, rule);
        }
    })?;
    Ok(commands.planning)
}

struct Commands<'r> {
    planning: Planning,
    bytes: usize,
    most: usize,
    reservation: &'r mut Reservation,
}

impl Commands<'_> {
    async fn of_all(
        &mut self,
        sink: &Sink,
        headers: &HeaderMap,
        events: &[Event],
        told: &[Told],
    ) -> Result<(), Refused> {
        for (place, (event, told)) in events.iter().zip(told).enumerate() {
            let selecting = trace::select(&told.span);
            let selected = self
                .of(sink, event, &told.travel(headers), told, place)
                .await;
            trace::selected(&selecting, &self.planning.plans, &selected);
            selected?;
        }
        let Planning { plans, steps } = &self.planning;
        check_together(plans).map_err(|error| {
            let mut each = plans.iter().zip(steps);
            let alone = each.find(|(planned, _)| !planned.repeatable);
            let at = alone.map(|(planned, step)| step.at(planned));
            by_rule(sink, &error, at)
        })
    }

    /// How many one event leads to.
    async fn of(
        &mut self,
        sink: &Sink,
        event: &Event,
        travel: &Travel<'_>,
        told: &Told,
        place: usize,
    ) -> Result<usize, Refused> {
        let before = self.planning.plans.len();
        let step = Step {
            span: told.span.clone(),
            pen: told.pen.clone(),
            event: place,
        };
        let at = |rule: Option<Arc<str>>| Some(At { event: place, rule });
        for planned in sink.rules.plans(event, travel) {
            let planned = planned.map_err(|error| by_rule(sink, &error, at(error.rule.clone())))?;
            let rule = planned.rule.clone();
            if self.planning.plans.len() == self.most {
                let refusal = unprocessable(format!(
                    "the request leads to more than {} commands, the limit that \
                     BRIDGE_MAX_COMMANDS_PER_REQUEST sets; send fewer events at once, or let fewer rules act",
                    self.most
                ));
                return Err(Refused::new(refusal, at(rule)));
            }
            self.bytes += planned.bytes;
            self.planning.plans.push(planned);
            self.planning.steps.push(step.clone());
            if let Err(refusal) = self.pay().await {
                if refusal.status == StatusCode::PAYLOAD_TOO_LARGE {
                    sink.metrics
                        .acknowledged(rule.as_ref(), Acknowledgement::TooLarge);
                }
                return Err(Refused::new(refusal, at(rule)));
            }
        }
        let led_to = self.planning.plans.len() - before;
        if led_to > 0 {
            return Ok(led_to);
        }
        sink.metrics.unmatched();
        sink.unmatched.tell(&told.named);
        match sink.no_rule {
            NoRule::Accept => {
                told::without_command(&step.pen, told::UNMATCHED, StatusCode::ACCEPTED, None);
                Ok(0)
            }
            NoRule::Refuse => Err(Refused {
                refusal: unprocessable(String::from(
                    "no rule selects this event; add one to the rules file",
                )),
                at: at(None),
                outcome: told::UNMATCHED,
            }),
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

/// The refusal of what a rule cannot make of an event: it counts as a command of that rule.
fn by_rule(sink: &Sink, error: &MappingError, at: Option<At>) -> Refused {
    let acknowledgement = Acknowledgement::Unprocessable;
    sink.metrics
        .acknowledged(error.rule.as_ref(), acknowledgement);
    let refusal = Refusal {
        status: acknowledgement.status(),
        reason: error.to_string(),
    };
    Refused::new(refusal, at)
}

fn unprocessable(reason: String) -> Refusal {
    Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        reason,
    }
}
