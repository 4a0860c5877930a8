//! Tokens, basic authentication, and that secrets stay secret.
//!
//! - `server`: an authorization server that gives tokens, or what it is told.
//! - `secrets`: what is never shown.

mod secrets;
mod server;

use std::time::Duration;

use futures_util::future::join_all;
use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault};
use tokio::net::TcpListener;
use tonic::Code;
use zeebe_client::{Credentials, EngineError, ErrorKind, Gateway, OAuth, Secret, Topology};

use crate::harness::{connect, settings};
use server::{CLIENT_SECRET, TokenServer};

async fn shown(gateway: &Gateway, fake: &FakeGateway) -> Option<String> {
    gateway.topology(Topology).await.expect("an answer");
    fake.last_header("authorization")
}

async fn refused(gateway: &Gateway) -> EngineError {
    gateway.topology(Topology).await.expect_err("a failure")
}

#[tokio::test]
async fn without_credentials_no_authorization_is_sent() {
    let fake = FakeGateway::start().await;
    assert_eq!(shown(&connect(&fake), &fake).await, None);
}

#[tokio::test]
async fn a_user_and_a_password_are_sent_as_basic_authentication() {
    let fake = FakeGateway::start().await;
    let mut settings = settings(&fake);
    settings.credentials = Credentials::Basic {
        username: String::from("Aladdin"),
        password: Secret::new("open sesame"),
    };
    let gateway = Gateway::new(settings).expect("usable settings");
    // The pair that RFC 7617 gives as its example.
    assert_eq!(
        shown(&gateway, &fake).await.as_deref(),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
}

#[tokio::test]
async fn one_token_serves_all_commands_and_is_asked_for_as_rfc_6749_says() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    for _ in 0..3 {
        assert_eq!(
            shown(&gateway, &fake).await.as_deref(),
            Some("Bearer hunter2-token-1")
        );
    }
    assert_eq!(
        server.requests(),
        [
            "grant_type=client_credentials&client_id=bridge&client_secret=hunter2-client-secret\
             &audience=zeebe+api"
        ]
    );
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_expires() {
    // (how long it lives, when it is used still, when no more), in seconds
    for (life, used, refreshed) in [(3600, 3530, 3541), (100, 70, 76), (8, 5, 7)] {
        let fake = FakeGateway::start().await;
        let server = TokenServer::start().await;
        server.answer(
            200,
            &format!(r#"{{"access_token":"t-N","expires_in":{life}}}"#),
        );
        let gateway = server.connect(&fake);
        shown(&gateway, &fake).await;
        pass(Duration::from_secs(used)).await;
        let still = shown(&gateway, &fake).await;
        assert_eq!(still.as_deref(), Some("Bearer t-1"), "{life}");
        pass(Duration::from_secs(refreshed - used)).await;
        let fresh = shown(&gateway, &fake).await;
        assert_eq!(fresh.as_deref(), Some("Bearer t-2"), "{life}");
    }
}

#[tokio::test]
async fn a_life_beyond_all_clocks_is_taken_for_a_long_one() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    for life in [u64::MAX, u64::MAX / 2, 1 << 53] {
        server.answer(
            200,
            &format!(r#"{{"access_token":"t-N","expires_in":{life}}}"#),
        );
        let gateway = server.connect(&fake);
        let token = shown(&gateway, &fake).await.expect("a token");
        pass(Duration::from_secs(3600)).await;
        assert_eq!(shown(&gateway, &fake).await.as_deref(), Some(&*token));
    }
}

#[tokio::test]
async fn a_token_is_kept_to_its_end_when_it_cannot_be_refreshed() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    shown(&gateway, &fake).await;
    server.answer(503, "");
    pass(Duration::from_secs(3560)).await;
    assert_eq!(
        shown(&gateway, &fake).await.as_deref(),
        Some("Bearer hunter2-token-1")
    );
    shown(&gateway, &fake).await;
    assert_eq!(server.requests().len(), 2, "not tried with every command");
    pass(Duration::from_secs(6)).await;
    shown(&gateway, &fake).await;
    assert_eq!(server.requests().len(), 3, "tried again after a while");
    pass(Duration::from_secs(60)).await;
    let error = refused(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_refresh_that_hangs_holds_up_one_caller_and_no_other() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    shown(&gateway, &fake).await;
    server.shared.open.send_replace(false);
    pass(Duration::from_secs(3560)).await;
    let others = async {
        server.asked(2).await;
        for _ in 0..10 {
            gateway.topology(Topology).await.expect("the old token");
        }
        server.shared.open.send_replace(true);
    };
    let (held_up, ()) = tokio::join!(gateway.topology(Topology), others);
    held_up.expect("a fresh token");
    assert_eq!(
        shown(&gateway, &fake).await.as_deref(),
        Some("Bearer hunter2-token-2")
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn many_callers_share_one_request_for_a_token() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    server.shared.open.send_replace(false);
    let gateway = server.connect(&fake);
    let calls = (0..50).map(|_| gateway.topology(Topology));
    let opening = async {
        server.asked(1).await;
        server.shared.open.send_replace(true);
    };
    let (answers, ()) = tokio::join!(join_all(calls), opening);
    for answer in answers {
        answer.expect("an answer");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn many_callers_share_one_failure_to_get_a_token() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    server.shared.open.send_replace(false);
    server.answer(503, "");
    let gateway = server.connect(&fake);
    let calls = (0..50).map(|_| gateway.topology(Topology));
    let opening = async {
        server.asked(1).await;
        server.shared.open.send_replace(true);
    };
    let (answers, ()) = tokio::join!(join_all(calls), opening);
    for answer in answers {
        let error = answer.expect_err("no token");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(server.requests().len(), 1);
    // Whoever comes later asks anew.
    server.answer(200, r#"{"access_token":"t-N"}"#);
    assert_eq!(shown(&gateway, &fake).await.as_deref(), Some("Bearer t-2"));
}

#[tokio::test]
async fn a_token_that_the_gateway_refuses_is_forgotten_and_fetched_again() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    shown(&gateway, &fake).await;
    pass(Duration::from_secs(60)).await;
    fake.fail_next(1, "Topology", Fault::status(Code::Unauthenticated, "old"));
    let error = refused(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::CredentialsRefused);
    assert_eq!(
        shown(&gateway, &fake).await.as_deref(),
        Some("Bearer hunter2-token-2")
    );
}

#[tokio::test]
async fn a_gateway_that_refuses_every_token_does_not_make_us_ask_for_one_a_command() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    fake.fail("Topology", Fault::status(Code::Unauthenticated, "never"));
    for _ in 0..100 {
        let error = refused(&gateway).await;
        assert_eq!(error.kind(), ErrorKind::CredentialsRefused);
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_denied_command_keeps_its_token() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    shown(&gateway, &fake).await;
    pass(Duration::from_secs(60)).await;
    fake.fail_next(1, "Topology", Fault::status(Code::PermissionDenied, "no"));
    assert_eq!(refused(&gateway).await.kind(), ErrorKind::Denied);
    shown(&gateway, &fake).await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_an_authorization_server_answers_instead_of_a_token_means_this() {
    use ErrorKind::{CredentialsRefused, Unavailable};
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    let huge = "x".repeat(100 * 1024);
    for (status, body, kind) in [
        (400, r#"{"error":"invalid_client"}"#, CredentialsRefused),
        (401, "hunter2-client-secret is wrong", CredentialsRefused),
        (302, "", CredentialsRefused),
        (429, "", Unavailable),
        (500, "", Unavailable),
        (503, "", Unavailable),
        (200, "", CredentialsRefused),
        (200, "<html>log in</html>", CredentialsRefused),
        (200, r#"{"token":"t"}"#, CredentialsRefused),
        (200, r#"{"access_token":"a\nb"}"#, CredentialsRefused),
        (200, &huge, Unavailable),
    ] {
        server.answer(status, body);
        let error = refused(&gateway).await;
        assert_eq!(error.kind(), kind, "{status} {error}");
        assert!(error.message().contains("/oauth/token"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    assert_eq!(fake.calls("Topology"), 0);
}

#[tokio::test]
async fn an_authorization_server_that_is_away_makes_the_engine_unavailable() {
    let fake = FakeGateway::start().await;
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        gone.local_addr().expect("its address").port()
    };
    let mut settings = settings(&fake);
    settings.credentials = Credentials::OAuth(OAuth {
        authorization_server: format!("http://127.0.0.1:{port}/token")
            .parse()
            .expect("a URI"),
        client_id: String::from("bridge"),
        client_secret: Secret::new(CLIENT_SECRET),
        audience: None,
        scope: None,
    });
    let gateway = Gateway::new(settings).expect("usable settings");
    let error = refused(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("refused"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[tokio::test]
async fn an_authorization_server_that_hangs_is_given_up() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    server.shared.open.send_replace(false);
    let mut settings = settings(&fake);
    settings.credentials = server.credentials();
    settings.call_timeout = Duration::from_millis(50);
    let gateway = Gateway::new(settings).expect("usable settings");
    let error = refused(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}
