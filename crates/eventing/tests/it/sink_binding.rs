use std::path::Path;

use cloudevents_http::attribute;
use eventing::{SinkBinding, SinkBindingError};
use testkit::certificates::Authority;

use crate::harness::event;

const BROKER: &str = "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default";

fn read(
    sink: Option<&str>,
    overrides: Option<&str>,
    ca_certs: Option<&str>,
) -> Result<Option<SinkBinding>, SinkBindingError> {
    SinkBinding::from_parts(sink, overrides, ca_certs, Some(Path::new("/oidc/token")))
}

fn refused(
    sink: Option<&str>,
    overrides: Option<&str>,
    ca_certs: Option<&str>,
) -> (&'static str, String) {
    let error = read(sink, overrides, ca_certs).unwrap_err();
    (error.variable(), error.to_string())
}

#[test]
fn no_k_sink_is_no_binding_yet_whatever_else_there_is() {
    for sink in [None, Some(""), Some("  \n")] {
        assert!(read(sink, Some("{"), Some("nonsense")).unwrap().is_none());
    }
}

#[test]
fn the_destination_is_an_absolute_url() {
    for sink in [
        BROKER,
        "https://broker-ingress.knative-eventing.svc.cluster.local/shop/default",
        "http://tickets",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "http://tickets:65535/?tenant=a",
        "HTTP://tickets/",
    ] {
        let binding = read(Some(sink), None, None).unwrap().unwrap();
        assert_eq!(*binding.destination(), sink.parse::<http::Uri>().unwrap());
    }
    let padded = read(Some(" http://tickets/ \n"), None, None)
        .unwrap()
        .unwrap();
    assert_eq!(padded.destination().to_string(), "http://tickets/");
}

#[test]
fn a_destination_that_cannot_be_sent_to_is_named_with_what_a_sinkbinding_writes() {
    let absolute = "is not an absolute http or https URL";
    let table = [
        ("broker", absolute),
        ("broker.default:80", absolute),
        ("/shop/default", absolute),
        ("ftp://tickets/", absolute),
        ("ws://tickets/", absolute),
        ("*", absolute),
        ("http://", "is not a URL"),
        ("http:///shop", "is not a URL"),
        ("http://tic kets/", "is not a URL"),
        ("://", "is not a URL"),
        ("http://:8080/", "names no host"),
        (
            "http://tickets:0/",
            "has a port that is not a number from 1 to 65535",
        ),
        (
            "http://tickets:65536/",
            "has a port that is not a number from 1 to 65535",
        ),
        (
            "http://[::1]:99999/",
            "has a port that is not a number from 1 to 65535",
        ),
    ];
    for (sink, problem) in table {
        let (variable, text) = refused(Some(sink), None, None);
        assert_eq!(variable, "K_SINK");
        assert!(
            text.starts_with(&format!("`{sink}` {problem}; ")),
            "{sink}: {text}"
        );
        assert!(text.ends_with(BROKER), "{text}");
    }
}

#[test]
fn a_destination_with_a_password_is_refused_without_repeating_it() {
    for sink in [
        "http://seller:s3cret@tickets/",
        "http://s3cret@tickets/",
        "https://a:s3cret@b:s3cret@tickets/",
        "http://seller:s3cret@tic kets/",
        "ftp://seller:s3cret@tickets/",
        "seller:s3cret@tickets",
    ] {
        let (variable, text) = refused(Some(sink), None, None);
        assert_eq!(variable, "K_SINK");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("@tic"), "{text}");
    }
    let (_, text) = refused(Some("http://seller:s3cret@tickets/"), None, None);
    assert!(text.contains("holds a user or password"), "{text}");
}

#[test]
fn no_overrides_leave_an_event_as_it_is() {
    for overrides in [
        None,
        Some(""),
        Some(" "),
        Some("null"),
        Some("{}"),
        Some(r#"{"extensions":null}"#),
        Some(r#"{"extensions":{}}"#),
        Some(r#"{"somethingNew":{"a":1}}"#),
    ] {
        let binding = read(Some(BROKER), overrides, None).unwrap().unwrap();
        let mut changed = event("1");
        binding.apply_overrides(&mut changed);
        assert_eq!(changed, event("1"), "{overrides:?}");
    }
}

#[test]
fn overrides_are_set_on_an_event_and_win_over_its_own() {
    let overrides = r#"{"extensions":{"region":"eu","Tenant":"Blå 1"}}"#;
    let binding = read(Some(BROKER), Some(overrides), None).unwrap().unwrap();
    let mut event = event("1");
    event.set_extension("region", "us");
    event.set_extension("seat", "7");
    binding.apply_overrides(&mut event);
    for (name, value) in [("region", "eu"), ("tenant", "Blå 1"), ("seat", "7")] {
        assert_eq!(attribute(&event, name).unwrap(), value, "{name}");
    }
}

#[test]
fn overrides_that_are_no_extensions_are_refused_with_what_to_correct() {
    let own = "is an attribute that every event has of its own";
    let table = [
        ("region=eu", "is no JSON object of extensions"),
        ("[]", "is no JSON object of extensions"),
        (r#"[{"region":"eu"}]"#, "is no JSON object of extensions"),
        (r#""region""#, "is no JSON object of extensions"),
        (
            r#"{"extensions":{"region":"eu"}"#,
            "is no JSON object of extensions",
        ),
        (r#"{"extensions":[]}"#, "is no JSON object of extensions"),
        (
            r#"{"extensions":{"seat":7}}"#,
            "invalid type: integer `7`, expected a string",
        ),
        (
            r#"{"extensions":{"sold":true}}"#,
            "invalid type: boolean `true`, expected a string",
        ),
        (
            r#"{"extensions":{"region":null}}"#,
            "invalid type: null, expected a string",
        ),
        (
            r#"{"extensions":{"region":{}}}"#,
            "invalid type: map, expected a string",
        ),
        (r#"{"extensions":{"id":"1"}}"#, own),
        (r#"{"extensions":{"source":"/"}}"#, own),
        (r#"{"extensions":{"specversion":"1.0"}}"#, own),
        (r#"{"extensions":{"type":"Other"}}"#, own),
        (r#"{"extensions":{"datacontenttype":"text/plain"}}"#, own),
        (r#"{"extensions":{"dataschema":"http://schema/"}}"#, own),
        (r#"{"extensions":{"subject":"1"}}"#, own),
        (r#"{"extensions":{"time":"2026-01-01T00:00:00Z"}}"#, own),
        (r#"{"extensions":{"ID":"1"}}"#, own),
        (r#"{"extensions":{"data":"1"}}"#, "data"),
        (r#"{"extensions":{"":"1"}}"#, "name"),
        (r#"{"extensions":{"a-b":"1"}}"#, "a-b"),
        (r#"{"extensions":{"data_base64":"1"}}"#, "data_base64"),
        (r#"{"extensions":{"größe":"1"}}"#, "größe"),
        (
            r#"{"extensions":{"region":"a\nb"}}"#,
            "must not contain control characters",
        ),
        (
            r#"{"extensions":{"region":"a","Region":"b"}}"#,
            "`region` is there twice",
        ),
    ];
    for (overrides, problem) in table {
        let (variable, text) = refused(Some(BROKER), Some(overrides), None);
        assert_eq!(variable, "K_CE_OVERRIDES");
        assert!(text.contains(problem), "{overrides}: {text}");
        assert!(
            text.contains("; correct `spec.ceOverrides` of the SinkBinding"),
            "{text}"
        );
    }
}

#[test]
fn certificates_are_kept_as_they_came() {
    for none in [None, Some(""), Some("\n")] {
        let binding = read(Some(BROKER), None, none).unwrap().unwrap();
        assert_eq!(binding.ca_certs(), None);
    }
    let bundle = [Authority::new("one"), Authority::new("two")]
        .iter()
        .map(Authority::certificate)
        .collect::<Vec<_>>()
        .join("# another one\n");
    let binding = read(Some(BROKER), None, Some(&bundle)).unwrap().unwrap();
    assert_eq!(binding.ca_certs(), Some(bundle.trim()));
    assert_eq!(binding.token_path(), Some(Path::new("/oidc/token")));
}

#[test]
fn broken_certificates_are_refused_and_counted() {
    let good = Authority::new("good").certificate();
    let cut = good.replace("-----END CERTIFICATE-----", "");
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let garbled = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let key = Authority::new("key").issue(&["tickets"]).key;
    let table = [
        (
            "nonsense".to_owned(),
            "holds no certificate; it must be PEM",
        ),
        (key, "holds no certificate; it must be PEM"),
        (cut, "certificate 1 is not PEM"),
        (garbled.to_owned(), "certificate 1 is not PEM"),
        (empty.to_owned(), "certificate 1 cannot be used"),
        (format!("{good}{garbled}"), "certificate 2 is not PEM"),
        (
            format!("{good}{empty}{good}"),
            "certificate 2 cannot be used",
        ),
    ];
    for (ca_certs, problem) in table {
        let (variable, text) = refused(Some(BROKER), None, Some(&ca_certs));
        assert_eq!(variable, "K_CA_CERTS");
        assert!(text.starts_with(problem), "{text}");
    }
}
