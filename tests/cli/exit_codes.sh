#!/usr/bin/env bash
# exit_codes.sh - every exit code of `faultline run`, provoked.
# Closes with `exit codes: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/small.json" <<'EOT'
{
  "name": "small",
  "job": {
    "name": "count", "parallelism": 2,
    "input": { "records": 2000, "keys": 50, "rate": "5k/s" }
  },
  "checkpoint": { "interval": "100ms" }
}
EOT

# run [OPTION...] - runs the small scenario; later options override.
run() {
    "$program" run "$scratch/small.json" --quiet --no-db --out "$scratch/out" "$@"
}

expect 0 '^PASS +small$' run

expect 1 'expect.recoveries' run --set 'expect.recoveries=>= 5'
expect 1 'expect.result' run --set expect.result=refused
expect 1 'expect.checkpoints' run --set 'expect.checkpoints=== 1000'

expect 2 'STUCK' run --set expect.within=50ms
expect 2 '^STUCK +small: the job failed 3 times in a row.*: declined: the state of .* takes 16 ' \
    run --set checkpoint.store=memory --set checkpoint.store_state_max=16B

expect 3 '^--set: job.parallelism: must be at least 1' run --set job.parallelism=0
expect 3 '^--set: job.name: ' run --set job.name=nothing

# Any difference between two runs will do: this one is in the place of a skipped record.
gcc -shared -fPIC -D_GNU_SOURCE -o "$scratch/one_digit.so" tests/cli/one_digit.c
skipping() {
    "$program" run scenarios/input/bad-line-skipped.json --no-db --out "$scratch/out" "$@"
}
expect 0 'trace hash [0-9a-f]{16} \(twice\)' skipping --verify
expect 4 'different traces' env LD_PRELOAD="$scratch/one_digit.so" \
    "$program" run scenarios/input/bad-line-skipped.json --no-db --out "$scratch/out" --verify

expect 5 '1 of 1 planned faults' \
    run --set 'faults=[{ "at": "1h", "do": "crash", "on": "job_manager" }]'
expect 0 '^PASS' \
    run --set 'faults=[{ "at": "1h", "do": "crash", "on": "job_manager" }]' --set expect.fired=any

expect 6 'job.input.file: cannot read .*gone.txt: No such file' run --set job.input.file=gone.txt

# Of several scenarios the worst counts.
sed 's/"small"/"other"/' "$scratch/small.json" >"$scratch/other.json"
expect 0 '2 scenarios: 2 PASS' run "$scratch/other.json"
echo '{' >"$scratch/bad.json"
expect 3 'bad.json:2:0: ' run "$scratch/bad.json"
expect 1 '3 scenarios: ' run "$scratch/bad.json" "$scratch/other.json" \
    --set 'expect.checkpoints=== 1000'

close 'exit codes'
