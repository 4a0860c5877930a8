//! What a SinkBinding injects: `K_SINK`, `K_CE_OVERRIDES`, `K_CA_CERTS`, and a token file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cloudevents_http::Event;
use http::Uri;
use serde_json::{Map, Value};

use crate::oidc::token;

/// What no extension may be called; setting one of these would make another event of it.
const CONTEXT_ATTRIBUTES: [&str; 8] = [
    "id",
    "source",
    "specversion",
    "type",
    "datacontenttype",
    "dataschema",
    "subject",
    "time",
];

/// Where events go and what is added to them.
///
/// | variable | value | read as |
/// |---|---|---|
/// | `K_SINK` | missing, empty | no binding yet |
/// | | absolute `http` or `https` URL | the destination |
/// | | with user or password, without host, anything else | an error |
/// | `K_CE_OVERRIDES` | missing, empty, `null`, without `extensions` | no overrides |
/// | | `{"extensions":{"name":"value"}}` | overrides; capitals in a name become small, as in CloudEvents' Go SDK |
/// | | a context attribute or `data` as a name, a character that no name has, a value that is no string | an error |
/// | `K_CA_CERTS` | missing, empty | public roots only |
/// | | PEM certificates | roots beside the public ones |
/// | | anything else | an error |
#[derive(Debug, Clone)]
pub struct SinkBinding {
    destination: Uri,
    overrides: Vec<(String, String)>,
    ca_certs: Option<String>,
    token_path: Option<PathBuf>,
    token_required: bool,
}

/// A variable that a SinkBinding would not have set like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SinkBindingError {
    variable: &'static str,
    problem: String,
}

impl SinkBindingError {
    /// The variable at fault.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl SinkBinding {
    /// Reads the injected values; `None` where `K_SINK` is absent, which is not yet an error.
    ///
    /// # Errors
    /// A destination that is no absolute URL, overrides that are no JSON object of extensions, names
    /// that no extension may have, certificates that are not PEM.
    pub fn from_parts(
        k_sink: Option<&str>,
        k_ce_overrides: Option<&str>,
        k_ca_certs: Option<&str>,
        token_path: Option<&Path>,
    ) -> Result<Option<Self>, SinkBindingError> {
        let given = |text: Option<&str>| {
            text.map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let Some(k_sink) = given(k_sink) else {
            return Ok(None);
        };
        Ok(Some(Self {
            destination: destination(&k_sink)?,
            overrides: overrides(given(k_ce_overrides).as_deref())?,
            ca_certs: ca_certs(given(k_ca_certs))?,
            token_path: token_path.map(Path::to_owned),
            token_required: false,
        }))
    }

    /// The same where the destination is known to ask for a token: without one nothing is sent to it.
    #[must_use]
    pub fn requiring_token(self) -> Self {
        Self {
            token_required: true,
            ..self
        }
    }

    /// Where events go.
    #[must_use]
    pub fn destination(&self) -> &Uri {
        &self.destination
    }

    /// PEM certificates that vouch for the destination, beside the public roots.
    #[must_use]
    pub fn ca_certs(&self) -> Option<&str> {
        self.ca_certs.as_deref()
    }

    /// The file that may hold a token for the destination.
    #[must_use]
    pub fn token_path(&self) -> Option<&Path> {
        self.token_path.as_deref()
    }

    /// Whether nothing is sent to the destination without a token.
    #[must_use]
    pub fn requires_token(&self) -> bool {
        self.token_required
    }

    /// Why a token that is required cannot be sent now: its file is not there, is empty or cannot be read. `None`
    /// where it can, and where none is required. Looks at the file each time, since it comes and goes while we run.
    #[must_use]
    pub fn missing_token(&self) -> Option<String> {
        let path = self.token_path.as_ref().filter(|_| self.token_required)?;
        token::required(path).err()
    }

    /// Sets the overriding extensions on an event that leaves; they win over its own.
    pub fn apply_overrides(&self, event: &mut Event) {
        for (name, value) in &self.overrides {
            // Names and values were checked when they were read.
            let _ = cloudevents_http::set_attribute(event, name, value);
        }
    }
}

fn destination(text: &str) -> Result<Uri, SinkBindingError> {
    let wrong = |why: &str| SinkBindingError {
        variable: "K_SINK",
        problem: format!(
            "`{}` {why}; a SinkBinding writes an absolute URL such as http://broker-ingress.knative-eventing.svc.cluster.local/shop/default",
            without_userinfo(text)
        ),
    };
    let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("is not an absolute http or https URL"));
    };
    if authority.as_str().contains('@') {
        return Err(wrong(
            "holds a user or password, which would not be sent: take them out",
        ));
    }
    if authority.host().is_empty() {
        return Err(wrong("names no host"));
    }
    // Without this a port that is none would silently be the scheme's default.
    let port = authority.as_str().strip_prefix(authority.host());
    if authority.port_u16().is_none() && port.is_some_and(|port| !port.is_empty()) {
        return Err(wrong("has a port that is not a number from 1 to 65535"));
    }
    if authority.port_u16() == Some(0) {
        return Err(wrong("has a port that is not a number from 1 to 65535"));
    }
    Ok(uri)
}

/// A password must not reach a log, not even out of something that is no URL.
fn without_userinfo(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://...@{host}")
        }
        None => text.to_owned(),
    }
}

fn overrides(text: Option<&str>) -> Result<Vec<(String, String)>, SinkBindingError> {
    let wrong = |problem: String| SinkBindingError {
        variable: "K_CE_OVERRIDES",
        problem: format!(
            "{problem}; correct `spec.ceOverrides` of the SinkBinding, which writes {{\"extensions\":{{\"name\":\"value\"}}}}"
        ),
    };
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    // Not a type of its own: an array would be taken for one.
    let given: Option<Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| wrong(no_object(&error)))?;
    let extensions = given
        .unwrap_or_default()
        .remove("extensions")
        .unwrap_or_default();
    let extensions: Option<BTreeMap<String, String>> =
        serde_json::from_value(extensions).map_err(|error| wrong(no_object(&error)))?;
    let mut probe =
        cloudevents_http::new_event("1", "/", "probe").map_err(|error| wrong(error.to_string()))?;
    let mut checked: Vec<(String, String)> = Vec::new();
    for (given, value) in extensions.unwrap_or_default() {
        let name = given.to_ascii_lowercase();
        if CONTEXT_ATTRIBUTES.contains(&name.as_str()) {
            return Err(wrong(format!(
                "`{given}` is an attribute that every event has of its own, and no extension"
            )));
        }
        if checked.iter().any(|(earlier, _)| *earlier == name) {
            return Err(wrong(format!(
                "`{name}` is there twice, in capitals and not"
            )));
        }
        cloudevents_http::set_attribute(&mut probe, &name, &value)
            .map_err(|error| wrong(error.to_string()))?;
        checked.push((name, value));
    }
    Ok(checked)
}

fn no_object(error: &serde_json::Error) -> String {
    format!("is no JSON object of extensions: {error}")
}

fn ca_certs(pem: Option<String>) -> Result<Option<String>, SinkBindingError> {
    if let Some(pem) = &pem {
        crate::delivery::roots(Some(pem)).map_err(|problem| SinkBindingError {
            variable: "K_CA_CERTS",
            problem,
        })?;
    }
    Ok(pem)
}
