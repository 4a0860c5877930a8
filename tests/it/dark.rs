//! What became of an event, asked of the program itself.

mod decisions;
mod log;
mod refused;

use serde_json::Value;
use testkit::bridge::Bridge;

/// The decisions that a question finds, newest first.
async fn decisions(bridge: &Bridge, query: &str) -> Vec<Value> {
    let answered = bridge.get(&format!("debug/decisions?{query}")).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    let page: Value = serde_json::from_slice(&answered.body).expect("JSON");
    page["decisions"].as_array().expect("an array").clone()
}

/// One member of each, as it is written.
fn each<'a>(decisions: &'a [Value], member: &str) -> Vec<&'a str> {
    let values = decisions.iter().map(|decision| &decision[member]);
    values.map(|value| value.as_str().unwrap_or("")).collect()
}
