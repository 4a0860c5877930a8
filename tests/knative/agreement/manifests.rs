//! Manifests that both refuse before anything runs.

use demo::broker::manifest;

use crate::dataplane::validate;

use super::{BROKER, trigger};

/// What is wrong, and a Trigger's `spec` in which it is.
const BAD: &[(&str, &str)] = &[
    ("an unknown field", "retries: 3"),
    ("an unknown field of delivery", "delivery: {retries: 3}"),
    (
        "a delay that is no duration",
        "delivery: {backoffDelay: 200ms}",
    ),
    ("an unknown policy", "delivery: {backoffPolicy: quadratic}"),
    ("a negative count", "delivery: {retry: -1}"),
    ("a timeout that is no duration", "delivery: {timeout: soon}"),
    (
        "CESQL that does not parse",
        "filters: [{cesql: \"type = \"}]",
    ),
    (
        "two dialects in one filter",
        "filters: [{exact: {type: a}, prefix: {type: b}}]",
    ),
    (
        "an attribute name with a dash",
        "filters: [{exact: {my-ext: a}}]",
    ),
    (
        "an attribute name in capitals",
        "filter: {attributes: {Type: a}}",
    ),
];

#[tokio::test]
async fn both_refuse_the_same_manifests() {
    for (what, spec) in BAD {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let yaml = format!("{BROKER}{}", trigger("t", spec));
        std::fs::write(folder.path().join("all.yaml"), yaml).expect("a file can be written");
        let theirs = validate(folder.path()).await;
        let ours = manifest::read(&[folder.path().to_owned()], "default");
        assert!(
            !theirs.status.success(),
            "Knative takes it: {what}: {}",
            String::from_utf8_lossy(&theirs.stdout)
        );
        assert!(ours.is_err(), "the local Broker takes it: {what}");
    }
}
