use std::net::TcpListener;

use crate::support::Stage;

/// Two that depend on each other, and what the first exports; the file names them in the other order.
const TWO: &str = r#"
variables:
  GREETING: "hello ${NAME}"
programs:
  - name: second
    command: sh
    args: [-c, 'echo "second ${GREETING}" >> ${RUN}/../../order; echo "beside ${PORT_OF_THIRD}"; exec sleep 1000']
    after: [first]
    # Its own line: whoever is ready by another's answer may not have begun.
    ready: {line: beside}
  - name: third
    command: ${DEMO}
    args: [watch, --port, "${PORT_OF_THIRD}"]
    ports: {PORT_OF_THIRD: 0}
    ready: {url: "http://127.0.0.1:${PORT_OF_THIRD}/healthz"}
  - name: first
    command: sh
    env: {WORD: first}
    args: [-c, 'echo "$WORD" >> ${RUN}/../../order; echo NAME=Ada > ${RUN}/new; mv ${RUN}/new ${RUN}/env; exec sleep 1000']
    exports: {file: "${RUN}/env", names: [NAME]}
"#;

#[tokio::test]
async fn programs_start_in_order_and_the_command_is_run_once_all_are_ready() {
    let command = "echo \"${GREETING} at ${PORT_OF_THIRD} in ${RUN_NAME}\"; exit 7";
    let mut stage = Stage::start(TWO, &["--", "sh", "-c", command]);
    let (code, said) = stage.ended().await;
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("hello Ada at "), "{said}");
    assert_eq!(stage.lines("order"), ["first", "second hello Ada"]);
    assert_eq!(stage.left(), 0);
}

#[tokio::test]
async fn what_the_files_say_can_be_set_otherwise_and_a_later_file_replaces_what_has_its_name() {
    let later = tempfile::NamedTempFile::new().expect("a file");
    let yaml = "programs: [{name: third, ports: {PORT_OF_THIRD: 0}}, {name: second, command: sleep, args: ['1000']}]";
    std::fs::write(later.path(), yaml).expect("written");
    let later = later.path().to_str().expect("UTF-8");
    let command = ["--", "echo", "${GREETING} ${PORT_OF_THIRD}"];
    let arguments = [&[later, "--set", "GREETING=bye ${NAME}"][..], &command].concat();
    let mut stage = Stage::start(TWO, &arguments);
    let (code, said) = stage.ended().await;
    assert_eq!(code, 0, "{said}");
    // The third has no command now: nothing is started in its place.
    assert!(said.contains("bye Ada "), "{said}");
    assert!(!said.contains("third is ready"), "{said}");
    assert_eq!(stage.lines("order"), ["first"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_replaced_by_a_free_one_and_that_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let yaml = format!(
        "programs:
  - name: watch
    command: ${{DEMO}}
    args: [watch, --port, '${{WATCH_PORT}}']
    ports: {{WATCH_PORT: {port}}}
    ready: {{url: 'http://127.0.0.1:${{WATCH_PORT}}/healthz'}}
says: |
  It is at ${{WATCH_PORT}}.
"
    );
    let mut stage = Stage::start(&yaml, &[]);
    stage
        .says(&format!("port {port} of watch is taken, it is "))
        .await;
    let said = stage.says("It is at ").await;
    assert!(!said.contains(&port.to_string()), "{said}");
    // A second one beside it, and once more after it, finds ports of its own.
    let mut beside = stage.another(&["--", "true"]);
    assert_eq!(beside.ended().await.code(), Some(0));
    stage.program.terminate();
    assert_eq!(stage.ended().await.0, 0);
    let mut again = stage.another(&["--", "true"]);
    assert_eq!(again.ended().await.code(), Some(0));
}

#[tokio::test]
async fn what_several_files_say_is_all_said_in_their_order() {
    let yaml = "
programs: [{name: one, command: sleep, args: ['1000']}]
says: The sale is open.
";
    let mut stage = Stage::start(yaml, &["--", "true"]);
    assert_eq!(stage.ended().await.0, 0);
    let beside = stage.file("beside.yaml");
    let more = "variables: {AT: nine}\nsays: Its traces are at ${AT}.\n";
    std::fs::write(&beside, more).expect("a file");
    let mut both = stage.another(&[beside.to_str().expect("UTF-8")]);
    both.wait_for_line("the last words", |line| {
        line.contains("Its traces are at nine.").then_some(())
    })
    .await;
    let said = both.output().join("\n");
    assert!(said.contains("The sale is open."), "{said}");
    both.terminate();
    assert_eq!(both.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_program_that_ends_is_started_again_and_one_that_keeps_ending_ends_the_stage() {
    let yaml = "
programs:
  - {name: good, command: sleep, args: ['1000']}
  - name: bad
    after: [good]
    command: sh
    args: [-c, 'echo started >> ${RUN}/../../starts; echo why it ended; exit 3']
    ready: {line: never}
";
    let mut stage = Stage::start(yaml, &["--", "true"]);
    let (code, said) = stage.ended().await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("bad ended 5 times in a row"), "{said}");
    assert!(said.contains("exit status: 3"), "{said}");
    assert!(said.contains("why it ended"), "{said}");
    assert_eq!(stage.lines("starts").len(), 5);
    // The logs stay, since there is something to read.
    assert_eq!(stage.left(), 1);
}

#[tokio::test]
async fn a_program_that_is_not_ready_in_time_or_not_there_ends_the_stage_with_its_last_lines() {
    for (program, told) in [
        (
            "{name: slow, command: sh, args: [-c, 'echo still at it; exec sleep 1000'], ready: {line: never}, within_seconds: 1}",
            ["slow was not ready within 1 seconds", "still at it"],
        ),
        (
            "{name: gone, command: /not/there}",
            ["gone cannot be started", "/not/there: No such file"],
        ),
    ] {
        let mut stage = Stage::start(&format!("programs: [{program}]"), &[]);
        let (code, said) = stage.ended().await;
        assert_eq!(code, 1, "{said}");
        assert!(told.iter().all(|told| said.contains(told)), "{said}");
    }
}

#[tokio::test]
async fn two_stages_take_no_port_from_each_other_before_their_programs_have_it() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    // Nobody ever binds it.
    let yaml = format!("programs: [{{name: one, ports: {{ONE: {port}}}}}]\nsays: It is ${{ONE}}.");
    let mut stage = Stage::start(&yaml, &[]);
    stage.says(&format!("It is {port}.")).await;
    let mut beside = stage.another(&["--", "echo", "It is ${ONE}."]);
    assert_eq!(beside.ended().await.code(), Some(0));
    let said = beside.output().join("\n");
    assert!(
        said.contains(&format!("port {port} of one is taken")),
        "{said}"
    );
    stage.program.kill().await;
    let mut after = stage.another(&["--", "echo", "It is ${ONE}."]);
    assert_eq!(after.ended().await.code(), Some(0));
    let said = after.output().join("\n");
    assert!(said.contains(&format!("It is {port}.")), "{said}");
}
