#!/usr/bin/env bash
# kills.sh - SIGKILL at random instants of the commit of a checkpoint: real processes, real files.
#
# KILLS=N asks for that many (default 20), a few dozen a run. After each kill the oracle looks at
# what lies in the store when the next JobManager starts, when it chooses what to restore, and when
# a checkpoint completes: the newest completed one must be chosen, each that is retained must be
# there, and every completed one must be readable and equal the fold over its input. Closes with
# `kills: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
kills=${KILLS:-20}
kills_per_run=40
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fault NUMBER - the sentence of one kill: a step, and a time after it that the seed decides.
fault() {
    local step on=job_manager
    case $(($1 % 5)) in
    0) step=checkpoint.triggered ;;
    1) step=checkpoint.all_acked ;;
    2) step=manifest.written ;;
    3) step=manifest.renamed ;;
    4) step='snapshot.taken(count[0])' on='count[0]' ;;
    esac
    printf '{ "when": "%s #%d", "after": "0us..6ms", "do": "crash", "on": "%s", "for": "1ms" }' \
        "$step" $((2 * $1 + 1)) "$on"
}

# scenario SEED KILLS - more than twice the input that the kills need on a quiet machine.
scenario() {
    local i
    printf '{ "name": "kills", "seed": %d, "job": { "name": "count", "parallelism": 2,\n' "$1"
    printf '  "input": { "records": %d, "keys": 500, "rate": "1k/s" } },\n' $((2000 + 250 * $2))
    printf '  "checkpoint": { "interval": "10ms", "inline_threshold": "0B", "retained": 2 },\n'
    printf '  "restart": { "strategy": "fixed_delay", "attempts": 100000, "delay": "1ms" },\n'
    printf '  "cluster": { "task_managers": 2, "slots": 4,\n'
    printf '               "network": { "buffer_timeout": "5ms" } },\n'
    printf '  "expect": { "fired": "any" }, "faults": [\n'
    for ((i = 1; i <= $2; i++)); do
        fault "$i"
        [ "$i" -eq "$2" ] || printf ',\n'
    done
    printf ' ] }\n'
}

killed=0
for ((seed = 1; killed < kills && failed == 0 && seed <= 2 * kills; seed++)); do
    left=$((kills - killed))
    scenario "$seed" $((left < kills_per_run ? left : kills_per_run)) >"$scratch/kills.json"
    expect 0 '^PASS +kills$' "$program" live --quiet --db "$scratch/results.db" \
        --out "$scratch/out" "$scratch/kills.json"
    killed=$(sqlite3 "$scratch/results.db" "SELECT count(fired_ns) FROM fault")
done
expect 0 '^enough$' sh -c "[ $killed -ge $kills ] && echo enough || echo only $killed"

# How many of them fell between the last acknowledgement and the completion.
within="SELECT count(*) FROM fault f WHERE EXISTS (SELECT 1 FROM checkpoint c
    WHERE c.run_id = f.run_id AND f.fired_ns >= c.all_acked_ns
      AND (c.ended_ns IS NULL OR f.fired_ns < c.ended_ns))"
printf 'kills: %d kills in %d runs, %d of them between the last acknowledgement and completion\n' \
    "$killed" $((seed - 1)) "$(sqlite3 "$scratch/results.db" "$within")"

close kills
