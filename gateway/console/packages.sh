#!/bin/sh
# Installs the npm packages that the lock file names, if they are not there yet. --kept: only tells by the exit status whether they are.
set -eu
cd "$(dirname "$0")"
if cmp -s package-lock.json node_modules/.installed.json; then exit 0; fi
[ "${1:-}" != --kept ] || exit 1
npm ci --no-audit --no-fund --loglevel=error
cp package-lock.json node_modules/.installed.json
