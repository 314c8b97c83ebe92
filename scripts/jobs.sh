# Jobs side by side, as many at once as there are processors, with each one's output kept whole.
# Sourced, not run.
# shellcheck shell=bash
jobs_at_once=$(nproc)
declare -A job_of=() # names by process
job_times=()
jobs_failed=()

# begin_jobs FOLDER: logs are kept there, and whatever still runs when the script ends is ended.
begin_jobs() {
  jobs_folder=$1
  rm -rf "$jobs_folder"
  mkdir -p "$jobs_folder"
  trap 'end_jobs' EXIT
  trap 'exit 143' INT TERM HUP
}

# job NAME COMMAND...: runs it once there is room.
job() {
  local name=$1
  shift
  while [ ${#job_of[@]} -ge "$jobs_at_once" ]; do await_job; done
  printf '%s: begun; its output is in %s\n' "$name" "$(job_log "$name")" >&2
  # In a process group of its own, so that all it started can be ended with it.
  set -m
  {
    TIMEFORMAT='%0R %U %S'
    set +e # so that the time is told of one that fails, too
    time in_subshell "$@" >"$(job_log "$name")" 2>&1 </dev/null
  } 2>"$jobs_folder/times.$BASHPID" &
  set +m
  job_of[$!]=$name
}

# `time` of a subshell itself would tell its figure to the job's output.
in_subshell() { (set -e && "$@"); }

job_log() { printf '%s/%s.log' "$jobs_folder" "${1//[^A-Za-z0-9-]/_}"; }

# await_job: waits for the next one to end and shows what it printed.
await_job() {
  local process status=0 name wall user system
  wait -n -p process "${!job_of[@]}" || status=$?
  name=${job_of[$process]}
  unset "job_of[$process]"
  # Before the figures may stand what the shell itself had to say.
  read -r wall user system < <(tail -n 1 "$jobs_folder/times.$process")
  job_times+=("$wall $(awk "BEGIN { printf \"%.0f\", $user + $system }") $name")
  printf '\n== %s\n' "$name"
  cat "$(job_log "$name")"
  if [ $status = 0 ]; then
    printf '== %s: done in %s s\n' "$name" "$wall"
  else
    jobs_failed+=("$name")
    printf '== %s: FAILED after %s s with status %s\n' "$name" "$wall" "$status"
  fi
}

# await_jobs: waits for all. Fails if one of the jobs since `begin_jobs` did.
await_jobs() {
  while [ ${#job_of[@]} -gt 0 ]; do await_job; done
  [ ${#jobs_failed[@]} = 0 ]
}

# print_job_times: how long each took, the slowest first, which failed, and how each of those ended:
# where only the end of all the output is kept, the reason is in it.
print_job_times() {
  local wall cpu name
  printf '\n%8s %8s\n' 'wall, s' 'CPU, s'
  printf '%s\n' "${job_times[@]}" | sort -nr | while read -r wall cpu name; do
    printf '%8d %8d  %s\n' "$wall" "$cpu" "$name"
  done
  printf '%d passed, %d failed\n' $((${#job_times[@]} - ${#jobs_failed[@]})) ${#jobs_failed[@]}
  for name in "${jobs_failed[@]}"; do
    printf '\nfailed: %s; what Swift Testing marked, and the end of its output:\n' "$name"
    { grep -a '✘' "$(job_log "$name")" || true; } | cut -c 1-400 | tail -n 20
    tail -n 60 "$(job_log "$name")"
  done
}

end_jobs() {
  local process
  for process in "${!job_of[@]}"; do kill -- "-$process" 2>/dev/null || true; done
}
