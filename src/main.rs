//! The program: arguments -> command -> exit code. Here alone the process environment and its signals are read.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use eventing_zeebe::command::{Arguments, Command, deploy, emit, run};
use eventing_zeebe::config::{Config, ConfigErrors, DeployConfig, RulesConfig, reference_page};
use runtime::shutdown::{Shutdown, Signals};
use runtime::telemetry::logs::{self, LogSettings};

// The image's libc has an allocator that costs more than all else the program does with an event.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Configuration that cannot be used, as `sysexits.h` numbers it.
const EX_CONFIG: u8 = 78;

fn main() -> ExitCode {
    match Arguments::parse().command.unwrap_or(Command::Run) {
        Command::Run => finished(
            Config::from_variables(variables())
                .map_err(Into::into)
                .and_then(run_roles),
        ),
        Command::Deploy(arguments) => finished(deploy_models(arguments)),
        Command::Emit(arguments) => finished(
            runtime::cpu::build(runtime::cpu::Threads::Auto)
                .map_err(Into::into)
                .and_then(|runtime| runtime.block_on(emit::emit(*arguments)))
                .map(|()| ExitCode::SUCCESS),
        ),
        Command::Check { file } => finished(check_rules(file)),
        Command::Config => {
            print!("{}", reference_page());
            ExitCode::SUCCESS
        }
    }
}

fn variables() -> impl Iterator<Item = (String, String)> {
    // A variable that is not UTF-8 cannot be one of ours; it must not stop the program.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn finished(result: Result<ExitCode, Box<dyn Error>>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        if error.is::<ConfigErrors>() {
            ExitCode::from(EX_CONFIG)
        } else {
            ExitCode::FAILURE
        }
    })
}

fn deploy_models(arguments: deploy::Deploy) -> Result<ExitCode, Box<dyn Error>> {
    let config = DeployConfig::from_variables(variables())?;
    let runtime = runtime::cpu::build(runtime::cpu::Threads::Auto)?;
    runtime.block_on(deploy::deploy(arguments, config))?;
    Ok(ExitCode::SUCCESS)
}

fn check_rules(file: Option<PathBuf>) -> Result<ExitCode, Box<dyn Error>> {
    let mut config = RulesConfig::from_variables(variables())?;
    config.file = file.or(config.file);
    if config.file.is_none() {
        return Err("name a rules file, or set RULES".into());
    }
    let rules = run::load_rules(&config)?;
    for warning in rules.warnings() {
        eprintln!("warning: {warning}");
    }
    let names: Vec<_> = rules.names().collect();
    println!("ok: {}", names.join(", "));
    Ok(ExitCode::SUCCESS)
}

fn run_roles(config: Config) -> Result<ExitCode, Box<dyn Error>> {
    let (_guard, filter) = logs::install(&LogSettings {
        format: config.logs.format,
        filter: config.logs.filter.clone(),
    })
    .map_err(|error| format!("BRIDGE_LOG: {error}"))?;
    let runtime = runtime::cpu::build(config.threads)?;
    let code = runtime.block_on(async {
        let shutdown = Shutdown::new(config.grace);
        let signals = Signals::install()?;
        tokio::select! {
            result = run::run(config, filter, &shutdown) => result.map(|()| ExitCode::SUCCESS),
            second = signals.drive(&shutdown) => Ok(ExitCode::from(second.exit_code())),
        }
    });
    // What a second signal left behind must not hold the exit up.
    runtime.shutdown_background();
    code
}
