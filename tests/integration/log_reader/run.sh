#!/bin/sh
# Reads the log of a data folder with docs/examples/read_log.py, a reader that shares no code with the gateway, and checks that
# it sees as many records as are expected.
#   run.sh DATA_DIR [EXPECTED_RECORDS]
set -eu
data_dir=${1:?usage: run.sh DATA_DIR [EXPECTED_RECORDS]}
reader=$(dirname "$0")/../../../docs/examples/read_log.py
lines=$(python3 "$reader" "$data_dir/log")
records=$(printf '%s' "${lines:+$lines
}" | wc -l)
if [ -n "${2:-}" ] && [ "$records" -ne "$2" ]; then
    echo "the example reader saw $records records of $data_dir/log, not $2" >&2
    exit 1
fi
echo "ok: $records records"
