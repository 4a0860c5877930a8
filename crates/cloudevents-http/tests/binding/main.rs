//! The sentences of the specification as tables: a row is what is sent, and what must come of it.
//!
//! Sections are those of the HTTP protocol binding 1.0.2 ("HTTP"), the JSON event format 1.0.2
//! ("JSON") and the CloudEvents specification 1.0.2 ("CE").

/// Batches.
mod batch;
/// Reading and writing binary mode.
mod binary;
/// The helpers around the SDK's event.
mod event;
/// Limits given by the caller.
mod limits;
/// Which content mode a message is in.
mod mode;
/// Reading structured mode.
mod structured;
/// Writing structured mode, and what no mode may write.
mod writing;

use bytes::Bytes;
use cloudevents_http::{DataKind, Error, ErrorKind, Event, Limits, attribute, data_kind, decode};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What must come of a message with one event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    /// It is read, and the attribute has this canonical string.
    Is(&'static str, &'static str),
    /// It is read, and the attribute is not set.
    Unset(&'static str),
    /// It is read, and its data is this JSON text.
    Json(&'static str),
    /// It is read, and its data is these bytes.
    Bytes(&'static [u8]),
    /// It is read and has no data.
    NoData,
    /// It is refused as a bad event, naming this attribute.
    Refused(&'static str),
    /// It is refused as a bad event that has no attribute to name.
    Malformed,
}

pub(crate) fn check(row: &str, want: Want, result: Result<Event, Error>) {
    match (want, result) {
        (Want::Is(name, value), Ok(event)) => {
            assert_eq!(attribute(&event, name).as_deref(), Some(value), "{row}");
        }
        (Want::Unset(name), Ok(event)) => assert_eq!(attribute(&event, name), None, "{row}"),
        (Want::Json(json), Ok(event)) => {
            assert_eq!(
                data_kind(&event),
                Ok(DataKind::Json(json.as_bytes())),
                "{row}"
            );
        }
        (Want::Bytes(bytes), Ok(event)) => {
            assert_eq!(data_kind(&event), Ok(DataKind::Bytes(bytes)), "{row}");
        }
        (Want::NoData, Ok(event)) => {
            assert_eq!(event.data(), None, "{row}");
            assert_eq!(data_kind(&event), Ok(DataKind::None), "{row}");
        }
        (Want::Refused(name), Err(error)) => {
            assert_eq!(error.attribute(), Some(name), "{row}: {error}");
            assert_eq!(error.kind(), ErrorKind::BadEvent, "{row}: {error}");
            assert!(error.to_string().contains(name), "{row}: {error}");
        }
        (Want::Malformed, Err(error)) => {
            assert_eq!(error.attribute(), None, "{row}: {error}");
            assert_eq!(error.kind(), ErrorKind::BadEvent, "{row}: {error}");
        }
        (Want::Refused(_) | Want::Malformed, Ok(event)) => panic!("{row}: read as {event}"),
        (
            Want::Is(..) | Want::Unset(_) | Want::Json(_) | Want::Bytes(_) | Want::NoData,
            Err(error),
        ) => panic!("{row}: refused: {error}"),
    }
}

/// Headers as they would come off the wire: several of one name stay several.
pub(crate) fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
                HeaderValue::from_bytes(value).expect("a header value"),
            )
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

pub(crate) const REQUIRED: [(&str, &[u8]); 4] = [
    ("ce-specversion", b"1.0"),
    ("ce-id", b"1"),
    ("ce-source", b"/shop"),
    ("ce-type", b"Tickets.Requested"),
];

/// Reads a binary-mode message: the required attributes, then `more`. A header in `more` takes the
/// place of the required one, unless the row is about having both.
pub(crate) fn read_binary(more: &[(&str, &[u8])], body: &'static [u8]) -> Result<Event, Error> {
    let mut pairs: Vec<_> = REQUIRED
        .into_iter()
        .filter(|(name, _)| {
            !more
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        })
        .collect();
    pairs.extend_from_slice(more);
    one(decode(
        &headers(&pairs),
        Bytes::from_static(body),
        &Limits::default(),
    ))
}

pub(crate) fn read_structured(body: &str) -> Result<Event, Error> {
    one(decode(
        &headers(&[("content-type", b"application/cloudevents+json")]),
        Bytes::copy_from_slice(body.as_bytes()),
        &Limits::default(),
    ))
}

pub(crate) fn one(events: Result<Vec<Event>, Error>) -> Result<Event, Error> {
    events.map(|mut events| {
        assert_eq!(events.len(), 1, "one message, one event");
        events.remove(0)
    })
}
