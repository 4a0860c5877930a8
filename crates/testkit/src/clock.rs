//! Time that passes when a test says so.

use std::time::Duration;

/// Lets so much time pass at once for all tokio timers of this test. Before and after, time runs as
/// always: a clock that stood still would run ahead whenever everybody waits for a socket.
///
/// # Panics
/// In a test whose runtime has several threads.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
