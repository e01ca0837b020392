#!/usr/bin/env bash
# Puts deliberate faults into a copy of the program, one at a time, and counts the seeds that the simulation needs to find each.
#   tests/simulation/mutate.sh [NAME…]     mutations by name; all without
# Last line: "N found, N missed"; exit status 1 if one was missed.
# TOUCHGATE_BUILD_DIR (build): the copy is in its folder "mutations". TOUCHGATE_MUTATION_SEEDS (300): after so many one counts as missed.
set -uo pipefail
cd "$(dirname "$0")/../.."
build="$(realpath -m "${TOUCHGATE_BUILD_DIR:-build}")"
patches="$PWD/tests/simulation/mutations"
seeds="${TOUCHGATE_MUTATION_SEEDS:-300}"
copy="$build/mutations"
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd "$patches" && printf '%s\n' *.patch | sed 's/\.patch$//')

# Of the repository's own files only; times are kept, so that a second run compiles what changed. The copy is no repository of its own.
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --null --no-recursion --ignore-failed-read -T - -c 2> /dev/null | tar -x -C "$copy" || exit 2
export GIT_CEILING_DIRECTORIES="$build"
log="$copy/build.log"
TOUCHGATE_DEPENDENCIES="${TOUCHGATE_DEPENDENCIES:-$build/dependencies}" cmake -G Ninja -S "$copy" -B "$copy/build" -DCMAKE_BUILD_TYPE=Release > "$log" 2>&1 &&
  ninja -C "$copy/build" touchgate-sim >> "$log" 2>&1 && "$copy/build/touchgate-sim" --seeds 1..3 --steps 2000 >> "$log" 2>&1 ||
  { tail -20 "$log"; echo "the program without a mutation does not pass" >&2; exit 2; }

found=0 missed=0
for name in "${names[@]}"; do
  patch="$patches/$name.patch"
  git -C "$copy" apply "$patch" || exit 2
  if ninja -C "$copy/build" touchgate-sim > "$log" 2>&1; then
    # It stops at the first broken rule; a program that dies or hangs is found as well.
    timeout 1800 "$copy/build/touchgate-sim" --seeds "1..$seeds" --steps 2000 > "$copy/run.log" 2>&1
    status=$?
    took=$(($(grep -c ' ok$' "$copy/run.log") + 1))
    if [ $status != 0 ]; then
      printf '%-34s seeds: %3d  %s\n' "$name" "$took" "$(tail -1 "$copy/run.log" | sed -nE 's/.*BROKEN rule (.*)/\1/p' | cut -c1-150)"
      found=$((found + 1))
    else
      printf '%-34s MISSED in %d seeds\n' "$name" "$seeds"
      missed=$((missed + 1))
    fi
  else
    tail -20 "$log"
    printf '%-34s MISSED: it does not compile\n' "$name"
    missed=$((missed + 1))
  fi
  git -C "$copy" apply -R "$patch" || exit 2
done
echo "$found found, $missed missed"
[ "$missed" = 0 ]
