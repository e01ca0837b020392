#!/usr/bin/env bash
# Builds Touchgate, starts the sandbox and the gateway with the demo configuration, sends a demo campaign to 20,000 customers, prints the
# report and stays up. --once: ends after the report.
set -euo pipefail
cd "$(dirname "$0")"
export TOUCHGATE_BUILD_DIR="${TOUCHGATE_BUILD_DIR:-build}"
once=""; [ "${1:-}" = --once ] && once=1

./setup.sh
[ -e "$TOUCHGATE_BUILD_DIR/build.ninja" ] || TOUCHGATE_DEPENDENCIES="$(realpath -m "$TOUCHGATE_BUILD_DIR")/dependencies" \
  cmake -G Ninja -S . -B "$TOUCHGATE_BUILD_DIR" -DCMAKE_BUILD_TYPE=Release > "$TOUCHGATE_BUILD_DIR.configure.log" || { cat "$TOUCHGATE_BUILD_DIR.configure.log" >&2; exit 1; }
echo "building (the first time takes some minutes) …"
ninja -C "$TOUCHGATE_BUILD_DIR" touchgate > "$TOUCHGATE_BUILD_DIR/build.log" || { tail -50 "$TOUCHGATE_BUILD_DIR/build.log" >&2; exit 1; }
TOUCHGATE_BUILD_DIR="$TOUCHGATE_BUILD_DIR" gateway/console/build.sh
exec python3 demo/run_demo.py --program "$TOUCHGATE_BUILD_DIR/touchgate" ${once:+--once}
