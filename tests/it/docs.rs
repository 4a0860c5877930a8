use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use eventing_zeebe::config::NotDeployed;
use eventing_zeebe::sink::acknowledge::{Command, Outcome, acknowledge};
use serde_json::json;
use testkit::destination::Destination;
use testkit::gateway::{FakeGateway, JobState, NewJob};
use zeebe_client::ErrorKind;

use crate::support::source;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What may become of a command, in the words of the page.
const OUTCOMES: [(&str, Outcome, NotDeployed); 13] = [
    ("done", Outcome::Done, RETRY),
    ("duplicate", refused(ErrorKind::Duplicate), RETRY),
    ("unknown, `at_most_once`", Outcome::UnknownAtMostOnce, RETRY),
    (
        "busy (backpressure)",
        refused(ErrorKind::Backpressure),
        RETRY,
    ),
    ("engine away", refused(ErrorKind::Unavailable), RETRY),
    ("outcome unknown", refused(ErrorKind::OutcomeUnknown), RETRY),
    (
        "our credentials refused",
        refused(ErrorKind::CredentialsRefused),
        RETRY,
    ),
    (
        "our credentials do not suffice",
        refused(ErrorKind::Denied),
        RETRY,
    ),
    ("not there", refused(ErrorKind::NotFound), RETRY),
    (
        "not there, `BRIDGE_NOT_DEPLOYED=refuse`",
        refused(ErrorKind::NotFound),
        NotDeployed::Refuse,
    ),
    ("wrong state", refused(ErrorKind::WrongState), RETRY),
    ("invalid", refused(ErrorKind::Invalid), RETRY),
    ("too large", refused(ErrorKind::TooLarge), RETRY),
];

const RETRY: NotDeployed = NotDeployed::Retry;

const fn refused(kind: ErrorKind) -> Outcome {
    Outcome::Refused(kind)
}

const COMMANDS: [(&str, Command); 8] = [
    ("publish, start by message", Command::PublishMessage),
    ("start by process id", Command::CreateProcessInstance),
    ("signal", Command::BroadcastSignal),
    ("set_variables", Command::SetVariables),
    ("cancel", Command::CancelProcessInstance),
    ("complete_job", Command::CompleteJob),
    ("fail_job", Command::FailJob),
    ("throw_error", Command::ThrowError),
];

#[test]
fn rules_md_prints_the_table_of_answers() {
    let mut table = String::from("|");
    for (name, _) in COMMANDS {
        write!(table, " | {name}").expect("text");
    }
    table.push_str(" |\n|---|");
    table.push_str(&"---|".repeat(COMMANDS.len()));
    for (name, outcome, not_deployed) in OUTCOMES {
        write!(table, "\n| {name} |").expect("text");
        for (_, command) in COMMANDS {
            let answer = acknowledge(command, outcome, not_deployed);
            let again = if answer.is_retryable() { "*" } else { "" };
            write!(table, " {}{again} |", answer.status().as_u16()).expect("text");
        }
    }
    assert!(
        read("docs/RULES.md").contains(&table),
        "docs/RULES.md must have this table, which is that of src/sink/acknowledge.rs:\n{table}"
    );
}

#[test]
fn every_outcome_is_in_the_table() {
    for (_, outcome, _) in OUTCOMES {
        // Who adds an outcome is sent here by the compiler, and adds a row above.
        match outcome {
            Outcome::Done | Outcome::UnknownAtMostOnce => {}
            Outcome::Refused(kind) => match kind {
                ErrorKind::Duplicate
                | ErrorKind::Backpressure
                | ErrorKind::Unavailable
                | ErrorKind::OutcomeUnknown
                | ErrorKind::NotFound
                | ErrorKind::WrongState
                | ErrorKind::TooLarge
                | ErrorKind::Invalid
                | ErrorKind::CredentialsRefused
                | ErrorKind::Denied => {}
            },
        }
    }
}

/// The metrics that docs/OPERATING.md lists.
pub(crate) fn documented_metrics() -> BTreeSet<String> {
    read("docs/OPERATING.md")
        .lines()
        .skip_while(|line| *line != "## Metrics")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(|names| names.split('`'))
        .filter(|name| name.contains('_'))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn operating_md_names_every_metric_and_no_other() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_HOP_LIMIT", "1"), ("BRIDGE_NO_RULE", "accept")];
    let bridge = source(&gateway, &destination, &settings).await;
    // One of each: a histogram is not shown before its first event.
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    let headers = json!({"ce-type": "Test"}).to_string();
    for variables in ["{}", r#"{"bridgeContext": {"hops": 1}}"#] {
        let key = gateway.add_job(NewJob {
            variables: variables.to_owned(),
            custom_headers: headers.clone(),
            ..NewJob::new("cloudevents")
        });
        gateway
            .wait_for("its end", |gateway| {
                [JobState::Completed, JobState::Incident].contains(&gateway.job(key).state)
            })
            .await;
    }
    let page = bridge.get("metrics").await;
    let shown: BTreeSet<&str> = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| *name != "target_info")
        .collect();
    let documented = documented_metrics();
    let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    // These need what does not happen here: a reply, senders that are asked for tokens, a collector for spans.
    let rare = BTreeSet::from([
        "bridge_senders_checks_total",
        "bridge_source_replies_dropped_total",
        "telemetry_spans_total",
    ]);
    let undocumented: Vec<_> = shown.difference(&documented).collect();
    assert!(
        undocumented.is_empty(),
        "not in docs/OPERATING.md: {undocumented:?}"
    );
    let gone: Vec<_> = documented
        .difference(&shown)
        .filter(|name| !rare.contains(*name))
        .collect();
    assert!(
        gone.is_empty(),
        "in docs/OPERATING.md, but nowhere else: {gone:?}"
    );
}

/// README.md, and what else there is to read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![PathBuf::from("README.md")];
    for folder in ["bpmn", "charts/eventing-zeebe", "observer"] {
        pages.push(Path::new(folder).join("README.md"));
    }
    for entry in std::fs::read_dir(root.join("docs")).expect("docs") {
        let name = PathBuf::from(entry.expect("an entry").file_name());
        if name.extension().is_some_and(|extension| extension == "md") {
            pages.push(Path::new("docs").join(name));
        }
    }
    pages
}

/// A name in `.PHONY` without a rule does nothing, and says that it went well.
#[test]
fn make_has_a_rule_for_each_name_that_it_and_the_docs_tell() {
    let makefile = read("Makefile");
    let rules: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(": ").or(line.split_once(':')))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect();
    let phony = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "));
    let phony: BTreeSet<&str> = phony.expect("a line .PHONY").split(' ').collect();
    assert_eq!(rules, phony, "the Makefile's rules, and its line .PHONY");
    for page in pages() {
        let text = read(page.to_str().expect("a path that is UTF-8"));
        let of_name =
            |char: char| !(char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-');
        for name in text
            .split("`make ")
            .skip(1)
            .filter_map(|rest| rest.split(of_name).next())
        {
            assert!(
                rules.contains(name),
                "{}: no rule for `make {name}`",
                page.display()
            );
        }
    }
}

#[test]
fn every_link_in_the_docs_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in pages() {
        let text = read(page.to_str().expect("a path that is UTF-8"));
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap_or(Path::new("")).join(file),
            };
            let there = root.join(&target).exists()
                && (heading.is_empty() || anchors(&target).contains(heading));
            assert!(there, "{}: `{link}` leads nowhere", page.display());
        }
    }
}

#[test]
fn the_readme_leads_to_every_page() {
    let (_, map) = read("README.md")
        .split_once("\n## Read on\n")
        .map(|(before, map)| (before.to_owned(), map.to_owned()))
        .expect("a map of the docs");
    for page in pages().iter().skip(1) {
        assert!(
            map.contains(&format!("]({})", page.display())),
            "README.md, \"Read on\": no line for {}",
            page.display()
        );
    }
}

/// BSD's `sed`, which macOS has, takes the next word for the ending of the copy.
#[test]
fn a_sed_that_writes_in_place_names_the_ending_of_its_copy() {
    for page in pages() {
        let text = read(page.to_str().expect("a path that is UTF-8"));
        assert!(
            !text.contains("sed -i "),
            "{}: write `sed -i.bak`, which GNU's and BSD's read alike",
            page.display()
        );
    }
}

/// What the headings of a page are linked by.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = read(page.to_str().expect("a path that is UTF-8"));
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced
    });
    lines.filter_map(anchor).collect()
}

/// What a heading is linked by, as GitHub makes it.
pub(crate) fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#');
    let heading = heading.strip_prefix(' ')?.to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    Some(kept.collect::<String>().replace(' ', "-"))
}
