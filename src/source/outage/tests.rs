use std::sync::Arc;
use std::time::Duration;

use testkit::clock;
use testkit::gateway::{FakeGateway, NewJob};
use zeebe_client::{Gateway, JobKey, JobWorker, Settings, Topology, WorkerSettings};

use super::{Outage, Then};
use crate::source::outcome::Doubt;
use crate::source::trouble::Trouble;

const PAUSE: Duration = Duration::from_millis(1);

fn worker(gateway: &FakeGateway) -> Arc<JobWorker> {
    let variables = [
        ("ZEEBE_GRPC_ADDRESS", gateway.address()),
        ("K_SINK", String::from("http://127.0.0.1:1/")),
    ];
    let config = crate::config::Config::from_variables(
        variables.map(|(name, value)| (name.to_owned(), value)),
    )
    .expect("a configuration");
    let engine: Settings = config.engine;
    let settings = WorkerSettings {
        job_types: vec![String::from("pay")],
        poll_interval: Duration::from_millis(5),
        // A job that is pushed into a stream at the moment of its end comes back only when its time is up.
        stream: false,
        ..WorkerSettings::default()
    };
    let gateway = Gateway::new(engine).expect("a gateway");
    Arc::new(JobWorker::start(gateway, settings).expect("a worker"))
}

/// No more jobs are asked for, but by what had begun before.
async fn asks_for_nothing(gateway: &FakeGateway) {
    let client = Gateway::new(Settings::new(
        gateway.address().parse().expect("an address"),
    ))
    .expect("a gateway");
    let mut polls = 0;
    for look in 0..6 {
        clock::pass(Duration::from_secs(5)).await;
        // The worker has the same way to go.
        client.topology(Topology).await.expect("an answer");
        let before = std::mem::replace(&mut polls, gateway.calls("ActivateJobs"));
        assert!(look < 3 || before == polls, "{before}, then {polls}");
    }
}

/// One attempt of a job, as it is made in the room.
fn attempt(outage: &Outage, key: i64, doubt: Option<Doubt>) -> Option<Then> {
    let mut turn = outage.turn(JobKey(key));
    turn.take();
    match doubt {
        None => {
            turn.answered();
            None
        }
        Some(doubt) => Some(turn.failed(doubt, "no answer")),
    }
}

#[tokio::test]
async fn an_event_that_failed_while_others_were_answered_begins_no_second_outage() {
    let gateway = FakeGateway::start().await;
    let outage = Outage::new(worker(&gateway), PAUSE);
    let trouble = outage.trouble();
    let unclear = Some(Doubt::AboutEvent);
    // One alone is no outage; with nobody else answered it is.
    assert_eq!(attempt(&outage, 1, unclear), Some(Then::HandBack));
    assert!(trouble.borrow().is_none());
    assert_eq!(attempt(&outage, 1, unclear), Some(Then::HandBack));
    assert!(trouble.borrow().is_some());
    attempt(&outage, 2, None);
    assert!(trouble.borrow().is_none());
    // However often, and also where nobody was answered in between.
    for _ in 0..5 {
        assert_eq!(attempt(&outage, 1, unclear), Some(Then::HandBackAlone));
        assert!(trouble.borrow().is_none());
    }
    // Where nothing can be reached no event is the reason.
    assert_eq!(attempt(&outage, 1, Some(Doubt::None)), Some(Then::Again));
    assert!(trouble.borrow().is_some());
    attempt(&outage, 2, None);
    // Answered at last, it is like any other.
    attempt(&outage, 1, None);
    for away in [false, true] {
        assert_eq!(attempt(&outage, 1, unclear), Some(Then::HandBack));
        assert_eq!(trouble.borrow().is_some(), away);
    }
}

#[tokio::test]
async fn a_second_outage_is_noticed_by_jobs_that_were_in_the_first() {
    let gateway = FakeGateway::start().await;
    let outage = Outage::new(worker(&gateway), PAUSE);
    let trouble = outage.trouble();
    let unclear = Some(Doubt::AboutEvent);
    for key in 1..=20 {
        assert_eq!(attempt(&outage, key, unclear), Some(Then::HandBack));
    }
    attempt(&outage, 20, None);
    let then: Vec<_> = (1..=4)
        .map(|key| (attempt(&outage, key, unclear), trouble.borrow().is_some()))
        .collect();
    assert_eq!(
        then,
        [
            (Some(Then::HandBackAlone), false),
            (Some(Then::HandBackAlone), false),
            (Some(Then::HandBack), true),
            (Some(Then::HandBack), true),
        ]
    );
}

#[tokio::test]
async fn where_nothing_can_be_reached_one_job_probes_until_it_leaves() {
    let gateway = FakeGateway::start().await;
    let outage = Outage::new(worker(&gateway), PAUSE);
    let away = Doubt::None;
    let mut probe = outage.turn(JobKey(1));
    probe.take();
    assert_eq!(probe.failed(away, "refused"), Then::Again);
    assert_eq!(attempt(&outage, 2, Some(away)), Some(Then::HandBack));
    assert_eq!(probe.failed(away, "refused"), Then::Again);
    // It leaves without an answer: the program stops, or its job is lost.
    drop(probe);
    let mut next = outage.turn(JobKey(3));
    next.take();
    assert_eq!(next.failed(away, "refused"), Then::Again);
    next.answered();
    assert!(outage.trouble().borrow().is_none());
}

#[tokio::test]
async fn while_it_is_shut_no_job_is_asked_for_to_probe_and_then_one_is() {
    let gateway = FakeGateway::start().await;
    let worker = worker(&gateway);
    let outage = Outage::new(Arc::clone(&worker), PAUSE);
    let trouble = outage.trouble();
    attempt(&outage, 1, Some(Doubt::None));
    let away = Some(Trouble::Away(String::from("no answer")));
    assert_eq!(*trouble.borrow(), away);
    outage.shut(String::from("no token"));
    let shut = Some(Trouble::NoToken(String::from("no token")));
    assert_eq!(*trouble.borrow(), shut);
    // What was under way fails, and leaves without an answer.
    attempt(&outage, 2, Some(Doubt::None));
    assert_eq!(*trouble.borrow(), shut);
    asks_for_nothing(&gateway).await;
    gateway.add_jobs((0..2).map(|_| NewJob::new("pay")));
    outage.open();
    assert_eq!(*trouble.borrow(), away);
    let probe = worker.next().await.expect("a job to probe with");
    assert_eq!(gateway.most_active(), 1);
    let turn = outage.turn(probe.job().key);
    turn.answered();
    assert!(trouble.borrow().is_none());
    assert!(worker.next().await.is_some());
}

#[tokio::test]
async fn an_answer_while_it_is_shut_ends_the_outage_and_no_more() {
    let gateway = FakeGateway::start().await;
    let outage = Outage::new(worker(&gateway), PAUSE);
    let trouble = outage.trouble();
    attempt(&outage, 1, Some(Doubt::None));
    outage.shut(String::from("no token"));
    attempt(&outage, 2, None);
    assert_eq!(
        *trouble.borrow(),
        Some(Trouble::NoToken(String::from("no token")))
    );
    asks_for_nothing(&gateway).await;
    outage.open();
    assert!(trouble.borrow().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_crosses_the_worker_fetches_again_when_the_last_word_was_an_answer() {
    let gateway = FakeGateway::start().await;
    let worker = worker(&gateway);
    for round in 0..300 {
        let outage = Arc::new(Outage::new(Arc::clone(&worker), PAUSE));
        let attempts = (0..4).map(|task| {
            let outage = Arc::clone(&outage);
            tokio::spawn(async move {
                for number in 0..20 {
                    let doubt = match fastrand::u8(0..6) {
                        0 => Some(Doubt::None),
                        1 => Some(Doubt::AboutEvent),
                        2 => {
                            outage.shut(format!("no token, {number}"));
                            continue;
                        }
                        3 => {
                            outage.open();
                            continue;
                        }
                        _ => None,
                    };
                    attempt(&outage, task * 1000 + number, doubt);
                }
                outage.open();
                // The last word of each, and so of all.
                attempt(&outage, task, None);
            })
        });
        for attempts in attempts.collect::<Vec<_>>() {
            attempts.await.expect("no panic");
        }
        assert!(outage.trouble().borrow().is_none());
        // Two: a worker that was asked for one would bring one.
        gateway.add_jobs((0..2).map(|_| NewJob::new("pay")));
        for _ in 0..2 {
            let next = tokio::time::timeout(Duration::from_secs(60), worker.next());
            let mut job = next
                .await
                .unwrap_or_else(|_| panic!("round {round}: the worker is paused"))
                .expect("the worker runs");
            job.complete("").await;
        }
    }
}
