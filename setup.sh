#!/usr/bin/env bash
# Installs what the build needs, if it is missing. Called by run.sh and test.sh; quiet when nothing is to be done.
set -euo pipefail
cd "$(dirname "$0")"
build="${TOUCHGATE_BUILD_DIR:-build}"

. /etc/os-release
case "${ID:-}-${VERSION_ID:-}" in
  debian-12*) packages="libboost1.81-dev libphonenumber8" ;;
  debian-13*) packages="libboost-dev libphonenumber-dev" ;;
  ubuntu-24.04*) packages="libboost-dev libphonenumber-dev" ;;
  *)
    echo "This script installs packages on Debian 12, Debian 13 and Ubuntu 24.04 only; this is ${PRETTY_NAME:-unknown}." >&2
    echo "Install by hand: a C++20 compiler (GCC >= 12), CMake >= 3.25, Ninja, Boost >= 1.81, and the development packages named in docs/dependencies.md." >&2
    [ "${TOUCHGATE_SKIP_SETUP:-}" = 1 ] || exit 1 ;;
esac
packages="$packages g++ cmake ninja-build ccache mold pkg-config git ca-certificates curl python3 libssl-dev libcurl4-openssl-dev libsqlite3-dev nlohmann-json3-dev libsimdjson-dev
  libfmt-dev libspdlog-dev libhowardhinnant-date-dev libutf8proc-dev libkainjow-mustache-dev libabsl-dev libjemalloc-dev libpugixml-dev libcli11-dev libvalijson-dev libprotobuf-dev catch2 librapidcheck-dev tzdata"
[ "${TOUCHGATE_TESTS:-}" = 1 ] && packages="$packages clang python3-yaml"
command -v npm > /dev/null || packages="$packages nodejs npm"

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q "install ok installed" || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "installing:$missing"
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi

# The console's page tests drive a browser; without one they are skipped, and test.sh says so. (Ubuntu's package of that name is a snap.)
if [ "${TOUCHGATE_TESTS:-}" = 1 ] && [ "${ID:-}" = debian ] && ! command -v chromium > /dev/null; then
  echo "installing: chromium fonts-noto-cjk"
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  { [ -n "$missing" ] || $sudo apt-get update -qq; } && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk > /dev/null 2>&1 || echo "chromium cannot be installed" >&2
fi

# See docs/dependencies.md: on Debian 12 the headers of this one library are unpacked, not installed.
if [ "${ID:-}-${VERSION_ID:-}" = debian-12 ] && [ ! -e "$build/dependencies/usr/include/phonenumbers/phonenumberutil.h" ]; then
  mkdir -p "$build/dependencies/download"
  (cd "$build/dependencies/download" && { apt-get download -qq libphonenumber-dev 2> /dev/null || { apt-get update -qq && apt-get download -qq libphonenumber-dev; }; } && dpkg -x libphonenumber-dev_*.deb ..)
  rm -rf "$build/dependencies/download"
fi
