//! What is refused: each variable at fault by its name, with what to write.

use std::collections::BTreeMap;

use testkit::program::Program;

use super::read;

/// What is set -> the variable at fault, and a word of what is said.
type Row = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const REFUSED: &[Row] = &[
    (
        &[("PORT", "eighty")],
        "PORT",
        "whole number from 0 to 65535",
    ),
    (&[("PORT", "70000")], "PORT", "whole number from 0 to 65535"),
    (&[("BRIDGE_HOST", "localhost")], "BRIDGE_HOST", "IP address"),
    (
        &[("PORT", "8080"), ("BRIDGE_ADMIN_PORT", "8080")],
        "BRIDGE_ADMIN_PORT",
        "same as PORT",
    ),
    (&[("ROLES", "sink,drain")], "ROLES", "`drain` is not a role"),
    (
        &[("BRIDGE_GRACE_SECOND", "3")],
        "BRIDGE_GRACE_SECOND",
        "did you mean BRIDGE_GRACE_SECONDS?",
    ),
    (&[("BRIDGE_THREADS", "0")], "BRIDGE_THREADS", "from 1"),
    (
        &[("BRIDGE_LOG_FORMAT", "xml")],
        "BRIDGE_LOG_FORMAT",
        "`auto`, `json`, `text`",
    ),
    (
        &[("BRIDGE_NO_RULE", "drop")],
        "BRIDGE_NO_RULE",
        "`accept`, `refuse`",
    ),
    (
        &[("BRIDGE_NOT_DEPLOYED", "drop")],
        "BRIDGE_NOT_DEPLOYED",
        "`retry`, `refuse`",
    ),
    (
        &[("BRIDGE_DATA_VARIABLE", "bridgeContext")],
        "BRIDGE_DATA_VARIABLE",
        "is taken",
    ),
    (
        &[("BRIDGE_EVENT_VARIABLE", "my event")],
        "BRIDGE_EVENT_VARIABLE",
        "letters, digits",
    ),
    (
        &[("BRIDGE_RETRY_IN_REQUEST_SECONDS", "30")],
        "BRIDGE_RETRY_IN_REQUEST_SECONDS",
        "BRIDGE_TRIGGER_TIMEOUT_SECONDS",
    ),
    (
        &[
            ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
            ("BRIDGE_CALL_TIMEOUT_MS", "30000"),
        ],
        "BRIDGE_CALL_TIMEOUT_MS",
        "BRIDGE_TRIGGER_TIMEOUT_SECONDS",
    ),
    (
        &[("BRIDGE_TIME_TO_LIVE_SECONDS", "20")],
        "BRIDGE_TIME_TO_LIVE_SECONDS",
        "BRIDGE_TRIGGER_TIMEOUT_SECONDS",
    ),
    (
        &[("BRIDGE_BODY_BUDGET_BYTES", "4096")],
        "BRIDGE_BODY_BUDGET_BYTES",
        "BRIDGE_MAX_EVENT_BYTES",
    ),
    (&[("K_SINK", "broker")], "K_SINK", "absolute"),
    (
        &[("K_SINK", "http://b/"), ("K_CE_OVERRIDES", "{")],
        "K_CE_OVERRIDES",
        "extensions",
    ),
    (
        &[("K_SINK", "http://b/"), ("K_CA_CERTS", "none")],
        "K_CA_CERTS",
        "certificate",
    ),
    (
        &[("ZEEBE_JOB_TYPES", ",")],
        "ZEEBE_JOB_TYPES",
        "names no job type",
    ),
    (
        &[("BRIDGE_ENGINE_NAME", "a b")],
        "BRIDGE_ENGINE_NAME",
        "URI",
    ),
    (
        &[("BRIDGE_ALLOWED_DESTINATIONS", "tickets")],
        "BRIDGE_ALLOWED_DESTINATIONS",
        "absolute URL",
    ),
    (
        &[("BRIDGE_HOP_LIMIT", "256")],
        "BRIDGE_HOP_LIMIT",
        "from 1 to 255",
    ),
    (
        &[("ZEEBE_GRPC_ADDRESS", "localhost:26500")],
        "ZEEBE_GRPC_ADDRESS",
        "http://HOST:PORT",
    ),
    (&[("ZEEBE_ADDRESS", "a b")], "ZEEBE_ADDRESS", "HOST:PORT"),
    (
        &[
            ("ZEEBE_GRPC_ADDRESS", "https://z:1"),
            ("ZEEBE_INSECURE_CONNECTION", "true"),
        ],
        "ZEEBE_INSECURE_CONNECTION",
        "scheme decides",
    ),
    (
        &[("ZEEBE_CLIENT_ID", "me")],
        "ZEEBE_CLIENT_SECRET",
        "needed with ZEEBE_CLIENT_ID",
    ),
    (
        &[("ZEEBE_CLIENT_SECRET", "s")],
        "ZEEBE_CLIENT_ID",
        "needed with ZEEBE_CLIENT_SECRET",
    ),
    (
        &[("ZEEBE_BASIC_AUTH_USERNAME", "me")],
        "ZEEBE_BASIC_AUTH_PASSWORD",
        "needed",
    ),
    (
        &[
            ("ZEEBE_CLIENT_ID", "i"),
            ("ZEEBE_CLIENT_SECRET", "s"),
            ("ZEEBE_BASIC_AUTH_USERNAME", "u"),
            ("ZEEBE_BASIC_AUTH_PASSWORD", "p"),
        ],
        "ZEEBE_BASIC_AUTH_USERNAME",
        "one kind",
    ),
    (
        &[
            ("ZEEBE_CLIENT_ID", "i"),
            ("ZEEBE_CLIENT_SECRET", "s"),
            ("ZEEBE_AUTHORIZATION_SERVER_URL", "login"),
        ],
        "ZEEBE_AUTHORIZATION_SERVER_URL",
        "token endpoint",
    ),
    (
        &[("ZEEBE_CA_CERTIFICATE_PATH", "/nonexistent.pem")],
        "ZEEBE_CA_CERTIFICATE_PATH",
        "cannot read",
    ),
    (
        &[("ZEEBE_CLIENT_KEY_PATH", "/nonexistent.pem")],
        "ZEEBE_CLIENT_CERTIFICATE_PATH",
        "needed",
    ),
    (
        &[("BRIDGE_OIDC_ISSUER", "https://issuer.test")],
        "BRIDGE_OIDC_AUDIENCE",
        "needed with",
    ),
    (
        &[("BRIDGE_OIDC_AUDIENCE", "us")],
        "BRIDGE_OIDC_ISSUER",
        "needed with",
    ),
    (
        &[
            ("BRIDGE_OIDC_ISSUER", "http://issuer.test"),
            ("BRIDGE_OIDC_AUDIENCE", "us"),
        ],
        "BRIDGE_OIDC_ISSUER",
        "https",
    ),
    (
        &[("BRIDGE_OIDC_ALLOWED_SUBJECTS", "a")],
        "BRIDGE_OIDC_ALLOWED_SUBJECTS",
        "does nothing without",
    ),
    (
        &[
            ("BRIDGE_OIDC_ISSUER", "https://issuer.test"),
            ("BRIDGE_OIDC_AUDIENCE", "us"),
            ("BRIDGE_OIDC_ALLOWED_SUBJECTS", "a*b"),
        ],
        "BRIDGE_OIDC_ALLOWED_SUBJECTS",
        "not its last character",
    ),
];

#[test]
fn each_mistake_names_its_variable_and_what_to_write() {
    for (variables, at_fault, said) in REFUSED {
        let problems = read(variables).expect_err(&format!("{variables:?} should be refused"));
        let found = problems.iter().find(|(variable, _)| variable == at_fault);
        let (_, problem) = found.unwrap_or_else(|| {
            panic!("{variables:?}: no problem with {at_fault}, but {problems:?}")
        });
        assert!(
            problem.contains(said),
            "{variables:?}: `{problem}` does not say `{said}`"
        );
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let problems =
        read(&[("PORT", "x"), ("ROLES", "x"), ("BRIDGE_NO_RULE", "x")]).expect_err("refused");
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[tokio::test]
async fn a_bad_setting_ends_the_program_before_a_port_is_bound() {
    let environment = BTreeMap::from([
        (String::from("PORT"), String::from("0")),
        (String::from("BRIDGE_GRACE_SECONDS"), String::from("soon")),
    ]);
    let mut program =
        Program::start(env!("CARGO_BIN_EXE_eventing-zeebe"), &[], &environment).expect("started");
    let status = program.ended().await;
    assert_eq!(status.code(), Some(78), "EX_CONFIG");
    let output = program.output().join("\n");
    assert!(output.contains("BRIDGE_GRACE_SECONDS: `soon`"), "{output}");
    assert!(!output.contains("listening"), "{output}");
}
