use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use runtime::telemetry::logs::{self, LogFormat, LogSettings};
use runtime::telemetry::metrics::{DURATION_BOUNDARIES, Format, Metrics};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

// -- logs

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, filter: &str, terminal: bool, log: impl FnOnce()) -> String {
    let lines = Lines::default();
    let settings = LogSettings {
        format,
        filter: filter.to_owned(),
    };
    let writer = lines.clone();
    let (layer, _) = logs::layer(&settings, terminal, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_json_line_is_one_flat_object() {
    let text = logged(LogFormat::Auto, "info", false, || {
        tracing::warn!(check = "engine", attempt = 3, "not\nready");
    });
    assert_eq!(text.lines().count(), 1, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    let mut fields: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "attempt",
            "check",
            "level",
            "message",
            "target",
            "timestamp"
        ]
    );
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "not\nready");
    assert_eq!(line["attempt"], 3);
    assert_eq!(line["target"], "it::telemetry");
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(
        timestamp.ends_with('Z') && timestamp.contains('T'),
        "{timestamp}"
    );
}

#[test]
fn the_format_follows_the_terminal_unless_it_is_set() {
    let cases = [
        (LogFormat::Auto, true, false),
        (LogFormat::Auto, false, true),
        (LogFormat::Text, false, false),
        (LogFormat::Json, true, true),
    ];
    for (format, terminal, json) in cases {
        let text = logged(format, "info", terminal, || tracing::info!("hello"));
        assert!(text.contains("hello"), "{text}");
        assert_eq!(text.starts_with('{'), json, "{format:?} {terminal}: {text}");
        if !terminal {
            assert!(!text.contains('\u{1b}'), "no colours in a file: {text:?}");
        }
    }
}

#[test]
fn the_filter_takes_levels_by_target() {
    let text = logged(
        LogFormat::Json,
        "warn,chatty=debug,silent=off",
        false,
        || {
            tracing::info!("below");
            tracing::warn!("above");
            tracing::debug!(target: "chatty", "talk");
            tracing::error!(target: "silent", "hush");
        },
    );
    let messages: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone())
        .collect();
    assert_eq!(messages, ["above", "talk"]);
}

#[test]
fn the_filter_changes_while_the_program_runs() {
    let lines = Lines::default();
    let writer = lines.clone();
    let settings = LogSettings::default();
    let (layer, filter) = logs::layer(&settings, false, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        // One line of code, so that what is remembered of it must be forgotten.
        let log = |what: &str| tracing::debug!(what, "a line");
        log("before");
        assert_eq!(filter.change("warn,it=debug", |_| {}).unwrap(), "info");
        log("within");
        assert_eq!(filter.text(), "warn,it=debug");
        assert_eq!(filter.change("info", |_| {}).unwrap(), "warn,it=debug");
        log("after");
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("within"), "{text}");
    assert!(
        !text.contains("before") && !text.contains("after"),
        "{text}"
    );
}

#[test]
fn a_filter_that_would_silence_all_by_a_slip_is_refused_and_changes_nothing() {
    let settings = LogSettings::default();
    let (_layer, filter) =
        logs::layer::<tracing_subscriber::Registry, _>(&settings, false, std::io::sink).unwrap();
    for slip in ["debgu", "", "info,", "info,h2", "h2=loud", "info debug"] {
        let error = filter.change(slip, |_| {}).unwrap_err().to_string();
        assert!(error.contains(&format!("`{slip}`")), "{error}");
        assert_eq!(filter.text(), "info");
    }
}

#[test]
fn settings_that_cannot_be_read_are_named() {
    let error = "xml".parse::<LogFormat>().unwrap_err().to_string();
    assert!(
        error.contains("`xml`") && error.contains("`json`"),
        "{error}"
    );
    let settings = LogSettings {
        filter: "runtime=loud".to_owned(),
        ..LogSettings::default()
    };
    let layer = logs::layer::<tracing_subscriber::Registry, _>(&settings, false, std::io::sink);
    let error = layer.err().unwrap().to_string();
    assert!(error.contains("`runtime=loud`"), "{error}");
}

/// Not a test: the program that the tests below run, with the logs really installed.
#[test]
#[ignore = "run by other tests as a program of its own"]
fn a_program_that_floods_its_log() {
    let guard = logs::install(&LogSettings::default()).unwrap();
    let again = logs::install(&LogSettings::default()).err().unwrap();
    assert!(again.to_string().contains("twice"));
    for number in 0..FLOOD {
        tracing::info!(number, "a line of a flood that nobody reads");
    }
    println!("flooded");
    // Until the test has begun to read.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(guard);
}

const FLOOD: u64 = 20_000;

fn start(program: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([program, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_reader_that_has_stopped_holds_nobody_up_and_is_told_how_many_lines_it_missed() {
    let mut program = start("telemetry::a_program_that_floods_its_log");
    let stdout = BufReader::new(program.stdout.take().unwrap());
    let mut printed = stdout.lines().map_while(Result::ok);
    // It gets here though nobody has read a line yet.
    assert!(printed.any(|line| line.ends_with("flooded")));
    // Its last lines have to wait for us; what it is told then it says in a line.
    let stderr = BufReader::new(program.stderr.take().unwrap());
    let mut stdin = program.stdin.take();
    let (mut read, mut missed) = (0, 0);
    for line in stderr.lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(lines) = line["lines"].as_u64() {
            missed += lines;
            // All that was kept is behind this, so the program may end.
            stdin = None;
        } else {
            assert!(line["number"].is_u64(), "{line}");
            read += 1;
        }
    }
    drop(stdin);
    assert!(missed > 0);
    assert_eq!(read + missed, FLOOD);
    assert!(program.wait().unwrap().success());
}

/// Not a test: the program that the test below runs.
#[test]
#[ignore = "run by other tests as a program of its own"]
fn a_program_that_panics() {
    let _guard = logs::install(&LogSettings::default()).unwrap();
    let thread = std::thread::Builder::new().name("unlucky".to_owned());
    let thread = thread.spawn(|| panic!("number {}", 13)).unwrap();
    assert!(thread.join().is_err());
}

#[test]
fn a_panic_is_a_log_line() {
    let output = start("telemetry::a_program_that_panics")
        .wait_with_output()
        .unwrap();
    assert!(output.status.success());
    let line: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["panic"], "number 13");
    assert_eq!(line["thread"], "unlucky");
    assert!(line["location"].as_str().unwrap().contains("telemetry.rs:"));
}

// -- metrics

#[test]
fn instruments_are_read_as_prometheus_text() {
    let metrics = Metrics::new("a-program", "1.2.3").unwrap();
    let meter = metrics.meter("room");
    let events = meter
        .u64_counter("bridge.sink.events")
        .with_description("Events by outcome.")
        .build();
    events.add(2, &[KeyValue::new("outcome", "done")]);
    let bound = events.bind(&[KeyValue::new("outcome", "done")]);
    bound.add(3);
    let held = meter.i64_up_down_counter("bridge.jobs.held").build();
    held.add(5, &[]);
    held.add(-1, &[]);
    let took = meter
        .f64_histogram("bridge.delivery.duration")
        .with_unit("s")
        .with_boundaries(DURATION_BOUNDARIES.to_vec())
        .build();
    took.record(0.003, &[]);

    let text = metrics.render(Format::Text).unwrap();
    for line in [
        "# HELP bridge_sink_events_total Events by outcome.",
        "# TYPE bridge_sink_events_total counter",
        r#"bridge_sink_events_total{outcome="done"} 5"#,
        "# TYPE bridge_jobs_held gauge",
        "bridge_jobs_held 4",
        r#"bridge_delivery_duration_seconds_bucket{le="0.0025"} 0"#,
        r#"bridge_delivery_duration_seconds_bucket{le="0.005"} 1"#,
        r#"bridge_delivery_duration_seconds_bucket{le="+Inf"} 1"#,
        "bridge_delivery_duration_seconds_count 1",
    ] {
        assert!(text.lines().any(|is| is == line), "no `{line}` in\n{text}");
    }
    // Which process it is differs from run to run.
    let of = text
        .lines()
        .find_map(|line| line.strip_prefix("target_info{"));
    let of = of.expect("what it is of");
    let process = format!(":{}\",", std::process::id());
    let others = r#"service_name="a-program",service_version="1.2.3"} 1"#;
    assert!(
        of.starts_with("service_instance_id=") && of.contains(&process),
        "{of}"
    );
    assert!(of.ends_with(others), "{of}");
}

#[test]
fn the_process_itself_is_measured() {
    let metrics = Metrics::new("a-program", "1.2.3").unwrap();
    let text = metrics.render(Format::Text).unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no `{name}` in\n{text}"));
        line.trim().parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes ") > 100_000.0);
    assert!(value("process_open_fds ") >= 3.0);
    assert!(value("process_cpu_seconds_total ") >= 0.0);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let age = now - value("process_start_time_seconds ");
    assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
}

#[test]
fn two_programs_in_one_process_do_not_share_metrics() {
    let (one, other) = (
        Metrics::new("one", "1").unwrap(),
        Metrics::new("other", "1").unwrap(),
    );
    one.meter("room")
        .u64_counter("only.one")
        .build()
        .add(1, &[]);
    assert!(
        one.render(Format::Text)
            .unwrap()
            .contains("only_one_total 1")
    );
    assert!(
        !other
            .render(Format::Text)
            .unwrap()
            .contains("only_one_total")
    );
}
