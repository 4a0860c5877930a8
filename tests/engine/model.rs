//! Models under names of a scenario's own, so that all can share one broker.

use std::path::Path;

use zeebe_client::{DeployResource, Gateway, Resource, Settings};

use crate::zeebe::Zeebe;

/// One scenario's names: every name of a model gets its suffix.
pub struct Names(pub &'static str);

impl Names {
    /// A name of the model, as deployed for this scenario.
    pub fn of(&self, name: &str) -> String {
        format!("{name}{}", self.0)
    }
}

/// A client of the scenario's own, beside the bridge.
pub fn client(zeebe: &Zeebe) -> Gateway {
    Gateway::new(Settings::new(zeebe.gateway().parse().expect("an address"))).expect("a client")
}

/// Deploys a model of `tests/engine/models` with the given replacements.
pub async fn deploy(zeebe: &Zeebe, file: &str, replacements: &[(&str, &str)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/models").join(file);
    let mut content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (from, to) in replacements {
        assert!(content.contains(from), "{file} has no `{from}`");
        content = content.replace(from, to);
    }
    let resource = Resource { name: file.to_owned(), content: content.into_bytes() };
    client(zeebe)
        .deploy_resource(DeployResource { resources: vec![resource], tenant_id: None })
        .await
        .unwrap_or_else(|error| panic!("{file}: {error}"));
}
