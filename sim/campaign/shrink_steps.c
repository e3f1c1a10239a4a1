/* A fault at a time says little; a fault at a step says what it does to the protocol. A run of the
 * best scenario so far tells which facts came just before each fault that waits for a time. */
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "sim/campaign/shrink_private.h"

enum { STEPS_BEFORE = 4, RUN_SECONDS_MAX = 60 };

/* What a trigger can say of a fact. */
struct step_seen {
    enum fact_kind kind;
    uint32_t vertex;
    uint32_t subtask;
    uint64_t checkpoint;
};

struct recorder {
    const struct scenario *scenario;
    struct arena arena;
    struct step_seen *steps;
    size_t step_count;
    size_t step_capacity;
    struct buffer *result;
};

static void note_step(void *context, const struct fact_event *event)
{
    struct recorder *recorder = context;
    const struct fact *fact = &event->fact;
    if (fact->kind == FACT_MARK || fact->kind == FACT_SOURCE_PROGRESS) {
        return;
    }
    recorder->steps = arena_grow(&recorder->arena, recorder->steps, &recorder->step_capacity,
                                 recorder->step_count + 1, sizeof *recorder->steps);
    recorder->steps[recorder->step_count++] = (struct step_seen){ .kind = fact->kind,
                                                                  .vertex = fact->vertex,
                                                                  .subtask = fact->subtask,
                                                                  .checkpoint = fact->checkpoint };
}

static bool is_same_step(const struct step_seen *a, const struct step_seen *b)
{
    return a->kind == b->kind && a->vertex == b->vertex && a->subtask == b->subtask &&
           a->checkpoint == b->checkpoint;
}

/* Which occurrence of its like the step number `index` is. */
static uint32_t occurrence_of(const struct recorder *recorder, size_t index)
{
    CHECK(index < recorder->step_count);
    uint32_t occurrence = 1;
    for (size_t i = 0; i < index; i++) {
        occurrence += is_same_step(&recorder->steps[i], &recorder->steps[index]) ? 1 : 0;
    }
    return occurrence;
}

/* The last steps before a fault at a time took effect, the nearest first. */
static void note_fired(void *context, const struct fault_record *record)
{
    struct recorder *recorder = context;
    if (record->fault->trigger.kind != TRIGGER_AT) {
        return;
    }
    uint32_t number = UINT32_MAX;
    for (uint32_t i = 0; i < recorder->scenario->fault_count; i++) {
        number = &recorder->scenario->faults[i] == record->fault ? i : number;
    }
    size_t count = recorder->step_count < STEPS_BEFORE ? recorder->step_count : STEPS_BEFORE;
    for (size_t back = 1; number != UINT32_MAX && back <= count; back++) {
        size_t index = recorder->step_count - back;
        const struct step_seen *step = &recorder->steps[index];
        encode_u32(recorder->result, number);
        encode_u32(recorder->result, (uint32_t)step->kind);
        encode_u32(recorder->result, step->vertex);
        encode_u32(recorder->result, step->subtask);
        encode_u64(recorder->result, step->checkpoint);
        encode_u32(recorder->result, occurrence_of(recorder, index));
    }
}

static bool next_once(void *context, uint64_t *job)
{
    struct shrinker *shrinker = context;
    *job = 0;
    bool first = shrinker->candidate_count == 0;
    shrinker->candidate_count = 1; /* until the steps are known the list is not in use */
    return first;
}

static void record_steps(void *context, uint64_t job, struct buffer *result)
{
    const struct shrinker *shrinker = context;
    CHECK(job == 0);
    struct recorder recorder = { .scenario = &shrinker->best, .result = result };
    arena_init(&recorder.arena);
    struct run_options options = {
        .observer = { .on_fact = note_step, .on_fired = note_fired, .context = &recorder }
    };
    struct run run;
    run_scenario(&run, &recorder.arena, &shrinker->best, shrinker->input, &options);
    arena_drop(&recorder.arena);
}

/* One candidate for each step that was recorded. */
static bool steps_recorded(void *context, const struct worker_end *end)
{
    struct shrinker *shrinker = context;
    struct decoder decoder;
    decoder_init(&decoder, end->result);
    shrinker_clear(shrinker);
    while (decoder.position < decoder.size) {
        uint32_t number = decode_u32(&decoder);
        struct fault_trigger trigger = { .kind = TRIGGER_WHEN };
        trigger.fact = (enum fact_kind)decode_u32(&decoder);
        trigger.vertex = decode_u32(&decoder);
        trigger.subtask = decode_u32(&decoder);
        trigger.checkpoint = decode_u64(&decoder);
        trigger.occurrence = decode_u32(&decoder);
        CHECK(!decoder.failed);
        struct scenario *candidate = shrinker_add(shrinker);
        CHECK(number < candidate->fault_count);
        candidate->faults[number].trigger = trigger;
    }
    return false;
}

bool shrink_times_to_steps(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < shrinker->best.fault_count && shrinker_goes_on(shrinker); i++) {
        shrinker_clear(shrinker);
        struct worker_pool pool = { .processes = 1,
                                    .job_seconds = RUN_SECONDS_MAX,
                                    .next = next_once,
                                    .run = record_steps,
                                    .ended = steps_recorded,
                                    .context = shrinker };
        /* A run that crashes tells no steps: then its times stay. */
        if (workers_run(&pool, &shrinker->result->interrupted) != STATUS_OK) {
            shrinker->failed = true;
        }
        if (!shrinker_try(shrinker, "a step instead of a time")) {
            break;
        }
        helped = true;
    }
    return helped;
}
