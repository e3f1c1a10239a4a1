/* Property 8: the job ends, and checkpoints complete, within a bound after faults stop. While the
 * job runs undisturbed and checkpoints are periodic, no longer than the bound may pass without a
 * completed one: one may hang until it times out, the next comes an interval later and takes its
 * time, and a failure may stay unnoticed until a heartbeat is missed. The time in which a failure
 * is known and the job restarts does not count.
 *
 * A job may refuse to be restored; one that ran refuses to go on only if a fault has damaged the
 * database that its checkpoints are in. */
#include "sim/oracle/judge.h"

#include "model/base/check.h"

enum { NS_PER_MS = 1000000 };

static uint64_t bound_ns(const struct oracle *oracle)
{
    const struct job_config *job = &oracle->scenario->job;
    uint64_t interval_ns = job->checkpoint.interval_ns;
    if (interval_ns < job->checkpoint.min_pause_ns) {
        interval_ns = job->checkpoint.min_pause_ns;
    }
    uint64_t sum_ns = job->heartbeat_timeout_ns;
    if (__builtin_add_overflow(sum_ns, job->checkpoint.timeout_ns, &sum_ns) ||
        __builtin_add_overflow(sum_ns, interval_ns, &sum_ns) ||
        __builtin_add_overflow(sum_ns, interval_ns, &sum_ns)) {
        return UINT64_MAX;
    }
    return sum_ns;
}

/* The time without a checkpoint that began at since_ns ends now. Keeping only the last long one is
 * enough: if the last fault ended too late for it to count, it ended too late for all before. */
static void end_gap(struct oracle *oracle)
{
    uint64_t now_ns = oracle->now_ns;
    struct liveness_memory *memory = &oracle->liveness;
    CHECK(memory->running);
    CHECK(memory->since_ns <= now_ns);
    if (oracle->scenario->job.checkpoint.interval_ns > 0 &&
        now_ns - memory->since_ns > bound_ns(oracle)) {
        memory->long_gap_start_ns = memory->since_ns;
        memory->long_gap_end_ns = now_ns;
    }
    memory->since_ns = now_ns;
}

static void on_failed(struct oracle *oracle, const struct fact *fact)
{
    struct liveness_memory *memory = &oracle->liveness;
    struct buffer text;
    buffer_init(&text, oracle->arena);
    buffer_append(&text, fact->text);
    *buffer_extend(&text, 1) = '\0';
    memory->failure = (const char *)text.data;
    bool is_refused = fact->values[0] != 0;
    if (is_refused && memory->ran && !judge_is_database_damaged(oracle)) {
        judge_report(oracle, PROPERTY_LIVENESS,
                     "the job refused to go on, though nothing damaged its checkpoint store: %s",
                     memory->failure);
    }
}

void property_liveness_on_fact(struct oracle *oracle, const struct fact *fact)
{
    CHECK(oracle->now_ns >= oracle->liveness.since_ns);
    struct liveness_memory *memory = &oracle->liveness;
    if (fact->kind == FACT_JOB_FAILED) {
        on_failed(oracle, fact);
    } else if (fact->kind == FACT_FAILURE_DETECTED) {
        memory->ran = memory->ran || memory->running;
    } else if (fact->kind != FACT_JOB_CANCELLED) {
        memory->ran = false;
    }
    if (memory->running) {
        end_gap(oracle);
    }
    if (fact->kind == FACT_JOB_RUNNING) {
        memory->running = true;
        memory->since_ns = oracle->now_ns;
    } else if (fact->kind != FACT_CHECKPOINT_COMPLETED) {
        memory->running = false;
    }
}

static void judge_outcome(struct oracle *oracle, enum outcome outcome)
{
    CHECK(outcome <= OUTCOME_BROKEN);
    enum expected_result expected = oracle->scenario->expect.result;
    const struct liveness_memory *memory = &oracle->liveness;
    if (outcome == OUTCOME_BROKEN) {
        return; /* whoever died is to blame */
    }
    if (outcome == OUTCOME_STUCK) {
        judge_report(oracle, PROPERTY_LIVENESS,
                     "the job neither finished nor failed within %llu ms; it %s, and the newest "
                     "completed checkpoint is %llu",
                     (unsigned long long)(oracle->now_ns / NS_PER_MS),
                     memory->running ? "was running" : "was not running",
                     (unsigned long long)checkpoint_history_newest(&oracle->history));
        return;
    }
    bool is_wrong = (outcome == OUTCOME_REFUSED && expected == EXPECT_SAME) ||
                    (outcome == OUTCOME_FAILED &&
                     (expected == EXPECT_SAME || expected == EXPECT_SAME_OR_REFUSED));
    if (is_wrong) {
        judge_report(oracle, PROPERTY_LIVENESS, "the job gave up: %s",
                     memory->failure != NULL ? memory->failure : "it did not say why");
    }
}

/* What faults delayed is still on its way so long after the last has ended: on one link, delays add
 * up. */
static uint64_t delays_ns(const struct oracle *oracle)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < oracle->scenario->fault_count; i++) {
        const struct fault *fault = &oracle->scenario->faults[i];
        sum_ns += fault->verb == FAULT_DELAY ? fault->by_ns + fault->jitter_ns : 0;
    }
    return sum_ns;
}

void property_liveness_on_end(struct oracle *oracle, enum outcome outcome, uint64_t last_fault_ns)
{
    struct liveness_memory *memory = &oracle->liveness;
    judge_outcome(oracle, outcome);
    if (memory->running) {
        end_gap(oracle);
    }
    uint64_t start_ns = memory->long_gap_start_ns;
    uint64_t undisturbed_ns = last_fault_ns + delays_ns(oracle);
    if (start_ns < undisturbed_ns) {
        start_ns = undisturbed_ns;
    }
    if (memory->long_gap_end_ns > start_ns &&
        memory->long_gap_end_ns - start_ns > bound_ns(oracle)) {
        judge_report(oracle, PROPERTY_LIVENESS,
                     "no checkpoint completed from %llu ms to %llu ms although the job ran and no "
                     "fault was left; at most %llu ms are right",
                     (unsigned long long)(start_ns / NS_PER_MS),
                     (unsigned long long)(memory->long_gap_end_ns / NS_PER_MS),
                     (unsigned long long)(bound_ns(oracle) / NS_PER_MS));
    }
    CHECK(memory->long_gap_start_ns <= memory->long_gap_end_ns);
}
