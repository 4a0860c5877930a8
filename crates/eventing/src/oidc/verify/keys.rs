//! A key set (RFC 7517), and whether one of its keys made a signature.
//!
//! The signatures are ring's business, which TLS has brought already; what is here reads the keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::bearer::Token;

/// More keys are no issuer's: a token without a key's name is tried with each of them.
const MOST: usize = 32;
/// Sizes of an RSA key's modulus in bytes: 2,048 to 8,192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// How a token may be signed: what issuers use, and Kubernetes, but never `none` or a secret that is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    Es384,
}

impl Algorithm {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            _ => None,
        }
    }
}

/// The keys of an issuer that can be used.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// Uncompressed: 4, x, y.
    Point(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What the keys say of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Signed,
    Forged,
    NoKey,
}

impl Keys {
    /// Reads a key set; keys for other uses and of other kinds are passed over.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(json)
            .map_err(|error| format!("the answer is no key set: {error}"))?;
        if set.keys.len() > MOST {
            return Err(format!("the key set has more than {MOST} keys"));
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Jwk::key).collect();
        if keys.is_empty() {
            return Err(String::from(
                "the key set has no key for RS256, ES256 or ES384",
            ));
        }
        Ok(Self(keys))
    }

    /// Whether one of them signed this.
    pub(super) fn verdict(&self, token: &Token<'_>) -> Verdict {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithm == token.algorithm)
            .filter(|key| token.key_id.is_none() || key.id == token.key_id)
            .peekable();
        // Without a name it may be a key that is not known yet.
        if fitting.peek().is_none() {
            return Verdict::NoKey;
        }
        match (fitting.any(|key| key.signed(token)), &token.key_id) {
            (true, _) => Verdict::Signed,
            (false, Some(_)) => Verdict::Forged,
            (false, None) => Verdict::NoKey,
        }
    }
}

impl Key {
    fn signed(&self, token: &Token<'_>) -> bool {
        let (message, signature) = (token.signed, &token.signature);
        match (&self.public, self.algorithm) {
            (Public::Rsa { modulus, exponent }, _) => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
            (Public::Point(point), Algorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Public::Point(point), Algorithm::Es256 | Algorithm::Rs256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
        }
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (algorithm, name, public) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let modulus = number(self.n.as_deref()?)?;
                let exponent = number(self.e.as_deref()?)?;
                if !MODULUS.contains(&modulus.len()) {
                    return None;
                }
                (Algorithm::Rs256, "RS256", Public::Rsa { modulus, exponent })
            }
            ("EC", Some("P-256")) => {
                let point = point(self.x.as_deref()?, self.y.as_deref()?, 32)?;
                (Algorithm::Es256, "ES256", point)
            }
            ("EC", Some("P-384")) => {
                let point = point(self.x.as_deref()?, self.y.as_deref()?, 48)?;
                (Algorithm::Es384, "ES384", point)
            }
            _ => return None,
        };
        if self.alg.is_some_and(|alg| alg != name) {
            return None;
        }
        Some(Key {
            id: self.kid,
            algorithm,
            public,
        })
    }
}

/// A number without leading zeros, which ring wants and some issuers do not send.
fn number(text: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.drain(..zeros);
    Some(bytes)
}

fn point(x: &str, y: &str, size: usize) -> Option<Public> {
    let mut point = vec![4];
    for coordinate in [x, y] {
        let bytes = URL_SAFE_NO_PAD.decode(coordinate).ok()?;
        if bytes.len() != size {
            return None;
        }
        point.extend(bytes);
    }
    Some(Public::Point(point))
}
