//! What the commands beside the roles need: each reads its own settings, and no other can be wrong.

use super::check::ConfigErrors;
use super::engine;
use super::limits::{self, RulesConfig};
use super::overlooked::overlooked;
use super::read::Reader;
use super::read_environment;

/// What `deploy` needs to know.
#[derive(Debug, Clone)]
pub struct DeployConfig {
    /// How the engine is reached.
    pub engine: zeebe_client::Settings,
    /// The tenant deployed for; `None` is the engine's default.
    pub tenant_id: Option<String>,
    /// What is legal but unwise.
    pub warnings: Vec<String>,
}

impl DeployConfig {
    /// Validates the engine's settings in a process environment, given as its variables.
    ///
    /// # Errors
    /// Every problem found, each naming its variable.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let variables: Vec<(String, String)> = variables.into_iter().collect();
        let warnings = overlooked(variables.iter().map(|(name, _)| name.as_str()));
        let environment = read_environment(variables)?;
        let mut reader = Reader::new(&environment, Vec::new(), warnings);
        let engine = engine::read(&mut reader);
        let tenant_id = reader.optional("ZEEBE_DEFAULT_TENANT_ID");
        let warnings = reader.finish()?;
        Ok(Self {
            engine,
            tenant_id,
            warnings,
        })
    }
}

impl RulesConfig {
    /// Validates what rules are read against, in a process environment given as its variables.
    ///
    /// # Errors
    /// Every problem found, each naming its variable.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let environment = read_environment(variables.into_iter().collect())?;
        let mut reader = Reader::new(&environment, Vec::new(), Vec::new());
        let config = limits::read_rules(&mut reader);
        reader.finish()?;
        Ok(config)
    }
}
