#!/bin/sh
# show_demo.sh DIR PAGE - tells what the demo left in DIR, what to try next, and where the page of
# figures is.
set -eu
echo
echo "What the run left in $1:"
while read -r file about; do
    [ ! -e "$1/$file" ] || printf '  %-16s %s\n' "$file" "$about"
done <<'FILES'
progress.svg the run as a picture: records, checkpoints, faults and recoveries over time
checkpoints.svg what each checkpoint took, and how large it was
output.txt what the job committed, one line a record
state.tsv the final count of every key
result.json the verdict, with every checkpoint, recovery and fault
run.json the scenario with every random draw made explicit: it repeats this run
trace.jsonl every step of the protocol, one a line
timeline.json the same to look at in ui.perfetto.dev
FILES
echo
echo "Next:"
echo "  build/faultline run scenarios/demo.json --seed 7   the same with other random draws"
echo "  build/faultline help                               what else there is"
echo
if [ -e "$2" ]; then
    echo "Is the time of a checkpoint T x N? Five regimes, 375 runs, and the answers in one page:"
    echo "$2"
fi
