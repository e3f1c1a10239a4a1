#!/usr/bin/env bash
# predict.sh - what `predict` prints agrees with what `run` measures, and mistakes are told.
# Closes with `predict: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

demo=scenarios/demo.json

# value FILE KEY [N] - the value of the N-th (first) KEY in a JSON file with one key a line.
value() {
    sed -nE "s/^ *\"$2\": \"?([^\",]*)\"?,?\$/\1/p" "$1" | sed -n "${3:-1}p"
}

# check MESSAGE COMMAND... - one test: the command succeeds.
check() {
    local message=$1
    shift
    if "$@" >/dev/null 2>&1; then
        pass
    else
        fail "${BASH_SOURCE[1]}:${BASH_LINENO[0]}: $message"
    fi
}

# near A B PERCENT - are the two within so much of each other?
near() {
    awk -v a="$1" -v b="$2" -v most="$3" \
        'BEGIN { d = a > b ? a - b : b - a; exit !(b > 0 && d <= b * most / 100) }'
}

# --- what is printed ---
expect 0 '^Recommended checkpoint interval: ' \
    "$program" predict "$demo" --failure-rate 3/day --recovery-limit 5s
expect 0 'with a failure every 480 min on average\. This decides' \
    "$program" predict "$demo" --failure-rate 3/day
expect 0 '^Any checkpoint interval will do' "$program" predict "$demo"
expect 0 'State how often the job fails' "$program" predict "$demo"
expect 0 'the limit of 1 s cannot be kept' \
    "$program" predict "$demo" --failure-rate=1/h --recovery-limit=1s
expect 0 'At an interval of 250 ms' "$program" predict "$demo" --set checkpoint.interval=250ms
expect 0 'seed 7, predicted' "$program" predict --seed 7 "$demo"
expect 0 'as fast as it is processed' "$program" predict scenarios/smoke/at-full-speed.json
expect 0 'the scenario has no faults' "$program" predict scenarios/smoke/no-fault.json
expect 0 'the job never catches up' "$program" predict scenarios/sweeps/regime-4-backpressure.json

# --- the same as JSON, and the same as a run measures ---
"$program" predict "$demo" --json --failure-rate 0.125/h >"$scratch/predicted.json"
"$program" run "$demo" --no-db --quiet --out "$scratch/demo" >/dev/null
predicted=$scratch/predicted.json
check 'the interval is not what three failures a day ask for' \
    test "$(value "$predicted" interval)" = 29.7s
check 'not every recovery of the run is in the prediction' \
    test "$(grep -c '"model_recovery_s"' "$predicted")" -eq 5
for i in 1 2 3 4 5; do
    measured=$(value "$scratch/demo/result.json" total_s "$i")
    check "recovery $i: predict does not show what run measures" \
        near "$(value "$predicted" recovery_s "$i")" "$measured" 0.01
    check "recovery $i: the model is more than 15 % off" \
        near "$(value "$predicted" model_recovery_s "$i")" "$measured" 15
done
check 'the model of a checkpoint is more than 5 % off' \
    near "$(value "$predicted" checkpoint_s 1)" "$(value "$predicted" checkpoint_s 2)" 5

# --- the other stores ---
for store in memory sqlite; do
    "$program" predict "$demo" --json --set checkpoint.store=$store --set 'faults=[]' >"$predicted"
    check "$store: the model of a checkpoint is more than 5 % off" \
        near "$(value "$predicted" checkpoint_s 1)" "$(value "$predicted" checkpoint_s 2)" 5
done
expect 0 'the state travels with the acknowledgements' \
    "$program" predict "$demo" --set checkpoint.store=memory --set 'faults=[]'

# --- mistakes ---
expect 3 'predict: needs the path of one scenario' "$program" predict
expect 3 'predict: needs the path of one scenario' "$program" predict "$demo" "$demo"
expect 3 'unknown verb "predct"; did you mean "predict"' "$program" predct "$demo"
for rate in 3 3/ /day -3/day 0/day 3/year ' 3/day' 1e3/h nan/h 0x3/h 3/day/h 1.2.3/h; do
    expect 3 '^faultline: --failure-rate: must be above 0' \
        "$program" predict "$demo" --failure-rate "$rate"
done
for limit in 5 0s -1s soon; do
    expect 3 '^faultline: --recovery-limit: must be a duration above 0' \
        "$program" predict "$demo" --recovery-limit "$limit"
done
expect 3 '^faultline: --trace: is no option of this verb' "$program" predict "$demo" --trace
expect 3 'checkpoint.interval: is off' \
    "$program" predict "$demo" --set checkpoint.interval=off
expect 3 'without faults the job does not finish' \
    "$program" predict scenarios/input/bad-line.json --set checkpoint.interval=100ms
expect 6 'no such file' "$program" predict "$scratch/none.json"

close predict
