# shellcheck shell=bash
# planting.sh - building the program with a bug planted, and running it: what run.sh and score.sh
# are made of. Sourced, never run.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

root=$PWD
work=build/mutants
base=$work/base
export root work base

# A copy of the tree, built; each mutant is a copy of it, in which only the files it touches are
# compiled again. Scenarios are read from it too: whoever works on the tree meanwhile changes
# nothing.
fresh_base() {
    mkdir -p "$base"
    rm -rf "$base"/{include,model,sim,reports,scenarios,examples,tests,Makefile}
    rm -f "$base/build/release/libfaultline.a" # it may hold what is gone from the tree
    cp -a include model sim reports scenarios examples Makefile "$base" &&
        mkdir "$base/tests" && cp -a tests/libraries "$base/tests" &&
        make -s -C "$base" libraries && build_in "$base"
}

build_in() {
    make -s -C "$1" CONFIG=release "-j${2:-$(job_count)}" build/release/faultline
}

# apply PATCH FOLDER - with what there is. git must not see that the folder lies in a repository: it
# would skip every file.
apply() {
    if command -v patch >/dev/null; then
        patch -s -p1 --no-backup-if-mismatch -d "$2" <"$1"
    else
        GIT_CEILING_DIRECTORIES=$root/$work git -C "$2" apply "$root/$1"
    fi
}

# build_mutant PATCH FOLDER - a copy of the base with the bug; says what is wrong if there is none.
build_mutant() {
    rm -rf "$2"
    cp -a "$base" "$2"
    if ! apply "$1" "$2" >"$2/log" 2>&1; then
        echo "does not apply: $(head -n 1 "$2/log")"
        return 1
    elif ! build_in "$2" 1 >"$2/log" 2>&1; then
        echo "does not compile: $(grep -m 1 error "$2/log")"
        return 1
    fi
}

# try PROGRAM SCENARIO - runs one; if it fails, prints what was violated: `PROPERTY in SCENARIO`.
try() {
    local out status property
    out=$(timeout 60 "$1" run "$root/$base/scenarios/$2.json" --no-db --quiet --out "$1.out" 2>&1 \
        </dev/null)
    status=$?
    [ "$status" -eq 0 ] && return 1
    case $out in
    *"broken invariant"*) property="an assertion" ;;
    *) property=$(sed -nE 's/^[A-Z ]+ +[^ ]+: ([a-z_]+)[:.].*/\1/p' <<<"$out" | head -n 1) ;;
    esac
    echo "${property:-exit status $status} in $2"
}

# shows PROGRAM SCENARIO - the same of a scenario that passes without the bug: others show nothing.
shows() {
    local found
    found=$(try "$1" "$2") && ! try "$root/$base/build/release/faultline" "$2" >/dev/null &&
        echo "$found"
}

every_scenario() {
    (cd "$base/scenarios" && find . -name '*.json' ! -name '*.schema.json' ! -name 'base*.json' \
        ! -path './sweeps/*') | sed 's|^\./||; s|\.json$||' | sort
}

# show_scenarios PATCH PROGRAM [all] - prints the first scenario that shows the bug, and what it
# violates: of those that the head of the patch names, else of every one. With `all` every one that
# does.
show_scenarios() {
    local named scenario
    named=$(sed -nE 's/^# caught by: *//p' "$1" | tr -d ',')
    for scenario in $([ "${3:-}" = all ] || echo "$named") $(every_scenario); do
        shows "$2" "$scenario" && [ "${3:-}" != all ] && return
    done
}

# chosen_patches [NAME...] - those whose number is NAME, or that contain it; without one, all.
chosen_patches() {
    local patch wanted
    wanted=$(printf '%s\n' "$@" | sed -E 's/^[0-9]+$/\/&-/')
    for patch in tests/mutants/*.patch; do
        if [ $# -eq 0 ] || grep -qE -- "${wanted//$'\n'/|}" <<<"$patch"; then
            echo "$patch"
        fi
    done
}
export -f apply build_in build_mutant every_scenario job_count show_scenarios shows try
