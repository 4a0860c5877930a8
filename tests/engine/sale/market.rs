use std::path::PathBuf;

use demo::broker::{Broker, Running, Settings, manifest};
use testkit::bridge::Bridge;
use testkit::collector::Collector;
use testkit::collector::span::Spans;
use testkit::destination::Destination;
use testkit::relay::Relay;
use testkit::rules_file::RulesFile;
use testkit::scenario::{Scenario, workspace};
use testkit::zeebe::Zeebe;

use crate::rules::rules;
use crate::services::Services;
use crate::whole::{PAYS, has_come, of_click};

/// What runs for one sale.
pub(super) struct Market {
    pub(super) scenario: Scenario<'static>,
    pub(super) services: Services,
    /// The Broker's way to the bridge.
    pub(super) to_bridge: Relay,
    collector: Collector,
    bridge: Bridge,
    dead_letters: Destination,
    broker: Running,
    _to_broker: Relay,
    _rules: RulesFile,
}

impl Market {
    /// Opens one. What has no duration here takes for ever; `telemetry` is besides where the collector is, and the
    /// same for all.
    pub(super) async fn open(
        name: &'static str,
        durations: &[(&str, &str)],
        telemetry: &[(&str, &str)],
    ) -> Self {
        let scenario = Scenario::new(Zeebe::shared().await, name);
        scenario.deploy("bpmn/tickets/4-repair.bpmn").await;
        let rules = RulesFile::new(&rules(&scenario, durations));
        let collector = Collector::start().await;
        let endpoint = collector.url();
        let mut traced = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ];
        traced.extend_from_slice(telemetry);
        // Whoever sends to the Broker is asked for by its Triggers.
        let (to_broker, to_bridge) = (Relay::open().await, Relay::open().await);
        let sink = format!("{}/default/default", to_broker.url());
        let services = Services::open(&sink, &traced).await;
        let job_types = scenario.job_type();
        let mut settings = vec![
            ("ZEEBE_GRPC_ADDRESS", scenario.zeebe().gateway()),
            ("ZEEBE_JOB_TYPES", job_types.as_str()),
            ("K_SINK", sink.as_str()),
            ("RULES", rules.path()),
            ("BRIDGE_ENGINE_NAME", "tests"),
        ];
        settings.extend_from_slice(&traced);
        let bridge = Bridge::start(env!("CARGO_BIN_EXE_eventing-zeebe"), &settings).await;
        to_bridge.leads_to(bridge.url());
        let dead_letters = Destination::accepting().await;
        let broker = broker(&services, &to_bridge, &dead_letters).await;
        to_broker.leads_to(&format!("http://{}", broker.address()));
        bridge.ready().await;
        Self {
            scenario,
            services,
            to_bridge,
            collector,
            bridge,
            dead_letters,
            broker,
            _to_broker: to_broker,
            _rules: rules,
        }
    }

    /// Waits until the process has ended in this way and the trace of the click on "pay" is as long as this tree; ends all
    /// programs, so that whatever is too much has come as well; returns the trace.
    pub(super) async fn closes(mut self, end_event: &str, tree: &str) -> Spans {
        let sales = self.scenario.all_completed("ticket-sale", 1).await;
        let ends = sales[0]["endEvents"].as_array().expect("a list");
        assert!(ends.iter().any(|end| end == end_event), "{sales:#?}");
        let whole = |spans: &Spans| has_come(spans, PAYS, tree);
        self.collector.spans_when("the whole trace", whole).await;
        let (counts, served) = self.broker.stop().await;
        assert_eq!(served.cut_requests, 0, "{counts:?}");
        self.services.end().await;
        self.bridge.program().terminate();
        self.bridge.program().ended().await;
        assert_eq!(self.dead_letters.received().len(), 0);
        let spans = self.collector.spans();
        // Three clicks have a trace each; that the line has moved is of none of them.
        let clicks = ["customer joins the line", "customer asks for tickets", PAYS];
        let traces = clicks.map(|click| of_click(&spans, click));
        for span in spans.iter() {
            let of_a_click = traces.iter().any(|trace| trace.iter().any(|it| it == span));
            assert!(
                of_a_click || span.name.ends_with(" Tickets.QueueMoved"),
                "{span:#?} in\n{}",
                spans.tree()
            );
        }
        let [.., pays] = traces;
        pays
    }
}

/// The Broker and the Triggers that are shipped, on loopback.
async fn broker(services: &Services, to_bridge: &Relay, dead_letters: &Destination) -> Running {
    let shipped = workspace().join("knative");
    let files: Vec<PathBuf> = ["broker.yaml", "tickets/triggers"]
        .iter()
        .map(|name| shipped.join(name))
        .collect();
    let mut references = vec![
        ("Service/eventing-zeebe", to_bridge.url()),
        ("Service/dead-letters", dead_letters.url()),
    ];
    references.extend_from_slice(services.references());
    Broker::start(Settings {
        manifests: manifest::read(&files, "default").expect("the Triggers are shipped"),
        references: references
            .iter()
            .map(|(name, url)| format!("{name}={url}").parse().expect("a reference"))
            .collect(),
        ..Settings::default()
    })
    .await
    .expect("a Broker")
}
