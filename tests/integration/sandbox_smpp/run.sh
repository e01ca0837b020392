#!/bin/sh
# run.sh PROGRAM: starts `PROGRAM sandbox` on free ports and lets check.js talk to it. Exit status 0 when all checks passed.
# With SANDBOX_PORTS set (the line of JSON that a running sandbox printed) that sandbox is used and PROGRAM may be left out.
# NODE_CACHE: folder that keeps the npm packages between runs (default: build/node in the repository).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${NODE_CACHE:-$here/../../../build/node}/$(basename "$here")
mkdir -p "$cache"
if ! cmp -s "$here/package.json" "$cache/installed.json"; then
    rm -rf "$cache/node_modules"
    cp "$here/package.json" "$cache/package.json"
    (cd "$cache" && npm install --no-audit --no-fund --loglevel=error >&2)
    cp "$here/package.json" "$cache/installed.json"
fi
work=$(mktemp -d)
sandbox=
finish() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT INT TERM
if [ -z "${SANDBOX_PORTS:-}" ]; then
    "$1" sandbox --config "$here/sandbox.json" >"$work/out" 2>"$work/err" &
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
NODE_PATH="$cache/node_modules" node "$here/check.js"
