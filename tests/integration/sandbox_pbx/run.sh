#!/bin/sh
# run.sh PROGRAM: the checks of check.js. See ../node_check.sh.
exec "$(dirname "$0")/../node_check.sh" "$(dirname "$0")" "$@"
