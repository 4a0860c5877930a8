//! Jobs of timers while nothing is up.

use std::time::SystemTime;

use serde_json::json;

use crate::broker::Broker;
use crate::pods::seconds;
use crate::room::Room;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_timer_creates_while_nothing_is_up_is_worked_at_the_next_wake_up() {
    let room = Room::new("timers").await;
    room.install("tests/e2e/overlays/combined-reminder");
    // No wake-up before it is wanted.
    let suspended = r#"{"spec":{"schedule":"0 0 1 1 *"}}"#;
    let patch = |to: &str| {
        room.kubectl(&[
            "patch",
            "pingsource",
            "eventing-zeebe-wake-up",
            "--type",
            "merge",
            "-p",
            to,
        ])
    };
    patch(suspended);
    room.ready();
    let broker = Broker::of(&room).await;
    let watch = Watcher::of(&room, "watch").await;
    let reminder = json!({"name": "Ada", "after": "PT100S"});
    broker
        .send("reminder", "Reminder.Requested", &reminder)
        .await;
    let asked = SystemTime::now();
    room.at_zero().await;
    println!(
        "at zero {:.1} s after the event",
        seconds(asked, SystemTime::now())
    );
    assert_eq!(
        watch.count().await,
        0,
        "the timer is not due before there is no pod"
    );

    patch(r#"{"spec":{"schedule":"* * * * *"}}"#);
    let due = watch.sees("\"reminded\":\"Ada\"").await;
    println!(
        "worked {:.1} s after the event; its timer was due after 100 s",
        seconds(asked, SystemTime::now())
    );
    assert_eq!(due["type"], "Reminder.Due");
    patch(suspended);
    room.at_zero().await;
}
