//! Whom NetworkPolicies let in and out. It takes a cluster that enforces them, which many do not: `make e2e-policies`.
//!
//! Namespaces of the scenarios' own stand for the layer below Serving and for Prometheus, as one writes them into the
//! policies where one's own are called otherwise. Each door that is shut is seen to be open once the policies are gone.

use serde_json::{Value, json};

use crate::broker::Broker;
use crate::chart;
use crate::cluster::until;
use crate::doors::{Door, are_kept, hold, open_without_policies};
use crate::engine;
use crate::install::greets;
use crate::metrics::Metrics;
use crate::passer_by::{Abroad, PasserBy};
use crate::room::{Room, SERVICE_PODS, rendered};
use crate::watcher::Watcher;

/// Of queue-proxy: events by HTTP/1.1, by HTTP/2 and by TLS, and what the autoscaler asks. It has one of the first two, as the
/// Revision's port is named, and the third where Serving encrypts inside of the cluster; somebody stands in for the others.
const QUEUE_PROXY: [u16; 4] = [8012, 8013, 8112, 9090];
/// Of the bridge, and of whoever listens besides: events.
const EVENTS: u16 = 8080;
const ADMIN: u16 = 9095;
const COLLECTOR: u16 = 4318;

const ENGINE: &str = "zeebe-gateway:26500";
const API_SERVER: &str = "kubernetes.default:443";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a cluster that enforces NetworkPolicies: make e2e-policies"]
async fn policies_let_pass_what_the_bridge_needs_and_stop_the_rest_in_topology_split() {
    let room = Room::new("policies-split").await;
    let world = World::that_enforces(&room).await;
    room.engine_appears();
    room.apply(&world.written_into(rendered("knative/hello")));
    room.ready();
    // From zero: Broker, Serving, sink, engine, source, Broker.
    room.at_zero().await;
    greets(&room, "Ada").await;
    let broker = Broker::of(&room).await;
    let nameless = json!({"nobody": true});
    broker.send("nameless", "Hello.Requested", &nameless).await;
    let letters = Watcher::of(&room, "dead-letters").await;
    letters.sees("nobody").await;

    let sink = stays(&room, "the sink").await;
    let source = ready(&room, "app.kubernetes.io/component=source").await;
    let source = PasserBy::inside("the source", room.name(), &source).await;
    let source = source.surely_reaches(ENGINE.to_owned());
    let letters = ready(&room, "app.kubernetes.io/name=dead-letters").await;
    let letters = PasserBy::inside("dead letters", room.name(), &letters).await;
    // They may go nowhere but to themselves.
    let own = letters.at(EVENTS);
    let letters = letters.surely_reaches(own);
    let neighbour = world.neighbour_in(&room);
    let stranger = world.stranger.pod();
    let broker = broker_of(&room);
    let mut doors = world.doors_of_the_service(&sink, &neighbour);
    doors.extend([
        Door::open(world.prometheus.pod(), &source, ADMIN),
        Door::shut(stranger, &source, ADMIN),
        Door::shut(world.layer.pod(), &source, ADMIN),
        Door::shut(stranger, &letters, EVENTS),
        Door::shut(&neighbour, &letters, EVENTS),
        Door::open_to(&sink, ENGINE),
        Door::shut_to(&sink, &broker),
        Door::shut(&sink, stranger, EVENTS),
        Door::open_to(&source, ENGINE),
        Door::open_to(&source, &broker),
        Door::shut(&source, stranger, EVENTS),
        Door::shut_to(&source, "watch:80"),
        Door::shut_to(&source, API_SERVER),
        Door::shut(&letters, stranger, EVENTS),
    ]);
    hold(&doors).await;
    greets(&room, "Grace").await;
    open_without_policies(&room, &doors).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a cluster that enforces NetworkPolicies: make e2e-policies"]
async fn policies_let_pass_what_the_bridge_needs_and_stop_the_rest_in_topology_combined() {
    let room = Room::new("policies-combined").await;
    let world = World::that_enforces(&room).await;
    let collector = Abroad::of(&room, "collector", COLLECTOR);
    let settings = world.settings(&collector);
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    chart::appears(&room, "combined", &settings.collect::<Vec<_>>());
    room.ready();
    // PingSource, Serving, the bridge, and the engine, which has no job. Woken each minute it is hardly ever at zero.
    until("a wake-up ends with nothing left to do", || async {
        let pod = room.service_pods().pop()?;
        let metrics = Metrics::try_of(&room, &format!("pod/{pod}")).await.ok()?;
        let drained = metrics.sum("bridge_source_drains_total", "outcome=\"drained\"");
        (drained > 0.0).then_some(())
    })
    .await;
    greets(&room, "Ada").await;

    let bridge = stays(&room, "the bridge").await;
    let neighbour = world.neighbour_in(&room);
    let mut doors = world.doors_of_the_service(&bridge, &neighbour);
    doors.extend([
        Door::open_to(&bridge, ENGINE),
        Door::open_to(&bridge, &broker_of(&room)),
        Door::open(&bridge, collector.pod(), COLLECTOR),
        Door::shut(&bridge, world.stranger.pod(), EVENTS),
        Door::shut_to(&bridge, "watch:80"),
        Door::shut_to(&bridge, API_SERVER),
    ]);
    hold(&doors).await;
    greets(&room, "Grace").await;
    open_without_policies(&room, &doors).await;
}

/// Namespaces around the bridge's.
struct World {
    /// Named by no policy.
    stranger: Abroad,
    /// Stands for the namespace of Serving's ingress.
    layer: Abroad,
    /// Stands for the namespace `monitoring`.
    prometheus: Abroad,
}

impl World {
    /// Around a room, on a cluster that enforces policies.
    async fn that_enforces(room: &Room) -> Self {
        let stranger = Abroad::of(room, "stranger", EVENTS);
        let strangers = stranger.pod().at(EVENTS);
        let abroad = |called| Abroad::of(room, called, EVENTS).surely_reaches(strangers.clone());
        let (layer, prometheus) = (abroad("layer"), abroad("prometheus"));
        let layers = layer.pod().at(EVENTS);
        let world = Self {
            stranger: stranger.surely_reaches(layers),
            layer,
            prometheus,
        };
        are_kept(world.layer.pod(), &world.stranger, EVENTS).await;
        world
    }

    /// A pod in the bridge's own namespace, of which no policy speaks.
    fn neighbour_in(&self, room: &Room) -> PasserBy {
        let neighbour = PasserBy::pod(room.name(), "neighbour", EVENTS);
        neighbour.surely_reaches(self.stranger.pod().at(EVENTS))
    }

    /// The lines to edit where one's namespaces are called so, and the gateway listens on that port.
    fn written_into(&self, mut manifests: String) -> String {
        let label = "kubernetes.io/metadata.name:";
        for (shipped, ours) in [
            (
                format!("{label} monitoring"),
                format!("{label} {}", self.prometheus.name()),
            ),
            (
                "- contour-internal".to_owned(),
                format!("- {}", self.layer.name()),
            ),
            (
                "- port: 26500".to_owned(),
                format!("- port: {}", engine::port()),
            ),
        ] {
            assert!(manifests.contains(&shipped), "no `{shipped}` to edit");
            manifests = manifests.replace(&shipped, &ours);
        }
        manifests
    }

    /// The same, as the chart has it, and who takes traces.
    fn settings(&self, collector: &Abroad) -> [String; 5] {
        let from = "knative-serving,knative-eventing,kourier-system,istio-system";
        let layer = self.layer.name();
        [
            format!("networkPolicy.fromNamespaces={{{from},{layer}}}"),
            format!(
                "networkPolicy.monitoringNamespace={}",
                self.prometheus.name()
            ),
            format!("networkPolicy.egressPorts={{{}}}", engine::port()),
            format!("otlp.endpoint=http://{}", collector.pod().at(COLLECTOR)),
            "wakeUp.schedule=* * * * *".to_owned(),
        ]
    }

    /// Into a pod of the Knative Service.
    fn doors_of_the_service<'a>(
        &'a self,
        service: &PasserBy,
        neighbour: &'a PasserBy,
    ) -> Vec<Door<'a>> {
        let (layer, prometheus) = (self.layer.pod(), self.prometheus.pod());
        let mut doors = vec![
            Door::shut(layer, service, EVENTS),
            Door::shut(layer, service, ADMIN),
            Door::open(prometheus, service, ADMIN),
            Door::shut(prometheus, service, EVENTS),
        ];
        doors.extend(QUEUE_PROXY.map(|port| Door::open(layer, service, port)));
        for nobody in [self.stranger.pod(), neighbour] {
            let ports = [EVENTS, ADMIN].into_iter().chain(QUEUE_PROXY);
            doors.extend(ports.map(|port| Door::shut(nobody, service, port)));
        }
        doors
    }
}

/// A pod of the Knative Service that does not go to zero.
async fn stays(room: &Room, called: &str) -> PasserBy {
    let one = json!({"spec": {"template": {"metadata": {"annotations": {
        "autoscaling.knative.dev/min-scale": "1"}}}}});
    let service = "ksvc/eventing-zeebe";
    room.kubectl(&["patch", service, "--type", "merge", "-p", &one.to_string()]);
    room.ready();
    let service = room.get(&[service]);
    let revision = service["status"]["latestReadyRevisionName"].as_str();
    let revision = revision.expect("a Revision that is ready");
    let selector = format!("{SERVICE_PODS},serving.knative.dev/revision={revision}");
    let pod = ready(room, &selector).await;
    let service = PasserBy::inside(called, room.name(), &pod).await;
    for port in QUEUE_PROXY {
        service.listens_on(port).await;
    }
    service.surely_reaches(ENGINE.to_owned())
}

/// The name of a pod that is ready, and not about to go.
async fn ready(room: &Room, selector: &str) -> String {
    until(&format!("a pod with {selector}"), || async {
        let pods = room.get(&["pods", "--selector", selector]);
        let pods = pods["items"].as_array()?.iter();
        let mut stay = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let is_ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
        let pod = stay.find(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.is_some_and(|all| all.iter().any(is_ready))
        })?;
        pod["metadata"]["name"].as_str().map(str::to_owned)
    })
    .await
}

/// The address of the Broker's ingress, with its port.
fn broker_of(room: &Room) -> String {
    let broker = room.get(&["broker", "default"]);
    let url = broker["status"]["address"]["url"].as_str();
    let url = url.expect("a Broker with an address");
    let url: http::Uri = url.parse().expect("a URL");
    let host = url.host().expect("a host");
    let by_scheme = if url.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    format!("{host}:{}", url.port_u16().unwrap_or(by_scheme))
}
