#!/usr/bin/env bash
# run_all.sh - what `make test` does after the set-up: builds every variant and runs every test, one
# line a step. A step's output is in build/test/, and is shown if the step fails. The last line adds
# up: `N passed, M failed`.
set -u
. "$(dirname "$0")/lib.sh"

logs=build/test
rm -rf "$logs"
mkdir -p "$logs"
failed_steps=()

# step NAME COMMAND... - runs one step. Its tests are those that the closing lines in its output
# count; where there are none, the step is one test, which passes if the command exits with 0.
step() {
    local name=$1 log=$logs/${1//[ ,]/_}.log began=$SECONDS status step_passed step_failed
    shift
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    read -r step_passed step_failed < <(
        sed -nE 's/^.*: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" |
            awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }'
    )
    if [ "$((step_passed + step_failed))" -eq 0 ] && [ "$status" -eq 0 ]; then
        step_passed=1
    elif [ "$step_failed" -eq 0 ] && [ "$status" -ne 0 ]; then
        step_failed=1
    fi
    passed=$((passed + step_passed))
    failed=$((failed + step_failed))
    if [ "$step_failed" -gt 0 ]; then
        failed_steps+=("$name ($log)")
        grep -vE '^ok  |: [0-9]+ passed, 0 failed$' "$log" | tail -n 60
    fi
    printf '%-28s %5d passed, %d failed %5d s\n' \
        "$name" "$step_passed" "$step_failed" "$((SECONDS - began))"
}

build() {
    ${MAKE:-make} -s "-j$(job_count)" "$@"
}

# What runs on threads for real.
live_programs=(tests/contract/test_host_threads tests/contract/test_host_processes)

live_under_tsan() {
    local status=0
    tests/run_programs.sh "${live_programs[@]/#/build/tsan/}" || status=1
    PROGRAM=build/tsan/faultline tests/cli/live.sh || status=1
    return "$status"
}

test_programs() {
    local sources=(tests/{unit,contract,crash,golden,oracle}/test_*.c) programs=()
    for source in "${sources[@]}"; do
        [ -f "$source" ] && programs+=("build/$1/${source%.c}")
    done
    tests/run_programs.sh "${programs[@]}"
}

tidy() {
    local status=0
    for check in layers symbols style mutants; do
        tests/tidy/$check.sh || status=1
    done
    return "$status"
}

command_line() {
    local status=0
    for script in tests/cli/*.sh; do
        "$script" || status=1
    done
    return "$status"
}

step "build, gcc" build CONFIG=release all tests
step "tests" test_programs release
step "command line" command_line
step "scenarios" tests/run_scenarios.sh build/release/faultline
step "tidy" tidy
step "build, gcc with sanitizers" build CONFIG=asan all tests
step "tests, sanitizers" test_programs asan
step "scenarios, sanitizers" tests/run_scenarios.sh build/asan/faultline
step "build, thread sanitizer" build CONFIG=tsan all "${live_programs[@]/#/build/tsan/}"
step "live, thread sanitizer" live_under_tsan
step "build, clang" build CONFIG=clang all tests
step "determinism" tests/determinism.sh

[ "${#failed_steps[@]}" -eq 0 ] || printf 'failed: %s\n' "${failed_steps[@]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
