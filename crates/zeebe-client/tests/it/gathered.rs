//! Commands of every size arrive whole, many at once, over plaintext and over TLS.

use std::time::Duration;

use futures_util::future::join_all;
use testkit::certificates::Authority;
use testkit::gateway::{FakeGateway, Tls};
use zeebe_client::{Gateway, PublishMessage, Settings};

/// Below, at and above what the connection puts together before it is sent.
const SIZES: [usize; 7] = [0, 300, 1_100, 16_384, 40_960, 70_000, 1_000_000];

async fn publish_all(gateway: &Gateway) -> Vec<String> {
    let sent: Vec<String> = SIZES
        .iter()
        .map(|size| format!(r#"{{"text":"{}"}}"#, "x".repeat(*size)))
        .collect();
    let publishing = sent.iter().map(|variables| {
        gateway.publish_message(PublishMessage {
            name: String::from("m"),
            correlation_key: String::new(),
            message_id: String::new(),
            time_to_live: Duration::from_secs(1),
            variables: variables.clone(),
            tenant_id: None,
        })
    });
    for answer in join_all(publishing).await {
        answer.expect("the gateway takes it");
    }
    sent
}

fn assert_arrived(fake: &FakeGateway, mut sent: Vec<String>) {
    let mut arrived: Vec<String> = fake
        .published()
        .into_iter()
        .map(|message| message.variables)
        .collect();
    arrived.sort_by_key(String::len);
    sent.sort_by_key(String::len);
    assert!(arrived == sent, "something was lost or altered");
}

#[tokio::test]
async fn commands_of_every_size_arrive_whole() {
    let fake = FakeGateway::start().await;
    let settings = Settings::new(fake.address().parse().expect("an address"));
    let gateway = Gateway::new(settings).expect("settings that can be used");
    let sent = publish_all(&gateway).await;
    assert_arrived(&fake, sent);
}

#[tokio::test]
async fn they_do_over_tls_too() {
    let authority = Authority::new("tests");
    let fake = FakeGateway::start_with_tls(Tls {
        identity: authority.issue(&["127.0.0.1"]),
        client_ca: None,
    })
    .await;
    let mut settings = Settings::new(fake.address().parse().expect("an address"));
    settings.ca_certificate = Some(authority.certificate().into_bytes());
    let gateway = Gateway::new(settings).expect("settings that can be used");
    let sent = publish_all(&gateway).await;
    assert_arrived(&fake, sent);
}
