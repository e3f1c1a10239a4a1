#!/usr/bin/env bash
# outputs.sh - what the verbs print and what a run leaves behind.
# Closes with `outputs: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

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

hash_of() {
    sed -nE 's/.*"trace_hash": *"([0-9a-f]{16})".*/\1/p' "$1"
}

# --- what can be asked for ---
expect 0 '^faultline [^ ]+$' "$program" --version
for words in help --help -h 'run --help' 'help run'; do
    # shellcheck disable=SC2086 # several words
    expect 0 'faultline run SCENARIO' "$program" $words
done
expect 3 'help: takes one verb only' "$program" help run live
expect 3 'unknown verb "rum"; did you mean "run"' "$program" help rum
expect 0 '^count ' "$program" list jobs

# The help of a verb has its options, each of them, and no other's.
program_path=$(realpath "$program")
"$program" help | grep -oE -- '^  --?[a-z-]+|, --out' | tr -d ' ,' | sort -u >"$scratch/options"
for verb in run live sweep report predict fuzz enumerate shrink calibrate compare; do
    "$program" "$verb" --help >"$scratch/help"
    expect 0 "^faultline $verb " cat "$scratch/help"
    while read -r option; do
        said=$(cd "$scratch" && "$program_path" "$verb" "$option=1" x y 2>&1)
        [[ $said != *': is no option of this verb' ]] && takes=0 || takes=1
        grep -qE -- "^  (-o, )?$option( |,|\[)" "$scratch/help" && tells=0 || tells=1
        [ "$takes" -eq "$tells" ] || echo "$verb $option"
    done <"$scratch/options"
done >"$scratch/differ"
check "help and options differ: $(tr '\n' ' ' <"$scratch/differ")" test ! -s "$scratch/differ"
expect 0 '^sqlite ' "$program" list backends
expect 0 '^ *crash ' "$program" list faults
expect 0 '^manifest\.renamed ' "$program" list facts
expect 0 'consistent_cut ' "$program" list properties

# --- what a run leaves: every record counted, every key in order ---
demo=(scenarios/demo.json --no-db --quiet --out "$scratch/demo")
expect 0 '^PASS +demo' "$program" run "${demo[@]}" --trace
for file in output.txt state.tsv run.json result.json trace.jsonl timeline.json; do
    check "$file is not there or empty" test -s "$scratch/demo/$file"
done
records=$(wc -l <scenarios/input/package-sizes.txt)
check 'output.txt has not one line a record' \
    test "$(grep -cE '^[0-9]+ : [0-9]+$' "$scratch/demo/output.txt")" -eq "$records"
check 'the counts of state.tsv do not add up to the records' \
    test "$(awk -F'\t' '{ sum += $2 } END { print sum }' "$scratch/demo/state.tsv")" -eq "$records"

# The reference a third time, with tools that know nothing of the program.
sort -n scenarios/input/package-sizes.txt | uniq -c | awk '{ print $2 "\t" $1 }' >"$scratch/counts"
check 'state.tsv is not what sort and uniq count' \
    diff "$scratch/counts" <(sort -n "$scratch/demo/state.tsv")
sed 's/ : /\t/' "$scratch/demo/output.txt" | sort -n -k1,1 -k2,2 |
    awk -F'\t' '{ last[$1] = $2 } END { for (key in last) print key "\t" last[key] }' |
    sort -n >"$scratch/last"
check 'the last line of each key in output.txt is not its count' \
    diff "$scratch/counts" "$scratch/last"

# --- run.json replays the run, in every way a run can be told to report ---
hash=$(hash_of "$scratch/demo/result.json")
check 'result.json has no trace hash' test -n "$hash"
expect 0 "\"trace_hash\": *\"$hash\"" \
    "$program" run "$scratch/demo/run.json" --json --no-db --out "$scratch/again"
check 'the replay committed something else' \
    cmp "$scratch/demo/output.txt" "$scratch/again/output.txt"
expect 0 "trace hash $hash \(twice\)" \
    "$program" run "$scratch/demo/run.json" --verify --no-db --out "$scratch/again"

# A random scenario too: every draw is in run.json.
random=$(grep -lE '^ *"random":' -r scenarios/random --include='*.json' | sort | head -n 1)
"$program" run "$random" --seed 5 --quiet --no-db --out "$scratch/random" >"$scratch/log" 2>&1
expect 0 "\"trace_hash\": *\"$(hash_of "$scratch/random/result.json")\"" \
    "$program" run "$scratch/random/run.json" --json --no-db --out "$scratch/again"

# Another seed is another run; the same option twice is the last one.
small=(scenarios/smoke/no-fault.json --json --no-db --out "$scratch/small")
"$program" run "${small[@]}" --seed 1 >"$scratch/one" 2>&1
"$program" run "${small[@]}" --seed 2 >"$scratch/two" 2>&1
"$program" run "${small[@]}" --seed 1 --seed 2 >"$scratch/both" 2>&1
check 'two seeds gave one hash' test "$(hash_of "$scratch/one")" != "$(hash_of "$scratch/two")"
check 'the last --seed does not count' \
    test "$(hash_of "$scratch/both")" = "$(hash_of "$scratch/two")"
check '--json prints not what result.json holds' diff "$scratch/both" "$scratch/small/result.json"

# --- the results database ---
expect 0 '^PASS' "$program" run scenarios/smoke/no-fault.json --quiet --out "$scratch/small" \
    --db "$scratch/results.db"
expect 0 '^PASS' "$program" run scenarios/demo.json --quiet --out "$scratch/small" \
    --db "$scratch/results.db"
check 'the database is no SQLite file' grep -qa '^SQLite format 3' "$scratch/results.db"

# --- several scenarios have a folder each ---
expect 0 '^2 scenarios: 2 PASS' "$program" run scenarios/smoke/no-fault.json scenarios/demo.json \
    --quiet --no-db --out "$scratch/several"
check 'the first has no folder' test -s "$scratch/several/no-fault/result.json"
check 'the second has no folder' test -s "$scratch/several/demo/result.json"

# --- install, and the same away from the sources ---
check 'make install fails' make -s install DESTDIR="$scratch/root" PREFIX=/usr
for file in bin/faultline share/man/man1/faultline.1 share/faultline/scenario.schema.json; do
    check "$file is not installed" test -s "$scratch/root/usr/$file"
done
cp "$scratch/random/run.json" "$scratch/moved.json"
away() {
    cd "$scratch" && root/usr/bin/faultline run moved.json --quiet
}
expect 0 '^PASS' away
check 'no results in out/' test -s "$scratch/out/results.db"
check 'make uninstall fails' make -s uninstall DESTDIR="$scratch/root" PREFIX=/usr
check 'make uninstall leaves files' test -z "$(find "$scratch/root" -type f)"

# --- the manual ---
check 'the manual has faults' test -z "$(groff -man -Tascii -ww -z sim/faultline.1 2>&1)"
{
    "$program" help | grep -oE -- '--[a-z-]+' | sed 's/-/\\-/g'
    sed -nE 's/^ *"([a-z_]+)": \{.*/\1/p' scenarios/scenario.schema.json |
        grep -vxE 'properties|items|object|verb|(count|duration)_bound'
} | sort -u | while read -r word; do
    grep -qF -- "$word" sim/faultline.1 || echo "$word"
done >"$scratch/untold"
check "the manual is silent about: $(tr '\n' ' ' <"$scratch/untold")" test ! -s "$scratch/untold"
sed -n '/^\.EX$/,/^\.EE$/p' sim/faultline.1 | sed '/^\.EE$/q' | grep -v '^\.E' \
    >"$scratch/manual.json"
expect 0 '^PASS' "$program" run "$scratch/manual.json" --quiet --no-db --out "$scratch/manual"
sed -n '/^```json$/,/^```$/p' README.md | grep -v '^```' >"$scratch/readme.json"
ln -s "$PWD/scenarios/input" "$scratch/input"
expect 0 '^PASS' "$program" run "$scratch/readme.json" --quiet --no-db --out "$scratch/readme"

close outputs
