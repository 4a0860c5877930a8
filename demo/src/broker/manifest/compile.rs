//! Documents to Brokers and Triggers.

use std::path::Path;
use std::time::Duration;

use eventing::BackoffPolicy;

use super::document::{BrokerSpec, DeliveryBlock, DestinationBlock, Metadata, Object, TriggerSpec};
use super::{Broker, Delivery, Field, Format, Refusal, Spanned, Trigger, document, duration};
use crate::broker::destination::{Destination, Reference};
use crate::broker::filter::Filter;

pub(super) fn broker(
    file: &Path,
    object: Object<BrokerSpec>,
    namespace: &str,
) -> Result<Broker, Refusal> {
    let (name, namespace) = identity(file, &object.metadata, namespace)?;
    let spec = Field::root(file, "spec");
    let delivery = match object.spec.map(|spec| spec.value.delivery) {
        Some(Some(block)) => Some(delivery(block, &spec.field("delivery"))?),
        Some(None) | None => None,
    };
    Ok(Broker {
        namespace,
        name,
        delivery,
    })
}

pub(super) fn trigger(
    file: &Path,
    object: Object<TriggerSpec>,
    namespace: &str,
) -> Result<Trigger, Refusal> {
    let (name, namespace) = identity(file, &object.metadata, namespace)?;
    let field = Field::root(file, "spec").line(&object.metadata);
    let Some(spec) = object.spec else {
        return Err(field.refuse("is missing".to_owned()));
    };
    let field = field.line(&spec);
    let spec = spec.value;
    let filter = Filter::of(&spec, &field)?;
    let broker = match spec.broker {
        Some(broker) if !broker.is_empty() => broker,
        Some(_) | None => {
            return Err(field
                .field("broker")
                .refuse("is missing or empty".to_owned()));
        }
    };
    Ok(Trigger {
        namespace,
        name,
        broker,
        filter,
        subscriber: destination(spec.subscriber, &field.field("subscriber"))?,
        delivery: spec
            .delivery
            .map(|block| delivery(block, &field.field("delivery")))
            .transpose()?,
    })
}

fn identity(
    file: &Path,
    metadata: &Spanned<Metadata>,
    namespace: &str,
) -> Result<(String, String), Refusal> {
    let field = Field::root(file, "metadata").line(metadata);
    let Metadata {
        name,
        namespace: own,
        _labels: _,
        _annotations: _,
    } = &metadata.value;
    let namespace = own.as_deref().unwrap_or(namespace);
    for (part, value) in [("name", name.as_str()), ("namespace", namespace)] {
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        if value.is_empty() || !value.bytes().all(named) {
            return Err(field.field(part).refuse(format!(
                "`{value}` is no name: lower-case letters, digits, `-` and `.`"
            )));
        }
    }
    Ok((name.clone(), namespace.to_owned()))
}

fn delivery(block: Spanned<DeliveryBlock>, at: &Field<'_>) -> Result<Delivery, Refusal> {
    let at = at.line(&block);
    let DeliveryBlock {
        retry,
        backoff_policy,
        backoff_delay,
        timeout,
        retry_after_max,
        dead_letter_sink,
        format,
    } = block.value;
    let retry = match retry {
        Some(retry) => u32::try_from(retry.value).map_err(|_| {
            let at = at.field("retry").line(&retry);
            at.refuse("must not be negative".to_owned())
        })?,
        None => 0,
    };
    let timeout = time(timeout, &at.field("timeout"))?;
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(at.field("timeout").refuse("must be above zero".to_owned()));
    }
    let backoff_delay = time(backoff_delay, &at.field("backoffDelay"))?;
    let policy = backoff_policy.map(|policy| match policy {
        document::BackoffPolicy::Linear => BackoffPolicy::Linear,
        document::BackoffPolicy::Exponential => BackoffPolicy::Exponential,
    });
    Ok(Delivery {
        retry,
        backoff: policy.zip(backoff_delay),
        timeout,
        retry_after_max: time(retry_after_max, &at.field("retryAfterMax"))?,
        format: match format.map(|format| format.value) {
            Some(document::Format::Json) => Format::Json,
            Some(document::Format::Binary) | None => Format::Binary,
        },
        dead_letter_sink: dead_letter_sink
            .map(|block| destination(block, &at.field("deadLetterSink")))
            .transpose()?,
    })
}

fn time(text: Option<Spanned<String>>, at: &Field<'_>) -> Result<Option<Duration>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    match duration::parse(&text.value) {
        Some(duration) => Ok(Some(duration)),
        None => Err(at.line(&text).refuse(format!(
            "`{}` is no ISO 8601 duration such as `PT0.2S`",
            text.value
        ))),
    }
}

fn destination(block: Spanned<DestinationBlock>, at: &Field<'_>) -> Result<Destination, Refusal> {
    let at = at.line(&block);
    let reference = block.value.reference.map(|reference| Reference {
        kind: reference.value.kind,
        namespace: reference.value.namespace,
        name: reference.value.name,
    });
    let uri = block.value.uri.map(|uri| uri.value);
    Destination::new(reference, uri).map_err(|reason| at.refuse(reason.to_owned()))
}
