mod answers;
mod counted;
mod life;
mod tasks;
mod told;

use serde_json::{Value, json};
use testkit::gateway::NewJob;

/// A job whose task sends `Test.Emitted`.
fn job(variables: &Value) -> NewJob {
    with_headers(variables, &json!({}))
}

/// A job whose task has further custom headers.
fn with_headers(variables: &Value, headers: &Value) -> NewJob {
    let mut all = json!({"ce-type": "Test.Emitted"});
    for (name, value) in headers.as_object().expect("an object") {
        all[name] = value.clone();
    }
    NewJob {
        variables: variables.to_string(),
        custom_headers: all.to_string(),
        ..NewJob::new("cloudevents")
    }
}
