//! What is printed of a configuration has no secret in it.

use super::read;

#[test]
fn no_secret_shows_in_what_can_be_printed_of_a_configuration() {
    let config = read(&[
        ("ZEEBE_CLIENT_ID", "id"),
        ("ZEEBE_CLIENT_SECRET", "hush-hush"),
    ])
    .expect("read");
    assert!(!format!("{config:?}").contains("hush-hush"));
    let config = read(&[
        ("ZEEBE_BASIC_AUTH_USERNAME", "id"),
        ("ZEEBE_BASIC_AUTH_PASSWORD", "hush-hush"),
    ])
    .expect("read");
    assert!(!format!("{config:?}").contains("hush-hush"));
}

#[test]
fn the_headers_of_a_collector_are_secrets_too() {
    let config = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush-hush"),
    ])
    .expect("read");
    let printed = format!("{config:?}");
    assert!(printed.contains("collector:4317") && !printed.contains("hush-hush"));
}
