//! The bridge of a scenario: its two roles as two programs, as in a cluster where the sink is a Knative
//! Service and the source a Deployment. The Broker needs the sink's address, the source the Broker's.

use testkit::bridge::Bridge;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_eventing-zeebe");

/// The sink alone; not waited for, as one without an engine is never ready.
pub(crate) async fn sink(settings: &[(&str, &str)]) -> Bridge {
    let mut all = vec![("ROLES", "sink")];
    all.extend_from_slice(settings);
    Bridge::start(EXECUTABLE, &all).await
}

/// The source alone, delivering to the Broker the jobs of a scenario; waits until it is ready.
pub(crate) async fn source(
    zeebe: &Zeebe,
    scenario: &Scenario<'_>,
    broker: &str,
    settings: &[(&str, &str)],
) -> Bridge {
    source_of(zeebe, &scenario.job_type(), broker, settings).await
}

/// As [`source`], for jobs of this type.
pub(crate) async fn source_of(
    zeebe: &Zeebe,
    job_type: &str,
    broker: &str,
    settings: &[(&str, &str)],
) -> Bridge {
    let mut all = vec![
        ("ROLES", "source"),
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("ZEEBE_JOB_TYPES", job_type),
        ("BRIDGE_ENGINE_NAME", "tests"),
        ("K_SINK", broker),
    ];
    all.extend_from_slice(settings);
    let bridge = Bridge::start(EXECUTABLE, &all).await;
    bridge.ready().await;
    bridge
}
