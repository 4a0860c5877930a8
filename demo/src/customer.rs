//! A customer without a browser: buys tickets by the website's own requests, and prints what happens.
//!
//! | the step is | then |
//! |---|---|
//! | visiting | joins |
//! | shopping | asks for tickets |
//! | held | checks out, with the card |
//! | emitted, ended | has what became of it; with another card it begins again |
//!
//! - `stream`: what the website says.

mod stream;

use std::fmt;
use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use self::stream::{Item, Stream};
use crate::client::{Client, NoAnswer};

/// How long the customer looks on after the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a customer does.
#[derive(Debug, Clone, Args)]
pub struct CustomerArguments {
    /// Where the website is, such as http://127.0.0.1:8080
    #[arg(long, env = "WEBSITE_URL", value_name = "URL")]
    pub website: String,
    /// A name to be called by
    #[arg(long, default_value = "Ada")]
    pub customer: String,
    /// How many tickets to ask for
    #[arg(long, default_value_t = 2)]
    pub tickets: u32,
    /// The card to pay with; repeatable, a sale for each
    #[arg(long = "card", value_enum, value_name = "CARD", default_values = ["valid"])]
    pub cards: Vec<Card>,
}

/// A card to pay with, and so what should become of the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Card {
    /// The tickets are emitted.
    Valid,
    /// Is charged late; the tickets may be released before.
    Slow,
    /// The tickets are released.
    Refused,
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Slow => "slow",
            Self::Refused => "refused",
        })
    }
}

impl Card {
    fn ends_with(self) -> &'static [&'static str] {
        match self {
            Self::Valid => &["emitted"],
            Self::Slow => &["emitted", "released"],
            Self::Refused => &["released"],
        }
    }
}

/// Why a sale did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum Disappointed {
    /// The website does not answer as it should.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The website refuses what should be possible.
    #[error("{what}: {status}: {said}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// What was answered.
        status: StatusCode,
        /// In words.
        said: String,
    },
    /// It came to another end.
    #[error("with a card that is {card} the sale ended as `{outcome}`: {reason}")]
    Outcome {
        /// The card.
        card: Card,
        /// The website's word.
        outcome: String,
        /// Why.
        reason: String,
    },
}

/// Plays a sale with each card; `tell` gets a line for each thing that happens.
///
/// # Errors
/// A sale did not end as its card should have it.
pub async fn run(arguments: &CustomerArguments, tell: impl Fn(&str)) -> Result<(), Disappointed> {
    let mut customer = Customer::enter(arguments, &tell).await?;
    for (number, card) in arguments.cards.iter().enumerate() {
        if number > 0 {
            customer.act("again", &json!({})).await?;
        }
        customer.buy(*card).await?;
    }
    Ok(())
}

struct Customer<'a, T> {
    arguments: &'a CustomerArguments,
    client: Client,
    website: &'a str,
    cookie: String,
    last: Option<String>,
    tell: &'a T,
}

impl<'a, T: Fn(&str)> Customer<'a, T> {
    /// Opens the page, and takes the cookie that comes with it.
    async fn enter(arguments: &'a CustomerArguments, tell: &'a T) -> Result<Self, Disappointed> {
        let client = Client::default();
        let website = arguments.website.trim_end_matches('/');
        let page = client
            .send(Method::GET, &format!("{website}/"), &[], "")
            .await?;
        let cookie = page.headers.get(header::SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookie.ok_or_else(|| Disappointed::Refused {
            what: "the page",
            status: page.status,
            said: "sets no cookie".to_owned(),
        })?;
        Ok(Self {
            arguments,
            client,
            website,
            cookie: cookie.to_owned(),
            last: None,
            tell,
        })
    }

    /// One sale, from the line to its end.
    async fn buy(&mut self, card: Card) -> Result<(), Disappointed> {
        let mut done = None;
        loop {
            // A stream that ends is opened again, and goes on where it was.
            let mut stream = self.listen().await?;
            while let Some(item) = stream.next().await {
                match item {
                    Item::Event { number, event } => {
                        self.last = number;
                        (self.tell)(&line(&event));
                    }
                    Item::State(state) => {
                        let step = state["step"].as_str().unwrap_or_default();
                        if matches!(step, "emitted" | "ended") {
                            self.last_words(&mut stream).await;
                            return ended(card, &state);
                        }
                        if done.as_deref() != Some(step) && self.goes_on(step, card).await? {
                            done = Some(step.to_owned());
                        }
                    }
                }
            }
        }
    }

    /// Tells what follows the end, such as a notification, until nothing comes for a while.
    async fn last_words(&mut self, stream: &mut Stream) {
        while let Ok(Some(item)) = timeout(LAST_WORDS, stream.next()).await {
            if let Item::Event { number, event } = item {
                self.last = number;
                (self.tell)(&line(&event));
            }
        }
    }

    /// Does what the customer does at this step, if there is something to do.
    async fn goes_on(&self, step: &str, card: Card) -> Result<bool, Disappointed> {
        let Self { arguments, .. } = self;
        match step {
            "visiting" => {
                self.act("join", &json!({"customer": arguments.customer}))
                    .await?
            }
            "shopping" => {
                self.act("request", &json!({"tickets": arguments.tickets}))
                    .await?
            }
            "held" => {
                self.act("checkout", &json!({"card": card.to_string()}))
                    .await?
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn act(&self, what: &'static str, body: &Value) -> Result<(), Disappointed> {
        (self.tell)(&format!("-> {what} {body}"));
        let headers = [
            ("content-type", "application/json"),
            ("origin", self.website),
            ("cookie", &self.cookie),
        ];
        let url = format!("{}/api/{what}", self.website);
        let answered = self
            .client
            .send(Method::POST, &url, &headers, body.to_string())
            .await?;
        if answered.status == StatusCode::ACCEPTED {
            return Ok(());
        }
        Err(Disappointed::Refused {
            what,
            status: answered.status,
            said: String::from_utf8_lossy(&answered.body).into_owned(),
        })
    }

    async fn listen(&self) -> Result<Stream, Disappointed> {
        let mut headers = vec![("cookie", self.cookie.as_str())];
        if let Some(last) = &self.last {
            headers.push(("last-event-id", last));
        }
        let url = format!("{}/api/stream", self.website);
        let response = self.client.open(Method::GET, &url, &headers, "").await?;
        if response.status() == StatusCode::OK {
            return Ok(Stream::new(response.into_body()));
        }
        Err(Disappointed::Refused {
            what: "the stream",
            status: response.status(),
            said: String::new(),
        })
    }
}

fn ended(card: Card, state: &Value) -> Result<(), Disappointed> {
    let outcome = state["outcome"].as_str().unwrap_or_default();
    if card.ends_with().contains(&outcome) {
        return Ok(());
    }
    Err(Disappointed::Outcome {
        card,
        outcome: outcome.to_owned(),
        reason: state["reason"].as_str().unwrap_or("no reason").to_owned(),
    })
}

/// Type, who sent it, and its data without what is in every event.
fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let mut data = event["data"].clone();
    if let Some(data) = data.as_object_mut() {
        data.remove("session");
    }
    format!("<- {}  {}  {data}", text("type"), text("source"))
}
