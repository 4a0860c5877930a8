# Sourced by the scripts that put the ticket sale on a stage, in the root of the checkout.
# shellcheck shell=bash

# stage ARGUMENT...: builds, fetches, and becomes `demo stage ARGUMENT...`.
stage() {
  command -v cargo >/dev/null || die "cargo not found: install Rust from https://rustup.rs"
  local target
  scripts/zeebe fetch broker >/dev/null &
  cargo build --locked --bins --package eventing-zeebe --package demo
  wait "$!" || die "Zeebe could not be fetched"
  target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  exec "$target/debug/demo" stage --set "BRIDGE=$target/debug/eventing-zeebe" "$@"
}

# with_jaeger: what `stage` takes before its other arguments, into JAEGER_STAGE. Nothing without JAEGER; with it a
# Jaeger is built, and its addresses are in the environment of all that is on the stage.
with_jaeger() {
  JAEGER_STAGE=()
  [ -n "${JAEGER:-}" ] || return 0
  scripts/jaeger build >/dev/null
  local query otlp
  query=${JAEGER_PORT:-$(scripts/jaeger port 16686)}
  otlp=${JAEGER_OTLP_PORT:-$(scripts/jaeger port 4317)}
  # Each service has a name of its own, and none sends past this Jaeger, which takes no metrics.
  unset OTEL_SERVICE_NAME OTEL_RESOURCE_ATTRIBUTES OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_EXPORTER_OTLP_PROTOCOL \
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL OTEL_SDK_DISABLED OTEL_TRACES_EXPORTER OTEL_METRICS_EXPORTER \
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$otlp
  export TRACE_UI_URL=${TRACE_UI_URL:-http://127.0.0.1:$query}
  JAEGER_STAGE=(demo/jaeger.yaml --set "JAEGER_PORT=$query" --set "JAEGER_OTLP_PORT=$otlp")
}
