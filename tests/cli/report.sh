#!/usr/bin/env bash
# report.sh - `faultline sweep` and `faultline report`: every cell once, also after a kill; a page
# that needs nothing else, and opens in a browser where there is one; CSV and JUnit XML.
# Closes with `report: N passed, M failed`.
set -u
. "$(dirname "$0")/../lib.sh"

program=${PROGRAM:-build/release/faultline}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# grid NAME RECORDS SWEEP - writes a scenario.
grid() {
    cat >"$scratch/$1.json" <<EOT
{
  "name": "$1",
  "job": { "name": "count", "input": { "records": $2, "keys": 200, "rate": "10k/s" } },
  "checkpoint": { "interval": "20ms", "inline_threshold": "0B" },
  "cluster": { "task_managers": 2, "slots": 8, "store": { "latency": "1ms", "write": "1MiB/s" } },
  "sweep": $3
}
EOT
}
rows() {
    sqlite3 "$1" "$2"
}

# --- sweep ---

grid small 2000 '{
    "job.parallelism": [1, 2, 4], "checkpoint.interval": ["20ms", "40ms"], "seed": "1..2" }'
sweep() {
    "$program" sweep "$scratch/small.json" --db "$scratch/small.db" "$@"
}
expect 0 '^small: 12 cells, 12 run in .*: 12 PASS$' sweep -j 2 --junit "$scratch/sweep.xml"
expect 0 '^small: 12 cells, 0 run, 12 were there: 12 PASS$' sweep -j 2
expect 0 '^12\|12$' rows "$scratch/small.db" \
    'SELECT count(*), (SELECT count(*) FROM sweep_cell) FROM run'
expect 0 '<testsuite name="small" tests="12" failures="0" errors="0"' cat "$scratch/sweep.xml"
expect 0 'job.parallelism=4 checkpoint.interval=40ms seed=2"' cat "$scratch/sweep.xml"

# The same rows whatever the number of processes: all but ids and real times.
"$program" sweep "$scratch/small.json" --db "$scratch/other.db" -j 1 --quiet >/dev/null
content='SELECT coordinates, trace_hash, verdict, simulated_ns, (SELECT group_concat(ended_ns)
    FROM checkpoint c WHERE c.run_id = run.id) FROM run JOIN sweep_cell ON run.id = run_id
    ORDER BY coordinates'
rows "$scratch/small.db" "$content" >"$scratch/small.rows"
rows "$scratch/other.db" "$content" >"$scratch/other.rows"
expect 0 '' cmp "$scratch/small.rows" "$scratch/other.rows"

expect 1 '^WRONG .* expect.checkpoints=== 1000: expect: ' \
    sweep --set 'sweep={ "expect.checkpoints": ["any", "== 1000"] }'
expect 3 'sweep\["sede"\]: unknown key; did you mean "seed"' sweep --set 'sweep={ "sede": [1] }'
expect 3 'sweep \(job.parallelism=0 .*\): job.parallelism: must be at least 1' \
    sweep --set 'sweep={ "job.parallelism": [0] }'

# --- several sweeps into one database, and the page of them ---

# regime NAME STORE PLOT - writes a scenario whose store is described by STORE.
regime() {
    grid "$1" 2000 '{ "job.parallelism": [1, 2, 4], "checkpoint.interval": ["20ms", "40ms"] }'
    sed -i "s|\"store\": {.*} }|\"store\": { \"latency\": \"1ms\", $2 } }|; s|^{\$|{ $3|" \
        "$scratch/$1.json"
}
regime own-disks '"write": "unlimited", "client_write": "1MiB/s"' ''
regime one-at-a-time '"write": "unlimited", "client_write": "1MiB/s", "writers": 1' \
    '"plot": [{ "y": "checkpoint_time", "x": "interval_x_tasks" }],'
regimes() {
    "$program" sweep "$scratch/own-disks.json" "$scratch/one-at-a-time.json" -j 2 --quiet \
        -o "$scratch/regimes" "$@"
}
expect 0 "^own-disks: 6 cells, 6 run .*: 6 PASS.*one-at-a-time: 6 cells, 6 run .*: 6 PASS" \
    sh -c "$(declare -f regimes); program=$program scratch=$scratch; regimes --csv \
        --junit $scratch/regimes.xml | tr '\n' ' '"
expect 0 '<testsuite name="sweep" tests="12" failures="0" errors="0"' cat "$scratch/regimes.xml"
expect 0 "^$scratch/regimes/index.html\$" regimes
expect 0 "^results: $scratch/regimes/results.db\$" regimes
expect 0 '^12$' rows "$scratch/regimes/results.db" 'SELECT count(*) FROM sweep_cell'
expect 0 '^one-at-a-time,.*$' cat "$scratch/regimes/tables/checkpoint-time.csv"
expect 0 'store wait \(s\)' cat "$scratch/regimes/tables/phases.csv"
expect 0 '^own-disks,' cat "$scratch/regimes/tables/phases.csv"
expect 1 '' grep '^one-at-a-time' "$scratch/regimes/tables/phases.csv"
# Only where uploads stand in line do they wait.
waits='SELECT (SELECT max(store_wait_ns) > 1000000 FROM task_checkpoint JOIN run ON id = run_id
    WHERE name = "one-at-a-time") || (SELECT max(store_wait_ns) FROM task_checkpoint JOIN run
    ON id = run_id WHERE name = "own-disks")'
expect 0 '^10$' rows "$scratch/regimes/results.db" "$waits"
expect 6 'gone.json: no such file' \
    "$program" sweep "$scratch/own-disks.json" "$scratch/gone.json" --quiet \
    -o "$scratch/regimes"
expect 3 'plot\[0\].y: .*did you mean "phase_time"' "$program" sweep "$scratch/own-disks.json" \
    --db "$scratch/small.db" --set 'plot=[{ "y": "phase_tim", "x": "tasks" }]'

# --- a killed sweep loses no finished cell, and goes on where it was ---

grid long 30000 '{ "seed": "1..60" }'
"$program" sweep "$scratch/long.json" --db "$scratch/long.db" -j 2 --quiet >/dev/null &
victim=$!
for _ in $(seq 200); do
    finished=$(rows "$scratch/long.db" 'SELECT count(*) FROM run' 2>/dev/null)
    [ "${finished:-0}" -ge 5 ] && break
    sleep 0.05
done
disown "$victim"
kill -KILL "$victim"
while kill -0 "$victim" 2>/dev/null; do
    sleep 0.05
done
finished=$(rows "$scratch/long.db" 'SELECT count(*) FROM run')
if [ "$finished" -ge 5 ] && [ "$finished" -lt 60 ]; then
    pass
else
    fail "tests/cli/report.sh: $finished of 60 cells at the kill: too early or too late to tell"
fi
expect 0 "^long: 60 cells, $((60 - finished)) run in .*, $finished were there: 60 PASS\$" \
    "$program" sweep "$scratch/long.json" --db "$scratch/long.db" -j 2
expect 0 '^60\|60$' rows "$scratch/long.db" 'SELECT count(*), count(DISTINCT seed) FROM run'

# --- run: JUnit ---

expect 0 '^PASS' "$program" run "$scratch/small.json" --no-db --quiet --out "$scratch/out" \
    --junit "$scratch/ci/run.xml"
expect 0 '<testcase classname=".*/small.json" name="small" time="[0-9.]*"/>' \
    cat "$scratch/ci/run.xml"
expect 1 '' "$program" run "$scratch/small.json" --db "$scratch/small.db" --quiet \
    --out "$scratch/out" --set 'expect.checkpoints=== 1000' --junit "$scratch/ci/run.xml"
expect 0 '<failure message="WRONG .*run.json</failure>' cat "$scratch/ci/run.xml"

# --- the report ---

"$program" run scenarios/demo.json --db "$scratch/small.db" --quiet --out "$scratch/demo" >/dev/null
page=$scratch/report/index.html
expect 0 "^$scratch/report/index.html\$" \
    "$program" report "$scratch/small.db" -o "$scratch/report" --csv
expect 1 '' test -e "$scratch/small.db-wal"
expect 0 '^regime,N \(tasks\),T \(s\),' cat "$scratch/report/tables/checkpoint-time.csv"
expect 0 "<code>$program run $scratch/report/runs/1.json</code>" cat "$page"
expect 0 '^PASS' "$program" run "$scratch/report/runs/1.json" --no-db --quiet --out "$scratch/out"
expect 1 '' grep -E '(src|href)="(https?:|//|[a-z]+\.(css|js))' "$page"
if command -v gnuplot >/dev/null; then
    expect 0 '^$' sh -c "LC_ALL=C $program report $scratch/small.db -o $scratch/plain >/dev/null"
    for name in checkpoint-time phases failure timeline; do
        expect 0 '^PNG$' dd if="$scratch/report/figures/$name.png" bs=1 skip=1 count=3 status=none
        expect 0 '<svg' cat "$scratch/report/figures/$name.svg"
    done
    expect 0 '<svg viewBox="0 0 480 ' cat "$page"
else
    echo 'report: gnuplot is not installed; the figures were not drawn'
fi
expect 6 'there is no results database' "$program" report "$scratch/gone.db" -o "$scratch/report"
sqlite3 "$scratch/foreign.db" 'CREATE TABLE t (x)'
expect 3 'is no results database' "$program" report "$scratch/foreign.db" -o "$scratch/report"

# --- a browser ---

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
    cat >"$scratch/probe.js" <<'EOT'
<script>
document.querySelector('#runs th button').click();
var sizes = Array.from(document.querySelectorAll('.panels svg')).map(function (picture) {
  return picture.getBoundingClientRect().width; });
document.title = 'figures ' + sizes.length + ' narrowest ' + (Math.min.apply(null, sizes) > 200) +
  ' sorted ' + document.querySelector('#runs tbody td').textContent +
  ' wide ' + (document.documentElement.scrollWidth > window.innerWidth) +
  ' links ' + Array.from(document.querySelectorAll('nav a')).every(function (link) {
    return document.querySelector(link.getAttribute('href')) !== null; });
</script>
EOT
    cat "$page" "$scratch/probe.js" >"$scratch/probe.html"
    look() {
        timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
            --disable-background-networking --user-data-dir="$scratch/browser" \
            --enable-logging=stderr --window-size="$1,900" --dump-dom "file://$scratch/probe.html"
    }
    for width in 1280 500; do
        expect 0 '<title>figures [0-9]+ narrowest true sorted 1 wide false links true</title>' \
            look "$width"
        if grep -q 'CONSOLE' <<<"$output"; then
            fail "tests/cli/report.sh: the page writes to the console at a width of $width"
        else
            pass
        fi
    done
else
    echo 'report: no browser is installed; the page was not opened'
fi

close report
