#!/usr/bin/env bash
# Touchgate beside Kannel on this machine: the same message centre and load, alternating runs, without and with receipts; JSON lines, see
# docs/performance.md. Installs Kannel (Debian and Ubuntu) if it is missing; takes free ports; leaves nothing running.
#   compare_kannel.sh [--rounds N] [--count MESSAGES] [--connections N] [--kannel-callbacks 1|2] [--real-time]
# TOUCHGATE, TOUCHGATE_BENCH: programs to use (default: build/touchgate and build/…/touchgate-bench, built when they are missing).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build="${TOUCHGATE_BUILD_DIR:-$root/build}"

if [ ! -x /usr/sbin/bearerbox ]; then
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  # RUNLEVEL=1: the package's own service is not started.
  $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends kannel > /dev/null
fi
if [ -z "${TOUCHGATE:-}" ] || [ -z "${TOUCHGATE_BENCH:-}" ]; then
  ninja -C "$build" touchgate touchgate-bench >&2
fi
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/compare_kannel.py" --program "${TOUCHGATE:-$build/touchgate}" --bench "${TOUCHGATE_BENCH:-$build/touchgate-bench}" "$@"
