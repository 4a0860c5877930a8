//! The files of the page, in the program itself: there is nothing to install beside it, and nothing to fetch
//! from elsewhere.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use sha2::{Digest, Sha256};

use super::identity::hex;
use crate::service::Answer;

/// Where the page is.
pub(super) const PAGE: &str = "/";
const DIAGRAM: &str = "/diagram.svg";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A path, what is there, and its bytes.
type File = (&'static str, &'static str, &'static [u8]);

/// A file of `demo/assets`, by the path that it is served at.
macro_rules! file {
    ($path:literal, $content_type:expr) => {
        (
            $path,
            $content_type,
            include_bytes!(concat!("../../assets", $path)),
        )
    };
}

/// All files of `demo/assets`; a test finds what is missing here.
const FILES: &[File] = &[
    (PAGE, HTML, include_bytes!("../../assets/index.html")),
    file!("/style.css", CSS),
    file!("/app.js", JAVASCRIPT),
    file!("/js/api.js", JAVASCRIPT),
    file!("/js/bridge.js", JAVASCRIPT),
    file!("/js/deadline.js", JAVASCRIPT),
    file!("/js/diagram.js", JAVASCRIPT),
    file!("/js/dom.js", JAVASCRIPT),
    file!("/js/events.js", JAVASCRIPT),
    file!("/js/process.js", JAVASCRIPT),
    file!("/js/shop.js", JAVASCRIPT),
    file!("/js/steps.js", JAVASCRIPT),
    file!("/js/stream.js", JAVASCRIPT),
    file!("/js/ticket.js", JAVASCRIPT),
    file!("/js/words.js", JAVASCRIPT),
    file!("/favicon.svg", SVG),
    // The deepest model of the course.
    (
        DIAGRAM,
        SVG,
        include_bytes!("../../assets/diagrams/4-repair.svg"),
    ),
];

/// A picture may have styles of its own, but nothing that runs.
const OF_PICTURES: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The files, by their paths.
#[derive(Debug)]
pub(super) struct Assets {
    by_path: BTreeMap<&'static str, Asset>,
}

#[derive(Debug)]
struct Asset {
    content_type: &'static str,
    body: Bytes,
    etag: HeaderValue,
}

impl Asset {
    fn new(content_type: &'static str, body: Bytes) -> Self {
        let hash = hex(&Sha256::digest(&body)[..16]);
        Self {
            content_type,
            body,
            etag: HeaderValue::try_from(format!("\"{hash}\"")).expect("visible ASCII"),
        }
    }
}

impl Assets {
    /// The files, with another diagram where one is given.
    pub(super) fn new(diagram: Option<Vec<u8>>) -> Self {
        let mut by_path: BTreeMap<_, _> = FILES
            .iter()
            .map(|(path, content_type, body)| {
                (*path, Asset::new(content_type, Bytes::from_static(body)))
            })
            .collect();
        if let Some(diagram) = diagram {
            by_path.insert(DIAGRAM, Asset::new(SVG, diagram.into()));
        }
        Self { by_path }
    }

    /// Whether there is something at this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// What is there, or that it is still what the browser has; `None` where nothing is.
    pub(super) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Answer> {
        let asset = self.by_path.get(path)?;
        let known = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/") == asset.etag);
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            (StatusCode::OK, asset.body.clone())
        };
        let mut response = Response::new(Full::new(body).boxed_unsync());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        );
        headers.insert(header::ETAG, asset.etag.clone());
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        if asset.content_type == SVG {
            let policy = HeaderValue::from_static(OF_PICTURES);
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::FILES;

    fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
            // The course's pictures: one of them is the page's.
            if path == "/diagrams" {
                continue;
            }
            if entry.path().is_dir() {
                files(&entry.path(), &path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_in_the_program() {
        let mut there = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        files(&folder, "", &mut there);
        let served: BTreeSet<String> = FILES
            .iter()
            .filter_map(|(path, ..)| match *path {
                super::PAGE => Some("/index.html".to_owned()),
                super::DIAGRAM => None,
                path => Some(path.to_owned()),
            })
            .collect();
        assert_eq!(
            there, served,
            "add it to FILES, or take it out of demo/assets"
        );
    }
}
