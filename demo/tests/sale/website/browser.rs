use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use testkit::request::{self, Answered};

/// How long something is awaited before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser that has opened the page.
#[derive(Clone)]
pub(crate) struct Browser {
    url: String,
    cookie: String,
}

impl Browser {
    /// Opens the page, and gets a cookie.
    pub(crate) async fn open(url: &str) -> Self {
        let page = request::get(&format!("{url}/")).await;
        assert_eq!(page.status, 200);
        let cookie = page.header("set-cookie").expect("a cookie");
        Self {
            url: url.to_owned(),
            cookie: cookie.split(';').next().expect("a pair").to_owned(),
        }
    }

    /// Opens the page, and joins the line.
    pub(crate) async fn joined(url: &str) -> Self {
        let browser = Self::open(url).await;
        let answered = browser.act("join", &json!({"customer": "Ada"})).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
        browser
    }

    /// The same browser, after the website has moved to another address.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            cookie: self.cookie.clone(),
        }
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        let headers = [("cookie", self.cookie.as_str())];
        let url = format!("{}{path}", self.url);
        request::try_send(Method::GET, &url, &headers, "")
            .await
            .expect("an answer")
    }

    /// The customer's state.
    pub(crate) async fn me(&self) -> Value {
        let answered = self.get("/api/me").await;
        assert_eq!(answered.status, 200, "{}", answered.text());
        serde_json::from_slice(&answered.body).expect("JSON")
    }

    /// The customer's session.
    pub(crate) async fn session(&self) -> String {
        let me = self.me().await;
        me["session"].as_str().expect("a session").to_owned()
    }

    /// Asks for something, as the page does.
    pub(crate) async fn act(&self, what: &str, body: &Value) -> Answered {
        let headers = [
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.post(what, &headers, &body.to_string()).await
    }

    /// Asks for something that must be accepted; the state as it is then.
    pub(crate) async fn acts(&self, what: &str, body: &Value) -> Value {
        let answered = self.act(what, body).await;
        assert_eq!(answered.status, 202, "{what}: {}", answered.text());
        serde_json::from_slice(&answered.body).expect("JSON")
    }

    pub(crate) async fn post(&self, what: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let mut all = vec![("cookie", self.cookie.as_str())];
        all.extend_from_slice(headers);
        request::post(&format!("{}/api/{what}", self.url), &all, body.to_owned()).await
    }

    /// Opens a stream; `last` is the number of the last event that was seen before.
    pub(crate) async fn stream(&self, last: Option<&str>) -> Stream {
        self.try_stream(last).await.expect("a stream")
    }

    /// As [`Browser::stream`], or the status where there is none.
    pub(crate) async fn try_stream(&self, last: Option<&str>) -> Result<Stream, StatusCode> {
        let mut request = Request::get(format!("{}/api/stream", self.url));
        request = request.header("cookie", &self.cookie);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let (head, body) = client
            .request(request)
            .await
            .expect("an answer")
            .into_parts();
        if head.status != StatusCode::OK {
            return Err(head.status);
        }
        assert_eq!(head.headers["content-type"], "text/event-stream");
        Ok(Stream {
            body,
            text: String::new(),
        })
    }
}

/// What a website pushes.
pub(crate) struct Stream {
    body: Incoming,
    text: String,
}

/// One message of a stream, or a comment, which has neither name nor data.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Stream {
    /// The next message or comment; `None` at the stream's end.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let message = parse(block);
                self.text = rest.to_owned();
                return Some(message);
            }
            match in_time("neither anything nor the end", self.body.frame()).await {
                Some(Ok(frame)) => {
                    let data = frame.into_data().expect("data");
                    self.text += std::str::from_utf8(&data).expect("whole characters");
                }
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next message of this name, without those before it.
    pub(crate) async fn next_of(&mut self, name: &str) -> Message {
        let awaited = async {
            loop {
                let message = self.next().await.expect("not the end yet");
                if message.event == name {
                    return message;
                }
            }
        };
        in_time(&format!("no `{name}`"), awaited).await
    }

    /// The first state that is as wanted.
    pub(crate) async fn state(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let awaited = async {
            loop {
                let state = self.next_of("state").await.data;
                if wanted(&state) {
                    return state;
                }
            }
        };
        in_time("the state is never as wanted", awaited).await
    }

    /// So many events, without what is between them.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<Message> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next_of("event").await);
        }
        events
    }

    /// Reads to the end.
    pub(crate) async fn ends(&mut self) {
        let awaited = async { while self.next().await.is_some() {} };
        in_time("it does not end", awaited).await;
    }
}

/// Comments come for as long as a stream is open: what is awaited must come for all that.
async fn in_time<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, awaited).await {
        Ok(came) => came,
        Err(_) => panic!("within {PATIENCE:?}: {what}"),
    }
}

fn parse(block: &str) -> Message {
    let mut message = Message::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => message.id = Some(id.to_owned()),
            Some(("event", event)) => event.clone_into(&mut message.event),
            Some(("data", data)) => message.data = serde_json::from_str(data).expect("JSON"),
            Some(("retry", _)) => {}
            Some(_) | None => assert!(line.starts_with(':'), "no such line: {line}"),
        }
    }
    message
}
