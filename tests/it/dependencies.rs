//! The dependency tree keeps what `deny.toml` says, on machines that have no cargo-deny too.
//!
//! Advisories need their database from the network and are left to `make advisories`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Policy {
    bans: Bans,
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Named>,
    #[serde(default)]
    skip: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    clarify: Vec<Clarified>,
}

#[derive(Deserialize)]
struct Clarified {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn policy() -> Policy {
    toml::from_str(include_str!("../../deny.toml")).expect("deny.toml")
}

fn metadata() -> Metadata {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata's JSON")
}

/// What the programs themselves are built from: normal dependencies of the workspace's members, but for
/// `testkit`, which tests alone depend on.
fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none() && package.name != "testkit")
        .map(|package| package.id.as_str())
        .collect();
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = metadata
            .resolve
            .nodes
            .iter()
            .find(|node| node.id == id)
            .expect("a resolved node");
        open.extend(
            node.deps
                .iter()
                .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.is_none()))
                .map(|dep| dep.pkg.as_str()),
        );
    }
    metadata
        .packages
        .iter()
        .filter(|package| reached.contains(package.id.as_str()))
        .collect()
}

#[test]
fn every_licence_is_one_we_allow() {
    let Licenses {
        allow: allowed,
        clarify,
    } = policy().licenses;
    for package in metadata().packages {
        let clarified = clarify
            .iter()
            .find(|clarified| clarified.name == package.name)
            .map(|clarified| &clarified.expression);
        let Some(license) = clarified.or(package.license.as_ref()) else {
            panic!("{} {} names no licence", package.name, package.version);
        };
        // `A OR B`: one suffices; `A AND B`: both are needed.
        let fits = license.replace('/', " OR ").split(" OR ").any(|choice| {
            choice.split(" AND ").all(|part| {
                let part = part
                    .trim()
                    .trim_matches(['(', ')'])
                    .split(" WITH ")
                    .next()
                    .unwrap_or_default();
                allowed.iter().any(|name| name == part.trim())
            })
        });
        assert!(
            fits,
            "{} {} is under {license}",
            package.name, package.version
        );
    }
}

#[test]
fn no_banned_crate_and_so_no_second_tls_provider_is_in_the_tree() {
    let banned = policy().bans.deny;
    for package in metadata().packages {
        assert!(
            banned.iter().all(|named| named.name != package.name),
            "{} {} is banned by deny.toml",
            package.name,
            package.version,
        );
    }
}

#[test]
fn nothing_is_shipped_in_two_versions_unless_deny_toml_says_why() {
    let policy = policy();
    let metadata = metadata();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in shipped(&metadata) {
        versions
            .entry(&package.name)
            .or_default()
            .insert(&package.version);
    }
    for (name, versions) in versions {
        let tolerated = policy.bans.skip.iter().any(|named| named.name == name);
        assert!(
            versions.len() == 1 || tolerated,
            "{name} is there as {versions:?}"
        );
    }
}

#[test]
fn everything_comes_from_the_one_registry() {
    for package in metadata().packages {
        if let Some(source) = package.source {
            assert!(
                source.starts_with("registry+"),
                "{} comes from {source}",
                package.name
            );
        }
    }
}
