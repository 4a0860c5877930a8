use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, JobState, NewJob};
use testkit::program::Program;
use testkit::request;
use testkit::rules_file::RulesFile;

use crate::support::{EXECUTABLE, sink};

pub(crate) async fn readiness(bridge: &Bridge) -> (u16, Value) {
    let answered = bridge.get("readyz").await;
    let page = serde_json::from_slice(&answered.body).expect("JSON");
    (answered.status.as_u16(), page)
}

#[tokio::test]
async fn without_k_sink_it_is_a_sink_that_says_why_it_is_no_source() {
    let gateway = FakeGateway::start().await;
    let mut bridge = sink(&gateway, &[]).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    bridge
        .program()
        .wait_for_log("the reason", |line| {
            let message = line["message"].as_str()?;
            (message.contains("K_SINK") && message.contains("source")).then_some(())
        })
        .await;
    assert_eq!(gateway.calls("ActivateJobs"), 0);
}

#[tokio::test]
async fn a_source_without_k_sink_is_unready_with_the_reason_while_the_sink_works() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("ROLES", "source,sink"),
    ];
    let bridge = Bridge::start(EXECUTABLE, &settings).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    let (status, page) = readiness(&bridge).await;
    assert_eq!(status, 503, "{page}");
    let reason = page["waiting"]["destination"].as_str().expect("a reason");
    assert!(reason.contains("K_SINK"), "{reason}");
    assert_eq!(bridge.get("healthz").await.status, 200);
}

#[tokio::test]
async fn a_source_alone_takes_no_events_and_works_jobs() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let url = destination.url();
    let bridge = sink(&gateway, &[("ROLES", "source"), ("K_SINK", &url)]).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 404);
    assert_eq!(gateway.calls("PublishMessage"), 0);
    let key = gateway.add_job(NewJob {
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    });
    gateway
        .wait_for("the job", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
}

#[tokio::test]
async fn a_sink_alone_works_no_jobs_although_k_sink_is_set() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let url = destination.url();
    let bridge = sink(&gateway, &[("ROLES", "sink"), ("K_SINK", &url)]).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    assert_eq!(
        gateway.calls("ActivateJobs") + gateway.calls("StreamActivatedJobs"),
        0
    );
}

#[tokio::test]
async fn it_starts_while_the_engine_is_away_and_works_once_it_is_there() {
    let gateway = FakeGateway::start().await;
    gateway.stop().await;
    let address = gateway.address();
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
    ];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert_eq!(answered.header("retry-after"), Some("1"));
    assert_eq!(bridge.get("healthz").await.status, 200);
    let (status, page) = readiness(&bridge).await;
    assert_eq!(status, 503, "{page}");
    let reason = page["waiting"]["engine"].as_str().expect("a reason");
    assert!(reason.contains(&address), "{reason}");
    let logged = bridge
        .program()
        .wait_for_log("the refusal", |line| {
            (line["message"] == "an event was not accepted").then(|| line.clone())
        })
        .await;
    assert_eq!(logged["engine"], json!(address), "{logged}");
    assert!(!answered.text().contains(&address), "{}", answered.text());
    gateway.start_again().await;
    bridge.ready().await;
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
}

#[tokio::test]
async fn both_roles_start_in_any_order_with_engine_and_destination_and_say_what_they_wait_for() {
    let gateway = FakeGateway::start().await;
    gateway.stop().await;
    let mut destination = Destination::accepting().await;
    destination.stop().await;
    let (address, url) = (gateway.address(), destination.url());
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("K_SINK", url.as_str()),
    ];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    bridge
        .program()
        .wait_for_log("what the worker waits for", |line| {
            (line["check"] == "jobs" && line["reason"].as_str()?.contains(&address)).then_some(())
        })
        .await;
    let (status, page) = readiness(&bridge).await;
    assert_eq!(status, 503, "{page}");
    for check in ["engine", "jobs"] {
        let reason = page["waiting"][check].as_str().expect("a reason");
        assert!(reason.contains(&address), "{page}");
    }

    gateway.start_again().await;
    bridge.ready().await;
    // That nobody is there is known when the first event is to leave, and no sooner.
    let key = gateway.add_job(NewJob {
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    });
    until_it_waits_for_the_destination(&bridge).await;
    destination.start_again().await;
    destination.answer(|_| Answer::Status(503));
    destination.wait_for_count(1).await;
    until_it_waits_for_the_destination(&bridge).await;
    destination.answer(|_| Answer::Status(202));
    bridge.ready().await;
    gateway
        .wait_for("the job", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    assert_eq!(gateway.job(key).retries, 3, "no retry for an order");
}

async fn until_it_waits_for_the_destination(bridge: &Bridge) {
    let mut looks = 0;
    loop {
        let (status, page) = readiness(bridge).await;
        if page["waiting"]["destination"].is_string() {
            return assert_eq!(status, 503, "{page}");
        }
        looks += 1;
        assert!(looks < 3000, "{page}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn health_readiness_and_metrics_can_have_a_port_of_their_own() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("BRIDGE_ADMIN_PORT", "0"),
    ];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    let admin = bridge
        .program()
        .wait_for_log("the second address", |line| {
            Some(line["admin"].as_str()?.to_owned())
        })
        .await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    for (page, here) in [("healthz", 200), ("readyz", 404), ("metrics", 404)] {
        assert_eq!(bridge.get(page).await.status, here, "{page}");
    }
    for page in ["healthz", "metrics"] {
        assert_eq!(
            request::get(&format!("http://{admin}/{page}")).await.status,
            200,
            "{page}"
        );
    }
    let events = request::post(&format!("http://{admin}/"), &[("ce-id", "1")], "").await;
    assert_eq!(events.status, 404, "no events there");
}

/// Runs a command to its end; its exit code and all that it printed.
pub(crate) async fn run(arguments: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let environment: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut program = Program::start(EXECUTABLE, arguments, &environment).expect("the program");
    let status = program.ended().await;
    (status.code(), program.output().join("\n"))
}

/// Settings that the roles would refuse, none of them the engine's.
pub(crate) const BAD: [(&str, &str); 5] = [
    ("RULES", "/nonexistent.yaml"),
    ("K_SINK", "nowhere"),
    ("PORT", "x"),
    ("MODELS", "/nonexistent"),
    ("BRIDGE_NO_RULE", "x"),
];

#[tokio::test]
async fn check_needs_no_engine_and_no_setting_that_rules_are_not_read_against() {
    let rules = RulesFile::new("rules:\n  - {name: r, select: {type: T}, publish: {message: M}}\n");
    let mut settings = BAD.to_vec();
    settings.push(("ZEEBE_GRPC_ADDRESS", "nowhere"));
    let (code, printed) = run(&["check", rules.path()], &settings).await;
    assert_eq!((code, printed.as_str()), (Some(0), "ok: r"));
    settings.push(("RULES", rules.path()));
    let (code, printed) = run(&["check"], &settings).await;
    assert_eq!((code, printed.as_str()), (Some(0), "ok: r"));
    settings.pop();
    let (code, printed) = run(&["check"], &[]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("RULES"), "{printed}");
    rules.write("rules: []\n");
    let (code, printed) = run(&["check", rules.path()], &settings).await;
    assert_eq!(code, Some(78), "{printed}");
    assert!(printed.contains(":1: `rules` is empty"), "{printed}");
}

/// A Trigger may go on with an event for longer than the engine knows what it started.
#[tokio::test]
async fn a_start_that_is_forgotten_before_the_triggers_give_up_ends_the_program_and_a_message_is_warned_about()
 {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let rule = |action: &str| {
        let head = "rules:\n  - name: placed\n    select: {type: T}\n";
        RulesFile::new(&format!(
            "{head}    {action}: {{message: m, time_to_live: 15m}}\n"
        ))
    };
    let told = |rules: &RulesFile| {
        vec![
            ("ZEEBE_GRPC_ADDRESS".to_owned(), address.clone()),
            ("RULES".to_owned(), rules.path().to_owned()),
            (
                "BRIDGE_TRIGGER_HORIZON_SECONDS".to_owned(),
                "1200".to_owned(),
            ),
            ("PORT".to_owned(), "0".to_owned()),
        ]
    };
    let said = [
        "rule `placed`",
        "900s",
        "1200s (BRIDGE_TRIGGER_HORIZON_SECONDS)",
        "set its `time_to_live` to `1200s` or more",
    ];

    let start = rule("start");
    let settings = told(&start);
    let settings: Vec<_> = settings
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let (code, printed) = run(&[], &settings).await;
    assert_eq!(code, Some(78), "{printed}");
    assert!(!printed.contains("listening"), "{printed}");
    for part in said {
        assert!(printed.contains(part), "{part}: {printed}");
    }

    let publish = rule("publish");
    let settings = told(&publish);
    let settings: Vec<_> = settings
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    bridge
        .program()
        .wait_for_log("a warning", |line| {
            let message = line["message"].as_str()?;
            (line["level"] == "WARN" && said.iter().all(|part| message.contains(part)))
                .then_some(())
        })
        .await;
    bridge.ready().await;
}
