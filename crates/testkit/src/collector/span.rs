//! Spans as a collector got them, and as the trees that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;

/// One span. Ids are hexadecimal, attributes are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// `service.name` of its resource.
    pub service: String,
    /// All attributes of its resource.
    pub resource: BTreeMap<String, String>,
    /// The trace it is of.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The span that it is a child of; empty for a root.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span of each link.
    pub links: Vec<(String, String)>,
    /// Keys that it has twice, among its attributes or its resource's, which OTLP forbids.
    twice: Vec<String>,
    /// Why it went wrong, where it did.
    pub error: Option<String>,
    /// Nanoseconds of the Unix epoch.
    pub began: u64,
    /// Likewise.
    pub ended: u64,
}

impl Span {
    /// An attribute, or nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What `traceparent` says where this span is the parent and sampled.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.id)
    }
}

/// Reads what a collector got by HTTP.
///
/// # Panics
/// When it is no request of OTLP.
#[must_use]
pub fn decode(body: &[u8]) -> Spans {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf");
    Spans::new(read(request).collect())
}

pub(super) fn read(request: ExportTraceServiceRequest) -> impl Iterator<Item = Span> {
    request.resource_spans.into_iter().flat_map(|resource| {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let twice_there = twice(&attributes);
        let attributes = texts(attributes);
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        let spans = resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans);
        spans.map(move |span| Span {
            service: service.clone(),
            resource: attributes.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            name: span.name,
            twice: [twice_there.clone(), twice(&span.attributes)].concat(),
            attributes: texts(span.attributes),
            links: span
                .links
                .iter()
                .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
                .collect(),
            error: span
                .status
                .filter(|status| status.code() == StatusCode::Error)
                .map(|status| status.message),
            began: span.start_time_unix_nano,
            ended: span.end_time_unix_nano,
        })
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn twice(attributes: &[KeyValue]) -> Vec<String> {
    let mut keys = BTreeSet::new();
    let again = attributes.iter().filter(|pair| !keys.insert(&pair.key));
    again.map(|pair| pair.key.clone()).collect()
}

pub(super) fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .map(|pair| (pair.key, pair.value.map(text).unwrap_or_default()))
        .collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// Spans in the order in which they began. Printed as trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// # Panics
    /// Where a span has a key twice: who reads it may take either value.
    pub(super) fn new(mut spans: Vec<Span>) -> Self {
        for span in &spans {
            let (name, twice) = (&span.name, &span.twice);
            assert!(twice.is_empty(), "`{name}` has {twice:?} twice");
        }
        spans.sort_by_key(|span| (span.began, span.id.clone()));
        Self(spans)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Span> {
        self.0.iter()
    }

    /// Those of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<&Span> {
        self.iter().filter(|span| span.name == name).collect()
    }

    /// The one of this name.
    ///
    /// # Panics
    /// When there is none, or several; the message has all spans.
    #[must_use]
    pub fn one(&self, name: &str) -> &Span {
        match &self.named(name)[..] {
            [only] => only,
            several => panic!("{} spans `{name}` in\n{self}", several.len()),
        }
    }

    /// The children of a span.
    #[must_use]
    pub fn children(&self, of: &Span) -> Vec<&Span> {
        self.iter()
            .filter(|span| span.trace == of.trace && span.parent == of.id)
            .collect()
    }

    /// A span with all that it is below, the root first, each as `SERVICE: NAME`.
    #[must_use]
    pub fn path(&self, to: &Span) -> Vec<String> {
        let mut path = Vec::new();
        let mut next = Some(to);
        while let Some(span) = next {
            path.insert(0, format!("{}: {}", span.service, span.name));
            next = self
                .iter()
                .find(|other| other.trace == span.trace && other.id == span.parent);
        }
        path
    }

    /// Those whose parent is neither among them nor one of `known`, by span id.
    #[must_use]
    pub fn orphans(&self, known: &[&str]) -> Vec<&Span> {
        self.iter()
            .filter(|span| !span.parent.is_empty() && !known.contains(&span.parent.as_str()))
            .filter(|span| {
                !self
                    .iter()
                    .any(|other| other.trace == span.trace && other.id == span.parent)
            })
            .collect()
    }

    /// How the trees look: a line for each span, indented below its parent. Roots and orphans stand at the
    /// left, siblings in the order in which they began.
    #[must_use]
    pub fn outline(&self) -> String {
        let mut outline = String::new();
        let orphans = self.orphans(&[]);
        for span in self.iter() {
            if span.parent.is_empty() || orphans.contains(&span) {
                self.write(&mut outline, span, 0);
            }
        }
        outline
    }

    /// How the trees look where several programs work at one time: a line for each span with its service and kind,
    /// indented below its parent. Roots and orphans stand at the left. All that stands side by side is in the order of
    /// the alphabet: a Broker delivers to all at once, so who begins first is chance.
    #[must_use]
    pub fn tree(&self) -> String {
        let orphans = self.orphans(&[]);
        let tops = self
            .iter()
            .filter(|span| span.parent.is_empty() || orphans.contains(span));
        self.side_by_side(tops, 0)
    }

    fn side_by_side<'a>(&self, spans: impl Iterator<Item = &'a Span>, depth: usize) -> String {
        let mut branches: Vec<String> = spans
            .map(|span| {
                let indent = "  ".repeat(depth);
                let kind = format!("{:?}", span.kind).to_lowercase();
                let error = if span.error.is_some() { " !" } else { "" };
                let below = self.side_by_side(self.children(span).into_iter(), depth + 1);
                let Span { service, name, .. } = span;
                format!("{indent}{service}: {name} ({kind}){error}\n{below}")
            })
            .collect();
        branches.sort();
        branches.concat()
    }

    /// Those of one trace.
    #[must_use]
    pub fn of_trace(&self, trace: &str) -> Self {
        let of_trace = self.iter().filter(|span| span.trace == trace);
        Self(of_trace.cloned().collect())
    }

    fn write(&self, outline: &mut String, span: &Span, depth: usize) {
        outline.push_str(&"  ".repeat(depth));
        outline.push_str(&format!("{:?} {}", span.kind, span.name));
        if span.error.is_some() {
            outline.push_str(" !");
        }
        outline.push('\n');
        for child in self.children(span) {
            self.write(outline, child, depth + 1);
        }
    }
}

impl fmt::Display for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for span in self.iter() {
            writeln!(
                f,
                "{} {}<-{} {:?} {} {:?} {:?} {:?}",
                span.trace,
                span.id,
                span.parent,
                span.kind,
                span.name,
                span.attributes,
                span.links,
                span.error
            )?;
        }
        Ok(())
    }
}
