//! Which span it is that something is done in.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use opentelemetry::trace::SpanContext;
use pin_project_lite::pin_project;

use super::live::Live;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Live>>> = const { RefCell::new(None) };
}

/// The current span of this thread; `None` outside all, and while the thread ends.
pub(super) fn current() -> Option<Arc<Live>> {
    let read = |current: &RefCell<Option<Arc<Live>>>| current.borrow().clone();
    CURRENT.try_with(read).ok().flatten()
}

/// The context of the span within whose [scope](super::Span::scope) this is called, where it has one.
pub(crate) fn current_context() -> Option<SpanContext> {
    let context = current()?.context.clone();
    context.is_valid().then_some(context)
}

/// Makes it the current span until the guard is dropped.
pub(super) fn enter(live: &Arc<Live>) -> Entered {
    let before = replace(Some(Arc::clone(live)));
    Entered { before }
}

/// While it is there, a span is the current one of its thread.
pub(super) struct Entered {
    before: Option<Arc<Live>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // A span may end here: not while the place that it was taken from is borrowed.
        drop(replace(self.before.take()));
    }
}

fn replace(live: Option<Arc<Live>>) -> Option<Arc<Live>> {
    let mut live = live;
    let swap = |current: &RefCell<Option<Arc<Live>>>| current.replace(live.take());
    CURRENT.try_with(swap).ok().flatten()
}

pin_project! {
    /// See [`Span::scope`](super::Span::scope).
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        pub(super) live: Option<Arc<Live>>,
        #[pin]
        pub(super) inner: F,
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
        let _current = this.live.as_ref().map(enter);
        this.inner.poll(cx)
    }
}
