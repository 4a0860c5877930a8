//! Where the collector is, and what it speaks.

use http::Uri;

/// The port that is registered for OTLP over HTTP.
const HTTP_PORT: u16 = 4318;

/// What is spoken with a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`.
    Grpc,
    /// `http/protobuf`.
    HttpProtobuf,
}

/// An endpoint as written -> the address that spans are sent to, and the protocol where none was named.
///
/// `whole` says that it was written for this signal alone and is taken as it is; else the signal's
/// `path` is added for HTTP. `insecure` decides the scheme where none is written.
pub(super) fn resolve(
    written: &str,
    protocol: Option<Protocol>,
    path: Option<&str>,
    insecure: bool,
) -> Result<(String, Protocol), String> {
    let written = if written.contains("://") {
        written.to_owned()
    } else {
        let scheme = if insecure { "http" } else { "https" };
        format!("{scheme}://{written}")
    };
    let uri: Uri = written
        .parse()
        .map_err(|_| String::from("is not a URL; write http://HOST:PORT or https://HOST:PORT"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => {}
        (Some(_) | None, Some(_) | None) => {
            return Err(String::from(
                "is neither an http nor an https URL; write http://HOST:PORT or https://HOST:PORT",
            ));
        }
    }
    // The address is logged.
    if uri
        .authority()
        .is_some_and(|all| all.as_str().contains('@'))
    {
        return Err(String::from(
            "holds credentials; give them in OTEL_EXPORTER_OTLP_HEADERS, as in authorization=Basic%20...",
        ));
    }
    let protocol = protocol.unwrap_or(if uri.port_u16() == Some(HTTP_PORT) {
        Protocol::HttpProtobuf
    } else {
        Protocol::Grpc
    });
    let endpoint = match (protocol, path) {
        (Protocol::HttpProtobuf, Some(path)) => {
            format!("{}/{path}", written.trim_end_matches('/'))
        }
        (Protocol::HttpProtobuf, None) | (Protocol::Grpc, _) => written,
    };
    Ok((endpoint, protocol))
}
