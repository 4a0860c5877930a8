//! Which destinations a model may choose.
//!
//! A model's URL is compared by what it means, step by step, and refused where two readers could take it
//! for two things: the one who checks it here, and the server that gets it.

use http::Uri;

/// A destination that configuration allows, with all that lies below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedDestination {
    scheme: String,
    host: String,
    port: u16,
    /// The path, without encoding and without a slash at its end.
    steps: Vec<String>,
}

impl AllowedDestination {
    /// Reads an absolute `http` or `https` URL without a query.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(prefix: &Uri) -> Result<Self, &'static str> {
        if prefix.query().is_some() {
            return Err("has a query");
        }
        Self::read(prefix)
    }

    /// Whether a URL lies at or below this one. What can be read in two ways does not.
    #[must_use]
    pub fn holds(&self, destination: &Uri) -> bool {
        Self::read(destination).is_ok_and(|destination| {
            (self.scheme.as_str(), self.host.as_str(), self.port)
                == (&destination.scheme, &destination.host, destination.port)
                && destination.steps.starts_with(&self.steps)
        })
    }

    fn read(uri: &Uri) -> Result<Self, &'static str> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("is not an absolute URL");
        };
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err("is neither http nor https"),
        };
        if authority.as_str().contains('@') {
            return Err("holds a user or password");
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err("names no host");
        }
        let port = match authority.as_str().get(host.len()..) {
            None | Some("" | ":") => default_port,
            Some(port) => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .ok_or("has a port that is not a number from 0 to 65535")?,
        };
        Ok(Self {
            scheme,
            host,
            port,
            steps: steps(uri.path())?,
        })
    }
}

fn steps(path: &str) -> Result<Vec<String>, &'static str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split('/')
        .map(|step| {
            let step = decoded(step)?;
            // Some servers cut a step at its first `;`.
            let name = step.split(';').next().unwrap_or_default().trim();
            if name.is_empty() || name == "." || name == ".." {
                return Err("has an empty step, or one of dots, in its path");
            }
            Ok(step)
        })
        .collect()
}

fn decoded(step: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(step.len());
    let mut rest = step.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err("has a `%` in its path that encodes nothing");
            };
            (high * 16 + low) as u8
        } else {
            byte
        };
        bytes.push(byte);
    }
    let step = String::from_utf8(bytes).map_err(|_| "has a path that is not UTF-8")?;
    if step.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | '%' | '?' | '#')) {
        return Err("has an encoded `/`, `\\`, `%`, `?`, `#` or control character in its path");
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_compared_by_what_it_means_and_refused_where_it_is_ambiguous() {
        for (prefix, destination, allowed) in [
            ("http://tickets.shop/in", "http://tickets.shop/in", true),
            ("http://tickets.shop/in", "http://tickets.shop/in/", true),
            ("http://tickets.shop/in/", "http://tickets.shop/in", true),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/x?y=1",
                true,
            ),
            ("http://tickets.shop/in", "http://tickets.shop/i%6E/x", true),
            ("http://tickets.shop/in", "http://tickets.shop:80/in", true),
            ("http://tickets.shop:80/in", "http://tickets.shop/in", true),
            ("http://tickets.shop/in", "http://Tickets.SHOP/in", true),
            ("http://tickets.shop/in", "HTTP://tickets.shop/in", true),
            (
                "https://tickets.shop/in",
                "https://tickets.shop:443/in",
                true,
            ),
            ("http://tickets.shop", "http://tickets.shop", true),
            ("http://tickets.shop", "http://tickets.shop/anything", true),
            ("http://[::1]:8080/in", "http://[::1]:8080/in/x", true),
            ("http://tickets.shop/in", "http://tickets.shop/in/a;b", true),
            // Elsewhere.
            ("http://tickets.shop/in", "https://tickets.shop/in", false),
            (
                "http://tickets.shop/in",
                "http://tickets.shop:443/in",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop:8080/in",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop.evil.org/in",
                false,
            ),
            ("http://tickets.shop/in", "http://tickets.shop./in", false),
            ("http://tickets.shop/in", "http://tickets.shop/", false),
            ("http://tickets.shop/in", "http://tickets.shop", false),
            ("http://tickets.shop/in", "http://tickets.shop/inner", false),
            ("http://tickets.shop/in", "http://tickets.shop/IN", false),
            ("http://tickets.shop/in", "/in", false),
            ("http://tickets.shop/in", "tickets.shop:80", false),
            ("http://tickets.shop/in", "ftp://tickets.shop/in", false),
            // Two readings.
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/../admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%2e%2e/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%2E%2e/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/.%2e/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%2e./admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..;/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..%3Bx/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..%20/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..%00/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..%2fadmin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..%5cadmin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in%2f..%2fadmin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%252e%252e/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%c0%ae%c0%ae/admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/./x",
                false,
            ),
            ("http://tickets.shop/in", "http://tickets.shop/in//x", false),
            ("http://tickets.shop/in", "http://tickets.shop//in", false),
            ("http://tickets.shop/in", "http://tickets.shop/in//", false),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/..\\admin",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop/in/%zz",
                false,
            ),
            ("http://tickets.shop/in", "http://tickets.shop/in/%2", false),
            (
                "http://tickets.shop/in",
                "http://user@tickets.shop/in",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop:80@evil.org/in",
                false,
            ),
            (
                "http://tickets.shop/in",
                "http://tickets.shop:99999/in",
                false,
            ),
        ] {
            let prefix: Uri = prefix.parse().expect("a prefix");
            let prefix = AllowedDestination::new(&prefix).expect("a prefix");
            // What is not even a URL goes nowhere.
            let held = destination
                .parse::<Uri>()
                .is_ok_and(|destination| prefix.holds(&destination));
            assert_eq!(held, allowed, "{destination} below {prefix:?}");
        }
    }

    #[test]
    fn configuration_allows_nothing_that_can_be_read_in_two_ways() {
        for prefix in [
            "http://tickets.shop/in?x=1",
            "http://user@tickets.shop/in",
            "http://tickets.shop/in/%2e%2e",
            "http://tickets.shop/in//x",
            "ftp://tickets.shop/in",
            "/in",
        ] {
            let prefix: Uri = prefix.parse().expect("a URI");
            assert!(AllowedDestination::new(&prefix).is_err(), "{prefix}");
        }
    }
}
