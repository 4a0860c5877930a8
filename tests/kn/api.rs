//! As much of a Kubernetes API server as kn needs: it keeps objects and gives them back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use testkit::manifests::{kind, name};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on a port of its own, until it is dropped.
pub(crate) struct Api {
    url: String,
    kept: Shared,
    serving: JoinHandle<()>,
}

type Shared = Arc<Mutex<Kept>>;

#[derive(Default)]
struct Kept {
    /// By the path of the object.
    objects: BTreeMap<String, Value>,
    /// The paths of what was created or changed.
    written: Vec<String>,
}

impl Api {
    /// Starts it with these objects, each by apiVersion, kind and name.
    pub(crate) async fn start(objects: &[(&str, &str, &str)]) -> Self {
        let kept = Shared::default();
        for (api_version, of_kind, called) in objects {
            let prefix = match api_version.contains('/') {
                true => "apis",
                false => "api",
            };
            let plural = format!("{}s", of_kind.to_lowercase());
            lock(&kept).objects.insert(
                format!("/{prefix}/{api_version}/namespaces/default/{plural}/{called}"),
                json!({"apiVersion": api_version, "kind": of_kind, "metadata": {"name": called, "namespace": "default"}}),
            );
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { url, kept, serving }
    }

    /// What a client needs to find it.
    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "default"}}],
            "users": [{"name": "me", "user": {}}],
            "current-context": "here",
        })
        .to_string()
    }

    /// What was created or changed since it was asked to forget, in the order of their kinds.
    pub(crate) fn written(&self) -> Vec<Value> {
        let kept = lock(&self.kept);
        let mut written: Vec<Value> = kept
            .written
            .iter()
            .map(|path| kept.objects[path].clone())
            .collect();
        written.sort_by(|one, other| kind(one).cmp(kind(other)));
        written
    }

    pub(crate) fn forget_what_was_written(&self) {
        lock(&self.kept).written.clear();
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(kept: &Shared) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(kept): State<Shared>, method: Method, uri: Uri, body: Bytes) -> Response {
    let mut kept = lock(&kept);
    let path = uri.path().to_owned();
    let path = match (&method, serde_json::from_slice::<Value>(&body)) {
        (&Method::POST, Ok(object)) => {
            let path = format!("{path}/{}", name(&object));
            kept.objects.insert(path.clone(), object);
            kept.written.push(path.clone());
            path
        }
        (&Method::PUT, Ok(object)) => {
            kept.objects.insert(path.clone(), object);
            kept.written.push(path.clone());
            path
        }
        _ => path,
    };
    match kept.objects.get(&path) {
        Some(object) => json_answer(StatusCode::OK, object),
        None => {
            let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
                "message": format!("{method} {path}: nothing is there")});
            json_answer(StatusCode::NOT_FOUND, &status)
        }
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let content_type = [(CONTENT_TYPE, "application/json")];
    (status, content_type, body.to_string()).into_response()
}
