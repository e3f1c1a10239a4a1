/* Property 7: nothing from a fenced attempt has an effect. From the moment the JobManager deploys
 * an attempt, acknowledgements and checkpoints of older ones are void. A sink of an older attempt
 * may still make output visible if that belongs to a checkpoint of its attempt that did complete:
 * the same would be done again by whoever restores that checkpoint. */
#include "sim/oracle/judge.h"

#include "model/base/check.h"

static void on_deployed(struct oracle *oracle, uint64_t attempt)
{
    if (attempt <= oracle->deployed_attempt) {
        judge_report(oracle, PROPERTY_FENCING,
                     "attempt %llu was deployed after attempt %llu: attempts must rise",
                     (unsigned long long)attempt, (unsigned long long)oracle->deployed_attempt);
        return;
    }
    CHECK(attempt > 0);
    oracle->deployed_attempt = attempt;
}

static void on_committed(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_SINK_COMMITTED);
    uint64_t newest = checkpoint_history_newest_of(&oracle->history, fact->attempt);
    if (fact->attempt < oracle->deployed_attempt && fact->checkpoint > newest) {
        judge_report(oracle, PROPERTY_FENCING,
                     "%s[%u] of the fenced attempt %llu committed output of checkpoint %llu, but "
                     "the newest that its attempt completed is %llu",
                     judge_vertex_name(oracle, fact->vertex), fact->subtask,
                     (unsigned long long)fact->attempt, (unsigned long long)fact->checkpoint,
                     (unsigned long long)newest);
    }
}

void property_fencing_on_fact(struct oracle *oracle, const struct fact *fact)
{
    if (fact->kind == FACT_JOB_DEPLOYED) {
        on_deployed(oracle, fact->attempt);
        return;
    }
    if (fact->kind == FACT_SINK_COMMITTED) {
        on_committed(oracle, fact);
        return;
    }
    CHECK(fact->kind == FACT_ACK_RECEIVED || fact->kind == FACT_CHECKPOINT_COMPLETED ||
          fact->kind == FACT_CHECKPOINT_TRIGGERED);
    if (fact->attempt < oracle->deployed_attempt) {
        judge_report(
            oracle, PROPERTY_FENCING,
            "%s of checkpoint %llu came from attempt %llu, which attempt %llu had replaced",
            fact_info(fact->kind)->name, (unsigned long long)fact->checkpoint,
            (unsigned long long)fact->attempt, (unsigned long long)oracle->deployed_attempt);
    }
}
