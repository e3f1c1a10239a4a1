#!/usr/bin/env bash
# run_seeds.sh FIRST SECONDS - runs the scenarios that draw their faults at random with the seeds
# FIRST, FIRST+1, ... until SECONDS have passed. Prints the command that repeats a failure, and
# closes with `seeds: N passed, M failed`.
set -u
. "$(dirname "$0")/lib.sh"

seed=$1
seconds=$2
mapfile -t scenarios < <(
    grep -lE '^ *"random":' -r scenarios --include='*.json' | grep -v schema | sort
)
[ "${#scenarios[@]}" -gt 0 ] || fail "no scenario in scenarios/ draws its faults at random"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

while [ "$SECONDS" -lt "$seconds" ] && [ "$failed" -lt 5 ]; do
    for scenario in "${scenarios[@]}"; do
        command=(build/faultline run "$scenario" --seed "$seed")
        timeout 60 "${command[@]}" --no-db --out "$scratch/out" >"$scratch/log" 2>&1 </dev/null
        status=$?
        if [ "$status" -eq 0 ]; then
            pass
        else
            fail "exit status $status: ${command[*]}"
            tail -n 20 "$scratch/log"
        fi
    done
    seed=$((seed + 1))
    [ "${#scenarios[@]}" -gt 0 ] || break
done
close seeds
