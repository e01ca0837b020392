#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. The last line is "N passed, N failed"; exit status 1 if any failed.
#   ./test.sh          everything a change must pass
#   ./test.sh --long   also calls through a real Asterisk, with browsers as agents' telephones (with CI set: always), more random cases and seeds, deliberate faults that the simulation must find, and unit, property, fuzz, simulation
#                      and acceptance tests built with the address and undefined-behaviour sanitizers, those with threads with the thread sanitizer
# TOUCHGATE_BUILD_DIR: where to build (build). What each test printed is in $TOUCHGATE_BUILD_DIR/test-logs.
set -uo pipefail
cd "$(dirname "$0")"
build="${TOUCHGATE_BUILD_DIR:-build}"
export TOUCHGATE_BUILD_DIR="$build"
long=""
case "${1:-}" in
  --long) long=1 ;;
  "") ;;
  *) echo "usage: ./test.sh [--long]" >&2; exit 2 ;;
esac

passed=0 failed=0 failures=()
logs="$(realpath -m "$build")/test-logs"
rm -rf "$logs"
mkdir -p "$logs"

finish() {
  if [ ${#failures[@]} -gt 0 ]; then
    echo
    echo "failed:"
    printf '  %s\n' "${failures[@]}"
  fi
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && exit 0
  exit 1
}

# Number in the first match of a pattern with one group; 0 without.
number() { local found; found=$(sed -nE "s/.*$1.*/\\1/p" "$2" | tail -1); echo "${found:-0}"; }

# run NAME COMMAND…: one line of result. Test cases are counted where the output names them (Catch2, unittest, checks.js), else the command is one.
run() {
  local name=$1 log="$logs/${1//\//_}.log" start=$SECONDS status cases bad
  shift
  "$@" > "$log" 2>&1 < /dev/null
  status=$?
  cases=$(number 'All tests passed \([0-9]+ assertions? in ([0-9]+) test cases?\)' "$log")
  [ "$cases" = 0 ] && cases=$(number 'test cases: +([0-9]+) \|' "$log")
  [ "$cases" = 0 ] && cases=$(number 'Ran ([0-9]+) tests? in' "$log")
  [ "$cases" = 0 ] && cases=$(number '[0-9]+ of ([0-9]+) checks passed' "$log")
  [ "$cases" = 0 ] && cases=1
  bad=0
  if [ "$status" != 0 ]; then
    bad=$(number 'test cases: .*\| +([0-9]+) failed' "$log")
    [ "$bad" = 0 ] && bad=$(( $(number 'FAILED \(.*failures=([0-9]+)' "$log") + $(number 'FAILED \(.*errors=([0-9]+)' "$log") ))
    [ "$bad" = 0 ] && grep -q ' checks passed$' "$log" && bad=$((cases - $(number '\b([0-9]+) of [0-9]+ checks passed' "$log")))
    [ "$bad" = 0 ] && bad=1
    [ "$bad" -gt "$cases" ] && cases=$bad
    failures+=("$name  ($log)")
    printf 'FAIL  %-40s %4d of %d, %d s\n' "$name" "$bad" "$cases" $((SECONDS - start))
    tail -25 "$log" | sed 's/^/      | /'
  else
    printf 'ok    %-40s %4d, %d s\n' "$name" "$cases" $((SECONDS - start))
  fi
  passed=$((passed + cases - bad))
  failed=$((failed + bad))
  return $status
}

skip() { printf 'skip  %-40s %s\n' "$1" "$2"; }

# configure FOLDER OPTIONS…
configure() {
  local folder=$1
  shift
  TOUCHGATE_DEPENDENCIES="$(realpath -m "$build")/dependencies" cmake -G Ninja -S . -B "$folder" "$@"
}
build_targets() { local folder=$1; shift; ninja -C "$folder" "$@"; }

# The tests of a build folder whose names match.
run_programs() {
  local folder=$1 prefix=$2 pattern=$3 name
  for name in $(ctest --test-dir "$folder" -N | sed -nE 's/^ +Test +#[0-9]+: //p' | grep -E "$pattern"); do
    run "$prefix$name" ctest --test-dir "$folder" -V -R "^$name\$" --timeout "$((900 * ${TOUCHGATE_TEST_PATIENCE:-1}))"
  done
}

# acceptance PREFIX PROGRAM: all tests from outside, against this program.
acceptance() {
  local test name
  for test in tests/acceptance/*_test.py; do
    name=$(basename "$test" .py)
    run "$1acceptance/$name" env -C tests/acceptance TOUCHGATE="$2" PYTHONDONTWRITEBYTECODE=1 python3 -m unittest "$name"
  done
}

# Whether each deliberate fault still fits the code that it is to break.
mutations_apply() {
  local patch status=0
  for patch in tests/simulation/mutations/*.patch; do git apply --check "$patch" || status=1; done
  return $status
}

# sanitized KIND FOLDER TARGETS…: builds. What is found later goes to test-logs/KIND-report.<process>, also from processes that tests start and kill.
sanitized() {
  local kind=$1 folder=$2
  shift 2
  export TSAN_OPTIONS="log_path=$logs/$kind-report second_deadlock_stack=1" ASAN_OPTIONS="log_path=$logs/$kind-report" \
    UBSAN_OPTIONS="log_path=$logs/$kind-report print_stacktrace=1" TOUCHGATE_TEST_PATIENCE="${TOUCHGATE_TEST_PATIENCE:-10}"
  run "$kind/configure" configure "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1 -DNDEBUG" \
    -DTOUCHGATE_SANITIZE="$([ "$kind" = tsan ] && echo thread || echo address,undefined)" && run "$kind/build" build_targets "$folder" "$@"
}
no_reports() { ! cat "$logs/$1"-report.* 2> /dev/null; }

TOUCHGATE_TESTS=1 ./setup.sh || { failures+=("setup.sh"); failed=1; finish; }
run configure configure "$build" -DCMAKE_BUILD_TYPE=Release || finish
echo "building (the first time takes some minutes; the compiler cache makes the next ones short) …"
run build build_targets "$build" touchgate tests || finish
program="$(realpath "$build")/touchgate"
export TOUCHGATE="$program"

[ -n "$long" ] && export RC_PARAMS="${RC_PARAMS:-max_success=2000}"
run_programs "$build" "" '.'
run check "$program" check --config config/demo.json
for policy in policies/*.json demo/policy.json; do
  case $policy in *.schema.json) continue ;; esac
  run "$policy" "$program" policy test "$policy"
done
acceptance "" "$program"
run mutations-apply mutations_apply

# The demonstration is a test as well: it checks its own numbers. Its log is then read by an independent reader.
run demo env TOUCHGATE_BUILD_DIR="$build/demo-test" PYTHONDONTWRITEBYTECODE=1 python3 demo/run_demo.py --program "$program" --once
data="$build/demo-test/demo-data"
if [ -e "$data/config/demo.json" ]; then
  records=$("$program" log verify --config "$data/config/demo.json" --json | sed -nE 's/.*"records":([0-9]+).*/\1/p')
  run integration/log_reader tests/integration/log_reader/run.sh "$data/data" "$records"
fi

# Third parties' clients against the sandbox come from npm; without the registry (and nothing kept from before) they cannot run.
registry=""
for script in tests/integration/*/run.sh; do
  name=$(basename "$(dirname "$script")")
  case $name in log_reader | asterisk) continue ;; esac
  if [ -e "$(dirname "$script")/package.json" ]; then
    if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
      skip "integration/$name" "node and npm are not installed"
      continue
    fi
    if ! tests/integration/node_check.sh --kept "$(dirname "$script")"; then
      [ -n "$registry" ] || { timeout 30 npm ping > "$logs/npm-ping.log" 2>&1 && registry=yes || registry=no; }
      if [ "$registry" = no ]; then
        skip "integration/$name" "the npm registry cannot be reached"
        continue
      fi
    fi
  fi
  run "integration/$name" timeout 300 "$script" "$program"
done

# The agent's console: types, the client and the state, then the page in a browser against a mock of the gateway.
console_tests() {
  local console=gateway/console
  if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    skip console "node and npm are not installed"
    return
  fi
  if ! $console/packages.sh --kept; then
    [ -n "$registry" ] || { timeout 30 npm ping > "$logs/npm-ping.log" 2>&1 && registry=yes || registry=no; }
    if [ "$registry" = no ]; then
      skip console "the npm registry cannot be reached"
      return
    fi
  fi
  run console/build $console/build.sh --strict || return
  run console/types npm --prefix $console run typecheck
  run console/unit node $console/tests/run.mjs unit
  if [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome > /dev/null; then
    run console/page env CONSOLE_DIST="$(realpath "$build")/console" TOUCHGATE_TEST_PATIENCE="${TOUCHGATE_TEST_PATIENCE:-4}" timeout 1800 node $console/tests/run.mjs page
  else
    skip console/page "there is no Chromium"
  fi
}
console_tests

# Read to its end: a pipe that grep leaves early would look like a missing target.
if ninja -C "$build" -t targets all | grep '^touchgate-sim: ' > /dev/null; then
  run build-simulation build_targets "$build" touchgate-sim && run simulation "$build/touchgate-sim" --seeds "$([ -n "$long" ] && echo 1..5000 || echo 1..500)" --steps 2000
else
  skip simulation "there is no target touchgate-sim"
fi
# Fails by itself when the governor breaks the bound on dropped calls or keeps agents less busy than the law it is compared with.
pacing_terms="--runs 2 --days 3"
[ -n "$long" ] && pacing_terms="--runs 100 --days 30"
# shellcheck disable=SC2086
run build-pacing build_targets "$build" touchgate-pacing && run pacing-simulation "$build/touchgate-pacing" $pacing_terms

if [ -n "$long" ] || [ -n "${CI:-}" ]; then
  # The adapter, the gateway and the console's page against a real Asterisk, which comes from Debian's archive.
  if TOUCHGATE_BUILD_DIR="$build" tests/integration/asterisk/setup.sh > "$logs/asterisk-setup.log" 2>&1; then
    run build-call-console build_targets "$build" touchgate-call-console &&
      run integration/asterisk env TOUCHGATE_BUILD_DIR="$(realpath "$build")" timeout 900 tests/integration/asterisk/run.sh "$(realpath "$build")/touchgate-call-console"
    while read -r word what why; do [ "$word" = skip ] && skip "integration/asterisk/$what" "$why"; done < "$logs/integration_asterisk.log"
  else
    skip integration/asterisk "$(tail -1 "$logs/asterisk-setup.log")"
  fi
fi

if [ -n "$long" ]; then
  unset RC_PARAMS
  run mutations tests/simulation/mutate.sh
  folder="$(realpath -m "$build")/asan"
  if sanitized asan "$folder" touchgate touchgate-sim tests; then
    run_programs "$folder" asan/ '.'
    run asan/simulation "$folder/touchgate-sim" --seeds 1..20 --steps 2000
    acceptance asan/ "$folder/touchgate"
    run asan/reports no_reports asan
  fi
  folder="$(realpath -m "$build")/tsan"
  threaded="engine http net projection app"
  # shellcheck disable=SC2086
  if sanitized tsan "$folder" touchgate $(printf 'unit_%s ' $threaded); then
    run_programs "$folder" tsan/ "^unit_(${threaded// /|})\$"
    acceptance tsan/ "$folder/touchgate"
    run tsan/reports no_reports tsan
  fi
fi
finish
