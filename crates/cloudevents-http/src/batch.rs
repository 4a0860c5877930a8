//! Batched mode: a JSON array of events (JSON format 1.0.2, section 4).

use std::fmt;

use bytes::Bytes;
use cloudevents::Event;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::error::{Error, Problem};
use crate::limits::Limits;
use crate::mode::{BATCH_JSON, Message};
use crate::structured::{self, EventSeed};

pub(crate) fn decode(body: &[u8], limits: &Limits) -> Result<Vec<Event>, Error> {
    structured::parse(body, "a batch of events in JSON", |json, fault| {
        json.deserialize_seq(Batch { limits, fault })
    })
}

struct Batch<'l, 'f> {
    limits: &'l Limits,
    fault: &'f mut Option<Error>,
}

impl<'de> Visitor<'de> for Batch<'_, '_> {
    type Value = Vec<Event>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<Event>, A::Error> {
        let mut events = Vec::new();
        loop {
            let next = array.next_element_seed(Element {
                limits: self.limits,
                fault: self.fault,
                index: events.len(),
            })?;
            match next {
                Some(event) => events.push(event),
                None => return Ok(events),
            }
        }
    }
}

struct Element<'l, 'f> {
    limits: &'l Limits,
    fault: &'f mut Option<Error>,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        let limit = self.limits.max_batch_events;
        if self.index >= limit {
            let error = Error::from(Problem::TooManyEvents { limit });
            let text = serde::de::Error::custom(&error);
            *self.fault = Some(error);
            return Err(text);
        }
        let seed = EventSeed {
            limits: self.limits,
            fault: self.fault,
        };
        let result = seed.deserialize(deserializer);
        if let Some(error) = self.fault.take() {
            *self.fault = Some(error.in_event(self.index));
        }
        result
    }
}

/// Writes events in batched mode, as `application/cloudevents-batch+json`; none is a batch too.
///
/// The binding forbids this mode where the receiver has not asked for it (section 3).
///
/// # Errors
/// As [`encode_structured`](crate::encode_structured), naming the event.
pub fn encode_batch(events: &[Event]) -> Result<Message, Error> {
    let mut body = Vec::with_capacity(2 + 512 * events.len());
    body.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        structured::write(event, &mut body).map_err(|error| error.in_event(index))?;
    }
    body.push(b']');
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(BATCH_JSON));
    Ok(Message {
        headers,
        body: Bytes::from(body),
    })
}
