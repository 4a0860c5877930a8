use testkit::bridge::Bridge;
use testkit::gateway::{FakeGateway, Fault};
use testkit::rules_file::RulesFile;
use tonic::Code;

use crate::roles::{BAD, readiness, run};
use crate::support::EXECUTABLE;

#[tokio::test]
async fn deploy_needs_the_settings_of_the_engine_and_no_other() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/bpmn/hello.bpmn");
    let mut settings = BAD.to_vec();
    settings.push(("ZEEBE_GRPC_ADDRESS", &address));
    let (code, printed) = run(&["deploy", model], &settings).await;
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(gateway.calls("DeployResource"), 1);
    gateway.stop().await;
    let (code, printed) = run(&["deploy", model], &settings).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains(&address), "{printed}");
    let (code, printed) = run(&["deploy", model], &[("ZEEBE_GRPC_ADDRESS", "x")]).await;
    assert_eq!(code, Some(78), "{printed}");
    assert!(printed.contains("ZEEBE_GRPC_ADDRESS"), "{printed}");
}

#[tokio::test]
async fn a_model_that_is_not_there_ends_the_program_before_a_port_is_bound() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let file = RulesFile::new("not a model");
    for (models, said) in [
        ("/nonexistent", "cannot read /nonexistent"),
        ("bpmn/nonexistent.bpmn", "cannot read bpmn/nonexistent.bpmn"),
        (file.path(), "is not a model"),
    ] {
        let settings = [
            ("ZEEBE_GRPC_ADDRESS", address.as_str()),
            ("PORT", "0"),
            ("MODELS", models),
        ];
        let (code, printed) = run(&[], &settings).await;
        assert_eq!(code, Some(78), "{models}: {printed}");
        assert!(printed.contains("MODELS: "), "{printed}");
        assert!(printed.contains(said), "{printed}");
        assert!(!printed.contains("listening"), "{printed}");
    }
}

/// As an optional ConfigMap is mounted that does not exist.
#[tokio::test]
async fn a_directory_without_models_is_warned_about_and_the_program_becomes_ready() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let models = folder.path().to_str().expect("a path that is UTF-8");
    let settings = [("ZEEBE_GRPC_ADDRESS", address.as_str()), ("MODELS", models)];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    bridge.ready().await;
    bridge
        .program()
        .wait_for_line("a warning", |line| {
            line.contains("holds no .bpmn").then_some(())
        })
        .await;
    assert_eq!(gateway.calls("DeployResource"), 0);

    // By hand it is a mistake.
    let (code, printed) = run(&["deploy", models], &settings).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("holds no .bpmn"), "{printed}");
}

#[tokio::test]
async fn a_model_whose_mappings_leave_out_the_context_is_deployed_and_warned_about() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let (output, context) = (
        "<zeebe:output source=\"=a\" target=\"a\"/>",
        "bridgeContext",
    );
    let mapped = |outputs: &str| {
        format!(
            "<bpmn:extensionElements><zeebe:ioMapping>{outputs}</zeebe:ioMapping></bpmn:extensionElements>"
        )
    };
    let with_context = output.to_owned() + &output.replace("\"a\"", &format!("\"{context}\""));
    let message = "<bpmn:messageEventDefinition/>";
    let signal = "<bpmn:signalEventDefinition/>";
    let timer = "<bpmn:timerEventDefinition/>";
    let inputs = "<zeebe:input source=\"=a\" target=\"a\"/>";
    // Kind of element, what is in it, and whether it is named.
    let elements = [
        ("receiveTask", mapped(output), true),
        ("startEvent", mapped(output) + message, true),
        ("intermediateCatchEvent", mapped(output) + signal, true),
        ("boundaryEvent", mapped(&output.repeat(2)) + message, true),
        ("receiveTask", mapped(&with_context), false),
        ("receiveTask", mapped(inputs), false),
        ("receiveTask", String::new(), false),
        ("intermediateCatchEvent", mapped(output) + timer, false),
        ("startEvent", mapped(output), false),
        ("serviceTask", mapped(output), false),
    ];
    let inside: String = elements
        .iter()
        .enumerate()
        .map(|(number, (kind, inside, _))| {
            format!("<bpmn:{kind} id=\"element-{number}-\">{inside}</bpmn:{kind}>")
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("mapped.bpmn");
    let text = format!(
        "<bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
         xmlns:zeebe=\"http://camunda.org/schema/zeebe/1.0\"><bpmn:process><bpmn:subProcess>\
         {inside}</bpmn:subProcess></bpmn:process></bpmn:definitions>"
    );
    std::fs::write(&model, text).expect("a file can be written");
    std::fs::write(folder.path().join("none.bpmn"), "no XML").expect("a file can be written");
    let models = folder.path().to_str().expect("text");
    let settings = [("ZEEBE_GRPC_ADDRESS", address.as_str()), ("MODELS", models)];
    let (code, printed) = run(&["deploy", models], &settings).await;
    assert_eq!(code, Some(0), "{printed}");
    for (number, (kind, _, is_named)) in elements.iter().enumerate() {
        let says = printed.contains(&format!(
            "mapped.bpmn: the output mappings of `element-{number}-`"
        ));
        assert_eq!(says, *is_named, "{number} {kind}: {printed}");
    }

    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    bridge
        .program()
        .wait_for_line("a warning", |line| {
            (line.contains("element-0-") && line.contains("WARN")).then_some(())
        })
        .await;
    bridge.ready().await;
}

#[tokio::test]
async fn a_model_that_the_engine_refuses_keeps_it_unready_and_is_said_once() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/bpmn/hello.bpmn");
    let fault = Fault::status(Code::InvalidArgument, "no such element `Ende`");
    gateway.fail("DeployResource", fault);
    let settings = [("ZEEBE_GRPC_ADDRESS", address.as_str()), ("MODELS", model)];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    gateway
        .wait_for("further attempts", |gateway| {
            gateway.calls("DeployResource") > 1
        })
        .await;
    let (status, page) = readiness(&bridge).await;
    assert_eq!(status, 503, "{page}");
    let reason = page["waiting"]["models"].as_str().expect("a reason");
    for part in ["no such element `Ende`", &address] {
        assert!(reason.contains(part), "{reason}");
    }
    gateway.heal("DeployResource");
    bridge.ready().await;
    bridge.program().terminate();
    bridge.program().ended().await;
    let output = bridge.program().output();
    let said = output.iter().filter(|line| line.contains("Ende")).count();
    assert_eq!(said, 1, "{output:?}");
}
