#!/usr/bin/env bash
# Sees to it that a Chromium is there for tests/browser: where none is, it installs Debian's, if it may (root, apt-get).
# Where it may not it says so and goes on: the tests are skipped then, or fail under CI=true.
set -euo pipefail

for name in "${BRIGHTROOM_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "browser: no Chromium is here for tests/browser. Install one (Debian: apt-get install chromium), or name one in BRIGHTROOM_CHROMIUM."
    exit 0
fi
echo "browser: installing chromium"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
DEBIAN_FRONTEND=noninteractive sh -c "apt-get update && apt-get install -y --no-install-recommends chromium" >"$log" 2>&1 || {
    tail -n 15 "$log"
    echo "browser: apt-get could not install chromium; the lines above say why."
}
