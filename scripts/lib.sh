# Sourced by the scripts beside it. Bash 3.2 (macOS) is enough: no associative arrays, no ${x,,}.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# All that is fetched or built stays outside the checkout, so that `git clean` costs nothing
# and several checkouts share it.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/eventing-zeebe
ME=$(basename "$0")
export ROOT CACHE
mkdir -p "$CACHE"

say() { echo "$ME: $*" >&2; }
die() { say "$*"; exit 1; }

# locked NAME COMMAND...: one at a time on this machine. Correctness does not hang on it, as
# everything in the cache is made aside and renamed into place: without flock (macOS) two that
# run at once do the work twice.
locked() {
  local name=$1
  shift
  if command -v flock >/dev/null; then
    (
      flock -n 9 || { say "waiting for another that prepares the same"; flock 9; }
      "$@"
    ) 9>"$CACHE/$name.lock"
  else
    ( "$@" )
  fi
}

# make_aside NAME: sets ASIDE, a folder that goes away with this (sub)shell.
make_aside() {
  # Of one that was killed before it could tidy up.
  find "$CACHE" -maxdepth 1 -name 'aside-*' -mtime +1 -exec rm -rf {} +
  ASIDE=$(mktemp -d "$CACHE/aside-$1.XXXXXX")
  trap 'rm -rf "$ASIDE"' EXIT
}

# retried COMMAND...: up to four times, as a download fails now and then.
retried() {
  local pause
  for pause in 2 5 10 0; do
    "$@" && return
    [ "$pause" = 0 ] || { say "failed, once more in $pause s: $*"; sleep "$pause"; }
  done
  return 1
}

# needs_go LEAST WHAT: sets GO_MINOR, of Go 1.x, or ends where there is none or an older one than 1.LEAST.
needs_go() {
  local wanted="Go 1.$1 or later is needed $2"
  command -v go >/dev/null || die "$wanted; see https://go.dev/doc/install"
  GO_MINOR=$(GOTOOLCHAIN=local go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${GO_MINOR:-0}" -ge "$1" ] || die "$wanted, this is 1.${GO_MINOR:-?}; see https://go.dev/doc/install"
}

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi <"$1" | cut -d' ' -f1
}
