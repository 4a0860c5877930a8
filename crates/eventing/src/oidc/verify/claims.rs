//! What a token claims: whom it is from and for, and until when (RFC 7519).

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::bearer::malformed;
use super::outcome::{Denied, Outcome};

/// By how many seconds the issuer's clock and ours may differ.
pub(super) const LEEWAY: f64 = 30.0;

/// The claims that are looked at. Times are seconds since 1970, which need not be whole.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "aud")]
    audience: Audience,
    #[serde(rename = "sub")]
    pub(super) subject: String,
    #[serde(rename = "exp")]
    expires: f64,
    #[serde(rename = "nbf")]
    not_before: Option<f64>,
    #[serde(rename = "iat")]
    issued: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

pub(super) fn read(json: &[u8]) -> Result<Claims, Denied> {
    serde_json::from_slice(json).map_err(|_| {
        malformed(
            "the token lacks `iss`, `aud`, `sub` or `exp`, or one of them is not what it should be",
        )
    })
}

impl Claims {
    /// When it was made, if it says so.
    pub(super) fn issued_at(&self) -> Option<f64> {
        self.issued
    }

    /// All that can be told without a key.
    pub(super) fn check(
        &self,
        issuer: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<(), Denied> {
        let now = seconds(now);
        if self.issuer != issuer {
            return Err(Denied::new(
                Outcome::WrongIssuer,
                format!("the token's issuer is not `{issuer}`"),
            ));
        }
        let meant = match &self.audience {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        };
        if !meant {
            return Err(Denied::new(
                Outcome::WrongAudience,
                format!("the token is not for the audience `{audience}`"),
            ));
        }
        if now >= self.expires + LEEWAY {
            return Err(Denied::new(Outcome::Expired, "the token has expired"));
        }
        if self.not_before.is_some_and(|from| now + LEEWAY < from) {
            return Err(Denied::new(
                Outcome::NotYetValid,
                "the token is not valid yet",
            ));
        }
        Ok(())
    }
}

/// Since 1970; before it is no time of a token.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
