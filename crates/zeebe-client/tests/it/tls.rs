//! Private authorities, mutual TLS, and mistakes.

use testkit::certificates::{Authority, Identity};
use testkit::gateway::{FakeGateway, Tls};
use zeebe_client::{
    ClientIdentity, EngineError, ErrorKind, Gateway, Secret, Settings, SettingsError, Topology,
};

use crate::harness::settings;

fn trusting(fake: &FakeGateway, authority: &Authority) -> Settings {
    let mut settings = settings(fake);
    settings.ca_certificate = Some(authority.certificate().into_bytes());
    settings
}

fn ours(identity: &Identity) -> ClientIdentity {
    ClientIdentity {
        certificate: identity.certificate.clone().into_bytes(),
        key: Secret::new(&identity.key),
    }
}

async fn ask(settings: Settings) -> Result<(), EngineError> {
    let gateway = Gateway::new(settings).expect("usable settings");
    gateway.topology(Topology).await.map(|_| ())
}

async fn secured(authority: &Authority, names: &[&str]) -> FakeGateway {
    FakeGateway::start_with_tls(Tls {
        identity: authority.issue(names),
        client_ca: None,
    })
    .await
}

#[tokio::test]
async fn a_gateway_of_a_private_authority_is_trusted_where_we_were_told_to() {
    let authority = Authority::new("ours");
    let fake = secured(&authority, &["127.0.0.1"]).await;
    ask(trusting(&fake, &authority)).await.expect("trusted");
    fake.stop().await;
    fake.start_again().await;
    ask(trusting(&fake, &authority)).await.expect("trusted");
}

#[tokio::test]
async fn a_gateway_of_an_unknown_authority_is_refused_and_the_reason_said() {
    let fake = secured(&Authority::new("theirs"), &["127.0.0.1"]).await;
    let another = trusting(&fake, &Authority::new("ours"));
    let public = settings(&fake);
    for settings in [another, public] {
        let error = ask(settings).await.expect_err("not trusted");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let message = error.message().to_lowercase();
        assert!(message.contains("certificate"), "{error}");
    }
    assert_eq!(fake.calls("Topology"), 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_that_name_is_expected() {
    let authority = Authority::new("ours");
    let fake = secured(&authority, &["zeebe.example"]).await;
    let error = ask(trusting(&fake, &authority)).await.expect_err("another");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("zeebe.example"), "{error}");
    for name in ["zeebe.example", "zeebe.example:26500"] {
        let mut settings = trusting(&fake, &authority);
        settings.override_authority = Some(name.to_owned());
        ask(settings).await.expect("the name that is expected");
    }
}

#[tokio::test]
async fn with_mutual_tls_both_sides_show_a_certificate() {
    let authority = Authority::new("servers");
    let clients = Authority::new("clients");
    let fake = FakeGateway::start_with_tls(Tls {
        identity: authority.issue(&["127.0.0.1"]),
        client_ca: Some(clients.certificate()),
    })
    .await;
    let mut settings = trusting(&fake, &authority);
    settings.client_identity = Some(ours(&clients.issue(&["bridge"])));
    ask(settings.clone()).await.expect("known to each other");

    settings.client_identity = Some(ours(&authority.issue(&["bridge"])));
    let stranger = ask(settings.clone()).await.expect_err("a stranger");
    settings.client_identity = None;
    let nobody = ask(settings).await.expect_err("nobody");
    for error in [stranger, nobody] {
        let message = error.message();
        assert!(
            message.contains("UnknownCA") || message.contains("Certificate"),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    assert_eq!(fake.calls("Topology"), 1);
}

#[tokio::test]
async fn plaintext_to_a_gateway_with_tls_fails_and_reaches_nobody() {
    let fake = secured(&Authority::new("ours"), &["127.0.0.1"]).await;
    let address = fake.address().replace("https://", "http://");
    let error = ask(Settings::new(address.parse().expect("an address")))
        .await
        .expect_err("no TLS");
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::OutcomeUnknown
        ),
        "{error}"
    );
    assert!(error.message().contains("https://"), "{error}");
    assert_eq!(fake.calls("Topology"), 0);
}

#[tokio::test]
async fn tls_to_a_gateway_without_it_is_unavailable() {
    let fake = FakeGateway::start().await;
    let address = fake.address().replace("http://", "https://");
    let error = ask(Settings::new(address.parse().expect("an address")))
        .await
        .expect_err("no TLS there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn certificates_and_keys_that_cannot_be_used_are_refused_at_once() {
    let authority = Authority::new("ours");
    let fake = secured(&authority, &["127.0.0.1"]).await;
    let good = authority.issue(&["bridge"]);
    let other = authority.issue(&["bridge"]);
    let with_ca = |pem: &str| {
        let mut settings = settings(&fake);
        settings.ca_certificate = Some(pem.as_bytes().to_vec());
        settings
    };
    let with_identity = |certificate: &str, key: &str| {
        let mut settings = trusting(&fake, &authority);
        settings.client_identity = Some(ClientIdentity {
            certificate: certificate.as_bytes().to_vec(),
            key: Secret::new(key),
        });
        settings
    };
    for (what, settings) in [
        ("an empty authority", with_ca("")),
        ("an authority that is no PEM", with_ca("not a certificate")),
        ("a key as authority", with_ca(&good.key)),
        ("no key", with_identity(&good.certificate, "")),
        (
            "a key that is none",
            with_identity(&good.certificate, "no key"),
        ),
        ("no certificate", with_identity("", &good.key)),
        (
            "a key of another certificate",
            with_identity(&good.certificate, &other.key),
        ),
    ] {
        match Gateway::new(settings) {
            Err(SettingsError::Tls(reason)) => assert!(!reason.contains("PRIVATE"), "{what}"),
            Err(other) => panic!("{what}: {other}"),
            Ok(_) => panic!("{what} is accepted"),
        }
    }
}
