//! A way in from the test to a port of the cluster.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// `kubectl port-forward`: works wherever kubectl does. It leads to one pod, and ends with it.
pub(crate) struct Forward {
    address: String,
    _child: Child,
}

impl Forward {
    /// To a port of a Service (`service/NAME`), a pod (`pod/NAME`) or a Deployment (`deployment/NAME`).
    ///
    /// # Errors
    /// What kubectl says.
    pub(crate) async fn open(namespace: &str, target: &str, port: u16) -> Result<Self, String> {
        let mut child = Command::new("kubectl")
            .args(["--namespace", namespace, "port-forward"])
            .args(["--address", "127.0.0.1", target, &format!(":{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next_line().await.map_err(|error| error.to_string())?;
        let Some(first) = first else {
            let output = child.wait_with_output().await;
            let output = output.map_err(|error| error.to_string())?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("a way to {target}: {said}"));
        };
        // It tells each connection, and would stop at a pipe that nobody empties.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        tokio::spawn(async move { while let Ok(Some(_)) = errors.next_line().await {} });
        let address = first
            .strip_prefix("Forwarding from ")
            .and_then(|rest| rest.split(' ').next())
            .ok_or_else(|| format!("a way to {target}: {first}"))?;
        Ok(Self {
            address: format!("http://{address}"),
            _child: child,
        })
    }

    /// As [`Self::open`], where it has to be possible.
    pub(crate) async fn to(namespace: &str, target: &str, port: u16) -> Self {
        Self::open(namespace, target, port)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.address
    }
}
