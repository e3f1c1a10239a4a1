/* Property 11: checkpoints keep to their limits: max_concurrent under way at once, min_pause
 * between a completion and the next trigger, none complete long after its timeout, and the job
 * fails when more of them fail in a row than are tolerable, and not before.
 *
 * A JobManager counts for itself: its successor begins again. Whether its clock or its timers are
 * right is not its business: the pause is judged only if no clock goes wrong, the timeout only of
 * checkpoints that were triggered after the last fault. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"

enum { NS_PER_MS = 1000000 };

void property_pace_init(struct oracle *oracle)
{
    oracle->pace.ended =
        arena_alloc(oracle->arena, judge_subtask_places(oracle), sizeof *oracle->pace.ended);
}

/* Is it a reason that counts against tolerable_failures? Those that are overtaken or that end with
 * their attempt do not. */
static bool is_failure(struct bytes reason)
{
    static const char *const beginnings[] = { "expired", "declined: ", "trigger failed",
                                              "commit failed" };
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t size = strlen(beginnings[i]);
        if (reason.size >= size && memcmp(reason.data, beginnings[i], size) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- how many, and how soon ------------------------------------------------------------------ */

static void judge_pause(struct oracle *oracle, uint64_t id, uint64_t now_ns)
{
    const struct pace_memory *memory = &oracle->pace;
    uint64_t pause_ns = oracle->scenario->job.checkpoint.min_pause_ns;
    /* The final one, after which nothing comes, waits for nobody. */
    bool may_be_final = memory->ended_count == judge_subtask_count(oracle);
    if (memory->completed_ns != 0 && !may_be_final && !oracle->clocks_go_wrong &&
        now_ns - memory->completed_ns < pause_ns) {
        judge_report(oracle, PROPERTY_PACE,
                     "checkpoint %llu was triggered %llu ms after one completed; checkpoint."
                     "min_pause is %llu ms",
                     (unsigned long long)id,
                     (unsigned long long)((now_ns - memory->completed_ns) / NS_PER_MS),
                     (unsigned long long)(pause_ns / NS_PER_MS));
    }
}

static void judge_failures(struct oracle *oracle)
{
    if (oracle->pace.must_fail) {
        judge_report(oracle, PROPERTY_PACE,
                     "more checkpoints failed in a row than checkpoint.tolerable_failures, %u, and "
                     "the job did not fail",
                     oracle->scenario->job.checkpoint.tolerable_failures);
        oracle->pace.must_fail = false;
    }
}

static void on_triggered(struct oracle *oracle, const struct fact_event *event)
{
    struct pace_memory *memory = &oracle->pace;
    uint64_t id = event->fact.checkpoint;
    uint32_t most = oracle->scenario->job.checkpoint.max_concurrent;
    judge_failures(oracle);
    judge_pause(oracle, id, event->time_ns);
    memory->under_way = arena_grow(oracle->arena, memory->under_way, &memory->capacity,
                                   memory->count + 1, sizeof *memory->under_way);
    memory->under_way[memory->count++] =
        (struct under_way){ .id = id, .triggered_ns = event->time_ns };
    if (memory->count > most) {
        judge_report(oracle, PROPERTY_PACE,
                     "checkpoint %llu was triggered while %zu were under way; checkpoint."
                     "max_concurrent is %u",
                     (unsigned long long)id, memory->count - 1, most);
    }
}

static size_t find(const struct pace_memory *memory, uint64_t id)
{
    size_t at = 0;
    while (at < memory->count && memory->under_way[at].id != id) {
        at++;
    }
    return at;
}

static void forget(struct pace_memory *memory, uint64_t id)
{
    size_t at = find(memory, id);
    if (at < memory->count) {
        memory->count--;
        memmove(memory->under_way + at, memory->under_way + at + 1,
                (memory->count - at) * sizeof *memory->under_way);
    }
}

/* ---- how long -------------------------------------------------------------------------------- */

/* Nobody is busy for longer than the heartbeat timeout: who was would be taken for dead. */
static void on_all_acked(struct oracle *oracle, const struct fact_event *event)
{
    struct pace_memory *memory = &oracle->pace;
    const struct job_config *job = &oracle->scenario->job;
    size_t at = find(memory, event->fact.checkpoint);
    if (at == memory->count) {
        return;
    }
    uint64_t triggered_ns = memory->under_way[at].triggered_ns;
    CHECK(triggered_ns <= event->time_ns);
    uint64_t took_ns = event->time_ns - triggered_ns;
    if (took_ns > job->checkpoint.timeout_ns &&
        took_ns - job->checkpoint.timeout_ns > job->heartbeat_timeout_ns) {
        memory->late_triggered_ns = triggered_ns;
        memory->late_acked_ns = event->time_ns;
    }
}

void property_pace_on_end(struct oracle *oracle, uint64_t last_fault_ns)
{
    const struct pace_memory *memory = &oracle->pace;
    if (memory->late_acked_ns != 0 && memory->late_triggered_ns >= last_fault_ns) {
        judge_report(
            oracle, PROPERTY_PACE,
            "a checkpoint that was triggered at %llu ms was committed at %llu ms; checkpoint."
            "timeout is %llu ms",
            (unsigned long long)(memory->late_triggered_ns / NS_PER_MS),
            (unsigned long long)(memory->late_acked_ns / NS_PER_MS),
            (unsigned long long)(oracle->scenario->job.checkpoint.timeout_ns / NS_PER_MS));
    }
}

/* ---- how many may fail ----------------------------------------------------------------------- */

static void on_aborted(struct oracle *oracle, const struct fact *fact)
{
    struct pace_memory *memory = &oracle->pace;
    forget(memory, fact->checkpoint);
    if (!memory->running || memory->must_fail || !is_failure(fact->text)) {
        return;
    }
    if (memory->failures < oracle->scenario->job.checkpoint.tolerable_failures) {
        memory->failures++;
        return;
    }
    memory->failures = 0; /* it counts anew when the job has failed */
    memory->must_fail = true;
}

static void on_failure(struct oracle *oracle, const struct fact *fact)
{
    struct pace_memory *memory = &oracle->pace;
    if (is_failure(fact->text) && !memory->must_fail) {
        judge_report(oracle, PROPERTY_PACE,
                     "the job failed after %u failed checkpoints in a row (%.*s); %u are tolerable",
                     memory->failures + 1, (int)fact->text.size, (const char *)fact->text.data,
                     oracle->scenario->job.checkpoint.tolerable_failures);
    }
    memory->must_fail = false;
    memory->running = false;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void on_completed(struct oracle *oracle, const struct fact_event *event)
{
    struct pace_memory *memory = &oracle->pace;
    judge_failures(oracle);
    forget(memory, event->fact.checkpoint);
    memory->failures = 0;
    memory->completed_ns = event->time_ns;
}

static void on_deployed(struct oracle *oracle)
{
    struct pace_memory *memory = &oracle->pace;
    memory->running = false;
    memory->ended_count = 0;
    memset(memory->ended, 0, judge_subtask_places(oracle) * sizeof *memory->ended);
}

static void on_end_of_data(struct oracle *oracle, const struct fact *fact)
{
    struct pace_memory *memory = &oracle->pace;
    bool *ended = &memory->ended[judge_subtask_place(oracle, fact)];
    if (fact->attempt == oracle->deployed_attempt && !*ended) {
        *ended = true;
        memory->ended_count++;
    }
    CHECK(memory->ended_count <= judge_subtask_count(oracle));
}

static void on_job_manager(struct oracle *oracle)
{
    struct pace_memory *memory = &oracle->pace;
    memory->count = 0;
    memory->running = false;
    memory->must_fail = false;
    memory->failures = 0;
    memory->completed_ns = 0;
}

void property_pace_on_fact(struct oracle *oracle, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    switch ((int)fact->kind) {
    case FACT_JOB_MANAGER_STARTED: on_job_manager(oracle); break;
    case FACT_JOB_DEPLOYED: on_deployed(oracle); break;
    case FACT_JOB_RUNNING: oracle->pace.running = true; break;
    case FACT_CHECKPOINT_TRIGGERED: on_triggered(oracle, event); break;
    case FACT_CHECKPOINT_ALL_ACKED: on_all_acked(oracle, event); break;
    case FACT_CHECKPOINT_COMPLETED: on_completed(oracle, event); break;
    case FACT_CHECKPOINT_ABORTED: on_aborted(oracle, fact); break;
    case FACT_RESCALE_STARTED: oracle->pace.running = false; break;
    case FACT_FAILURE_DETECTED: on_failure(oracle, fact); break;
    case FACT_TASK_END_OF_DATA: on_end_of_data(oracle, fact); break;
    default: CHECK_UNREACHABLE("a fact of another property");
    }
}
