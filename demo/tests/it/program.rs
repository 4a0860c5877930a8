use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use http::{Method, StatusCode};

use crate::support::Sender;

/// A program that is ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn demo(arguments: &[&str]) -> Program {
    let child = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Program(child.expect("the program"))
}

/// Lines up to the first that contains `wanted`.
fn until(lines: &mut impl BufRead, wanted: &str) -> String {
    let mut all = String::new();
    while !all.contains(wanted) {
        let read = lines.read_line(&mut all).expect("text");
        assert!(read > 0, "no `{wanted}` in:\n{all}");
    }
    all
}

/// What stands between `http://` and the next blank, with it.
fn url(text: &str) -> String {
    let begin = text.find("http://").expect("an address");
    let url: String = text[begin..]
        .chars()
        .take_while(|c| !c.is_whitespace())
        .collect();
    url
}

fn terminate(program: &mut Program) -> i32 {
    let id = program.0.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("kill").success());
    program
        .0
        .wait()
        .expect("an end")
        .code()
        .expect("an exit code")
}

#[tokio::test]
async fn the_shipped_files_run_as_programs_that_stop_on_sigterm_with_0() {
    let mut watch = demo(&["watch", "--port", "0", "--label", "seen"]);
    let mut watch_says = BufReader::new(watch.0.stderr.take().expect("a pipe"));
    let watch_url = url(&until(&mut watch_says, "http://"));

    let all = format!("*={watch_url}");
    let mut broker = demo(&[
        "broker",
        "--port",
        "0",
        "--broker",
        "knative/broker.yaml",
        "--triggers",
        "knative/hello/triggers",
        "--ref",
        &all,
    ]);
    let mut broker_says = BufReader::new(broker.0.stderr.take().expect("a pipe"));
    let said = until(&mut broker_says, "http://");
    assert!(
        said.contains("for development, not for production"),
        "{said}"
    );
    assert!(said.contains("2 Triggers"), "{said}");

    let event = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/test"),
        ("ce-type", "Hello.Said"),
        ("ce-subject", "ada"),
        ("content-type", "application/json"),
    ];
    let sent = Sender::new()
        .send(
            Method::POST,
            &url(&said),
            &event,
            "{\"greeting\":\"Hello\"}",
        )
        .await;
    assert_eq!(sent, (StatusCode::ACCEPTED, String::new()));

    assert_eq!(terminate(&mut broker), 0);
    let mut rest = String::new();
    broker_says.read_to_string(&mut rest).expect("text");
    assert!(
        rest.contains("received 1, delivered 1, retried 0"),
        "{rest}"
    );

    assert_eq!(terminate(&mut watch), 0);
    let mut seen = String::new();
    let mut out = watch.0.stdout.take().expect("a pipe");
    out.read_to_string(&mut seen).expect("text");
    assert_eq!(seen, "seen: Hello.Said  ada  {\"greeting\":\"Hello\"}\n");
}

#[test]
fn a_bad_file_ends_the_program_with_its_line_before_a_port_is_bound() {
    let mut broker = demo(&["broker", "--triggers", "demo/tests/bad-trigger.yaml"]);
    assert_eq!(broker.0.wait().expect("an end").code(), Some(1));
    let mut said = String::new();
    let mut errors = broker.0.stderr.take().expect("a pipe");
    errors.read_to_string(&mut said).expect("text");
    assert!(
        said.contains("demo/tests/bad-trigger.yaml:9: unknown field `retries`"),
        "{said}"
    );
}

#[test]
fn the_help_says_that_it_is_a_development_tool() {
    for arguments in [&["--help"][..], &["broker", "--help"], &["watch", "--help"]] {
        let mut help = demo(arguments);
        assert_eq!(help.0.wait().expect("an end").code(), Some(0));
        let mut said = String::new();
        let mut out = help.0.stdout.take().expect("a pipe");
        out.read_to_string(&mut said).expect("text");
        let said = said.to_lowercase();
        assert!(said.contains("development tool"), "{said}");
    }
}

#[test]
fn reach_tells_of_each_address_whether_a_connection_comes_about_and_fails_where_one_does_not() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    let there = port.local_addr().expect("an address").to_string();
    // Port 0 is nobody's.
    let nobody = "127.0.0.1:0";
    for (addresses, code) in [
        (&[there.as_str()][..], 0),
        (&[there.as_str(), nobody], 1),
        (&[nobody, there.as_str()], 1),
    ] {
        let mut reach = demo(&[&["reach"], addresses].concat());
        let mut said = String::new();
        let stdout = reach.0.stdout.as_mut().expect("a pipe");
        stdout.read_to_string(&mut said).expect("text");
        assert_eq!(said.lines().count(), addresses.len(), "{said}");
        for (address, line) in addresses.iter().zip(said.lines()) {
            let begins = if *address == nobody {
                format!("not reached {address}: ")
            } else {
                format!("reached {address}")
            };
            assert!(line.starts_with(&begins), "{line}");
        }
        assert_eq!(reach.0.wait().expect("an end").code(), Some(code));
    }
}
