//! `emit`: sends one event, for trying out.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cloudevents_http::{encode_binary, encode_structured, new_event, set_attribute, set_data};
use eventing::{Retry, Sender, SenderSettings, retry};

/// In-memory Brokers answer only once all Triggers are done.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One event, from the command line.
#[derive(Debug, Args)]
pub struct Emit {
    /// Where to send it
    #[arg(long, default_value = "http://127.0.0.1:8080/", value_name = "URL", value_parser = destination)]
    pub to: http::Uri,
    /// The `type` attribute
    #[arg(long = "type", value_name = "TYPE")]
    pub ty: String,
    /// The `source` attribute
    #[arg(long, default_value = "/eventing-zeebe/emit")]
    pub source: String,
    /// The `id` attribute; a new one by default, so that each call is another event
    #[arg(long)]
    pub id: Option<String>,
    /// The `subject` attribute
    #[arg(long)]
    pub subject: Option<String>,
    /// An extension attribute; may be repeated
    #[arg(long = "ext", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub extensions: Vec<(String, String)>,
    /// The data, as JSON
    #[arg(long, value_name = "JSON")]
    pub data: Option<String>,
    /// Send it in structured instead of binary mode
    #[arg(long)]
    pub structured: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    if CONTEXT_ATTRIBUTES.contains(&name) {
        return Err(format!(
            "`{name}` is not an extension attribute; use --{name} if there is one"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

const CONTEXT_ATTRIBUTES: [&str; 8] = [
    "id",
    "source",
    "type",
    "specversion",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
];

fn destination(text: &str) -> Result<http::Uri, String> {
    let url: http::Uri = text
        .parse()
        .map_err(|error| format!("{error}; write http://HOST:PORT/PATH"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(url),
        (Some(_) | None, Some(_) | None) => Err(String::from(
            "is not an absolute http or https URL; write http://HOST:PORT/PATH",
        )),
    }
}

/// Sends the event once and prints the answer.
///
/// # Errors
/// An attribute that no event can carry, or an answer other than 2xx.
pub async fn emit(arguments: Emit) -> Result<(), Box<dyn Error>> {
    let id = arguments.id.unwrap_or_else(fresh_id);
    let mut event = new_event(&id, &arguments.source, &arguments.ty)?;
    if let Some(subject) = &arguments.subject {
        set_attribute(&mut event, "subject", subject)?;
    }
    for (name, value) in &arguments.extensions {
        set_attribute(&mut event, name, value)?;
    }
    if let Some(data) = arguments.data {
        serde_json::from_str::<serde::de::IgnoredAny>(&data)
            .map_err(|error| format!("--data is not JSON: {error}"))?;
        set_data(&mut event, Some("application/json"), Bytes::from(data))?;
    }
    let message = if arguments.structured {
        encode_structured(&event)?
    } else {
        encode_binary(&event)?
    };
    let sender = Sender::new(&SenderSettings::default())?;
    let attempt = sender.send(&arguments.to, message, TIMEOUT).await;
    match retry(&attempt) {
        Retry::Done => {
            println!("{id} accepted by {}: {}", arguments.to, attempt.answer());
            Ok(())
        }
        Retry::Again(_) | Retry::GiveUp(_) => Err(format!(
            "{id} not accepted by {}: {}",
            arguments.to,
            attempt.answer()
        )
        .into()),
    }
}

/// Unique enough for a person's tries: the clock and a random number.
fn fresh_id() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:08x}", now.as_millis(), fastrand::u32(..))
}
