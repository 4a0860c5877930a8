//! The bridge of a scenario: its two roles as two programs, as in a cluster where the sink is a Knative
//! Service and the source a Deployment. The Broker needs the sink's address, the source the Broker's.

use std::path::PathBuf;

use tempfile::TempDir;
use testkit::bridge::Bridge;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_eventing-zeebe");

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

/// A rules file that can be written anew.
pub(crate) struct RulesFile(TempDir);

impl RulesFile {
    pub(crate) fn new(rules: &str) -> Self {
        let file = Self(tempfile::tempdir().expect("a temporary folder"));
        file.write(rules);
        file
    }

    pub(crate) fn write(&self, rules: &str) {
        std::fs::write(self.path(), rules).expect("a file can be written");
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("rules.yaml")
    }

    /// The path as a setting.
    pub(crate) fn text(&self) -> String {
        self.path()
            .into_os_string()
            .into_string()
            .expect("a path that is UTF-8")
    }
}
