/* Property 4: checkpoint ids rise strictly and are never used twice, over every JobManager crash.
 * Each completes at most once, and only if it was triggered and not given up. */
#include "sim/oracle/judge.h"

#include "model/base/check.h"

static void on_triggered(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_CHECKPOINT_TRIGGERED);
    unsigned long long id = fact->checkpoint;
    if (id == 0) {
        judge_report(oracle, PROPERTY_CHECKPOINT_IDS, "a checkpoint was triggered with the id 0");
        return;
    }
    if (id == oracle->newest_triggered) {
        judge_report(oracle, PROPERTY_CHECKPOINT_IDS, "checkpoint %llu was triggered twice", id);
    } else if (id < oracle->newest_triggered) {
        judge_report(oracle, PROPERTY_CHECKPOINT_IDS,
                     "checkpoint %llu was triggered after checkpoint %llu: ids must rise", id,
                     (unsigned long long)oracle->newest_triggered);
    } else {
        oracle->newest_triggered = id;
    }
    struct checkpoint_record *record = checkpoint_history_at(&oracle->history, id);
    CHECK(id <= oracle->newest_triggered);
    record->triggered = true;
    record->attempt = fact->attempt;
}

static void on_completed(struct oracle *oracle, uint64_t id)
{
    const struct checkpoint_record *record = checkpoint_history_find(&oracle->history, id);
    const char *wrong = NULL;
    if (record == NULL || !record->triggered) {
        wrong = "although it was never triggered";
    } else if (record->completed) {
        wrong = "for the second time";
    } else if (record->aborted) {
        wrong = "after it had been aborted";
    }
    if (wrong != NULL) {
        judge_report(oracle, PROPERTY_CHECKPOINT_IDS, "checkpoint %llu completed %s",
                     (unsigned long long)id, wrong);
    }
}

static void on_aborted(struct oracle *oracle, uint64_t id)
{
    if (id == 0) {
        return; /* a trigger that failed before it took an id */
    }
    struct checkpoint_record *record = checkpoint_history_at(&oracle->history, id);
    if (record->completed) {
        judge_report(oracle, PROPERTY_CHECKPOINT_IDS,
                     "checkpoint %llu was aborted after it had completed", (unsigned long long)id);
    }
    CHECK(record->id == id);
    record->aborted = true;
}

void property_checkpoint_ids_on_fact(struct oracle *oracle, const struct fact *fact)
{
    if (fact->kind == FACT_CHECKPOINT_TRIGGERED) {
        on_triggered(oracle, fact);
    } else if (fact->kind == FACT_CHECKPOINT_ABORTED) {
        on_aborted(oracle, fact->checkpoint);
    } else {
        CHECK(fact->kind == FACT_CHECKPOINT_COMPLETED);
        on_completed(oracle, fact->checkpoint);
    }
}
