//! The bridge of a scenario, between the engine and a destination.

use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

/// Starts the bridge with both roles and waits until it is ready.
pub(crate) async fn both_roles(
    zeebe: &Zeebe,
    scenario: &Scenario<'_>,
    destination: &Destination,
    settings: &[(&str, &str)],
) -> Bridge {
    let bridge = woken(zeebe, scenario, destination, settings).await;
    bridge.ready().await;
    bridge
}

/// Starts the bridge with both roles and waits until it listens, as whoever is held back until then does.
pub(crate) async fn woken(
    zeebe: &Zeebe,
    scenario: &Scenario<'_>,
    destination: &Destination,
    settings: &[(&str, &str)],
) -> Bridge {
    let job_types = scenario.job_type();
    let url = destination.url();
    let mut all = vec![
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("ZEEBE_JOB_TYPES", job_types.as_str()),
        ("K_SINK", url.as_str()),
        ("BRIDGE_ENGINE_NAME", "tests"),
    ];
    all.extend_from_slice(settings);
    Bridge::start(env!("CARGO_BIN_EXE_eventing-zeebe"), &all).await
}
