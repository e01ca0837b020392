#!/usr/bin/env bash
# A frequency cap as it is usually built, beside ours, in one run: Redis (sorted set and Lua, 16 commands in a pipeline), PostgreSQL (one
# conditional upsert a touch, 8 clients, synchronous_commit as shipped) and the policy engine's decision with a sliding cap of the same size over as
# many contacts. JSON lines: touches a second, alternating rounds, medians. Redis keeps nothing on disk here and PostgreSQL counts one rule;
# the engine's figure is the decision alone: the whole durable path is measured by measure.py.
#   compare_caps.sh [ROUNDS] [SECONDS] [CONTACTS]
# Installs redis-server and postgresql if missing; takes free ports; leaves nothing running.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-3} seconds=${2:-5} contacts=${3:-100000}
bench=${TOUCHGATE_BENCH:-${TOUCHGATE_BUILD_DIR:-$root/build}/touchgate-bench}
[ -x "$bench" ] || ninja -C "${TOUCHGATE_BUILD_DIR:-$root/build}" touchgate-bench >&2

missing=""
for package in redis-server postgresql; do dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q "ok installed" || missing="$missing $package"; done
if [ -n "$missing" ]; then
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  # RUNLEVEL=1: the packages' own services are not started.
  $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi
postgres=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
folder=$(mktemp -d)
as_user=""
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; chmod 755 "$folder"; as_user="runuser -u postgres --"; fi
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
redis_port=$(free_port) postgres_port=$(free_port)
finish() {
  redis-cli -p "$redis_port" shutdown nosave > /dev/null 2>&1 || true
  (cd / && $as_user "$postgres/pg_ctl" -D "$folder/postgres" -m immediate stop > /dev/null 2>&1) || true
  rm -rf "$folder"
}
trap finish EXIT

redis-server --port "$redis_port" --save "" --appendonly no --daemonize yes --dir "$folder" > /dev/null
(cd / && $as_user "$postgres/initdb" -D "$folder/postgres" -A trust -U bench > /dev/null)
(cd / && $as_user "$postgres/pg_ctl" -D "$folder/postgres" -w -l "$folder/postgres.log" -o "-p $postgres_port -k $folder -c listen_addresses=127.0.0.1" start > /dev/null)
psql="$postgres/psql -h 127.0.0.1 -p $postgres_port -U bench -q postgres"
$psql -c "create table attempts (contact bigint, at timestamptz not null); create index on attempts (contact, at)"
cat > "$folder/cap.sql" <<SQL
\\set contact random(1, $contacts)
insert into attempts select :contact, now() where (select count(*) from attempts where contact = :contact and at > now() - interval '1 day') < 3;
SQL
lua='local key, now = KEYS[1], tonumber(redis.call("TIME")[1])
redis.call("ZREMRANGEBYSCORE", key, 0, now - 86400)
if redis.call("ZCARD", key) >= 3 then return 0 end
redis.call("ZADD", key, now, redis.call("INCR", "touch")) redis.call("EXPIRE", key, 86400) return 1'
sha=$(redis-cli -p "$redis_port" script load "$lua")
cat > "$folder/policy.json" <<JSON
{"name": "caps", "rules": [{"name": "cap", "kind": "cap", "max": 3, "per": "P1D", "by": ["contact"]}]}
JSON

report() { printf '{"bench":"caps","what":"%s","touches_per_s":%s,"load":"%s"}\n' "$1" "$2" "$(cut -d' ' -f1 /proc/loadavg)" | tee -a "$folder/lines"; }
for _ in $(seq "$rounds"); do
  $psql -c "truncate attempts"
  report postgresql "$("$postgres/pgbench" -h 127.0.0.1 -p "$postgres_port" -U bench -n -c 8 -j 2 -T "$seconds" -f "$folder/cap.sql" postgres 2> /dev/null | sed -nE 's/^tps = ([0-9]+).*/\1/p')"
  redis-cli -p "$redis_port" flushdb > /dev/null
  redis-cli -p "$redis_port" script load "$lua" > /dev/null
  report redis "$(redis-benchmark -p "$redis_port" -q -P 16 -c 16 -n $((seconds * 60000)) -r "$contacts" evalsha "$sha" 1 contact:__rand_int__ 2> /dev/null | tr '\r' '\n' | sed -nE 's/.*: ([0-9]+)(\.[0-9]+)? requests per second.*/\1/p' | tail -1)"
  report touchgate_decision "$("$bench" decide "$contacts" "$folder/policy.json" "$seconds" | python3 -c 'import json, sys
print(int([json.loads(line) for line in sys.stdin if line.startswith("{")][0]["per_second"]))')"
done
python3 - "$folder/lines" <<'PYTHON'
import json, statistics, sys
values = {}
for line in open(sys.argv[1]):
    one = json.loads(line)
    values.setdefault(one["what"], []).append(one["touches_per_s"])
medians = {what: statistics.median(several) for what, several in values.items()}
print(json.dumps({"bench": "caps", "medians": medians, "times_redis": round(medians["touchgate_decision"] / medians["redis"], 1),
                  "times_postgresql": round(medians["touchgate_decision"] / medians["postgresql"], 1)}))
PYTHON
