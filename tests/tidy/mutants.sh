#!/usr/bin/env bash
# mutants.sh - checks that every planted bug still fits the tree, and that no two have the same
# number: so who changes a line that a mutant changes hears of it at once, not at the next scoring.
# Closes with `mutants: N passed, M failed`, counting patches.
set -u
. "$(dirname "$0")/../lib.sh"

declare -A numbered
for patch in tests/mutants/*.patch; do
    number=${patch##*/}
    number=${number%%-*}
    if [ -n "${numbered[$number]:-}" ]; then
        fail "$patch: ${numbered[$number]} has this number, too"
    elif ! why=$(git apply --check "$patch" 2>&1); then
        fail "$patch: does not fit any more: ${why%%$'\n'*}"
    else
        pass
    fi
    numbered[$number]=$patch
done
close mutants
