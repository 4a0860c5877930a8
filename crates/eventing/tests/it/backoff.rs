use std::time::{Duration, SystemTime};

use bytes::Bytes;
use eventing::backoff::{jittered, retry_after};
use eventing::{Attempt, BackoffPolicy, DeliverySpec, NotReached};
use http::{HeaderMap, HeaderValue, StatusCode};

use BackoffPolicy::{Exponential, Linear};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn pauses_grow_as_in_knatives_sender() {
    let table = [
        (Linear, [0, 200, 400, 600, 800]),
        (Exponential, [200, 400, 800, 1600, 3200]),
    ];
    for (policy, pauses) in table {
        for (retry, pause) in (0..).zip(pauses) {
            assert_eq!(
                policy.pause(ms(200), retry),
                ms(pause),
                "{policy:?} {retry}"
            );
        }
    }
}

#[test]
fn no_pause_grows_beyond_an_hour_and_none_overflows() {
    let hour = Duration::from_secs(3600);
    for (policy, retry) in [
        (Exponential, 15),
        (Exponential, 31),
        (Exponential, 32),
        (Exponential, u32::MAX),
        (Linear, 18_001),
        (Linear, u32::MAX),
    ] {
        assert_eq!(policy.pause(ms(200), retry), hour, "{policy:?} {retry}");
    }
    assert_eq!(Exponential.pause(Duration::MAX, 5), Duration::MAX);
    assert_eq!(Exponential.pause(Duration::ZERO, u32::MAX), Duration::ZERO);
}

#[test]
fn a_delay_that_is_longer_than_an_hour_is_kept_and_does_not_grow() {
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(Exponential.pause(day, 0), day);
    assert_eq!(Exponential.pause(day, 3), day);
    assert_eq!(Linear.pause(day, 0), Duration::ZERO);
}

#[test]
fn jitter_takes_at_most_half_of_a_pause_and_never_the_same() {
    let pauses: Vec<_> = (0..200).map(|_| jittered(ms(1000))).collect();
    assert!(
        pauses
            .iter()
            .all(|pause| (ms(500)..=ms(1000)).contains(pause))
    );
    assert!(pauses.iter().any(|pause| *pause < ms(700)));
    assert!(pauses.iter().any(|pause| *pause > ms(800)));
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date() {
    // Sun, 06 Nov 1994 08:48:37 GMT: a minute before the dates below.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_717);
    let table = [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 7 ", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60)),
        ("Sun Nov  6 08:49:37 1994", Some(60)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("1994-11-06T08:49:37Z", None),
        ("18446744073709551616", None),
    ];
    for (text, seconds) in table {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(text).unwrap());
        let expected = seconds.map(Duration::from_secs);
        assert_eq!(retry_after(&headers, now), expected, "{text}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}

#[test]
fn retry_after_counts_for_429_and_503_where_it_is_longer_and_up_to_its_greatest() {
    let max = |seconds| Some(Duration::from_secs(seconds));
    // retry_after_max, status, Retry-After in seconds -> pause in seconds, where the backoff says 2.
    let table = [
        (None, 429, Some(30), 2),
        (None, 503, Some(30), 2),
        (max(0), 429, Some(30), 2),
        (max(60), 429, Some(30), 30),
        (max(60), 503, Some(30), 30),
        (max(60), 503, Some(90), 60),
        (max(60), 503, Some(u64::MAX), 60),
        (max(60), 429, Some(1), 2),
        (max(1), 429, Some(30), 2),
        (max(60), 429, None, 2),
        (max(60), 500, Some(30), 2),
        (max(60), 408, Some(30), 2),
        (max(60), 404, Some(30), 2),
    ];
    for (retry_after_max, status, asked, pause) in table {
        let spec = DeliverySpec {
            backoff_policy: Exponential,
            backoff_delay: Duration::from_secs(1),
            retry_after_max,
            ..DeliverySpec::default()
        };
        let attempt = Attempt::Answered {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: asked.map(Duration::from_secs),
            body: Bytes::new(),
        };
        assert_eq!(
            spec.pause(&attempt, 1),
            Duration::from_secs(pause),
            "{retry_after_max:?} {status} {asked:?}"
        );
    }
}

#[test]
fn without_an_answer_the_pause_is_the_backoff() {
    let spec = DeliverySpec {
        backoff_policy: Linear,
        backoff_delay: ms(250),
        retry_after_max: Some(Duration::from_secs(60)),
        ..DeliverySpec::default()
    };
    let attempt = Attempt::NotReached {
        why: NotReached::Refused,
        detail: String::new(),
    };
    assert_eq!(spec.pause(&attempt, 0), Duration::ZERO);
    assert_eq!(spec.pause(&attempt, 3), ms(750));
}

#[test]
fn a_delivery_that_says_nothing_is_that_of_knatives_default_broker() {
    let spec = DeliverySpec::default();
    assert_eq!(spec.retry, 10);
    assert_eq!(spec.backoff_policy, Exponential);
    assert_eq!(spec.backoff_delay, ms(200));
    assert_eq!(spec.retry_after_max, None);
}
