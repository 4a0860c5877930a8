//! Whether somebody is reached over TCP: from inside a pod it shows what network policies let out of it, and in elsewhere.

use std::io;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Whom to reach.
#[derive(Debug, Clone, Args)]
pub struct ReachArguments {
    /// Whom to reach: HOST:PORT, by name or by address
    #[arg(value_name = "HOST:PORT", required = true)]
    pub addresses: Vec<String>,
    /// Seconds until who does not answer counts as not reached
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub patience_seconds: u64,
}

/// Connects to each, one after the other, and tells of each in one line: `reached ADDRESS`, or `not reached ADDRESS: why`.
/// Whether all were.
pub async fn run(arguments: &ReachArguments, mut tell: impl FnMut(&str)) -> bool {
    let patience = Duration::from_secs(arguments.patience_seconds);
    let mut all = true;
    for address in &arguments.addresses {
        let connected = timeout(patience, TcpStream::connect(address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match connected {
            Ok(_) => tell(&format!("reached {address}")),
            Err(error) => {
                all = false;
                tell(&format!("not reached {address}: {error}"));
            }
        }
    }
    all
}
