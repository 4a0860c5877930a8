use serde_json::{Value, json};
use testkit::destination::{Answer, Destination};
use testkit::scenario::{Scenario, workspace};
use testkit::zeebe::{Zeebe, incidents, is_completed};
use tokio::process::Command;

use crate::bridge::both_roles;

const SHELL: &str =
    r#"curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }; "#;

/// Runs the one command of docs/OPERATING.md that has `path` in it, its words in capitals replaced; returns what it printed.
pub(crate) async fn command(zeebe: &Zeebe, path: &str, words: &[(&str, &str)]) -> String {
    let page = workspace().join("docs/OPERATING.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let found: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("curl ") && line.contains(path))
        .collect();
    let [written] = found[..] else {
        panic!("one command with `{path}`: {found:?}");
    };
    let mut command = written.to_owned();
    for (word, value) in words {
        assert!(command.contains(word), "`{written}` has no {word}");
        command = command.replace(word, value);
    }
    let output = Command::new("bash")
        .args(["-c", &format!("{SHELL}{command}")])
        .env("ZEEBE_REST_ADDRESS", zeebe.rest())
        .output()
        .await
        .expect("bash can be run");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}{printed}");
    printed
}

/// Gives the job of an incident its retries and resolves it.
pub(crate) async fn resolve_job(zeebe: &Zeebe, incident: &Value) {
    retry(zeebe, incident).await;
    resolve(zeebe, incident).await;
}

async fn retry(zeebe: &Zeebe, incident: &Value) {
    command(zeebe, "/jobs/JOB", &[("JOB", key(incident, "jobKey"))]).await;
}

async fn resolve(zeebe: &Zeebe, incident: &Value) {
    let words = [("INCIDENT", key(incident, "incidentKey"))];
    command(zeebe, "/incidents/INCIDENT/resolution", &words).await;
}

fn key<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("{name}: {of}"))
}

fn stopped(instance: &Value) -> bool {
    !incidents(instance).is_empty()
}

/// The only instance of a process, once it is as wanted.
async fn one(
    scenario: &Scenario<'_>,
    process: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    scenario
        .instances_when(process, what, |all| all.len() == 1 && wanted(&all[0]))
        .await
        .remove(0)
}

#[tokio::test]
async fn a_job_that_was_refused_goes_on_by_the_two_commands_of_the_page() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "call-refused");
    scenario.deploy("one-task.bpmn").await;
    let destination = Destination::start(|_| Answer::Status(422)).await;
    let _bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    scenario.start("one-task", &json!({"seat": "A1"})).await;
    let instance = one(&scenario, "one-task", "an incident", stopped).await;
    destination.answer(|_| Answer::Status(202));
    resolve_job(zeebe, &incidents(&instance)[0]).await;
    one(&scenario, "one-task", "it ended", is_completed).await;
    let received = destination.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].id(), received[1].id(), "the same event, again");
}

#[tokio::test]
async fn a_variable_that_the_engine_missed_is_set_by_the_command_of_the_page() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "call-variable");
    scenario.deploy("waits.bpmn").await;
    scenario.start("waits", &json!({})).await;
    let instance = one(&scenario, "waits", "an incident", stopped).await;
    let incident = &incidents(&instance)[0];
    assert_eq!(incident["errorType"], "EXTRACT_VALUE_ERROR");
    assert_eq!(incident["jobKey"], Value::Null, "there is no job");
    let words = [
        ("INSTANCE", key(&instance, "processInstanceKey")),
        ("NAME", "key"),
        ("VALUE", "k-1"),
    ];
    command(zeebe, "/element-instances/", &words).await;
    resolve(zeebe, incident).await;
    let waits = one(&scenario, "waits", "it waits", |one| !stopped(one)).await;
    assert_eq!(waits["variables"], json!({"key": "k-1"}));
    assert_eq!(waits["waitingAt"][0]["elementId"], "Released");
}

#[tokio::test]
async fn an_instance_of_a_wrong_model_goes_on_in_the_mended_one_by_the_commands_of_the_page() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "call-model");
    let wrong = [("\"ce-type\"", "\"ce-typ\"")];
    scenario.deploy_with("one-task.bpmn", &wrong).await;
    let destination = Destination::accepting().await;
    let _bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    scenario.start("one-task", &json!({"seat": "A1"})).await;
    let instance = one(&scenario, "one-task", "an incident", stopped).await;
    begin_anew(&scenario, &instance, "one-task.bpmn").await;
    let ended = one(&scenario, "one-task", "it ended", is_completed).await;
    assert_eq!(ended["processInstanceKey"], instance["processInstanceKey"]);
    assert_eq!(destination.received().len(), 1);
}

/// Deploys the model as it is in the project, moves the stopped instance to it, and begins the element anew.
pub(crate) async fn begin_anew(scenario: &Scenario<'_>, instance: &Value, file: &str) {
    let zeebe = scenario.zeebe();
    let folder = tempfile::tempdir().expect("a folder");
    let mended = folder.path().join("mended.bpmn");
    std::fs::write(&mended, scenario.model(file, &[])).expect("a model");
    let mended = mended.to_str().expect("a path that is UTF-8");
    let deployed = command(zeebe, "/deployments", &[("FILE", mended)]).await;
    let deployed: Value = serde_json::from_str(&deployed).expect("JSON");
    let definition = &deployed["deployments"][0]["processDefinition"]["processDefinitionKey"];

    let incident = &incidents(instance)[0];
    let at = ("STOPPED", key(incident, "elementId"));
    let of = ("INSTANCE", key(instance, "processInstanceKey"));
    let to = ("DEFINITION", &*definition.to_string());
    command(zeebe, "/migration", &[of, at, to]).await;
    let element = ("ELEMENT", key(incident, "elementInstanceKey"));
    command(zeebe, "/modification", &[of, at, element]).await;
}

#[tokio::test]
async fn an_instance_is_cancelled_by_the_command_of_the_page() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "call-cancelled");
    scenario.deploy("waits.bpmn").await;
    scenario.start("waits", &json!({"key": "k-1"})).await;
    let instance = one(&scenario, "waits", "it waits", |_| true).await;
    let words = [("INSTANCE", key(&instance, "processInstanceKey"))];
    command(zeebe, "/cancellation", &words).await;
    let gone = |one: &Value| one["state"] == "TERMINATED";
    one(&scenario, "waits", "it is gone", gone).await;
}
