# What people and CI run, by the same names. The work is in scripts/ and in the tests.

.DEFAULT_GOAL := help
.PHONY: help demo jaeger-test browser crowd crowd-test test check unit engine knative kn-check chart alerts e2e e2e-idle e2e-policies bench interop fuzz lint-bpmn advisories image clean

CARGO ?= cargo

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## the ticket sale on this machine, with a page to buy at and a process to watch; until Ctrl-C
	scripts/demo

crowd: ## 100,000 customers for 20,000 tickets, and what must be true when they have gone
	scripts/crowd big

crowd-test: ## 500 customers: undisturbed, while everything is killed, and so again over Knative's own data plane (needs Go)
	scripts/crowd calm
	scripts/crowd faults
	scripts/crowd knative

browser: ## the models in the Modeler's editor and the page of `make demo`, in a real, headless browser (needs node and Chromium besides)
	scripts/open-models
	scripts/browser-test

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

kn-check: ## the kn commands of docs/INSTALL.md make what is in knative/ (needs Go)
	scripts/kn >/dev/null
	$(CARGO) test --locked --features kn-tests --test kn

chart: ## the Helm chart: lint, its tests, the schemas of Kubernetes and Knative, and the comparison with knative/ (needs Go, and python3 with pip)
	scripts/chart-tools >/dev/null
	scripts/knative-dataplane >/dev/null
	$(CARGO) test --locked --features chart-tests --test chart

jaeger-test: ## the ticket sale's trace in a real Jaeger, whole from the click to the tickets (needs Go and python3, and what `make demo` does)
	scripts/jaeger-test

alerts: ## the alert rules: each fires in a test, and is silent while all is well and at what comes near; the dashboard, by Grafana's schemas; and our OpenMetrics, by Prometheus' parser (needs promtool and Go)
	scripts/alerts

e2e: ## the scenarios on a whole cluster, the one that KUBECONFIG names (needs kubectl, helm, Knative Eventing and Serving there)
	scripts/e2e

e2e-idle: ## what an idle hour costs there, which `make e2e` leaves out; an hour for each topology
	scripts/e2e --idle

e2e-policies: ## whom the NetworkPolicies let pass there, which `make e2e` leaves out: it takes a cluster that enforces them
	scripts/e2e --policies

bench: ## the benchmarks, and a load run of the release bridge: beside the bare limit of the same stack, and with traces beside without
	$(CARGO) bench --locked -p cloudevents-http -p runtime -p eventing-zeebe --bench codec --bench per_event --bench per_request --bench rules
	$(CARGO) build --release --locked -p eventing-zeebe --bin eventing-zeebe
	$(CARGO) bench --locked -p testkit --bench load

interop: ## other implementations of CloudEvents read what ours writes (needs Go and node)
	scripts/interop

fuzz: ## two minutes of arbitrary bytes into the codec (needs a nightly toolchain and cargo-fuzz)
	mkdir -p fuzz/corpus/codec
	$(CARGO) +nightly fuzz run codec fuzz/corpus/codec fuzz/seeds/codec -- -max_total_time=120

lint-bpmn: ## the models, by bpmnlint's and Camunda's rules (needs node)
	scripts/lint-bpmn

advisories: ## known vulnerabilities of the dependencies (needs cargo-deny and the network)
	$(CARGO) deny check advisories

image: ## both container images, and whether they are what docs/INSTALL.md says (needs docker, podman or buildah)
	scripts/image

clean: ## what cargo built
	$(CARGO) clean
