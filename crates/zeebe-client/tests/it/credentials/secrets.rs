//! Secrets stay secret: in errors, in what is printed, in logs.

use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault};
use testkit::lines::Lines;
use tonic::Code;
use zeebe_client::{ClientIdentity, Credentials, Gateway, Secret, Settings};

use super::server::TokenServer;
use super::{refused, shown};
use crate::harness::settings;

#[tokio::test]
async fn secrets_are_never_shown() {
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let mut settings: Settings = settings(&fake);
    settings.credentials = server.credentials();
    settings.client_identity = Some(ClientIdentity {
        certificate: b"hunter2-certificate".to_vec(),
        key: Secret::new("hunter2-key"),
    });
    let gateway = Gateway::new(settings.clone()).expect("plaintext needs no certificate");
    shown(&gateway, &fake).await;
    fake.fail("Topology", Fault::status(Code::Unauthenticated, "refused"));
    let error = refused(&gateway).await;
    let basic = Credentials::Basic {
        username: String::from("user"),
        password: Secret::new("hunter2-password"),
    };
    let all = format!("{settings:?} {settings:#?} {gateway:?} {error:?} {error} {basic:?}");
    assert!(!all.contains("hunter2"), "{all}");
    assert!(all.contains("[redacted]"), "{all}");
}

#[tokio::test]
async fn secrets_are_not_logged_at_any_level() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer({
            let lines = lines.clone();
            move || lines.clone()
        })
        .finish();
    let _all = tracing::subscriber::set_default(subscriber);
    let fake = FakeGateway::start().await;
    let server = TokenServer::start().await;
    let gateway = server.connect(&fake);
    shown(&gateway, &fake).await;
    server.answer(503, "");
    pass(Duration::from_secs(3560)).await;
    shown(&gateway, &fake).await;
    let mut settings = settings(&fake);
    settings.credentials = Credentials::Basic {
        username: String::from("Aladdin"),
        password: Secret::new("open sesame"),
    };
    shown(&Gateway::new(settings).expect("usable"), &fake).await;
    let all = lines.text();
    assert!(all.contains("could not be refreshed"), "{all}");
    for secret in ["hunter2", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="] {
        let line = all.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
