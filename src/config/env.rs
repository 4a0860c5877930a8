//! Every environment variable the program reads: its name, its default with the reason, its meaning.
//!
//! One declaration here gives the field that `envy` fills, the row of `docs/CONFIG.md`, and the list
//! that an unknown `BRIDGE_*` variable is compared with. Values stay text: the rooms beside this one
//! turn them into types, so that each error can name its variable.

use serde::Deserialize;

/// One environment variable, as documented.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// The heading it stands under in the reference page.
    pub group: &'static str,
    /// The value used when the variable is unset or empty; empty where there is none.
    pub default: &'static str,
    /// What it means and why the default is what it is.
    pub doc: &'static str,
}

macro_rules! settings {
    ($($group:literal { $($name:ident $field:ident = $default:literal: $doc:literal;)* })*) => {
        /// The environment as written: one field a variable, nothing parsed yet.
        #[derive(Debug, Default, Clone, Deserialize)]
        pub struct Environment {
            $($(#[doc = $doc] pub $field: Option<String>,)*)*
        }

        /// Every variable, in the order of the reference page.
        pub const SETTINGS: &[Setting] = &[
            $($(Setting { name: stringify!($name), group: $group, default: $default, doc: $doc },)*)*
        ];

        impl Environment {
            /// The value as given, else the documented default; an empty value counts as unset.
            #[must_use]
            pub fn value(&self, name: &str) -> &str {
                match name {
                    $($(stringify!($name) => given(self.$field.as_deref()).unwrap_or($default),)*)*
                    // A name that is not declared has no value; the tests read every name that rooms ask for.
                    _ => "",
                }
            }

            /// The value if one was given and is not empty.
            #[must_use]
            pub fn given(&self, name: &str) -> Option<&str> {
                match name {
                    $($(stringify!($name) => given(self.$field.as_deref()),)*)*
                    _ => None,
                }
            }
        }
    };
}

fn given(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

settings! {
    "What runs" {
        ROLES roles = "": "`sink`, `source`, or both with a comma. Unset: the sink, plus the source where `K_SINK` is set. Naming `source` without `K_SINK` leaves the pod not ready, with the reason, until a SinkBinding replaces it.";
        RULES rules = "": "Path of the rules file (docs/RULES.md). Unset: every event is published as a message named after its `type`.";
        MODELS models = "": "BPMN, DMN or form files, or directories of them, separated by commas, deployed to the engine at start; a path that is not there is refused, a directory that holds none is warned about (an optional ConfigMap that does not exist is mounted as one). The engine ignores a model that has not changed. Unset: nothing is deployed.";
        ZEEBE_JOB_TYPES zeebe_job_types = "cloudevents,knative": "The job types that the source works, separated by commas. The default holds both names that models in the field use.";
        FETCH_VARIABLES fetch_variables = "": "The variables that jobs bring along, separated by commas, the same list for stream and poll; the variable that carries trace context and hops is always added. Unset: all that the job can see.";
        BRIDGE_THREADS bridge_threads = "auto": "Runtime threads: `auto` or a number from 1. `auto` is one thread at one CPU or less (less CPU per event, as measured), else one a CPU.";
        BRIDGE_GRACE_SECONDS bridge_grace_seconds = "25": "How long a graceful stop may take before what is left is cut off. Where spans or metrics are sent, the last fifth of it is for the last of them, and the work has the rest. Below the 30 s that Kubernetes grants by default.";
    }
    "Listening" {
        PORT port = "8080": "The port of the sink, and of health and metrics unless BRIDGE_ADMIN_PORT moves them. Knative Serving sets it.";
        BRIDGE_HOST bridge_host = "127.0.0.1": "The address to bind. Loopback by default, so that a program started by hand is not open to the network; the image sets `0.0.0.0`.";
        BRIDGE_ADMIN_PORT bridge_admin_port = "": "A port of its own for `/readyz`, `/metrics` and `/debug/...`; `/healthz` answers on both. Unset: the same port, and no `POST /debug/log`: whoever may send events must not change the logs.";
        BRIDGE_MAX_CONNECTIONS bridge_max_connections = "1024": "Connections open at one time; further ones wait to be accepted. Each costs some 10 KiB. Also the most requests in hand at one time, which HTTP/2 could multiply: further ones are answered 429.";
        BRIDGE_HEADER_TIMEOUT_MS bridge_header_timeout_ms = "5000": "How long a sender may take for a request's head. Brokers need milliseconds.";
        BRIDGE_MIN_BODY_RATE_BYTES_PER_SECOND bridge_min_body_rate_bytes_per_second = "1024": "The least rate of a request's body; a slower sender loses its place with 408, so that it cannot hold the budget of others.";
    }
    "Logs" {
        BRIDGE_LOG bridge_log = "info": "What to log: a level, or directives such as `info,eventing_zeebe::sink=debug`.";
        BRIDGE_DECISIONS_KEPT bridge_decisions_kept = "0": "How many of the last decisions about events and jobs are kept in memory, for `GET /debug/decisions` to answer what became of one (docs/OPERATING.md): identifiers and outcomes, no data. Set BRIDGE_ADMIN_PORT with it: that page asks for no token, and a start without is warned about. Each takes 2 KiB at most, mostly a quarter of it. `0`, the default, keeps none and costs nothing; up to 100000.";
        BRIDGE_LOG_FORMAT bridge_log_format = "auto": "`json` (one object a line), `text`, or `auto`: text in a terminal, else JSON.";
    }
    "The engine" {
        ZEEBE_GRPC_ADDRESS zeebe_grpc_address = "http://127.0.0.1:26500": "The gateway: `http://HOST:PORT`, or `https://HOST:PORT` for TLS. The default is where a local engine listens.";
        ZEEBE_ADDRESS zeebe_address = "": "The older form, `HOST:PORT`; TLS unless ZEEBE_INSECURE_CONNECTION is `true`. ZEEBE_GRPC_ADDRESS wins.";
        ZEEBE_INSECURE_CONNECTION zeebe_insecure_connection = "false": "`true` makes a ZEEBE_ADDRESS plaintext. Contradicting the scheme of ZEEBE_GRPC_ADDRESS is an error.";
        ZEEBE_CA_CERTIFICATE_PATH zeebe_ca_certificate_path = "": "A PEM file with the authority that vouches for the gateway (and the authorization server), in place of the public ones.";
        ZEEBE_CLIENT_CERTIFICATE_PATH zeebe_client_certificate_path = "": "A PEM file with our certificate chain, for mutual TLS. Needs ZEEBE_CLIENT_KEY_PATH.";
        ZEEBE_CLIENT_KEY_PATH zeebe_client_key_path = "": "A PEM file with the key of ZEEBE_CLIENT_CERTIFICATE_PATH.";
        ZEEBE_OVERRIDE_AUTHORITY zeebe_override_authority = "": "The name expected in the gateway's certificate where it differs from the address.";
        ZEEBE_CLIENT_ID zeebe_client_id = "": "OAuth client id (Camunda 8 SaaS and self-managed Identity). Needs ZEEBE_CLIENT_SECRET.";
        ZEEBE_CLIENT_SECRET zeebe_client_secret = "": "OAuth client secret. Never logged.";
        ZEEBE_AUTHORIZATION_SERVER_URL zeebe_authorization_server_url = "https://login.cloud.camunda.io/oauth/token": "Where tokens come from. The default is that of Camunda 8 SaaS, as in the official clients.";
        ZEEBE_TOKEN_AUDIENCE zeebe_token_audience = "": "The audience asked for. Unset: the gateway's host, as in the official clients.";
        ZEEBE_TOKEN_SCOPE zeebe_token_scope = "": "The scope asked for. Unset: none.";
        ZEEBE_BASIC_AUTH_USERNAME zeebe_basic_auth_username = "": "User for HTTP basic authentication, where a proxy before the gateway asks for it. Needs ZEEBE_BASIC_AUTH_PASSWORD; excludes OAuth.";
        ZEEBE_BASIC_AUTH_PASSWORD zeebe_basic_auth_password = "": "Its password. Never logged.";
        ZEEBE_DEFAULT_TENANT_ID zeebe_default_tenant_id = "": "The tenant that commands name and jobs are fetched for. Unset: the engine's default tenant. Never taken from an event.";
        ZEEBE_KEEP_ALIVE zeebe_keep_alive = "45000": "Milliseconds between HTTP/2 pings, also while idle. A gateway closes connections that ping every 5 s as abusive; 45 s is the official clients' pace.";
        BRIDGE_CALL_TIMEOUT_MS bridge_call_timeout_ms = "10000": "The deadline of one engine command. A command that an event leads to is not waited for beyond what is left of BRIDGE_RETRY_IN_REQUEST_SECONDS either.";
    }
    "The sink" {
        BRIDGE_TIME_TO_LIVE_SECONDS bridge_time_to_live_seconds = "3600": "Time to live of messages where a rule says nothing. It is how long a redelivery is recognised, how long a message may wait for its instance, and storage in the engine for every event.";
        BRIDGE_DATA_VARIABLE bridge_data_variable = "data": "The variable that takes data which is not a JSON object.";
        BRIDGE_EVENT_VARIABLE bridge_event_variable = "": "The variable that takes the event's context attributes as one object. Unset: none.";
        BRIDGE_NO_RULE bridge_no_rule = "accept": "What an event gets that no rule selects: `accept` (202 and a metric) or `refuse` (422, so that the dead letter sink has it).";
        BRIDGE_NOT_DEPLOYED bridge_not_deployed = "retry": "What an event gets whose process the engine does not know: `retry` (503, so that the order of deployments does not matter) or `refuse` (422, so that the dead letter sink has it at once).";
        BRIDGE_RETRY_IN_REQUEST_SECONDS bridge_retry_in_request_seconds = "10": "The time a request has with the engine: backpressure and an engine that is away are retried for so long before the Broker is told 429 or 503, and no attempt is waited for beyond it. `0` is one attempt, which has BRIDGE_CALL_TIMEOUT_MS. Must be below BRIDGE_TRIGGER_TIMEOUT_SECONDS.";
        BRIDGE_TRIGGER_TIMEOUT_SECONDS bridge_trigger_timeout_seconds = "30": "The `delivery.timeout` of the Triggers that lead here. Only compared with, never enforced.";
        BRIDGE_TRIGGER_HORIZON_SECONDS bridge_trigger_horizon_seconds = "600": "The longest time over which those Triggers redeliver. A time to live below it ends deduplication too early: refused for starts, warned about otherwise. The default covers the shipped Triggers: 10 retries from 0.2 s doubling, each up to 30 s.";
        BRIDGE_BODY_BUDGET_BYTES bridge_body_budget_bytes = "33554432": "Bytes of request bodies, and of the commands they lead to, held at one time, from their arrival to the engine's answer. Bounds memory whatever is sent: at most three times as much is in use.";
        BRIDGE_MAX_EVENT_BYTES bridge_max_event_bytes = "4194304": "The largest request body; above it 413. The engine takes no command over 4 MiB.";
        BRIDGE_MAX_BATCH_EVENTS bridge_max_batch_events = "100": "The most events in one batched request; above it 413.";
        BRIDGE_MAX_COMMANDS_PER_REQUEST bridge_max_commands_per_request = "256": "The most engine commands that one request may lead to, by its events and the rules that they match; above it 422, and none runs. The default lets two rules act on each event of the largest batch.";
        BRIDGE_MAX_COMMANDS_IN_FLIGHT bridge_max_commands_in_flight = "256": "The most engine commands at one time. Below it the limit adapts: it shrinks with backpressure and grows with success.";
    }
    "Who may send" {
        BRIDGE_OIDC_ISSUER bridge_oidc_issuer = "": "Whose tokens are asked for, exactly as `iss` in them: https, or http on this machine. In a cluster, what `kubectl get --raw /.well-known/openid-configuration` calls `issuer`. Needs BRIDGE_OIDC_AUDIENCE. Unset: nobody is asked for a token.";
        BRIDGE_OIDC_AUDIENCE bridge_oidc_audience = "": "Whom the tokens are for: the `audience` of each Trigger's subscriber. Needs BRIDGE_OIDC_ISSUER.";
        BRIDGE_OIDC_ALLOWED_SUBJECTS bridge_oidc_allowed_subjects = "": "Who may send, separated by commas; `*` at the end of one stands for anything, as in `system:serviceaccount:NAMESPACE:*`. Unset: whoever has a token of that issuer for that audience, which in a cluster is everybody who may create pods.";
        BRIDGE_OIDC_CA_CERTIFICATE_PATH bridge_oidc_ca_certificate_path = "": "A PEM file with the authority that vouches for the issuer, in place of the public ones; read again as it rotates. In a cluster, `ca.crt` of the ConfigMap `kube-root-ca.crt`.";
        BRIDGE_OIDC_DISCOVERY_TOKEN_PATH bridge_oidc_discovery_token_path = "": "A token of our own that the issuer is shown when its keys are read; read again as it rotates. Kubernetes answers 403 without one. Unset: none is shown.";
    }
    "The source" {
        K_SINK k_sink = "": "Where events go. Set by a SinkBinding.";
        K_CE_OVERRIDES k_ce_overrides = "": "Extensions for every event that leaves, `{\"extensions\":{\"name\":\"value\"}}`. Set by a SinkBinding.";
        K_CA_CERTS k_ca_certs = "": "PEM certificates that vouch for the destination, beside the public ones. Set by a SinkBinding.";
        BRIDGE_OIDC_TOKEN_PATH bridge_oidc_token_path = "/oidc/token": "The token sent with each delivery, if the file is there; read again as it rotates. One that has run out holds deliveries back. The default is where a SinkBinding mounts it. BRIDGE_OIDC_TOKEN_REQUIRED waits for it.";
        BRIDGE_OIDC_TOKEN_REQUIRED bridge_oidc_token_required = "false": "`true` where the destination is known to ask for a token: while the file is not there, is empty, has run out or cannot be read there is no destination yet, and no jobs are worked, as without `K_SINK`. Knative brings `K_SINK` a moment before the token, and a Broker answers 401 to what is sent between, which makes an incident of a job. `false`, since a SinkBinding brings no token where nobody asks for one.";
        BRIDGE_ENGINE_NAME bridge_engine_name = "default": "Names the engine in the `source` attribute: `/zeebe/NAME`. One value a cluster; job keys restart on a fresh engine, so a new engine needs a new name, or consumers that remember ids will take new events for old.";
        BRIDGE_ALLOWED_DESTINATIONS bridge_allowed_destinations = "": "URL prefixes, separated by commas, that a task's `Host` header may choose in place of K_SINK. Unset: none, and such a header is ignored.";
        BRIDGE_MAX_JOBS_ACTIVE bridge_max_jobs_active = "32": "Jobs held at one time, over all job types.";
        BRIDGE_JOB_BUDGET_BYTES bridge_job_budget_bytes = "16777216": "Bytes of jobs held at one time. At least 4194304: the largest job must fit.";
        BRIDGE_JOB_TIMEOUT_SECONDS bridge_job_timeout_seconds = "15": "How long the engine keeps a job for us without a sign of life. Renewed at a third of it while the job is held, so a killed pod's jobs come back within this time.";
        BRIDGE_POLL_INTERVAL_SECONDS bridge_poll_interval_seconds = "10": "The pause between polls beside the job stream; none where the last poll came back full. Streams push only what becomes activatable while they are open; the backlog is the poller's.";
        BRIDGE_STREAM bridge_stream = "true": "`false` turns the job stream off and leaves polling.";
        BRIDGE_DELIVERY_TIMEOUT_SECONDS bridge_delivery_timeout_seconds = "600": "How long one delivery may take. Long, because an in-memory Broker answers only after all retries of all its Triggers.";
        BRIDGE_RETRY_BACKOFF_MS bridge_retry_backoff_ms = "1000": "The first pause before a job whose delivery failed is offered again; doubles with each retry used, up to a minute.";
        BRIDGE_DRAIN_SECONDS bridge_drain_seconds = "240": "How long one `POST /drain` may go on, from its first request; what is in hand then is waited for, and it is answered before BRIDGE_SERVICE_TIMEOUT_SECONDS in any case. The default leaves the minute that a Knative Service's 300 s have beyond it. Must be below BRIDGE_SERVICE_TIMEOUT_SECONDS, and should be above BRIDGE_JOB_TIMEOUT_SECONDS: for so long a drain waits for the jobs of a pod that died.";
        BRIDGE_SERVICE_TIMEOUT_SECONDS bridge_service_timeout_seconds = "300": "The `timeoutSeconds` of the Knative Service that runs this: how long its queue proxy lets a request take, and how long a pod has to end. Only compared with, never enforced.";
        BRIDGE_HOP_LIMIT bridge_hop_limit = "255": "How often an event may come back through a process before its loop is stopped with an incident. From 1 to 255, the Broker's own limit.";
        BRIDGE_TRACE_CONTINUE bridge_trace_continue = "parent": "How a job goes on from the trace of its process: `parent`, in the same trace, so that one trace leads from the first event to the last; `link`, in a new one that points there, where processes wait for days or a trace must not grow without end.";
    }
}
