use http::Method;
use serde_json::Value;
use testkit::request::{self, Answered};

use crate::support::{Stage, until};

const PAGE: &str = "http://127.0.0.1:4321";

/// One that says each of its starts, and how the controls are found.
const ONE: &str = r#"
controls: {port: 0, origins: ["http://127.0.0.1:4321"]}
programs:
  - name: one
    command: sh
    args: [-c, 'echo $$ >> ${RUN}/../../starts; echo up; exec sleep 1000']
    ready: {line: up}
says: Controls at ${CONTROLS_URL}.
"#;

struct Controls {
    stage: Stage,
    url: String,
}

impl Controls {
    async fn start() -> Self {
        let mut stage = Stage::start(ONE, &[]);
        let said = stage.says("Controls at ").await;
        let url = said
            .trim_start_matches("Controls at ")
            .trim_end_matches('.');
        Self {
            url: url.to_owned(),
            stage,
        }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answered {
        let url = format!("{}{path}", self.url);
        request::try_send(method, &url, headers, "")
            .await
            .expect("an answer")
    }
}

#[tokio::test]
async fn a_program_is_killed_by_a_button_and_started_again_as_often_as_one_likes() {
    let controls = Controls::start().await;
    let mut before = controls.stage.wait_for_lines("starts", 1).await.remove(0);
    // More often than a program may end by itself.
    for kills in 1..=8 {
        let killed = controls
            .send(
                Method::POST,
                "/programs/one/kill",
                &[("x-stage", "1"), ("origin", PAGE)],
            )
            .await;
        assert_eq!(killed.status, 202, "{}", killed.text());
        assert_eq!(killed.header("access-control-allow-origin"), Some(PAGE));
        assert!(killed.text().contains(&before), "{}", killed.text());
        before = controls
            .stage
            .wait_for_lines("starts", kills + 1)
            .await
            .remove(kills);
        loop {
            let shown = controls.send(Method::GET, "/programs", &[]).await;
            let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
            let one = &shown[0];
            if one["state"] == "ready" && one["restarts"] == kills {
                assert_eq!(one["name"], "one");
                assert_eq!(one["pid"].to_string(), before);
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    controls.stage.program.terminate();
    let mut stage = controls.stage;
    assert_eq!(stage.ended().await.0, 0);
}

#[tokio::test]
async fn other_pages_and_requests_that_need_no_asking_change_nothing() {
    let controls = Controls::start().await;
    let stranger = ("origin", "http://evil.example");
    let kill = "/programs/one/kill";
    for (method, path, headers, status) in [
        (Method::POST, kill, &[("origin", PAGE)][..], 403),
        (Method::POST, kill, &[("x-stage", "1"), stranger], 403),
        (
            Method::POST,
            kill,
            &[("x-stage", "1"), ("host", "evil.example:80")],
            403,
        ),
        (Method::GET, "/programs", &[stranger], 403),
        (Method::OPTIONS, kill, &[stranger], 403),
        (Method::GET, kill, &[("x-stage", "1")], 404),
        (Method::POST, "/programs/two/kill", &[("x-stage", "1")], 404),
        (Method::GET, "/elsewhere", &[], 404),
    ] {
        let answered = controls.send(method.clone(), path, headers).await;
        assert_eq!(answered.status, status, "{method} {path} {headers:?}");
        assert_eq!(
            answered.header("access-control-allow-origin"),
            headers.contains(&("origin", PAGE)).then_some(PAGE),
        );
    }
    let asked = controls
        .send(Method::OPTIONS, kill, &[("origin", PAGE)])
        .await;
    assert_eq!(asked.status, 204);
    assert_eq!(
        asked.header("access-control-allow-headers"),
        Some("x-stage")
    );
    until("one start", || {
        (controls.stage.lines("starts").len() == 1).then_some(())
    })
    .await;
}
