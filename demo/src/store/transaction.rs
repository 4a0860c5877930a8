//! One piece of work on a store.

use std::ops::Deref;

use chrono::{DateTime, SecondsFormat, Utc};
use cloudevents::AttributesReader;
use cloudevents_http::{Event, attribute, encode_structured, new_event, set_attribute, set_data};
use eventing::extension::{TRACEPARENT, TRACESTATE};
use http::HeaderMap;
use runtime::telemetry::traces::{Span, traceparent, tracestate};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{Fault, Identities, outbox, seen};

/// The trace that a piece of work belongs to; what it emits goes on with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// As W3C writes it.
    pub traceparent: Option<String>,
    /// As W3C writes it.
    pub tracestate: Option<String>,
}

impl Trace {
    /// That of a span, where tracing is on.
    #[must_use]
    pub fn of_span(span: &Span) -> Option<Self> {
        let context = span.context()?;
        Some(Self {
            traceparent: Some(traceparent(&context)),
            tracestate: tracestate(&context),
        })
    }

    /// That of a request; where its headers have none, that of its event.
    #[must_use]
    pub fn of(headers: &HeaderMap, event: &Event) -> Self {
        let own = |name: &str| attribute(event, name).map(std::borrow::Cow::into_owned);
        Self::of_headers(headers).unwrap_or_else(|| Self {
            traceparent: own(TRACEPARENT),
            tracestate: own(TRACESTATE),
        })
    }

    /// That of a request's headers, if they have one.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        Some(Self {
            traceparent: Some(header(TRACEPARENT)?),
            tracestate: header(TRACESTATE),
        })
    }
}

/// A piece of work in hand: the service's tables, by [`Connection`]'s methods, and what it emits.
///
/// All of it is kept, or nothing.
pub struct Transaction<'a> {
    connection: &'a Connection,
    identities: &'a mut Identities,
    trace: Trace,
    now: DateTime<Utc>,
    afterwards: Afterwards,
}

/// What is to be done after the commit, and only then.
#[derive(Default)]
pub(super) struct Afterwards {
    pub(super) emitted: bool,
    pub(super) due: bool,
    pub(super) then: Vec<Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        identities: &'a mut Identities,
        trace: Trace,
    ) -> Self {
        Self {
            connection,
            identities,
            trace,
            now: Utc::now(),
            afterwards: Afterwards::default(),
        }
    }

    pub(super) fn into_afterwards(self) -> Afterwards {
        self.afterwards
    }

    /// When this piece of work began; one moment for all of it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// As [`Transaction::now`], in milliseconds since 1970, as tables hold it.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now.timestamp_millis()
    }

    /// As [`Transaction::now`], in RFC 3339, as events say it.
    #[must_use]
    pub fn now_text(&self) -> String {
        self.now.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// The trace that this belongs to.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Goes on with another trace: for work that was put off, and belongs to what it was put off for.
    pub fn continue_trace(&mut self, trace: Trace) {
        self.trace = trace;
    }

    /// Remembers an event; `false` where it was handled before, and there is nothing to do.
    ///
    /// # Errors
    /// The file.
    pub fn first_time(&mut self, event: &Event) -> Result<bool, Fault> {
        Ok(seen::first_time(
            self.connection,
            event.source(),
            event.id(),
            self.identities.remembered,
        )?)
    }

    /// Sends an event after the commit: of this type, about this session, with this data in JSON.
    ///
    /// # Errors
    /// A subject that no event can have; the file.
    pub fn emit(&mut self, ty: &str, subject: &str, data: &impl Serialize) -> Result<(), Fault> {
        let data = serde_json::to_vec(data).map_err(|error| Fault::Store(error.to_string()))?;
        let sequence = self.identities.sequence + 1;
        let event = self
            .event(sequence, ty, subject, data)
            .map_err(|error| Fault::Refused(error.to_string()))?;
        outbox::put(self.connection, sequence, &event)?;
        self.identities.sequence = sequence;
        self.afterwards.emitted = true;
        Ok(())
    }

    fn event(
        &self,
        sequence: i64,
        ty: &str,
        subject: &str,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, cloudevents_http::Error> {
        let id = format!("{}-{sequence}", self.identities.epoch);
        let mut event = new_event(&id, &self.identities.source, ty)?;
        set_attribute(&mut event, "time", &self.now_text())?;
        if !subject.is_empty() {
            set_attribute(&mut event, "subject", subject)?;
        }
        let trace = [
            (TRACEPARENT, &self.trace.traceparent),
            (TRACESTATE, &self.trace.tracestate),
        ];
        for (name, value) in trace {
            // Others chose it, and some of what a header may hold (a tab) no attribute may. A trace is worth
            // less than the event: work that is due, and could not emit, would keep all others from theirs.
            if let Some(value) = value
                && let Err(error) = set_attribute(&mut event, name, value)
            {
                tracing::debug!(%error, "an event goes without its trace");
            }
        }
        set_data(&mut event, Some("application/json"), data)?;
        Ok(encode_structured(&event)?.body.to_vec())
    }

    /// Has what is due looked at again after the commit.
    pub fn wake_due(&mut self) {
        self.afterwards.due = true;
    }

    /// Does this after the commit, on the store's thread, and not at all where there is none: for telling others
    /// in this program what is now so. It must not wait for anything.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.afterwards.then.push(Box::new(then));
    }

    /// How many things are to be done after the commit.
    pub(super) fn planned(&self) -> usize {
        self.afterwards.then.len()
    }

    /// Does not do after the commit what was added since there were so many.
    pub(super) fn forget_plans_since(&mut self, planned: usize) {
        self.afterwards.then.truncate(planned);
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// The file.
    pub fn change(&self, statement: &str, values: impl rusqlite::Params) -> Result<usize, Fault> {
        Ok(self.prepare_cached(statement)?.execute(values)?)
    }

    /// The number that a query yields, such as a count; 0 where it yields nothing.
    ///
    /// # Errors
    /// The file.
    pub fn number(&self, query: &str, values: impl rusqlite::Params) -> Result<i64, Fault> {
        let mut statement = self.prepare_cached(query)?;
        let mut rows = statement.query(values)?;
        Ok(match rows.next()? {
            Some(row) => row.get::<_, Option<i64>>(0)?.unwrap_or(0),
            None => 0,
        })
    }

    pub(super) fn given_up(&self, sequence: i64, reason: &str) -> Result<(), Fault> {
        self.change(
            "INSERT INTO refused (sequence, event, reason) SELECT sequence, event, ?2 FROM outbox WHERE sequence = ?1",
            params![sequence, reason],
        )?;
        self.change("DELETE FROM outbox WHERE sequence = ?1", [sequence])?;
        Ok(())
    }
}
