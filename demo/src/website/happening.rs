//! What an event says: whose it is, and what happened.

use cloudevents::AttributesReader;
use cloudevents_http::{DataKind, Event, data_kind};
use serde::Deserialize;

use super::story::{Happening, Notice};
use crate::sale::{self, Admitted, Emitted, Notification, OfReservation};
use crate::sale::{PaymentRefused, Queued, Removed};
use crate::service::data;
use crate::store::Fault;

/// Whose event it is: the `session` of its data, as for all services; of data that has none, the subject.
pub(super) fn session(event: &Event) -> Option<String> {
    #[derive(Deserialize)]
    struct Data {
        session: String,
    }
    let of_data = match data_kind(event) {
        Ok(DataKind::Json(json)) => serde_json::from_slice::<Data>(json).ok(),
        Ok(DataKind::Bytes(_) | DataKind::None) | Err(_) => None,
    };
    of_data
        .map(|data| data.session)
        .filter(|session| !session.is_empty())
        .or_else(|| event.subject().map(str::to_owned))
}

/// What happened, where it moves the customer; `time` is that of an event which has none.
///
/// What customers do themselves is known before its event comes back.
///
/// # Errors
/// Data that is not what the type needs.
pub(super) fn read(event: &Event, time: &str) -> Result<Option<Happening>, Fault> {
    Ok(Some(match event.ty() {
        sale::CUSTOMER_QUEUED => Happening::Queued {
            number: data::<Queued>(event)?.number,
        },
        sale::CUSTOMER_ADMITTED => Happening::Admitted {
            number: data::<Admitted>(event)?.number,
        },
        sale::CUSTOMER_REMOVED => Happening::Removed {
            reason: data::<Removed>(event)?.reason,
        },
        sale::HELD => Happening::Held(data(event)?),
        sale::SOLD_OUT => Happening::SoldOut {
            reservation: reservation(event)?,
        },
        sale::RELEASED => Happening::Released {
            reservation: reservation(event)?,
        },
        sale::EMITTED => {
            let emitted: Emitted = data(event)?;
            Happening::Emitted {
                reservation: emitted.reservation_id,
                seats: emitted.seats,
                amount: emitted.amount,
            }
        }
        sale::PAYMENT_AUTHORIZED => Happening::Authorized {
            reservation: reservation(event)?,
        },
        sale::PAYMENT_REFUSED => {
            let refused: PaymentRefused = data(event)?;
            Happening::PaymentRefused {
                reservation: refused.reservation_id,
                reason: refused.reason,
            }
        }
        sale::NOTIFICATION_REQUESTED => {
            let told: Notification = data(event)?;
            Happening::Notified(Notice {
                time: time_of(event).unwrap_or_else(|| time.to_owned()),
                kind: told.kind,
                text: told.text,
            })
        }
        _ => return Ok(None),
    }))
}

/// When it happened, as its producer says, RFC 3339.
pub(super) fn time_of(event: &Event) -> Option<String> {
    let time = event.time()?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn reservation(event: &Event) -> Result<String, Fault> {
    Ok(data::<OfReservation>(event)?.reservation_id)
}
