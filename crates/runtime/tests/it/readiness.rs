use runtime::readiness::{NotReady, Readiness, STOPPING};

fn not_ready(check: &'static str, reason: &str) -> NotReady {
    NotReady {
        check,
        reason: reason.to_owned(),
    }
}

#[test]
fn a_program_without_checks_is_ready() {
    assert!(Readiness::new().snapshot().is_ready());
}

#[test]
fn it_is_ready_when_every_check_is_and_else_says_which_is_not_and_why() {
    let readiness = Readiness::new();
    let engine = readiness.register("engine");
    let destination = readiness.register("destination");
    assert_eq!(
        readiness.snapshot().reasons,
        [
            not_ready("engine", "starting"),
            not_ready("destination", "starting")
        ]
    );

    engine.ready();
    destination.not_ready("connection to http://broker refused; retrying");
    let snapshot = readiness.snapshot();
    assert!(!snapshot.is_ready());
    assert_eq!(snapshot.ready, ["engine"]);
    assert_eq!(
        snapshot.reasons,
        [not_ready(
            "destination",
            "connection to http://broker refused; retrying"
        )]
    );

    destination.ready();
    assert!(readiness.snapshot().is_ready());
}

#[test]
fn stopping_makes_every_check_not_ready_for_good() {
    let readiness = Readiness::new();
    let engine = readiness.register("engine");
    engine.ready();
    readiness.stop();
    engine.ready();
    assert_eq!(
        readiness.snapshot().reasons,
        [not_ready("engine", STOPPING)]
    );

    let without_checks = Readiness::new();
    without_checks.stop();
    assert!(!without_checks.snapshot().is_ready());
}

#[test]
fn a_check_that_nobody_watches_any_more_is_not_ready() {
    let readiness = Readiness::new();
    let engine = readiness.register("engine");
    engine.ready();
    drop(engine);
    assert!(!readiness.snapshot().is_ready());
}

#[tokio::test]
async fn a_change_wakes_who_waits_for_it() {
    let readiness = Readiness::new();
    let engine = readiness.register("engine");
    let waiting = tokio::spawn({
        let readiness = readiness.clone();
        async move { readiness.when(|snapshot| snapshot.is_ready()).await }
    });
    engine.not_ready("still away");
    engine.ready();
    assert!(waiting.await.unwrap().is_ready());
}
