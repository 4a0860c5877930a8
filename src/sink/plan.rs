//! The events of a request -> all commands that it leads to, made and paid for before any is sent.

use cloudevents::Event;
use eventing::spans;
use http::{HeaderMap, StatusCode};
use runtime::budget::Reservation;
use runtime::telemetry::traces::{Span, traceparent, tracestate};

use super::Sink;
use super::told;
use super::trace;
use crate::config::NoRule;
use crate::decisions::Pen;
use crate::recipient::Refusal;
use crate::rules::{Planned, Travel, check_together};

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
    span: &Span,
    reservation: &mut Reservation,
) -> Result<Planning, Refusal> {
    let mut commands = Commands {
        planning: Planning::default(),
        bytes: 0,
        most: sink.max_commands,
        reservation,
    };
    if let Err(refusal) = commands.of_all(sink, headers, events, span).await {
        // None of them leads to anything, whichever is at fault.
        let ours = span.context().as_ref().map(traceparent);
        let travel = Travel {
            traceparent: ours.as_deref().or_else(|| text(headers, "traceparent")),
            ..Travel::default()
        };
        for event in events {
            told::refused(&told::about(sink, event, &travel), refusal.status);
        }
        return Err(refusal);
    }
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
        span: &Span,
    ) -> Result<(), Refusal> {
        for event in events {
            let span = spans::process(span, event, events.len());
            // What the process goes on from is our own span; without one, what came.
            let context = span.context();
            let ours = context
                .as_ref()
                .map(|context| (traceparent(context), tracestate(context)));
            let travel = match &ours {
                Some((parent, state)) => Travel {
                    traceparent: Some(parent),
                    tracestate: state.as_deref(),
                    baggage: span.propagators().and_then(|how| how.baggage(headers)),
                },
                None => Travel {
                    traceparent: text(headers, "traceparent"),
                    tracestate: text(headers, "tracestate"),
                    baggage: None,
                },
            };
            let selecting = trace::select(&span);
            let selected = self.of(sink, event, &travel, &span).await;
            trace::selected(&selecting, &self.planning.plans, &selected);
            selected?;
        }
        check_together(&self.planning.plans).map_err(|error| unprocessable(error.to_string()))
    }

    /// How many one event leads to.
    async fn of(
        &mut self,
        sink: &Sink,
        event: &Event,
        travel: &Travel<'_>,
        span: &Span,
    ) -> Result<usize, Refusal> {
        let before = self.planning.plans.len();
        let step = Step {
            span: span.clone(),
            pen: told::about(sink, event, travel),
        };
        for planned in sink.rules.plans(event, travel) {
            let planned = planned.map_err(|error| unprocessable(error.to_string()))?;
            if self.planning.plans.len() == self.most {
                return Err(unprocessable(format!(
                    "the request leads to more than {} commands, the limit that \
                     BRIDGE_MAX_COMMANDS_PER_REQUEST sets; send fewer events at once, or let fewer rules act",
                    self.most
                )));
            }
            self.bytes += planned.bytes;
            self.planning.plans.push(planned);
            self.planning.steps.push(step.clone());
            self.pay().await?;
        }
        let led_to = self.planning.plans.len() - before;
        if led_to > 0 {
            return Ok(led_to);
        }
        sink.metrics.unmatched();
        sink.unmatched.tell(event);
        match sink.no_rule {
            NoRule::Accept => {
                step.pen.decided(|decision| {
                    decision.outcome = told::UNMATCHED;
                    decision.status = Some(StatusCode::ACCEPTED.as_u16());
                });
                Ok(0)
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
