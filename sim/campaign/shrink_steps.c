/* A fault at a time says little; a fault at a step says what it does to the protocol. A run tells
 * which steps it came to, and which of them just before each fault that waits for a time. It tells
 * them through memory that the child shares with its parent: a run that crashes has told them, too.
 */
#include <sys/mman.h>

#include "model/base/check.h"
#include "sim/campaign/shrink_private.h"

enum { STEPS_BEFORE = 4, STEPS_MAX = 1 << 16, FIRINGS_MAX = 1024 };

/* What a child writes and, when it has ended, its parent reads. */
struct shared {
    uint32_t step_count;
    uint32_t firing_count;
    struct firing firings[FIRINGS_MAX];
    struct step steps[STEPS_MAX];
};

struct recorder {
    const struct scenario *scenario;
    struct bytes input;
    struct shared *shared;
    bool begun;
};

/* ---- in the child ---------------------------------------------------------------------------- */

static void note_step(void *context, const struct fact_event *event)
{
    struct recorder *recorder = context;
    const struct fact *fact = &event->fact;
    struct shared *shared = recorder->shared;
    if (fact->kind == FACT_MARK || fact->kind == FACT_SOURCE_PROGRESS ||
        fact->kind == FACT_RECORD_SKIPPED || shared->step_count == STEPS_MAX) {
        return;
    }
    bool of_task = fact->vertex != FACT_NO_TASK;
    shared->steps[shared->step_count++] =
        (struct step){ .kind = fact->kind,
                       .vertex = fact->vertex,
                       .subtask = of_task ? fact->subtask : FACT_NO_TASK,
                       .checkpoint = fact->checkpoint };
}

static void note_fired(void *context, const struct fault_record *record)
{
    struct recorder *recorder = context;
    struct shared *shared = recorder->shared;
    for (uint32_t i = 0; i < recorder->scenario->fault_count; i++) {
        if (&recorder->scenario->faults[i] == record->fault && shared->firing_count < FIRINGS_MAX) {
            shared->firings[shared->firing_count++] = (struct firing){
                .fault = i, .step_count = shared->step_count, .time_ns = record->fired_ns
            };
        }
    }
}

static void run_recorded(void *context, uint64_t job, struct buffer *result)
{
    struct recorder *recorder = context;
    CHECK(job == 0);
    CHECK(result->size == 0);
    struct arena arena;
    arena_init(&arena);
    struct run_options options = {
        .observer = { .on_fact = note_step, .on_fired = note_fired, .context = recorder }
    };
    struct run run;
    run_scenario(&run, &arena, recorder->scenario, recorder->input, &options);
    arena_drop(&arena);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static bool next_once(void *context, uint64_t *job)
{
    struct recorder *recorder = context;
    bool first = !recorder->begun;
    recorder->begun = true;
    *job = 0;
    return first;
}

static bool run_ended(void *context, const struct worker_end *end)
{
    (void)context;
    CHECK(end->job == 0);
    return false;
}

static struct recording copy_out(const struct shared *shared, struct arena *arena)
{
    CHECK(shared->step_count <= STEPS_MAX);
    CHECK(shared->firing_count <= FIRINGS_MAX);
    struct recording recording = { .step_count = shared->step_count,
                                   .firing_count = shared->firing_count };
    recording.steps = arena_alloc(arena, shared->step_count, sizeof *recording.steps);
    recording.firings = arena_alloc(arena, shared->firing_count, sizeof *recording.firings);
    for (uint32_t i = 0; i < shared->step_count; i++) {
        recording.steps[i] = shared->steps[i];
    }
    for (uint32_t i = 0; i < shared->firing_count; i++) {
        recording.firings[i] = shared->firings[i];
    }
    return recording;
}

struct recording shrink_record(struct shrinker *shrinker, const struct scenario *scenario)
{
    struct recording nothing = { 0 };
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return nothing;
    }
    struct recorder recorder = { .scenario = scenario, .input = shrinker->input, .shared = shared };
    struct worker_pool pool = { .processes = 1,
                                .job_seconds = SHRINK_RUN_SECONDS_MAX,
                                .next = next_once,
                                .run = run_recorded,
                                .ended = run_ended,
                                .context = &recorder };
    if (workers_run(&pool, &shrinker->result->interrupted) != STATUS_OK) {
        shrinker->failed = true;
    }
    struct recording recording = copy_out(shared, shrinker->arena);
    (void)munmap(shared, sizeof *shared);
    return recording;
}

static bool is_same_step(const struct step *a, const struct step *b)
{
    return a->kind == b->kind && a->vertex == b->vertex && a->subtask == b->subtask &&
           a->checkpoint == b->checkpoint;
}

struct fault_trigger shrink_step_trigger(const struct recording *recording, uint32_t index)
{
    CHECK(index < recording->step_count);
    const struct step *step = &recording->steps[index];
    uint32_t occurrence = 1;
    for (uint32_t i = 0; i < index; i++) {
        occurrence += is_same_step(&recording->steps[i], step) ? 1 : 0;
    }
    return (struct fault_trigger){ .kind = TRIGGER_WHEN,
                                   .fact = step->kind,
                                   .checkpoint = step->checkpoint,
                                   .vertex = step->vertex,
                                   .subtask = step->subtask,
                                   .occurrence = occurrence };
}

/* The last steps before a fault took effect, the nearest first. */
static void add_steps_before(struct shrinker *shrinker, const struct recording *recording,
                             const struct firing *firing)
{
    CHECK(firing->fault < shrinker->best.fault_count);
    if (shrinker->best.faults[firing->fault].trigger.kind != TRIGGER_AT) {
        return;
    }
    for (uint32_t back = 1; back <= STEPS_BEFORE && back <= firing->step_count; back++) {
        struct scenario *candidate = shrinker_add(shrinker);
        candidate->faults[firing->fault].trigger =
            shrink_step_trigger(recording, firing->step_count - back);
    }
}

bool shrink_times_to_steps(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < shrinker->best.fault_count && shrinker_goes_on(shrinker); i++) {
        struct recording recording = shrink_record(shrinker, &shrinker->best);
        shrinker_clear(shrinker);
        for (uint32_t k = 0; k < recording.firing_count; k++) {
            add_steps_before(shrinker, &recording, &recording.firings[k]);
        }
        if (!shrinker_try(shrinker, "a step instead of a time")) {
            break;
        }
        helped = true;
    }
    return helped;
}
