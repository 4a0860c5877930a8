//! The spans of commands, by OpenTelemetry's conventions for RPC: what they all say of the engine, written once.

use runtime::telemetry::traces::{Fields, Span, SpanKind};
use zeebe_client::{Address, SERVICE};

/// Makes the spans of the commands that one engine is given.
#[derive(Debug)]
pub(crate) struct Calls(Fields);

impl Calls {
    /// Those to the engine at this address.
    pub(crate) fn to(engine: &Address) -> Self {
        Self(Fields::of(|fields| {
            fields.text("rpc.system.name", "grpc");
            fields.text("server.address", engine.host());
            if let Some(port) = engine.port() {
                fields.number("server.port", port.into());
            }
        }))
    }

    /// The span of one attempt to give a command, such as `CompleteJob`, and what else it says.
    pub(crate) fn span(
        &self,
        parent: &Span,
        command: &'static str,
        say: impl FnOnce(&mut Fields),
    ) -> Span {
        parent.child(SpanKind::Client, |fields| {
            let method = [SERVICE, "/", command];
            fields.name(&method);
            fields.joined("rpc.method", &method);
            fields.extend(&self.0);
            say(fields);
        })
    }
}
