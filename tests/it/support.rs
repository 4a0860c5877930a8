//! The bridge between a gateway that can be broken and a destination that answers as told.

use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::gateway::FakeGateway;

/// The program under test.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_eventing-zeebe");

/// Starts the sink alone and waits until the engine is known to be there.
pub(crate) async fn sink(gateway: &FakeGateway, settings: &[(&str, &str)]) -> Bridge {
    let address = gateway.address();
    let mut all = vec![("ZEEBE_GRPC_ADDRESS", address.as_str())];
    all.extend_from_slice(settings);
    let bridge = Bridge::start(EXECUTABLE, &all).await;
    bridge.ready().await;
    bridge
}

/// Starts both roles and waits until engine and destination are known to be there.
pub(crate) async fn source(
    gateway: &FakeGateway,
    destination: &Destination,
    settings: &[(&str, &str)],
) -> Bridge {
    let url = destination.url();
    let mut all = vec![("K_SINK", url.as_str()), ("BRIDGE_RETRY_BACKOFF_MS", "50")];
    all.extend_from_slice(settings);
    sink(gateway, &all).await
}
