//! What goes wrong on purpose: programs of the stage are killed, every so many seconds.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use crate::client::Client;

/// Which program is killed, how often, at most how many times: `NAME=SECONDS` or `NAME=SECONDSxTIMES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    name: String,
    every: Duration,
    times: u32,
}

impl Fault {
    /// The program that is killed.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (name, rest) = text.split_once('=')?;
            let (seconds, times) = match rest.split_once('x') {
                Some((seconds, times)) => (seconds, times.parse().ok()?),
                None => (rest, u32::MAX),
            };
            let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
            Some(Self {
                name: name.to_owned(),
                every: Duration::from_secs(seconds),
                times,
            })
        };
        parse().ok_or_else(|| "must be NAME=SECONDS or NAME=SECONDSxTIMES".to_owned())
    }
}

/// How often each was killed.
#[derive(Debug, Clone, Default)]
pub(super) struct Kills(Arc<Mutex<BTreeMap<String, u32>>>);

impl Kills {
    /// The programs, and how often each was killed.
    pub(super) fn counts(&self) -> BTreeMap<String, u32> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Kills a program by the controls of a stage until it is dropped. One that is not ready is left alone: it
/// could never come back.
pub(super) async fn inflict(fault: Fault, controls: String, client: Client, kills: Kills) {
    let count = |more: u32| {
        let mut kills = kills.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = kills.entry(fault.name.clone()).or_default();
        *count += more;
        *count
    };
    while count(0) < fault.times {
        sleep(fault.every).await;
        if !is_ready(&fault.name, &controls, &client).await {
            continue;
        }
        let url = format!("{controls}/programs/{}/kill", fault.name);
        let killed = client
            .send(Method::POST, &url, &[("x-stage", "1")], "")
            .await;
        match killed {
            Ok(answer) if answer.status == StatusCode::ACCEPTED => drop(count(1)),
            Ok(answer) => tracing::warn!(url, status = %answer.status, "it was not killed"),
            Err(error) => tracing::warn!(%error, "it was not killed"),
        }
    }
}

async fn is_ready(name: &str, controls: &str, client: &Client) -> bool {
    let programs = client.get_json(&format!("{controls}/programs")).await;
    let ready = |program: &Value| program["name"] == name && program["state"] == "ready";
    programs.is_ok_and(|programs| programs.as_array().is_some_and(|all| all.iter().any(ready)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Fault;

    #[test]
    fn a_fault_names_a_program_and_how_often() {
        let fault = |text: &str| text.parse::<Fault>();
        let (name, every) = ("bridge".to_owned(), Duration::from_secs(3));
        let times = 2;
        assert_eq!(fault("bridge=3x2"), Ok(Fault { name, every, times }));
        assert_eq!(fault("bridge=3").map(|it| it.times), Ok(u32::MAX));
        for bad in ["bridge", "bridge=", "bridge=0", "bridge=3x", "bridge=x3"] {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }
}
