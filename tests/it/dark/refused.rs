use serde_json::json;
use testkit::collector::Collector;
use testkit::gateway::FakeGateway;
use testkit::rules_file::RulesFile;

use super::decisions;
use crate::support::sink;
use crate::trace::{spans, traced};

const KEPT: (&str, &str) = ("BRIDGE_DECISIONS_KEPT", "50");
/// What the log says of a request that is refused.
const REFUSED: &str = "an event was not accepted";

#[tokio::test]
async fn why_a_rule_does_not_take_an_event_is_said_without_its_data() {
    for action in [
        "publish: {message: Paid, correlation_key: \"=data.prices[data.card]\"}",
        "set_variables: {element_instance_key: =data.card, variables: {}}",
        "fail_job: {job_key: 1, retries: =data.card}",
    ] {
        let gateway = FakeGateway::start().await;
        let collector = Collector::start().await;
        let url = collector.url();
        let rules = RulesFile::new(&format!(
            "rules:\n- name: paid\n  select: {{type: Test.Paid}}\n  {action}\n"
        ));
        let settings = [traced(&url), vec![KEPT, ("RULES", rules.path())]].concat();
        let mut bridge = sink(&gateway, &settings).await;
        let data = json!({"card": "4111-SECRET-PIN", "prices": {}});
        let answered = bridge.send("Test.Paid", "p-1", &data).await;
        assert_eq!(answered.status, 422, "{action}");
        let line = bridge
            .program()
            .wait_for_log("the refusal", |line| {
                (line["message"] == REFUSED).then(|| line.to_string())
            })
            .await;
        let spans = spans(&collector, "receive Test.Paid", 1).await.to_string();
        let told = decisions(&bridge, "id=p-1").await;
        for said in [
            answered.text(),
            &line,
            &spans,
            &format!("{told:?}"),
            &bridge.program().output().join("\n"),
        ] {
            assert!(!said.contains("4111"), "{action}: {said}");
        }
        assert!(answered.text().contains("rule `paid`"), "{line}");
    }
}
