#!/usr/bin/env bash
# run.sh [--all] [NAME...] - plants each bug NN-name.patch of this folder (or those whose names
# contain a NAME) in a copy of the tree, builds the program, and runs scenarios: a good set of
# scenarios lets no bug survive.
#
# The head of a patch names the scenarios that must catch it (`# caught by:`); if none of them does,
# or with --all, every scenario is run. `# not caught: REASON` is a bug that no scenario shows, and
# why. Closes with `mutants: N passed, M failed`; a bug that survives without a reason, and a patch
# that does not apply or compile, failed.
set -u
. "$(dirname "$0")/planting.sh"

# plant PATCH - one bug, in a folder of its own; its report goes to $work/NAME.report, empty if the
# bug survived.
plant() {
    local name copy report wrong
    name=$(basename "$1" .patch)
    copy=$work/$name
    report=$work/$name.report
    rm -f "$report" "$report.failed"
    if ! wrong=$(build_mutant "$1" "$copy"); then
        echo "$wrong" >"$report.failed"
    elif grep -q '^# not caught: ' "$1" && [ "$extent" != all ]; then
        : >"$report"
    else
        show_scenarios "$1" "$copy/build/release/faultline" "$extent" >"$report"
    fi
    rm -rf "$copy"
}
export -f plant

export extent=first
[ "${1:-}" = --all ] && extent=all && shift

fresh_base || exit 1
mapfile -t patches < <(chosen_patches "$@")
printf '%s\n' "${patches[@]}" | xargs -P "$(job_count)" -I{} bash -c 'plant "$1"' _ {}

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
        printf '%-44s %s\n' "$name" "$(paste -sd '|' "$report" | sed 's/|/, /g')"
    fi
done
close mutants
