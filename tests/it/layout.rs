//! Which room may import which: the edges inside `src` that no manifest can hold.

use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms of this package that it may name.
const EDGES: &[(&str, &[&str])] = &[
    ("rules", &[]),
    ("decisions", &[]),
    ("rpc", &[]),
    ("recipient", &["config"]),
    (
        "sink",
        &["rules", "config", "recipient", "decisions", "rpc"],
    ),
    (
        "source",
        &["rules", "config", "recipient", "decisions", "rpc"],
    ),
    ("admin", &["rules", "config", "decisions"]),
    ("config", &["rules"]),
    (
        "command",
        &[
            "config",
            "rules",
            "recipient",
            "decisions",
            "sink",
            "source",
            "admin",
        ],
    ),
];

fn files_of(room: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![source.join(format!("{room}.rs"))];
    walk(&source.join(room), &mut found);
    found
}

/// The rooms named after `crate::` in a text.
fn rooms_named(text: &str) -> Vec<String> {
    text.match_indices("crate::")
        .map(|(at, path)| {
            text[at + path.len()..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn every_room_names_only_the_rooms_it_may() {
    for (room, allowed) in EDGES {
        for file in files_of(room) {
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            for named in rooms_named(&text) {
                assert!(
                    named == *room || allowed.contains(&named.as_str()),
                    "{} names crate::{named}, but `{room}` may only name {allowed:?}",
                    file.display(),
                );
            }
        }
    }
}

#[test]
fn every_room_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("src") {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if path.is_file() && !["lib", "main"].contains(&name) {
            assert!(
                EDGES.iter().any(|(room, _)| *room == name),
                "src/{name}.rs has no row in EDGES"
            );
        }
    }
}

#[test]
fn the_demo_does_not_know_the_engine() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/Cargo.toml");
    let text = fs::read_to_string(manifest).expect("demo/Cargo.toml");
    let dependencies = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    for line in dependencies {
        assert!(!line.contains("zeebe"), "demo/Cargo.toml: {line}");
    }
}
