//! Events into the Broker of a room.

use http::{Method, StatusCode};
use serde_json::Value;
use testkit::request::{Answered, try_send};

use crate::cluster::until;
use crate::forward::Forward;
use crate::oidc::token;
use crate::room::Room;

/// The ingress of the Broker `default`.
pub(crate) struct Broker {
    forward: Forward,
    path: String,
    /// Of this run and scenario, as the engine remembers whose events it has had.
    source: String,
    /// Where the Broker asks for one.
    authorization: Option<String>,
}

impl Broker {
    /// A way to it, by the address that its status says.
    pub(crate) async fn of(room: &Room) -> Self {
        let broker = room.get(&["broker", "default"]);
        let url = broker["status"]["address"]["url"]
            .as_str()
            .expect("a Broker with an address");
        // http://SERVICE.NAMESPACE.svc.DOMAIN/PATH
        let rest = url.split_once("://").expect("a URL").1;
        let (host, path) = rest.split_once('/').expect("a path");
        let mut names = host.split('.');
        let service = names.next().unwrap_or_default();
        let namespace = names.next().unwrap_or_default();
        let forward = Forward::to(namespace, &format!("service/{service}"), 80).await;
        let audience = broker["status"]["address"]["audience"].as_str();
        let authorization = audience.map(|it| format!("Bearer {}", token(room.name(), it)));
        Self {
            forward,
            path: path.to_owned(),
            source: format!("/{}", room.name()),
            authorization,
        }
    }

    /// Sends an event once.
    ///
    /// # Errors
    /// What the client says, where no answer came.
    pub(crate) async fn try_send(
        &self,
        id: &str,
        ty: &str,
        data: &Value,
    ) -> Result<Answered, String> {
        let mut headers = vec![
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", self.source.as_str()),
            ("ce-type", ty),
            ("content-type", "application/json"),
        ];
        let authorization = self.authorization.as_deref();
        headers.extend(authorization.map(|it| ("authorization", it)));
        let url = format!("{}/{}", self.forward.url(), self.path);
        try_send(Method::POST, &url, &headers, data.to_string()).await
    }

    /// Sends an event, again with the same id until it is accepted, as any sender of events has to.
    pub(crate) async fn send(&self, id: &str, ty: &str, data: &Value) {
        until("the Broker accepts an event", || async {
            let answered = self.try_send(id, ty, data).await.ok()?;
            (answered.status == StatusCode::ACCEPTED).then_some(())
        })
        .await;
    }
}
