use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{Happening, Held, Notice, Outcome, Step, Story};

const RESERVATION: &str = "r-1";

fn held(reservation: &str) -> Happening {
    Happening::Held(Held {
        session: "s-1".to_owned(),
        reservation_id: reservation.to_owned(),
        tickets: 2,
        seats: vec!["A1".to_owned(), "A2".to_owned()],
        amount: 9_980,
        currency: "EUR".to_owned(),
    })
}

fn notice(number: usize) -> Happening {
    Happening::Notified(Notice {
        time: format!("2026-11-27T12:00:{number:02}Z"),
        kind: "decide-reminder".to_owned(),
        text: format!("reminder {number}"),
    })
}

/// One of each, of a session whose reservation is [`RESERVATION`].
fn all() -> Vec<Happening> {
    let reservation = || RESERVATION.to_owned();
    vec![
        Happening::Joined {
            customer: "Ada".to_owned(),
        },
        Happening::Queued { number: 7 },
        Happening::Admitted { number: 7 },
        Happening::Requested {
            reservation: reservation(),
            tickets: 2,
        },
        held(RESERVATION),
        Happening::CheckedOut {
            reservation: reservation(),
        },
        Happening::Authorized {
            reservation: reservation(),
        },
        Happening::PaymentRefused {
            reservation: reservation(),
            reason: "no money".to_owned(),
        },
        Happening::Released {
            reservation: reservation(),
        },
        Happening::SoldOut {
            reservation: reservation(),
        },
        Happening::Left,
        Happening::Removed {
            reason: "too slow".to_owned(),
        },
        Happening::Emitted {
            reservation: reservation(),
            seats: vec!["A1".to_owned(), "A2".to_owned()],
            amount: 9_980,
        },
        notice(1),
    ]
}

fn asked() -> Story {
    Story {
        reservation: Some(RESERVATION.to_owned()),
        ..Story::default()
    }
}

fn told(happenings: &[Happening]) -> Story {
    let mut story = asked();
    for happening in happenings {
        story.learn(happening.clone());
    }
    story
}

#[test]
fn the_table_of_steps_and_happenings_is_this_one() {
    use Outcome::{Emitted as Tickets, Left, Released, Removed, SoldOut};
    use Step::{Emitted, Ended, Held, Joining, Paying, Requested, Shopping, Visiting, Waiting};
    let expected = [
        (Joining, None),
        (Waiting, None),
        (Shopping, None),
        (Requested, None),
        (Held, None),
        (Paying, None),
        (Paying, None),
        (Paying, None),
        (Ended, Some(Released)),
        (Ended, Some(SoldOut)),
        (Ended, Some(Left)),
        (Ended, Some(Removed)),
        (Emitted, Some(Tickets)),
        (Visiting, None),
    ];
    let steps = [
        Visiting, Joining, Waiting, Shopping, Requested, Held, Paying, Ended, Emitted,
    ];
    for (happening, (leads_to, ends)) in all().into_iter().zip(expected) {
        for step in steps {
            let mut story = Story { step, ..asked() };
            story.learn(happening.clone());
            assert_eq!(
                story.step,
                step.max(leads_to),
                "{step:?}, then {happening:?}"
            );
            assert_eq!(story.outcome, ends, "{step:?}, then {happening:?}");
        }
    }
}

#[test]
fn what_is_about_another_reservation_changes_nothing() {
    for happening in [
        held("r-2"),
        Happening::Released {
            reservation: "r-2".to_owned(),
        },
        Happening::Emitted {
            reservation: "r-2".to_owned(),
            seats: Vec::new(),
            amount: 0,
        },
    ] {
        let mut story = asked();
        story.learn(happening.clone());
        assert_eq!(story, asked(), "{happening:?}");
        let mut nothing_asked = Story::default();
        nothing_asked.learn(happening.clone());
        assert_eq!(nothing_asked, Story::default(), "{happening:?}");
    }
}

#[test]
fn the_latest_twenty_notices_stay_in_the_order_of_their_times_and_texts_are_cut() {
    let mut story = Story::default();
    for number in (0..30).rev() {
        story.learn(notice(number));
    }
    let texts: Vec<_> = story
        .notices
        .iter()
        .map(|notice| notice.text.clone())
        .collect();
    let expected: Vec<_> = (10..30)
        .map(|number| format!("reminder {number}"))
        .collect();
    assert_eq!(texts, expected);
    story.learn(Happening::Removed {
        reason: "ä".repeat(10_000),
    });
    assert_eq!(story.removed.unwrap().chars().count(), 500);
}

#[test]
fn the_reason_is_that_of_the_outcome() {
    let refused = Happening::PaymentRefused {
        reservation: RESERVATION.to_owned(),
        reason: "no money".to_owned(),
    };
    let released = Happening::Released {
        reservation: RESERVATION.to_owned(),
    };
    let removed = Happening::Removed {
        reason: "too slow".to_owned(),
    };
    let reason = |happenings: &[Happening]| told(happenings).state("s-1", 0)["reason"].clone();
    assert_eq!(reason(std::slice::from_ref(&refused)), "no money");
    assert_eq!(reason(&[refused.clone(), released.clone()]), "no money");
    assert_eq!(reason(&[refused, released, removed]), "too slow");
    assert_eq!(reason(&[Happening::Left]), serde_json::Value::Null);
}

#[test]
fn who_waits_is_told_how_many_are_ahead_at_most() {
    let waits = told(&[Happening::Queued { number: 7 }]);
    let ahead = |admitted| waits.state("s-1", admitted)["ahead"].clone();
    assert_eq!(
        (ahead(0), ahead(4), ahead(6), ahead(9)),
        (6.into(), 2.into(), 0.into(), 0.into())
    );
    let shops = told(&[
        Happening::Queued { number: 7 },
        Happening::Admitted { number: 7 },
    ]);
    assert_eq!(shops.state("s-1", 4)["ahead"], serde_json::Value::Null);
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_lead_to_the_same_state(
        some in subsequence(all(), 0..=all().len()),
        seed in any::<u64>(),
    ) {
        let expected = told(&some);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut shuffled = some.clone();
        // Events that are delivered again are known by their ids, notices among them.
        shuffled.extend(some.into_iter().filter(|it| !matches!(it, Happening::Notified(_))));
        random.shuffle(&mut shuffled);
        prop_assert_eq!(told(&shuffled), expected);
    }
}
