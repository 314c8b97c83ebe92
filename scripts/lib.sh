# What the scripts share. Sourced, not run.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name="scripts/$(basename "$0")"
# shellcheck disable=SC2034  # for the scripts that source this
program="$root/.build-embedded/handback"

# What the scripts for tests need beyond a build.
# shellcheck disable=SC2034
test_packages=(python3 openssl curl sqlite3 faketime libcurl3-gnutls strace iproute2 umockdev
  python3-cryptography swtpm tpm2-tools libtss2-esys-3.0.2-0 libtss2-tcti-swtpm0)
# shellcheck disable=SC2034
packaging_packages=(systemd shellcheck dash)
# shellcheck disable=SC2034
fault_packages=(python3 openssl gcc libc6-dev user-mode-linux kmod dmsetup e2fsprogs f2fs-tools iproute2 mount)
# shellcheck disable=SC2034
board_packages=(qemu-user faketime python3 openssl curl debian-archive-keyring)

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# need PACKAGE...: installs the Debian packages that are missing, and says so.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "these packages are missing: ${missing[*]}"
  say "installing: ${missing[*]}"
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq >/dev/null
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

need_to_build() {
  command -v swift >/dev/null || die "no Swift toolchain on the PATH (6.3 or newer: https://swift.org/install)"
  need libsqlite3-dev libudev-dev libcurl4-openssl-dev binutils
}

# build_tool PRODUCT: an optimized build of one of the tests' programs, in `tool`.
build_tool() {
  local scratch=$root/.build-tools
  cd "$root" || exit
  # SwiftPM doesn't compile anew what depends on a changed private property.
  if [ -n "$(find Sources Tests Package.swift -newer "$scratch/built" -print -quit 2>/dev/null)" ] ||
    [ ! -e "$scratch/built" ]; then
    rm -rf "$scratch"
    mkdir "$scratch"
    touch "$scratch/started"
  fi
  swift build -c release --product "$1" --scratch-path "$scratch" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; die "the build failed"; }
  [ ! -e "$scratch/started" ] || mv "$scratch/started" "$scratch/built"
  # shellcheck disable=SC2034  # for the scripts that source this
  tool=$scratch/release/$1
}
