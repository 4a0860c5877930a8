use std::collections::BTreeMap;

use bytes::Bytes;
use eventing::{Attempt, NotReached, Reason, Retry, retry};
use http::{HeaderMap, StatusCode};

fn answered(status: u16) -> Attempt {
    Attempt::Answered {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: Bytes::new(),
    }
}

#[test]
fn every_status_that_http_can_carry_has_its_place_in_the_table() {
    let singled_out = BTreeMap::from([
        (404, Retry::Again(Reason::Failing)),
        (408, Retry::Again(Reason::Failing)),
        (409, Retry::Again(Reason::Failing)),
        (429, Retry::Again(Reason::Busy)),
        (503, Retry::Again(Reason::Busy)),
    ]);
    let by_class = [
        (100..200, Retry::GiveUp(Reason::Refused)),
        (200..300, Retry::Done),
        (300..400, Retry::GiveUp(Reason::Redirected)),
        (400..500, Retry::GiveUp(Reason::Refused)),
        (500..1000, Retry::Again(Reason::Failing)),
    ];
    for (class, otherwise) in by_class {
        for status in class {
            let expected = singled_out.get(&status).copied().unwrap_or(otherwise);
            assert_eq!(retry(&answered(status)), expected, "{status}");
        }
    }
}

#[test]
fn every_kind_of_silence_is_tried_again_and_tells_whether_the_event_may_have_arrived() {
    let table = [
        (NotReached::Refused, Reason::Away),
        (NotReached::Dns, Reason::Away),
        (NotReached::Tls, Reason::Away),
        (NotReached::Unreachable, Reason::Away),
        (NotReached::TimedOut, Reason::NoAnswer),
        (NotReached::ConnectionLost, Reason::NoAnswer),
    ];
    for (why, reason) in table {
        let attempt = Attempt::NotReached {
            why,
            detail: String::new(),
        };
        assert_eq!(retry(&attempt), Retry::Again(reason), "{why:?}");
    }
}

#[test]
fn what_was_accepted_is_done_even_if_its_answer_broke_off() {
    for whole in [true, false] {
        let attempt = Attempt::Accepted {
            status: StatusCode::ACCEPTED,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            whole,
        };
        assert_eq!(retry(&attempt), Retry::Done);
    }
}
