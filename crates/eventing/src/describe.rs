//! An event in telemetry, by OpenTelemetry's conventions for CloudEvents: what identifies it, never its data.

use cloudevents_http::{Event, attribute};

/// The attributes of telemetry that say which event it is, where it has them.
pub fn identity(event: &Event) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("cloudevents.event_id", "id"),
        ("cloudevents.event_source", "source"),
        ("cloudevents.event_type", "type"),
        ("cloudevents.event_subject", "subject"),
    ]
    .into_iter()
    .filter_map(|(key, name)| Some((key, attribute(event, name)?.into_owned())))
}
