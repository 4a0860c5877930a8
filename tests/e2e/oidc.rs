//! Who has no token of this cluster for the bridge, or may not, does not reach it; Knative's own Triggers do.
//!
//! For as long as a scenario runs, Knative's feature `authentication-oidc` is enabled, for the whole cluster: each Broker
//! in it wants tokens meanwhile.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::request::{Answered, try_send};

use crate::broker::Broker;
use crate::chart;
use crate::cluster::{kubectl, until};
use crate::forward::Forward;
use crate::install::greets;
use crate::metrics::Metrics;
use crate::room::{Room, rendered};
use crate::watcher::Watcher;

const AUDIENCE: &str = "eventing-zeebe";
/// Where queue-proxy takes requests in, as Serving sends them.
const QUEUE_PROXY: u16 = 8012;

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_token_and_may_reaches_the_bridge_that_the_manifests_install() {
    let room = Room::new("oidc-split").await;
    let _feature = Feature::enabled();
    room.engine_appears();
    // The line to edit.
    let ours = format!("system:serviceaccount:{}:*", room.name());
    let manifests = rendered("knative/oidc").replace("system:serviceaccount:default:*", &ours);
    assert!(manifests.contains(&ours), "no line to edit in knative/oidc");
    room.apply(&manifests);
    takes_tokens_alone(&room, "hello-requested").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_token_and_may_reaches_the_bridge_that_the_chart_installs() {
    let room = Room::new("oidc-chart").await;
    let _feature = Feature::enabled();
    chart::appears(&room, "combined", &["--set", "oidc.enabled=true"]);
    takes_tokens_alone(&room, "eventing-zeebe-hello-requested").await;
}

async fn takes_tokens_alone(room: &Room, trigger: &str) {
    identified(room, trigger).await;
    room.ready();
    // What came up while the SinkBinding had brought the address and no token works no jobs; here it would only be taken
    // for the pod that is asked below.
    room.at_zero().await;

    // The whole way: Broker, Trigger, sink, engine, source, Broker. Everybody on it shows a token.
    greets(room, "Ada").await;
    let pod = room.service_pods().pop().expect("it has just run");
    let metrics = Metrics::of(room, &format!("pod/{pod}")).await;
    let allowed = metrics.sum("bridge_senders_checks_total", "outcome=\"allowed\"");
    assert_eq!(allowed, 1.0, "the Trigger's event was checked");

    let to_somebody_else = token(room.name(), "another");
    let of_somebody_else = token("default", AUDIENCE);
    let right = token(room.name(), AUDIENCE);
    let bridge = Forward::to(room.name(), &format!("pod/{pod}"), QUEUE_PROXY).await;
    for (what, shown, status) in [
        ("no token", None, StatusCode::UNAUTHORIZED),
        (
            "wrong audience",
            Some(&to_somebody_else),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "wrong subject",
            Some(&of_somebody_else),
            StatusCode::FORBIDDEN,
        ),
    ] {
        let answered = asks(room, &bridge, what, shown).await;
        println!("{what}: {} {}", answered.status, answered.text());
        assert_eq!(answered.status, status, "{what}: {}", answered.text());
    }
    let answered = asks(room, &bridge, "Grace", Some(&right)).await;
    assert!(answered.status.is_success(), "{}", answered.text());
    let watch = Watcher::of(room, "watch").await;
    watch.sees("Hello, Grace").await;

    // A Trigger that does not say for whom its token is sends none.
    let none = r#"[{"op": "remove", "path": "/spec/subscriber/audience"}]"#;
    room.kubectl(&["patch", "trigger", trigger, "--type", "json", "-p", none]);
    let broker = Broker::of(room).await;
    let letters = Watcher::of(room, "dead-letters").await;
    let letter = until("an event without a token is a dead letter", || async {
        // Until the Broker knows of the change, they arrive.
        let name = format!("unsigned-{}", letters.count().await + watch.count().await);
        let data = json!({"name": name});
        broker.try_send(&name, "Hello.Requested", &data).await.ok();
        letters.events().await.pop()
    })
    .await;
    assert_eq!(letter["knativeerrorcode"], "401", "{letter:#}");
    let lines = letters.lines().await;
    println!("{lines}");
    assert!(lines.contains("authorization"), "no reason in: {lines}");
}

/// Waits until Knative has told everybody for whom tokens are, and who they are themselves.
async fn identified(room: &Room, trigger: &str) {
    let identities = [
        ("broker", "default", "/status/address/audience"),
        ("trigger", trigger, "/status/auth/serviceAccountName"),
        ("sinkbinding", "eventing-zeebe", "/status/sinkAudience"),
    ];
    for (kind, name, identity) in identities {
        let what = format!("{kind} {name} takes part in OIDC");
        until(&what, || async {
            let object = room.get(&[kind, name]);
            object.pointer(identity).is_some().then_some(())
        })
        .await;
    }
}

async fn asks(room: &Room, bridge: &Forward, name: &str, token: Option<&String>) -> Answered {
    let authorization = token.map(|token| format!("Bearer {token}"));
    // The engine remembers whose events it has had.
    let source = format!("/{}/asks", room.name());
    let mut headers = vec![
        ("ce-specversion", "1.0"),
        ("ce-id", name),
        ("ce-source", source.as_str()),
        ("ce-type", "Hello.Requested"),
        ("content-type", "application/json"),
    ];
    headers.extend(authorization.as_deref().map(|it| ("authorization", it)));
    let data = json!({"name": name}).to_string();
    let answered = try_send(Method::POST, bridge.url(), &headers, data).await;
    answered.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A token of the service account `default` of a namespace, for this audience.
pub(crate) fn token(namespace: &str, audience: &str) -> String {
    let create = ["--namespace", namespace, "create", "token", "default"];
    let token = kubectl(&[&create[..], &["--audience", audience]].concat());
    let token = token.unwrap_or_else(|error| panic!("{error}"));
    token.trim().to_owned()
}

/// Knative's feature `authentication-oidc`, enabled until this is dropped.
struct Feature {
    before: Option<String>,
}

impl Feature {
    fn enabled() -> Self {
        let features = kubectl(&[&FEATURES[..], &["get", "--output", "json"], &OF].concat());
        let features = features.unwrap_or_else(|error| panic!("{error}"));
        let features: Value = serde_json::from_str(&features).expect("kubectl prints JSON");
        let before = features["data"][OIDC].as_str().map(str::to_owned);
        println!(
            "the feature {OIDC} of the whole cluster, in config-features of knative-eventing, is enabled for this scenario, \
             and then again {}",
            before.as_deref().unwrap_or("unset")
        );
        set(Some("enabled")).unwrap_or_else(|error| panic!("{error}"));
        Self { before }
    }
}

impl Drop for Feature {
    fn drop(&mut self) {
        if let Err(error) = set(self.before.as_deref()) {
            println!("the feature {OIDC} is still enabled: {error}");
        }
    }
}

const OIDC: &str = "authentication-oidc";
const FEATURES: [&str; 2] = ["--namespace", "knative-eventing"];
const OF: [&str; 2] = ["configmap", "config-features"];

/// `None` takes the key away.
fn set(value: Option<&str>) -> Result<(), String> {
    let patch = json!({"data": {OIDC: value}}).to_string();
    let how = ["--type", "merge", "--patch", &patch];
    kubectl(&[&FEATURES[..], &["patch"], &OF, &how].concat()).map(drop)
}
