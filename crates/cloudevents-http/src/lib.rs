//! The CloudEvents HTTP protocol binding over bytes, without I/O.
//!
//! The model is [`Event`] of the CloudEvents SDK; how it lies in an HTTP message is decided here,
//! in both directions and all three content modes, by the CloudEvents specification 1.0.2, its
//! HTTP protocol binding and its JSON event format.
//!
//! - `mode`: tells the modes apart; [`decode`] begins there.
//! - `binary`, `structured`, `batch`: one content mode each, reading and writing.
//! - `attribute`, `uri`, `media_type`, `headers`: the rules for names, values and their coding.
//! - `draft`: an event while it is being read; duplicates, requirements and limits.
//! - `event`: checked setters and canonical strings for the SDK's event; the kind of its data.
//! - `error`, `limits`: why a message is refused, and from which size on.
//!
//! ```
//! use bytes::Bytes;
//! use cloudevents_http::{Limits, attribute, decode, encode_structured, new_event, set_data};
//!
//! let mut event = new_event("1", "/shop", "Tickets.Requested")?;
//! set_data(&mut event, Some("application/json"), r#"{"seats":2}"#)?;
//! let message = encode_structured(&event)?;
//! let read = decode(&message.headers, message.body, &Limits::default())?;
//! assert_eq!(attribute(&read[0], "type").as_deref(), Some("Tickets.Requested"));
//! # Ok::<(), cloudevents_http::Error>(())
//! ```
//!
//! # Where the specification leaves a choice
//!
//! - Integers beyond 32 bits, fractions and exponents as attributes are refused, naming the
//!   attribute: receivers elsewhere refuse them too. Larger numbers travel as strings.
//! - A header that begins with `ce-` and whose rest is no attribute name (`ce-foo-bar`, `ce-data`)
//!   is refused, not skipped.
//! - Header values may hold raw UTF-8, and a `%` that begins no encoding stays: Go's SDK sends
//!   both. Percent-encodings that are not UTF-8 are refused, as the binding demands.
//! - `source` has one spelling in all modes: characters beyond ASCII become percent-encoded, and
//!   percent-encodings that belong to the URI survive senders that do not encode headers.
//! - `time` is held as UTC to the nanosecond, `dataschema` as the WHATWG spelling of its URL: the
//!   SDK's types.

mod attribute;
mod batch;
mod binary;
mod draft;
mod error;
mod event;
mod headers;
mod limits;
mod media_type;
mod mode;
mod structured;
mod uri;

pub use batch::encode_batch;
pub use binary::{encode_binary, into_binary};
pub use cloudevents::Event;
pub use error::{Error, ErrorKind, Problem, Shown};
pub use event::{DataKind, attribute, data_kind, new_event, set_attribute, set_data};
pub use limits::Limits;
pub use media_type::is_json;
pub use mode::{ContentMode, Message, decode};
pub use structured::encode_structured;
