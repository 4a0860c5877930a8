//! Fakes and builders for tests.
//!
//! - [`program`]: a program under test, spawned and watched through its log lines.
//! - [`bridge`]: the bridge as such a program, with a client of its sink.
//! - [`collector`]: takes spans, and shows the trees that they make.
//! - [`destination`]: an HTTP server that answers as told and remembers what it got.
//! - [`relay`]: a door before another server, known before it, that can lose an answer.
//! - [`gateway`]: a fake Zeebe gateway, for faults that the real one does not produce on demand.
//! - [`issuer`]: makes OIDC tokens, and shows the keys that it signs with.
//! - [`clock`]: moves a paused clock.
//! - [`lines`]: what is logged inside a test.
//! - [`certificates`]: authorities and certificates of a test's own.
//! - [`rules_file`]: a rules file of a test's own.
//! - [`request`]: one HTTP request, made plainly.
//! - [`zeebe`]: a real engine, started by `scripts/zeebe`.
//! - [`manifests`]: what is in `knative/`, as data.
//! - [`script`]: what `scripts/` prepare.
//! - [`scenario`]: models under names of a scenario's own.

pub mod bridge;
pub mod certificates;
pub mod clock;
pub mod collector;
pub mod destination;
pub mod gateway;
pub mod issuer;
pub mod lines;
pub mod manifests;
pub mod program;
pub mod relay;
pub mod request;
pub mod rules_file;
pub mod scenario;
pub mod script;
pub mod zeebe;
