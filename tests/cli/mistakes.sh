#!/usr/bin/env bash
# mistakes.sh - what a user gets wrong on the command line is answered with one sentence and exit
# code 3; what the surroundings refuse, with one sentence and 6.
# Closes with `mistakes: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

good=scenarios/smoke/no-fault.json
quiet=(--quiet --no-db --out "$scratch/out")

# words
expect 3 '^faultline: needs a verb' "$program"
expect 3 'unknown verb "rnu"; did you mean "run"\?' "$program" rnu
expect 3 'unknown verb "dance"; there are ' "$program" dance
expect 3 'run: needs the path of a scenario' "$program" run
expect 3 'unknown option "--sed"; did you mean "--seed"\?' "$program" run --sed 1 "$good"
expect 3 'unknown option "-x"' "$program" run -x "$good"
expect 3 'list: needs one of' "$program" list
expect 3 'unknown list "fact"; did you mean "facts"\?' "$program" list fact
expect 3 'takes one word' "$program" list facts jobs

# values of options
for seed in abc -1 1.5 '' 18446744073709551616; do
    expect 3 '^faultline: --seed: must be a whole number' "$program" run "$good" --seed "$seed"
done
expect 0 '^PASS' "$program" run "$good" "${quiet[@]}" --seed 18446744073709551615 \
    --set expect.checkpoints=any
expect 3 '^faultline: --seed: needs a value' "$program" run "$good" --seed
expect 3 '^faultline: --out: must not be empty' "$program" run "$good" --out=
expect 3 '^faultline: --verify: takes no value' "$program" run "$good" --verify=yes
expect 3 '^faultline: --json and --quiet exclude each other' "$program" run "$good" --json --quiet

# --set
expect 3 '^--set: "seed" must be PATH=VALUE' "$program" run "$good" "${quiet[@]}" --set seed
expect 3 '^--set: checkpoint.intervall: unknown key; did you mean "checkpoint.interval"\?' \
    "$program" run "$good" "${quiet[@]}" --set checkpoint.intervall=1s
expect 3 '^--set: checkpoint.interval: must be a duration' \
    "$program" run "$good" "${quiet[@]}" --set checkpoint.interval=soon
expect 3 '^--set: ' "$program" run "$good" "${quiet[@]}" --set =1
expect 3 '^--set: like: only a file can be like another' \
    "$program" run "$good" "${quiet[@]}" --set like=other.json
expect 3 '^--set: faults\[0\].at: ' "$program" run "$good" "${quiet[@]}" \
    --set 'faults=[{"at":"-1s","do":"crash","on":"job_manager"}]'

# scenarios that are none; whatever names a file that is not there, the exit code is the same
echo '{ "like": "no_such_scenario.json" }' >"$scratch/alone.json"
expect 6 'alone.json: like: "no_such_scenario.json": no such file' \
    "$program" run "$scratch/alone.json" "${quiet[@]}"
expect 6 'job.input.file: cannot read .*/gone.txt: No such file' \
    "$program" run "$good" "${quiet[@]}" --set 'job.input={"file":"gone.txt"}'
expect 6 'job.input.sqlite: cannot read .*/gone.db: unable to open' \
    "$program" run "$good" "${quiet[@]}" --set 'job.input={"sqlite":"gone.db","query":"SELECT 1"}'
expect 6 'gone.json: no such file' "$program" run "$scratch/gone.json" "${quiet[@]}"
expect 6 ': Is a directory' "$program" run "$scratch" "${quiet[@]}"
expect 6 'mem: Input/output error' "$program" run /proc/self/mem "${quiet[@]}"
expect 3 'truncated.json:2:27: ' "$program" run tests/cli/bad_scenarios/truncated.json "${quiet[@]}"
expect 3 'name: "no-fault" is the name of' "$program" run "$good" "$good" "${quiet[@]}"
if [ "$(id -u)" -ne 0 ]; then
    cp "$good" "$scratch/secret.json"
    chmod 000 "$scratch/secret.json"
    expect 6 'secret.json: Permission denied' "$program" run "$scratch/secret.json" "${quiet[@]}"
fi

# places that cannot be written
: >"$scratch/file"
expect 6 "$scratch/file: cannot make the folder" \
    "$program" run "$good" --quiet --no-db --out "$scratch/file/out"
expect 6 'cannot open' "$program" run "$good" --quiet --out "$scratch/out" --db "$scratch/file/db"
echo 'no database at all, only a text' >"$scratch/text.db"
expect 3 'not a SQLite database' \
    "$program" run "$good" --quiet --out "$scratch/out" --db "$scratch/text.db"
expect 3 'text.db: cannot read: file is not a database' \
    "$program" report "$scratch/text.db" -o "$scratch/out"
to_full_device() {
    "$program" "$@" >/dev/full
}
expect 6 'standard output' to_full_device list facts
expect 6 'standard output' to_full_device run "$good" "${quiet[@]}"

# A file that may grow to one block of 1,024 bytes: a failed write, not a death by SIGXFSZ.
to_small_files() {
    (ulimit -f 1 && "$program" "$@")
}
expect 6 'output\.txt: cannot write: File too large' \
    to_small_files run scenarios/demo.json --no-db --quiet --out "$scratch/small"

# A mistake leaves nothing behind.
rm -rf "$scratch/out"
"$program" run "$good" --no-db --out "$scratch/out" --set job.parallelism=0 >/dev/null 2>&1
if [ -e "$scratch/out" ]; then
    fail "$0: a scenario with a mistake left files behind"
else
    pass
fi

close mistakes
