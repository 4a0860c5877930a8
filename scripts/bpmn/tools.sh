# Sourced by what reads models: their tools, with npm's packages, in the cache. Sets BUILT, where they are.
# shellcheck shell=bash
TOOLS=$ROOT/scripts/bpmn
command -v npm >/dev/null || die "node and npm are needed to check models; install node 20 or later"
BUILT=$CACHE/bpmn-tools-$(cat "$TOOLS"/*.mjs "$TOOLS/package-lock.json" "$TOOLS/.bpmnlintrc" | sha256_of /dev/stdin | cut -c1-12)

install_tools() {
  [ ! -d "$BUILT" ] || return 0
  make_aside bpmn-tools
  cp "$TOOLS"/*.mjs "$TOOLS"/*.json "$TOOLS/.bpmnlintrc" "$ASIDE"
  (cd "$ASIDE" && retried npm ci --no-audit --no-fund --loglevel error >npm.log 2>&1) ||
    { tail -5 "$ASIDE/npm.log" >&2; die "npm could not fetch the tools"; }
  mv "$ASIDE" "$BUILT"
}
locked bpmn-tools install_tools
