# Sourced by what drives a browser: finds it, and what drives it comes into the cache. Sets BROWSER and TESTS.
# shellcheck shell=bash
TESTS=$ROOT/tests/browser
command -v npm >/dev/null || die "node and npm are needed to drive a browser; install node 20 or later"

find_chromium() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
    command -v "$name" && return
  done
  return 1
}
install_chromium() {
  [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "installing Chromium"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >&2
}
BROWSER=$(find_chromium) || { install_chromium && BROWSER=$(find_chromium); } ||
  die "no Chromium: install the package chromium (Debian), chromium-browser (Ubuntu) or Google Chrome, or set CHROMIUM"

install_packages() {
  [ ! -d "$BUILT" ] || return 0
  make_aside browser-test
  cp "$TESTS"/package*.json "$ASIDE"
  (cd "$ASIDE" && retried npm ci --no-audit --no-fund --loglevel error >npm.log 2>&1) ||
    { tail -5 "$ASIDE/npm.log" >&2; die "npm could not fetch the packages"; }
  mv "$ASIDE" "$BUILT"
}

# in_browser PROGRAM ARGUMENT...: runs a program of tests/browser with BROWSER and these arguments.
in_browser() {
  local program=$1
  shift
  BUILT=$CACHE/browser-test-$(cat "$TESTS/package-lock.json" | sha256_of /dev/stdin | cut -c1-12)
  locked browser-test install_packages
  # Packages are looked for beside the program, so it runs from a copy beside them.
  make_aside browser-run
  cp -R "$TESTS"/*.mjs "$TESTS/scenarios" "$TESTS/package.json" "$ASIDE"
  ln -s "$BUILT/node_modules" "$ASIDE/node_modules"
  node "$ASIDE/$program" "$BROWSER" "$@"
}
