//! Whether a request that changes something comes from our own page.
//!
//! The cookie comes with requests that other sites make too (`SameSite=Lax` holds back most of them). So what
//! changes something must say `Content-Type: application/json`, which no form can and no other site's script
//! may, and where it comes from: by `Sec-Fetch-Site`, by `Origin`, or by both.

use http::request::Parts;
use http::{HeaderMap, header};

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    /// It could be a form.
    #[error("Content-Type must be application/json")]
    ContentType,
    /// A browser says that it is another site's, or it is not said.
    #[error("only the page of this website may ask for that")]
    Origin,
}

/// Lets our own requests through.
pub(super) fn check(request: &Parts) -> Result<(), Foreign> {
    let headers = &request.headers;
    let content_type = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Foreign::ContentType);
    }
    let fetched = text(headers, "sec-fetch-site").map(|site| site == "same-origin");
    let from = text(headers, header::ORIGIN.as_str()).map(|origin| {
        // What is in front of us may speak TLS for us: the scheme is not compared.
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host(request)
    });
    match (fetched, from) {
        (None, None) | (Some(false), _) | (_, Some(false)) => Err(Foreign::Origin),
        (Some(true) | None, Some(true)) | (Some(true), None) => Ok(()),
    }
}

/// Whether the browser came by HTTPS, as what is in front of us says.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    text(headers, "x-forwarded-proto") == Some("https")
}

fn host(request: &Parts) -> Option<&str> {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| text(&request.headers, header::HOST.as_str()))
}

/// The value of a header that is there once.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().or(Some("")),
        (Some(_), Some(_)) => Some(""),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Foreign, check};

    #[test]
    fn only_what_says_that_it_is_ours_is_taken() {
        let (site, origin) = ("sec-fetch-site", "origin");
        let refused = Err(Foreign::Origin);
        for (headers, expected) in [
            (&[(origin, "http://shop.test:80")][..], Ok(())),
            (&[(origin, "https://shop.test:80")], Ok(())),
            (&[(site, "same-origin")], Ok(())),
            (
                &[(site, "same-origin"), (origin, "http://shop.test:80")],
                Ok(()),
            ),
            (&[], refused),
            (&[(origin, "null")], refused),
            (&[(origin, "http://shop.test")], refused),
            (&[(origin, "http://shop.test:80.evil.test")], refused),
            (
                &[(origin, "http://evil.test"), (site, "same-origin")],
                refused,
            ),
            (
                &[(site, "same-site"), (origin, "http://shop.test:80")],
                refused,
            ),
            (&[(site, "cross-site")], refused),
            (&[(site, "none")], refused),
            (
                &[
                    (origin, "http://shop.test:80"),
                    (origin, "http://evil.test"),
                ],
                refused,
            ),
        ] {
            let mut request = http::Request::post("/api/join").header("host", "shop.test:80");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.header("content-type", "application/json; charset=utf-8");
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(check(&parts), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_a_form_can_send_is_not_taken() {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "text/plain; application/json",
            "",
        ] {
            let request = http::Request::post("/api/join")
                .header("host", "shop.test")
                .header("origin", "http://shop.test")
                .header("content-type", content_type);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(check(&parts), Err(Foreign::ContentType), "{content_type}");
        }
    }
}
