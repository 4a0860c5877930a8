use std::collections::BTreeMap;

use tempfile::TempDir;
use testkit::program::Program;

/// Read after the shipped file: nobody coordinates the sale, so the ticket office does what it can by itself.
const WITHOUT_ENGINE: &str = r#"
programs:
  - name: zeebe
    command: sh
    args: [-c, 'echo ZEEBE_GRPC_ADDRESS=http://127.0.0.1:9 > ${RUN}/new; echo OBSERVER_URL=http://127.0.0.1:9 >> ${RUN}/new; mv ${RUN}/new ${RUN}/env; exec sleep 1000']
    exports: {file: "${RUN}/env", names: [ZEEBE_GRPC_ADDRESS, OBSERVER_URL]}
  - name: bridge
    command: ${DEMO}
    args: [watch, --port, "${BRIDGE_PORT}"]
    ports: {BRIDGE_PORT: 0, BRIDGE_ADMIN_PORT: 0}
  - name: tickets
    command: ${DEMO}
    args: [tickets, --choreographed]
    env: {K_SINK: "${BROKER_URL}", DATA_DIR: "${RUN}/sale", PORT: "${TICKETS_PORT}"}
    ports: {TICKETS_PORT: 0}
    ready: {url: "${TICKETS_URL}/readyz"}
    after: [broker]
"#;

#[tokio::test]
async fn a_customer_without_a_browser_buys_tickets_and_is_refused_with_another_card() {
    let folder = TempDir::new().expect("a temporary folder");
    let later = folder.path().join("without-engine.yaml");
    std::fs::write(&later, WITHOUT_ENGINE).expect("a file");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let environment = BTreeMap::from([
        ("PATH".to_owned(), std::env::var("PATH").expect("a PATH")),
        ("TMPDIR".to_owned(), folder.path().display().to_string()),
    ]);
    // The files name what is in the root of the checkout.
    let command = format!(
        "cd {root} && exec {} stage demo/stage.yaml {} --set WORK_FOR_MS=20 -- '${{DEMO}}' customer \
         --website '${{WEBSITE_URL}}' --tickets 3 --card valid --card refused",
        env!("CARGO_BIN_EXE_demo"),
        later.display()
    );
    let mut stage = Program::start("/bin/sh", &["-c", &command], &environment).expect("a shell");
    let status = stage.ended().await;
    let said = stage.output().join("\n");
    assert!(status.success(), "{said}");
    for told in [
        "-> join {\"customer\":\"Ada\"}",
        "<- Tickets.Held  /sale/tickets  {\"amount\":14970,",
        "<- Payments.Authorized  /sale/payments",
        "<- Tickets.Emitted  /sale/tickets",
        "-> checkout {\"card\":\"refused\"}",
        "<- Payments.Refused  /sale/payments",
        "<- Tickets.Released  /sale/tickets",
    ] {
        assert!(said.contains(told), "no `{told}` in:\n{said}");
    }
}
