use std::collections::BTreeMap;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use testkit::program::Program;
use testkit::rules_file::RulesFile;
use tonic::Code;

use crate::support::{EXECUTABLE, sink};

/// Appears in secrets alone.
const MARK: &str = "hunter2hunter2";

fn assert_clean(what: &str, text: &str) {
    assert!(!text.contains(MARK), "a secret in {what}:\n{text}");
    // The form in which basic authentication sends it.
    assert!(
        !text.contains("aHVudGVyMmh1bnRlcjI"),
        "a secret in {what}:\n{text}"
    );
}

/// Everything that the bridge shows to anybody.
async fn assert_says_no_secret(bridge: &mut Bridge) {
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert_clean("an answer", answered.text());
    for page in ["readyz", "metrics"] {
        assert_clean(page, bridge.get(page).await.text());
    }
    bridge.program().terminate();
    bridge.program().ended().await;
    assert_clean("the log", &bridge.program().output().join("\n"));
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_an_answer_whatever_goes_wrong() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    for code in [Code::Unauthenticated, Code::PermissionDenied] {
        gateway.fail("PublishMessage", Fault::status(code, "as told"));
        // The authorization server knows the secret, and says it where it refuses.
        let given = Destination::start(|_| {
            let token = json!({"access_token": format!("token-{MARK}"), "expires_in": 3600});
            let response = http::Response::builder().header("content-type", "application/json");
            Answer::Response(response.body(token.to_string().into()).expect("a response"))
        })
        .await;
        let refused = Destination::start(|received| {
            let mut response = http::Response::new(received.body.clone());
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            Answer::Response(response)
        })
        .await;
        let (given, refused) = (given, refused);
        for server in [&given, &refused] {
            let url = server.url();
            let settings = [
                ("ZEEBE_GRPC_ADDRESS", address.as_str()),
                ("ZEEBE_CLIENT_ID", "client"),
                ("ZEEBE_CLIENT_SECRET", MARK),
                ("ZEEBE_AUTHORIZATION_SERVER_URL", url.as_str()),
                ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
                ("BRIDGE_LOG", "trace"),
            ];
            let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
            assert_says_no_secret(&mut bridge).await;
            assert!(!server.received().is_empty(), "no token was asked for");
        }
        let settings = [
            ("ZEEBE_GRPC_ADDRESS", address.as_str()),
            ("ZEEBE_BASIC_AUTH_USERNAME", MARK),
            ("ZEEBE_BASIC_AUTH_PASSWORD", MARK),
            ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
            ("BRIDGE_LOG", "trace"),
        ];
        let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
        assert_says_no_secret(&mut bridge).await;
        assert!(
            gateway
                .last_header("authorization")
                .is_some_and(|value| value.starts_with("Basic "))
        );
    }
}

#[tokio::test]
async fn the_token_for_the_destination_is_sent_and_said_to_nobody_else() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Status(401)).await;
    let token = RulesFile::new(&format!("{MARK}\n"));
    let url = destination.url();
    let settings = [
        ("K_SINK", url.as_str()),
        ("BRIDGE_OIDC_TOKEN_PATH", token.path()),
        ("BRIDGE_LOG", "trace"),
    ];
    let mut bridge = sink(&gateway, &settings).await;
    let key = gateway.add_job(NewJob {
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    });
    gateway
        .wait_for("an incident", |gateway| {
            gateway.job(key).state == JobState::Incident
        })
        .await;
    let authorization = destination.received()[0]
        .header("authorization")
        .map(str::to_owned);
    assert_eq!(authorization, Some(format!("Bearer {MARK}")));
    assert_clean("the incident", &gateway.job(key).error_message);
    bridge.program().terminate();
    bridge.program().ended().await;
    assert_clean("the log", &bridge.program().output().join("\n"));
}

#[tokio::test]
async fn a_bad_configuration_names_the_variable_and_not_the_secret_in_it() {
    for settings in [
        vec![("ZEEBE_CLIENT_SECRET", MARK)],
        vec![("ZEEBE_BASIC_AUTH_PASSWORD", MARK)],
        vec![
            ("ZEEBE_CLIENT_SECRET", MARK),
            ("ZEEBE_CLIENT_ID", "c"),
            ("PORT", "x"),
        ],
        vec![(
            "ZEEBE_GRPC_ADDRESS",
            "http://user:hunter2hunter2@gateway:26500",
        )],
        vec![("K_SINK", "http://user:hunter2hunter2@broker/")],
        vec![
            (
                "ZEEBE_AUTHORIZATION_SERVER_URL",
                "x://user:hunter2hunter2@host",
            ),
            ("ZEEBE_CLIENT_ID", "c"),
            ("ZEEBE_CLIENT_SECRET", MARK),
        ],
    ] {
        let environment: BTreeMap<String, String> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut program = Program::start(EXECUTABLE, &[], &environment).expect("the program");
        let status = program.ended().await;
        let printed = program.output().join("\n");
        assert_eq!(status.code(), Some(78), "{settings:?}: {printed}");
        assert_clean("an error", &printed);
        assert!(
            settings.iter().any(|(name, _)| printed.contains(name)),
            "no variable is named: {printed}"
        );
    }
}

#[tokio::test]
async fn proxy_variables_are_not_obeyed() {
    let gateway = FakeGateway::start().await;
    let (destination, proxy) = tokio::join!(Destination::accepting(), Destination::accepting());
    let (url, proxied) = (destination.url(), proxy.url());
    let mut settings = vec![("K_SINK", url.as_str())];
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "GRPC_PROXY",
        "grpc_proxy",
    ] {
        settings.push((name, proxied.as_str()));
    }
    let bridge = sink(&gateway, &settings).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    let key = gateway.add_job(NewJob {
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    });
    gateway
        .wait_for("the job", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    assert_eq!(destination.received().len(), 1);
    assert!(proxy.received().is_empty(), "{:?}", proxy.received());
}
