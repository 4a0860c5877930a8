//! Very many customers who all want tickets at once, and what is true when they have gone.
//!
//! They are simulated as events: what a customer does is sent to the Broker as the website would send it, and
//! what happens is delivered to the crowd in the website's place. Who they are and what they do is drawn from a
//! seed; see `customer` for the shares.
//!
//! - `customer`: one of them. `arrivals`: when they come. `names`: what they and their events go by.
//! - `course`: all of them, as time goes on. `sending`, `receiver`: the Broker's two sides.
//! - `faults`: what is killed meanwhile.
//! - `ledger`, `latency`: what the crowd has seen. `books`: what the others say. `report`: whether it is right.

mod arrivals;
mod books;
mod course;
mod customer;
mod faults;
mod latency;
mod ledger;
mod names;
mod progress;
mod receiver;
mod report;
mod sending;

use std::time::Duration;

use clap::Args;
use fastrand::Rng;
use http::Uri;
use runtime::shutdown::Shutdown;
use tokio::task::JoinSet;

use self::books::Places;
use self::course::Course;
use self::customer::Customer;
use self::faults::{Fault, Kills};
use self::names::Names;
use self::report::Report;
use self::sending::Sending;
use crate::client::Client;

/// What a crowd is.
#[derive(Debug, Clone, Args)]
pub struct CrowdArguments {
    /// The Broker's ingress
    #[arg(long, value_name = "URL")]
    pub broker: Uri,
    /// The port of 127.0.0.1 where the Broker delivers, in the website's place; 0 takes a free one
    #[arg(long)]
    pub port: u16,
    /// How many customers come
    #[arg(long, default_value_t = 100_000)]
    pub customers: u32,
    /// Within how many seconds they come, most of them soon after the opening
    #[arg(long, default_value_t = 600)]
    pub over_seconds: u32,
    /// How long one takes to decide, on average, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    pub think_ms: u32,
    /// What they are drawn from; another one each time unless it is given
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many events are on their way to the Broker at one time
    #[arg(long, default_value_t = 64)]
    pub under_way: usize,
    /// Where the queue is
    #[arg(long, value_name = "URL")]
    pub queue: String,
    /// Where the ticket office is
    #[arg(long, value_name = "URL")]
    pub tickets: String,
    /// Where the cashier is
    #[arg(long, value_name = "URL")]
    pub payments: String,
    /// Where dead letters are counted
    #[arg(long, value_name = "URL")]
    pub dead_letters: String,
    /// Where process instances are counted
    #[arg(long, value_name = "URL")]
    pub process_view: String,
    /// The process that is counted
    #[arg(long, default_value = "ticket-sale")]
    pub process: String,
    /// A program of the stage that is killed meanwhile, every so many seconds; repeatable
    #[arg(
        long = "kill",
        value_name = "NAME=SECONDS[xTIMES]",
        requires = "controls"
    )]
    pub kills: Vec<Fault>,
    /// Where the stage's controls are
    #[arg(long, value_name = "URL")]
    pub controls: Option<String>,
    /// For how long nothing may happen before it is given up, in seconds
    #[arg(long, default_value_t = 120)]
    pub patience_seconds: u64,
}

/// Has a crowd come, and returns whether all is as it should be when it has gone. The report is printed.
///
/// # Errors
/// It could not begin, or was interrupted; in words.
pub async fn run(arguments: CrowdArguments, shutdown: Shutdown) -> Result<bool, String> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let mut random = Rng::with_seed(seed);
    let over_ms = arguments.over_seconds.saturating_mul(1_000);
    let times = arrivals::draw(arguments.customers, over_ms, &mut random);
    let customers: Vec<Customer> = (0..arguments.customers)
        .map(|_| Customer::draw(arguments.think_ms, &mut random))
        .collect();
    let peak = arrivals::peak(&times);
    println!(
        "{} customers within {} s, {peak} in the fullest second (seed {seed})",
        arguments.customers, arguments.over_seconds
    );

    let names = Names::of(seed);
    let client = Client::default();
    let places = Places::of(&arguments, client.clone());
    let patience = Duration::from_secs(arguments.patience_seconds);
    let listening = receiver::start(arguments.port, names.clone(), shutdown.clone());
    let (_, happened) = listening.await.map_err(|error| error.to_string())?;
    let sending = Sending::new(arguments.broker, arguments.under_way)
        .map_err(|error| format!("--broker: {error}"))?;

    let kills = Kills::default();
    let mut inflicting = JoinSet::new();
    for fault in arguments.kills.iter().cloned() {
        let controls = arguments.controls.clone().unwrap_or_default();
        inflicting.spawn(faults::inflict(
            fault,
            controls,
            client.clone(),
            kills.clone(),
        ));
    }
    let mut course = Course::new(customers, times, names, sending, happened);
    let stuck = tokio::select! {
        stuck = course.until_all_are_over(patience) => stuck,
        () = shutdown.requested() => return Err("interrupted".to_owned()),
    };
    // From here on all may come to rest.
    inflicting.shutdown().await;
    let books = tokio::select! {
        books = course.until(places.at_rest(patience)) => books?,
        () = shutdown.requested() => return Err("interrupted".to_owned()),
    };
    course.catch_up();
    let report = Report {
        course: &course,
        books: &books,
        faults: &arguments.kills,
        kills: kills.counts(),
        peak,
        stuck,
    };
    Ok(report.print())
}
