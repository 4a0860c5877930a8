//! A span while its work goes on, and its beginning and end.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId};
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample,
};

use super::attributes::{Attributes, short, shortened};
use super::context::Propagators;
use super::otlp;
use super::queue::Queue;

/// What went wrong may say more than other texts.
const LONGEST_REASON: usize = 1_024;
/// Links of one span; further ones are counted. The SDK's standard.
const MOST_LINKS: u32 = 128;
/// A span with its attributes seldom takes more.
const USUAL_BYTES: usize = 512;

/// What all spans of a program share.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) sampler: Sampler,
    pub(super) propagators: Propagators,
    pub(super) queue: Arc<Queue>,
}

/// A span whose end has not come, or one of somebody else, or one that is not sampled.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) tracer: Arc<Tracer>,
    /// Not a valid one where it stands for no span.
    pub(super) context: SpanContext,
    record: Option<Mutex<Record>>,
}

/// What will be sent of a span that is sampled.
#[derive(Debug)]
struct Record {
    parent: Option<Parent>,
    kind: SpanKind,
    name: Cow<'static, str>,
    began: SystemTime,
    failure: Option<String>,
    attributes: Attributes,
    links: u32,
    /// As they are sent.
    written_links: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Parent {
    id: SpanId,
    remote: bool,
}

impl Live {
    /// That of somebody else, or none.
    pub(super) fn remote(tracer: &Arc<Tracer>, context: Option<SpanContext>) -> Self {
        Self {
            tracer: Arc::clone(tracer),
            context: context.unwrap_or(SpanContext::NONE),
            record: None,
        }
    }

    /// A span begins, below `parent` if that is a span; `attributes` is called only for one that is sampled.
    pub(super) fn begin(
        tracer: &Arc<Tracer>,
        parent: &SpanContext,
        kind: SpanKind,
        name: Cow<'static, str>,
        began: Option<SystemTime>,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        let parent = Some(parent).filter(|parent| parent.is_valid());
        let ids = RandomIdGenerator::default();
        let trace_id = parent.map_or_else(|| ids.new_trace_id(), SpanContext::trace_id);
        let sampled = is_sampled(&tracer.sampler, parent, trace_id, &name, &kind);
        let context = SpanContext::new(
            trace_id,
            ids.new_span_id(),
            TraceFlags::default().with_sampled(sampled),
            false,
            parent.map_or_else(Default::default, |parent| parent.trace_state().clone()),
        );
        let record = || {
            let mut collected = Attributes(Vec::with_capacity(USUAL_BYTES));
            attributes(&mut collected);
            Record {
                parent: parent.map(|parent| Parent {
                    id: parent.span_id(),
                    remote: parent.is_remote(),
                }),
                kind,
                name: cut(name),
                began: began.unwrap_or_else(SystemTime::now),
                failure: None,
                attributes: collected,
                links: 0,
                written_links: Vec::new(),
            }
        };
        Self {
            tracer: Arc::clone(tracer),
            context,
            record: sampled.then(record).map(Mutex::new),
        }
    }

    pub(super) fn describe(&self, attributes: impl FnOnce(&mut Attributes)) {
        if let Some(mut record) = self.record() {
            attributes(&mut record.attributes);
        }
    }

    pub(super) fn link(&self, other: &SpanContext) {
        if let Some(mut record) = self.record() {
            record.links = record.links.saturating_add(1);
            if record.links <= MOST_LINKS {
                otlp::link(other, &mut record.written_links);
            }
        }
    }

    pub(super) fn fail(&self, kind: &str, reason: &str) {
        if let Some(mut record) = self.record() {
            record.attributes.text("error.type", kind);
            record.failure = Some(shortened(reason, LONGEST_REASON).to_owned());
        }
    }

    fn record(&self) -> Option<MutexGuard<'_, Record>> {
        let record = self.record.as_ref()?;
        Some(record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Live {
    /// The end: what is to be sent waits from now on.
    fn drop(&mut self) {
        let Some(record) = self.record.take() else {
            return;
        };
        let record = record.into_inner().unwrap_or_else(PoisonError::into_inner);
        let context = &self.context;
        self.tracer.queue.add(|| record.end(context));
    }
}

impl Record {
    fn end(mut self, context: &SpanContext) -> Vec<u8> {
        let mut fields = mem::take(&mut self.attributes.0);
        fields.extend_from_slice(&self.written_links);
        let ended = otlp::Ended {
            context,
            parent: self.parent.map_or(SpanId::INVALID, |parent| parent.id),
            parent_is_remote: self.parent.is_some_and(|parent| parent.remote),
            kind: &self.kind,
            name: &self.name,
            began: self.began,
            ended: SystemTime::now(),
            links_left_out: self.links.saturating_sub(MOST_LINKS),
            failure: self.failure.as_deref(),
        };
        ended.write(&mut fields);
        fields
    }
}

/// As the SDK has it, which would make a context of its own for each span, for samplers that do not look at it.
fn is_sampled(
    sampler: &Sampler,
    parent: Option<&SpanContext>,
    trace_id: TraceId,
    name: &str,
    kind: &SpanKind,
) -> bool {
    if let (Sampler::ParentBased(_), Some(parent)) = (sampler, parent) {
        return parent.is_sampled();
    }
    let result = sampler.should_sample(None, trace_id, name, kind, &[], &[]);
    matches!(result.decision, SamplingDecision::RecordAndSample)
}

fn cut(name: Cow<'static, str>) -> Cow<'static, str> {
    match name {
        Cow::Borrowed(name) => short(name).into(),
        Cow::Owned(mut name) => {
            name.truncate(short(&name).len());
            name.into()
        }
    }
}

#[cfg(test)]
mod tests;
