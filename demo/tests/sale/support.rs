//! A service as a program of its own, a Broker that remembers, and events.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::destination::{Destination, Received};
use testkit::program::Program;
use testkit::request::{self, Answered};

/// A service that runs, and the folder of its file.
pub(crate) struct Service {
    name: &'static str,
    arguments: Vec<String>,
    sink: Option<String>,
    variables: BTreeMap<String, String>,
    data: TempDir,
    pub(crate) program: Program,
    pub(crate) url: String,
}

impl Service {
    /// Starts `demo NAME` with these arguments; its events go to `sink`.
    pub(crate) async fn start(name: &'static str, arguments: &[&str], sink: Option<&str>) -> Self {
        Self::start_with(name, arguments, sink, &[]).await
    }

    /// As [`Service::start`], with further variables in its environment.
    pub(crate) async fn start_with(
        name: &'static str,
        arguments: &[&str],
        sink: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let sink = sink.map(str::to_owned);
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (program, url) = run(name, &arguments, sink.as_deref(), &variables, &data).await;
        Self {
            name,
            arguments,
            sink,
            variables,
            data,
            program,
            url,
        }
    }

    /// Ends it at once, and starts it again on the same file.
    pub(crate) async fn kill_and_start_again(&mut self) {
        self.program.kill().await;
        self.start_again().await;
    }

    /// Ends it at once, and starts it again on the same file with other arguments.
    pub(crate) async fn kill_and_start_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        self.kill_and_start_again().await;
    }

    /// Ends it at once, and starts it again on the same file, its events now going to `sink`.
    pub(crate) async fn kill_and_bind(&mut self, sink: &str) {
        self.sink = Some(sink.to_owned());
        self.kill_and_start_again().await;
    }

    /// Ends it at once, has this done to its file, and starts it again on that.
    pub(crate) async fn kill_and_change(&mut self, statements: &str) {
        self.program.kill().await;
        let file = self.data.path().join(format!("{}.sqlite", self.name));
        let file = rusqlite::Connection::open(file).expect("the file");
        file.execute_batch(statements).expect("a change");
        drop(file);
        self.start_again().await;
    }

    /// Starts it again on the same file; it has ended.
    pub(crate) async fn start_again(&mut self) {
        (self.program, self.url) = run(
            self.name,
            &self.arguments,
            self.sink.as_deref(),
            &self.variables,
            &self.data,
        )
        .await;
    }

    /// Sends an event with an id of its own.
    pub(crate) async fn send(&self, ty: &str, data: &Value) -> Answered {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("t-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.send_as(&id, ty, data).await
    }

    /// Sends an event.
    pub(crate) async fn send_as(&self, id: &str, ty: &str, data: &Value) -> Answered {
        post(&self.url, id, ty, &[], data).await
    }

    /// Sends an event that must be accepted.
    pub(crate) async fn accepts(&self, ty: &str, data: &Value) {
        let answered = self.send(ty, data).await;
        assert_eq!(answered.status, 202, "{ty}: {}", answered.text());
        assert!(answered.body.is_empty());
    }

    /// The folder of its file.
    pub(crate) fn data_folder(&self) -> String {
        self.data
            .path()
            .to_str()
            .expect("a path in UTF-8")
            .to_owned()
    }

    /// What it counts.
    pub(crate) async fn books(&self) -> Value {
        let answered = request::get(&format!("{}/books", self.url)).await;
        serde_json::from_slice(&answered.body).expect("JSON")
    }
}

async fn run(
    name: &str,
    arguments: &[String],
    sink: Option<&str>,
    variables: &BTreeMap<String, String>,
    data: &TempDir,
) -> (Program, String) {
    let data = data.path().to_str().expect("a path in UTF-8");
    let mut all = vec![name, "--data", data];
    all.extend(arguments.iter().map(String::as_str));
    let mut environment = variables.clone();
    environment.extend(sink.map(|sink| ("K_SINK".to_owned(), sink.to_owned())));
    let mut program =
        Program::start(env!("CARGO_BIN_EXE_demo"), &all, &environment).expect("the program");
    let url = program
        .wait_for_line("its address", |line| {
            line.split_once(" on ")
                .map(|(_, url)| url.to_owned())
                .filter(|url| url.starts_with("http://"))
        })
        .await;
    (program, url)
}

pub(crate) async fn post(
    url: &str,
    id: &str,
    ty: &str,
    headers: &[(&str, &str)],
    data: &Value,
) -> Answered {
    let source = match ty {
        // What only the queue knows is believed of nobody else.
        "Tickets.QueueMoved" | "Tickets.CustomerQueued" | "Tickets.CustomerAdmitted" => {
            "/sale/queue"
        }
        _ => "/tests",
    };
    post_from(source, url, id, ty, headers, data).await
}

/// As [`post`], from another source.
pub(crate) async fn post_from(
    source: &str,
    url: &str,
    id: &str,
    ty: &str,
    headers: &[(&str, &str)],
    data: &Value,
) -> Answered {
    let mut all = vec![
        ("ce-specversion", "1.0"),
        ("ce-source", source),
        ("ce-type", ty),
        ("ce-id", id),
        ("content-type", "application/json"),
    ];
    all.extend_from_slice(headers);
    request::post(url, &all, data.to_string()).await
}

/// Types and data of the events that came, in no certain order.
pub(crate) fn of_type(received: &[Received], ty: &str) -> Vec<Value> {
    received
        .iter()
        .filter(|event| event.ty() == ty)
        .map(Received::json)
        .collect()
}

/// Waits until so many events of a type came, and returns their data.
pub(crate) async fn wait_for(destination: &Destination, ty: &str, count: usize) -> Vec<Value> {
    destination
        .wait_for(&format!("{count} of {ty}"), |received| {
            let came = of_type(received, ty);
            (came.len() >= count).then_some(came)
        })
        .await
}

pub(crate) fn requested(reservation: &str, tickets: u32) -> Value {
    json!({"session": format!("s-{reservation}"), "reservationId": reservation, "customer": "Ada", "tickets": tickets})
}

pub(crate) fn of_reservation(reservation: &str) -> Value {
    json!({"session": format!("s-{reservation}"), "reservationId": reservation})
}

pub(crate) fn payment(reservation: &str, card: &str) -> Value {
    json!({
        "session": format!("s-{reservation}"), "reservationId": reservation,
        "paymentId": format!("p-{reservation}"), "amount": 9_980, "card": card,
    })
}

pub(crate) fn joined(session: &str) -> Value {
    json!({"session": session, "customer": "Ada"})
}

pub(crate) fn session(session: &str) -> Value {
    json!({"session": session})
}
