# What people and CI run, by the same names. The work is in scripts/ and in the tests.

.DEFAULT_GOAL := help
.PHONY: help demo test check unit engine knative bench interop fuzz lint-bpmn advisories clean

CARGO ?= cargo

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a real Zeebe, a local Broker and the bridge: one event in, the process's events out
	scripts/demo

test: check unit engine knative ## everything that must hold before a change lands (20 minutes on 2 cores, cold)
	@scripts/summary

check: ## formatting, lints, docs, dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

unit: ## the Rust tests that need no other toolchain
	$(CARGO) test --workspace --locked

engine: ## the scenarios against a real Zeebe broker and the in-memory engine (needs Java 21, or python3 with pip)
	scripts/zeebe fetch broker
	scripts/zeebe fetch engine
	$(CARGO) test --locked --features engine-tests --test engine

knative: ## the scenarios across Knative's own data plane (needs Go, and the broker as `make engine` does)
	scripts/knative-dataplane >/dev/null
	scripts/zeebe fetch broker
	$(CARGO) test --locked --features knative-tests --test knative
