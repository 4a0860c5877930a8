//! The spans of commands, by OpenTelemetry's conventions for RPC: what they all say of the engine, written once.

use runtime::telemetry::traces::{Fields, Span, SpanKind};
use zeebe_client::{Address, SERVICE};

/// Makes the spans of the commands that one engine is given.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Of the commands that are often given.
    usual: Vec<(&'static str, Fields)>,
    engine: Fields,
}

impl Calls {
    /// Those to the engine at this address, of which these are often given.
    pub(crate) fn to(engine: &Address, usual: &[&'static str]) -> Self {
        let engine = Fields::of(|fields| {
            fields.text("rpc.system.name", "grpc");
            fields.text("server.address", engine.host());
            if let Some(port) = engine.port() {
                fields.number("server.port", port.into());
            }
        });
        let all = |command: &&'static str| {
            let fields = Fields::of(|fields| describe(command, &engine, fields));
            (*command, fields)
        };
        Self {
            usual: usual.iter().map(all).collect(),
            engine,
        }
    }

    /// The span of one attempt to give a command, such as `CompleteJob`, and what else it says.
    pub(crate) fn span(
        &self,
        parent: &Span,
        command: &'static str,
        say: impl FnOnce(&mut Fields),
    ) -> Span {
        parent.child(SpanKind::Client, |fields| {
            match self.usual.iter().find(|(usual, _)| *usual == command) {
                Some((_, described)) => fields.extend(described),
                None => describe(command, &self.engine, fields),
            }
            say(fields);
        })
    }
}

fn describe(command: &'static str, engine: &Fields, fields: &mut Fields) {
    let method = [SERVICE, "/", command];
    fields.name(&method);
    fields.joined("rpc.method", &method);
    fields.extend(engine);
}
