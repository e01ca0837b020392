#!/usr/bin/env bash
# run.sh CONSOLE [TEST…]: all checks against a real Asterisk, with CONSOLE = build/touchgate-call-console; touchgate and the console's pages lie beside it.
#   check            the adapter by itself
#   campaign_check   the gateway dials 200 recipients
#   console_check    the gateway, and agents at the console's page in Chromium
# Sets Asterisk up first (see setup.sh); exit status 3 when that cannot be had here. Lines "skip NAME REASON" tell what could not be tried.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
TOUCHGATE_CALL_CONSOLE=$(realpath "$1")
build=$(dirname "$TOUCHGATE_CALL_CONSOLE")
shift
export TOUCHGATE=${TOUCHGATE:-$build/touchgate}
TOUCHGATE_ASTERISK=$(TOUCHGATE_BUILD_DIR=${TOUCHGATE_BUILD_DIR:-$build} "$here/setup.sh" | tail -1)
export TOUCHGATE_CALL_CONSOLE TOUCHGATE_ASTERISK
cd "$here"
# The pages, if they can be built here.
TOUCHGATE_BUILD_DIR=$(dirname "$TOUCHGATE") ../../../gateway/console/build.sh || true
tests=("$@")
if [ $# = 0 ]; then
  tests=(check campaign_check)
  missing=$(python3 -B -c 'import os, desktop; print(desktop.why_not(os.environ["TOUCHGATE"]))')
  if [ -z "$missing" ]; then tests+=(console_check); else echo "skip console_check $missing"; fi
fi
PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -v "${tests[@]}"
