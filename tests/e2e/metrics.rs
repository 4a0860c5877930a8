//! What a pod counts.

use http::Method;
use testkit::request::try_send;

use crate::forward::Forward;
use crate::room::Room;

/// The lines of `/metrics` of one pod, on its admin port.
pub(crate) struct Metrics(String);

impl Metrics {
    /// Of a pod or a Deployment, named as for kubectl.
    pub(crate) async fn of(room: &Room, target: &str) -> Self {
        Self::try_of(room, target)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Self::of`], of one that may be gone.
    ///
    /// # Errors
    /// Why there is no way to it, or no answer.
    pub(crate) async fn try_of(room: &Room, target: &str) -> Result<Self, String> {
        let forward = Forward::open(room.name(), target, 9095).await?;
        let url = format!("{}/metrics", forward.url());
        let answered = try_send(Method::GET, &url, &[], "").await?;
        Ok(Self(answered.text().to_owned()))
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
