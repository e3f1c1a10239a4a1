#!/usr/bin/env bash
# hunt.sh - `faultline enumerate` and `faultline shrink` as a user meets them, and `--quiet` of
# `fuzz`, too: what they say, what they leave, and with which exit code they end.
# Closes with `hunt: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=$(realpath "${PROGRAM:-build/release/faultline}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

cat >sound.json <<'EOT'
{
  "job": { "name": "count", "input": { "records": 100, "keys": 5 } },
  "cluster": { "task_managers": 1 }
}
EOT
cat >failing.json <<'EOT'
{
  "job": {
    "name": "count", "parallelism": 2,
    "input": { "records": 3000, "keys": 50, "rate": "5k/s" }
  },
  "checkpoint": { "interval": "100ms", "retained": 2 },
  "restart": { "strategy": "fixed_delay", "attempts": 5, "delay": "10ms" },
  "faults": [
    { "at": "123ms", "do": "pause", "on": "count[0]", "for": "7ms" },
    { "at": "234567us", "do": "crash", "on": "count[1]", "for": "33ms" }
  ],
  "expect": { "recoveries": "= 0" }
}
EOT

expect 0 'all passed, 0 failed' "$program" enumerate sound.json
expect 0 'and [0-9]+ pairs, with all up to 5 steps apart in [0-9]+ ms: all passed, 0 failed' \
    "$program" enumerate sound.json --pairs=5
expect 0 ' 0 cases in [0-9]+ ms: 0 failed, .*out of time' "$program" enumerate sound.json --time 1ns
expect 1 'fails without a fault' "$program" enumerate sound.json --set expect.result=refused
expect 3 'needs the path of one scenario' "$program" enumerate

expect 3 'does not fail: there is nothing to shrink' "$program" shrink sound.json
expect 3 'needs the path of one scenario' "$program" shrink
expect 6 'no such file' "$program" shrink missing.json
expect 6 '^/dev/null: ' "$program" shrink failing.json -o /dev/null/readonly.json

expect 0 '1 of 2 faults left: .* run kept.json' "$program" shrink failing.json -o kept.json
expect 1 'expect.recoveries' "$program" run kept.json --quiet --no-db
expect 0 '"name": "kept"' cat kept.json
expect 0 'shrunk from failing, 2 faults to 1: expect.recoveries' cat kept.json

expect 0 'out of time: not the smallest' "$program" shrink failing.json --time 1ms -o early.json
expect 1 'expect.recoveries' "$program" run early.json --quiet --no-db

# Quiet says how it ended, and nothing before that.
first_line() {
    printf '%s\n' "${output%%$'\n'*}"
}
expect 2 '^covered: ' "$program" fuzz sound.json --seeds 1..20 --set expect.within=1s --quiet
expect 0 '^sound: 20 runs .* failed$' first_line
expect 2 '^again: ' "$program" enumerate sound.json --set expect.within=1s --quiet
expect 0 '^sound: [0-9]+ points, .* [1-9][0-9]* failed' first_line
expect 0 '1 of 2 faults left' "$program" shrink failing.json -j 1 --quiet -o again/kept.json
expect 0 '^expect.recoveries: ' first_line
expect 0 '^$' diff kept.json again/kept.json

close hunt
