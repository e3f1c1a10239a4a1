/* Property 12: no subtask goes on with a checkpoint that was given up. All of them are told; until
 * they have heard it they may, and how long that takes is up to the faults. After the last of these
 * no message takes longer than the heartbeat timeout: else TaskManagers would be given up for it.
 * Those that were, and whoever else belongs to an attempt that failed, may hear of it later yet:
 * what they do then is fenced (property 7). */
#include "sim/oracle/judge.h"

#include "model/base/check.h"

enum { NS_PER_MS = 1000000 };

static void on_snapshot(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    const struct checkpoint_record *record =
        checkpoint_history_find(&oracle->history, fact->checkpoint);
    if (record == NULL || record->aborted_ns == 0 || fact->attempt != oracle->deployed_attempt ||
        fact->attempt == oracle->abandoned.failed_attempt ||
        event->time_ns < record->aborted_ns ||
        event->time_ns - record->aborted_ns <= oracle->scenario->job.heartbeat_timeout_ns) {
        return;
    }
    oracle->abandoned = (struct abandoned_memory){ .failed_attempt =
                                                       oracle->abandoned.failed_attempt,
                                                   .aborted_ns = record->aborted_ns,
                                                   .worked_ns = event->time_ns,
                                                   .id = record->id,
                                                   .vertex = fact->vertex,
                                                   .subtask = fact->subtask };
}

void property_abandoned_on_fact(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    if (fact->kind == FACT_SNAPSHOT_TAKEN) {
        on_snapshot(oracle, event);
        return;
    }
    if (fact->kind == FACT_FAILURE_DETECTED) {
        oracle->abandoned.failed_attempt = fact->attempt;
        return;
    }
    CHECK(fact->kind == FACT_CHECKPOINT_ABORTED);
    if (fact->checkpoint != 0) {
        checkpoint_history_at(&oracle->history, fact->checkpoint)->aborted_ns = event->time_ns;
    }
}

/* Keeping only the last is enough: if the last fault ended too late for it to count, it ended too
 * late for all before. */
void property_abandoned_on_end(struct oracle *oracle, uint64_t last_fault_ns)
{
    const struct abandoned_memory *memory = &oracle->abandoned;
    uint64_t from_ns = memory->aborted_ns > last_fault_ns ? memory->aborted_ns : last_fault_ns;
    if (memory->worked_ns > from_ns &&
        memory->worked_ns - from_ns > oracle->scenario->job.heartbeat_timeout_ns) {
        judge_report(oracle, PROPERTY_ABANDONED,
                     "%s[%u] took its snapshot for checkpoint %llu at %llu ms, which had been "
                     "given up at %llu ms",
                     judge_vertex_name(oracle, memory->vertex), memory->subtask,
                     (unsigned long long)memory->id,
                     (unsigned long long)(memory->worked_ns / NS_PER_MS),
                     (unsigned long long)(memory->aborted_ns / NS_PER_MS));
    }
}
