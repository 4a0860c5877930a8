//! Manifests to routes: which Broker has which Triggers, and where they deliver.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use eventing::{BackoffPolicy, DeliverySpec};
use http::Uri;
use url::Url;

use super::delivery::Route;
use super::destination::{Destination, References, Unresolved};
use super::hub::BrokerName;
use super::manifest::Delivery;
use super::{Settings, StartError};

/// A Broker's delivery where nothing is configured, as Knative's installation sets it.
fn default_delivery() -> Delivery {
    Delivery {
        retry: 10,
        backoff: Some((BackoffPolicy::Exponential, Duration::from_millis(200))),
        ..Delivery::default()
    }
}

pub(super) fn routes(
    settings: &Settings,
    address: SocketAddr,
) -> Result<HashMap<BrokerName, Vec<Route>>, StartError> {
    let mut deliveries = HashMap::new();
    for broker in &settings.manifests.brokers {
        let name = BrokerName {
            namespace: broker.namespace.clone(),
            name: broker.name.clone(),
        };
        let delivery = broker.delivery.clone().unwrap_or_else(default_delivery);
        if deliveries.insert(name.clone(), delivery).is_some() {
            return Err(StartError::Twice {
                kind: "Broker",
                name: name.to_string(),
            });
        }
    }
    for trigger in &settings.manifests.triggers {
        let name = BrokerName {
            namespace: trigger.namespace.clone(),
            name: trigger.broker.clone(),
        };
        deliveries.entry(name).or_insert_with(default_delivery);
    }
    let mut references = References::default();
    for name in deliveries.keys() {
        references.insert_broker(&name.namespace, &name.name, broker_url(address, name));
    }
    references.extend(&settings.references);

    let mut routes: HashMap<BrokerName, Vec<Route>> = HashMap::new();
    for name in deliveries.keys() {
        routes.insert(name.clone(), Vec::new());
    }
    let mut seen = HashSet::new();
    for trigger in &settings.manifests.triggers {
        let id = format!("{}/{}", trigger.namespace, trigger.name);
        if !seen.insert(id.clone()) {
            return Err(StartError::Twice {
                kind: "Trigger",
                name: id,
            });
        }
        let broker = BrokerName {
            namespace: trigger.namespace.clone(),
            name: trigger.broker.clone(),
        };
        let resolve = |destination: &Destination| {
            destination
                .resolve(&trigger.namespace, &references)
                .and_then(|url| uri(&url))
                .map_err(|cause| StartError::Unresolved {
                    trigger: id.clone(),
                    cause,
                })
        };
        // The Trigger's block, or else the Broker's: never a mixture.
        let delivery = trigger
            .delivery
            .clone()
            .or_else(|| deliveries.get(&broker).cloned())
            .unwrap_or_default();
        let route = Route {
            subscriber: resolve(&trigger.subscriber)?,
            dead_letter_sink: delivery
                .dead_letter_sink
                .as_ref()
                .map(resolve)
                .transpose()?,
            delivery: spec(&delivery),
            format: delivery.format,
            filter: trigger.filter.clone(),
            broker_url: uri(&broker_url(address, &broker)).map_err(|cause| {
                StartError::Unresolved {
                    trigger: id.clone(),
                    cause,
                }
            })?,
            broker: broker.clone(),
            trigger: id,
        };
        routes.entry(broker).or_default().push(route);
    }
    Ok(routes)
}

/// In the words of the crate that delivers.
fn spec(delivery: &Delivery) -> DeliverySpec {
    // Without both policy and delay, Knative retries at once.
    let (backoff_policy, backoff_delay) = delivery
        .backoff
        .unwrap_or((BackoffPolicy::Linear, Duration::ZERO));
    DeliverySpec {
        retry: delivery.retry,
        backoff_policy,
        backoff_delay,
        // Without a timeout, Knative waits for ever.
        timeout: delivery.timeout.unwrap_or(Duration::MAX),
        retry_after_max: delivery.retry_after_max,
    }
}

fn broker_url(address: SocketAddr, name: &BrokerName) -> Url {
    let mut url = Url::parse("http://127.0.0.1").expect("a constant URL is valid");
    // Neither can fail on an http URL with a host.
    let _ = url.set_port(Some(address.port()));
    url.set_path(&format!("/{}/{}", name.namespace, name.name));
    url
}

fn uri(url: &Url) -> Result<Uri, Unresolved> {
    url.as_str()
        .parse()
        .map_err(|_| Unresolved::new(url.as_str()))
}
