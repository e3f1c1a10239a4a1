#!/usr/bin/env bash
# run_campaign.sh [-s FIRST_SEED] [-j PROCESSES] [-o DIR] COUNT BASE... [COUNT BASE...]... - a long
# fuzz campaign: COUNT seeds of each BASE behind it, from FIRST_SEED on (1 unless told).
#
# A BASE is the path of a scenario without scenarios/ and .json, in quotes if options of `fuzz`
# follow it. `jobs` stands for the scenarios of scenarios/jobs that have no crashes of their own, on
# each state backend that is built in; COUNT is then that of all of them together.
#
#   tests/run_campaign.sh 25000 base base-lines recovery/at-least-once incremental/plain 50000 jobs
#   tests/run_campaign.sh -s 70001 1000 "jobs/q8 --set job.parallelism=2"
#
# The program is copied first, so that the tree may change meanwhile. A line for each base says how
# many runs it made, how many failed, and the seconds they took. What failed lies in DIR/NUMBER-NAME
# (out/campaign unless told), each failing run as a file that replays it. It closes with
# `campaign: N passed, M failed`, N and M in runs.
set -u
. "$(dirname "$0")/lib.sh"

first=1
processes=$(job_count)
out=out/campaign
while getopts s:j:o: option; do
    case $option in
    s) first=$OPTARG ;;
    j) processes=$OPTARG ;;
    o) out=$OPTARG ;;
    *) sed -n '2s/^# //p' "$0" >&2 && exit 3 ;;
    esac
done
shift $((OPTIND - 1))
mkdir -p "$out" && cp build/faultline "$out/faultline" || exit 6
program=$out/faultline
number=0

# every_job - the bases that `jobs` stands for, one a line.
every_job() {
    local backend scenario name
    for backend in $("$program" list backends | cut -d ' ' -f 1); do
        for scenario in scenarios/jobs/*.json; do
            name=jobs/$(basename "$scenario" .json)
            case $name in
            jobs/base-* | *-crashes) ;;
            *) echo "$name --set state.backend=$backend" ;;
            esac
        done
    done
}

# run_base COUNT BASE [OPTION...] - one base; its failures are counted, and listed by property.
run_base() {
    local count=$1 name=$2 title="${*:2}" into log started=$SECONDS status runs bad
    shift 2
    number=$((number + 1))
    into=$out/$number-${name//\//-}
    mkdir -p "$into"
    log=$into/log
    "$program" fuzz "scenarios/$name.json" "$@" --seeds "$first..$((first + count - 1))" \
        -j "$processes" --out "$into" >"$log" 2>&1 </dev/null
    status=$?
    read -r runs bad < <(sed -nE \
        's/.*: ([0-9]+) runs from seed .*; ([0-9]+) failed.*/\1 \2/p' "$log" | tail -n 1)
    if [ -z "$runs" ]; then
        fail "$title: exit code $status: $(tail -n 1 "$log")"
        return
    fi
    passed=$((passed + runs - bad))
    failed=$((failed + bad))
    printf '%s: %d runs, %d failures, %d s\n' "$title" "$runs" "$bad" $((SECONDS - started))
    [ "$bad" -eq 0 ] || grep -E '^ +[0-9]+ x ' "$log"
}

count=0
for word in "$@"; do
    case $word in
    [0-9]*) count=$word ;;
    jobs)
        mapfile -t bases < <(every_job)
        for base in "${bases[@]}"; do
            # shellcheck disable=SC2086
            run_base $(((count + ${#bases[@]} - 1) / ${#bases[@]})) $base
        done
        ;;
    *)
        # shellcheck disable=SC2086
        run_base "$count" $word
        ;;
    esac
done
close campaign
