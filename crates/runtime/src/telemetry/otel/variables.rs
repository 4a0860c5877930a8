//! Every `OTEL_*` variable that is known here: who honours it, or why it is refused.

/// What becomes of a variable that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honour {
    /// The program reads it.
    Us,
    /// Nobody reads it; a warning at start says so.
    Refused,
}

/// One standard variable, as documented.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub honour: Honour,
    /// The value used where it is unset; empty where there is none.
    pub default: &'static str,
    /// What it does here, or why it does nothing.
    pub doc: &'static str,
}

macro_rules! variables {
    ($($honour:ident { $($name:ident = $default:literal: $doc:literal;)* })*) => {
        /// All of them, in the order in which they are documented.
        pub const VARIABLES: &[Variable] = &[
            $($(Variable {
                name: stringify!($name),
                honour: Honour::$honour,
                default: $default,
                doc: $doc,
            },)*)*
        ];
    };
}

variables! {
    Us {
        OTEL_SDK_DISABLED = "false": "`true` turns traces and pushed metrics off, whatever else is set.";
        OTEL_TRACES_EXPORTER = "otlp": "`otlp`, or `none`: no spans are made. Any other exporter is warned about and counts as `none`.";
        OTEL_EXPORTER_OTLP_ENDPOINT = "": "The collector, `http://HOST:PORT` or `https://HOST:PORT`. Unset: tracing is off and costs nothing. This differs from the standard, whose default is `localhost`. For HTTP, `/v1/traces` is added.";
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "": "The same for traces alone, taken as it is written.";
        OTEL_EXPORTER_OTLP_PROTOCOL = "": "`grpc` or `http/protobuf`. Unset: `http/protobuf` where the endpoint's port is 4318, which is registered for it, else `grpc`. `http/json` is warned about and counts as unset.";
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL = "": "The same for traces alone.";
        OTEL_EXPORTER_OTLP_HEADERS = "": "Headers for the collector, `key=value,key=value`, values percent-encoded. Never logged.";
        OTEL_EXPORTER_OTLP_TRACES_HEADERS = "": "The same for traces alone, in place of the former.";
        OTEL_EXPORTER_OTLP_TIMEOUT = "10000": "Milliseconds that one request to the collector may take.";
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT = "": "The same for traces alone.";
        OTEL_EXPORTER_OTLP_CERTIFICATE = "": "A PEM file with the authority that vouches for the collector, in place of the public ones.";
        OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE = "": "The same for traces alone.";
        OTEL_EXPORTER_OTLP_COMPRESSION = "none": "`gzip` or `none`.";
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION = "": "The same for traces alone.";
        OTEL_EXPORTER_OTLP_INSECURE = "false": "`true`: an endpoint without a scheme is plaintext. A scheme that is written wins.";
        OTEL_EXPORTER_OTLP_TRACES_INSECURE = "": "The same for traces alone.";
        OTEL_METRICS_EXPORTER = "": "`otlp` pushes metrics to the collector of OTEL_EXPORTER_OTLP_METRICS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, and a last time at the end; `none` and `prometheus` do not. With commas. They can be read at `/metrics` in any case. Unset: pushed where OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is set. This differs from the standard, whose default is `otlp`: a collector of traces alone would refuse them.";
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT = "": "The collector of metrics, taken as it is written.";
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL = "": "As for traces; likewise the six below.";
        OTEL_EXPORTER_OTLP_METRICS_HEADERS = "": "In place of OTEL_EXPORTER_OTLP_HEADERS.";
        OTEL_EXPORTER_OTLP_METRICS_TIMEOUT = "": "In place of OTEL_EXPORTER_OTLP_TIMEOUT.";
        OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE = "": "In place of OTEL_EXPORTER_OTLP_CERTIFICATE.";
        OTEL_EXPORTER_OTLP_METRICS_COMPRESSION = "": "In place of OTEL_EXPORTER_OTLP_COMPRESSION.";
        OTEL_EXPORTER_OTLP_METRICS_INSECURE = "": "In place of OTEL_EXPORTER_OTLP_INSECURE.";
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE = "cumulative": "Counts since the start, `cumulative`, or since the push before, `delta`; `lowmemory` has the latter for what is counted by the program, and the former for what is looked up.";
        OTEL_METRIC_EXPORT_INTERVAL = "60000": "Milliseconds from one push to the next.";
        OTEL_METRIC_EXPORT_TIMEOUT = "30000": "Milliseconds that one push may take.";
        OTEL_SERVICE_NAME = "": "The service that spans, and metrics that are pushed, are of. Unset: the program's own name, such as `eventing-zeebe`.";
        OTEL_RESOURCE_ATTRIBUTES = "": "Further attributes of the service, `key=value,key=value`. `service.name` in it gives way to OTEL_SERVICE_NAME.";
        OTEL_TRACES_SAMPLER = "parentbased_always_on": "Which traces are recorded: `always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`, which follows whoever began the trace. Any other is warned about, and the default stands.";
        OTEL_TRACES_SAMPLER_ARG = "1": "The share of traces for the two `traceidratio`, from 0 to 1.";
        OTEL_PROPAGATORS = "tracecontext": "How context comes and goes: `tracecontext`, `baggage`, `b3`, `b3multi`, with commas, or `none`. So too where nothing is recorded: what came goes through. `tracecontext,b3multi` where senders know no W3C, such as older Knative's. Baggage is not in our default, though in the standard's: it would be stored with every process.";
        OTEL_BSP_SCHEDULE_DELAY = "5000": "Milliseconds that a span waits for others at most.";
        OTEL_BSP_MAX_QUEUE_SIZE = "2048": "Spans that wait at most; further ones are dropped and counted, `telemetry_spans_total{outcome=\"dropped\"}`.";
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE = "512": "Spans sent at once; not above the queue's size.";
        OTEL_BSP_EXPORT_TIMEOUT = "30000": "Milliseconds that sending them may take, repeats included; what is not sent by then is given up and counted.";
        OTEL_SPAN_LINK_COUNT_LIMIT = "128": "Links of one span at most; further ones are left out, and the span says how many.";
    }
    Refused {
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT = "": "docs/TRACING.md lists the attributes of each span, and there are no others.";
        OTEL_ATTRIBUTE_COUNT_LIMIT = "": "As above.";
        OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT = "": "Texts are cut to 256 bytes in any case.";
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT = "": "As above.";
        OTEL_SPAN_EVENT_COUNT_LIMIT = "": "Spans have no events.";
        OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT = "": "As above.";
        OTEL_LINK_ATTRIBUTE_COUNT_LIMIT = "": "Links have no attributes.";
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE = "": "Mutual TLS with a collector is left to a collector beside the pod.";
        OTEL_EXPORTER_OTLP_CLIENT_KEY = "": "As above; likewise the four below.";
        OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE = "": "As above.";
        OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY = "": "As above.";
        OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE = "": "As above.";
        OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY = "": "As above.";
        OTEL_EXPORTER_OTLP_SPAN_INSECURE = "": "An older name; OTEL_EXPORTER_OTLP_TRACES_INSECURE is the standard's.";
        OTEL_EXPORTER_OTLP_METRIC_INSECURE = "": "As above; OTEL_EXPORTER_OTLP_METRICS_INSECURE.";
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION = "": "Boundaries are fixed, so that what is pushed and what is read at `/metrics` agree.";
        OTEL_METRICS_EXEMPLAR_FILTER = "": "Exemplars are of sampled spans, as `trace_based` says, whatever is set.";
        OTEL_EXPORTER_PROMETHEUS_HOST = "": "`/metrics` is on BRIDGE_ADMIN_PORT, else on the port of events.";
        OTEL_EXPORTER_PROMETHEUS_PORT = "": "As above.";
        OTEL_LOGS_EXPORTER = "": "Log lines go to standard error, for a collector to read there; so too all about logs below.";
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_PROTOCOL = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_HEADERS = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_TIMEOUT = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_COMPRESSION = "": "As above.";
        OTEL_EXPORTER_OTLP_LOGS_INSECURE = "": "As above.";
        OTEL_BLRP_SCHEDULE_DELAY = "": "As above.";
        OTEL_BLRP_EXPORT_TIMEOUT = "": "As above.";
        OTEL_BLRP_MAX_QUEUE_SIZE = "": "As above.";
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE = "": "As above.";
        OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT = "": "As above.";
        OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT = "": "As above.";
        OTEL_LOG_LEVEL = "": "The program's own level is BRIDGE_LOG; that of the SDK alone cannot be set.";
        OTEL_EXPORTER_ZIPKIN_ENDPOINT = "": "Collectors take OTLP; there is no second exporter.";
        OTEL_EXPORTER_ZIPKIN_TIMEOUT = "": "As above.";
        OTEL_EXPORTER_JAEGER_ENDPOINT = "": "Jaeger takes OTLP; likewise the six below.";
        OTEL_EXPORTER_JAEGER_AGENT_HOST = "": "As above.";
        OTEL_EXPORTER_JAEGER_AGENT_PORT = "": "As above.";
        OTEL_EXPORTER_JAEGER_PASSWORD = "": "As above.";
        OTEL_EXPORTER_JAEGER_PROTOCOL = "": "As above.";
        OTEL_EXPORTER_JAEGER_TIMEOUT = "": "As above.";
        OTEL_EXPORTER_JAEGER_USER = "": "As above.";
        OTEL_CONFIG_FILE = "": "Variables alone configure the program.";
        OTEL_EXPERIMENTAL_CONFIG_FILE = "": "As above.";
        OTEL_ENTITIES = "": "What the service is, OTEL_RESOURCE_ATTRIBUTES says.";
        OTEL_SEMCONV_STABILITY_OPT_IN = "": "Names of spans and attributes are those of docs/TRACING.md.";
    }
}
