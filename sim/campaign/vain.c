#include "sim/campaign/vain.h"

#include "model/base/check.h"

void vain_init(struct vain *vain, struct arena *arena, const struct scenario *scenario,
               uint32_t vertex_count)
{
    CHECK(vertex_count > 0);
    *vain = (struct vain){ .scenario = scenario, .vertex_count = vertex_count };
    buffer_init(&vain->cause, arena);
}

/* Does the strategy always allow another attempt? That of failure_rate does to failures that keep
 * to its rate. */
static bool has_no_end(const struct restart_options *options)
{
    switch (options->strategy) {
    case RESTART_NONE: return false;
    case RESTART_FIXED_DELAY:
    case RESTART_EXPONENTIAL_DELAY: return options->attempts == UINT32_MAX;
    case RESTART_FAILURE_RATE: return true;
    }
    CHECK_UNREACHABLE("a restart strategy");
}

/* Has the fault had an effect since `since_ns`, or may it yet have one? What it delayed comes when
 * it is over, and one that waits for a fact that has never come has none. */
static bool is_left(const struct fault_record *record, uint64_t since_ns)
{
    if (record->fired) {
        return record->ended_ns + record->fault->by_ns + record->fault->jitter_ns >= since_ns;
    }
    return record->armed || record->matches > 0 || record->fault->trigger.kind == TRIGGER_AT;
}

static bool any_is_left(const struct vain *vain, const struct fault_record *records)
{
    for (uint32_t i = 0; i < vain->scenario->fault_count; i++) {
        if (is_left(&records[i], vain->failed_ns)) {
            return true;
        }
    }
    return false;
}

void vain_on_fact(struct vain *vain, const struct fact_event *event,
                  const struct fault_record *records)
{
    const struct fact *fact = &event->fact;
    bool is_failure = false;
    switch (fact->kind) {
    case FACT_JOB_DEPLOYED:
        vain->task_count = fact->values[0] * vain->vertex_count;
        vain->ended = 0;
        break;
    case FACT_TASK_END_OF_DATA: vain->ended++; break;
    case FACT_CHECKPOINT_COMPLETED:
        vain->failures = 0;
        vain->too_large = 0;
        break;
    case FACT_MARK:
        vain->is_too_large = vain->is_too_large || fact->values[0] == MARK_STATE_TOO_LARGE;
        break;
    case FACT_RESTART_SCHEDULED: is_failure = true; break;
    case FACT_CHECKPOINT_ABORTED:
        /* If fewer are tolerable, the job fails of it, which counts. */
        is_failure = vain->ended >= vain->task_count &&
                     vain->scenario->job.checkpoint.tolerable_failures >= VAIN_FAILURES_MAX;
        buffer_reset(&vain->cause);
        buffer_append(&vain->cause, fact->text);
        break;
    case FACT_FAILURE_DETECTED:
        buffer_reset(&vain->cause);
        buffer_append(&vain->cause, fact->text);
        break;
    default: break;
    }
    if (is_failure) {
        bool counts = !any_is_left(vain, records);
        vain->failures = counts ? vain->failures + 1 : 0;
        vain->too_large = counts && vain->is_too_large ? vain->too_large + 1 : 0;
        vain->is_too_large = false;
        vain->failed_ns = event->time_ns;
    }
}

bool vain_is_hopeless(const struct vain *vain)
{
    bool is_same = vain->failures >= VAIN_FAILURES_MAX || vain->too_large >= VAIN_TOO_LARGE_MAX;
    return is_same && has_no_end(&vain->scenario->job.restart);
}

void vain_describe(const struct vain *vain, struct buffer *out)
{
    buffer_append_format(
        out,
        "the job failed %u times in a row, with no checkpoint completed in between "
        "and no fault left, and its restart strategy has no end: ",
        vain->failures);
    buffer_append(out, buffer_bytes(&vain->cause));
}
