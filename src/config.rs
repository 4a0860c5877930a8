//! Configuration: the environment, validated into types before a port is bound.
//!
//! Nothing here reads the process environment; [`Config::from_variables`] takes what it is handed.
//! All that is wrong is reported at once, each line naming its variable and what to do.

mod allowed;
mod check;
mod delivery;
mod engine;
pub mod env;
mod identity;
mod limits;
mod overlooked;
mod part;
mod read;
mod reference;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use allowed::AllowedDestination;
pub use check::{ConfigErrors, Problem};
pub use delivery::{SourceConfig, TraceContinue};
pub use limits::{Limits, NoRule, NotDeployed, RulesConfig, SinkConfig};
pub use part::DeployConfig;
pub use reference::reference_page;

use env::Environment;
use read::Reader;
use runtime::telemetry::otel::OtelSettings;

/// Everything the program is told, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which roles this process plays.
    pub roles: Roles,
    /// Where it listens.
    pub bind: Bind,
    /// How it logs.
    pub logs: Logs,
    /// How many decisions are kept.
    pub decisions_kept: usize,
    /// Traces, as the standard variables say.
    pub telemetry: OtelSettings,
    /// Runtime threads.
    pub threads: runtime::cpu::Threads,
    /// How long a graceful stop may take.
    pub grace: Duration,
    /// How the engine is reached.
    pub engine: zeebe_client::Settings,
    /// The tenant named in commands; `None` is the engine's default.
    pub tenant_id: Option<String>,
    /// Models deployed at start.
    pub models: Vec<PathBuf>,
    /// The rules file, and what it is read against.
    pub rules: RulesConfig,
    /// The sink role.
    pub sink: SinkConfig,
    /// What the network may ask of us.
    pub limits: Limits,
    /// Who may send; `None` where nobody is asked.
    pub senders: Option<eventing::VerifierSettings>,
    /// The source role.
    pub source: SourceConfig,
    /// What is legal but unwise, for the log.
    pub warnings: Vec<String>,
}

/// Which roles a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Takes events.
    pub sink: bool,
    /// Works jobs.
    pub source: bool,
    /// `ROLES` says nothing: the source is played where a SinkBinding names the destination.
    pub by_binding: bool,
}

/// Where the program listens.
#[derive(Debug, Clone)]
pub struct Bind {
    /// The sink, `/healthz`, and the rest unless `admin` has it.
    pub main: SocketAddr,
    /// `/readyz`, `/metrics` and `/debug/...` on a port of their own.
    pub admin: Option<SocketAddr>,
}

/// How the program logs.
#[derive(Debug, Clone)]
pub struct Logs {
    /// Level or directives.
    pub filter: String,
    /// The shape of a line.
    pub format: runtime::telemetry::logs::LogFormat,
}

impl Config {
    /// Validates a process environment, given as its variables.
    ///
    /// # Errors
    /// Every problem found, each naming its variable.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let variables: Vec<(String, String)> = variables.into_iter().collect();
        let unknown = check::unknown_variables(variables.iter().map(|(name, _)| name.as_str()));
        let warnings = overlooked::overlooked(variables.iter().map(|(name, _)| name.as_str()));
        let telemetry = OtelSettings::from_variables(variables.iter().cloned());
        let environment = read_environment(variables)?;
        let mut reader = Reader::new(&environment, unknown, warnings);
        let config = Self::read(&mut reader, telemetry);
        let mut warnings = reader.finish()?;
        warnings.extend(config.telemetry.warnings.iter().cloned());
        Ok(Self { warnings, ..config })
    }

    fn read(reader: &mut Reader<'_>, telemetry: OtelSettings) -> Self {
        let source = delivery::read(reader);
        let roles = read_roles(reader, source.binding.is_some());
        let limits = limits::read(reader);
        let config = Self {
            roles,
            bind: read_bind(reader),
            logs: Logs {
                filter: reader.text("BRIDGE_LOG"),
                format: reader.one_of(
                    "BRIDGE_LOG_FORMAT",
                    &[
                        ("auto", runtime::telemetry::logs::LogFormat::Auto),
                        ("json", runtime::telemetry::logs::LogFormat::Json),
                        ("text", runtime::telemetry::logs::LogFormat::Text),
                    ],
                ),
            },
            decisions_kept: reader.number("BRIDGE_DECISIONS_KEPT", 0, 100_000) as usize,
            telemetry,
            threads: reader.parsed(
                "BRIDGE_THREADS",
                "`auto` or a number from 1",
                runtime::cpu::Threads::Auto,
            ),
            grace: reader.seconds("BRIDGE_GRACE_SECONDS", 1, 86_400),
            engine: engine::read(reader),
            tenant_id: reader.optional("ZEEBE_DEFAULT_TENANT_ID"),
            models: reader
                .list("MODELS")
                .into_iter()
                .map(PathBuf::from)
                .collect(),
            rules: limits::read_rules(reader),
            sink: limits::read_sink(reader),
            limits,
            senders: identity::read(reader),
            source,
            warnings: Vec::new(),
        };
        check::relations(&config, reader);
        config
    }
}

fn read_environment(variables: Vec<(String, String)>) -> Result<Environment, ConfigErrors> {
    envy::from_iter(variables).map_err(|error| ConfigErrors::one("environment", error.to_string()))
}

fn read_roles(reader: &mut Reader<'_>, bound: bool) -> Roles {
    let named = reader.list("ROLES");
    if named.is_empty() {
        return Roles {
            sink: true,
            source: bound,
            by_binding: true,
        };
    }
    let mut roles = Roles {
        sink: false,
        source: false,
        by_binding: false,
    };
    for role in &named {
        match role.as_str() {
            "sink" => roles.sink = true,
            "source" => roles.source = true,
            other => reader.problem(
                "ROLES",
                format!("`{other}` is not a role; write `sink`, `source` or `sink,source`"),
            ),
        }
    }
    roles
}

fn read_bind(reader: &mut Reader<'_>) -> Bind {
    let host: std::net::IpAddr = reader.parsed(
        "BRIDGE_HOST",
        "an IP address such as 127.0.0.1, 0.0.0.0 or ::",
        std::net::Ipv4Addr::LOCALHOST.into(),
    );
    let port = reader.number("PORT", 0, 65_535) as u16;
    let admin = reader
        .optional("BRIDGE_ADMIN_PORT")
        .map(|_| reader.number("BRIDGE_ADMIN_PORT", 0, 65_535) as u16);
    if admin == Some(port) && port != 0 {
        reader.problem(
            "BRIDGE_ADMIN_PORT",
            "is the same as PORT; leave it unset to share the port",
        );
    }
    Bind {
        main: SocketAddr::new(host, port),
        admin: admin.map(|port| SocketAddr::new(host, port)),
    }
}
