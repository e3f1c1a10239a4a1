#!/usr/bin/env bash
# live.sh - `faultline live`: exact under kills, on processes and on threads; refuses what it cannot
# cause; leaves nothing behind, however it ends. Closes with `live: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

live() {
    "$program" live --no-db --quiet --out "$scratch/out" "$@"
}

# No process, and no file of the volumes, is left of a run with the folder $1.
expect_nothing_left() {
    local tries=50
    while { pgrep -f -- "--out $1 " >/dev/null || [ -e "$1/volumes" ]; } && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    if [ "$tries" -gt 0 ]; then
        pass
    else
        fail "${BASH_SOURCE[1]}:${BASH_LINENO[0]}: something is left: $(pgrep -fa -- "--out $1 ")" \
            "$(ls "$1")"
    fi
}

# end_with SIGNAL - starts a run, ends it with a signal in the middle; its exit code in $status.
end_with() {
    "$program" live --no-db --quiet --out "$scratch/ended" \
        scenarios/live/three-kills.json >"$scratch/text" 2>&1 </dev/null &
    local run=$!
    sleep 0.7
    kill "-$1" "$run"
    wait "$run" 2>/dev/null
    status=$?
}

kills=scenarios/live/three-kills.json
expect 0 '^PASS +live-three-kills$' live "$kills"
expect_nothing_left "$scratch/out"
expect 0 '"live": "processes"' cat "$scratch/out/result.json"
expect 0 '^100000 ' wc -l "$scratch/out/output.txt"
expect 0 '^PASS +live-three-kills$' live --threads "$kills"
expect 0 '"live": "threads"' cat "$scratch/out/result.json"
expect 0 '^PASS +live-three-kills$' live --set state.backend=sqlite "$kills"

expect 0 '^PASS +live-slow-link$' live scenarios/live/slow-link.json
expect 0 '^PASS +live-slow-link$' live --threads scenarios/live/slow-link.json
expect 0 '^PASS +live-network$' live scenarios/live/network.json
expect 0 '^PASS +live-network$' live --threads scenarios/live/network.json
expect 0 '^PASS +live-rescale$' live scenarios/live/rescale.json
expect 0 '^PASS +live-full$' live --threads scenarios/live/full.json
expect 0 '^PASS +live-storage$' live scenarios/live/storage.json
expect 0 '^PASS +live-storage$' live --threads scenarios/live/storage.json
expect 0 '^PASS +live-reset$' live scenarios/live/reset.json
expect 0 '^PASS +live-reset$' live --threads scenarios/live/reset.json
expect 3 'cannot cause "reset": all links between two processes share one connection' \
    live --set 'faults=[{"at":"1ms","do":"reset","on":"link source->count"}]' "$kills"
expect 0 '^PASS +live-ambiguous$' live scenarios/live/ambiguous.json
expect 0 '^PASS +live-ambiguous$' live --threads scenarios/live/ambiguous.json
expect 0 '^PASS +rules-crashes$' live --set expect.recoveries=any --set expect.fired=any \
    scenarios/jobs/rules-crashes.json # whose operator state is judged at each restore
expect 0 '^PASS +live-damage$' live scenarios/live/damage.json
expect 0 '^PASS +live-damage$' live --threads scenarios/live/damage.json

# The input is read in 50 ms. It lasts until the fault has happened, which may be much later, and
# does not wait for one that can only happen at its end.
cat >"$scratch/late.json" <<'JSON'
{ "name": "late", "job": { "name": "count", "parallelism": 2,
                           "input": { "records": 2000, "keys": 50, "rate": "40k/s" } },
  "checkpoint": { "interval": "100ms" }, "restart": { "strategy": "fixed_delay", "delay": "10ms" },
  "faults": [ { "when": "checkpoint.completed #3", "do": "crash", "on": "count[0]",
                "for": "10ms" } ] }
JSON
expect 0 '^PASS +late$' live "$scratch/late.json"
expect 0 '^PASS +late$' live --threads "$scratch/late.json"
pause='"do":"pause","on":"job_manager","for":"1ms"'
expect 0 '^PASS +late$' live --set "faults=[{\"when\":\"task.finished(source[0])\",$pause}]" \
    "$scratch/late.json"

# Its state never fits into the store, and its restart strategy has no end.
expect 2 '^STUCK .*: the job failed 3 times in a row.*: declined: the state of .* takes 16 ' \
    live --set checkpoint.store=memory --set checkpoint.store_state_max=16B --set 'faults=[]' \
    --set restart.strategy=fixed_delay --set restart.attempts=unlimited --set restart.delay=1ms \
    "$kills"

for seed in 1 2 3 4 5 6 7 8 9 10; do
    expect 0 '^PASS' live --seed "$seed" scenarios/live/random-kills.json
    expect 0 '^PASS' live --threads --seed "$seed" scenarios/live/random-kills.json
done

# Whatever the input is, and kept if it cannot be read again; a process that is killed reads on. On
# a slow machine all records are due when the job begins to run, and one checkpoint is all there is.
cat >"$scratch/piped.json" <<'JSON'
{ "name": "piped", "job": { "name": "count", "parallelism": 2,
                            "input": { "file": "-", "rate": "20k/s" } },
  "checkpoint": { "interval": "50ms" }, "restart": { "strategy": "fixed_delay", "delay": "10ms" },
  "faults": [ { "when": "checkpoint.completed", "do": "crash", "on": "count[0]",
                "for": "10ms" } ] }
JSON
seq 20000 >"$scratch/numbers"
piped() {
    live "$@" <"$scratch/numbers"
}
expect 0 'kept in .*/input.txt as it comes: a process that is killed reads it again, .*are lost' \
    piped "$scratch/piped.json"
expect 0 '^20000 ' wc -l "$scratch/out/output.txt"
expect 0 '' cmp "$scratch/numbers" "$scratch/out/input.txt"
piped_again() {
    live "$scratch/piped.json" <"$scratch/out/input.txt"
}
expect 0 '^PASS' piped_again
expect 0 '' cmp "$scratch/numbers" "$scratch/out/input.txt"
expect 0 '^PASS' live --set job.input.file="$PWD/scenarios/input/sizes.jsonl.gz" \
    --set job.input.column=size --set 'faults=[]' "$scratch/piped.json"
expect 3 'job.input.file: nothing came from standard input' live "$scratch/piped.json"
expect 3 'piped.json: job.input.file: standard input: the gzip data is damaged' \
    piped --set job.input.compression=gzip "$scratch/piped.json"

# follow - a run whose standard input is a pipe that stays open, on descriptor 3; on a terminal.
follow() {
    rm -rf "$scratch/followed" "$scratch/screen" # or the last one's would be taken for it
    script -qefc "echo \$\$ >$scratch/number; exec $program live --no-db --set faults=[] \
        --out $scratch/followed $scratch/piped.json <$scratch/pipe" "$scratch/screen" \
        >/dev/null 2>&1 </dev/null &
    run=$!
    exec 3<>"$scratch/pipe" # for reading too, as then it opens even if nobody else does
}

# expect_soon FILE PATTERN - one test: the file comes to have such a line, while the pipe is open.
expect_soon() {
    local tries=300
    until grep -qaE -- "$2" "$1" 2>/dev/null || [ "$tries" -eq 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    expect 0 '' grep -qaE -- "$2" "$1"
}

# A pipe without an end: its records are counted as they come, with checkpoints meanwhile.
mkfifo "$scratch/pipe"
follow
seq 100 >&3
expect_soon "$scratch/screen" 'piped: 100 records, .* behind; last checkpoint [1-9]'
seq 101 200 >&3
printf 201 >&3
exec 3>&-
wait "$run"
expect 0 '^201 ' wc -l "$scratch/followed/output.txt"
expect 0 '' grep -qa 'PASS' "$scratch/screen"

# A signal may end such an input before anything has come.
follow
until [ -e "$scratch/followed/volumes/shared/checkpoints" ] || ! kill -0 "$run" 2>/dev/null; do
    sleep 0.05
done
kill -INT "$(cat "$scratch/number")"
wait "$run"
exec 3>&-
expect 0 '' grep -qa 'interrupted; nothing had come from standard input' "$scratch/screen"

# A signal ends it, and the job with it: what is no whole line yet is left out. What is kept of it
# is not another run's to overwrite.
follow
seq 100 >&3
printf 101 >&3
expect_soon "$scratch/screen" 'piped: 100 records, .* behind; last checkpoint [1-9]'
other() {
    "$program" live --no-db --quiet --junit "$scratch/other.xml" --out "$scratch/followed" \
        "$scratch/piped.json" <"$scratch/numbers"
}
expect 6 '/followed/volumes: another run is using it$' other
expect 0 'message="[^"]*/followed/volumes: another run is using it"' cat "$scratch/other.xml"
kill -INT "$(cat "$scratch/number")"
wait "$run"
exec 3>&-
expect 0 '' grep -qa 'the signal ended standard input' "$scratch/screen"
expect 0 '^100 ' wc -l "$scratch/followed/output.txt"
expect 0 '^100 ' wc -l "$scratch/followed/input.txt"
expect_nothing_left "$scratch/followed"

# The same program that simulates a scenario refuses what it cannot do for real.
cat >"$scratch/lie.json" <<'JSON'
{ "name": "lie", "job": { "name": "count", "input": { "records": 1000, "keys": 10 } },
  "faults": [ { "at": "1ms", "do": "lie", "on": "store", "for": "1s" } ] }
JSON
refused=$scratch/lie.json
expect 0 '^  lie +only a power cut would tell' "$program" list faults
expect 3 'faults\[0\]: cannot cause "lie": only a power cut would tell, .*; live --skip-faults' \
    live "$refused"
expect 0 'cannot cause "lie".*; it is left out$' live --skip-faults "$refused"
expect 3 '^faultline: --verify: is no option of this verb$' live --verify "$kills"
expect 3 '^faultline: live: needs the path of a scenario$' live

# What the machine itself refuses, and no fault of the scenario explains, ends the run soon: a file
# that may not grow over 204,800 bytes, though the restart strategy has no end ...
cat >"$scratch/large.json" <<'JSON'
{ "name": "large", "job": { "name": "count", "parallelism": 2,
                            "input": { "records": 300000, "keys": 100000, "rate": "100k/s" } },
  "checkpoint": { "interval": "200ms" },
  "restart": { "strategy": "fixed_delay", "attempts": "unlimited", "delay": "20ms" } }
JSON
live_small() (
    ulimit -f 200
    live "$@"
)
refusal='no fault of the scenario explains; (nothing was|what was) committed'
expect 6 "/out/volumes/shared/.*: File too large, which $refusal" live_small "$scratch/large.json"
expect_nothing_left "$scratch/out"
expect 6 "File too large, which $refusal" live_small --threads "$scratch/large.json"
expect_nothing_left "$scratch/out"

seq 50000 >"$scratch/many"
expect 6 'job.input.file: .*/out: what is read cannot be kept: File too large' \
    live_small --set job.input.file="$scratch/many" "$scratch/piped.json"

# ... or a disk that is full, which only who may mount one can try.
mkdir "$scratch/disk"
live_on_full_disk() {
    unshare -m sh -c 'mount -t tmpfs -o size=3m none "$0" && exec "$@"' "$scratch/disk" \
        "$program" live --no-db --quiet --out "$scratch/disk/out" "$@"
}
if unshare -m mount -t tmpfs -o size=3m none "$scratch/disk" 2>/dev/null; then
    expect 6 "volumes/shared/.*: No space left on device, which $refusal" \
        live_on_full_disk "$scratch/large.json"
    expect_nothing_left "$scratch/disk/out"
else
    echo "live: no disk can be mounted here: what a full one does to a run is not tested"
fi

# expect_ended SIGNAL CODE - one test: a run that gets the signal ends with this exit code.
expect_ended() {
    end_with "$1"
    if [ "$status" -eq "$2" ]; then
        pass
    else
        fail "${BASH_SOURCE[0]}:${BASH_LINENO[0]}: SIG$1: exit code $status, not $2"
    fi
    expect_nothing_left "$scratch/ended"
}

# However early it is killed, or if somebody kills the process that would clean up: many at once
# after the start, the last when a program with sanitizers has begun, too.
mkdir "$scratch/early"
early=0
for ms in {0..6}{,,,,,,,} {10..90..10}; do
    early=$((early + 1))
    "$program" live --no-db --quiet --out "$scratch/early/$early" "$kills" >"$scratch/text" 2>&1 &
    run=$!
    sleep "$(printf '0.%03d' "$ms")"
    kill -KILL "$run"
    wait "$run" 2>/dev/null
done
left_early() {
    find "$scratch/early" -name volumes
}
sleep 1
for _ in $(seq 50); do
    [ -z "$(left_early)" ] && break
    sleep 0.1
done
expect 0 '^$' left_early

# child_of RUN NUMBER - of its processes, in the order of their numbers: that which cleans up, the
# JobManager, then the TaskManagers.
child_of() {
    pgrep -P "$1" | sed -n "$2p"
}
# kill_child NUMBER - kills one of its processes in the middle of a run, which ends with this.
kill_child() {
    "$program" live --no-db --quiet --out "$scratch/ended" --set 'faults=[]' \
        --set expect.recoveries=any "$kills" </dev/null &
    local run=$!
    sleep 0.7
    kill -KILL "$(child_of "$run" "$1")"
    wait "$run"
}
expect 0 '^PASS' kill_child 1
expect_nothing_left "$scratch/ended"
expect 6 'live: task_manager.*was killed, and not by this run: signal 9 .*committed' \
    kill_child 3
expect_nothing_left "$scratch/ended"

# A signal ends all that was to be run, and those that follow it change nothing.
interrupted() {
    "$program" live --no-db --quiet --out "$scratch/several" "$kills" scenarios/live/reset.json \
        </dev/null &
    local run=$! i
    sleep 0.7
    for i in $(seq 20); do
        kill -TERM "$run" 2>/dev/null
        sleep 0.001
    done
    wait "$run"
}
expect 6 'live-three|interrupted' interrupted
expect 1 '' test -e "$scratch/several/live-reset"

# Of two runs in one folder the second is refused, and the first goes on.
"$program" live --no-db --quiet --out "$scratch/shared" "$kills" >"$scratch/first" 2>&1 </dev/null &
first=$!
until [ -e "$scratch/shared/volumes/shared/checkpoints" ] || ! kill -0 "$first" 2>/dev/null; do
    sleep 0.05
done
expect 6 '/shared/volumes: another run is using it$' \
    "$program" live --no-db --quiet --out "$scratch/shared" "$kills"
wait "$first"
expect 0 '^PASS +live-three-kills$' cat "$scratch/first"

# What calibrate leaves when it is killed, however early.
for i in 1 2 3 4 5; do
    "$program" calibrate -o "$scratch/calibrated.json" >"$scratch/text" 2>&1 &
    run=$!
    sleep "0.0$i"
    kill -KILL "$run"
    wait "$run" 2>/dev/null
    sleep 0.3
    for _ in $(seq 50); do
        [ -e "$scratch/calibrated.json.volumes" ] || break
        sleep 0.1
    done
    expect 1 '' test -e "$scratch/calibrated.json.volumes"
done

# What somebody else has put where the volumes are to be is not removed.
mkdir -p "$scratch/foreign/volumes"
touch "$scratch/foreign/volumes/precious"
expect 6 '/foreign/volumes: holds what is not of a live run, and would be emptied$' \
    "$program" live --no-db --quiet --out "$scratch/foreign" "$kills"
expect 0 '' test -e "$scratch/foreign/volumes/precious"

# An interrupted run leaves no results of the run before, which could be taken for its own.
expect 0 "^PASS" "$program" live --no-db --quiet --out "$scratch/ended" "$refused" --skip-faults
expect 0 '^result.json$' ls "$scratch/ended"
expect_ended INT 6
expect 0 '^run.json$' ls "$scratch/ended"
expect 1 '' test -e "$scratch/ended/result.json"
expect 1 '' test -e "$scratch/ended/output.txt"
expect 0 'live: interrupted; (nothing was|what was) committed' cat "$scratch/text"
expect_ended TERM 6
expect_ended KILL 137

close live
