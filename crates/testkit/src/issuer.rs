//! An issuer of OIDC tokens: signs with ES256, shows its keys, and misbehaves as told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::certificates::Identity;
use crate::destination::{Answer, Destination};

/// How its pages are answered, in place of what they should say.
#[derive(Debug, Clone, Default)]
pub enum Manner {
    /// As they should be.
    #[default]
    Tells,
    /// Only to whoever shows this token; 403 to others, as Kubernetes does.
    ToBearer(String),
    /// With this.
    Answers(Answer),
}

#[derive(Debug)]
struct Key {
    name: String,
    pair: EcdsaKeyPair,
}

#[derive(Debug, Default)]
struct State {
    keys: Vec<Key>,
    manner: Manner,
}

/// An issuer on loopback; gone when dropped.
pub struct Issuer {
    server: Destination,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    /// Starts one with a key called `first`, over TLS where an identity is given.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(identity: Option<&Identity>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shown = Arc::clone(&state);
        let scheme = if identity.is_some() { "https" } else { "http" };
        let script = move |received: &crate::destination::Received| {
            let host = received.header("host").unwrap_or_default();
            let state = shown.lock().unwrap_or_else(PoisonError::into_inner);
            match &state.manner {
                Manner::Answers(answer) => return answer.clone(),
                Manner::ToBearer(token)
                    if received.header("authorization") != Some(&format!("Bearer {token}")) =>
                {
                    return Answer::Status(403);
                }
                Manner::Tells | Manner::ToBearer(_) => {}
            }
            let issuer = format!("{scheme}://{host}");
            let page = match received.path.as_str() {
                "/.well-known/openid-configuration" => {
                    json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")})
                }
                "/keys" => json!({"keys": state.keys.iter().map(Key::shown).collect::<Vec<_>>()}),
                _ => return Answer::Status(404),
            };
            Answer::Response(Response::new(page.to_string().into()))
        };
        let server = match identity {
            None => Destination::start(script).await,
            Some(identity) => Destination::start_tls(identity, &["http/1.1"], script).await,
        };
        let issuer = Self { server, state };
        issuer.rotate("first");
        issuer
    }

    /// Its name, which is its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url().trim_end_matches('/').to_owned()
    }

    /// How many requests it got.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.received().len()
    }

    /// From now on it has one key, a new one of this name.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn rotate(&self, name: &str) {
        let key = Key::new(name);
        self.state().keys = vec![key];
    }

    /// From now on it behaves so.
    pub fn behave(&self, manner: Manner) {
        self.state().manner = manner;
    }

    /// A token of this issuer for an hour, with these claims beside or in place of the usual ones.
    ///
    /// # Panics
    /// When it has no key.
    #[must_use]
    pub fn token(&self, audience: &str, subject: &str, claims: &Value) -> String {
        let state = self.state();
        let key = state.keys.first().expect("a key");
        let issuer = self.url();
        key.token(&issuer, audience, subject, claims)
    }

    /// A token that somebody else made in its name, with a key called `name`.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn forged(&self, name: &str, audience: &str, subject: &str, claims: &Value) -> String {
        Key::new(name).token(&self.url(), audience, subject, claims)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .and_then(|document| {
                EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    document.as_ref(),
                    &random,
                )
                .map_err(|_| ring::error::Unspecified)
            })
            .expect("a key can be made");
        Self {
            name: name.to_owned(),
            pair,
        }
    }

    fn shown(&self) -> Value {
        // 4, x, y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    fn token(&self, issuer: &str, audience: &str, subject: &str, claims: &Value) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time after 1970")
            .as_secs();
        let mut all = json!({
            "iss": issuer, "aud": [audience], "sub": subject, "iat": now, "nbf": now, "exp": now + 3600,
        });
        for (name, value) in claims.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let head = json!({"alg": "ES256", "kid": self.name}).to_string();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(all.to_string())
        );
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
