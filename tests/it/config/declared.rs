//! What each setting is declared to be: its default, and its line in docs/CONFIG.md.

use eventing_zeebe::config::{env, reference_page};

use super::read;

#[test]
fn every_default_is_one_that_the_program_accepts() {
    read(&[]).expect("the defaults");
    for setting in env::SETTINGS
        .iter()
        .filter(|setting| !setting.default.is_empty())
    {
        read(&[(setting.name, setting.default)])
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", setting.name));
    }
}

#[test]
fn the_reference_page_is_what_the_declarations_say() {
    let kept = include_str!("../../../docs/CONFIG.md");
    assert!(
        kept == reference_page(),
        "docs/CONFIG.md is out of date; run `cargo run -- config > docs/CONFIG.md`"
    );
}
