# shellcheck shell=bash
# lib.sh - counting and reporting for the test scripts; each closes with `NAME: N passed, M failed`.
# Sourced, never run. It takes the script to the project's root.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
passed=0
failed=0

pass() {
    passed=$((passed + 1))
}

# fail MESSAGE - one failed test; the message starts with FILE:LINE: where there is one.
fail() {
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$*"
}

# close NAME - prints the closing line and ends the script.
close() {
    printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

job_count() {
    nproc 2>/dev/null || echo 2
}

# The files of the project: what git tracks or would track; without git, all but results.
project_files() {
    git ls-files --cached --others --exclude-standard 2>/dev/null | while IFS= read -r file; do
        [ -f "$file" ] && printf '%s\n' "$file"
    done | sort -u | grep . ||
        find . \( -name .git -o -path ./build -o -path ./out \) -prune -o -type f -print |
        sed 's|^\./||' | sort
}

# expect CODE PATTERN COMMAND... - one test: the command's exit code, and an extended regular
# expression that one line of its output (both streams) must match. The output stays in $output.
expect() {
    local code=$1 pattern=$2 status
    shift 2
    output=$("$@" 2>&1 </dev/null)
    status=$?
    if [ "$status" -ne "$code" ]; then
        fail "${BASH_SOURCE[1]}:${BASH_LINENO[0]}: exit code $status, not $code: $*"
        printf '%s\n' "$output" | tail -n 5
    elif ! grep -qE -- "$pattern" <<<"$output"; then
        fail "${BASH_SOURCE[1]}:${BASH_LINENO[0]}: no line of the output matches '$pattern': $*"
        printf '%s\n' "$output" | tail -n 5
    else
        pass
    fi
}
