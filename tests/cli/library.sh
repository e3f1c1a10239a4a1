#!/usr/bin/env bash
# library.sh - a job of the user's own: the example builds against what is installed and runs in
# every command, what cannot be loaded is refused in one sentence, and a job that crashes, hangs or
# has no one answer is told from one that faultline breaks.
# Closes with `library: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
quiet=(--quiet --no-db --out "$scratch/out")

# --- the example, with its own Makefile, away from the sources ---
expect 0 '' make -s install DESTDIR="$scratch/root" PREFIX=
cp -r examples/my_job "$scratch/my_job"
rm -f "$scratch/my_job/payments.so"
example() {
    make -s -C "$scratch/my_job" PREFIX="$scratch/root" "$@"
}
expect 0 '^PASS' example run
job=$scratch/my_job/payments.json
expect 0 '0 failed$' "$program" fuzz "$job" --seeds 1..20 --out "$scratch/fuzz"
head -n 100 "$scratch/my_job/payments.txt" >"$scratch/my_job/few.txt"
expect 0 'all passed' "$program" enumerate "$job" --set job.parallelism=1 --set 'faults=[]' \
    --set checkpoint.interval=off --set job.input.file=few.txt --out "$scratch/enumerate"
expect 0 '2 PASS' "$program" sweep "$job" --set 'faults=[]' \
    --set 'sweep={"job.parallelism":[1,2]}' --db "$scratch/sweep.db" -o "$scratch/sweep"
"$program" run "$job" "${quiet[@]}" >"$scratch/log" 2>&1
hash=$(sed -nE 's/.*"trace_hash": *"?([0-9a-f]+)"?.*/\1/p' "$scratch/out/result.json" | head -n 1)
expect 0 "trace hash $hash \(twice\)" \
    "$program" run "$scratch/out/run.json" --verify --no-db --out "$scratch/again"
grep -q "\"library\": \"$scratch/my_job/payments.so\"" "$scratch/out/run.json" && pass ||
    fail "${BASH_SOURCE[0]}: run.json does not name the library by an absolute path"

# --- under the address sanitizer, the library instrumented ---
expect 0 '^PASS' example -B CFLAGS='-O1 -g -fsanitize=address' \
    FAULTLINE="env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$(gcc -print-file-name=libasan.so) \
$PWD/$program" run

# --- what cannot be loaded ---
refused() {
    expect 3 "^--set: job.library: $2" "$program" run "$job" "${quiet[@]}" --set "job.library=$1"
}
echo 'int nothing;' | gcc -shared -fPIC -o "$scratch/empty.so" -x c -
sed 's/= FAULTLINE_JOB_VERSION/= 99/' "$scratch/my_job/payments.c" |
    gcc -shared -fPIC -I "$scratch/root/include" -o "$scratch/newer.so" -x c -
expect 6 '^--set: job.library: .*/none\.so: no such file$' \
    "$program" run "$job" "${quiet[@]}" --set "job.library=$scratch/none.so"
refused payments.txt '.*/payments\.txt: cannot be loaded: '
refused "$scratch/empty.so" '.*/empty\.so: is no job: it does not define "faultline_job"$'
refused "$scratch/newer.so" '.*/newer\.so: was built for version 99 of faultline/job\.h, '
refused '' 'must be the path of a shared library$'
echo '{ "job": { "name": "count", "library": "a.so" } }' >"$scratch/both.json"
expect 3 'both\.json: job\.library: there is a "name" already' \
    "$program" run "$scratch/both.json" "${quiet[@]}"
echo '{ "job": {} }' >"$scratch/neither.json"
expect 3 'neither\.json: job\.name: must be given, or a job of your own as "library"' \
    "$program" run "$scratch/neither.json" "${quiet[@]}"
expect 0 '^PASS' "$program" run "$job" "${quiet[@]}" --set job.name=wordcount --set 'faults=[]'

# --- jobs that misbehave ---
cat >"$scratch/bad.json" <<END
{ "job": { "library": "$PWD/build/libraries/misbehaves.so", "parallelism": 1,
           "input": { "file": "words.txt", "rate": "1k/s" } },
  "checkpoint": { "interval": "10ms" },
  "restart": { "strategy": "fixed_delay", "attempts": 2, "delay": "10ms" } }
END
crash='faults=[{"at":"200ms","do":"crash","on":"words[0]","for":"10ms"}]'
bad() {
    local words=$1
    shift
    printf '%s\n' $words >"$scratch/words.txt"
    "$program" "$1" "$scratch/bad.json" "${@:2}"
}
many=$(seq 1 300 | paste -sd " ")
expect 0 '^PASS' bad "$many" run "${quiet[@]}" --set "$crash"
expect 1 'even without faults the job failed' bad "$many fail" run --no-db --out "$scratch/out"
expect 0 '^PASS' bad "$many fail" run "${quiet[@]}" --set expect.result=failed
expect 4 'the job answers otherwise: ' bad "$many first" run --no-db --out "$scratch/out" \
    --set "$crash" --set job.parallelism=2
expect 134 '' bad "$many crash" run "${quiet[@]}"
expect 1 'fails as it is, without a drawn fault: signal 6' \
    bad "$many crash" fuzz --out "$scratch/fuzz"
expect 1 'fails without a fault, .*: signal 6' bad "$many crash" enumerate --out "$scratch/fuzz"
expect 0 'of 0 faults left' bad "$many fail" shrink --time 3s -o "$scratch/small.json"
expect 1 'even without faults the job failed' \
    "$program" run "$scratch/small.json" --no-db --out "$scratch/out"
expect 134 'key_process: broken invariant: offset <= value.size' \
    bad "$many foreign" run "${quiet[@]}"

close library
