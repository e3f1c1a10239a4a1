#!/usr/bin/env bash
# score.sh [NAME...] - the score sheet of the bug finder, tests/mutants/SCORES.md: for each mutant
# which scenario catches it, how many fuzz seeds pass until one does (the median of three starts),
# which property that breaks, how many faults are left of it after shrinking, and whether a crash at
# some step of the protocol (enumerate) shows it. With a NAME, only those, and no sheet.
#
# The seeds go round robin over the bases below, at most 400 for a start. A line is printed, and
# kept, as soon as it is known: a run that was stopped goes on where it was, unless the tree or a
# patch has changed since. A mutant that neither scenarios nor seeds catch, and whose patch does not
# say why (`# not caught: REASON`), failed. Closes with `mutant scores: N passed, M failed`.
set -u
. "$(dirname "$0")/planting.sh"

bases=(
    "base"
    "base --set checkpoint.inline_threshold=0B --set checkpoint.max_concurrent=2"
    "base --set checkpoint.retained=3 --set checkpoint.timeout=600ms
          --set checkpoint.tolerable_failures=100"
    "base --set checkpoint.mode=at_least_once"
    "base-lines"
)
bases_text=$(for one in "${bases[@]}"; do xargs <<<"${one//$'\n'/ }"; done)
starts=(1 100001 200001)
starts_text=${starts[*]}
small="base --set job.parallelism=2 --set cluster.task_managers=2 --set job.input.records=1500"
small+=" --set job.input.rate=2k/s --set job.input.keys=50"
base_count=${#bases[@]}
runs_each=$((400 / base_count))
scores=$work/scores
export bases_text starts_text small base_count runs_each scores

# fuzz_base PROGRAM OUT FIRST LAST SCENARIO [OPTION...] - the first seed that fails, and the
# property, as `SEED PROPERTY`; `base PROPERTY` if no fault is needed; or nothing.
fuzz_base() {
    local program=$1 out=$2 first=$3 last=$4 scenario=$5 what
    shift 5
    rm -rf "$out"
    mkdir -p "$out"
    timeout 120 "$program" fuzz "$root/$base/scenarios/$scenario.json" "$@" --faults 8 \
        --seeds "$first..$last" --time 60s -j 1 --out "$out" >"$out/log" 2>&1 </dev/null
    what=$(sed -nE 's/.*fails as it is, without a drawn fault: ([^:]+).*/\1/p' "$out/log")
    [ -z "$what" ] || what="base $what"
    [ -n "$what" ] ||
        what=$(sed -nE 's/^ *seed ([0-9]+): ([^:]+):.*/\1 \2/p' "$out/log" | sort -n | head -n 1)
    read -r first what <<<"$what"
    echo "$first ${what// /-}"
}

# fuzz_start PROGRAM OUT START - prints `RUNS PROPERTY FILE` of the first failure, or nothing. First
# a few seeds of every base: most bugs need no more. What one base has found leaves fewer to do for
# those after it.
fuzz_start() {
    local program=$1 out=$2 start=$3 step first last index from options found seed property
    local best=""
    for step in "0 3" "4 19" "20 $((runs_each - 1))"; do
        read -r first last <<<"$step"
        index=0
        while IFS= read -r options && [ "$first" -le "$last" ]; do
            from=$((start + index * 1000))
            # shellcheck disable=SC2086
            found=$(fuzz_base "$program" "$out/$index" $((from + first)) $((from + last)) $options)
            read -r seed property <<<"$found"
            if [ "$seed" = base ]; then
                echo "1 $property none"
                return
            elif [ -n "$seed" ]; then
                best="$(((seed - from) * base_count + index + 1)) $property"
                best+=" $(find "$out/$index" -name "*-$seed.json" | head -n 1)"
                last=$((seed - from - 1))
            fi
            index=$((index + 1))
        done <<<"$bases_text"
        if [ -n "$best" ]; then
            echo "$best"
            return
        fi
    done
}

# shrink_failure PROGRAM FILE OUT - how many faults are left.
shrink_failure() {
    timeout 120 "$1" shrink "$2" -j 1 --time 30s -o "$3" 2>&1 </dev/null |
        sed -nE 's/.* ([0-9]+) of [0-9]+ faults left.*/\1/p' | tail -n 1
}

# enumerate_small PROGRAM OUT - yes or no; ? if it takes too long to tell.
enumerate_small() {
    local status
    # shellcheck disable=SC2086
    timeout 30 "$1" enumerate "$root/$base/scenarios/${small%% *}.json" ${small#* } -j 1 \
        --out "$2" --quiet >/dev/null 2>&1 </dev/null
    status=$?
    case $status in
    0) echo no ;;
    124) find "$2" -name '*.json' 2>/dev/null | grep -q . && echo yes || echo "?" ;;
    *) echo yes ;;
    esac
}

# fuzz_mutant PROGRAM COPY - `MEDIAN | PROPERTY | LEFT`, as in the sheet.
fuzz_mutant() {
    local start found runs property file median shrunk=- listed="" first_file="" properties=""
    for start in $starts_text; do
        found=$(fuzz_start "$1" "$2/fuzz" "$start")
        read -r runs property file <<<"${found:-999 - -}"
        listed+="$runs "
        if [ "$runs" -ne 999 ]; then
            properties+="$property"$'\n'
            if [ -z "$first_file" ] && [ -f "$file" ]; then
                first_file=$2/first.json
                cp "$file" "$first_file"
            fi
        fi
        [ "$listed" = "999 999 " ] && break
    done
    median=$(tr ' ' '\n' <<<"$listed" | grep . | sort -n | sed -n 2p)
    if [ -n "$first_file" ]; then
        shrunk=$(shrink_failure "$1" "$first_file" "$2/small.json")
    elif [ "$median" -eq 1 ]; then
        shrunk=0
    fi
    [ "$median" = 999 ] && median="> 400"
    properties=$(grep . <<<"$properties" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
    echo "$median | ${properties:--} | ${shrunk:-?}"
}

# score PATCH - one line of the table in $scores/NAME.score, or what is wrong in NAME.failed.
score() {
    local name copy wrong program scenario
    name=$(basename "$1" .patch)
    copy=$work/$name
    [ "$scores/$name.score" -nt "$1" ] && return
    rm -f "$scores/$name.score" "$scores/$name.failed"
    if ! wrong=$(build_mutant "$1" "$copy"); then
        echo "$wrong" >"$scores/$name.failed"
    else
        program=$root/$copy/build/release/faultline
        scenario=$(show_scenarios "$1" "$program")
        echo "| $name | ${scenario:--} | $(fuzz_mutant "$program" "$copy") |" \
            "$(enumerate_small "$program" "$copy/enumerated") |" >"$copy/score"
        cat "$copy/score"
        mv "$copy/score" "$scores/$name.score"
    fi
    rm -rf "$copy"
}
export -f fuzz_base fuzz_start fuzz_mutant shrink_failure enumerate_small score

# What is kept was made of the same tree, by the same scripts.
forget_old_scores() {
    local tree
    tree=$({
        cat "$base/Makefile" "${BASH_SOURCE[0]}" tests/mutants/planting.sh
        find "$base/model" "$base/sim" "$base/reports" "$base/scenarios" -type f -print0 |
            sort -z | xargs -0 cat
    } | cksum)
    [ "$(cat "$scores/tree" 2>/dev/null)" = "$tree" ] && return
    rm -rf "$scores"
    mkdir -p "$scores"
    echo "$tree" >"$scores/tree"
}

fresh_base || exit 1
forget_old_scores
mapfile -t patches < <(chosen_patches "$@")
printf '%s\n' "${patches[@]}" | xargs -P "$(job_count)" -I{} bash -c 'score "$1"' _ {}

sheet=$(mktemp)
trap 'rm -f "$sheet"' EXIT
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    if [ -s "$scores/$name.failed" ]; then
        fail "$patch: $(cat "$scores/$name.failed")"
    elif [ ! -s "$scores/$name.score" ]; then
        fail "$patch: has no score"
    else
        cat "$scores/$name.score" >>"$sheet"
        if grep -q '^| [^|]* | - | > 400 |' "$scores/$name.score" &&
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
checkpoints at once, with three retained and a short timeout, at_least_once, and
\`scenarios/base-lines.json\`, which reads a file; up to eight faults a run.

$count mutants: $in_scenarios caught by a scenario, $found by fuzz within 400 seeds,
$within of these within 100 (median of all: $median), $small_enough shrunk to two faults or fewer,
$enumerated shown by enumerate.

| mutant | scenario | seeds | property | left | enumerate |
| --- | --- | ---: | --- | ---: | --- |
END
    cat "$sheet"
}

[ $# -gt 0 ] || print_sheet >tests/mutants/SCORES.md
close "mutant scores"
