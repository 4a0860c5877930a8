//! Broker, services and books in one: honest, but for what a scenario wants.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use runtime::listener::{Listener, PacedRequest, ServeLimits};
use runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use testkit::program::Program;
use testkit::request;
use tower::service_fn;

/// How long customers may do nothing.
const IMPATIENT_AFTER: Duration = Duration::from_millis(300);
const PRICE: u64 = 4_990;

/// What is wrong at this shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// The first who pays gets nothing.
    KeepsTickets,
    /// The first has tickets before the payment, which never comes.
    ChargesNobody,
    /// One is never told of seats.
    ForgetsOne,
    /// The first who is let in has a number from the end of the line.
    LetsInOutOfTurn,
    /// This member of these books is one more than it should be.
    Book(&'static str, &'static str),
    /// The first event is refused for good.
    RefusesOne,
}

/// A shop that is open.
#[derive(Debug)]
pub(crate) struct Shop {
    wrong: Wrong,
    crowd: String,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// Identities of events that were taken: the same again changes nothing.
    ids: BTreeSet<String>,
    refused: usize,
    joined: u64,
    sessions: BTreeMap<String, Session>,
    favoured: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Session {
    tickets: u64,
    asked: bool,
    checked_out: bool,
    charged: bool,
    emitted: bool,
    over: bool,
}

impl Shop {
    /// Has a crowd come to such a shop; returns its exit code and what it printed.
    pub(crate) async fn visited(wrong: Wrong, arguments: &[&str]) -> (i32, String) {
        loop {
            let (code, said) = Self::visited_once(wrong, arguments).await;
            // Its port was free, and any other program of this machine may have taken it before the crowd did.
            if !said.contains("Address already in use") {
                return (code, said);
            }
        }
    }

    async fn visited_once(wrong: Wrong, arguments: &[&str]) -> (i32, String) {
        let listener = Listener::bind_loopback().await.expect("a port");
        let url = format!("http://{}", listener.address());
        let place = Listener::bind_loopback().await.expect("a port");
        let port = place.address().port().to_string();
        drop(place);
        let shop = Arc::new(Self {
            wrong,
            crowd: format!("http://127.0.0.1:{port}/"),
            open: Mutex::default(),
        });
        let shutdown = Shutdown::new(Duration::ZERO);
        let service = service_fn(move |request| {
            let shop = Arc::clone(&shop);
            async move { Ok::<_, Infallible>(shop.answer(request).await) }
        });
        tokio::spawn(listener.serve(service, ServeLimits::default(), shutdown.clone()));
        let (queue, tickets) = (format!("{url}/queue"), format!("{url}/tickets"));
        let (payments, dead) = (format!("{url}/payments"), format!("{url}/dead"));
        let mut all = vec![
            "crowd", "--port", &port, "--broker", &url, "--queue", &queue,
        ];
        all.extend([
            "--tickets",
            &tickets,
            "--payments",
            &payments,
            "--dead-letters",
            &dead,
        ]);
        all.extend([
            "--process-view",
            &url,
            "--over-seconds",
            "1",
            "--think-ms",
            "10",
        ]);
        all.extend(["--seed", "1", "--customers", "100"]);
        all.extend_from_slice(arguments);
        let program = Program::start(env!("CARGO_BIN_EXE_demo"), &all, &BTreeMap::new());
        let mut program = program.expect("the crowd");
        let status = program.ended().await;
        shutdown.request();
        (
            status.code().expect("no signal"),
            program.output().join("\n"),
        )
    }

    async fn answer(self: Arc<Self>, request: PacedRequest) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let (status, body) = if request.method() == Method::POST {
            (self.take(request).await, String::new())
        } else {
            let place = path.trim_start_matches('/').trim_end_matches("/books");
            (StatusCode::OK, self.books(place).to_string())
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        response
    }

    async fn take(self: Arc<Self>, request: PacedRequest) -> StatusCode {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let data: Value = serde_json::from_slice(&body).expect("JSON");
        let header = |name: &str| parts.headers[name].to_str().expect("text").to_owned();
        let (id, ty) = (header("ce-id"), header("ce-type"));
        assert_eq!(header("ce-source"), "/sale/website");
        {
            let mut open = self.open();
            if self.wrong == Wrong::RefusesOne && open.refused == 0 && ty == "Tickets.CheckedOut" {
                open.refused += 1;
                return StatusCode::BAD_REQUEST;
            }
            // Each is taken twice, with the same id, and has its effect once.
            if open.ids.insert(id) {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
        }
        tokio::spawn(self.happens(ty, data));
        StatusCode::ACCEPTED
    }

    /// What follows from an event.
    async fn happens(self: Arc<Self>, ty: String, data: Value) {
        let name = data["session"].as_str().expect("a session").to_owned();
        match ty.as_str() {
            "Tickets.CustomerQueueJoined" => {
                let turn = {
                    let mut open = self.open();
                    open.joined += 1;
                    open.joined
                };
                self.tell("Tickets.CustomerQueued", &name).await;
                let ahead = self.favours(Wrong::LetsInOutOfTurn, &name);
                let admitted = json!({
                    "session": name, "number": if ahead { turn + 1_000 } else { turn },
                    "admittedAt": format!("2026-01-01T00:00:{:06.3}Z", turn as f64 / 1_000.0),
                });
                self.tell_of("Tickets.CustomerAdmitted", &name, &admitted)
                    .await;
                tokio::time::sleep(IMPATIENT_AFTER).await;
                if self.change(&name, |it| {
                    !it.asked && !it.over && {
                        it.over = true;
                        true
                    }
                }) {
                    self.tell("Tickets.CustomerRemoved", &name).await;
                }
            }
            "Tickets.Requested" => {
                let tickets = data["tickets"].as_u64().expect("a number");
                let asks = |it: &mut Session| {
                    (it.asked, it.tickets) = (true, tickets);
                    !it.over
                };
                if !self.change(&name, asks) || self.favours(Wrong::ForgetsOne, &name) {
                    return;
                }
                self.tell("Tickets.Held", &name).await;
                tokio::time::sleep(IMPATIENT_AFTER).await;
                if self.change(&name, |it| {
                    !it.checked_out && !it.over && {
                        it.over = true;
                        true
                    }
                }) {
                    self.tell("Tickets.Released", &name).await;
                }
            }
            "Tickets.CheckedOut" => {
                if !self.change(&name, |it| {
                    !it.over && {
                        it.checked_out = true;
                        true
                    }
                }) {
                    return;
                }
                if data["card"] == "refused" {
                    self.change(&name, |it| {
                        it.over = true;
                        true
                    });
                    self.tell("Payments.Refused", &name).await;
                    self.tell("Tickets.Released", &name).await;
                    return;
                }
                if !self.favours(Wrong::ChargesNobody, &name) {
                    self.change(&name, |it| {
                        it.charged = true;
                        true
                    });
                    self.tell("Payments.Authorized", &name).await;
                }
                self.change(&name, |it| {
                    it.over = true;
                    true
                });
                if self.favours(Wrong::KeepsTickets, &name) {
                    self.tell("Tickets.Released", &name).await;
                } else {
                    self.change(&name, |it| {
                        it.emitted = true;
                        true
                    });
                    self.tell("Tickets.Emitted", &name).await;
                }
            }
            "Tickets.CustomerQueueLeft" => drop(self.change(&name, |it| {
                it.over = true;
                true
            })),
            other => panic!("nobody sends {other}"),
        }
    }

    /// Whether this is the one that this shop treats like that.
    fn favours(&self, wrong: Wrong, name: &str) -> bool {
        let mut open = self.open();
        self.wrong == wrong && open.favoured.get_or_insert_with(|| name.to_owned()) == name
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Session) -> bool) -> bool {
        change(self.open().sessions.entry(name.to_owned()).or_default())
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, ty: &str, session: &str) {
        self.tell_of(ty, session, &json!({"session": session}))
            .await;
    }

    /// Delivers an event to the crowd, twice, as a Broker may.
    async fn tell_of(&self, ty: &str, session: &str, data: &Value) {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", session),
            ("ce-source", "/shop"),
            ("ce-type", ty),
            ("content-type", "application/json"),
        ];
        let body = data.to_string();
        for _ in 0..2 {
            // A crowd that has seen enough has gone.
            let _ = request::try_send(Method::POST, &self.crowd, &headers, body.clone()).await;
        }
    }

    fn books(&self, place: &str) -> Value {
        let open = self.open();
        let count = |what: fn(&Session) -> bool| {
            let sessions = open.sessions.values();
            sessions.filter(|it| what(it)).count() as u64
        };
        let of = |what: fn(&Session) -> bool| {
            let sessions = open.sessions.values().filter(|it| what(it));
            sessions.map(|it| it.tickets).sum::<u64>()
        };
        let sold = of(|it| it.emitted);
        let mut books = match place {
            "queue" => json!({"outOfTurn": 0, "waiting": 0, "shopping": 0}),
            "tickets" => json!({
                "emitted": count(|it| it.emitted), "ticketsSold": sold, "amountSold": sold * PRICE,
                "stock": 1_000, "free": 1_000 - sold, "held": 0, "seatsAstray": 0,
            }),
            "payments" => json!({
                "authorized": count(|it| it.charged), "amountCharged": of(|it| it.charged) * PRICE,
                "pending": 0,
            }),
            "dead" => json!({"seen": 0}),
            "counts" => json!({"active": 0, "completed": open.joined, "incidents": 0}),
            other => panic!("nobody asks for {other}"),
        };
        books["outbox"] = 0.into();
        books["notSent"] = 0.into();
        if let Wrong::Book(of, member) = self.wrong
            && of == place
        {
            books[member] = (books[member].as_u64().expect("a number") + 1).into();
        }
        books
    }
}
