//! A supervisor for what belongs together on one machine: starts programs in order, keeps them running, and
//! ends them all. A development tool.
//!
//! | what happens | then |
//! |---|---|
//! | all that a program comes `after` are ready | it is started, in a process group of its own, its output in `NAME.log` |
//! | it ends | it is started again after a growing pause; after five ends in a row the stage ends |
//! | it is not ready in time, or cannot be started | the stage ends, and shows its last lines |
//! | a wished port is taken | another is taken, and that is said |
//! | all are ready | the command after `--` is run, and the stage ends with its status; or it stays |
//! | SIGINT, SIGTERM | all are asked to end, first those that nobody needs any more; after a grace they are killed |
//! | a second one | all are killed |
//! | the stage itself is killed | all are killed, by the warden |
//!
//! - `file`: the YAML as written. `plan`: what is started, and what can be wrong with it. `text`: `${NAME}`.
//! - `keeper`: one program's life. `process`: one run of it. `board`: what is known of all.
//! - [`warden`]: sees to it that nothing is left behind.
//! - `controls`: requests that show the programs and kill one.

mod board;
mod controls;
mod file;
mod keeper;
mod log;
mod plan;
mod ports;
mod process;
mod refusal;
mod text;
mod troupe;
mod variables;
pub mod warden;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use runtime::listener::Listener;
use runtime::shutdown::Shutdown;

pub use self::plan::Plan;
pub use self::refusal::Refusal;

use self::board::Board;
use self::keeper::Shared;
use self::ports::{Locks, Ports};
use self::process::{Process, Run};
use self::troupe::Troupe;
use self::variables::Variables;
use self::warden::Warden;
use crate::client::Client;

/// How long the command may take to end when the stage is asked to.
const COMMAND_GRACE: Duration = Duration::from_secs(5);

/// What a stage is started with.
#[derive(Debug, Clone, Args)]
pub struct StageArguments {
    /// Files that say what is started; of two programs or variables with one name the later file's counts, and what each `says` is said
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Gives a variable or a wished port of the files another value; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Folder for the programs' files and logs, which is kept; without it a temporary one is made, and kept
    /// only when something went wrong
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Run once all programs are ready; the stage ends with its status. `${NAME}` is replaced in it, too
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Says something to the person who started the stage.
fn tell(line: &str) {
    eprintln!("stage: {line}");
}

/// Runs a stage until its command has ended, or `shutdown` is requested; returns the exit code.
///
/// Dropping the future kills all programs.
///
/// # Errors
/// Files that are refused; a program that does not start or does not stay; in words.
pub async fn run(arguments: StageArguments, shutdown: Shutdown) -> Result<ExitCode, String> {
    let plan = Plan::read(&arguments.files, &arguments.set, &arguments.command)
        .map_err(|refusal| refusal.to_string())?;
    let demo = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let folder = folder(arguments.run.as_deref())?;
    let temporary = arguments.run.is_none().then_some(folder.as_path());
    let warden = Warden::start(&demo, temporary).map_err(|error| format!("the warden: {error}"))?;
    let warden = Arc::new(warden);
    let ended = on_stage(plan, demo, folder.clone(), &warden, &shutdown).await;
    if ended.is_err() && temporary.is_some() {
        // Where the warden is gone the folder stays too.
        let _ = warden.keep();
        tell(&format!("the logs are in {}", folder.display()));
    }
    ended
}

async fn on_stage(
    plan: Plan,
    demo: PathBuf,
    folder: PathBuf,
    warden: &Arc<Warden>,
    shutdown: &Shutdown,
) -> Result<ExitCode, String> {
    let (known, listener, _locks) = names(&plan, &demo, &folder).await?;
    let board = Board::new(plan.programs.iter().map(|it| it.name.as_str()));
    let shared = Arc::new(Shared {
        demo,
        folder,
        variables: Variables::new(known, plan.variables),
        warden: Arc::clone(warden),
        board,
        client: Client::default(),
    });
    let resolve = |text| {
        let resolved = shared.variables.resolve(text);
        resolved.map_err(|unknown| unknown.to_string())
    };
    // Ends with this function, however that ends.
    let controls = Shutdown::new(Duration::ZERO);
    let _guard = controls.token().drop_guard();
    if let (Some(plan), Some(listener)) = (&plan.controls, listener) {
        let origins = plan.origins.iter().map(resolve);
        let origins = origins.collect::<Result<_, _>>()?;
        let serving = controls::serve(listener, origins, Arc::clone(&shared), controls.clone());
        tokio::spawn(serving);
    }

    let mut troupe = Troupe::start(plan.programs, &shared);
    let mut ended = tokio::select! {
        ready = troupe.all_ready() => ready.map(|()| ExitCode::SUCCESS),
        () = shutdown.requested() => Ok(ExitCode::SUCCESS),
    };
    if ended.is_ok() && !shutdown.is_requested() {
        ended = if plan.command.is_empty() {
            for says in &plan.says {
                println!("{}", resolve(says)?.trim_end());
            }
            tokio::select! {
                failure = troupe.failure() => Err(failure),
                () = shutdown.requested() => Ok(ExitCode::SUCCESS),
            }
        } else {
            let words = plan.command.iter().map(resolve);
            let words = words.collect::<Result<Vec<_>, _>>()?;
            command(words, &shared, &mut troupe, shutdown).await
        };
    }
    if shutdown.is_requested() {
        tell("ending all; a second signal kills them");
    }
    troupe.stop().await;
    if shutdown.is_requested() {
        tell("all have ended");
    }
    ended
}

/// Runs the command after `--`.
async fn command(
    mut words: Vec<String>,
    shared: &Shared,
    troupe: &mut Troupe,
    shutdown: &Shutdown,
) -> Result<ExitCode, String> {
    let run = Run {
        command: words.remove(0),
        args: words,
        env: Vec::new(),
    };
    let failed = |error: std::io::Error| format!("{}: {error}", run.command);
    let started = Process::start(&run, &shared.demo, None, &shared.warden).await;
    let mut process = started.map_err(failed)?;
    tokio::select! {
        status = process.ended() => status.map(exit_code).map_err(failed),
        failure = troupe.failure() => Err(failure),
        () = shutdown.requested() => {
            process.stop(COMMAND_GRACE).await.map_err(failed)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The folder of this run, made if it is not there.
fn folder(wanted: Option<&Path>) -> Result<PathBuf, String> {
    let folder = match wanted {
        Some(folder) => folder.to_owned(),
        None => std::env::temp_dir().join(format!("stage-{:08x}", fastrand::u32(..))),
    };
    let mut builder = std::fs::DirBuilder::new();
    let failed = |error| format!("{}: {error}", folder.display());
    // Another's folder of the same name is refused where it is to be a new one.
    let recursive = wanted.is_some();
    builder.recursive(recursive).mode(0o700);
    builder.create(&folder).map_err(failed)?;
    folder.canonicalize().map_err(failed)
}

/// Chooses ports, and gives names to all that is known before the start.
async fn names(
    plan: &Plan,
    demo: &Path,
    folder: &Path,
) -> Result<(BTreeMap<String, String>, Option<Listener>, Locks), String> {
    let mut ports = Ports::default();
    let mut known = BTreeMap::new();
    let mut choose = |of: &str, wished: u16| {
        let port = ports.choose(wished);
        let port = port.map_err(|error| format!("no port for {of}: {error}"))?;
        if port != wished && wished != 0 {
            tell(&format!("port {wished} of {of} is taken, it is {port} now"));
        }
        Ok::<_, String>(port)
    };
    for program in &plan.programs {
        for (name, wished) in &program.ports {
            known.insert(name.clone(), choose(&program.name, *wished)?.to_string());
        }
    }
    let controls = plan.controls.as_ref();
    let controls = controls
        .map(|it| choose("the controls", it.port))
        .transpose()?;
    let locks = ports.free();
    let mut url = String::new();
    let mut listener = None;
    if let Some(port) = controls {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        listener = Some(
            Listener::bind(address)
                .await
                .map_err(|error| error.to_string())?,
        );
        url = format!("http://{address}");
    }
    let run_name = folder.file_name().unwrap_or_default();
    for (name, value) in [
        ("CONTROLS_URL", url),
        ("DEMO", demo.display().to_string()),
        ("RUN", folder.display().to_string()),
        ("RUN_NAME", run_name.to_string_lossy().into_owned()),
    ] {
        known.insert(name.to_owned(), value);
    }
    Ok((known, listener, locks))
}
