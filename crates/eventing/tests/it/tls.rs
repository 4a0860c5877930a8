use eventing::{Attempt, NotReached, Sender, SenderSettings};
use http::{StatusCode, Version};
use testkit::certificates::Authority;
use testkit::destination::{Answer, Destination};

use crate::harness::{send, soon};

fn trusting(ca_certs: Option<String>) -> Sender {
    Sender::new(&SenderSettings {
        ca_certs,
        ..SenderSettings::default()
    })
    .unwrap()
}

async fn destination_of(authority: &Authority, names: &[&str]) -> Destination {
    Destination::start_tls(&authority.issue(names), &["h2", "http/1.1"], |_| {
        Answer::Status(202)
    })
    .await
}

async fn refusal(sender: &Sender, destination: &Destination) -> String {
    match soon(send(sender, destination)).await {
        Attempt::NotReached {
            why: NotReached::Tls,
            detail,
        } => detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_destination_that_k_ca_certs_vouch_for_is_sent_to() {
    let (ours, another) = (Authority::new("ours"), Authority::new("another"));
    let destination = destination_of(&ours, &["127.0.0.1"]).await;
    // Any certificate of a bundle counts.
    let bundle = format!("{}{}", another.certificate(), ours.certificate());
    let attempt = soon(send(&trusting(Some(bundle)), &destination)).await;
    assert!(
        matches!(
            attempt,
            Attempt::Accepted {
                status: StatusCode::ACCEPTED,
                ..
            }
        ),
        "{attempt:?}"
    );
}

#[tokio::test]
async fn an_authority_that_nobody_knows_is_refused_with_where_to_put_it() {
    let unknown = Authority::new("ours");
    let destination = destination_of(&unknown, &["127.0.0.1"]).await;
    // Of the same name, but with another key.
    for ca_certs in [None, Some(Authority::new("ours").certificate())] {
        let detail = refusal(&trusting(ca_certs), &destination).await;
        assert!(
            detail.contains("a certificate in K_CA_CERTS vouches for"),
            "{detail}"
        );
    }
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_with_both_names() {
    let authority = Authority::new("ours");
    let destination = destination_of(&authority, &["tickets.shop.svc"]).await;
    let detail = refusal(&trusting(Some(authority.certificate())), &destination).await;
    assert!(detail.contains("127.0.0.1"), "{detail}");
    assert!(detail.contains("tickets.shop.svc"), "{detail}");
    assert!(!detail.contains("K_CA_CERTS"), "{detail}");
}

#[tokio::test]
async fn over_tls_the_version_of_http_is_what_both_sides_speak() {
    let authority = Authority::new("ours");
    let identity = authority.issue(&["127.0.0.1"]);
    let sender = trusting(Some(authority.certificate()));
    let table: &[(&[&str], Version)] = &[
        (&["h2", "http/1.1"], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ];
    for (alpn, version) in table {
        let destination = Destination::start_tls(&identity, alpn, |_| Answer::Status(202)).await;
        for _ in 0..2 {
            let attempt = soon(send(&sender, &destination)).await;
            assert!(
                matches!(attempt, Attempt::Accepted { .. }),
                "{alpn:?}: {attempt:?}"
            );
        }
        assert_eq!(destination.received()[1].version, *version, "{alpn:?}");
        assert_eq!(destination.connections(), 1, "{alpn:?}");
    }
}

#[test]
fn certificates_that_are_none_make_no_sender() {
    let error = Sender::new(&SenderSettings {
        ca_certs: Some("nonsense".to_owned()),
        ..SenderSettings::default()
    })
    .unwrap_err();
    assert!(
        error.to_string().contains("holds no certificate"),
        "{error}"
    );
}
