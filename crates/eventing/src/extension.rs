//! Names of the extension attributes and HTTP headers that Knative's data plane adds.

/// Where an event could not be delivered to; on events for a dead letter sink.
pub const ERROR_DEST: &str = "knativeerrordest";
/// The last status code; on events for a dead letter sink.
pub const ERROR_CODE: &str = "knativeerrorcode";
/// The last answer's body in base64; on events for a dead letter sink.
pub const ERROR_DATA: &str = "knativeerrordata";
/// When a Broker took the event.
pub const ARRIVAL_TIME: &str = "knativearrivaltime";
/// How many Brokers the event may still pass; never shown to subscribers.
pub const BROKER_TTL: &str = "knativebrokerttl";
/// The distributed-tracing extension: W3C `traceparent`.
pub const TRACEPARENT: &str = "traceparent";
/// The distributed-tracing extension: W3C `tracestate`.
pub const TRACESTATE: &str = "tracestate";
