//! The message id: which events are the same event.

use cloudevents::{AttributesReader, Event};
use sha2::{Digest, Sha256};

/// The SHA-256, in hexadecimal digits, of `source`, `id` and the rule's name.
///
/// Each part is preceded by its length, so no two lists of parts read alike. Nothing else enters:
/// what a Broker adds on the way, and the content mode, must not make another event of it.
pub(super) fn of(event: &Event, rule: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [Some(event.source().as_str()), Some(event.id()), rule]
        .into_iter()
        .flatten()
    {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn digit(half: u8) -> char {
    char::from(if half < 10 {
        b'0' + half
    } else {
        b'a' + half - 10
    })
}
