//! A span while its work goes on, and its beginning and end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanKind, TraceFlags, TraceId};
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample,
};

use super::context::Propagators;
use super::fields::{Fields, shortened};
use super::otlp;
use super::queue::Queue;

/// What went wrong may say more than other texts.
const LONGEST_REASON: usize = 1_024;

/// What all spans of a program share.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) sampler: Sampler,
    pub(super) propagators: Propagators,
    /// Links of one span; further ones are counted.
    pub(super) most_links: u32,
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
    fields: Fields,
    failure: Option<String>,
    links: u32,
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

    /// A span begins, below `parent` if that is a span; `say` is called only for one that is sampled.
    pub(super) fn begin(
        tracer: &Arc<Tracer>,
        parent: &SpanContext,
        kind: &SpanKind,
        began: Option<SystemTime>,
        say: impl FnOnce(&mut Fields),
    ) -> Self {
        let parent = Some(parent).filter(|parent| parent.is_valid());
        let ids = RandomIdGenerator::default();
        let trace_id = parent.map_or_else(|| ids.new_trace_id(), SpanContext::trace_id);
        let sampled = is_sampled(&tracer.sampler, parent, trace_id, kind);
        let context = SpanContext::new(
            trace_id,
            ids.new_span_id(),
            TraceFlags::default().with_sampled(sampled),
            false,
            parent.map_or_else(Default::default, |parent| parent.trace_state().clone()),
        );
        let record = sampled.then(|| {
            let mut fields = Fields::with_room();
            let begun = otlp::Begun {
                context: &context,
                parent,
                kind,
                at: began.unwrap_or_else(SystemTime::now),
            };
            begun.write(&mut fields.0);
            say(&mut fields);
            Mutex::new(Record {
                fields,
                failure: None,
                links: 0,
            })
        });
        Self {
            tracer: Arc::clone(tracer),
            context,
            record,
        }
    }

    pub(super) fn describe(&self, say: impl FnOnce(&mut Fields)) {
        if let Some(mut record) = self.record() {
            say(&mut record.fields);
        }
    }

    pub(super) fn link(&self, other: &SpanContext) {
        if let Some(mut record) = self.record() {
            record.links = record.links.saturating_add(1);
            if record.links <= self.tracer.most_links {
                otlp::link(other, &mut record.fields.0);
            }
        }
    }

    pub(super) fn fail(&self, kind: &str, reason: &str) {
        if let Some(mut record) = self.record() {
            record.fields.text("error.type", kind);
            record.failure = Some(shortened(reason, LONGEST_REASON).to_owned());
        }
    }

    /// Whether it will be sent.
    pub(super) fn is_recorded(&self) -> bool {
        self.record.is_some()
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
        self.tracer.queue.add(|| record.end(self.tracer.most_links));
    }
}

impl Record {
    fn end(mut self, most_links: u32) -> Vec<u8> {
        let ended = otlp::Ended {
            at: SystemTime::now(),
            links_left_out: self.links.saturating_sub(most_links),
            failure: self.failure.as_deref(),
        };
        ended.write(&mut self.fields.0);
        self.fields.0
    }
}

/// As the SDK has it, which would make a context of its own for each span, for samplers that do not look at it. Nor do
/// they look at the name, which is not known yet.
fn is_sampled(
    sampler: &Sampler,
    parent: Option<&SpanContext>,
    trace_id: TraceId,
    kind: &SpanKind,
) -> bool {
    if let (Sampler::ParentBased(_), Some(parent)) = (sampler, parent) {
        return parent.is_sampled();
    }
    let result = sampler.should_sample(None, trace_id, "", kind, &[], &[]);
    matches!(result.decision, SamplingDecision::RecordAndSample)
}

#[cfg(test)]
mod tests;
