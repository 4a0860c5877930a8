//! The `Authorization` header -> the parts of a token (RFC 6750, RFC 7515 in its compact form).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::Algorithm;
use super::outcome::{Denied, Outcome};

/// The longest token that is looked at; one of Kubernetes has some 1,200 bytes.
const LONGEST: usize = 16 * 1024;

/// A token whose parts were read, and nothing in it checked.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// The claims, as JSON.
    pub(super) claims: Vec<u8>,
    /// What was signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Head<'a> {
    alg: String,
    kid: Option<String>,
    /// Whoever does not know what is critical has to refuse it, and nothing is known here.
    #[serde(borrow)]
    crit: Option<&'a RawValue>,
}

pub(super) fn token(headers: &HeaderMap) -> Result<Token<'_>, Denied> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let header = match (all.next(), all.next()) {
        (None, _) => {
            return Err(Denied::new(
                Outcome::NoToken,
                "there is no token; send `authorization: Bearer TOKEN`",
            ));
        }
        (Some(_), Some(_)) => return Err(malformed("there is more than one `authorization`")),
        (Some(header), None) => header.as_bytes(),
    };
    let Some((scheme, text)) = header.split_at_checked("Bearer ".len()) else {
        return Err(no_bearer());
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return Err(no_bearer());
    }
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(no_bearer());
    }
    if text.len() > LONGEST {
        return Err(malformed("the token is too long"));
    }
    let mut parts = text.split(|&byte| byte == b'.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed(
            "the token has not the three parts of a signed one",
        ));
    };
    let signed = &text[..head.len() + 1 + claims.len()];
    let head = decoded(head)?;
    let head: Head<'_> = serde_json::from_slice(&head)
        .map_err(|_| malformed("the head of the token is not JSON with an `alg`"))?;
    if head.crit.is_some() {
        return Err(malformed(
            "the token has a `crit`, of which nothing is known here",
        ));
    }
    let algorithm = Algorithm::by_name(&head.alg).ok_or_else(|| {
        Denied::new(
            Outcome::WrongAlgorithm,
            "the token is not signed with RS256, ES256 or ES384",
        )
    })?;
    Ok(Token {
        algorithm,
        key_id: head.kid,
        claims: decoded(claims)?,
        signed,
        signature: decoded(signature)?,
    })
}

fn decoded(part: &[u8]) -> Result<Vec<u8>, Denied> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| malformed("the token is not base64url"))
}

fn no_bearer() -> Denied {
    Denied::new(Outcome::NoToken, "`authorization` is no `Bearer TOKEN`")
}

pub(super) fn malformed(why: &str) -> Denied {
    Denied::new(Outcome::Malformed, why)
}
