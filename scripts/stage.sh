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
