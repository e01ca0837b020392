#!/bin/sh
# Builds the agent's console into $TOUCHGATE_BUILD_DIR/console, beside the program that serves it. Does nothing when nothing has changed.
# Without node and npm, or when npm fails, one line says so and the exit status is 0: the gateway then serves the API without the pages.
# --strict: exit status 1 in that case.
set -u
here=$(cd "$(dirname "$0")" && pwd)
strict=
[ "${1:-}" = --strict ] && strict=1
mkdir -p "${TOUCHGATE_BUILD_DIR:-$here/../../build}"
build=$(cd "${TOUCHGATE_BUILD_DIR:-$here/../../build}" && pwd)
client=$here/../../docs/examples/agent-client

without() {
    echo "the agent's console was not built: $1; the gateway serves the API only" >&2
    [ -z "$strict" ] && exit 0
    exit 1
}

state() {
    cd "$here" && find package.json package-lock.json vite.config.ts tsconfig.json index.html sidebar.html src "$client/src" -type f | LC_ALL=C sort | while read -r file; do
        cksum "$file"
    done | cksum
}

wanted=$(state)
[ -e "$build/console/index.html" ] && [ "$(cat "$build/console.built" 2>/dev/null)" = "$wanted" ] && exit 0
command -v node >/dev/null && command -v npm >/dev/null || without "node and npm are not installed"
"$here/packages.sh" >"$build/console-npm.log" 2>&1 || without "npm failed, see $build/console-npm.log"
# Built aside and moved: a running gateway never sees half of it.
rm -rf "$build/console.new" "$build/console.old"
(cd "$here" && node_modules/.bin/vite build --outDir "$build/console.new" --logLevel warn) >"$build/console-build.log" 2>&1 || without "its build failed, see $build/console-build.log"
[ ! -e "$build/console" ] || mv "$build/console" "$build/console.old"
mv "$build/console.new" "$build/console"
rm -rf "$build/console.old"
echo "$wanted" >"$build/console.built"
