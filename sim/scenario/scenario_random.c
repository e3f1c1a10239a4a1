#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_faults.h"

enum {
    CHECKPOINT_MAX = 5,          /* a step is waited for in one of the first checkpoints ... */
    CHECKPOINT_ANY_PPM = 300000, /* ... or, with this probability, in whichever comes */
    RESTART_MAX = 3,             /* steps of a restart are waited for that often */
};

/* Where "random" says nothing. */
static const char *const default_objects[] = { "any task_manager", "job_manager",
                                               "machine of any task_manager",
                                               "machine of job_manager" };
static const enum fact_kind default_steps[] = {
    FACT_CHECKPOINT_TRIGGERED, FACT_BARRIER_RECEIVED, FACT_SNAPSHOT_TAKEN,  FACT_TASK_ACKED,
    FACT_CHECKPOINT_ALL_ACKED, FACT_MANIFEST_WRITTEN, FACT_MANIFEST_SYNCED, FACT_MANIFEST_RENAMED,
    FACT_CHECKPOINT_COMPLETED, FACT_TASK_NOTIFIED,    FACT_SINK_COMMITTED,  FACT_RESTORE_CHOSEN,
    FACT_TASK_RESTORED,        FACT_JOB_RUNNING,
};
enum {
    DEFAULT_OBJECT_COUNT = sizeof default_objects / sizeof default_objects[0],
    DEFAULT_STEP_COUNT = sizeof default_steps / sizeof default_steps[0],
};

struct random_reader {
    struct reader *reader;
    struct random_options options;
    enum fault_verb *verbs;
    size_t verb_count;
    const char **objects; /* texts: "any" is drawn again for each fault */
    size_t object_count;
    enum fact_kind *steps;
    size_t step_count;
};

static struct random_options default_options(void)
{
    return (struct random_options){
        .fault_count = 1,
        .during_ns = UINT64_C(10000000000),
        .step_share_ppm = 700000,
        .for_min_ns = 100000000,
        .for_max_ns = UINT64_C(3000000000),
        .by_min_ns = 1000000,
        .by_max_ns = 100000000,
    };
}

static const char *element_path(struct reader *reader, const char *key, size_t index)
{
    return arena_format(reader->arena, "random.%s[%zu]", key, index);
}

/* Can a fault be drawn with nothing but an object, "for" and "by"? */
static bool can_be_drawn(enum fault_verb verb)
{
    switch (verb) {
    case FAULT_CLOCK:
    case FAULT_PARTITION:
    case FAULT_SWIZZLE:
    case FAULT_HOT_KEY:
    case FAULT_POISON: return false;
    default: return (verb_required(verb) & ~(uint32_t)PARAMETER_BY) == 0;
    }
}

static bool read_verbs(struct random_reader *random)
{
    CHECK(random->verbs == NULL);
    struct reader *reader = random->reader;
    const json_t *list = reader_find(reader, "random.do");
    random->verb_count = list == NULL ? 1 : json_array_size(list);
    random->verbs = arena_alloc(reader->arena, random->verb_count, sizeof *random->verbs);
    if (list == NULL) {
        random->verbs[0] = FAULT_CRASH;
        return true;
    }
    for (size_t i = 0; i < random->verb_count; i++) {
        if (!read_verb(reader, element_path(reader, "do", i), json_array_get(list, i),
                       &random->verbs[i])) {
            return false;
        }
        if (!can_be_drawn(random->verbs[i])) {
            return reader_fail(reader, element_path(reader, "do", i),
                               "\"%s\" has parameters that \"random\" does not draw",
                               fault_verb_name(random->verbs[i]));
        }
    }
    return random->verb_count > 0 || reader_fail(reader, "random.do", "must not be empty");
}

/* Without a list, every link counts as well if something is to be delayed. */
static void take_default_objects(struct random_reader *random)
{
    CHECK(random->object_count == 0);
    struct reader *reader = random->reader;
    const struct pipeline *pipeline = &reader->pipeline;
    random->objects =
        arena_alloc(reader->arena, DEFAULT_OBJECT_COUNT + pipeline_edge_count(pipeline),
                    sizeof *random->objects);
    for (size_t i = 0; i < DEFAULT_OBJECT_COUNT; i++) {
        random->objects[random->object_count++] = default_objects[i];
    }
    for (uint32_t to = 0; to < pipeline->vertex_count; to++) {
        for (uint32_t from = 0; from < to; from++) {
            if (pipeline_edge(pipeline, from, to) >= 0) {
                random->objects[random->object_count++] =
                    arena_format(reader->arena, "link %s->%s", pipeline->vertices[from].name,
                                 pipeline->vertices[to].name);
            }
        }
    }
}

static bool read_objects(struct random_reader *random)
{
    CHECK(random->objects == NULL);
    struct reader *reader = random->reader;
    const json_t *list = reader_find(reader, "random.on");
    if (list == NULL) {
        take_default_objects(random);
        return true;
    }
    random->object_count = json_array_size(list);
    random->objects = arena_alloc(reader->arena, random->object_count, sizeof *random->objects);
    for (size_t i = 0; i < random->object_count; i++) {
        const char *path = element_path(reader, "on", i);
        struct prng prng = reader_stream(reader, path);
        struct fault_object object;
        if (!read_text(reader, path, json_array_get(list, i), &random->objects[i]) ||
            !parse_fault_object(reader, path, random->objects[i], &prng, &object)) {
            return false;
        }
    }
    return random->object_count > 0 || reader_fail(reader, "random.on", "must not be empty");
}

static bool read_steps(struct random_reader *random)
{
    CHECK(random->steps == NULL);
    struct reader *reader = random->reader;
    const json_t *list = reader_find(reader, "random.steps");
    random->step_count = list == NULL ? DEFAULT_STEP_COUNT : json_array_size(list);
    random->steps = arena_alloc(reader->arena, random->step_count, sizeof *random->steps);
    for (size_t i = 0; i < random->step_count; i++) {
        if (list == NULL) {
            random->steps[i] = default_steps[i];
            continue;
        }
        const char *path = element_path(reader, "steps", i);
        const char *name = NULL;
        if (!read_text(reader, path, json_array_get(list, i), &name) ||
            !parse_fact(reader, path, name, &random->steps[i])) {
            return false;
        }
    }
    return true;
}

/* The n-th of the objects that fit the verb, for n below their number, which is the answer. The
 * object's "any" is drawn from `prng`. */
static uint64_t pick_object(const struct random_reader *random, enum fault_verb verb, uint64_t n,
                            struct prng *prng, struct fault_object *picked)
{
    uint64_t fit_count = 0;
    for (size_t i = 0; i < random->object_count; i++) {
        struct prng unused = *prng;
        struct fault_object object;
        bool ok =
            parse_fault_object(random->reader, "random.on", random->objects[i], &unused, &object);
        CHECK(ok); /* each was parsed before */
        if (!verb_fits(verb, &object)) {
            continue;
        }
        if (fit_count == n) {
            *picked = object;
        }
        fit_count++;
    }
    return fit_count;
}

static bool check_fits(struct random_reader *random)
{
    CHECK(random->object_count > 0);
    for (size_t i = 0; i < random->verb_count; i++) {
        struct prng prng = { 0 };
        struct fault_object object;
        enum fault_verb verb = random->verbs[i];
        if (pick_object(random, verb, 0, &prng, &object) == 0) {
            return reader_fail(random->reader, "random.on", "\"%s\" needs %s, and there is none",
                               fault_verb_name(verb), verb_needs(verb));
        }
    }
    return true;
}

static bool is_of_checkpoint(enum fact_kind fact)
{
    CHECK((unsigned)fact < FACT_KIND_COUNT);
    switch (fact) {
    case FACT_CHECKPOINT_TRIGGERED:
    case FACT_BARRIER_EMITTED:
    case FACT_BARRIER_RECEIVED:
    case FACT_TASK_ALIGNED:
    case FACT_SNAPSHOT_TAKEN:
    case FACT_SNAPSHOT_WRITTEN:
    case FACT_TASK_ACKED:
    case FACT_ACK_RECEIVED:
    case FACT_CHECKPOINT_ALL_ACKED:
    case FACT_MANIFEST_WRITTEN:
    case FACT_MANIFEST_SYNCED:
    case FACT_MANIFEST_RENAMED:
    case FACT_CHECKPOINT_COMPLETED:
    case FACT_TASK_NOTIFIED: return true;
    default: return false;
    }
}

/* The occurrence is drawn from as many as there are if all goes well: each subtask reports once a
 * checkpoint, the job once. */
static struct fault_trigger draw_step(const struct random_reader *random, struct prng *prng)
{
    CHECK(random->step_count > 0);
    const struct reader *reader = random->reader;
    enum fact_kind fact = random->steps[prng_below(prng, random->step_count)];
    uint64_t subtasks = (uint64_t)reader->pipeline.vertex_count * reader->scenario->job.parallelism;
    uint64_t occurrences = fact_is_of_job(fact) ? 1 : subtasks;
    uint64_t checkpoint = 0;
    CHECK(occurrences >= 1);
    if (!is_of_checkpoint(fact)) {
        occurrences *= RESTART_MAX;
    } else if (prng_chance(prng, CHECKPOINT_ANY_PPM)) {
        occurrences *= CHECKPOINT_MAX;
    } else {
        checkpoint = prng_between(prng, 1, CHECKPOINT_MAX);
    }
    return (struct fault_trigger){
        .kind = TRIGGER_WHEN,
        .fact = fact,
        .checkpoint = checkpoint,
        .vertex = FACT_NO_TASK,
        .subtask = FACT_NO_TASK,
        .occurrence = (uint32_t)prng_between(prng, 1, occurrences),
    };
}

/* In whole microseconds behind `low_ns` if the range has many: run.json is read by people. */
static uint64_t draw_duration(struct prng *prng, uint64_t low_ns, uint64_t high_ns)
{
    CHECK(low_ns <= high_ns);
    uint64_t step_ns = high_ns - low_ns >= 1000000 ? 1000 : 1;
    return low_ns + step_ns * prng_below(prng, (high_ns - low_ns) / step_ns + 1);
}

static struct fault draw_fault(const struct random_reader *random, struct prng *prng)
{
    CHECK(random->verb_count > 0);
    const struct random_options *options = &random->options;
    struct fault fault = { .verb = random->verbs[prng_below(prng, random->verb_count)] };
    uint64_t fit_count = pick_object(random, fault.verb, UINT64_MAX, prng, &fault.object);
    CHECK(fit_count > 0);
    uint64_t n = prng_below(prng, fit_count);
    struct prng any = { .state = prng_next(prng) };
    (void)pick_object(random, fault.verb, n, &any, &fault.object);
    if (random->step_count > 0 && prng_chance(prng, options->step_share_ppm)) {
        fault.trigger = draw_step(random, prng);
    } else {
        fault.trigger =
            (struct fault_trigger){ .kind = TRIGGER_AT,
                                    .at_ns = draw_duration(prng, 0, options->during_ns - 1) };
    }
    if (verb_length(fault.verb) != LENGTH_NONE) {
        fault.for_ns = draw_duration(prng, options->for_min_ns, options->for_max_ns);
    }
    if ((verb_required(fault.verb) & PARAMETER_BY) != 0) {
        fault.by_ns = draw_duration(prng, options->by_min_ns, options->by_max_ns);
    }
    if (fault.verb == FAULT_CRASH && fault.object.machine) {
        static const enum disk_survival explicit_ones[] = { DISK_KEEP, DISK_LOSE, DISK_TEAR };
        fault.unsynced = explicit_ones[prng_below(prng, 3)];
    }
    fault.calls = (verb_parameters(fault.verb) & PARAMETER_CALLS) != 0 ? HOST_STORAGE_ANY : 0;
    CHECK(verb_fits(fault.verb, &fault.object));
    CHECK(!verb_lasts(fault.verb) || fault.for_ns > 0);
    return fault;
}

bool draw_random_faults(struct reader *reader)
{
    CHECK(!reader->failed);
    CHECK(reader->scenario->fault_count == 0);
    struct random_reader random = { .reader = reader, .options = default_options() };
    if (!fields_read(reader, BASE_RANDOM, &random.options) || !read_verbs(&random) ||
        !read_objects(&random) || !read_steps(&random) || !check_fits(&random)) {
        return false;
    }
    struct scenario *scenario = reader->scenario;
    scenario->fault_count = (uint32_t)random.options.fault_count;
    scenario->faults = arena_alloc(reader->arena, scenario->fault_count, sizeof(struct fault));
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        /* A stream for each, so that one fault more leaves those before it as they were. */
        struct prng prng = reader_stream(reader, arena_format(reader->arena, "random[%u]", i));
        scenario->faults[i] = draw_fault(&random, &prng);
    }
    return true;
}
