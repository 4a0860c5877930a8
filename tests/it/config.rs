//! Bad configuration is fatal before a port is bound, and every problem names its variable.

use std::collections::BTreeMap;

use eventing_zeebe::config::{Config, env, reference_page};
use testkit::program::Program;

pub(crate) fn read(variables: &[(&str, &str)]) -> Result<Config, Vec<(String, String)>> {
    Config::from_variables(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
    .map_err(|errors| {
        errors
            .problems()
            .iter()
            .map(|problem| (problem.variable.clone(), problem.problem.clone()))
            .collect()
    })
}

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

#[test]
fn an_empty_value_is_an_unset_one() {
    let config = read(&[
        ("PORT", ""),
        ("K_SINK", ""),
        ("K_CE_OVERRIDES", ""),
        ("BRIDGE_ADMIN_PORT", " "),
    ])
    .expect("read");
    assert_eq!(config.bind.main.port(), 8080);
    assert!(config.bind.admin.is_none());
    assert!(config.roles.sink && !config.roles.source);
}

#[test]
fn the_roles_follow_from_k_sink_unless_they_are_named() {
    let roles = |variables: &[(&str, &str)]| {
        let roles = read(variables).expect("read").roles;
        (roles.sink, roles.source)
    };
    assert_eq!(roles(&[]), (true, false));
    assert_eq!(roles(&[("K_SINK", "http://broker/")]), (true, true));
    assert_eq!(roles(&[("ROLES", "source")]), (false, true));
    assert_eq!(
        roles(&[("ROLES", "sink"), ("K_SINK", "http://broker/")]),
        (true, false)
    );
    assert_eq!(roles(&[("ROLES", "source, sink")]), (true, true));
}

#[test]
fn the_older_address_is_understood() {
    let address =
        |variables: &[(&str, &str)]| read(variables).expect("read").engine.address.to_string();
    assert_eq!(address(&[]), "http://127.0.0.1:26500");
    assert_eq!(address(&[("ZEEBE_ADDRESS", "z:26500")]), "https://z:26500");
    assert_eq!(
        address(&[
            ("ZEEBE_ADDRESS", "z:26500"),
            ("ZEEBE_INSECURE_CONNECTION", "true")
        ]),
        "http://z:26500"
    );
    assert_eq!(
        address(&[
            ("ZEEBE_ADDRESS", "z:1"),
            ("ZEEBE_GRPC_ADDRESS", "http://y:2/")
        ]),
        "http://y:2"
    );
}

#[test]
fn a_time_to_live_below_the_triggers_horizon_is_warned_about() {
    let config = read(&[("BRIDGE_TIME_TO_LIVE_SECONDS", "60")]).expect("read");
    assert!(
        config
            .warnings
            .iter()
            .any(|warning| warning.contains("BRIDGE_TIME_TO_LIVE_SECONDS"))
    );
    assert!(read(&[]).expect("read").warnings.is_empty());
}

#[test]
fn a_batch_that_could_never_be_taken_is_warned_about() {
    let config = read(&[("BRIDGE_MAX_BATCH_EVENTS", "1000")]).expect("read");
    let warnings = config.warnings.join("\n");
    assert!(
        warnings.contains("BRIDGE_MAX_COMMANDS_PER_REQUEST"),
        "{warnings}"
    );
}

/// What is set -> a word of the warning; empty where nothing is said.
const OVERLOOKED: &[(&str, &str)] = &[
    ("ZEEBE_GRPC_ADRESS", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_GRPCADDRESS", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_GRPC_ADDR", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_ADRESS", "did you mean ZEEBE_ADDRESS?"),
    ("ZEEBE_CLIENTID", "did you mean ZEEBE_CLIENT_ID?"),
    ("ZEEBE_JOB_TYPE", "did you mean ZEEBE_JOB_TYPES?"),
    (
        "ZEEBE_CA_CERT_PATH",
        "did you mean ZEEBE_CA_CERTIFICATE_PATH?",
    ),
    (
        "ZEEBE_REST_ADDRESS",
        "this program reads ZEEBE_GRPC_ADDRESS",
    ),
    (
        "ZEEBE_TENANT_ID",
        "this program reads ZEEBE_DEFAULT_TENANT_ID",
    ),
    ("ZEEBE_CLIENT_CONFIG_PATH", "for other clients"),
    ("OTEL_LOGS_EXPORTER", "docs/CONFIG.md says why"),
    ("OTEL_TRACES_EXPORTER", "no exporter `x`"),
    // Service links of Kubernetes, for Services called `zeebe` and `zeebe-gateway`.
    ("ZEEBE_PORT", ""),
    ("ZEEBE_SERVICE_HOST", ""),
    ("ZEEBE_SERVICE_PORT_GATEWAY", ""),
    ("ZEEBE_PORT_26500_TCP_ADDR", ""),
    ("ZEEBE_GATEWAY_PORT_26500_TCP", ""),
    ("ZEEBE_GATEWAY_SERVICE_PORT", ""),
    // The engine's own.
    ("ZEEBE_BROKER_CLUSTER_NODEID", ""),
    ("ZEEBE_BROKER_GATEWAY_ENABLE", ""),
    ("ZEEBE_GATEWAY_NETWORK_PORT", ""),
    ("ZEEBE_LOG_LEVEL", ""),
    ("OTEL_SERVICE_NAME", ""),
    ("HOME", ""),
];

#[test]
fn a_variable_that_looks_like_ours_and_is_not_read_is_warned_about() {
    for (name, said) in OVERLOOKED {
        let warnings = read(&[(name, "x")]).expect("read").warnings;
        if said.is_empty() {
            assert!(warnings.is_empty(), "{name}: {warnings:?}");
            continue;
        }
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(
            warnings[0].contains(name) && warnings[0].contains(said),
            "{name}: {warnings:?}"
        );
    }
}

#[tokio::test]
async fn what_is_overlooked_is_said_once_at_start() {
    let gateway = testkit::gateway::FakeGateway::start().await;
    let settings = [("OTEL_LOGS_EXPORTER", "otlp")];
    let mut bridge = crate::support::sink(&gateway, &settings).await;
    bridge.program().terminate();
    bridge.program().ended().await;
    let output = bridge.program().output();
    let said = output
        .iter()
        .filter(|line| line.contains("OTEL_LOGS_EXPORTER"))
        .count();
    assert_eq!(said, 1, "{output:?}");
}

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

#[test]
fn every_default_is_one_that_the_program_accepts() {
    read(&[]).expect("the defaults");
    for setting in env::SETTINGS
        .iter()
        .filter(|setting| !setting.default.is_empty())
    {
        read(&[(setting.name, setting.default)])
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", setting.name));
    }
}

#[test]
fn the_reference_page_is_what_the_declarations_say() {
    let kept = include_str!("../../docs/CONFIG.md");
    assert!(
        kept == reference_page(),
        "docs/CONFIG.md is out of date; run `cargo run -- config > docs/CONFIG.md`"
    );
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
