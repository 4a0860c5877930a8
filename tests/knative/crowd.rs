use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudevents_http::{into_binary, new_event, set_data};
use eventing::{Attempt, Sender, SenderSettings};
use serde_json::json;
use testkit::destination::Destination;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;
use tokio::task::JoinSet;

use crate::bridge::{sink, source};
use crate::dataplane::{Dataplane, Manifests};
use testkit::rules_file::RulesFile;

/// How many want tickets at once; each has a connection of its own to the Broker.
const CUSTOMERS: usize = 500;
/// How many requests each of them makes, one after the other.
const REQUESTS: usize = 10;
const ALL: usize = CUSTOMERS * REQUESTS;

/// The shipped Broker and Triggers, with the delivery that they ship.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn five_thousand_events_at_once_each_have_one_effect_and_none_is_a_dead_letter() {
    // Of its own: the observer keeps 1,000 ended instances, and the other scenarios want to see theirs.
    let zeebe = Zeebe::start("broker", "crowd").await;
    let scenario = Scenario::new(&zeebe, "crowd");
    scenario.deploy("one-task.bpmn").await;
    let rules = RulesFile::new(&format!(
        "rules: [{{name: requested, select: {{type: Hello.Requested}}, start: {{message: {}}}}}]",
        scenario.of("Test.Started")
    ));
    let bridge = sink(&[
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("RULES", rules.path()),
    ])
    .await;
    bridge.ready().await;
    let dead_letters = Destination::accepting().await;
    let dataplane = Dataplane::start(
        Manifests::shipped(&["hello/triggers"]).path(),
        &[
            ("Service/eventing-zeebe", bridge.url()),
            ("*", &dead_letters.url()),
        ],
    )
    .await;
    // Straight to a destination, so that effects are seen and not delivered to the Broker again.
    let effects = Destination::accepting().await;
    let source = source(&zeebe, &scenario, &effects.url(), &[]).await;

    let begun = Instant::now();
    let answers = crowd(dataplane.broker()).await;
    println!("{ALL} events were taken within {:?}", begun.elapsed());
    let taken = BTreeMap::from([(String::from("202 Accepted"), ALL)]);
    assert_eq!(answers, taken, "{:#?}", dataplane.printed());
    let dead = dead_letters.received();
    assert!(dead.is_empty(), "{}: {:#?}", dead.len(), dead.first());
    for (what, name) in [
        (
            "retries inside a request",
            "bridge_sink_command_retries_total",
        ),
        ("requests in all", "bridge_sink_requests_total"),
    ] {
        println!("{what}: {}", bridge.metric(name).await);
    }

    let jobs = effects.wait_for_count(ALL).await;
    println!("{ALL} effects were seen within {:?}", begun.elapsed());
    let mut effects_of = BTreeMap::<String, usize>::new();
    for job in &jobs {
        let request = job.json()["request"].as_str().expect("text").to_owned();
        *effects_of.entry(request).or_default() += 1;
    }
    assert_eq!(effects_of.len(), ALL);
    let twice: Vec<_> = effects_of.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // Accepted comes before completed: only when all are, nothing can be delivered a second time.
    source
        .metric_when("bridge_source_jobs_total", |ended| ended >= ALL as f64)
        .await;
    assert_eq!(effects.received().len(), ALL);
    zeebe.stop().await;
}

/// Sends all events, and counts how the Broker answered.
async fn crowd(broker: &str) -> BTreeMap<String, usize> {
    let broker: Arc<http::Uri> = Arc::new(broker.parse().expect("a URL"));
    let sender = Sender::new(&SenderSettings {
        connect_timeout: Duration::from_secs(60),
        max_idle_connections: CUSTOMERS,
        ..SenderSettings::default()
    })
    .expect("a sender");
    let mut customers = JoinSet::new();
    for customer in 0..CUSTOMERS {
        let broker = Arc::clone(&broker);
        let sender = sender.clone();
        customers.spawn(async move {
            let mut answers = Vec::with_capacity(REQUESTS);
            for request in 0..REQUESTS {
                let id = format!("{customer}-{request}");
                let mut event =
                    new_event(&id, "/tests/crowd", "Hello.Requested").expect("an event");
                let data = json!({"request": id, "seats": ["A1"], "amount": 49.90}).to_string();
                set_data(&mut event, Some("application/json"), data).expect("data");
                let message = into_binary(event).expect("a message");
                let attempt = sender
                    .send(&broker, message, Duration::from_secs(120))
                    .await;
                answers.push(match attempt {
                    Attempt::Accepted { status, .. } => status.to_string(),
                    refused @ (Attempt::Answered { .. } | Attempt::NotReached { .. }) => {
                        refused.answer()
                    }
                });
            }
            answers
        });
    }
    let mut counted = BTreeMap::new();
    while let Some(answers) = customers.join_next().await {
        for answer in answers.expect("a customer that ends") {
            *counted.entry(answer).or_default() += 1;
        }
    }
    counted
}
