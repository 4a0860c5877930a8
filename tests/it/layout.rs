//! Which room may import which: the edges inside `src` that no manifest can hold. And how long a file may be.

use std::ffi::OsStr;
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

/// Folders of what programs write: git, cargo, npm, the fuzzer, and the generator of the protocol's code.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "corpus", "generated"];

/// The most lines that a file of code has. What is longer holds more than one idea.
const MOST_LINES: usize = 420;

/// The endings of files of code, but for scripts that have none.
const CODE: &[&str] = &["rs", "java", "go", "js", "mjs", "sh"];

/// The files in a folder, at any depth; none where there is no such folder.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.expect("a readable folder");
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        // A link is neither: what it leads to is found at its own place.
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() {
            found.extend(files_in(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = files_in(&source.join(room));
    found.retain(|file| file.extension() == Some(OsStr::new("rs")));
    found.push(source.join(format!("{room}.rs")));
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

/// The text of a file with code: known by its ending, or a script by its first two bytes.
fn code_in(file: &Path) -> Option<String> {
    let ending = file.extension();
    if ending.is_some_and(|ending| CODE.iter().all(|code| ending != *code)) {
        return None;
    }
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    (ending.is_some() || bytes.starts_with(b"#!"))
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn no_file_of_code_is_longer_than_one_idea_needs() {
    let files = files_in(Path::new(env!("CARGO_MANIFEST_DIR")));
    let lengths: Vec<(&Path, usize)> = files
        .iter()
        .filter_map(|file| Some((&**file, code_in(file)?.lines().count())))
        .collect();
    assert!(!lengths.is_empty(), "no code was found");
    for (file, lines) in lengths {
        assert!(
            lines <= MOST_LINES,
            "{} has {lines} lines: split it along its ideas, {MOST_LINES} are the most",
            file.display(),
        );
    }
}
