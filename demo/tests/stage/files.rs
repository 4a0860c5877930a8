use std::path::PathBuf;

use demo::stage::Plan;

/// What is said of a file with this text, and of these settings.
fn refusal(yaml: &str, set: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("stage.yaml");
    std::fs::write(&file, yaml).expect("a file");
    let set: Vec<String> = set.iter().map(|it| (*it).to_owned()).collect();
    let refused = Plan::read(&[file], &set, &["${WORD}".to_owned()]);
    let refused = refused.expect_err("a refusal").to_string();
    refused.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_with_what_is_legal() {
    let word = "variables: {WORD: w}\n";
    for (yaml, told) in [
        ("programs: [", "stage.yaml:1: "),
        (
            "variables: {WORD: w}\nprogram: []",
            "stage.yaml:2: unknown field `program`",
        ),
        (
            "programs:\n  - name: a\n    comand: x",
            "stage.yaml:3: unknown field `comand`",
        ),
        (
            "variables:\n  WORD: '${WORLD}'",
            "stage.yaml:2: there is no variable `WORLD`; there are CONTROLS_URL, DEMO, RUN, RUN_NAME, WORD",
        ),
        ("programs: []", "the command: there is no variable `WORD`"),
        (
            "variables:\n  WORD: ${OTHER}\n  OTHER: ${WORD}",
            "stage.yaml:3: `WORD` needs itself, by WORD, OTHER",
        ),
        (
            "variables:\n  WORD: 'a ${b}'",
            "stage.yaml:2: `${b}` is no variable",
        ),
        (
            "variables:\n  WORD: 'a ${WORD'",
            "stage.yaml:2: `${WORD` has no closing `}`",
        ),
        (
            "variables:\n  Word: a",
            "stage.yaml:2: `Word` cannot be a variable",
        ),
        (
            "variables:\n  RUN: a",
            "stage.yaml:2: `RUN` is the stage's own",
        ),
    ] {
        let said = refusal(yaml, &[]);
        assert!(said.contains(told), "{yaml}\n{said}");
    }
    for (programs, told) in [
        (
            "programs:\n  - {name: a, command: x, after: [b]}",
            "stage.yaml:3: there is no program `b`; there are a",
        ),
        (
            "programs:\n  - {name: a, command: x, after: [b]}\n  - {name: b, command: x, after: [a]}",
            "stage.yaml:3: each of a, b waits for another",
        ),
        (
            "programs:\n  - {name: a, command: x}\n  - {name: a, command: x}",
            "stage.yaml:4: there are two programs `a`",
        ),
        (
            "programs:\n  - {name: a b, command: x}",
            "stage.yaml:3: `a b` cannot be",
        ),
        (
            "programs:\n  - {name: a, command: x, ports: {P: 1}}\n  - {name: b, command: x, ports: {P: 2}}",
            "stage.yaml:4: `P` means something already",
        ),
        (
            "programs:\n  - {name: a, command: x, exports: {file: f, names: [URL]}}\n  - name: b\n    command: ${URL}",
            "stage.yaml:5: `URL` is known once `a` is ready: `b` must come `after` it",
        ),
        (
            "controls:\n  port: 0\n  origins: ['${URL}']\nprograms:\n  - {name: a, command: x, exports: {file: f, names: [URL]}}",
            "stage.yaml:4: `URL` is known once `a` is ready, and the controls",
        ),
    ] {
        let said = refusal(&format!("{word}{programs}"), &[]);
        assert!(said.contains(told), "{programs}\n{said}");
    }
    let ports = format!("{word}programs: [{{name: a, command: x, ports: {{P: 1}}}}]");
    for (set, told) in [
        (
            "WORLD=x",
            "--set: there is no `WORLD` to set; there are WORD, P",
        ),
        ("WORD", "--set: `WORD` is not NAME=VALUE"),
        ("P=high", "--set: `high` is no port"),
    ] {
        let said = refusal(&ports, &[set]);
        assert!(said.contains(told), "{set}\n{said}");
    }
    let missing = Plan::read(&[PathBuf::from("not-there.yaml")], &[], &[]);
    let missing = missing.expect_err("a refusal").to_string();
    assert!(
        missing.starts_with("not-there.yaml: cannot be read"),
        "{missing}"
    );
}
