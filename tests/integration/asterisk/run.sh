#!/usr/bin/env bash
# run.sh CONSOLE: the checks of check.py with CONSOLE = build/touchgate-call-console. Sets Asterisk up first (see setup.sh); exit status 3 when
# that cannot be had here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
TOUCHGATE_CALL_CONSOLE=$(realpath "$1")
TOUCHGATE_ASTERISK=$("$here/setup.sh" | tail -1)
export TOUCHGATE_CALL_CONSOLE TOUCHGATE_ASTERISK
shift
cd "$here"
PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -v check "$@"
