//! An event inside the Broker: its data is held once, however many Triggers it goes to.

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use cloudevents::{AttributesReader, AttributesWriter, Data};
use cloudevents_http::{ContentMode, Error, Event, Limits, Message, decode};
use cloudevents_http::{encode_binary, encode_structured, set_data};
use eventing::extension::{ARRIVAL_TIME, TRACEPARENT, TRACESTATE};
use http::{HeaderMap, HeaderName};

use super::hops::{Hops, NoneLeft};
use super::manifest::Format;

#[derive(Debug)]
pub(super) struct Arrival {
    /// Without data.
    event: Event,
    data: Bytes,
    hops: Hops,
    /// Headers that are carried along from the sender.
    pub(super) carried: HeaderMap,
}

impl Arrival {
    /// An event from outside.
    pub(super) fn from_sender(mut event: Event, carried: HeaderMap) -> Result<Self, NoneLeft> {
        let hops = Hops::take(&mut event)?;
        Ok(Self::new(event, hops, carried))
    }

    /// What a subscriber answered this event with.
    pub(super) fn reply(&self, mut event: Event, answered: &HeaderMap) -> Result<Self, NoneLeft> {
        let hops = self.hops.of_reply(&mut event)?;
        let mut carried = trace(&self.carried);
        carried.extend(carried_along(answered));
        Ok(Self::new(event, hops, carried))
    }

    fn new(mut event: Event, hops: Hops, carried: HeaderMap) -> Self {
        // Added as Knative's ingress adds it.
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        event.set_extension(ARRIVAL_TIME, now);
        let data = take_data(&mut event);
        Self {
            event,
            data,
            hops,
            carried,
        }
    }

    /// The event as filters see it: its attributes, without data.
    pub(super) fn event(&self) -> &Event {
        &self.event
    }

    /// The message for a subscriber.
    pub(super) fn message(&self, format: Format) -> Result<Message, Error> {
        match format {
            Format::Binary => self.binary(&self.event),
            Format::Json => {
                let mut event = self.event.clone();
                if !self.data.is_empty() {
                    let content_type = event.datacontenttype().map(str::to_owned);
                    set_data(&mut event, content_type.as_deref(), self.data.to_vec())?;
                }
                encode_structured(&event)
            }
        }
    }

    /// The message for a dead letter sink.
    ///
    /// # Errors
    /// What `mark` finds, which tells the sink why it gets the event.
    pub(super) fn dead_letter(
        &self,
        mark: impl FnOnce(&mut Event) -> Result<(), Error>,
    ) -> Result<Message, Error> {
        let mut event = self.event.clone();
        self.hops.put(&mut event);
        mark(&mut event)?;
        self.binary(&event)
    }

    fn binary(&self, event: &Event) -> Result<Message, Error> {
        let mut message = encode_binary(event)?;
        message.body = self.data.clone();
        Ok(message)
    }
}

/// The one event of a message.
pub(super) fn read(headers: &HeaderMap, body: Bytes, limits: &Limits) -> Result<Event, Unread> {
    let stated = match ContentMode::of(headers).map_err(Unread::Bad)? {
        ContentMode::Batched => return Err(Unread::Batch),
        ContentMode::Binary => true,
        ContentMode::Structured => states_content_type(&body),
    };
    let mut events = decode(headers, body, limits).map_err(Unread::Bad)?;
    let mut event = events.pop().ok_or(Unread::Batch)?;
    if !stated {
        event.set_datacontenttype(None::<String>);
    }
    Ok(event)
}

/// Whether an event in JSON has `datacontenttype`. Where it has not, the codec says what is implied, and
/// Knative says nothing: it delivers JSON without Content-Type, and who receives it must know.
fn states_content_type(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Members {
        datacontenttype: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Members>(body).is_ok_and(|members| members.datacontenttype.is_some())
}

/// Why a message yields no event.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Bad(Error),
    #[error("a batch: this takes one event at a time, as Knative does")]
    Batch,
}

fn take_data(event: &mut Event) -> Bytes {
    let (content_type, schema, data) = event.take_data();
    event.set_datacontenttype(content_type);
    event.set_dataschema(schema);
    match data {
        None => Bytes::new(),
        Some(Data::Binary(bytes)) => Bytes::from(bytes),
        Some(Data::String(text)) => Bytes::from(text.into_bytes()),
        Some(Data::Json(json)) => Bytes::from(json.to_string()),
    }
}

/// What of a request or response goes on with the event, as Knative has it.
pub(super) fn carried_along(headers: &HeaderMap) -> HeaderMap {
    select(headers, |name| {
        let name = name.as_str();
        is_trace(name)
            || matches!(name, "x-request-id" | "retry-after")
            || name.starts_with("knative-")
            || name.starts_with("x-b3-")
    })
}

fn trace(headers: &HeaderMap) -> HeaderMap {
    select(headers, |name| is_trace(name.as_str()))
}

fn is_trace(name: &str) -> bool {
    matches!(name, TRACEPARENT | TRACESTATE | "baggage")
}

fn select(headers: &HeaderMap, wanted: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
