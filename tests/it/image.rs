//! The Dockerfile says what the workspace is. That it builds is for `scripts/image`, which needs a container tool;
//! that nothing was forgotten in it is seen here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn toml(path: &str) -> toml::Table {
    toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The Dockerfile's instructions, without comments, each on one line.
fn instructions() -> Vec<String> {
    let text: String = read("Dockerfile")
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    text.replace("\\\n", " ")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

/// What is copied from the checkout: the words between `COPY` and the last one.
fn copied() -> Vec<String> {
    let mut copied = Vec::new();
    for line in instructions() {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == "COPY" && !words.iter().any(|word| word.starts_with("--from")) {
            copied.extend(
                words[1..words.len() - 1]
                    .iter()
                    .map(|&word| word.to_owned()),
            );
        }
    }
    assert!(copied.len() >= 5, "{copied:?}");
    copied
}

/// The values that `ARG name=` has, in all stages.
fn arguments(name: &str) -> Vec<String> {
    let start = format!("ARG {name}=");
    instructions()
        .iter()
        .filter_map(|line| line.strip_prefix(&start).map(str::to_owned))
        .collect()
}

/// The folders of all packages of the workspace, from its root.
fn members() -> Vec<String> {
    let manifest = toml("Cargo.toml");
    let mut members = Vec::new();
    for pattern in manifest["workspace"]["members"]
        .as_array()
        .expect("members")
    {
        let pattern = pattern.as_str().expect("a pattern");
        match pattern.strip_suffix("/*") {
            Some(folder) => {
                for entry in fs::read_dir(root().join(folder)).expect("a folder of packages") {
                    let path = entry.expect("a readable folder").path();
                    if path.join("Cargo.toml").is_file() {
                        let path = path.strip_prefix(root()).expect("a path in the checkout");
                        members.push(path.display().to_string());
                    }
                }
            }
            None => members.push(pattern.to_owned()),
        }
    }
    assert!(members.len() >= 7, "{members:?}");
    members
}

/// Whether one of these is the path or a folder above it.
fn covered(path: &str, by: &[String]) -> bool {
    by.iter().any(|above| Path::new(path).starts_with(above))
}

/// No two builds would agree, and an idle bridge would have twice the memory on some nodes.
#[test]
fn the_allocator_of_the_image_says_no_time_and_takes_no_huge_pages() {
    let all = instructions();
    let given = |name: &str| {
        let start = format!("ENV {name}=");
        let line = all.iter().find(|line| line.starts_with(&start));
        line.unwrap_or_else(|| panic!("no {start}")).clone()
    };
    let flags = given("MIMALLOC");
    for flag in [
        r#"-D__DATE__="-""#,
        r#"-D__TIME__="-""#,
        "-DMI_DEFAULT_ALLOW_THP=0",
    ] {
        assert!(flags.contains(flag), "{flags}");
    }
    let environment = given("CARGO_HOME");
    for cpu in ["x86_64", "aarch64"] {
        let flags = format!("CFLAGS_{cpu}_unknown_linux_musl=");
        let (_, flags) = environment.split_once(&flags).expect("flags for C");
        let flags = flags.split('"').nth(1).expect("in quotes");
        assert!(flags.contains("$MIMALLOC"), "{cpu}: {flags}");
    }
    let musl = &toml("Cargo.toml")["target"][r#"cfg(target_env = "musl")"#]["dependencies"];
    assert!(musl.get("mimalloc").is_some(), "{musl:?}");
}

#[test]
fn every_package_of_the_workspace_is_copied_into_the_build() {
    let copied = copied();
    for member in members() {
        let sources = if member == "." { "src" } else { &member };
        assert!(
            covered(sources, &copied),
            "`{sources}` is compiled, but the Dockerfile copies {copied:?}: add a COPY, and a line in .dockerignore"
        );
    }
}

#[test]
fn what_is_copied_is_there_and_not_ignored() {
    let ignore = read(".dockerignore");
    let let_in: Vec<String> = ignore
        .lines()
        .filter_map(|line| line.strip_prefix('!').map(str::to_owned))
        .collect();
    for path in copied() {
        assert!(
            root().join(&path).exists(),
            "the Dockerfile copies `{path}`, which is not there"
        );
        assert!(
            covered(&path, &let_in),
            ".dockerignore keeps `{path}` out, which the Dockerfile copies"
        );
    }
    for path in let_in {
        assert!(
            covered(&path, &copied()),
            ".dockerignore lets `{path}` in, but the Dockerfile does not copy it"
        );
    }
}

#[test]
fn what_the_program_compiles_in_is_not_ignored() {
    let ignored: Vec<String> = read(".dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix("**/").map(str::to_owned))
        .collect();
    for folder in ["src", "benches"] {
        assert!(
            !ignored.iter().any(|name| name == folder),
            ".dockerignore keeps `{folder}` out"
        );
    }
}

#[test]
fn the_labels_have_the_version_of_the_workspace() {
    let manifest = toml("Cargo.toml");
    let version = manifest["workspace"]["package"]["version"].as_str();
    let versions = arguments("VERSION");
    assert_eq!(versions.len(), 2, "one for each image");
    for labelled in versions {
        assert_eq!(Some(labelled.as_str()), version);
    }
}

#[test]
fn the_compiler_is_one_that_the_workspace_allows() {
    fn parts(version: &str) -> Vec<u32> {
        version
            .split('.')
            .map(|part| part.parse().expect("a number"))
            .collect()
    }
    let pinned = arguments("RUST_VERSION");
    assert_eq!(pinned.len(), 1);
    let manifest = toml("Cargo.toml");
    let least = manifest["workspace"]["package"]["rust-version"]
        .as_str()
        .expect("a version");
    assert!(
        parts(&pinned[0]) >= parts(least),
        "{} is older than rust-version {least}",
        pinned[0]
    );
    let toolchain = toml("rust-toolchain.toml");
    let channel = toolchain["toolchain"]["channel"]
        .as_str()
        .expect("a channel");
    assert!(
        channel == "stable" || channel == pinned[0],
        "rust-toolchain.toml says {channel}, the Dockerfile {}",
        pinned[0]
    );
}

#[test]
fn what_the_builder_says_of_platforms_is_not_shadowed_by_a_default() {
    let all = instructions();
    for line in &all {
        for given in ["TARGET", "BUILD"] {
            for part in ["PLATFORM", "OS", "ARCH", "VARIANT"] {
                assert!(
                    !line.starts_with(&format!("ARG {given}{part}=")),
                    "`{line}`: with a default BuildKit ignores --platform, and another processor's image gets this one's program"
                );
            }
        }
    }
    assert!(
        all.iter().any(|line| line == "ARG TARGETARCH"),
        "the compiler's stage does not ask which processor is wanted: {all:?}"
    );
}

#[test]
fn both_images_run_as_a_user_who_is_nobody_and_listen_for_others() {
    let all = instructions();
    let stages: Vec<&[String]> = all
        .split(|line| line.starts_with("FROM "))
        .rev()
        .take(2)
        .collect();
    for (stage, (entrypoint, address)) in stages.iter().zip([
        ("ENTRYPOINT [\"/eventing-zeebe\"]", "BRIDGE_HOST=0.0.0.0"),
        ("ENTRYPOINT [\"/demo\"]", "LISTEN=0.0.0.0"),
    ]) {
        for wanted in [entrypoint, "USER 65532:65532", "EXPOSE 8080"] {
            assert!(
                stage.iter().any(|line| line == wanted),
                "no `{wanted}` in {stage:?}"
            );
        }
        assert!(
            stage
                .iter()
                .any(|line| line.starts_with("ENV ") && line.contains(address)),
            "no {address} in {stage:?}"
        );
    }
}

/// A container tool that builds anything and gives nothing out. It writes down what it is asked for.
const DEAF_TOOL: &str = r#"#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $*" in
  create* | from*) echo left-over ;;
  *Config.User*) echo 65532:65532 ;;
  *Config.Entrypoint*) echo '[/eventing-zeebe]' ;;
  *Config.Labels*) echo "$TAG" ;;
  cp* | mount* | unshare*) echo 'no such file' >&2; exit 1 ;;
esac
"#;

#[test]
fn a_program_that_cannot_be_copied_out_leaves_no_container_and_none_of_before() {
    let manifest = toml("Cargo.toml");
    let version = manifest["workspace"]["package"]["version"].as_str();
    for tool in ["docker", "podman", "buildah"] {
        // A checkout of its own: the programs of a real build stay where they are.
        let checkout = tempfile::tempdir().expect("a folder");
        let at = |path: &str| checkout.path().join(path);
        for folder in ["scripts", "bin", "target/image/amd64", "target/image/arm64"] {
            fs::create_dir_all(at(folder)).expect("a folder");
        }
        for file in ["scripts/image", "scripts/lib.sh", "Cargo.toml"] {
            fs::copy(root().join(file), at(file)).expect("a copy");
        }
        let old = ["amd64", "arm64"].map(|of| at(&format!("target/image/{of}/eventing-zeebe")));
        for program in &old {
            fs::write(program, "of a build before").expect("a file");
        }
        let fake = at("bin").join(tool);
        fs::write(&fake, DEAF_TOOL).expect("a tool");
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).expect("a program");
        let path = std::env::var("PATH").expect("PATH");
        let output = Command::new("bash")
            .arg(at("scripts/image"))
            .env("PATH", format!("{}:{path}", at("bin").display()))
            .env("XDG_CACHE_HOME", at("cache"))
            .env("CALLS", at("calls"))
            .env("IMAGE_TOOL", tool)
            .env("TAG", version.expect("a version"))
            .output()
            .expect("bash");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{tool}: {said}");
        assert!(
            said.contains(&format!("{tool} does not give out /eventing-zeebe")),
            "{tool}: {said}"
        );
        let calls = fs::read_to_string(at("calls")).expect("its calls");
        assert!(
            calls.lines().any(|call| call == "rm left-over"),
            "{tool} keeps the container: {calls}"
        );
        assert!(
            old.iter().any(|program| !program.exists()),
            "{tool}: the program of a build before could be taken for this one's"
        );
    }
}
