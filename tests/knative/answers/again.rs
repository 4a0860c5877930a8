//! An event that is refused for now is sent again, and `retry-after` says when where the Trigger asks for it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::json;
use testkit::destination::{Answer, Destination};

use super::{ALL_ATTEMPTS, one_trigger, with_id};
use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};

#[tokio::test]
async fn what_was_refused_for_now_is_delivered_once_it_is_taken() {
    let subscriber = Destination::accepting().await;
    let dead_letters = Destination::accepting().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    for status in [408, 429, 503] {
        let id = status.to_string();
        let refusals = std::sync::atomic::AtomicUsize::new(ALL_ATTEMPTS - 1);
        subscriber.answer(move |_| {
            let left = refusals.fetch_update(
                std::sync::atomic::Ordering::Relaxed,
                std::sync::atomic::Ordering::Relaxed,
                |left| left.checked_sub(1),
            );
            Answer::Status(if left.is_ok() { status } else { 202 })
        });
        let answered = dataplane.send("Answers.Asked", &id, &json!({})).await;
        assert_eq!(answered.status, 202, "{status}");
        assert_eq!(with_id(&subscriber, &id).len(), ALL_ATTEMPTS, "{status}");
    }
    assert!(dead_letters.received().is_empty());
}

#[tokio::test]
async fn retry_after_counts_only_where_the_trigger_asks_for_it() {
    let subscriber = Destination::start(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(
            http::header::RETRY_AFTER,
            http::HeaderValue::from_static("1"),
        );
        Answer::Response(response)
    })
    .await;
    let dead_letters = Destination::accepting().await;
    let heeding = format!("{QUICK}retryAfterMax: PT5S\n");
    let manifests = Manifests::of(&[
        Trigger {
            name: "heedless",
            types: &["Answers.Heedless"],
            subscriber: "subscriber",
            delivery: QUICK,
        },
        Trigger {
            name: "heeding",
            types: &["Answers.Heeding"],
            subscriber: "subscriber",
            delivery: &heeding,
        },
    ]);
    let dataplane = Dataplane::start_with(
        &["delivery-retryafter=enabled"],
        manifests.path(),
        &[
            ("Service/subscriber", &subscriber.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await;
    let mut pauses = BTreeMap::new();
    for ty in ["Answers.Heedless", "Answers.Heeding"] {
        assert_eq!(dataplane.send(ty, ty, &json!({})).await.status, 202);
        let attempts = with_id(&subscriber, ty);
        assert_eq!(attempts.len(), ALL_ATTEMPTS);
        let between = attempts.windows(2).map(|two| two[1].at - two[0].at);
        pauses.insert(ty, between.min().expect("two attempts"));
    }
    let asked = Duration::from_secs(1);
    assert!(pauses["Answers.Heedless"] < asked, "{pauses:?}");
    assert!(pauses["Answers.Heeding"] >= asked, "{pauses:?}");
}
