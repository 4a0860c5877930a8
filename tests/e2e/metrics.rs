//! What a pod counts.

use testkit::request::get;

use crate::forward::Forward;
use crate::room::Room;

/// The lines of `/metrics` of one pod, on its admin port.
pub(crate) struct Metrics(String);

impl Metrics {
    /// Of a pod or a Deployment, named as for kubectl.
    pub(crate) async fn of(room: &Room, target: &str) -> Self {
        let forward = Forward::to(room.name(), target, 9095).await;
        Self(
            get(&format!("{}/metrics", forward.url()))
                .await
                .text()
                .to_owned(),
        )
    }

    /// The sum over all samples of this name whose labels have this text.
    pub(crate) fn sum(&self, name: &str, labels: &str) -> f64 {
        let of_name = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        let lines = self.0.lines().filter(of_name);
        let values = lines.filter(|line| line.contains(labels));
        values
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}
