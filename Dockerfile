# The bridge (the last stage, so the default) and the demo's services (--target demo): one static program
# each, and nothing beside it. Why it is so: docs/DECISIONS.md, "The image".
#
#   docker build -t dev.local/eventing-zeebe:0.1.0 .
#   docker build -t dev.local/eventing-zeebe-demo:0.1.0 --target demo .
#   docker build --platform linux/arm64 ...          cross-compiled: no emulation
#
# scripts/image does both with docker, podman or buildah, and looks at what came out.

# At least `rust-version` of Cargo.toml; tests/it/image.rs compares.
ARG RUST_VERSION=1.95.0

FROM --platform=$BUILDPLATFORM docker.io/library/rust:${RUST_VERSION}-slim-bookworm AS toolchain
# clang compiles for any processor; the C sources (ring, SQLite) want headers of the target's libc besides. Rust's
# musl targets bring the libc itself and rust-lld links, so that no compiler of the target is needed. Only
# unpacked: installed, musl-dev of another processor would want that processor's gcc.
# The builder sets TARGETARCH; BuildKit would take a default given here instead, whatever --platform says.
ARG TARGETARCH
RUN : "${TARGETARCH:?is what the builder says an image is for; where it says nothing: --build-arg TARGETARCH=amd64}" \
 && dpkg --add-architecture "$TARGETARCH" \
 && apt-get update \
 && apt-get install -y --no-install-recommends clang llvm \
 && cd /tmp && apt-get download "musl-dev:$TARGETARCH" \
 && mkdir /musl && dpkg-deb -x musl-dev_*.deb /musl \
 && mv /musl/usr/include/*-linux-musl /musl/include \
 && rm -rf musl-dev_*.deb /musl/usr /var/lib/apt/lists/*
# Another Rust target for whoever wants one; empty: the musl target of TARGETARCH.
ARG RUST_TARGET=
RUN case "$TARGETARCH" in amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; \
      *) echo "TARGETARCH=$TARGETARCH: only amd64 and arm64 are known here" >&2; exit 1 ;; esac \
 && target="${RUST_TARGET:-$cpu-unknown-linux-musl}" \
 && echo "$target" > /target \
 && { [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || rustup target add "$target"; }
# mimalloc would say when it was compiled, and no two builds would agree; and where a node gives huge pages to all, it
# would take them, for twice the memory.
ENV MIMALLOC='-Wno-builtin-macro-redefined -D__DATE__="-" -D__TIME__="-" -DMI_DEFAULT_ALLOW_THP=0'
ENV CARGO_HOME=/usr/local/cargo \
    CC_x86_64_unknown_linux_musl=clang \
    CC_aarch64_unknown_linux_musl=clang \
    AR_x86_64_unknown_linux_musl=llvm-ar \
    AR_aarch64_unknown_linux_musl=llvm-ar \
    CFLAGS_x86_64_unknown_linux_musl="-nostdlibinc -isystem /musl/include $MIMALLOC" \
    CFLAGS_aarch64_unknown_linux_musl="-nostdlibinc -isystem /musl/include $MIMALLOC" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \
    RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/usr/local/cargo/registry=/registry"

# What both programs are compiled from, without the tests. A new member of the workspace must be here:
# tests/it/image.rs looks.
FROM toolchain AS sources
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY demo demo
COPY benches benches
COPY src src
# Cargo goes by times of change, and what came with a checkout may be older than what lies in the cache.
RUN find crates demo src -type f -exec touch {} +

# Dependencies are compiled once: cargo's own folders outlive this layer, so that a change of ours compiles ours.
FROM sources AS compiled-demo
# For a build in a hurry: thin and 16, say. Without them the release profile of Cargo.toml.
ARG CARGO_PROFILE_RELEASE_LTO
ARG CARGO_PROFILE_RELEASE_CODEGEN_UNITS
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    target=$(cat /target) \
 && cargo build --locked --release --target "$target" -p demo --bin demo \
 && mkdir -p /out/data \
 && cp target/"$target"/release/demo /out/demo

FROM sources AS compiled-bridge
ARG CARGO_PROFILE_RELEASE_LTO
ARG CARGO_PROFILE_RELEASE_CODEGEN_UNITS
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    target=$(cat /target) \
 && cargo build --locked --release --target "$target" -p eventing-zeebe --bin eventing-zeebe \
 && mkdir -p /out \
 && cp target/"$target"/release/eventing-zeebe /out/eventing-zeebe

FROM scratch AS demo
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="eventing-zeebe-demo" \
      org.opencontainers.image.description="The services of the ticket sale, and a dead letter sink to look into" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY LICENSE /LICENSE
# An empty folder that the user may write to, for whoever mounts nothing there.
COPY --from=compiled-demo --chown=65532:65532 /out/data /data
COPY --from=compiled-demo /out/demo /demo
ENV LISTEN=0.0.0.0 EVENTS_LISTEN=0.0.0.0 PORT=8080 DATA_DIR=/data
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/demo"]

FROM scratch AS bridge
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="eventing-zeebe" \
      org.opencontainers.image.description="A Knative Eventing sink and source for the Zeebe workflow engine" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY LICENSE /LICENSE
COPY --from=compiled-bridge /out/eventing-zeebe /eventing-zeebe
ENV BRIDGE_HOST=0.0.0.0
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/eventing-zeebe"]
