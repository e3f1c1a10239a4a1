#!/usr/bin/env bash
# run.sh [--all] [NAME...] - plants each bug NN-name.patch of this folder (or those whose names contain a NAME) in a copy of the
# tree, builds the program, and runs scenarios: a good set of scenarios lets no bug survive.
#
# The head of a patch names the scenarios that must catch it (`# caught by:`); if none of them does, or with --all, every scenario
# is run. `# not caught: REASON` is a bug that nothing shows, and why. Closes with `planted bugs: N passed, M failed`; a bug that
# survives without a reason, and a patch that does not apply or compile, failed.
set -u
. "$(dirname "$0")/../lib.sh"

root=$PWD
work=build/planted
base=$work/base
export root work base

fresh_base() {
    mkdir -p "$base"
    rm -rf "$base"/model "$base"/sim "$base"/reports "$base"/scenarios "$base"/Makefile
    cp -a model sim reports scenarios Makefile "$base" && build_in "$base"
}

build_in() {
    make -s -C "$1" CONFIG=release "-j${2:-$(job_count)}" build/release/faultline
}

# apply PATCH FOLDER - with what there is. git must not see that the folder lies in a repository: it would skip every file.
apply() {
    if command -v patch >/dev/null; then
        patch -s -p1 -d "$2" <"$1"
    else
        GIT_CEILING_DIRECTORIES=$root/$work git -C "$2" apply "$root/$1"
    fi
}

# try PROGRAM SCENARIO - runs one; if it fails, prints what was violated: `PROPERTY in SCENARIO`.
try() {
    local out status property
    out=$(timeout 60 "$1" run "$root/scenarios/$2.json" --no-db --quiet --out "$1.out" 2>&1 </dev/null)
    status=$?
    [ "$status" -eq 0 ] && return 1
    case $out in
    *"broken invariant"*) property="an assertion" ;;
    *) property=$(sed -nE 's/^[A-Z ]+ +[^ ]+: ([a-z_]+)[:.].*/\1/p' <<<"$out" | head -n 1) ;;
    esac
    echo "${property:-exit status $status} in $2"
}

# plant PATCH ALL - one bug, in a folder of its own; its report goes to $work/NAME.report, empty if the bug survived.
plant() {
    local name copy report scenarios scenario
    name=$(basename "$1" .patch)
    copy=$work/$name
    report=$work/$name.report
    rm -rf "$copy" "$report"
    cp -a "$base" "$copy"
    if ! apply "$1" "$copy" >"$copy/log" 2>&1; then
        echo "does not apply: $(head -n 1 "$copy/log")" >"$report.failed"
    elif ! build_in "$copy" 1 >"$copy/log" 2>&1; then
        echo "does not compile: $(grep -m 1 error "$copy/log")" >"$report.failed"
    else
        scenarios=$(sed -nE 's/^# caught by: *//p' "$1" | tr -d ',')
        for scenario in $scenarios; do
            try "$copy/build/release/faultline" "$scenario"
        done >"$report"
        if [ "$2" = all ] || [ ! -s "$report" ]; then
            for scenario in $(cat "$work/sound"); do
                try "$copy/build/release/faultline" "$scenario"
            done >"$report"
        fi
    fi
    rm -rf "$copy"
}

# Scenarios that pass without a bug: only these can show one.
sound_scenarios() {
    find scenarios -name '*.json' ! -name '*.schema.json' ! -name 'base*.json' | sed 's|^scenarios/||; s|\.json$||' | sort |
        while IFS= read -r scenario; do
            if found=$(try "$root/$base/build/release/faultline" "$scenario"); then
                echo "without a bug: $found" >&2
            else
                echo "$scenario"
            fi
        done
}
export -f apply build_in job_count try plant

all=
[ "${1:-}" = --all ] && all=all && shift
wanted=$(printf '%s\n' "$@")

fresh_base || exit 1
sound_scenarios >"$work/sound"
rm -f "$work"/*.report.failed
patches=()
for patch in tests/mutants/*.patch; do
    if [ $# -eq 0 ] || grep -qF -- "$wanted" <<<"$patch"; then
        patches+=("$patch")
    fi
done
printf '%s\n' "${patches[@]}" | xargs -P "$(job_count)" -I{} bash -c 'plant "$1" "$2"' _ {} "$all"

for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    report=$work/$name.report
    if [ -s "$report.failed" ]; then
        fail "$patch: $(cat "$report.failed")"
    elif [ ! -s "$report" ] && reason=$(grep -m 1 '^# not caught: ' "$patch"); then
        printf '%-44s not caught: %s\n' "$name" "${reason#\# not caught: }"
    elif [ ! -s "$report" ]; then
        fail "$patch: survived every scenario"
    else
        pass
        count=$(wc -l <"$report")
        more=
        [ "$count" -gt 3 ] && more=", and $((count - 3)) more"
        printf '%-44s %s%s\n' "$name" "$(head -n 3 "$report" | paste -sd '|' | sed 's/|/, /g')" "$more"
    fi
done
close "planted bugs"
