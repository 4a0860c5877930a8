//! From an event to all Triggers of its Broker, and to what the sender is told.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cloudevents::AttributesReader;
use cloudevents_http::Limits;
use eventing::Sender;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use http::StatusCode;
use runtime::budget::{Budget, Reservation};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::arrival::Arrival;
use super::counters::{Count, Counters};
use super::delivery::{GivenUp, Reply, Route, Undelivered};

/// Namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BrokerName {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl fmt::Display for BrokerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// All Brokers of this program with their Triggers.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) brokers: HashMap<BrokerName, Vec<Route>>,
    pub(super) sender: Sender,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) counters: Counters,
}

/// What became of an event at one Broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    /// Every Trigger that it is for is done with it: delivered or dead-lettered.
    Done,
    /// A Trigger gave up and had no dead letter sink that would take it.
    Lost,
}

impl Hub {
    /// Brings an event to all Triggers at once, and comes back when the last is done.
    ///
    /// Dropping the future stops all deliveries where they are, as a cluster does when a sender
    /// goes away.
    pub(super) async fn publish(
        self: &Arc<Self>,
        routes: &[Route],
        arrival: &Arrival,
    ) -> Published {
        self.counters.add(Count::Received);
        let routes: Vec<&Route> = routes
            .iter()
            .filter(|route| route.filter.passes(arrival.event()))
            .collect();
        let event = arrival.event();
        if routes.is_empty() {
            self.counters.add(Count::Unmatched);
            tracing::warn!(
                event.ty = event.ty(),
                event.source = event.source().as_str(),
                "no Trigger is for this event"
            );
        }
        let deliveries = routes.into_iter().map(|route| self.run(route, arrival));
        let lost = join_all(deliveries).await.contains(&Published::Lost);
        if lost {
            Published::Lost
        } else {
            Published::Done
        }
    }

    /// One Trigger: deliver, send on the reply, else bring it to the dead letter sink.
    async fn run(self: &Arc<Self>, route: &Route, arrival: &Arrival) -> Published {
        let delivered = route
            .deliver(arrival, &self.sender, &self.limits, &self.counters)
            .await;
        let why = match delivered {
            Ok(reply) => {
                self.counters.add(Count::Delivered);
                tracing::info!(
                    trigger = route.trigger,
                    event.ty = arrival.event().ty(),
                    event.subject = arrival.event().subject(),
                    "delivered"
                );
                match reply {
                    None => return Published::Done,
                    Some(reply) => match self.reply(route, arrival, *reply).await {
                        Ok(()) => return Published::Done,
                        Err(why) => why,
                    },
                }
            }
            Err(why) => why,
        };
        self.dead_letter(route, arrival, &why).await
    }

    /// A reply goes through the whole Broker again. It is not sent twice, as a cluster would: the
    /// Trigger that lost it has done its retries, and retries of retries never end.
    async fn reply(
        self: &Arc<Self>,
        route: &Route,
        arrival: &Arrival,
        reply: Reply,
    ) -> Result<(), Box<GivenUp>> {
        self.counters.add(Count::Reply);
        let Reply {
            event,
            headers,
            bytes,
        } = reply;
        let refused = |code, reason: String| GivenUp::new(&route.broker_url, code, reason);
        let event = event.map_err(|reason| refused(StatusCode::BAD_REQUEST, reason))?;
        let reservation = self
            .budget
            .reserve(bytes)
            .await
            .map_err(|error| refused(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
        let reply = arrival
            .reply(event, &headers)
            .map_err(|error| refused(StatusCode::BAD_REQUEST, error.to_string()))?;
        match self.spawn(route.broker.clone(), reply, reservation).await {
            Ok(Published::Done) => Ok(()),
            Ok(Published::Lost) => Err(refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "a Trigger lost the reply".to_owned(),
            )),
            Err(_) => Err(refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the program is stopping".to_owned(),
            )),
        }
    }

    /// Publishes in a task of its own, which ends with whoever waits for it. Replies to replies
    /// would otherwise nest as deep as there are hops, and overflow the stack.
    fn spawn(
        self: &Arc<Self>,
        broker: BrokerName,
        reply: Arrival,
        reservation: Reservation,
    ) -> BoxFuture<'static, Result<Published, JoinError>> {
        let hub = Arc::clone(self);
        let published = async move {
            let routes = hub.brokers.get(&broker).map(Vec::as_slice);
            let published = hub.publish(routes.unwrap_or_default(), &reply).await;
            drop(reservation);
            published
        };
        AbortOnDropHandle::new(tokio::spawn(published)).boxed()
    }

    async fn dead_letter(&self, route: &Route, arrival: &Arrival, why: &GivenUp) -> Published {
        let event = arrival.event();
        let sent = route
            .dead_letter(arrival, why, &self.sender, &self.counters)
            .await;
        match sent {
            Ok(()) => {
                self.counters.add(Count::DeadLettered);
                tracing::warn!(
                    trigger = route.trigger,
                    event.ty = event.ty(),
                    event.id = event.id(),
                    destination = %why.destination,
                    reason = why.summary(),
                    "given up, sent to the dead letter sink"
                );
                Published::Done
            }
            Err(last) => {
                self.counters.add(Count::Lost);
                tracing::error!(
                    trigger = route.trigger,
                    event.ty = event.ty(),
                    event.id = event.id(),
                    destination = %why.destination,
                    reason = why.summary(),
                    dead_letter_sink = match &last {
                        Undelivered::NoSink => "none".to_owned(),
                        Undelivered::Refused(sink) => sink.summary(),
                    },
                    "given up, and no dead letter sink took it"
                );
                Published::Lost
            }
        }
    }
}
