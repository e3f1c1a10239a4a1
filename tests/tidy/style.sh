#!/usr/bin/env bash
# style.sh - the part of the style that a program can check: lengths, tabs, trailing blanks, words
# that mark unfinished work, no floating point where time is counted, and headers that say in their
# first line what they are and that compile alone.
# Closes with `style: N passed, M failed`, counting files.
set -u
. "$(dirname "$0")/../lib.sh"

mapfile -t files < <(project_files)
text() {
    printf '%s\n' "${files[@]}" | grep -E "$1"
}
mapfile -t headers < <(text '\.h$')
mapfile -t code < <(text '\.([ch]|sh|sql)$|^Makefile$|^\.ci/run$')

lengths() {
    awk '
    # Tables of cases make tests longer than code.
    function most(name) { return name ~ /^tests\// ? 900 : 700 }
    function measure(name, lines) {
        if (lines > most(name))
            print name ":" most(name) + 1 ": " lines " lines, " most(name) " are enough"
    }
    FNR == 1 {
        if (length(previous) > 0)
            measure(previous, lines)
        previous = FILENAME
        start = 0
    }
    { lines = FNR }
    length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns, 100 are enough" }
    /[ \t]$/ { print FILENAME ":" FNR ": blanks at the end of the line" }
    /\t/ && FILENAME !~ /Makefile$/ { print FILENAME ":" FNR ": a tab" }
    /\r$/ { print FILENAME ":" FNR ": a carriage return" }
    FILENAME ~ /\.[ch]$/ && /^\{/ { start = FNR }
    FILENAME ~ /\.[ch]$/ && /^\}/ && start {
        if (FNR - start + 1 > 70)
            print FILENAME ":" start ": a function of " FNR - start + 1 " lines, 70 are enough"
        start = 0
    }
    END {
        measure(previous, lines)
    }' "${code[@]}"
}

# Turns lines of grep -nH into findings.
at_line() {
    sed -E "s/^([^:]*:[0-9]+):.*/\\1: $1/"
}

# The brackets keep these patterns from finding themselves.
words() {
    grep -nHiE '\b(T[O]DO|F[I]XME|X[X]X|s[t]ub|not i[m]plemented|p[l]aceholder)\b' "${code[@]}" |
        at_line 'speaks of unfinished work'
    printf '%s\0' "${files[@]}" | xargs -0 grep -nHIE '/w[o]rk/' |
        at_line 'names a path of one machine'
}

# A comment may speak of a double. JSON numbers become integers in the reader of scenarios, and
# integers become JSON numbers in what a run writes; between the two there are none.
floating_point() {
    text '^(model|sim)/.*\.[ch]$' |
        grep -vE '^sim/[a-z]+/(scenario_reader|outputs|predict_run[a-z_]*)\.[ch]$' |
        xargs grep -nHwE 'double|float' | grep -vE ':[0-9]+: *(/\*|\*)' |
        at_line 'floating point in a decision'
}

header_of_header() {
    local name first
    for header in "${headers[@]}"; do
        name=${header##*/}
        read -r first <"$header"
        [[ $first == "/* $name - "* ]] || echo "$header:1: must begin with /* $name - what it is"
    done
}

# What a header needs, it must include.
compile_alone() {
    printf '%s\n' "${headers[@]}" |
        xargs -P "$(job_count)" -n 10 gcc -std=c17 -D_GNU_SOURCE -I. -fsyntax-only -x c 2>&1 |
        sed -nE 's/^([^ ]+:[0-9]+):[0-9]+: (fatal )?error: /\1: does not compile alone: /p'
}

while IFS= read -r finding; do
    fail "$finding"
done < <(
    lengths
    words
    floating_point
    header_of_header
    compile_alone
)
passed=$((${#files[@]} > failed ? ${#files[@]} - failed : 0))
close style
