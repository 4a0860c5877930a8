//! What a person runs: the command line, and the commands beside the two roles.

pub mod deploy;
pub mod emit;
mod mappings;
pub mod run;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The command line. Without a command the program runs the roles it is configured for.
#[derive(Debug, Parser)]
#[command(
    name = "eventing-zeebe",
    version,
    about = "Knative Eventing sink and source for the Zeebe workflow engine",
    long_about = "Knative Eventing sink and source for the Zeebe workflow engine.\n\n\
        As a sink it takes CloudEvents on $PORT and gives each to the engine as one command; without a rules \
        file that is: publish a message named after the event's type. As a source (with K_SINK, which a \
        SinkBinding sets) it works the engine's jobs of the types `cloudevents` and `knative` and sends each \
        as a CloudEvent to K_SINK. A job is completed only after its event was accepted.",
    after_help = "Everything is set by environment variables; `eventing-zeebe config` lists them all.\n\n\
        The ones to begin with:\n  \
          ZEEBE_GRPC_ADDRESS   the gateway, http://HOST:PORT or https://HOST:PORT [http://127.0.0.1:26500]\n  \
          K_SINK               where events go; set by a SinkBinding\n  \
          PORT                 where events come in [8080]\n  \
          RULES                a rules file: other commands, other fields, conditions\n\n\
        Try it out:\n  \
          eventing-zeebe deploy bpmn/hello.bpmn\n  \
          K_SINK=http://127.0.0.1:8090/ eventing-zeebe &    # somewhere that takes events\n  \
          eventing-zeebe emit --type Hello.Requested --data '{\"name\":\"Ada\"}'"
)]
pub struct Arguments {
    /// What to do instead of running the roles.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands beside the two roles.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the roles that the environment configures (the default)
    Run,
    /// Deploy models to the engine
    Deploy(deploy::Deploy),
    /// Send one event, for trying out
    Emit(Box<emit::Emit>),
    /// Check a rules file and exit
    Check {
        /// The rules file; without one, that of RULES
        file: Option<PathBuf>,
    },
    /// Print the reference of all settings, in Markdown
    Config,
}
