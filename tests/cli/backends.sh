#!/usr/bin/env bash
# backends.sh - the same scenario over every state backend: the same output, the same final state,
# and one backend's run.json can be given to another.
# Closes with `backends: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=$(realpath "${PROGRAM:-build/release/faultline}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

cat >base.json <<'EOT'
{
  "job": {
    "name": "count", "parallelism": 3,
    "input": { "records": 12000, "keys": 4000, "skew": 0.8, "rate": "6k/s" }
  },
  "checkpoint": { "interval": "150ms", "inline_threshold": "0B" },
  "state": { "cache": "64KiB" },
  "cluster": { "task_managers": 3 },
  "faults": [
    { "when": "checkpoint 3 task.acked(count[1])", "do": "crash", "on": "machine of count[1]",
      "for": "100ms", "unsynced": "lose" }
  ]
}
EOT

backends=$("$program" list backends | awk '!/not built into/ { print $1 }')
if [ "$(wc -w <<<"$backends")" -ge 2 ]; then
    pass
else
    fail "list backends names fewer than two"
fi

# compare MESSAGE [OPTION...] - every backend must leave what the heap leaves.
compare() {
    local message=$1 backend file
    shift
    for backend in $backends; do
        if ! "$program" run base.json "$@" --set "state.backend=$backend" --no-db \
            --out "$backend" >log 2>&1; then
            fail "$message: $backend: $(tail -n 3 log)"
            continue
        fi
        # Subtasks commit side by side, so lines of different keys may change places.
        sort "$backend/output.txt" >"$backend/output.sorted"
        for file in output.sorted state.tsv; do
            if cmp -s "heap/$file" "$backend/$file"; then
                pass
            else
                fail "$message: $file of $backend differs from that of heap"
            fi
        done
    done
}

if [[ $backends == *rocksdb* ]]; then
    expect 3 'faults\[0\]\.on: state\.backend "rocksdb" keeps its files in memory' \
        "$program" run base.json --no-db --set state.backend=rocksdb \
        --set 'faults=[{"at":"1s","do":"full","on":"disk of task_manager[0]","for":"1s"}]'
fi

compare 'whole checkpoints'
compare 'incremental checkpoints' --set state.incremental=true --set state.incremental_chain=4
compare 'a changelog' --set state.changelog.enabled=true --set state.changelog.chain=4
compare 'one subtask' --set job.parallelism=1 --set 'faults=[]'

# Large state, of which a short interval leaves little changed: with a changelog checkpoints are
# smaller and sooner done than whole ones.
measure() {
    "$program" run base.json "$@" --set faults=[] --set job.input.records=80000 \
        --set job.input.keys=20000 --set job.input.rate=20k/s --set checkpoint.interval=100ms \
        --db costs.db --out costs >log 2>&1 || fail "costs: $(tail -n 3 log)"
}
measure
measure --set state.changelog.enabled=true
costs=$(sqlite3 costs.db "select sum(written_bytes), sum(async_ns) from task_checkpoint
                          where vertex = 1 group by run_id order by run_id" | tr '|\n' '  ')
read -r whole_bytes whole_ns log_bytes log_ns <<<"$costs"
if [ "$((3 * log_bytes))" -lt "$whole_bytes" ] && [ "$log_ns" -lt "$whole_ns" ]; then
    pass
else
    fail "a changelog wrote $log_bytes bytes in $log_ns ns, without it $whole_bytes in $whole_ns"
fi

for backend in $backends; do
    expect 0 '^PASS' "$program" run base.json --set "state.backend=$backend" --verify --no-db \
        --out verify
done

close backends
