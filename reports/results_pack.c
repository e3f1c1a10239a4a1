#include "reports/results_pack.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

/* One walk over the package serves both directions, so that they cannot disagree. */
struct walk {
    struct buffer *out; /* NULL: reading */
    struct decoder in;
    struct arena *arena; /* of what is read */
};

static void walk_u64(struct walk *walk, uint64_t *value)
{
    if (walk->out != NULL) {
        encode_u64(walk->out, *value);
    } else {
        *value = decode_u64(&walk->in);
    }
}

static void walk_u32(struct walk *walk, uint32_t *value)
{
    if (walk->out != NULL) {
        encode_u32(walk->out, *value);
    } else {
        *value = decode_u32(&walk->in);
    }
}

static void walk_text(struct walk *walk, const char **text)
{
    if (walk->out != NULL) {
        CHECK(*text != NULL);
        encode_bytes(walk->out, bytes_of_text(*text));
        return;
    }
    struct bytes bytes = decode_bytes(&walk->in);
    char *copy = arena_alloc(walk->arena, bytes.size + 1, 1);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    *text = copy;
}

/* The number of elements, and room for them when reading. An element has at least one byte, so a
 * count that is no count cannot ask for more memory than the input is worth. */
static void *walk_count(struct walk *walk, void *elements, size_t *count, size_t size_bytes)
{
    uint64_t number = *count;
    walk_u64(walk, &number);
    if (walk->out != NULL) {
        return elements;
    }
    if (walk->in.failed || number > walk->in.size - walk->in.position) {
        walk->in.failed = true;
        number = 0;
    }
    *count = (size_t)number;
    return arena_alloc(walk->arena, *count + 1, size_bytes);
}

static void walk_run(struct walk *walk, struct results_run *run)
{
    walk_text(walk, &run->name);
    walk_text(walk, &run->path);
    walk_u64(walk, &run->seed);
    walk_text(walk, &run->build);
    walk_text(walk, &run->verdict);
    uint32_t exit_code = (uint32_t)run->exit_code;
    walk_u32(walk, &exit_code);
    run->exit_code = (int)exit_code;
    walk_u64(walk, &run->trace_hash);
    walk_u64(walk, &run->records);
    walk_u32(walk, &run->tasks);
    walk_u32(walk, &run->parallelism);
    walk_u64(walk, &run->interval_ns);
    walk_u64(walk, &run->events);
    walk_u64(walk, &run->simulated_ns);
    walk_u64(walk, &run->wall_ns);
    walk_text(walk, &run->scenario_json);
}

static void walk_checkpoint(struct walk *walk, struct checkpoint_summary *checkpoint)
{
    walk_u64(walk, &checkpoint->id);
    walk_u64(walk, &checkpoint->attempt);
    uint32_t fate = (uint32_t)checkpoint->fate;
    walk_u32(walk, &fate);
    if (fate > CHECKPOINT_GIVEN_UP) {
        walk->in.failed = true;
        fate = CHECKPOINT_PENDING;
    }
    checkpoint->fate = (enum checkpoint_fate)fate;
    walk_text(walk, &checkpoint->reason);
    walk_u64(walk, &checkpoint->triggered_ns);
    walk_u64(walk, &checkpoint->all_acked_ns);
    walk_u64(walk, &checkpoint->ended_ns);
    walk_u64(walk, &checkpoint->bytes);
    walk_u32(walk, &checkpoint->acks);
}

static void walk_task(struct walk *walk, struct task_checkpoint_summary *task)
{
    walk_u64(walk, &task->checkpoint);
    walk_u32(walk, &task->vertex);
    walk_u32(walk, &task->subtask);
    walk_u64(walk, &task->start_delay_ns);
    walk_u64(walk, &task->alignment_ns);
    walk_u64(walk, &task->sync_ns);
    walk_u64(walk, &task->async_ns);
    walk_u64(walk, &task->store_wait_ns);
    walk_u64(walk, &task->bytes);
    walk_u64(walk, &task->written_bytes);
    walk_u64(walk, &task->acked_ns);
}

static void walk_recovery(struct walk *walk, struct recovery_summary *recovery)
{
    walk_u64(walk, &recovery->failed_ns);
    walk_text(walk, &recovery->cause);
    walk_u64(walk, &recovery->detected_ns);
    walk_u64(walk, &recovery->cancelled_ns);
    walk_u64(walk, &recovery->restored_from);
    walk_u64(walk, &recovery->chosen_ns);
    walk_u64(walk, &recovery->running_ns);
    walk_u64(walk, &recovery->caught_up_ns);
    walk_u64(walk, &recovery->records_replayed);
}

static void walk_progress(struct walk *walk, struct progress_point *point)
{
    walk_u64(walk, &point->time_ns);
    walk_u64(walk, &point->records);
    walk_u64(walk, &point->lag_ns);
}

static void walk_summary(struct walk *walk, struct summary *summary)
{
    walk_u64(walk, &summary->triggered);
    walk_u64(walk, &summary->completed);
    walk_u64(walk, &summary->failed);
    walk_u64(walk, &summary->records_skipped);
    walk_u64(walk, &summary->end_ns);
    walk_text(walk, &summary->failure);
    summary->checkpoints = walk_count(walk, summary->checkpoints, &summary->checkpoint_count,
                                      sizeof *summary->checkpoints);
    for (size_t i = 0; i < summary->checkpoint_count; i++) {
        walk_checkpoint(walk, &summary->checkpoints[i]);
    }
    summary->tasks = walk_count(walk, summary->tasks, &summary->task_count, sizeof *summary->tasks);
    for (size_t i = 0; i < summary->task_count; i++) {
        walk_task(walk, &summary->tasks[i]);
    }
    summary->recoveries = walk_count(walk, summary->recoveries, &summary->recovery_count,
                                     sizeof *summary->recoveries);
    for (size_t i = 0; i < summary->recovery_count; i++) {
        walk_recovery(walk, &summary->recoveries[i]);
    }
    summary->progress =
        walk_count(walk, summary->progress, &summary->progress_count, sizeof *summary->progress);
    for (size_t i = 0; i < summary->progress_count; i++) {
        walk_progress(walk, &summary->progress[i]);
    }
}

static void walk_faults(struct walk *walk, struct results_package *package)
{
    size_t count = package->fault_count;
    package->faults = walk_count(walk, package->faults, &count, sizeof *package->faults);
    package->fault_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct results_fault *fault = &package->faults[i];
        walk_text(walk, &fault->text);
        walk_text(walk, &fault->verb);
        walk_text(walk, &fault->object);
        walk_text(walk, &fault->trigger);
        walk_u64(walk, &fault->fired_ns);
        walk_u64(walk, &fault->ended_ns);
        walk_u32(walk, &fault->fired_count);
    }
}

static void walk_violations(struct walk *walk, struct results_package *package)
{
    size_t count = package->violation_count;
    package->violations =
        walk_count(walk, package->violations, &count, sizeof *package->violations);
    package->violation_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        walk_text(walk, &package->violations[i].property);
        walk_u64(walk, &package->violations[i].time_ns);
        walk_text(walk, &package->violations[i].message);
    }
}

static void walk_package(struct walk *walk, struct results_package *package)
{
    walk_run(walk, &package->run);
    walk_summary(walk, &package->summary);
    walk_faults(walk, package);
    walk_violations(walk, package);
}

void results_pack(const struct results_package *package, struct buffer *out)
{
    CHECK(out != NULL);
    CHECK(package->run.scenario_json != NULL);
    struct results_package copy = *package; /* writing changes nothing behind its pointers */
    walk_package(&(struct walk){ .out = out }, &copy);
}

enum status results_unpack(struct results_package *package, struct arena *arena,
                           struct bytes packed)
{
    CHECK(arena != NULL);
    *package = (struct results_package){ 0 };
    struct walk walk = { .arena = arena };
    decoder_init(&walk.in, packed);
    walk_package(&walk, package);
    return walk.in.failed ? STATUS_CORRUPT : decoder_finish(&walk.in);
}
