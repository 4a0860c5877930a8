use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::manifests::shipped;
use testkit::scenario::workspace;

pub(super) fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name that is UTF-8"))
        .filter(|name| name.ends_with(".yaml"))
        .collect()
}

/// `kubectl apply -f knative/` takes the files of that folder, and kustomize allows no base above its overlays.
#[test]
fn the_folder_itself_is_topology_split() {
    let top = workspace().join("knative");
    let split = top.join("split");
    assert_eq!(names_in(&top), names_in(&split));
    for name in names_in(&top) {
        let link = fs::read_link(top.join(&name)).expect("a link");
        assert_eq!(link, Path::new("split").join(&name));
    }
}

fn kustomization(folder: &Path) -> Value {
    let file = folder.join("Kustomization");
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files and folders that a Kustomization names.
fn named(folder: &Path) -> Vec<PathBuf> {
    let it = kustomization(folder);
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|one| one.as_str().or_else(|| one["path"].as_str()))
            .map(str::to_owned)
            .collect()
    };
    let mut all = [
        texts(&it["resources"]),
        texts(&it["components"]),
        texts(&it["patches"]),
    ]
    .concat();
    for generator in it["configMapGenerator"].as_array().into_iter().flatten() {
        all.extend(texts(&generator["files"]));
    }
    all.iter().map(|path| folder.join(path)).collect()
}

#[test]
fn every_kustomization_names_what_is_there_and_forgets_nothing() {
    for (folder, below) in [
        ("knative/split", &[""][..]),
        ("knative/combined", &[""]),
        ("knative/combined/component", &[""]),
        ("knative/combined/tickets", &[""]),
        ("knative/hello", &["triggers"]),
        ("knative/oidc", &[""]),
        ("knative/oidc/component", &[""]),
        ("knative/tickets", &["services", "triggers"]),
        ("bpmn", &[]),
        ("bpmn/tickets", &[]),
    ] {
        let folder = workspace().join(folder);
        let named = named(&folder);
        for path in &named {
            assert!(path.exists(), "{}: {}", folder.display(), path.display());
        }
        for below in below {
            let below = folder.join(below);
            for name in names_in(&below) {
                let path = below.join(&name);
                assert!(named.contains(&path), "{}: {name}", folder.display());
            }
        }
    }
}

/// The component's files are patches of those of split, and are applied by themselves as well: so nothing of what they
/// replace may be left over.
#[test]
fn what_combined_replaces_is_replaced_as_a_whole() {
    for (file, of) in [
        ("bridge.yaml", "sink.yaml"),
        ("sink-binding.yaml", "sink-binding.yaml"),
        ("network-policy.yaml", "network-policy.yaml"),
    ] {
        let patch = &shipped(&format!("combined/component/{file}"))[0];
        let mut patched = shipped(&format!("split/{of}"))[0].clone();
        merge(&mut patched, patch);
        assert_eq!(&patched, patch, "{file}");
    }
}

/// RFC 7396, which is what kustomize does where it knows no schema.
fn merge(target: &mut Value, patch: &Value) {
    let Some(members) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    for (name, value) in members {
        merge(&mut target[name.as_str()], value);
    }
}

#[test]
fn the_rules_of_a_fresh_installation_are_the_smallest_example() {
    let map = &shipped("split/rules.yaml")[0];
    let rules = map["data"]["rules.yaml"].as_str().expect("rules");
    let example = fs::read_to_string(workspace().join("knative/hello/rules.yaml"));
    assert_eq!(rules, example.expect("the example"));
}
