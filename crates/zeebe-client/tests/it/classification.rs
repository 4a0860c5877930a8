//! What each failure means, through the wire.

use std::time::Duration;

use testkit::gateway::{FakeGateway, Fault};
use tonic::Code;
use zeebe_client::{EngineError, ErrorKind, Gateway};

use crate::harness::{connect, message, settings};

/// Comes under changing codes, and is never about anything else.
const BATCH_WORDS: &str = "Command 'PUBLISH' rejected with code 'EXCEEDED_BATCH_RECORD_SIZE'";

const SIZE_WORDS: [&str; 2] = [
    "gRPC message exceeds maximum size 4194304: 5000000",
    "the message is larger than max (5000000 vs. 4194304)",
];

/// Every code that gRPC has, what it means when the engine says it, and what where it speaks of size.
const TABLE: [(Code, ErrorKind, ErrorKind); 16] = {
    use ErrorKind::*;
    [
        (Code::Cancelled, OutcomeUnknown, TooLarge),
        (Code::Unknown, OutcomeUnknown, TooLarge),
        (Code::InvalidArgument, Invalid, Invalid),
        (Code::DeadlineExceeded, OutcomeUnknown, TooLarge),
        (Code::NotFound, NotFound, NotFound),
        (Code::AlreadyExists, Duplicate, Duplicate),
        (Code::PermissionDenied, Denied, Denied),
        (Code::ResourceExhausted, Backpressure, TooLarge),
        (Code::FailedPrecondition, WrongState, WrongState),
        (Code::Aborted, OutcomeUnknown, TooLarge),
        (Code::OutOfRange, TooLarge, TooLarge),
        (Code::Unimplemented, Unavailable, Unavailable),
        (Code::Internal, OutcomeUnknown, TooLarge),
        (Code::Unavailable, Unavailable, Unavailable),
        (Code::DataLoss, OutcomeUnknown, TooLarge),
        (
            Code::Unauthenticated,
            CredentialsRefused,
            CredentialsRefused,
        ),
    ]
};

async fn publish(gateway: &Gateway) -> EngineError {
    gateway
        .publish_message(message("1"))
        .await
        .expect_err("a failure")
}

#[test]
fn the_table_has_every_code_but_ok() {
    for (number, (code, _, _)) in (1..).zip(TABLE) {
        assert_eq!(code, Code::from_i32(number));
    }
    // What comes after the last code is unknown to gRPC.
    assert_eq!(Code::from_i32(17), Code::Unknown);
}

#[tokio::test]
async fn what_the_engine_answers_means_what_the_table_says() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    for (code, plain, of_size) in TABLE {
        fake.fail("PublishMessage", Fault::status(code, "because"));
        let error = publish(&gateway).await;
        assert_eq!(error.kind(), plain, "{code:?}");
        assert_eq!(error.message(), "because", "{code:?}");
        assert_eq!(error.command(), "PublishMessage");
        assert_eq!(
            error.to_string(),
            format!("PublishMessage: because ({code:?})")
        );
        fake.fail("PublishMessage", Fault::status(code, BATCH_WORDS));
        assert_eq!(
            publish(&gateway).await.kind(),
            ErrorKind::TooLarge,
            "{code:?}"
        );
        for words in SIZE_WORDS {
            fake.fail("PublishMessage", Fault::status(code, words));
            assert_eq!(publish(&gateway).await.kind(), of_size, "{code:?}: {words}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_is_unavailable_and_says_so() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    fake.stop().await;
    let error = publish(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_connection_lost_after_sending_leaves_the_outcome_unknown() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    for fault in [Fault::Cut, Fault::CutAfterTaking] {
        fake.fail("PublishMessage", fault.clone());
        let error = publish(&gateway).await;
        assert_eq!(
            error.kind(),
            ErrorKind::OutcomeUnknown,
            "{fault:?}: {error}"
        );
    }
}

#[tokio::test]
async fn no_answer_within_the_call_timeout_leaves_the_outcome_unknown() {
    let fake = FakeGateway::start().await;
    let mut settings = settings(&fake);
    settings.call_timeout = Duration::from_millis(50);
    let gateway = Gateway::new(settings).expect("usable settings");
    fake.fail("PublishMessage", Fault::Hang);
    let error = publish(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
}

#[tokio::test]
async fn a_gateway_that_accepts_and_says_nothing_leaves_the_outcome_unknown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("its address");
    let mut settings =
        zeebe_client::Settings::new(format!("http://{address}").parse().expect("an address"));
    settings.call_timeout = Duration::from_millis(50);
    let gateway = Gateway::new(settings).expect("usable settings");
    let error = publish(&gateway).await;
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
}
