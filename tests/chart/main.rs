//! The chart, by Helm itself and by what a cluster would say of what it renders: `make chart`.
//!
//! Its own tests, which `helm-unittest` runs, are in `charts/eventing-zeebe/tests`; what needs no tool is in
//! `tests/it/chart.rs`.

/// The same as `knative/`.
mod equal;
/// Helm, run on the chart.
mod helm;
/// What Kubernetes' and Knative's own checks say.
mod refused;

use std::process::Output;

/// Both streams of a program, for a message.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn helm_finds_nothing_to_say_of_any_example() {
    for example in helm::examples() {
        let output = helm::run(&["lint", "--strict", "--quiet", "--values"], &example);
        assert!(output.status.success(), "{example}: {}", said(&output));
    }
}

#[test]
fn the_chart_s_own_tests_pass() {
    let output = helm::unit_tests();
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    // It also ends well where it finds no tests.
    let (_, counts) = said.split_once("Tests:").expect("a count of tests");
    let passed: usize = counts
        .split_whitespace()
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("no count in {said}"));
    assert!(passed > 50, "{said}");
}
