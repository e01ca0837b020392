#!/usr/bin/env bash
# setup.sh: a real Asterisk in a folder, and SIPp, for the tests of this folder. Idempotent: nothing is done twice.
#   TOUCHGATE_CACHE   keeps the folder between runs (default: the build folder); it is then TOUCHGATE_CACHE/asterisk, about 330 MB
# Debian 12 has no Asterisk, so debootstrap puts a newer suite into the folder, from the archive that this machine's own apt names: sid, else
# forky (both 22), else bullseye (16). Nothing of it runs on the machine but the one program, started by pbx.py with its own settings.
# The last line on stdout is the folder. Exit status 3: the archive cannot be reached, or this is not root, so there is nothing to test with.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${TOUCHGATE_CACHE:-${TOUCHGATE_BUILD_DIR:-$here/../../../build}}
mkdir -p "$cache"
folder=$(cd "$cache" && pwd)/asterisk
root=$folder/root

unavailable() { echo "no Asterisk for the tests: $*" >&2; exit 3; }
install_here() {
  [ "$(id -u)" = 0 ] || unavailable "$* is missing and only root can install it"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null 2>&1 && return
  apt-get update -qq > /dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null || unavailable "apt cannot install $*"
}

command -v sipp > /dev/null || install_here sip-tester
if [ -e "$folder/ready" ] && [ -x "$root/usr/sbin/asterisk" ]; then
  echo "$folder"
  exit 0
fi
[ "$(id -u)" = 0 ] || unavailable "only root can set it up"
command -v debootstrap > /dev/null || install_here debootstrap
archive=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "Debian" && $3 == "main" && $1 !~ /security/ {print $1; exit}')
[ -n "$archive" ] || unavailable "apt names no Debian archive"

# What the programs of a container would start must not start: no daemon is to run beside the one that the tests start.
prepare() {
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d" "$root/etc/apt/apt.conf.d" "$root/usr/sbin"
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale info lintian bug > "$root/etc/dpkg/dpkg.cfg.d/small"
  # A mirror that lags behind may hold a Release file past its date.
  printf 'Acquire::Check-Valid-Until "false";\nAPT::Install-Recommends "false";\nAcquire::Languages "none";\n' > "$root/etc/apt/apt.conf.d/small"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
}
log=$folder/setup.log
mkdir -p "$folder"
for suite in sid forky bullseye; do
  rm -rf "$root" "$folder/ready"
  mkdir -p "$root"
  prepare
  echo "Asterisk of $suite from $archive …" >&2
  if debootstrap --variant=minbase "$suite" "$root" "$archive" > "$log" 2>&1 && prepare &&
    chroot "$root" apt-get update -qq >> "$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq asterisk asterisk-core-sounds-en >> "$log" 2>&1; then
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,locale,info}
    chroot "$root" /usr/sbin/asterisk -V > "$folder/ready" && { echo "$(cat "$folder/ready"), $(du -sm "$root" | cut -f1) MB" >&2; echo "$folder"; exit 0; }
    rm -f "$folder/ready"
  fi
done
tail -5 "$log" >&2
unavailable "none of the suites can be had from $archive; see $log"
