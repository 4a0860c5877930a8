//! Made when needed, and again when lost.

use futures_util::future::join_all;
use testkit::gateway::{FakeGateway, Fault};
use zeebe_client::{ErrorKind, Gateway, Topology};

use crate::harness::{connect, message, settings};

#[tokio::test]
async fn a_client_can_be_made_while_the_gateway_is_down_and_works_when_it_comes() {
    let fake = FakeGateway::start().await;
    fake.stop().await;
    let gateway = connect(&fake);
    for _ in 0..3 {
        let error = gateway
            .topology(Topology)
            .await
            .expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    fake.start_again().await;
    let topology = gateway.topology(Topology).await.expect("it came");
    assert_eq!((topology.partitions, topology.healthy_leaders), (1, 1));
}

#[tokio::test]
async fn nothing_is_sent_before_the_first_command() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    assert_eq!(fake.calls("Topology"), 0);
    gateway.topology(Topology).await.expect("an answer");
    assert_eq!(fake.calls("Topology"), 1);
}

#[tokio::test]
async fn a_gateway_that_restarts_is_found_again_by_all_clones() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let clone = gateway.clone();
    for round in 0..5 {
        gateway
            .publish_message(message(&format!("{round}-a")))
            .await
            .expect("up");
        fake.stop().await;
        let down = gateway.publish_message(message("never")).await;
        // Written into the connection before its end was noticed, it may have arrived.
        let kind = down.expect_err("down").kind();
        assert!(
            matches!(kind, ErrorKind::Unavailable | ErrorKind::OutcomeUnknown),
            "round {round}"
        );
        let still = gateway.publish_message(message("never")).await;
        let kind = still.expect_err("down").kind();
        assert_eq!(kind, ErrorKind::Unavailable, "round {round}");
        fake.start_again().await;
        clone
            .publish_message(message(&format!("{round}-b")))
            .await
            .expect("up again");
    }
    assert_eq!(fake.published().len(), 10);
}

#[tokio::test]
async fn commands_under_way_when_the_gateway_stops_have_an_unknown_outcome() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    fake.fail("PublishMessage", Fault::Hang);
    let calls = (0..20).map(|id| gateway.publish_message(message(&id.to_string())));
    let stopping = async {
        fake.wait_for("all calls", |fake| fake.calls("PublishMessage") == 20)
            .await;
        fake.stop().await;
    };
    let (answers, ()) = tokio::join!(join_all(calls), stopping);
    for answer in answers {
        assert_eq!(
            answer.expect_err("stopped").kind(),
            ErrorKind::OutcomeUnknown
        );
    }
}

#[tokio::test]
async fn the_authority_can_be_another_than_the_address() {
    let fake = FakeGateway::start().await;
    let mut settings = settings(&fake);
    settings.override_authority = Some(String::from("zeebe.example:26500"));
    let gateway = Gateway::new(settings).expect("usable settings");
    gateway.topology(Topology).await.expect("an answer");
    assert!(
        fake.last_header("user-agent")
            .is_some_and(|agent| agent.starts_with("eventing-zeebe/"))
    );
}

#[test]
fn an_address_is_a_scheme_a_host_and_a_port() {
    for good in [
        "http://localhost:26500",
        "https://zeebe.example:443/",
        "http://[::1]:26500",
    ] {
        good.parse::<zeebe_client::Address>()
            .unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in [
        "",
        "localhost:26500",
        "grpc://localhost:26500",
        "http://user:secret@localhost:26500",
        "http://localhost:26500/path",
        "http://localhost:26500?query",
        "http://",
    ] {
        let error = bad
            .parse::<zeebe_client::Address>()
            .expect_err("no address");
        assert!(!error.to_string().contains("secret"), "{bad}");
    }
}
