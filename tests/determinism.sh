#!/usr/bin/env bash
# determinism.sh - one scenario and seed must give one trace hash, however the program was compiled.
# Builds every variant, runs the same scenarios and seeds with each, and compares with the first.
# Prints one line a variant and closes with `determinism: N passed, M failed`.
set -u
. "$(dirname "$0")/lib.sh"

variants=(release debug o3 clang asan clang-asan)
seeds=(1 2 3)
# Of each topic one: crashes of processes and machines, lost and torn data, zombies, delays, timers,
# bad input, and faults drawn at random.
scenarios=(
    scenarios/demo.json
    scenarios/commit/machine-at-manifest-synced-torn.json
    scenarios/input/bad-lines-skipped-over-crashes.json
    scenarios/network/long-alignment-and-crashes.json
    scenarios/network/zombie-while-uploading.json
    scenarios/random/everything.json
    scenarios/recovery/whole-cluster-loses-power.json
    scenarios/restart/exponential-delay.json
    scenarios/storage/newest-state-corrupt.json
)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# hashes PROGRAM - one line a run: scenario, seed, hash. The verdict may differ with the seed; the
# hash may not differ with the program.
hashes() {
    for scenario in "${scenarios[@]}"; do
        for seed in "${seeds[@]}"; do
            printf '%s %s %s\n' "$scenario" "$seed" "$(
                timeout 300 "$1" run "$scenario" --seed "$seed" --json --no-db \
                    --out "$scratch/out" </dev/null |
                    sed -nE 's/.*"trace_hash": *"?([0-9a-fx]+)"?.*/\1/p' | head -n 1
            )"
        done
    done
}

for variant in "${variants[@]}"; do
    if ! ${MAKE:-make} -s "-j$(job_count)" "CONFIG=$variant" all >"$scratch/log" 2>&1; then
        fail "$variant does not build"
        tail -n 20 "$scratch/log"
        continue
    fi
    hashes "build/$variant/faultline" >"$scratch/$variant"
    first=${first:-$variant}
    runs=$(wc -l <"$scratch/$variant")
    bad=$(awk 'NF != 3' "$scratch/$variant" | wc -l)
    different=$(diff "$scratch/$first" "$scratch/$variant" | grep -c '^>')
    if [ "$bad" -gt 0 ]; then
        fail "$variant: $bad of $runs runs print no trace hash"
        awk 'NF != 3 { print "  " $0 }' "$scratch/$variant"
    elif [ "$different" -gt 0 ]; then
        fail "$variant: $different of $runs runs differ from $first"
        diff "$scratch/$first" "$scratch/$variant" | sed -n 's/^[<>]/  &/p'
    else
        pass
        distinct=$(cut -d' ' -f3 "$scratch/$variant" | sort -u | wc -l)
        printf 'ok   %-10s %d runs, the same %d hashes\n' "$variant" "$runs" "$distinct"
    fi
done
close determinism
