#!/usr/bin/env bash
# score.sh [NAME...] - the score sheet of the bug finder, tests/mutants/SCORES.md: for each mutant
# which scenario catches it, how many fuzz seeds pass until one does (the median of three starts),
# which property that breaks and whether it breaks alone, how many faults are left of it after
# shrinking, whether a crash at some step of the protocol (enumerate) shows it, and the commit.
#
# The seeds go round robin over the bases below, at most 400 for a start. A line is printed, and
# kept, as soon as it is known: a run that was stopped goes on where it was, unless the tree or a
# patch has changed since. With a NAME only those are measured, and the others' lines of the sheet
# stay: so new mutants are added. A mutant that neither scenarios nor seeds catch, and whose patch
# does not say why (`# not caught: REASON`), failed. Closes with
# `mutant scores: N passed, M failed`.
set -u
. "$(dirname "$0")/planting.sh"

bases=(
    "base"
    "base --set checkpoint.inline_threshold=0B --set checkpoint.max_concurrent=2"
    "base --set checkpoint.retained=3 --set checkpoint.timeout=600ms
          --set checkpoint.tolerable_failures=100"
    "base --set checkpoint.retained=3 --set restart.allow_older=true"
    "base --set checkpoint.mode=at_least_once"
    "base-lines"
    "incremental/plain"
    "jobs/base-events --set job.name=windows --set job.input.nexmark.events=1000
          --set job.input.nexmark.rate=200/s --set job.input.rate=1k/s
          --set job.input.nexmark.out_of_order=700 --set state.incremental=true"
    "jobs/base-events --set job.name=sessions --set job.input.nexmark.events=1000
          --set job.input.nexmark.rate=200/s --set job.input.rate=1k/s
          --set job.input.nexmark.out_of_order=190 --set state.incremental=true
          --set state.backend=sqlite"
    "base --set job.name=rules --set job.input.keys=5000"
    "base --set checkpoint.store=sqlite"
    "base --set checkpoint.store=memory"
    "incremental/plain --set state.changelog.enabled=true
          --set state.changelog.persist_threshold=512B"
)
bases_text=$(for one in "${bases[@]}"; do xargs <<<"${one//$'\n'/ }"; done)
starts=(1 100001 200001)
starts_text=${starts[*]}
small="base --set job.parallelism=2 --set cluster.task_managers=2 --set job.input.records=1500"
small+=" --set job.input.rate=2k/s --set job.input.keys=50"
base_count=${#bases[@]}
runs_each=$((400 / base_count))
scores=$work/scores
sheet=tests/mutants/SCORES.md
folders=(include model sim reports scenarios Makefile)
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD -- "${folders[@]}" 2>/dev/null || commit+=+
CPU_SECONDS=100 # of one call of the program: the clock on the wall depends on who else works
export bases_text starts_text small base_count runs_each scores commit CPU_SECONDS

# limited COMMAND... - runs it for so long at most.
limited() {
    (ulimit -t "$CPU_SECONDS" && exec "$@") </dev/null
}

# broken_properties PROGRAM SCENARIO [OPTION...] - all that the run breaks, with commas between.
broken_properties() {
    limited "$@" --json --no-db --out "$1.out" 2>/dev/null |
        sed -nE 's/.*"property": *"([a-z_]+)".*/\1/p' | sort -u | paste -sd ,
}

# fuzz_base PROGRAM OUT FIRST LAST SCENARIO [OPTION...] - the first seed that fails, and the
# property, as `SEED PROPERTY`; `base PROPERTY` if no fault is needed; or nothing.
fuzz_base() {
    local program=$1 out=$2 first=$3 last=$4 scenario=$5 what
    shift 5
    rm -rf "$out"
    mkdir -p "$out"
    limited "$program" fuzz "$root/$base/scenarios/$scenario.json" "$@" --faults 8 \
        --seeds "$first..$last" -j 1 --out "$out" >"$out/log" 2>&1
    what=$(sed -nE 's/.*fails as it is, without a drawn fault: ([^:]+).*/\1/p' "$out/log")
    [ -z "$what" ] || what="base $what"
    [ -n "$what" ] ||
        what=$(sed -nE 's/^ *seed ([0-9]+): ([^:]+):.*/\1 \2/p' "$out/log" | sort -n | head -n 1)
    read -r first what <<<"$what"
    echo "$first ${what// /-}"
}

# fuzz_start PROGRAM OUT START - prints `RUNS PROPERTY ALL FILE` of the first failure, or nothing;
# ALL are the properties that it breaks. First a few seeds of every base: most bugs need no more.
# What one base has found leaves fewer to do for those after it.
fuzz_start() {
    local program=$1 out=$2 start=$3 step first last index from options found seed property
    local best="" runs file broken
    for step in "0 3" "4 19" "20 $((runs_each - 1))"; do
        read -r first last <<<"$step"
        index=0
        while IFS= read -r options && [ "$first" -le "$last" ]; do
            from=$((start + index * 1000))
            # shellcheck disable=SC2086
            found=$(fuzz_base "$program" "$out/$index" $((from + first)) $((from + last)) $options)
            read -r seed property <<<"$found"
            if [ "$seed" = base ]; then
                # shellcheck disable=SC2086
                broken=$(broken_properties "$program" run \
                    "$root/$base/scenarios/${options%% *}.json" ${options#"${options%% *}"})
                echo "1 $property ${broken:-$property} none"
                return
            elif [ -n "$seed" ]; then
                best="$(((seed - from) * base_count + index + 1)) $property"
                best+=" $(find "$out/$index" -name "*-$seed.json" | head -n 1)"
                last=$((seed - from - 1))
            fi
            index=$((index + 1))
        done <<<"$bases_text"
        if [ -n "$best" ]; then
            read -r runs property file <<<"$best"
            broken=$(broken_properties "$program" run "$file")
            echo "$runs $property ${broken:-$property} $file"
            return
        fi
    done
}

# shrink_failure PROGRAM FILE OUT - how many faults are left.
shrink_failure() {
    limited "$1" shrink "$2" -j 1 --time 120s -o "$3" 2>&1 |
        sed -nE 's/.* ([0-9]+) of [0-9]+ faults left.*/\1/p' | tail -n 1
}

# enumerate_small PROGRAM OUT - yes or no.
enumerate_small() {
    # shellcheck disable=SC2086
    limited "$1" enumerate "$root/$base/scenarios/${small%% *}.json" ${small#* } -j 1 \
        --out "$2" --quiet >/dev/null 2>&1 && echo no || echo yes
}

# fuzz_mutant PROGRAM COPY - `MEDIAN | PROPERTY | ALONE | LEFT`, as in the sheet.
fuzz_mutant() {
    local start found runs property broken file median shrunk=- listed="" first_file=""
    local properties="" all=""
    for start in $starts_text; do
        found=$(fuzz_start "$1" "$2/fuzz" "$start")
        read -r runs property broken file <<<"${found:-999 - - -}"
        listed+="$runs "
        if [ "$runs" -ne 999 ]; then
            properties+="$property"$'\n'
            all+="$broken"$'\n'
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
    broken=$(grep . <<<"${all//,/$'\n'}" | sort -u | wc -l)
    echo "$median | ${properties:--} | $([ "$broken" -eq 1 ] && echo yes || echo -) | ${shrunk:-?}"
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
            "$(enumerate_small "$program" "$copy/enumerated") | $commit |" >"$copy/score"
        cat "$copy/score"
        mv "$copy/score" "$scores/$name.score"
    fi
    rm -rf "$copy"
}
export -f limited broken_properties fuzz_base fuzz_start fuzz_mutant shrink_failure enumerate_small
export -f score

# What is kept was made of the same tree, by the same scripts.
forget_old_scores() {
    local tree
    tree=$({
        cat "${BASH_SOURCE[0]}" tests/mutants/planting.sh
        (cd "$base" && find "${folders[@]}" -type f -print0 | sort -z | xargs -0 cat)
    } | cksum)
    [ "$(cat "$scores/tree" 2>/dev/null)" = "$tree" ] && return
    rm -rf "$scores"
    mkdir -p "$scores"
    echo "$tree" >"$scores/tree"
}

# A base that fails without any mutant would find each of them.
check_bases() {
    local options status=0
    while IFS= read -r options; do
        # shellcheck disable=SC2086
        limited "$base/build/release/faultline" run "$root/$base/scenarios/${options%% *}.json" \
            ${options#"${options%% *}"} --no-db --quiet --out "$work/base.out" >"$work/log" 2>&1 ||
            { cat "$work/log" && echo "the base \`$options\` fails without a mutant" && status=1; }
    done <<<"$bases_text"
    return "$status"
}

fresh_base && check_bases || exit 1
forget_old_scores
mapfile -t patches < <(chosen_patches "$@")
printf '%s\n' "${patches[@]}" | xargs -P "$(job_count)" -I{} bash -c 'score "$1"' _ {}

for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    if [ -s "$scores/$name.failed" ]; then
        fail "$patch: $(cat "$scores/$name.failed")"
    elif [ ! -s "$scores/$name.score" ]; then
        fail "$patch: has no score"
    elif grep -q '^| [^|]* | - | > 400 |' "$scores/$name.score" &&
        ! grep -q '^# not caught: ' "$patch"; then
        fail "$patch: survived scenarios and seeds"
    else
        pass
    fi
done

# The lines of the sheet: what was measured, and of the other mutants what was there before.
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for patch in tests/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    if [[ " ${patches[*]} " == *" $patch "* ]]; then
        cat "$scores/$name.score" 2>/dev/null
    else
        grep "^| $name |" "$sheet"
    fi
done | sort -V >"$lines"

# field NUMBER - of each line.
field() {
    awk -F ' [|] ' -v number="$1" '{ print $number }' "$lines"
}

# What each property finds: how many mutants first, how many that break no other, and some of these.
print_properties() {
    local property alone
    for property in $("$base/build/release/faultline" list properties | awk '{ print $2 }'); do
        alone=$(awk -F ' [|] ' -v property="$property" \
            '$4 == property && $5 == "yes" { sub(/^[|] /, "", $1); print $1 }' "$lines")
        printf '| %s | %d | %d | %s |\n' "$property" \
            "$(field 4 | grep -cx "$property")" "$(grep -c . <<<"$alone")" \
            "$(head -n 3 <<<"$alone" | paste -sd , | sed 's/,/, /g')"
    done
}

print_sheet() {
    local median in_scenarios found within small_enough
    in_scenarios=$(field 2 | grep -cvx -- -)
    found=$(field 3 | grep -cv '>')
    within=$(field 3 | awk '!/>/ && $1 <= 100' | wc -l)
    small_enough=$(field 6 | grep -c '^[0-2]$')
    median=$(field 3 | sed 's/> 400/401/' | sort -n |
        awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }')
    cat <<END
# How soon a planted bug is found

Made by \`make mutant-scores\` (\`tests/mutants/score.sh\`). A line is one bug of this folder:

- **scenario**: the property that breaks in a scenario of the repository; \`-\`: in none.
- **seeds**: fuzz runs until the first that fails, the median of ${#starts[@]} starts, at most 400;
  1 with no fault left: the bug shows without a fault.
- **property**: what these runs break most often; **alone**: they break no other.
- **left**: faults after \`shrink\`; **enumerate**: whether a crash at some step of the protocol
  shows it; **at**: the commit at which, and with whose bases, all this was measured (\`+\`: and
  changes to it).

The seeds go round robin over ${#bases[@]} bases, up to eight faults a run:

$(sed 's/.*/- `&`/' <<<"$bases_text")

$(wc -l <"$lines") mutants: $in_scenarios caught by a scenario, $found by fuzz within 400 seeds,
$within of these within 100 (median of all: $median), $small_enough shrunk to two faults or fewer,
$(field 7 | grep -cx yes) shown by enumerate.

| mutant | scenario | seeds | property | alone | left | enumerate | at |
| --- | --- | ---: | --- | --- | --- | --- | --- |
$(cat "$lines")

## What each property is good for

**first**: mutants whose failing runs break it most often; **alone**: those among them that break no
other property, so that without it they would not be found, or later.

| property | first | alone | such as |
| --- | ---: | ---: | --- |
$(print_properties)
END
}

print_sheet >"$lines.sheet" && mv "$lines.sheet" "$sheet"
close "mutant scores"
