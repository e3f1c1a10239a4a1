#!/usr/bin/env bash
# run_programs.sh PROGRAM... - runs libcheck test programs, as many at once as there are cores, and
# adds up what they count. A program's output is shown only when it fails.
# Closes with `programs: N passed, M failed`.
set -u
. "$(dirname "$0")/lib.sh"

# Checked code is slow code: the sanitizers get more of libcheck's patience.
export CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-10}"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_one() {
    log=$2/${1//\//_}
    "$1" >"$log" 2>&1 </dev/null
    echo "$?" >"$log.exit"
}
export -f run_one
printf '%s\n' "$@" |
    xargs -P "$(job_count)" -I{} bash -c 'run_one "$1" "$2"' _ {} "$logs"

for program in "$@"; do
    log=$logs/${program//\//_}
    counts=$(grep -E '^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$' "$log" |
        tail -n 1)
    read -r _ _ checks _ failures _ errors <<<"${counts:-0% Checks: 0 Failures: 0 Errors: 0}"
    checks=${checks%,} failures=${failures%,}
    passed=$((passed + checks - failures - errors))
    failed=$((failed + failures + errors))
    status=$(cat "$log.exit")
    if [ "$status" -ne 0 ] || [ "$checks" -eq 0 ]; then
        tail -n 40 "$log"
        [ "$((failures + errors))" -gt 0 ] ||
            fail "$program: exit status $status after $checks checks"
    fi
done
close programs
