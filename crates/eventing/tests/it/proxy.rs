use std::env;
use std::process::Stdio;

use eventing::Attempt;
use testkit::destination::Destination;
use tokio::process::Command;

use crate::harness::{PATIENCE, message, sender, soon, uri};

/// Tells the second run of this program where to send.
const DESTINATION: &str = "EVENTING_TEST_DESTINATION";

#[tokio::test]
async fn proxies_of_the_environment_are_not_asked() {
    let destination = Destination::accepting().await;
    let proxy = Destination::accepting().await;
    let mut again = Command::new(env::current_exe().unwrap());
    again
        .args([
            "--exact",
            "proxy::sends_as_the_environment_says",
            "--ignored",
        ])
        .env(DESTINATION, destination.url())
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        again.env(name, proxy.url());
    }
    let ended = soon(again.output()).await.unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(destination.received().len(), 1);
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
#[ignore = "the other half of the test above, in an environment of its own"]
async fn sends_as_the_environment_says() {
    // Run with all ignored tests, it has nothing to do.
    let Ok(destination) = env::var(DESTINATION) else {
        return;
    };
    let attempt = sender()
        .send(&uri(&destination), message("1"), PATIENCE)
        .await;
    assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
}
