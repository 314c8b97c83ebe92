# What the scripts in this folder share: sourced, never run. Everything that differs from board
# to board is in boards.tsv; everything that differs from machine to machine is found here.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is assigned here is for the scripts

set -euo pipefail
export LC_ALL=C

cross_folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
package_folder=$(dirname -- "$cross_folder")
program="cross/${0##*/}"
# A second place for sysroots lets several clones share one download.
sysroots_folder=${HANDBACK_SYSROOTS:-$cross_folder/sysroots}
results_folder=$package_folder/.build-cross

# fail SENTENCE [HINT]: what is wrong, what to do, and status 1.
fail() {
  printf '%s: error: %s\n' "$program" "$1" >&2
  if [[ $# -gt 1 ]]; then printf '%s: hint: %s\n' "$program" "$2" >&2; fi
  exit 1
}

say() { printf '%s: %s\n' "$program" "$1" >&2; }

# need COMMAND PACKAGE: has Debian's PACKAGE installed when COMMAND is missing, and says so.
need() {
  if command -v "$1" >/dev/null; then return; fi
  if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
    fail "the command $1 is missing" "install Debian's package $2: apt-get install $2"
  fi
  say "installing $2, since $1 is missing"
  # Its index may be as old as the machine: ask for a new one only when the first try fails.
  if ! apt_quietly install -y --no-install-recommends "$2" &&
    ! { apt_quietly update && apt_quietly install -y --no-install-recommends "$2"; }; then
    fail "the command $1 is missing and Debian's package $2 can't be installed" \
      "check the network, then: apt-get install $2"
  fi
  command -v "$1" >/dev/null || fail "Debian's package $2 brought no $1" "install $1 by hand"
}

apt_quietly() { DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >/dev/null 2>&1 </dev/null; }

# The boards that have a sysroot from Debian; the others exist only with --sysroot.
boards() { awk -F '\t' '!/^#/ && $6 != "-" { print $1 }' "$cross_folder/boards.tsv"; }

# load_board BOARD: one variable per column, named board_COLUMN.
load_board() {
  local line
  line=$(grep -v '^#' "$cross_folder/boards.tsv" | awk -F '\t' -v b="$1" '$1 == b') || true
  if [[ -z $line ]]; then
    fail "there is no board '$1'" "choose one of: $(boards | tr '\n' ' ')(cross/build --list)"
  fi
  IFS=$'\t' read -r board board_triple board_target board_debian board_multiarch board_suite \
    board_glibc board_machine board_link board_qemu board_cpus board_baseline board_beyond board_page \
    board_loader board_bytes board_about \
    <<<"$line"
  board_machine_flags=()
  if [[ $board_machine != - ]]; then IFS=, read -ra board_machine_flags <<<"$board_machine"; fi
  board_link_flags=()
  if [[ $board_link != - ]]; then IFS=, read -ra board_link_flags <<<"$board_link"; fi
  IFS=, read -ra board_cpus <<<"$board_cpus"
  board_sysroot=$sysroots_folder/$board-$board_suite
}

# The folder above bin/ of the toolchain whose `swift` is on the PATH.
toolchain_folder() {
  local compiler
  command -v swiftc >/dev/null ||
    fail "there is no Swift toolchain" "put swift's bin folder on the PATH (swift.org/install)"
  # `swiftly` and others put a small launcher on the PATH: the compiler itself knows its place.
  compiler=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1/p')
  [[ -n $compiler ]] || fail "swiftc -print-target-info names no resource folder" \
    "use a Swift toolchain from swift.org, 6.3 or newer"
  (cd -- "$compiler/../.." && pwd)
}

# tool NAME: the toolchain's LLVM tool, which knows every architecture, unlike the host's.
tool() {
  local path
  path=$(toolchain_folder)/bin/$1
  [[ -x $path ]] || fail "the Swift toolchain has no $1" \
    "use a whole Swift toolchain from swift.org, 6.3 or newer"
  printf '%s\n' "$path"
}

# json_list WORD...: the words as the inside of a JSON list.
json_list() {
  local separator='' word
  for word in "$@"; do
    word=${word//\\/\\\\}
    printf '%s"%s"' "$separator" "${word//\"/\\\"}"
    separator=', '
  done
}

# check_sysroot DIR: that DIR is a sysroot which this program can be built against. Sets
# sysroot_multiarch to the folder of the board's own headers there, empty where there is none.
check_sysroot() {
  local folder=$1 name
  [[ -d $folder ]] || fail "there is no folder $folder" "give --sysroot the folder above usr/"
  for name in "$board_multiarch" ''; do
    if [[ -e $folder/usr/include/$name/bits/libc-header-start.h ]]; then break; fi
  done
  if [[ ! -e $folder/usr/include/stdio.h ]]; then
    fail "$folder is no sysroot: it has no usr/include/stdio.h" \
      "give --sysroot the folder above usr/; in Buildroot that is host/TRIPLE/sysroot"
  fi
  sysroot_multiarch=$name
  if [[ ! -e $folder/$board_loader ]] &&
    ! compgen -G "$folder/lib*/${board_loader##*/}" >/dev/null &&
    ! compgen -G "$folder/usr/lib*/${board_loader##*/}" >/dev/null; then
    fail "$folder has no ${board_loader##*/}, so it isn't a system of $board with glibc" \
      "choose the board whose system it is: cross/build --list"
  fi
  for name in sqlite3.h:sqlite3 libudev.h:udev curl/curl.h:; do
    if [[ ! -e $folder/usr/include/${name%:*} &&
      ! -e $folder/usr/include/$board_multiarch/${name%:*} ]]; then
      fail "$folder has no header ${name%:*}" \
        "add the development files of that library to the image's SDK"
    fi
    name=${name#*:}
    if [[ -n $name ]] && ! compgen -G "$folder/usr/lib*/$board_multiarch/lib$name.so" >/dev/null &&
      ! compgen -G "$folder/lib*/$board_multiarch/lib$name.so" >/dev/null &&
      ! compgen -G "$folder/lib*/lib$name.so" >/dev/null &&
      ! compgen -G "$folder/usr/lib*/lib$name.so" >/dev/null; then
      fail "$folder has no lib$name.so" \
        "add the development files of $name to the image's SDK"
    fi
  done
}

# check_toolchain: that the toolchain can compile Embedded Swift for the board.
check_toolchain() {
  local modules
  modules=$(toolchain_folder)/lib/swift/embedded/Swift.swiftmodule
  [[ -e $modules/$board_triple.swiftmodule ]] ||
    fail "this Swift toolchain has no Embedded Swift for $board_triple, so it can't build $board" \
      "use the toolchain from swift.org that README.md names"
}

# write_sdk FOLDER NAME SYSROOT FLAG...: writes the Swift SDK NAME as an artifact bundle into
# FOLDER. The flags that all boards share are in the host SDK's toolset, which it refers to; the
# second toolset says what the board needs more, and FLAG... are appended to the compiler's.
write_sdk() {
  local folder=$1 name=$2 sysroot=$3 bundle partial host flag
  shift 3
  local -a compiler=(-Xclang-linker "--target=$board_target") c=("${board_machine_flags[@]}")
  # Segments lie apart by the largest page of the board's kernels, in memory and not in the file.
  local -a linker=("${board_link_flags[@]}" -z "max-page-size=$board_page" -z "common-page-size=$board_page")
  if [[ $board_triple != *-linux-* ]]; then
    # A bare-metal triple knows neither the system nor where its headers are.
    c+=(-D__linux__ -D__unix__ -fPIC)
    if [[ -n $sysroot_multiarch ]]; then c+=(-iwithsysroot "/usr/include/$sysroot_multiarch"); fi
    c+=(-iwithsysroot /usr/include)
  fi
  for flag in "${c[@]}"; do compiler+=(-Xcc "$flag"); done
  host=$(uname -m)-unknown-linux-gnu
  bundle=$folder/$name.artifactbundle
  mkdir -p "$folder"
  partial=$(mktemp -d "$folder/.$name.XXXXXX")
  chmod 755 "$partial"
  if [[ -e $cross_folder/runtime/$board.c ]]; then
    # What the bare-metal triple expects of its runtime and this board's libc doesn't have.
    "$(tool clang)" "--target=$board_target" "${board_machine_flags[@]}" -Os -fPIC -ffreestanding -ffunction-sections \
      -c "$cross_folder/runtime/$board.c" -o "$partial/runtime.o"
    linker+=("$(realpath -m "$bundle")/runtime.o")
  fi
  cat >"$partial/info.json" <<JSON
{
  "schemaVersion": "1.0",
  "artifacts": {
    "$name": {
      "type": "swiftSDK", "version": "1",
      "variants": [{ "path": ".", "supportedTriples": ["$host"] }]
    }
  }
}
JSON
  cat >"$partial/swift-sdk.json" <<JSON
{
  "schemaVersion": "4.0",
  "targetTriples": {
    "$board_triple": {
      "sdkRootPath": "$(realpath -ms --relative-to="$bundle" "$sysroot")",
      "toolsetPaths": [
        "$(realpath -ms --relative-to="$bundle" "$cross_folder/handback-host.artifactbundle")/toolset.json",
        "toolset.json"
      ]
    }
  }
}
JSON
  cat >"$partial/toolset.json" <<JSON
{
  "schemaVersion": "1.0",
  "rootPath": ".",
  "swiftCompiler": { "extraCLIOptions": [$(json_list "${compiler[@]}" "$@")] },
  "cCompiler": { "extraCLIOptions": [$(json_list "${c[@]}" -fstack-protector-strong)] },
  "linker": {
    "extraCLIOptions": [$(json_list "${linker[@]}")]
  }
}
JSON
  # Only a change replaces it: SwiftPM compiles everything anew when a toolset is newer.
  if ! diff -rq "$partial" "$bundle" >/dev/null 2>&1; then
    rm -rf "$bundle"
    mv -T "$partial" "$bundle"
  else
    rm -rf "$partial"
  fi
}

# keep_to_ourselves: takes these scripts' own variables out of the environment of what is started:
# to the agent, an unknown HANDBACK_ name is an error.
keep_to_ourselves() {
  export -n HANDBACK_BINARY HANDBACK_BOOT_DATE HANDBACK_CPU HANDBACK_DEBIAN_MIRROR \
    HANDBACK_SYSROOT HANDBACK_SYSROOTS HANDBACK_TESTS
}

# emulate CPU SYSROOT PROGRAM: the command that runs PROGRAM, in the list `emulation`. The sysroot's
# own loader is started and told where its libraries are. QEMU's way (a prefix that it tries before
# each path) would look into the sysroot for the program's files too, and its redirection misses the
# loader's `statx`, so that libraries of this machine's would be found or none at all.
emulate() {
  local cpu=$1 root=$2 file=$3
  need "$board_qemu" qemu-user
  [[ -e $root/$board_loader ]] || fail "there is no sysroot at $root" "run: cross/sysroot $board"
  [[ -e $file ]] || fail "there is no $file" "run: cross/build $board"
  libraries=$root/lib/$board_multiarch:$root/usr/lib/$board_multiarch:$root/lib:$root/usr/lib
  emulation=("$board_qemu" -cpu "$cpu" "$root/$board_loader" --inhibit-cache
    --library-path "$libraries" "$file")
}

# measure FILE: what an ELF file is made of, in measured_text, _data, _bss (bytes that take memory),
# _file, _libraries (names with a space between) and _glibc (the newest version it asks for).
measure() {
  need readelf binutils
  local type size flags
  measured_text=0 measured_data=0 measured_bss=0
  while read -r type size flags; do
    case $flags,$type in
      *W*A*,NOBITS) measured_bss=$((measured_bss + 16#$size)) ;;
      *W*A*) measured_data=$((measured_data + 16#$size)) ;;
      *A*) measured_text=$((measured_text + 16#$size)) ;;
    esac
  done < <(readelf -SW "$1" | sed -nE 's/^ *\[ *[0-9]+\] *(\S* +)?([A-Z_]+[A-Z0-9_]*) +[0-9a-f]{8,} [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*) .*/\2 \3 \4/p')
  measured_file=$(stat -c %s "$1")
  measured_libraries=$(readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
  measured_libraries=${measured_libraries% }
  measured_glibc=$(readelf -VW "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1) || true
  measured_glibc=${measured_glibc#GLIBC_}
}

# debian_open FOLDER ARCHITECTURE SUITE SENTENCE: an apt of its own below FOLDER, with the signed
# index of one release of Debian: nothing of this machine's package state is read or changed but
# the mirror's address. Without the index it fails, and SENTENCE says what could be done instead.
debian_open() {
  local name keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror=${HANDBACK_DEBIAN_MIRROR:-}
  debian_folder=$1 debian_architecture=$2
  need apt-get apt
  need dpkg dpkg
  if [[ ! -e $keyring ]] && ! apt_quietly install -y debian-archive-keyring; then
    fail "Debian's keys are missing, so its packages can't be verified" \
      "apt-get install debian-archive-keyring"
  fi
  # The mirror this machine itself uses, so that a company's own is used without being told.
  if [[ -z $mirror ]]; then
    # shellcheck disable=SC2016 # the words in $( ) are apt's, not the shell's
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' \
      'Identifier: Packages' 2>/dev/null | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
  fi
  if [[ -z $mirror ]]; then
    # Before the first `apt-get update` apt knows no origin: take the first address in its lists.
    mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *([^ ]*\/debian\/?)( .*)?$/\3/p' \
      /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1) || true
  fi
  [[ -n $mirror ]] || fail "no Debian mirror is known" \
    "set HANDBACK_DEBIAN_MIRROR to the address of one; $4"
  mkdir -p "$debian_folder/archives/partial"
  : >"$debian_folder/status"
  # A mirror in the middle of an update has a release file that doesn't match its indexes, often
  # for one architecture only; the copy that it keeps under the release's other name may be whole.
  case $3 in
    bullseye) name=oldoldstable ;;
    bookworm) name=oldstable ;;
    *) name=stable ;;
  esac
  for name in "$3" "$name"; do
    rm -rf "$debian_folder/lists"
    mkdir -p "$debian_folder/lists/partial"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$name" \
      >"$debian_folder/sources.list"
    if debian apt-get update -o APT::Update::Error-Mode=any >"$debian_folder/log" 2>&1 &&
      grep -qx "Codename: $3" "$debian_folder"/lists/*InRelease; then
      return
    fi
  done
  grep -E '^E:' "$debian_folder/log" >&2 || true
  fail "Debian's package index for $3 can't be had" "check the network; $4"
}

# debian COMMAND ARGUMENT...: apt-get or apt-cache with that index.
debian() {
  local command=$1
  shift
  "$command" -q -o "Dir::State=$debian_folder" -o "Dir::State::status=$debian_folder/status" \
    -o "Dir::Cache=$debian_folder" -o "Dir::Etc::sourcelist=$debian_folder/sources.list" \
    -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o "APT::Architecture=$debian_architecture" \
    -o "APT::Architectures=$debian_architecture" -o APT::Install-Recommends=0 \
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::AllowInsecureRepositories=0 \
    -o APT::Get::AllowUnauthenticated=0 "$@"
}

# debian_unpack FOLDER PACKAGE...: downloads the packages, verified by apt, and unpacks them into
# FOLDER. Sets debian_files to the packages' file names.
debian_unpack() {
  local folder=$1 package
  shift
  mkdir -p "$debian_folder/packages"
  if ! (cd "$debian_folder/packages" && debian apt-get download "$@") >"$debian_folder/log" 2>&1; then
    grep -E '^(E|W|Err):?' "$debian_folder/log" >&2 || true
    fail "not all of Debian's packages could be downloaded and verified" \
      "check the network and run this again: nothing half-made was kept"
  fi
  debian_files=()
  for package in "$debian_folder"/packages/*.deb; do
    dpkg -x "$package" "$folder" || fail "$(basename "$package") can't be unpacked" \
      "check the free space on $folder"
    debian_files+=("$(basename "$package" .deb)")
    rm "$package"
  done
}
