//! What each answer of the sink leads to, read off Knative's own filter. Where the bridge can be brought to
//! an answer behind a Broker, it is; the others are taken from the bridge itself and played back byte for
//! byte, as what leads to them cannot pass the ingress or takes a sender that stalls.
//!
//! - `each`: every kind of answer, played back.
//! - `bridge`: the bridge itself behind a Broker.
//! - `again`: an event that is sent again, and when.
//! - `reasons`: the reason of a refusal, on its way to the dead letter sink.

mod again;
mod bridge;
mod each;
mod reasons;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use testkit::destination::{Destination, Received};

use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};

/// The attempts that [`QUICK`] allows.
const ALL_ATTEMPTS: usize = 3;
/// The largest event that the bridge of these scenarios takes.
const MAX_EVENT_BYTES: usize = 1024;
/// An address where nobody listens: port 1 is no port for users.
const NOBODY: &str = "http://127.0.0.1:1";

fn with_id(destination: &Destination, id: &str) -> Vec<Received> {
    let mut all = destination.received();
    all.retain(|event| event.id() == id);
    all
}

/// The dead letter names the status, and has the whole reason.
fn assert_tells(dead: &Received, status: u16, reason: &[u8]) {
    assert_eq!(
        dead.header("ce-knativeerrorcode"),
        Some(&*status.to_string()),
        "{dead:?}"
    );
    let data = dead.header("ce-knativeerrordata").expect("a reason");
    let data = BASE64_STANDARD.decode(data).expect("base64");
    assert_eq!(
        String::from_utf8_lossy(&data),
        String::from_utf8_lossy(reason)
    );
}

async fn one_trigger(subscriber: &Destination, dead_letters: &Destination) -> Dataplane {
    let manifests = Manifests::of(&[Trigger {
        name: "answers",
        types: &[],
        subscriber: "subscriber",
        delivery: QUICK,
    }]);
    Dataplane::start(
        manifests.path(),
        &[
            ("Service/subscriber", &subscriber.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await
}
