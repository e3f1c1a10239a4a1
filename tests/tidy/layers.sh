#!/usr/bin/env bash
# layers.sh - checks every #include "..." of model/, sim/ and reports/ against layers.txt, and that
# each file named there exists. Closes with `layers: N passed, M failed`, counting files.
set -u
. "$(dirname "$0")/../lib.sh"

mapfile -t sources < <(project_files | grep -E '^(model|sim|reports)/.*\.[ch]$')

# Prints "bad FILE:LINE: message" for each forbidden include.
findings() {
    awk '
    function begins(text, beginning) { return substr(text, 1, length(beginning)) == beginning }
    FILENAME ~ /layers\.txt$/ {
        if ($0 !~ /^#/ && NF > 1) {
            key = $1
            $1 = ""
            rule[key] = $0
        }
        next
    }
    FNR == 1 {
        best = ""
        for (key in rule)
            if (begins(FILENAME, key) && length(key) > length(best))
                best = key
        if (best == "")
            print FILENAME ":1: no line of layers.txt says what this file may include"
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, part, "\"")
        included = part[2]
        count = split(rule[best], allowed, " ")
        ok = 0
        for (i = 1; i <= count; i++)
            if (begins(included, allowed[i]))
                ok = 1
        # A file outside live/ must not reach into it by a broad rule; only its supervisor may.
        if (begins(included, "model/live/") && best != "model/live/" && best != "sim/live/")
            ok = 0
        if (!ok)
            print FILENAME ":" FNR ": must not include " included " (" best " sees:" rule[best] ")"
        else if ((getline line < included) < 0)
            print FILENAME ":" FNR ": there is no file " included
        close(included)
    }' tests/tidy/layers.txt "${sources[@]}"
}

while IFS= read -r finding; do
    fail "$finding"
done < <(findings)
passed=$((${#sources[@]} - failed))
close layers
