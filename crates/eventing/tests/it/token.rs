use std::fs;
use std::path::PathBuf;

use eventing::{Attempt, NotReached, Sender, SenderSettings, SinkBinding, Token};
use tempfile::TempDir;
use testkit::certificates::Authority;
use testkit::destination::{Answer, Destination};
use testkit::lines::Lines;

use crate::harness::{PATIENCE, message, send, uri};

struct Mounted {
    folder: TempDir,
    destination: Destination,
    sender: Sender,
}

impl Mounted {
    /// A destination, and a sender whose token for it is not there yet.
    async fn new() -> Self {
        Self::of(false).await
    }

    async fn of(required: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let destination = Destination::accepting().await;
        let sender = Sender::new(&SenderSettings {
            token: Some(Token {
                path: folder.path().join("token"),
                destination: uri(&destination.url()),
                required,
            }),
            ..SenderSettings::default()
        })
        .unwrap();
        Self {
            folder,
            destination,
            sender,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    async fn authorization(&self) -> Option<String> {
        let attempt = send(&self.sender, &self.destination).await;
        assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
        let received = self.destination.received();
        let last = received.last().unwrap();
        last.header("authorization").map(str::to_owned)
    }
}

#[tokio::test]
async fn without_a_mounted_token_none_is_sent() {
    assert_eq!(Mounted::new().await.authorization().await, None);
}

#[tokio::test]
async fn the_token_is_sent_without_what_surrounds_it_in_its_file() {
    let mounted = Mounted::new().await;
    for text in ["abc.def.ghi", "abc.def.ghi\n", " abc.def.ghi\r\n"] {
        fs::write(mounted.path(), text).unwrap();
        assert_eq!(mounted.authorization().await.unwrap(), "Bearer abc.def.ghi");
    }
}

#[tokio::test]
async fn each_request_has_the_token_of_its_time() {
    let mounted = Mounted::new().await;
    assert_eq!(mounted.authorization().await, None);
    // Of one length and rotated at once: neither size nor time of the file tells them apart.
    for token in ["first", "secnd", "third"] {
        fs::write(mounted.path(), token).unwrap();
        assert_eq!(
            mounted.authorization().await.unwrap(),
            format!("Bearer {token}")
        );
    }
    // As the kubelet does it: a new file, moved into the place of the old one.
    let next = mounted.folder.path().join("next");
    fs::write(&next, "moved").unwrap();
    fs::rename(&next, mounted.path()).unwrap();
    assert_eq!(mounted.authorization().await.unwrap(), "Bearer moved");
    fs::remove_file(mounted.path()).unwrap();
    assert_eq!(mounted.authorization().await, None);
}

#[tokio::test]
async fn a_token_file_that_cannot_be_used_holds_the_event_back_and_says_why() {
    let mounted = Mounted::new().await;
    let table: [(&[u8], &str); 5] = [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"s3cret\ns3cret", "holds characters that no token has"),
        (b"s3cret\xff", "cannot be read"),
        // `{"exp":1}`
        (b"e30.eyJleHAiOjF9.s3cret", "has run out"),
    ];
    for (text, problem) in table {
        fs::write(mounted.path(), text).unwrap();
        match send(&mounted.sender, &mounted.destination).await {
            Attempt::NotReached {
                why: NotReached::Unreachable,
                detail,
            } => {
                assert!(detail.contains(problem), "{detail}");
                assert!(
                    detail.contains(mounted.path().to_str().unwrap()),
                    "{detail}"
                );
                assert!(!detail.contains("s3cret"), "{detail}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    assert_eq!(mounted.destination.connections(), 0);
}

#[tokio::test]
async fn a_token_is_sent_that_does_not_run_out_yet_or_does_not_say_when() {
    let mounted = Mounted::new().await;
    // `{"exp":32503680000.5}`, the year 3000; no time; no JSON; no JWT.
    let good = [
        "e30.eyJleHAiOjMyNTAzNjgwMDAwLjV9.sig",
        "e30.e30.sig",
        "e30.abc.sig",
        "a.b",
    ];
    for token in good {
        fs::write(mounted.path(), token).unwrap();
        assert_eq!(
            mounted.authorization().await.unwrap(),
            format!("Bearer {token}")
        );
    }
}

#[tokio::test]
async fn a_required_token_that_is_not_there_holds_the_event_back_until_it_is() {
    let mounted = Mounted::of(true).await;
    for sent in 0..2 {
        match send(&mounted.sender, &mounted.destination).await {
            Attempt::NotReached {
                why: NotReached::Unreachable,
                detail,
            } => assert!(detail.contains("is not there"), "{detail}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(mounted.destination.received().len(), sent);
        fs::write(mounted.path(), "abc").unwrap();
        assert_eq!(mounted.authorization().await.unwrap(), "Bearer abc");
        fs::remove_file(mounted.path()).unwrap();
    }
    // It is the destination's token: whoever else is sent to is asked for none.
    let stranger = Destination::accepting().await;
    let attempt = send(&mounted.sender, &stranger).await;
    assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
}

#[tokio::test]
async fn the_token_goes_to_the_destination_that_it_is_made_for_and_to_nobody_else() {
    let mounted = Mounted::new().await;
    fs::write(mounted.path(), "abc").unwrap();
    let stranger = Destination::accepting().await;
    send(&mounted.sender, &stranger).await;
    assert_eq!(stranger.received()[0].header("authorization"), None);
    // Another path is the same recipient.
    let below = uri(&format!("{}shop/other", mounted.destination.url()));
    mounted.sender.send(&below, message("1"), PATIENCE).await;
    assert_eq!(
        mounted.destination.received()[0].header("authorization"),
        Some("Bearer abc")
    );
}

#[tokio::test]
async fn the_settings_for_a_sinkbinding_have_its_token_and_its_certificates() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "abc").unwrap();
    let authority = Authority::new("ours");
    let identity = authority.issue(&["127.0.0.1"]);
    let destination = Destination::start_tls(&identity, &[], |_| Answer::Status(202)).await;
    let binding = SinkBinding::from_parts(
        Some(&destination.url()),
        None,
        Some(&authority.certificate()),
        Some(&path),
    )
    .unwrap()
    .unwrap();
    let sender = Sender::new(&SenderSettings::for_binding(&binding)).unwrap();
    let attempt = send(&sender, &destination).await;
    assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
    assert_eq!(
        destination.received()[0].header("authorization"),
        Some("Bearer abc")
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(binding.missing_token(), None);
    let requiring = binding.requiring_token();
    let missing = requiring.missing_token().unwrap();
    assert!(missing.contains("is not there"), "{missing}");
    let sender = Sender::new(&SenderSettings::for_binding(&requiring)).unwrap();
    let attempt = send(&sender, &destination).await;
    assert!(matches!(attempt, Attempt::NotReached { .. }), "{attempt:?}");
    fs::write(&path, "abc").unwrap();
    assert_eq!(requiring.missing_token(), None);
}

#[tokio::test]
async fn the_token_is_in_no_log_line_and_no_debug_output() {
    let lines = Lines::default();
    let writer = lines.clone();
    let _logging = tracing::subscriber::set_default(
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish(),
    );
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "s3cret").unwrap();
    let authority = Authority::new("ours");
    let identity = authority.issue(&["127.0.0.1"]);
    // HTTP/2, since that is where frames are logged.
    let destination = Destination::start_tls(&identity, &["h2"], |_| Answer::Cut).await;
    let settings = SenderSettings {
        ca_certs: Some(authority.certificate()),
        token: Some(Token {
            path,
            destination: uri(&destination.url()),
            required: false,
        }),
        ..SenderSettings::default()
    };
    let sender = Sender::new(&settings).unwrap();
    let attempt = send(&sender, &destination).await;
    assert_eq!(
        destination.received()[0].header("authorization"),
        Some("Bearer s3cret")
    );
    for text in [
        format!("{sender:?}"),
        format!("{settings:?}"),
        format!("{attempt:?}"),
        attempt.summary(),
        attempt.answer(),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let logged = lines.text();
    assert!(logged.contains("h2::"), "nothing was logged: {logged}");
    assert!(!logged.contains("s3cret"), "{logged}");
}
