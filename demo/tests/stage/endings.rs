use crate::support::{Stage, runs, until};

/// Two that say when they are asked to end; each has a child that does not end by itself.
const TWO: &str = r#"
programs:
  - name: below
    command: sh
    args: [-c, &said 'trap "echo $NAME ended >> ${RUN}/../../ends; exit 0" TERM; sleep 1000 & echo $! >> ${RUN}/../../children; echo $$ >> ${RUN}/../../children; echo up; while :; do wait; done']
    env: {NAME: below}
    ready: {line: up}
  - name: above
    command: sh
    args: [-c, *said]
    env: {NAME: above}
    ready: {line: up}
    after: [below]
says: All is ready.
"#;

#[tokio::test]
async fn ctrl_c_ends_all_in_reverse_order_and_leaves_nothing() {
    let mut stage = Stage::start(TWO, &[]);
    stage.says("All is ready.").await;
    stage.program.signal("INT");
    let (code, said) = stage.ended().await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(stage.lines("ends"), ["above ended", "below ended"]);
    nothing_runs(&stage).await;
    assert_eq!(stage.left(), 0);
}

#[tokio::test]
async fn a_program_that_does_not_end_when_it_is_asked_to_is_killed_after_its_grace() {
    let yaml = "
programs:
  - name: deaf
    command: sh
    args: [-c, \"trap '' TERM; echo $$ >> ${RUN}/../../children; echo up; while :; do sleep 1; done\"]
    ready: {line: up}
    grace_seconds: 1
says: All is ready.
";
    let mut stage = Stage::start(yaml, &[]);
    stage.says("All is ready.").await;
    stage.program.terminate();
    let (code, said) = stage.ended().await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("deaf did not end within 1 s"), "{said}");
    nothing_runs(&stage).await;
}

#[tokio::test]
async fn a_second_signal_kills_all_at_once() {
    let yaml = "
programs:
  - name: deaf
    command: sh
    args: [-c, \"trap 'echo asked >> ${RUN}/../../ends' TERM; echo $$ >> ${RUN}/../../children; echo up; while :; do sleep 1000; done\"]
    ready: {line: up}
    grace_seconds: 1000
says: All is ready.
";
    let mut stage = Stage::start(yaml, &[]);
    stage.says("All is ready.").await;
    stage.program.signal("INT");
    stage.wait_for_lines("ends", 1).await;
    stage.program.signal("INT");
    let (code, said) = stage.ended().await;
    assert_eq!(code, 130, "{said}");
    nothing_runs(&stage).await;
    assert_eq!(stage.left(), 0);
}

#[tokio::test]
async fn a_stage_that_is_killed_leaves_no_program_and_no_folder() {
    let mut stage = Stage::start(TWO, &[]);
    stage.says("All is ready.").await;
    stage.program.kill().await;
    nothing_runs(&stage).await;
    until("empty folder", || (stage.left() == 0).then_some(())).await;
    // Nobody was there to ask them.
    assert_eq!(stage.lines("ends").len(), 0);
}

#[tokio::test]
async fn a_signal_ends_the_command_too() {
    let command = "echo $$ >> ${RUN}/../../children; echo begun; exec sleep 1000";
    let mut stage = Stage::start("programs: []", &["--", "sh", "-c", command]);
    stage.says("begun").await;
    stage.program.terminate();
    assert_eq!(stage.ended().await.0, 0);
    nothing_runs(&stage).await;
}

/// Waits until none of the processes that told their id runs.
async fn nothing_runs(stage: &Stage) {
    let children = stage.lines("children");
    assert!(!children.is_empty());
    for child in children {
        until(&format!("end of {child}"), || (!runs(&child)).then_some(())).await;
    }
}
