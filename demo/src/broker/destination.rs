//! Where a Trigger delivers, and how a reference to a Kubernetes object becomes a local address.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use url::Url;

/// A subscriber or a dead letter sink as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    reference: Option<Reference>,
    uri: Option<String>,
}

/// A reference to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its kind.
    pub kind: String,
    /// Its namespace; the Trigger's own where it is missing.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Destination {
    /// A reference, an absolute URI, or a reference with a relative URI.
    ///
    /// # Errors
    /// What a cluster refuses: neither, a relative URI alone, an absolute one beside a reference.
    pub fn new(reference: Option<Reference>, uri: Option<String>) -> Result<Self, &'static str> {
        let absolute = uri.as_deref().map(|uri| {
            Url::parse(uri)
                .is_ok_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
        });
        match (&reference, absolute) {
            (None, None) => Err("needs `ref` or `uri`"),
            (None, Some(false)) => Err("`uri` must be absolute, http or https, without a `ref`"),
            (Some(_), Some(true)) => Err("`uri` must be relative beside a `ref`"),
            (Some(_), None | Some(false)) | (None, Some(true)) => Ok(Self { reference, uri }),
        }
    }

    /// The address to send to.
    ///
    /// # Errors
    /// A reference that no entry of `references` covers, or a relative URI that is none.
    pub fn resolve(&self, namespace: &str, references: &References) -> Result<Url, Unresolved> {
        let Some(reference) = &self.reference else {
            let uri = self.uri.as_deref().unwrap_or_default();
            return Url::parse(uri).map_err(|_| Unresolved(uri.to_owned()));
        };
        let namespace = reference.namespace.as_deref().unwrap_or(namespace);
        let Reference { kind, name, .. } = reference;
        let base = references
            .find(kind, namespace, name)
            .ok_or_else(|| Unresolved(format!("{kind}/{namespace}/{name}")))?;
        match &self.uri {
            Some(uri) => base.join(uri).map_err(|_| Unresolved(uri.clone())),
            None => Ok(base.clone()),
        }
    }
}

/// A destination without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved(String);

impl Unresolved {
    pub(super) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(what) = self;
        write!(
            f,
            "nothing says where `{what}` is: give `--ref Kind/name=URL` or `--ref '*=URL'`"
        )
    }
}

impl std::error::Error for Unresolved {}

/// What stands in for the cluster's address resolution.
#[derive(Debug, Clone, Default)]
pub struct References {
    by_name: BTreeMap<String, Url>,
}

impl References {
    /// Adds an entry; a later one for the same name takes its place.
    pub fn insert(&mut self, ReferenceTarget { name, url }: ReferenceTarget) {
        self.by_name.insert(name, url);
    }

    /// Adds a Broker of this program.
    pub(super) fn insert_broker(&mut self, namespace: &str, name: &str, url: Url) {
        self.by_name
            .insert(format!("Broker/{namespace}/{name}"), url);
    }

    /// Adds all entries of another list; they win.
    pub(super) fn extend(&mut self, other: &Self) {
        let entries = other.by_name.iter();
        self.by_name
            .extend(entries.map(|(name, url)| (name.clone(), url.clone())));
    }

    /// The most exact entry wins.
    fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Url> {
        [
            format!("{kind}/{namespace}/{name}"),
            format!("{kind}/{name}"),
            "*".to_owned(),
        ]
        .iter()
        .find_map(|name| self.by_name.get(name))
    }
}

impl FromIterator<ReferenceTarget> for References {
    fn from_iter<I: IntoIterator<Item = ReferenceTarget>>(targets: I) -> Self {
        let mut references = Self::default();
        for target in targets {
            references.insert(target);
        }
        references
    }
}

/// One `--ref`: `Kind/name=URL`, `Kind/namespace/name=URL`, or `*=URL` for all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceTarget {
    name: String,
    url: Url,
}

impl FromStr for ReferenceTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "write Kind/name=URL, Kind/namespace/name=URL or *=URL";
        let (name, url) = text.split_once('=').ok_or(FORMS)?;
        let parts: Vec<_> = name.split('/').collect();
        if name != "*" && (!matches!(parts.len(), 2 | 3) || parts.iter().any(|it| it.is_empty())) {
            return Err(FORMS.to_owned());
        }
        let url = Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("`{url}` must begin with http:// or https://"));
        }
        Ok(Self {
            name: name.to_owned(),
            url,
        })
    }
}
