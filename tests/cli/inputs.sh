#!/usr/bin/env bash
# inputs.sh - input in whatever form: the same records give the same run, standard input is kept for
# the replay, and what is broken ends in one sentence.
# Closes with `inputs: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=$(realpath "${PROGRAM:-build/release/faultline}")
data=$(realpath scenarios/input)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

cat >base.json <<'EOT'
{ "job": { "name": "count", "parallelism": 2, "input": { "file": "sizes.txt" } },
  "expect": { "within": "1min" } }
EOT
awk -F, 'NR > 1 { gsub("\"", "", $(NF - 1)); print $(NF - 1) }' "$data/sizes.csv" >sizes.txt

# hash OPTION... - of a run with these options
hash() {
    "$program" run base.json --no-db --out out --json "$@" 2>&1 </dev/null |
        sed -n 's/.*"trace_hash": *"\([0-9a-f]*\)".*/\1/p'
}

wanted=$(hash)
[ -n "$wanted" ] && pass || fail 'lines: no run'
same() {
    local message=$1
    shift
    if [ "$(hash "$@")" = "$wanted" ]; then
        pass
    else
        fail "$message: not the same run as from lines"
    fi
}
same 'CSV' --set "job.input.file=$data/sizes.csv" --set 'job.input.column=installed size'
same 'JSON lines' --set "job.input.file=$data/sizes.jsonl.gz" --set job.input.column=size
same 'a directory' --set "job.input.file=$data/sizes"
same 'a query' --set "job.input.sqlite=$data/sizes.db" \
    --set 'job.input.query=SELECT size FROM package ORDER BY id'

# Standard input is kept, and the kept run is the same again.
"$program" run base.json --no-db --out piped --set job.input.file=- <sizes.txt >log 2>&1 &&
    grep -q 'piped/input.txt (standard input)' log && cmp -s sizes.txt piped/input.txt &&
    pass || fail "standard input: $(tail -n 3 log)"
"$program" run piped/run.json --no-db --out again >again.log 2>&1 </dev/null &&
    [ "$(grep -o 'trace hash.*' log)" = "$(grep -o 'trace hash.*' again.log)" ] &&
    pass || fail "the replay of standard input: $(tail -n 3 again.log)"

# What fuzz finds with standard input can be replayed, and shrunk.
"$program" fuzz base.json --seeds 1..20 --out hunt --set job.input.file=- \
    --set expect.within=2s <sizes.txt >log 2>&1
found=$(find hunt/failures -name '*.json' 2>/dev/null | sort | head -n 1)
[ -n "$found" ] && expect 2 'STUCK' "$program" run "$found" --no-db --out out ||
    fail "fuzz of standard input stores nothing: $(tail -n 3 log)"
[ -n "$found" ] && expect 0 '' "$program" shrink "$found" -o small/small.json
expect 2 'STUCK' "$program" run small/small.json --no-db --out out

# One sentence, exit code 3 (wrong data) or 6 (not readable).
run=("$program" run base.json --no-db --out out)
expect 3 'base.json: job.input.file: nothing came from standard input' \
    "${run[@]}" --set job.input.file=-
head -c 100 "$data/sizes.jsonl.gz" >cut.gz
expect 3 'cut.gz: the gzip data is damaged at its byte 100: the file ends in the middle' \
    "${run[@]}" --set job.input.file=cut.gz
printf 'n\n1\n"2\n' >open.csv
expect 3 'open.csv:3:1: this quote is never closed' \
    "${run[@]}" --set job.input.file=open.csv --set job.input.column=n
printf 'n\n1\nx\n' >word.csv
expect 1 'record 2 of word.csv' \
    "${run[@]}" --set job.input.file=word.csv --set job.input.column=n
expect 3 'no such column: m' \
    "${run[@]}" --set "job.input.sqlite=$data/sizes.db" \
    --set 'job.input.query=SELECT m FROM package'
expect 6 'job.input.sqlite: cannot read .*gone.db' \
    "${run[@]}" --set job.input.sqlite=gone.db --set 'job.input.query=SELECT 1'
expect 3 'standard input cannot be swept' "$program" sweep base.json --db sweep.db -o page \
    --set job.input.file=- --set 'sweep={"seed":"1..2"}'
expect 6 'job.input.sqlite: cannot read .*/-: ' \
    "${run[@]}" --set job.input.sqlite=- --set 'job.input.query=SELECT 1'
: >empty.csv
expect 3 'empty.csv:1:1: the file ends before its header' \
    "${run[@]}" --set job.input.file=empty.csv --set job.input.column=n
printf 'm,n\r1,2\r' >old.csv
expect 3 'old.csv:1:4: a carriage return that no line feed follows' \
    "${run[@]}" --set job.input.file=old.csv --set job.input.column=m
mkdir links
seq 3 >links/numbers
ln -s nowhere links/gone
expect 6 'cannot read .*links/gone: No such file' "${run[@]}" --set job.input.file=links

# What may not be read. A database with a write-ahead log is read with files beside it.
sqlite3 logged.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >log
mkdir closed locked
seq 3 >closed/numbers
mv logged.db locked
chmod 755 .
chmod 744 closed
chmod 555 locked
nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
if nobody "$program" --version >log 2>&1; then
    expect 6 'cannot read .*closed/.*: Permission denied' \
        nobody "${run[@]}" --set job.input.file=closed
    expect 6 'locked/logged.db: attempt to write a readonly database' \
        nobody "${run[@]}" --set job.input.sqlite=locked/logged.db \
        --set 'job.input.query=SELECT 1 FROM t'
else
    echo "inputs: nobody else can be here: what they may not read is not tested"
fi

# Of a standard input that is closed no other file, such as the database, takes the place.
closed_input() {
    "$program" run base.json --db runs.db --out out --set job.input.file=- <&-
}
piped_rows() {
    printf 'n\n"1' | "${run[@]}" --set job.input.file=- --set job.input.column=n "$@"
}
expect 6 'cannot read standard input: Bad file descriptor' closed_input
expect 3 'standard input:2:1: this quote is never closed' piped_rows --set job.input.format=csv
expect 3 'standard input: is read as lines, which have no column n' piped_rows
mkdir empty
expect 3 'empty: the directory has no files' "${run[@]}" --set job.input.file=empty

close inputs
