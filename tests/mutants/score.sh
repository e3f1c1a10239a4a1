#!/usr/bin/env bash
# score.sh [NAME...] - the score sheet of the bug finder, tests/mutants/SCORES.md: for each mutant
# which scenario catches it, how many fuzz seeds pass until one does (the median of three starts),
# which property that breaks, how many faults are left of it after shrinking, and whether a crash at
# some step of the protocol (enumerate) shows it. With a NAME, only those, and to standard output.
#
# The seeds go round robin over the bases below, at most 400 for a start. A mutant that neither
# scenarios nor seeds catch, and whose patch does not say why (`# not caught: REASON`), failed.
# Closes with `mutant scores: N passed, M failed`.
set -u
. "$(dirname "$0")/planting.sh"

bases=(
    "base"
    "base --set checkpoint.inline_threshold=0B --set checkpoint.max_concurrent=2"
    "base --set checkpoint.retained=3 --set checkpoint.timeout=600ms
          --set checkpoint.tolerable_failures=100"
    "base --set checkpoint.mode=at_least_once"
)
bases_text=$(for one in "${bases[@]}"; do xargs <<<"${one//$'\n'/ }"; done)
starts=(1 100001 200001)
small="base --set job.parallelism=2 --set cluster.task_managers=2 --set job.input.records=1500"
small+=" --set job.input.rate=2k/s --set job.input.keys=50"
export bases_text small

# fuzz_base PROGRAM OUT FIRST LAST SCENARIO [OPTION...] - the first seed that fails, `base` if no
# fault is needed, or nothing.
fuzz_base() {
    local program=$1 out=$2 first=$3 last=$4 scenario=$5
    shift 5
    rm -rf "$out"
    mkdir -p "$out"
    timeout 60 "$program" fuzz "$root/scenarios/$scenario.json" "$@" --faults 8 \
        --seeds "$first..$last" --time 8s -j 1 --out "$out" >"$out/log" 2>&1 </dev/null
    if grep -q 'fails as it is' "$out/log"; then
        echo base
    else
        find "$out" -name '*.json' | sed -nE 's/.*-([0-9]+)\.json$/\1/p' | sort -n | head -n 1
    fi
}

# fuzz_start PROGRAM OUT START - prints `RUNS PROPERTY FILE` of the first failure, or nothing; a
# quarter of the seeds at first.
fuzz_start() {
    local program=$1 out=$2 start=$3 best=0 best_index best_seed best_out
    local step first last index base_first found runs options
    for step in "0 24" "25 99"; do
        first=${step% *}
        last=${step#* }
        index=0
        while IFS= read -r options; do
            base_first=$((start + index * 1000))
            # shellcheck disable=SC2086
            found=$(fuzz_base "$program" "$out/$index" $((base_first + first)) \
                $((base_first + last)) $options)
            if [ "$found" = base ]; then
                echo "1 $(sed -nE 's/.*drawn fault: ([a-z_ ]+).*/\1/p' "$out/$index/log" |
                    head -n 1 | tr ' ' '-') none"
                return
            elif [ -n "$found" ]; then
                runs=$(((found - base_first) * 4 + index + 1))
                if [ "$best" -eq 0 ] || [ "$runs" -lt "$best" ]; then
                    best=$runs
                    best_index=$index
                    best_seed=$found
                fi
            fi
            index=$((index + 1))
        done <<<"$bases_text"
        if [ "$best" -gt 0 ]; then
            best_out=$out/$best_index
            echo "$best $(sed -nE "s/^ *seed $best_seed: ([^:]+):.*/\1/p" "$best_out/log" |
                head -n 1 | tr ' ' '-')" \
                "$(find "$best_out" -name "*-$best_seed.json" | head -n 1)"
            return
        fi
    done
}

# shrink_failure PROGRAM FILE OUT - how many faults are left.
shrink_failure() {
    timeout 60 "$1" shrink "$2" -j 1 --time 5s -o "$3" 2>&1 </dev/null |
        sed -nE 's/.* ([0-9]+) of [0-9]+ faults left.*/\1/p' | tail -n 1
}

# enumerate_small PROGRAM OUT - yes or no.
enumerate_small() {
    # shellcheck disable=SC2086
    set -- "$1" "$2" "$root/scenarios/${small%% *}.json" ${small#* }
    local program=$1 out=$2 status
    shift 2
    timeout 20 "$program" enumerate "$@" -j 1 --out "$out" --quiet >/dev/null 2>&1 </dev/null
    status=$?
    [ "$status" -eq 0 ] && echo no || echo yes
}

# score PATCH STARTS - one line of the table in $work/NAME.score, or what is wrong in
# $work/NAME.score.failed.
score() {
    local name copy wrong program scenarios start found runs property file shrunk median
    local listed="" first_file="" properties=""
    name=$(basename "$1" .patch)
    copy=$work/$name
    rm -f "$work/$name.score" "$work/$name.score.failed"
    if ! wrong=$(build_mutant "$1" "$copy"); then
        echo "$wrong" >"$work/$name.score.failed"
        rm -rf "$copy"
        return
    fi
    program=$root/$copy/build/release/faultline
    scenarios=$(show_scenarios "$1" "$program" "")
    for start in $2; do
        found=$(fuzz_start "$program" "$copy/fuzz" "$start")
        read -r runs property file <<<"${found:-999 - -}"
        listed+="$runs "
        if [ "$runs" -ne 999 ]; then
            properties+="$property"$'\n'
            if [ -z "$first_file" ] && [ -f "$file" ]; then
                first_file=$copy/first.json
                cp "$file" "$first_file"
            fi
        fi
        [ "$listed" = "999 999 " ] && break
    done
    median=$(tr ' ' '\n' <<<"$listed" | grep . | sort -n | sed -n 2p)
    shrunk=-
    if [ -n "$first_file" ]; then
        shrunk=$(shrink_failure "$program" "$first_file" "$copy/small.json")
    elif [ "${median:-999}" -eq 1 ]; then
        shrunk=0
    fi
    properties=$(grep . <<<"$properties" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
    [ "$median" = 999 ] && median="> 400"
    echo "| $name | $(head -n 1 <<<"${scenarios:--}") | $median | ${properties:--} |" \
        "${shrunk:-?} | $(enumerate_small "$program" "$copy/enumerated") |" >"$work/$name.score"
    rm -rf "$copy"
}
export -f fuzz_base fuzz_start shrink_failure enumerate_small score

fresh_base || exit 1
sound_scenarios >"$work/sound"
mapfile -t patches < <(chosen_patches "$@")
printf '%s\n' "${patches[@]}" |
    xargs -P "$(job_count)" -I{} bash -c 'score "$1" "$2"' _ {} "${starts[*]}"

sheet=$(mktemp)
trap 'rm -f "$sheet"' EXIT
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    if [ -s "$work/$name.score.failed" ]; then
        fail "$patch: $(cat "$work/$name.score.failed")"
    elif [ ! -s "$work/$name.score" ]; then
        fail "$patch: has no score"
    else
        cat "$work/$name.score" >>"$sheet"
        if grep -q '^| [^|]* | - | > 400 |' "$work/$name.score" &&
            ! grep -q '^# not caught: ' "$patch"; then
            fail "$patch: survived scenarios and seeds"
        else
            pass
        fi
    fi
done

print_sheet() {
    local count in_scenarios enumerated found within median small_enough
    count=$(wc -l <"$sheet")
    enumerated=$(grep -c '| yes |$' "$sheet")
    in_scenarios=$(grep -c -v '^| [^|]* | - |' "$sheet")
    found=$(grep -c -v '> 400' "$sheet")
    within=$(awk -F ' [|] ' '$3 !~ />/ && $3 <= 100' "$sheet" | wc -l)
    small_enough=$(awk -F ' [|] ' '$5 ~ /^[0-2]$/' "$sheet" | wc -l)
    median=$(awk -F ' [|] ' '{ print $3 ~ />/ ? 401 : $3 }' "$sheet" | sort -n |
        awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }')
    cat <<END
# How soon a planted bug is found

Made by \`make mutant-scores\` (\`tests/mutants/score.sh\`). A line is one bug of this folder:

- **scenario**: the property that breaks in a scenario of the repository; \`-\`: in none.
- **seeds**: fuzz runs until the first that fails, the median of ${#starts[@]} starts, at most 400;
  1 with no fault left: the bug shows without a fault.
- **property**: what these runs break most often; **left**: faults after \`shrink\`;
  **enumerate**: whether a crash at some step of the protocol shows it.

The seeds go round robin over \`scenarios/base.json\` as it is, with state in files and two
checkpoints at once, with three retained and a short timeout, and at_least_once; up to eight faults
a run. Of a bug that no fault can show (a limit, a count, the input's format) only scenarios tell.

$count mutants: $in_scenarios caught by a scenario, $found by fuzz within 400 seeds,
$within of these within 100 (median of all: $median), $small_enough shrunk to two faults or fewer,
$enumerated shown by enumerate.

| mutant | scenario | seeds | property | left | enumerate |
| --- | --- | ---: | --- | ---: | --- |
END
    cat "$sheet"
}

if [ $# -eq 0 ]; then
    print_sheet >tests/mutants/SCORES.md
else
    cat "$sheet"
fi
close "mutant scores"
