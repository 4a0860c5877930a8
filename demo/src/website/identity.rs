//! Who a browser is: a cookie that nobody can guess, and what follows from it.
//!
//! | | is | who knows it |
//! |---|---|---|
//! | cookie | 256 random bits | the browser; nothing here keeps it |
//! | customer | SHA-256 of the cookie | the website's file |
//! | session | SHA-256 of the customer, the number of the sale and the file's salt | all of the sale: it travels in events |
//!
//! None leads back to the one before it. The salt is random and made with the file, so that a website which
//! lost its file does not give out sessions that the other services have done with.

use std::fmt::Write;

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The cookie's name.
const NAME: &str = "customer";
/// How long a browser keeps the cookie, in seconds; sessions are kept for longer.
pub(super) const COOKIE_SECONDS: u64 = 24 * 60 * 60;
/// Digits of a cookie.
const DIGITS: usize = 64;
/// Digits of a session: 128 bits, so that no two are alike.
const SESSION_DIGITS: usize = 32;

/// A browser, as the website keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Customer(String);

impl Customer {
    /// Whose request this is; `None` where it has no cookie of ours.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookie = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
            .find(|value| {
                let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                value.len() == DIGITS && value.bytes().all(digit)
            })?;
        Some(Self(hash(&["customer", cookie])))
    }

    /// As the file holds it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The customer's session in the sale of this number.
    pub(super) fn session(&self, salt: &str, sale: i64) -> String {
        let hash = hash(&["session", salt, &self.0, &sale.to_string()]);
        format!("s-{}", &hash[..SESSION_DIGITS])
    }

    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for Customer {
    fn from(kept: String) -> Self {
        Self(kept)
    }
}

/// A `Set-Cookie` with a new cookie; `secure` where the browser came by HTTPS.
///
/// # Errors
/// The operating system has no random bits.
pub(super) fn new_cookie(secure: bool) -> Result<HeaderValue, getrandom::Error> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{NAME}={}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        random(DIGITS)?
    );
    Ok(HeaderValue::try_from(cookie).expect("visible ASCII"))
}

/// So many hexadecimal digits that nobody can guess.
///
/// # Errors
/// The operating system has no random bits.
pub(super) fn random(digits: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; digits.div_ceil(2)];
    getrandom::fill(&mut bytes)?;
    let mut random = hex(&bytes);
    random.truncate(digits);
    Ok(random)
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // No part has one: what belongs to which part stays clear.
        hash.update([0]);
    }
    hex(&hash.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{COOKIE_SECONDS, Customer, HeaderMap, header, new_cookie, random};

    fn with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_a_whole_one() {
        let cookie = random(64).unwrap();
        let alone = Customer::of(&with(&format!("customer={cookie}"))).unwrap();
        let others = with(&format!("a=b; xcustomer=1; customer={cookie};c=d"));
        assert_eq!(Customer::of(&others), Some(alone));
        for bad in [
            String::from("a=b"),
            String::from("customer="),
            format!("customer={}", &cookie[1..]),
            format!("customer={cookie}0"),
            format!("customer={}", "G".repeat(64)),
            format!("customer={}", "A".repeat(64)),
        ] {
            assert_eq!(Customer::of(&with(&bad)), None, "{bad}");
        }
    }

    #[test]
    fn sessions_differ_by_cookie_sale_and_file_and_show_nothing_of_the_cookie() {
        let cookie = "ab".repeat(32);
        let customer = Customer::of(&with(&format!("customer={cookie}"))).unwrap();
        let session = customer.session("salt", 1);
        assert_eq!(session, customer.session("salt", 1));
        assert_eq!(session.len(), 34);
        assert!(!session.contains("abab"));
        for other in [
            customer.session("salt", 2),
            customer.session("other", 1),
            Customer::named("other").session("salt", 1),
        ] {
            assert_ne!(session, other);
        }
    }

    #[test]
    fn a_new_cookie_is_for_the_browser_alone() {
        let cookie = new_cookie(false).unwrap();
        let cookie = cookie.to_str().unwrap();
        let rest = format!("; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax");
        assert!(cookie.ends_with(&rest), "{cookie}");
        assert!(Customer::of(&with(&cookie.replace(&rest, ""))).is_some());
        assert_ne!(new_cookie(false).unwrap(), new_cookie(false).unwrap());
        assert!(
            new_cookie(true)
                .unwrap()
                .to_str()
                .unwrap()
                .ends_with("; Secure")
        );
    }
}
