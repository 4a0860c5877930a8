//! The YAML as written. Fields are those of Knative's CRDs, version 1; others are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Spanned;

pub(super) const EVENTING_V1: &str = "eventing.knative.dev/v1";

/// What every object says of itself; the rest is read once the kind is known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) metadata: Option<HeaderMetadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HeaderMetadata {
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Object<Spec> {
    #[serde(rename = "apiVersion")]
    pub(super) _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    pub(super) _kind: IgnoredAny,
    pub(super) metadata: Spanned<Metadata>,
    pub(super) spec: Option<Spanned<Spec>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    #[serde(rename = "labels")]
    pub(super) _labels: Option<IgnoredAny>,
    #[serde(rename = "annotations")]
    pub(super) _annotations: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BrokerSpec {
    /// The channel behind the Broker: there is none here.
    #[serde(rename = "config")]
    pub(super) _config: Option<IgnoredAny>,
    pub(super) delivery: Option<Spanned<DeliveryBlock>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerSpec {
    pub(super) broker: Option<String>,
    pub(crate) filter: Option<Spanned<FilterAttributes>>,
    pub(crate) filters: Option<Vec<Spanned<FilterEntry>>>,
    pub(super) subscriber: Spanned<DestinationBlock>,
    pub(super) delivery: Option<Spanned<DeliveryBlock>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterAttributes {
    pub(crate) attributes: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterEntry {
    pub(crate) exact: Option<BTreeMap<String, String>>,
    pub(crate) prefix: Option<BTreeMap<String, String>>,
    pub(crate) suffix: Option<BTreeMap<String, String>>,
    pub(crate) all: Option<Vec<Spanned<FilterEntry>>>,
    pub(crate) any: Option<Vec<Spanned<FilterEntry>>>,
    pub(crate) not: Option<Box<Spanned<FilterEntry>>>,
    pub(crate) cesql: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DeliveryBlock {
    pub(super) retry: Option<Spanned<i32>>,
    pub(super) backoff_policy: Option<BackoffPolicy>,
    pub(super) backoff_delay: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) retry_after_max: Option<Spanned<String>>,
    pub(super) dead_letter_sink: Option<Spanned<DestinationBlock>>,
    pub(super) format: Option<Spanned<Format>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BackoffPolicy {
    Linear,
    Exponential,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Binary,
    Json,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationBlock {
    #[serde(rename = "ref")]
    pub(super) reference: Option<Spanned<ReferenceBlock>>,
    pub(super) uri: Option<Spanned<String>>,
    /// Certificates and audience are for clusters: deliveries stay on this machine.
    #[serde(rename = "CACerts")]
    pub(super) _ca_certs: Option<IgnoredAny>,
    #[serde(rename = "audience")]
    pub(super) _audience: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceBlock {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    #[serde(rename = "apiVersion")]
    pub(super) _api_version: Option<IgnoredAny>,
    #[serde(rename = "group")]
    pub(super) _group: Option<IgnoredAny>,
    #[serde(rename = "address")]
    pub(super) _address: Option<IgnoredAny>,
}
