//! What a service is started with: the command line, and what a SinkBinding injects.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use eventing::{SinkBinding, SinkBindingError};
use runtime::listener::ServeLimits;

use crate::store::{REMEMBERED, UNDER_WAY};

/// Where SinkBinding mounts the token for the destination.
const TOKEN: &str = "/oidc/token";

/// The command line that all services share.
#[derive(Debug, Clone, Args)]
pub struct ServiceArguments {
    /// The address to listen on; 0.0.0.0 in a pod
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 0)]
    pub port: u16,
    /// The port for events, books and readiness, which are then there only; 0 takes a free one. For a service that
    /// browsers reach
    #[arg(long, env = "EVENTS_PORT", value_name = "PORT")]
    pub events_port: Option<u16>,
    /// The address of that port; 0.0.0.0 in a pod
    #[arg(
        long,
        env = "EVENTS_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1"
    )]
    pub events_listen: IpAddr,
    /// The folder of the service's file; what it holds must not be lost
    #[arg(long, env = "DATA_DIR", value_name = "DIR")]
    pub data: PathBuf,
    /// Where events go, as a SinkBinding sets it
    #[arg(long, env = "K_SINK", value_name = "URL")]
    pub sink: Option<String>,
    /// Extensions for every event, as a SinkBinding sets them
    #[arg(long, env = "K_CE_OVERRIDES", value_name = "JSON", hide = true)]
    pub ce_overrides: Option<String>,
    /// Certificates of the destination, as a SinkBinding sets them
    #[arg(long, env = "K_CA_CERTS", value_name = "PEM", hide = true)]
    pub ca_certs: Option<String>,
    /// How long what is in hand may take after SIGTERM, in seconds
    #[arg(long, env = "GRACE_SECONDS", default_value_t = 20)]
    pub grace_seconds: u64,
    /// How many events are sent at one time
    #[arg(long, env = "EVENTS_UNDER_WAY", value_name = "COUNT", default_value_t = UNDER_WAY)]
    pub under_way: usize,
    /// How many events are known again when they are delivered again
    #[arg(long, env = "EVENTS_REMEMBERED", value_name = "COUNT", default_value_t = REMEMBERED)]
    pub remembered: u64,
}

/// What a service is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it takes events and shows its books, if that is elsewhere.
    pub events: Option<SocketAddr>,
    /// The folder of its file.
    pub data: PathBuf,
    /// Where events go; without it they stay in the outbox.
    pub binding: Option<SinkBinding>,
    /// How many events are sent at one time.
    pub under_way: usize,
    /// How many identities of events are kept.
    pub remembered: u64,
    /// What peers are allowed.
    pub limits: ServeLimits,
}

/// A variable that a SinkBinding would not have set like this.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", cause.variable())]
pub struct SettingsError {
    #[from]
    cause: SinkBindingError,
}

impl TryFrom<&ServiceArguments> for Settings {
    type Error = SettingsError;

    fn try_from(arguments: &ServiceArguments) -> Result<Self, SettingsError> {
        Ok(Self {
            address: SocketAddr::new(arguments.listen, arguments.port),
            events: arguments
                .events_port
                .map(|port| SocketAddr::new(arguments.events_listen, port)),
            data: arguments.data.clone(),
            binding: SinkBinding::from_parts(
                arguments.sink.as_deref(),
                arguments.ce_overrides.as_deref(),
                arguments.ca_certs.as_deref(),
                Some(Path::new(TOKEN)),
            )?,
            under_way: arguments.under_way,
            remembered: arguments.remembered,
            limits: ServeLimits::default(),
        })
    }
}
