use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::certificates::Authority;
use testkit::destination::Answer;
use testkit::gateway::FakeGateway;
use testkit::issuer::{Issuer, Manner};
use testkit::program::Program;
use testkit::request::{self, Answered};

use crate::support::{EXECUTABLE, sink};

const AUDIENCE: &str = "eventing-zeebe";
const HELLO: &str = "system:serviceaccount:shop:hello";
const SUBJECTS: &str = "system:serviceaccount:shop:*";

/// The sink, asking for tokens of this issuer; it need not be ready.
async fn asking(gateway: &FakeGateway, issuer: &Issuer, settings: &[(&str, &str)]) -> Bridge {
    let (address, url) = (gateway.address(), issuer.url());
    let mut all = vec![
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("BRIDGE_OIDC_ISSUER", url.as_str()),
        ("BRIDGE_OIDC_AUDIENCE", AUDIENCE),
        ("BRIDGE_OIDC_ALLOWED_SUBJECTS", SUBJECTS),
    ];
    all.extend_from_slice(settings);
    Bridge::start(EXECUTABLE, &all).await
}

async fn send(bridge: &Bridge, token: &str) -> Answered {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    bridge.send_with("Test", "1", &headers, &json!({})).await
}

/// What a Broker does: it sends again what is answered 503, and gives up on any other refusal.
async fn send_until_told(bridge: &Bridge, token: &str) -> Answered {
    loop {
        let answered = send(bridge, token).await;
        if answered.status != 503 {
            return answered;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn waits_for(bridge: &Bridge) -> Option<String> {
    let page: Value = serde_json::from_slice(&bridge.get("readyz").await.body).expect("JSON");
    page["waiting"]["senders"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn who_has_no_good_token_is_401_who_may_not_403_and_who_may_202() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let mut bridge = asking(&gateway, &issuer, &[]).await;
    bridge.ready().await;
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 401, "{}", answered.text());
    assert!(answered.text().contains("there is no token"));
    let old = json!({"exp": 1_000_000_000});
    let refused = [
        ("no_token", 401, String::new()),
        ("malformed", 401, String::from("a.b.c")),
        (
            "wrong_audience",
            401,
            issuer.token("another", HELLO, &json!({})),
        ),
        (
            "wrong_issuer",
            401,
            issuer.token(AUDIENCE, HELLO, &json!({"iss": "https://other.test"})),
        ),
        ("expired", 401, issuer.token(AUDIENCE, HELLO, &old)),
        (
            "bad_signature",
            401,
            issuer.forged("first", AUDIENCE, HELLO, &json!({})),
        ),
        (
            "wrong_subject",
            403,
            issuer.token(AUDIENCE, "system:serviceaccount:shop2:hello", &json!({})),
        ),
    ];
    for (outcome, status, token) in &refused {
        let before = bridge
            .metric_of("bridge_senders_checks_total", &[("outcome", outcome)])
            .await;
        let answered = send(&bridge, token).await;
        assert_eq!(answered.status, *status, "{outcome}: {}", answered.text());
        let after = bridge
            .metric_of("bridge_senders_checks_total", &[("outcome", outcome)])
            .await;
        assert!((after - before - 1.0).abs() < f64::EPSILON, "{outcome}");
        let signature = token.rsplit('.').next().filter(|part| part.len() > 9);
        assert!(signature.is_none_or(|part| !answered.text().contains(part)));
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
    let good = issuer.token(AUDIENCE, HELLO, &json!({}));
    assert_eq!(send(&bridge, &good).await.status, 202);
    assert_eq!(gateway.calls("PublishMessage"), 1);
    // The wake-up is asked too: 501 is for whoever may.
    let drain = format!("{}drain", bridge.url());
    let event = [
        ("ce-specversion", "1.0"),
        ("ce-source", "/s"),
        ("ce-type", "T"),
        ("ce-id", "1"),
    ];
    assert_eq!(
        request::post(&drain, &event, String::new()).await.status,
        401
    );
    let bearer = format!("Bearer {good}");
    let mut with_token = event.to_vec();
    with_token.push(("authorization", &bearer));
    assert_ne!(
        request::post(&drain, &with_token, String::new())
            .await
            .status,
        401
    );
    // Health and metrics are open, and nothing shows a token.
    assert_eq!(bridge.get("healthz").await.status, 200);
    bridge.program().terminate();
    bridge.program().ended().await;
    let log = bridge.program().output().join("\n");
    assert!(!log.contains(good.rsplit('.').next().expect("a signature")));
}

#[tokio::test]
async fn a_token_of_a_key_that_came_after_the_last_reading_is_never_401() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let bridge = asking(&gateway, &issuer, &[]).await;
    bridge.ready().await;
    issuer.rotate("second");
    // The keys were read just now: it is sent again until they are read anew.
    let token = issuer.token(AUDIENCE, HELLO, &json!({}));
    let answered = send_until_told(&bridge, &token).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
}

/// Clocks differ: the token looks older than the last reading, and its key is newer.
#[tokio::test]
async fn neither_is_one_whose_issuer_has_a_clock_that_is_behind() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let bridge = asking(&gateway, &issuer, &[]).await;
    bridge.ready().await;
    issuer.rotate("second");
    let now = chrono::Utc::now().timestamp();
    let token = issuer.token(AUDIENCE, HELLO, &json!({"iat": now - 20, "nbf": now - 20}));
    let answered = send_until_told(&bridge, &token).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
}

#[tokio::test]
async fn strangers_who_wait_for_the_issuer_take_nobodys_place() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let bridge = asking(&gateway, &issuer, &[("BRIDGE_MAX_CONNECTIONS", "8")]).await;
    bridge.ready().await;
    let good = issuer.token(AUDIENCE, HELLO, &json!({}));
    issuer.behave(Manner::Answers(Answer::Never));
    let strangers: Vec<String> = (0..16)
        .map(|number| issuer.forged(&number.to_string(), AUDIENCE, HELLO, &json!({})))
        .map(|token| format!("Bearer {token}"))
        .collect();
    let before = issuer.requests();
    // They are answered at once until the keys may be read again, and wait from then on.
    let asking = async || {
        loop {
            for answered in request::post_at_once(bridge.url(), &strangers).await {
                assert!([401, 503].contains(&answered.status.as_u16()));
            }
        }
    };
    let sending = async {
        while issuer.requests() == before {
            assert_eq!(send(&bridge, &good).await.status, 202);
        }
        for _ in 0..20 {
            assert_eq!(send(&bridge, &good).await.status, 202);
        }
    };
    let asking = join_all((0..4).map(|_| asking()));
    tokio::select! {
        _ = asking => {}
        () = sending => {}
    }
}

#[tokio::test]
async fn strangers_with_keys_of_their_own_cannot_make_it_flood_the_issuer() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let bridge = asking(&gateway, &issuer, &[]).await;
    bridge.ready().await;
    let began = std::time::Instant::now();
    let before = issuer.requests();
    for number in 0..100 {
        let token = issuer.forged(&number.to_string(), AUDIENCE, HELLO, &json!({}));
        let status = send(&bridge, &token).await.status;
        assert!([401, 503].contains(&status.as_u16()), "{status}");
    }
    // Two requests a reading, and at most one reading in five seconds.
    let most = 2 * (began.elapsed().as_secs() as usize / 5 + 1);
    assert!(issuer.requests() - before <= most);
    // Of one that was made before the last reading it is certain.
    let old = issuer.forged("x", AUDIENCE, HELLO, &json!({"iat": 1_000_000_000}));
    assert_eq!(send(&bridge, &old).await.status, 401);
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn an_issuer_that_is_away_or_talks_nonsense_makes_events_wait_and_says_why() {
    let gateway = FakeGateway::start().await;
    let issuer = Issuer::start(None).await;
    let page = |text: String| Manner::Answers(Answer::Response(http::Response::new(text.into())));
    let huge = page("x".repeat(300 * 1024));
    let another = page(
        json!({"issuer": "https://other.test", "jwks_uri": "https://other.test/"}).to_string(),
    );
    let plain = page(json!({"issuer": issuer.url(), "jwks_uri": "http://other.test/"}).to_string());
    let manners = [
        (Manner::Answers(Answer::Cut), "cannot be read"),
        (Manner::Answers(Answer::Status(500)), "answered 500"),
        (Manner::Answers(Answer::Status(302)), "answered 302"),
        (huge, "limit"),
        (another, "other.test"),
        (plain, "jwks_uri"),
        (page(String::from("{}")), "discovery"),
    ];
    let token = issuer.token(AUDIENCE, HELLO, &json!({}));
    for (manner, said) in manners {
        issuer.behave(manner.clone());
        let bridge = asking(&gateway, &issuer, &[]).await;
        let answered = send(&bridge, &token).await;
        assert_eq!(answered.status, 503, "{manner:?}: {}", answered.text());
        let why = waits_for(&bridge).await.unwrap_or_default();
        assert!(why.contains(said), "{manner:?}: {why}");
        assert_eq!(bridge.get("healthz").await.status, 200);
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
    // It comes back by itself; and keys that are known stay when the issuer goes away again.
    let bridge = asking(&gateway, &issuer, &[]).await;
    issuer.behave(Manner::Tells);
    assert_eq!(send_until_told(&bridge, &token).await.status, 202);
    issuer.behave(Manner::Answers(Answer::Never));
    assert_eq!(send(&bridge, &token).await.status, 202);
}

#[tokio::test]
async fn an_issuer_with_a_ca_of_its_own_tells_its_keys_to_whoever_shows_a_token() {
    let gateway = FakeGateway::start().await;
    let authority = Authority::new("the cluster");
    let issuer = Issuer::start(Some(&authority.issue(&["127.0.0.1"]))).await;
    issuer.behave(Manner::ToBearer("ours".to_owned()));
    let folder = tempfile::tempdir().expect("a directory");
    let (ca, own) = (folder.path().join("ca.crt"), folder.path().join("token"));
    std::fs::write(&ca, authority.certificate()).expect("written");
    std::fs::write(&own, "old\n").expect("written");
    let (ca, path) = (ca.display().to_string(), own.display().to_string());
    let token = issuer.token(AUDIENCE, HELLO, &json!({}));
    // Nobody vouches for it.
    let bridge = asking(&gateway, &issuer, &[]).await;
    assert_eq!(send(&bridge, &token).await.status, 503);
    let settings = [
        ("BRIDGE_OIDC_CA_CERTIFICATE_PATH", ca.as_str()),
        ("BRIDGE_OIDC_DISCOVERY_TOKEN_PATH", path.as_str()),
    ];
    let bridge = asking(&gateway, &issuer, &settings).await;
    assert_eq!(send(&bridge, &token).await.status, 503);
    let why = waits_for(&bridge).await.unwrap_or_default();
    assert!(why.contains("answered 403"), "{why}");
    // The token rotates.
    std::fs::write(&own, "ours\n").expect("written");
    assert_eq!(send_until_told(&bridge, &token).await.status, 202);
}

#[tokio::test]
async fn without_an_issuer_nobody_is_asked() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    assert_eq!(send(&bridge, "nonsense").await.status, 202);
}

#[tokio::test]
async fn certificates_that_are_none_end_it_at_start() {
    let folder = tempfile::tempdir().expect("a directory");
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, "nonsense").expect("written");
    let settings = [
        ("PORT".to_owned(), "0".to_owned()),
        (
            "BRIDGE_OIDC_ISSUER".to_owned(),
            "https://issuer.test".to_owned(),
        ),
        ("BRIDGE_OIDC_AUDIENCE".to_owned(), AUDIENCE.to_owned()),
        (
            "BRIDGE_OIDC_CA_CERTIFICATE_PATH".to_owned(),
            ca.display().to_string(),
        ),
    ];
    let mut program = Program::start(EXECUTABLE, &[], &settings.into()).expect("it starts");
    program.ended().await;
    let output = program.output().join("\n");
    assert!(
        output.contains("BRIDGE_OIDC_CA_CERTIFICATE_PATH"),
        "{output}"
    );
}
