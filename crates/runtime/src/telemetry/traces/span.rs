//! Spans that are nothing while tracing is off.

use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceId};

use super::context::Propagators;
use super::current::{self, Scoped};
use super::fields::Fields;
use super::live::{Live, Tracer};

/// Makes spans, or does nothing. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    tracer: Option<Arc<Tracer>>,
    propagators: Propagators,
}

/// Where a span comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Whose child it is; without one it begins a trace.
    pub parent: Option<SpanContext>,
    /// What else led to it.
    pub link: Option<SpanContext>,
    /// When it began, where that was before it was made.
    pub began: Option<SystemTime>,
}

/// A piece of work, from when it is made to when its last clone is dropped; nothing while tracing is off.
#[derive(Debug, Clone, Default)]
pub struct Span(Option<Arc<Live>>);

impl Traces {
    pub(super) fn on(tracer: Tracer) -> Self {
        Self::by(Arc::new(tracer))
    }

    fn by(tracer: Arc<Tracer>) -> Self {
        Self {
            propagators: tracer.propagators,
            tracer: Some(tracer),
        }
    }

    /// Makes no spans.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Makes no spans; the context that came goes on as these have it.
    #[must_use]
    pub fn passing_on(propagators: Propagators) -> Self {
        Self {
            tracer: None,
            propagators,
        }
    }

    /// The time, where a span is to begin with it; `None` while tracing is off.
    #[must_use]
    pub fn now(&self) -> Option<SystemTime> {
        self.tracer.as_ref().map(|_| SystemTime::now())
    }

    /// A span of somebody else, to begin others below it; without a context they begin traces.
    #[must_use]
    pub fn remote(&self, context: Option<SpanContext>) -> Span {
        let remote = |tracer| Arc::new(Live::remote(tracer, context));
        Span(self.tracer.as_ref().map(remote))
    }

    /// The span within whose [scope](Span::scope) this is called.
    #[must_use]
    pub fn current(&self) -> Span {
        let current =
            |tracer| current::current().unwrap_or_else(|| Arc::new(Live::remote(tracer, None)));
        Span(self.tracer.as_ref().map(current))
    }

    /// How context comes and goes; `None` while tracing is off.
    #[must_use]
    pub fn propagators(&self) -> Option<&Propagators> {
        self.tracer.as_ref().map(|tracer| &tracer.propagators)
    }

    /// How context comes and goes, whether or not spans are made of it.
    #[must_use]
    pub fn how(&self) -> Propagators {
        self.propagators
    }

    /// Begins a span, whose name and attributes `say` says. The closures are called only while tracing is on, `say` only
    /// for a span that is sampled.
    pub fn start(
        &self,
        kind: SpanKind,
        origin: impl FnOnce(&Propagators) -> Origin,
        say: impl FnOnce(&mut Fields),
    ) -> Span {
        let Some(tracer) = &self.tracer else {
            return Span(None);
        };
        let origin = origin(&tracer.propagators);
        let parent = origin.parent.unwrap_or(SpanContext::NONE);
        let live = Live::begin(tracer, &parent, &kind, origin.began, say);
        if let Some(link) = &origin.link {
            live.link(link);
        }
        Span(Some(Arc::new(live)))
    }
}

impl Span {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Begins a span within this one; nothing where this is nothing.
    #[must_use]
    pub fn child(&self, kind: SpanKind, say: impl FnOnce(&mut Fields)) -> Self {
        let begin = |live: &Arc<Live>| {
            let (tracer, parent) = (&live.tracer, &live.context);
            Arc::new(Live::begin(tracer, parent, &kind, None, say))
        };
        Self(self.0.as_ref().map(begin))
    }

    /// Begins a span of another origin, whatever this one is; nothing where this is nothing.
    #[must_use]
    pub fn sibling(
        &self,
        kind: SpanKind,
        origin: impl FnOnce(&Propagators) -> Origin,
        say: impl FnOnce(&mut Fields),
    ) -> Self {
        match &self.0 {
            Some(live) => Traces::by(Arc::clone(&live.tracer)).start(kind, origin, say),
            None => Self(None),
        }
    }

    /// Adds what the closure says, and calls it only where somebody will see that; the closure must not touch the span.
    pub fn describe(&self, say: impl FnOnce(&mut Fields)) {
        if let Some(live) = &self.0 {
            live.describe(say);
        }
    }

    /// Says what else it has to do with, once that is known.
    pub fn link(&self, other: &SpanContext) {
        if let Some(live) = &self.0 {
            live.link(other);
        }
    }

    /// Says that it went wrong, and why; `kind` is from a closed set, `reason` for people.
    pub fn fail(&self, kind: &str, reason: &str) {
        if let Some(live) = &self.0 {
            live.fail(kind, reason);
        }
    }

    /// Its context, for whoever goes on from it, sampled or not; not a valid one where it stands for no span.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        Some(self.0.as_ref()?.context.clone())
    }

    /// Its ids, where it will be sent: it is ours and sampled.
    pub(in crate::telemetry) fn recorded(&self) -> Option<(TraceId, SpanId)> {
        let live = self.0.as_ref().filter(|live| live.is_recorded())?;
        Some((live.context.trace_id(), live.context.span_id()))
    }

    /// How its context goes into headers; `None` where it is nothing.
    #[must_use]
    pub fn propagators(&self) -> Option<&Propagators> {
        self.0.as_ref().map(|live| &live.tracer.propagators)
    }

    /// A future during which it is the current span: its ids are in every log line that is written meanwhile.
    pub fn scope<F: Future>(&self, inner: F) -> Scoped<F> {
        Scoped {
            live: self.0.clone(),
            inner,
        }
    }

    /// Does something during which it is the current span.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _current = self.0.as_ref().map(current::enter);
        work()
    }
}
