//! Tokens that another library signed, and what nobody in his right mind sends.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use serde_json::Value;

use super::keys::{Keys, Verdict};
use super::{Outcome, Subjects, bearer, claims, issuer_url};

fn with(authorization: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(authorization) {
        headers.insert(header::AUTHORIZATION, value);
    }
    headers
}

/// What is found, in one word: all but the reading of keys.
fn found(headers: &HeaderMap, keys: &Keys, now: u64) -> &'static str {
    let checked = (|| {
        let token = bearer::token(headers)?;
        let now = UNIX_EPOCH + Duration::from_secs(now);
        claims::read(&token.claims)?.check("https://issuer.test", "eventing-zeebe", now)?;
        Ok(keys.verdict(&token))
    })();
    match checked {
        Ok(Verdict::Signed) => "signed",
        Ok(Verdict::Forged) => "forged",
        Ok(Verdict::NoKey) => "no_key",
        Err(super::Denied { outcome, .. }) => outcome.name(),
    }
}

#[test]
fn tokens_of_another_library_are_taken_or_refused_as_they_should_be() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let keys = Keys::read(vectors["keys"].to_string().as_bytes()).unwrap();
    let now = vectors["now"].as_u64().unwrap();
    let tokens = vectors["tokens"].as_array().unwrap();
    assert!(tokens.len() > 20);
    for vector in tokens {
        let token = vector["token"].as_str().unwrap();
        let headers = with(format!("bearer {token}").as_bytes());
        assert_eq!(
            found(&headers, &keys, now),
            vector["found"],
            "{}",
            vector["what"]
        );
    }
}

#[test]
fn what_is_no_one_bearer_token_is_none() {
    let outcome = |headers: &HeaderMap| bearer::token(headers).unwrap_err().outcome;
    assert_eq!(outcome(&HeaderMap::new()), Outcome::NoToken);
    for text in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer\u{e9} a.b.c"] {
        assert_eq!(outcome(&with(text.as_bytes())), Outcome::NoToken, "{text}");
    }
    let long = format!("Bearer {}", "a".repeat(16 * 1024 + 1));
    assert_eq!(outcome(&with(long.as_bytes())), Outcome::Malformed);
    let mut two = with(b"Bearer a.b.c");
    two.append(
        header::AUTHORIZATION,
        HeaderValue::from_static("Bearer a.b.c"),
    );
    assert_eq!(outcome(&two), Outcome::Malformed);
}

/// Trouble of ours must never become a dead letter.
#[test]
fn only_what_the_sender_did_is_never_sent_again() {
    for outcome in Outcome::ALL {
        let status = outcome.status().map(|status| status.as_u16());
        let expected = match outcome.name() {
            "allowed" => None,
            "issuer_away" => Some(503),
            "wrong_subject" => Some(403),
            _ => Some(401),
        };
        assert_eq!(status, expected, "{outcome:?}");
    }
}

#[test]
fn a_key_set_with_nothing_to_check_with_is_no_key_set() {
    let many = format!("{{\"keys\":[{}]}}", vec!["{\"kty\":\"x\"}"; 33].join(","));
    for (text, said) in [
        ("", "no key set"),
        ("{}", "no key set"),
        ("{\"keys\":[]}", "no key for RS256"),
        (
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}",
            "no key for",
        ),
        // An RSA key that anybody could break.
        (
            "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
            "no key for",
        ),
        (many.as_str(), "more than 32"),
    ] {
        let error = Keys::read(text.as_bytes()).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn subjects_are_exact_or_begin_as_said() {
    let subjects = |all: &[&str]| Subjects::new(all.iter().map(|&one| one.to_owned()).collect());
    let shop = subjects(&["system:serviceaccount:shop:*", "system:node:a"]).unwrap();
    assert!(shop.allow("system:serviceaccount:shop:hello"));
    assert!(shop.allow("system:node:a"));
    assert!(!shop.allow("system:node:ab"));
    assert!(!shop.allow("system:serviceaccount:shop2:hello"));
    assert!(!shop.allow(""));
    assert!(subjects(&[]).unwrap().allow("anybody"));
    for wrong in ["system:*:hello", "*a", "a**"] {
        assert_eq!(subjects(&[wrong]), Err(wrong.to_owned()));
    }
}

#[test]
fn an_issuer_is_https_or_on_this_machine() {
    for right in [
        "https://kubernetes.default.svc.cluster.local",
        "https://10.96.0.1:443/openid/v1/jwks",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost/a",
    ] {
        assert!(issuer_url(right).is_ok(), "{right}");
    }
    for wrong in [
        "",
        "issuer",
        "http://issuer.test",
        "http://127.0.0.1.evil.test",
        "http://localhost@issuer.test",
        "ftp://127.0.0.1",
        "https://issuer.test/?a=b",
    ] {
        assert!(issuer_url(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_pass(bytes in proptest::collection::vec(any::<u8>(), 0..300), parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
        let keys = Keys::read(vectors["keys"].to_string().as_bytes()).unwrap();
        let _ = Keys::read(&bytes);
        let _ = claims::read(&bytes);
        let mut raw = b"Bearer ".to_vec();
        raw.extend(&bytes);
        prop_assert_ne!(found(&with(&raw), &keys, 1_800_000_060), "signed");
        let dotted = format!("Bearer {}", parts.join("."));
        prop_assert_ne!(found(&with(dotted.as_bytes()), &keys, 1_800_000_060), "signed");
    }
}
