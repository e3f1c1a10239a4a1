#!/usr/bin/env bash
# run_scenarios.sh [PROGRAM] - runs every scenario under scenarios/, as many at once as there are
# cores; each must exit with 0. A file named base*.json is only there to be merged over, and is left
# out. Closes with `scenarios: N passed, M failed`.
set -u
. "$(dirname "$0")/lib.sh"

program=${1:-build/faultline}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_one() {
    log=$3/${2//\//_}
    began_ms=$(date +%s%3N)
    timeout 300 "$1" run "$2" --no-db --out "$log.out" >"$log" 2>&1 </dev/null
    status=$?
    printf '%s %d ms\n' "$2" "$(($(date +%s%3N) - began_ms))" >"$log.line"
    echo "$status" >"$log.exit"
    rm -rf "$log.out"
}
export -f run_one

mapfile -t scenarios < <(
    find scenarios -name '*.json' ! -name '*.schema.json' ! -name 'base*.json' | sort
)
printf '%s\n' "${scenarios[@]}" |
    xargs -P "$(job_count)" -I{} bash -c 'run_one "$@"' _ "$program" {} "$logs"

for scenario in "${scenarios[@]}"; do
    log=$logs/${scenario//\//_}
    status=$(cat "$log.exit")
    if [ "$status" -eq 0 ]; then
        pass
        echo "ok   $(cat "$log.line")"
    else
        fail "$scenario: exit status $status"
        tail -n 20 "$log"
    fi
done
close scenarios
