#include <string.h>

#include "model/base/check.h"
#include "sim/command/predict_run_private.h"

struct probe {
    uint64_t end_of_data_ns; /* when the first subtask had its whole input; 0: none yet */
    uint64_t output_bytes;   /* committed */
};

static void on_probe_fact(void *context, const struct fact_event *event)
{
    struct probe *probe = context;
    if (event->fact.kind == FACT_TASK_END_OF_DATA && probe->end_of_data_ns == 0) {
        probe->end_of_data_ns = event->time_ns;
    }
    if (event->fact.kind == FACT_SINK_COMMITTED) {
        probe->output_bytes += event->fact.values[0];
    }
}

static bool is_steady(const struct checkpoint_summary *checkpoint, const struct probe *probe)
{
    return checkpoint->fate == CHECKPOINT_DONE &&
           (probe->end_of_data_ns == 0 || checkpoint->ended_ns < probe->end_of_data_ns);
}

/* The steady checkpoints that are used, in the order of their ids. */
static size_t choose_checkpoints(const struct summary *summary, const struct probe *probe,
                                 const struct checkpoint_summary **chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        if (is_steady(&summary->checkpoints[i], probe)) {
            chosen[count++] = &summary->checkpoints[i];
        }
    }
    size_t skipped = count / 2;
    memmove(chosen, chosen + skipped, (count - skipped) * sizeof *chosen);
    return count - skipped;
}

/* The place of checkpoint `id` in `chosen`, or `count`. */
static size_t find_chosen(const struct checkpoint_summary *const *chosen, size_t count, uint64_t id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chosen[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && chosen[low]->id == id ? low : count;
}

/* The largest of any subtask in each checkpoint, in the mean. */
static void add_task_rows(struct checkpoint_means *means, const struct summary *summary,
                          const struct checkpoint_summary *const *chosen, size_t count)
{
    CHECK(count > 0);
    uint64_t *stop_ns = arena_alloc(summary->arena, count, sizeof *stop_ns);
    uint64_t *bytes = arena_alloc(summary->arena, count, sizeof *bytes);
    for (size_t i = 0; i < summary->task_count; i++) {
        const struct task_checkpoint_summary *task = &summary->tasks[i];
        size_t at = find_chosen(chosen, count, task->checkpoint);
        if (at < count) {
            uint64_t task_stop_ns = task->alignment_ns + task->sync_ns;
            stop_ns[at] = task_stop_ns > stop_ns[at] ? task_stop_ns : stop_ns[at];
            bytes[at] = task->bytes > bytes[at] ? task->bytes : bytes[at];
        }
    }
    for (size_t i = 0; i < count; i++) {
        means->stop_s += seconds(stop_ns[i]) / (double)count;
        means->task_bytes_max += (double)bytes[i] / (double)count;
    }
}

static struct checkpoint_means measure_checkpoints(const struct run *run, const struct probe *probe)
{
    const struct summary *summary = &run->summary;
    struct checkpoint_means means = { 0 };
    const struct checkpoint_summary **chosen =
        arena_alloc(run->arena, summary->checkpoint_count + 1, sizeof *chosen);
    size_t count = choose_checkpoints(summary, probe, chosen);
    means.count = count;
    if (count == 0) { /* the final checkpoint completed at least */
        for (size_t i = 0; i < summary->checkpoint_count; i++) {
            if (summary->checkpoints[i].fate == CHECKPOINT_DONE) {
                means.bytes = (double)summary->checkpoints[i].bytes;
            }
        }
        means.task_bytes_max = means.bytes / run->scenario->job.parallelism;
        return means;
    }
    for (size_t i = 0; i < count; i++) {
        means.bytes += (double)chosen[i]->bytes / (double)count;
        means.duration_s += seconds(chosen[i]->ended_ns - chosen[i]->triggered_ns) / (double)count;
    }
    if (count > 1) {
        uint64_t between_ns = chosen[count - 1]->triggered_ns - chosen[0]->triggered_ns;
        uint64_t steps = chosen[count - 1]->id - chosen[0]->id;
        means.period_s = seconds(between_ns) / (double)steps;
    }
    add_task_rows(&means, summary, chosen, count);
    return means;
}

enum status predict_measure(struct prediction *prediction, struct run *run, struct arena *arena,
                            struct bytes input, struct checkpoint_means *means,
                            struct buffer *error)
{
    struct scenario calm = *prediction->scenario;
    calm.faults = NULL;
    calm.fault_count = 0;
    calm.expect.result = EXPECT_SAME;
    struct probe probe = { 0 };
    struct run_options options = { .observer = { .on_fact = on_probe_fact, .context = &probe } };
    run_scenario(run, arena, &calm, input, &options);
    if (run->outcome != OUTCOME_FINISHED) {
        buffer_append_format(error,
                             "%s: cannot be predicted: without faults the job does not "
                             "finish%s%s",
                             calm.path, run->summary.failure[0] != '\0' ? ": " : "",
                             run->summary.failure);
        return STATUS_INVALID;
    }
    *means = measure_checkpoints(run, &probe);
    if (run->totals.records > 0) {
        means->output_bytes = (double)probe.output_bytes / (double)run->totals.records;
    }
    prediction->probe_ns = run->simulated_ns;
    prediction->checkpoint_count = means->count;
    return STATUS_OK;
}
