#!/usr/bin/env bash
# agree.sh - `calibrate` writes a file that a scenario can be like, and leaves nothing else behind;
# `compare` finds a simulated and a live run equal. Only that there are figures is checked, not how
# large they are. Closes with `agree: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

machine=$scratch/machine.json
for key in network.latency network.local_latency network.bandwidth disk.write disk.read disk.sync \
    store.write store.read store.latency cpu.record cpu.message cpu.snapshot; do
    keys+=("$key")
done
expect 0 "^written to $machine\$" "$program" calibrate -o "$machine"
printed=$output
for key in "${keys[@]}"; do
    expect 0 "^$key +[1-9][0-9]*(ns|us|ms|s|MiB/s|GiB/s) " printf '%s\n' "$printed"
    expect 0 "\"${key#*.}\": \"[1-9]" cat "$machine"
done
# Where files are in memory these take no longer than another call.
for key in sync remove; do
    expect 0 "^store.$key +[0-9]" printf '%s\n' "$printed"
    expect 0 "\"$key\": \"[0-9]" cat "$machine"
done
expect 0 '^machine\.json$' ls "$scratch"
expect 0 'cpu.state: not measured: the heap has no rows' printf '%s\n' "$printed"

# A scenario that is like it has its costs.
cat >"$scratch/like.json" <<'JSON'
{ "like": "machine.json", "name": "like",
  "job": { "name": "count", "input": { "records": 5000, "keys": 100 } } }
JSON
expect 0 '^PASS +like' "$program" run --no-db --quiet --out "$scratch/out" "$scratch/like.json"
record=$(grep -oE '"record": "[^"]*"' "$machine")
expect 0 "$record" cat "$scratch/out/run.json"

expect 0 '^cpu.state +[1-9]' "$program" calibrate -o "$scratch/sqlite.json" \
    --set state.backend=sqlite --set job.input.keys=100
expect 3 'calibrate: takes no scenario' "$program" calibrate scenarios/demo.json
expect 3 '^--set: job.nme: unknown' \
    "$program" calibrate -o "$scratch/x.json" --set job.nme=count
expect 3 'calibrate: job\.input\.records: 0 leaves nothing to measure' \
    "$program" calibrate -o "$scratch/x.json" --set job.input.records=0
expect 6 "^$scratch: is a directory, and was to be the file\$" "$program" calibrate -o "$scratch"

# --- compare ---
kills=scenarios/live/three-kills.json
compare() {
    "$program" compare --out "$scratch/compare" --db "$scratch/results.db" "$@"
}
expect 0 '^result +pass +pass +equal$' compare "$kills" --calibration "$machine"
expect 0 "^simulated with the costs of $machine\$" printf '%s\n' "$output"
expect 0 '^checkpoint ids +1.* the same rules$' printf '%s\n' "$output"
expect 0 '^checkpoint time .* [0-9]+\.[0-9][0-9]$' compare "$kills" --threads -n 2
expect 0 '^until it runs again .* [0-9]+\.[0-9][0-9]$' printf '%s\n' "$output"
expect 0 '^simulated with the costs of the scenario$' printf '%s\n' "$output"
expect 0 '^result_is_equal,,,1$' compare "$scratch/like.json" --csv
expect 0 '^records_per_s,[1-9][0-9]*,[1-9][0-9]*,[0-9.]+$' printf '%s\n' "$output"
expect 1 '^result +wrong +wrong +NOT equal$' \
    compare "$scratch/like.json" --set 'expect.checkpoints=>= 1000'
expect 0 '^live run 1: WRONG +like: expect\.checkpoints: ' printf '%s\n' "$output"
# What is measured around the live runs takes the place of what was given, and of nothing else.
expect 0 '^simulated with the costs of the scenario, but for what was measured around the live ru' \
    compare "$kills" --recalibrate --set cluster.cpu.message=7ns --set cluster.cpu.record=321ns
for cost in cpu.message store.latency; do # nothing, if the rest explains what the live run took
    expect 0 "^$cost +[0-9]" printf '%s\n' "$output"
done
expect 0 '^1 321ns 0$' sqlite3 -separator ' ' "$scratch/results.db" \
    "SELECT DISTINCT is_recalibrated, costs ->> '\$.\"cluster.cpu.record\"',
        costs ->> '\$.\"cluster.cpu.message\"' = '7ns' FROM comparison WHERE name LIKE '%kills'"
# A grid: a line a cell, medians, rows, a figure.
grid=("$scratch/like.json" --set 'sweep={"job.parallelism":[1,2],"checkpoint.interval":["5ms"]}')
expect 0 '^ +4 +5 ms .* equal$' compare "${grid[@]}"
expect 0 '^records a second +[0-9]+\.[0-9][0-9] \(2\)$' printf '%s\n' "$output"
expect 0 '^10 2$' sqlite3 -separator ' ' "$scratch/results.db" \
    "SELECT count(*), count(DISTINCT coordinates) FROM comparison WHERE name = 'like'"
expect 0 'index.html' "$program" report "$scratch/results.db" -o "$scratch/page"
expect 0 'Simulated against live' cat "$scratch/page/index.html"
expect 0 '^"\{""job.parallelism"":1,""checkpoint.interval"":""5ms""\}",2,5000000,1,records_per_s,' \
    compare "${grid[@]}" --csv --no-db
expect 1 'NOT equal \(job.parallelism=2 .*: simulated wrong, live wrong\)$' \
    compare "${grid[@]}" --set 'expect.checkpoints=>= 1000'
expect 0 '^job.parallelism=2 .*, live run 1: WRONG +like: expect' printf '%s\n' "$output"
expect 3 'sweep \(job.parallelism=0\): job.parallelism: ' \
    compare "$scratch/like.json" --set 'sweep={"job.parallelism":[0]}'
expect 3 'cannot cause "lie"' compare scenarios/smoke/no-fault.json --set \
    'faults=[{"at":"1ms","do":"lie","on":"store","for":"1s"}]'
expect 3 'compare: needs the path of one scenario' compare
expect 3 '^faultline: -n: must be a whole number' compare "$kills" -n 0
expect 6 'none.json' compare "$kills" --calibration "$scratch/none.json"

close agree
