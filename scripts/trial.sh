# What the scripts that play a trial share: the license server emulator, and a device that is set up
# to give a license back to it. Sourced, not run.
# shellcheck shell=bash
trial_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# start_emulator FOLDER OPTION...: starts it with its files in FOLDER and waits until it serves.
# Its process is in `emulator`; false if it ended, with its words on standard error.
start_emulator() {
  local folder=$1
  shift
  mkdir -p "$folder"
  rm -f "$folder/ready.json"
  "$trial_scripts/emulator" --directory "$folder" --quiet "$@" >"$folder/emulator.log" 2>&1 &
  emulator=$!
  until [ -e "$folder/ready.json" ]; do
    kill -0 "$emulator" 2>/dev/null || { cat "$folder/emulator.log" >&2; return 1; }
    sleep 0.1
  done
}

# emulator_fact FOLDER NAME: a member of what the emulator there says of itself.
emulator_fact() {
  sed -nE "s/.*\"$2\": *\"?([^\",}]*)\"?.*/\\1/p" "$1/ready.json" | head -n 1
}

# own_environment: takes what the scripts under cross/ go by out of the environment: to the program,
# an unknown HANDBACK_ name is an error.
own_environment() { export -n HANDBACK_DEBIAN_MIRROR HANDBACK_SYSROOTS; }

# write_trial FOLDER SERVER AUTHORITY: a license, keys that the emulator knows, and the settings
# FOLDER/handback.conf, with the journal below FOLDER/state.
write_trial() (
  umask 077
  cd "$1" || exit
  printf 'AAAA-BBBB-CCCC-DDDD\n' >license-key
  printf 'demo-api-key\n' >api-key
  printf 'demo-shared-key-not-a-secret\n' >shared-key
  cat >handback.conf <<SETTINGS
HANDBACK_SERVER=$2
HANDBACK_CA_FILE=$3
HANDBACK_PRODUCT=XY
HANDBACK_LICENSE_KEY_FILE=$1/license-key
HANDBACK_API_KEY_FILE=$1/api-key
HANDBACK_SHARED_KEY_FILE=$1/shared-key
HANDBACK_JOURNAL=$1/state/journal.db
SETTINGS
)
