use std::process::Command;

use testkit::scenario::workspace;

#[test]
fn what_waits_for_minutes_or_hours_does_so_on_a_clock_of_its_own() {
    let ran = Command::new(workspace().join("scripts/observer-scenarios"))
        .output()
        .expect("bash");
    let (said, about) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{said}{about}");
}
