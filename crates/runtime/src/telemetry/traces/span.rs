//! Spans that are nothing while tracing is off.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer,
};
use opentelemetry::{Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SdkTracer;
use pin_project_lite::pin_project;

use super::context::Propagators;

/// Texts are cut to so many bytes: a span must be small whatever an event brings.
const LONGEST_TEXT: usize = 256;
/// What went wrong may say more.
const LONGEST_REASON: usize = 1_024;

/// Makes spans, or does nothing. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<On>>);

#[derive(Debug)]
struct On {
    tracer: SdkTracer,
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
pub struct Span(Option<Live>);

#[derive(Debug, Clone)]
struct Live {
    on: Arc<On>,
    context: Context,
}

/// Collects the attributes of one span.
#[derive(Debug, Default)]
pub struct Attributes(Vec<KeyValue>);

impl Attributes {
    /// A text, cut where it is long.
    pub fn text(&mut self, key: &'static str, value: impl Into<Cow<'static, str>>) {
        let value = StringValue::from(short(value.into()));
        self.0.push(KeyValue::new(key, value));
    }

    /// A number.
    pub fn number(&mut self, key: &'static str, value: i64) {
        self.0.push(KeyValue::new(key, Value::I64(value)));
    }
}

impl Traces {
    pub(super) fn on(tracer: SdkTracer, propagators: Propagators) -> Self {
        Self(Some(Arc::new(On {
            tracer,
            propagators,
        })))
    }

    /// Makes no spans.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// The time, where a span is to begin with it; `None` while tracing is off.
    #[must_use]
    pub fn now(&self) -> Option<SystemTime> {
        self.0.as_ref().map(|_| SystemTime::now())
    }

    /// A span of somebody else, to begin others below it; without a context they begin traces.
    #[must_use]
    pub fn remote(&self, context: Option<SpanContext>) -> Span {
        Span(self.0.as_ref().map(|on| Live {
            on: Arc::clone(on),
            context: remote(context),
        }))
    }

    /// The span within whose [scope](Span::scope) this is called.
    #[must_use]
    pub fn current(&self) -> Span {
        Span(self.0.as_ref().map(|on| Live {
            on: Arc::clone(on),
            context: Context::current(),
        }))
    }

    /// How context comes and goes; `None` while tracing is off.
    #[must_use]
    pub fn propagators(&self) -> Option<&Propagators> {
        self.0.as_ref().map(|on| &on.propagators)
    }

    /// Begins a span. The closures are called only while tracing is on.
    pub fn start(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        origin: impl FnOnce(&Propagators) -> Origin,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Span {
        let Some(on) = &self.0 else {
            return Span(None);
        };
        let origin = origin(&on.propagators);
        let parent = remote(origin.parent.clone());
        Span(Some(Live::begin(
            on,
            &parent,
            kind,
            name(),
            origin,
            attributes,
        )))
    }
}

impl Live {
    fn begin(
        on: &Arc<On>,
        parent: &Context,
        kind: SpanKind,
        name: Cow<'static, str>,
        origin: Origin,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        let mut collected = Attributes(Vec::with_capacity(12));
        attributes(&mut collected);
        let mut builder = SpanBuilder::from_name(short(name))
            .with_kind(kind)
            .with_attributes(collected.0);
        builder.start_time = origin.began;
        if let Some(link) = origin.link {
            builder = builder.with_links(vec![Link::with_context(link)]);
        }
        let span = on.tracer.build_with_context(builder, parent);
        Self {
            on: Arc::clone(on),
            context: Context::new().with_span(span),
        }
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
    pub fn child(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        let begin = |live: &Live| {
            Live::begin(
                &live.on,
                &live.context,
                kind,
                name(),
                Origin::default(),
                attributes,
            )
        };
        Self(self.0.as_ref().map(begin))
    }

    /// Begins a span of another origin, whatever this one is; nothing where this is nothing.
    #[must_use]
    pub fn sibling(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        origin: impl FnOnce(&Propagators) -> Origin,
        attributes: impl FnOnce(&mut Attributes),
    ) -> Self {
        let on = self.0.as_ref().map(|live| Arc::clone(&live.on));
        Traces(on).start(kind, name, origin, attributes)
    }

    /// Adds attributes, and calls the closure only where somebody will see them.
    pub fn describe(&self, attributes: impl FnOnce(&mut Attributes)) {
        if let Some(span) = self.recording() {
            let mut collected = Attributes::default();
            attributes(&mut collected);
            span.set_attributes(collected.0);
        }
    }

    /// Says what else it has to do with, once that is known.
    pub fn link(&self, other: SpanContext) {
        if let Some(span) = self.recording() {
            span.add_link(other, Vec::new());
        }
    }

    /// Gives it another name, once more is known.
    pub fn rename(&self, name: impl FnOnce() -> Cow<'static, str>) {
        if let Some(span) = self.recording() {
            span.update_name(short(name()));
        }
    }

    /// Says that it went wrong, and why; `kind` is from a closed set, `reason` for people.
    pub fn fail(&self, kind: impl Into<Cow<'static, str>>, reason: &str) {
        if let Some(span) = self.recording() {
            span.set_attribute(KeyValue::new("error.type", kind.into()));
            span.set_status(Status::error(shortened(reason, LONGEST_REASON).to_owned()));
        }
    }

    /// Its context, for whoever goes on from it, sampled or not.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        let live = self.0.as_ref()?;
        Some(live.context.span().span_context().clone())
    }

    /// How its context goes into headers; `None` where it is nothing.
    #[must_use]
    pub fn propagators(&self) -> Option<&Propagators> {
        self.0.as_ref().map(|live| &live.on.propagators)
    }

    /// A future during which it is the current span: its ids are in every log line that is written meanwhile.
    pub fn scope<F: Future>(&self, inner: F) -> Scoped<F> {
        Scoped {
            context: self.0.as_ref().map(|live| live.context.clone()),
            inner,
        }
    }

    /// Does something during which it is the current span.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _current = self.0.as_ref().map(|live| live.context.clone().attach());
        work()
    }

    fn recording(&self) -> Option<opentelemetry::trace::SpanRef<'_>> {
        let span = self.0.as_ref()?.context.span();
        span.is_recording().then_some(span)
    }
}

pin_project! {
    /// See [`Span::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        context: Option<Context>,
        #[pin]
        inner: F,
    }
}

impl<F> std::fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _current = this
            .context
            .as_ref()
            .map(|context| context.clone().attach());
        this.inner.poll(cx)
    }
}

fn remote(context: Option<SpanContext>) -> Context {
    match context {
        Some(context) => Context::new().with_remote_span_context(context),
        None => Context::new(),
    }
}

/// A text of a span: its names too may come from an event.
fn short(text: Cow<'static, str>) -> Cow<'static, str> {
    match text {
        Cow::Borrowed(text) => shortened(text, LONGEST_TEXT).into(),
        Cow::Owned(mut text) => {
            text.truncate(shortened(&text, LONGEST_TEXT).len());
            // What was cut off must not be kept with it.
            text.shrink_to_fit();
            text.into()
        }
    }
}

fn shortened(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
