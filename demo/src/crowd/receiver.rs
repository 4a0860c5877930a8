//! Where the Broker delivers what happens: the place that the website has otherwise.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cloudevents::AttributesReader;
use cloudevents_http::{Event, Limits, decode};
use http::{Method, Response, StatusCode};
use http_body_util::Empty;
use runtime::body::read_body;
use runtime::budget::Budget;
use runtime::listener::{BindError, Listener, PacedRequest, ServeLimits};
use runtime::shutdown::Shutdown;
use serde::Deserialize;
use tokio::sync::mpsc;
use tower::service_fn;

use super::customer::Seen;
use super::names::Names;
use crate::sale;
use crate::service::data;

/// How many that were seen may wait to be looked at; beyond that the Broker waits.
const WAITING: usize = 1024;
const BUDGET_BYTES: usize = 32 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// Something that happened to a customer of the crowd.
#[derive(Debug)]
pub(super) struct Happened {
    /// The customer's place in the crowd.
    pub(super) customer: u32,
    pub(super) seen: Seen,
    /// Of one who was let in.
    pub(super) turn: Option<Turn>,
}

/// When which number of the line was let in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// RFC 3339, in UTC with milliseconds: its order as text is that of time.
    pub(super) at: String,
    pub(super) number: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    session: String,
    number: Option<u64>,
    admitted_at: Option<String>,
}

/// Begins to listen on this port of 127.0.0.1 (0 takes a free one).
pub(super) async fn start(
    port: u16,
    names: Names,
    shutdown: Shutdown,
) -> Result<(SocketAddr, mpsc::Receiver<Happened>), BindError> {
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = listener.address();
    let budget = Budget::new(BUDGET_BYTES, PATIENCE);
    let (seen, happened) = mpsc::channel(WAITING);
    let service = service_fn(move |request: PacedRequest| {
        let (names, budget, seen) = (names.clone(), budget.clone(), seen.clone());
        async move {
            let status = receive(request, &names, &budget, &seen).await;
            let mut response = Response::new(Empty::new());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    tokio::spawn(listener.serve(service, ServeLimits::default(), shutdown));
    Ok((address, happened))
}

async fn receive(
    request: PacedRequest,
    names: &Names,
    budget: &Budget,
    seen: &mpsc::Sender<Happened>,
) -> StatusCode {
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let (parts, body) = request.into_parts();
    let Ok((body, _reservation)) = read_body(body, MAX_EVENT_BYTES, budget).await else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let Ok(events) = decode(&parts.headers, body, &Limits::default()) else {
        return StatusCode::BAD_REQUEST;
    };
    for event in events {
        if let Some(happened) = happened(&event, names)
            && seen.send(happened).await.is_err()
        {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    StatusCode::ACCEPTED
}

/// What an event is to the crowd; most are nothing.
fn happened(event: &Event, names: &Names) -> Option<Happened> {
    let seen = match event.ty() {
        sale::CUSTOMER_QUEUED => Seen::Queued,
        sale::CUSTOMER_ADMITTED => Seen::Admitted,
        sale::CUSTOMER_REMOVED => Seen::Removed,
        sale::HELD => Seen::Held,
        sale::SOLD_OUT => Seen::SoldOut,
        sale::EMITTED => Seen::Emitted,
        sale::RELEASED => Seen::Released,
        sale::PAYMENT_AUTHORIZED => Seen::Authorized,
        sale::PAYMENT_REFUSED => Seen::Refused,
        sale::PAYMENT_REFUNDED => Seen::Refunded,
        sale::PAYMENT_CANCELLED => Seen::Cancelled,
        _ => return None,
    };
    let of: Of = data(event).ok()?;
    let turn = of.admitted_at.zip(of.number);
    Some(Happened {
        customer: names.number(&of.session)?,
        seen,
        turn: turn.map(|(at, number)| Turn { at, number }),
    })
}
