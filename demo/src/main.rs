//! The command line of the development tools.

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use demo::broker::destination::ReferenceTarget;
use demo::broker::{Broker, Settings, manifest};
use demo::crowd::{self, CrowdArguments};
use demo::customer::{self, CustomerArguments};
use demo::payments::{Payments, PaymentsArguments};
use demo::queue::{Queue, QueueArguments};
use demo::reach::{self, ReachArguments};
use demo::service::settings::{ServiceArguments, Settings as ServiceSettings};
use demo::service::{self, NoRoutes, Routes, Service};
use demo::stage::warden::Part;
use demo::stage::{self, StageArguments};
use demo::store::Store;
use demo::tickets::{Tickets, TicketsArguments};
use demo::traces::Traced;
use demo::watch;
use demo::website::{Limits, Website, WebsiteArguments};
use runtime::shutdown::{Shutdown, Signals};
use tracing_subscriber::EnvFilter;

/// The ticket sale: its services, which know events only, and development tools around the bridge.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Arguments {
    #[command(subcommand)]
    invoked: Invoked,
}

#[derive(Debug, Subcommand)]
enum Invoked {
    #[command(flatten)]
    Command(Command),
    #[command(flatten)]
    Part(Part),
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a local Broker with its Triggers: a development tool
    ///
    /// It does what Knative's does, on 127.0.0.1, and is not for production: it holds each event in
    /// memory, with its sender's request, until all Triggers are done, and keeps nothing beyond that.
    ///
    /// Send events to http://127.0.0.1:PORT/NAMESPACE/NAME.
    Broker(BrokerArguments),
    /// Accept every event and print it as a line: a development tool
    Watch(WatchArguments),
    /// Be a dead letter sink that prints and shows what failed, where and why: a development tool
    DeadLetters(WatchArguments),
    /// Buy tickets at the website without a browser, and print what happens: a development tool
    Customer(CustomerArguments),
    /// Connect to addresses and say whether that is possible from here: a development tool
    Reach(ReachArguments),
    /// Have a crowd buy tickets, and check what is true when it has gone: a development tool
    Crowd(Box<CrowdArguments>),
    /// Start all that belongs together, keep it running, and end it: a development tool
    ///
    /// Programs are started in the order that the files say, each once those that it comes after are ready.
    /// Ctrl-C ends all of them; nothing is left behind, also where the stage itself is killed.
    Stage(StageArguments),
    /// Service of the sale: the line in front of the shop, first come, first served
    Queue(Serve<QueueArguments>),
    /// Service of the sale: the ticket office, which holds a stock of seats
    Tickets(Serve<TicketsArguments>),
    /// Service of the sale: the cashier
    Payments(Serve<PaymentsArguments>),
    /// Service of the sale: the shop's page, and what it shows its customer
    Website(Box<Serve<WebsiteArguments>>),
}

/// A service of the sale: what all have in common, and its own.
#[derive(Debug, Args)]
struct Serve<T: Args> {
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    own: T,
}

/// What part of the grace the last spans may take to leave.
const FLUSH_SHARE: u32 = 5;

#[derive(Debug, Args)]
struct BrokerArguments {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// File or directory with Triggers (eventing.knative.dev/v1); repeatable
    #[arg(long, value_name = "PATH", required = true)]
    triggers: Vec<PathBuf>,
    /// File or directory with Brokers; without one, Brokers have Knative's defaults
    #[arg(long, value_name = "PATH")]
    broker: Vec<PathBuf>,
    /// Where a reference points: Kind/name=URL, Kind/namespace/name=URL or *=URL; repeatable
    #[arg(long = "ref", value_name = "REF=URL")]
    references: Vec<ReferenceTarget>,
    /// Namespace of objects that name none
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Memory for all events in hand, in MiB; beyond it senders wait, then get 503
    #[arg(long, default_value_t = 64)]
    budget_mib: usize,
    /// How long events in hand may take after SIGTERM, in seconds
    #[arg(long, default_value_t = 10)]
    grace_seconds: u64,
}

#[derive(Debug, Args)]
struct WatchArguments {
    /// The address to listen on; 0.0.0.0 in a pod
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 8090)]
    port: u16,
    /// A word before each line, to tell several watchers apart
    #[arg(long)]
    label: Option<String>,
}

fn main() -> ExitCode {
    match Arguments::parse().invoked {
        Invoked::Command(command) => perform(command),
        Invoked::Part(part) => part.play(),
    }
}

fn perform(command: Command) -> ExitCode {
    // These speak to a person, and say themselves what there is to say.
    let level = match &command {
        Command::Stage(_) | Command::Crowd(_) | Command::Customer(_) | Command::Reach(_) => "warn",
        Command::Broker(_)
        | Command::Watch(_)
        | Command::DeadLetters(_)
        | Command::Queue(_)
        | Command::Tickets(_)
        | Command::Payments(_)
        | Command::Website(_) => "info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(command)),
        Err(error) => Err(format!("cannot start: {error}")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, String> {
    let grace = match &command {
        Command::Broker(arguments) => Duration::from_secs(arguments.grace_seconds),
        Command::Watch(_)
        | Command::DeadLetters(_)
        | Command::Customer(_)
        | Command::Reach(_)
        | Command::Crowd(_) => Duration::from_secs(2),
        // Each of its programs has a grace of its own.
        Command::Stage(_) => Duration::from_secs(60 * 60),
        Command::Queue(Serve { service, .. })
        | Command::Tickets(Serve { service, .. })
        | Command::Payments(Serve { service, .. }) => Duration::from_secs(service.grace_seconds),
        Command::Website(website) => Duration::from_secs(website.service.grace_seconds),
    };
    let signals = Signals::install().map_err(|error| error.to_string())?;
    let shutdown = Shutdown::new(grace);
    let traced = match service_of(&command) {
        Some(service) => Traced::start(service, variables()),
        None => Traced::default(),
    };
    let traces = traced.traces();
    let work = async {
        match command {
            Command::Stage(arguments) => return stage::run(arguments, shutdown.clone()).await,
            Command::Crowd(arguments) => {
                return crowd::run(*arguments, shutdown.clone()).await.map(success_if);
            }
            Command::Reach(arguments) => return Ok(success_if(reach::run(&arguments, say).await)),
            Command::Customer(arguments) => tokio::select! {
                bought = customer::run(&arguments, say) => bought.map_err(|error| error.to_string()),
                () = shutdown.requested() => return Ok(ExitCode::FAILURE),
            },
            Command::Broker(arguments) => run_broker(arguments, shutdown.clone()).await,
            Command::Watch(arguments) => run_watch(arguments, "", shutdown.clone()).await,
            Command::DeadLetters(arguments) => {
                run_watch(arguments, "dead letter", shutdown.clone()).await
            }
            Command::Queue(Serve { service, own }) => {
                let settings = settings(&service)?;
                let queue = Queue::new(&own);
                let store = open(&queue, &settings)?.traced(traces);
                run_service(queue, NoRoutes, store, settings, shutdown.clone()).await
            }
            Command::Tickets(Serve { service, own }) => {
                let settings = settings(&service)?;
                let tickets = Tickets::new(&own);
                let store = open(&tickets, &settings)?.traced(traces);
                Tickets::lay_out(&store, own.stock)
                    .await
                    .map_err(|fault| fault.to_string())?;
                run_service(tickets, NoRoutes, store, settings, shutdown.clone()).await
            }
            Command::Payments(Serve { service, own }) => {
                let settings = settings(&service)?;
                let payments = Payments::new(&own);
                let store = open(&payments, &settings)?.traced(traces);
                run_service(payments, NoRoutes, store, settings, shutdown.clone()).await
            }
            Command::Website(website) => {
                let Serve { service, own } = *website;
                let settings = settings(&service)?;
                let website = Website::new(Limits::default());
                let store = open(&website, &settings)?.traced(traces);
                let site = website
                    .site(&own, store.clone(), shutdown.clone())
                    .await
                    .map_err(|error| error.to_string())?;
                run_service(website, site, store, settings, shutdown.clone()).await
            }
        }
        .map(|()| ExitCode::SUCCESS)
    };
    tokio::select! {
        outcome = async {
            let outcome = work.await;
            traced.finish(shutdown.remaining().unwrap_or(grace).min(grace / FLUSH_SHARE)).await;
            outcome
        } => outcome,
        signal = signals.drive(&shutdown) => Ok(ExitCode::from(signal.exit_code())),
    }
}

/// The name of a service in traces; the tools around them are in none.
fn service_of(command: &Command) -> Option<&'static str> {
    match command {
        Command::Queue(_) => Some("queue"),
        Command::Tickets(_) => Some("tickets"),
        Command::Payments(_) => Some("payments"),
        Command::Website(_) => Some("website"),
        Command::Broker(_)
        | Command::Watch(_)
        | Command::DeadLetters(_)
        | Command::Customer(_)
        | Command::Reach(_)
        | Command::Crowd(_)
        | Command::Stage(_) => None,
    }
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn settings(arguments: &ServiceArguments) -> Result<ServiceSettings, String> {
    ServiceSettings::try_from(arguments).map_err(|error| error.to_string())
}

fn open(service: &impl Service, settings: &ServiceSettings) -> Result<Store, String> {
    std::fs::create_dir_all(&settings.data)
        .map_err(|error| format!("DATA_DIR: {}: {error}", settings.data.display()))?;
    service::open(service, settings).map_err(|error| error.to_string())
}

async fn run_service(
    service: impl Service,
    routes: impl Routes,
    store: Store,
    settings: ServiceSettings,
    shutdown: Shutdown,
) -> Result<(), String> {
    let name = service.name();
    let running = service::start(service, routes, store, settings, shutdown)
        .await
        .map_err(|error| error.to_string())?;
    eprintln!("demo: {name} on http://{}", running.address());
    if let Some(events) = running.events_address() {
        eprintln!("demo: {name} takes events at http://{events}");
    }
    running.stopped().await.map_err(|error| error.to_string())
}

async fn run_broker(arguments: BrokerArguments, shutdown: Shutdown) -> Result<(), String> {
    let paths: Vec<_> = arguments
        .broker
        .into_iter()
        .chain(arguments.triggers)
        .collect();
    let manifests =
        manifest::read(&paths, &arguments.namespace).map_err(|error| error.to_string())?;
    for skipped in &manifests.skipped {
        eprintln!(
            "demo: {}: left alone: {} {} `{}`",
            skipped.file.display(),
            skipped.api_version,
            skipped.kind,
            skipped.name
        );
    }
    let settings = Settings {
        port: arguments.port,
        manifests,
        references: arguments.references.into_iter().collect(),
        budget_bytes: arguments.budget_mib.saturating_mul(1024 * 1024),
        ..Settings::default()
    };
    let running = Broker::start_with(settings, shutdown)
        .await
        .map_err(|error| error.to_string())?;
    eprintln!(
        "demo: a local Broker for development, not for production: events are in memory only"
    );
    for (namespace, name, triggers) in running.brokers() {
        let url = running.url(&namespace, &name);
        eprintln!("demo: Broker {url} with {triggers} Triggers");
    }
    let (counts, served) = running.stopped().await;
    eprintln!(
        "demo: received {}, delivered {}, retried {}, dead-lettered {}, lost {}, unmatched {}, replies {}",
        counts.received,
        counts.delivered,
        counts.retried,
        counts.dead_lettered,
        counts.lost,
        counts.unmatched,
        counts.replies
    );
    if served.cut_requests > 0 {
        return Err(format!(
            "{} events were still being delivered when the grace ended",
            served.cut_requests
        ));
    }
    Ok(())
}

async fn run_watch(
    arguments: WatchArguments,
    default_label: &str,
    shutdown: Shutdown,
) -> Result<(), String> {
    let label = arguments.label.unwrap_or_else(|| default_label.to_owned());
    let prefix = if label.is_empty() {
        String::new()
    } else {
        format!("{label}: ")
    };
    let tell = move |line: &str| say(&format!("{prefix}{line}"));
    let watching = watch::start(
        SocketAddr::new(arguments.listen, arguments.port),
        tell,
        shutdown,
    )
    .await
    .map_err(|error| error.to_string())?;
    eprintln!(
        "demo: a development tool: watching on http://{}",
        watching.address()
    );
    let _ = watching.stopped().await;
    Ok(())
}

fn success_if(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints a line. Whoever read the lines may have gone: all goes on as before.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
