#!/bin/sh
# What the run.sh of the checks in JavaScript have in common.
#   node_check.sh FOLDER PROGRAM   installs the npm packages that FOLDER's lock names, starts `PROGRAM sandbox` when FOLDER has a sandbox.json,
#                                  and runs FOLDER/check.js. Exit status 0 when all checks passed.
#   node_check.sh --kept FOLDER    exit status 0 when the packages are kept from before, so that no registry is needed
# check.js finds the program in TOUCHGATE and the sandbox's ports in SANDBOX_PORTS (the line of JSON that the sandbox printed). With
# SANDBOX_PORTS set before, that sandbox is used and PROGRAM may be left out. NODE_CACHE: folder that keeps the npm packages between runs
# (default: build/node in the repository).
set -eu
only_ask=
if [ "$1" = --kept ]; then
    only_ask=1
    shift
fi
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
cache=${NODE_CACHE:-$here/../../build/node}/$(basename "$folder")
if ! cmp -s "$folder/package-lock.json" "$cache/installed.json"; then
    [ -z "$only_ask" ] || exit 1
    mkdir -p "$cache"
    rm -f "$cache/installed.json"
    cp "$folder/package.json" "$folder/package-lock.json" "$cache"
    (cd "$cache" && npm ci --no-audit --no-fund --loglevel=error >&2)
    cp "$folder/package-lock.json" "$cache/installed.json"
fi
[ -z "$only_ask" ] || exit 0

TOUCHGATE=${2:-}
export TOUCHGATE
work=$(mktemp -d)
sandbox=
finish() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
if [ -e "$folder/sandbox.json" ] && [ -z "${SANDBOX_PORTS:-}" ]; then
    "$TOUCHGATE" sandbox --config "$folder/sandbox.json" >"$work/out" 2>"$work/err" &
    sandbox=$!
    tries=0
    until [ -s "$work/out" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$sandbox" 2>/dev/null; then
            cat "$work/err" >&2
            echo "the sandbox did not start" >&2
            exit 1
        fi
        sleep 0.1
    done
    SANDBOX_PORTS=$(head -n 1 "$work/out")
    export SANDBOX_PORTS
fi
NODE_PATH="$cache/node_modules" node "$folder/check.js"
