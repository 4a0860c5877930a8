use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use testkit::request;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;
use zeebe_client::PublishMessage;

/// Between looks at a page.
const LOOK: Duration = Duration::from_millis(50);
/// What has not come by then does not come, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks until there is something.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// A message of the scenario, without a bridge and what it adds; lives for so many seconds.
pub(super) fn message(of: &Scenario<'_>, name: &str, key: &str, lives: u64) -> PublishMessage {
    PublishMessage {
        name: of.of(name),
        correlation_key: key.to_owned(),
        message_id: String::new(),
        time_to_live: Duration::from_secs(lives),
        variables: String::new(),
        tenant_id: None,
    }
}

/// Publishes a [`message`].
pub(super) async fn publish(scenario: &Scenario<'_>, name: &str, key: &str, lives: u64) {
    publish_as(scenario, message(scenario, name, key, lives)).await;
}

/// Publishes a message of one's own making.
pub(super) async fn publish_as(scenario: &Scenario<'_>, command: PublishMessage) {
    let name = command.name.clone();
    let published = scenario.client().publish_message(command).await;
    published.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// The records that the observer has, waited for until `wanted` finds something in them.
pub(super) async fn record<T>(zeebe: &Zeebe, wanted: impl Fn(&[Value]) -> Option<T>) -> T {
    let url = format!("{}/records", zeebe.observer());
    until("a record of the observer", async || {
        let page: Value = serde_json::from_slice(&request::get(&url).await.body).expect("JSON");
        wanted(page["records"].as_array().expect("an array"))
    })
    .await
}

/// The position of the first record of this kind whose value has this.
pub(super) async fn position(zeebe: &Zeebe, kind: [&str; 2], name: &str, value: &Value) -> i64 {
    record(zeebe, |all| {
        all.iter()
            .find(|record| {
                record["valueType"] == kind[0]
                    && record["intent"] == kind[1]
                    && record["value"][name] == *value
            })
            .map(|record| record["position"].as_i64().expect("a position"))
    })
    .await
}

/// The sum of those of the engine's metrics of this name whose labels have this.
pub(super) async fn metric(zeebe: &Zeebe, name: &str, label: &str) -> f64 {
    let page = request::get(&format!("{}/actuator/prometheus", zeebe.management())).await;
    page.text()
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "))
        .filter(|(labels, _)| labels.contains(label))
        .map(|(_, value)| value.parse::<f64>().expect("a number"))
        .sum()
}

/// Waits until one of the engine's metrics is so much or more.
pub(super) async fn metric_reaches(zeebe: &Zeebe, name: &str, label: &str, least: f64) {
    let what = format!("{name} with {label} at {least}");
    until(&what, async || {
        (metric(zeebe, name, label).await >= least).then_some(())
    })
    .await;
}

/// Waits until the exporter has nothing to do with the records up to there any more.
pub(super) async fn settled(zeebe: &Zeebe, position: i64) {
    let name = "zeebe_exporter_last_updated_exported_position";
    let position = i32::try_from(position).expect("a young engine").into();
    metric_reaches(zeebe, name, "exporter=\"events\"", position).await;
}

/// Tells the engine something by one of its pages.
pub(super) async fn tell(url: &str, body: &Value) {
    let headers = [("content-type", "application/json")];
    let answered = request::post(url, &headers, body.to_string()).await;
    let status = answered.status;
    assert!(status.is_success(), "{url}: {status} {}", answered.text());
}

/// Has the clock of the engine go on at once.
pub(super) async fn later(zeebe: &Zeebe, by: Duration) {
    let url = format!("{}/actuator/clock/add", zeebe.management());
    tell(&url, &json!({"offsetMilli": by.as_millis()})).await;
}

/// Has the engine keep its state as it is now, or later.
pub(super) async fn snapshot(zeebe: &Zeebe) {
    let partitions = format!("{}/actuator/partitions", zeebe.management());
    let kept = async || {
        let page = request::get(&partitions).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let page: Value = serde_json::from_slice(&page.body).expect("JSON");
        page["1"]["snapshotId"].clone()
    };
    let before = kept().await;
    tell(&format!("{partitions}/takeSnapshot"), &json!({})).await;
    // Its position says less: that is of the last command, and what followed from it comes after.
    until("a snapshot", async || {
        (kept().await != before).then_some(())
    })
    .await;
}

/// The names of the engine's threads that have this.
pub(super) async fn threads(zeebe: &Zeebe, with: &str) -> BTreeSet<String> {
    let page = request::get(&format!("{}/actuator/threaddump", zeebe.management())).await;
    let page: Value = serde_json::from_slice(&page.body).expect("JSON");
    let threads = page["threads"].as_array().expect("threads");
    let names = threads.iter().filter_map(|one| one["threadName"].as_str());
    names
        .filter(|name| name.contains(with))
        .map(str::to_owned)
        .collect()
}
