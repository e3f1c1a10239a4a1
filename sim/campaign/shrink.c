#include "sim/campaign/shrink.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/shrink_private.h"
#include "sim/scenario/scenario_short.h"

enum { RUN_SECONDS_MAX = 60, ROUNDS_MAX = 6 };

/* ---- candidates ------------------------------------------------------------------------------ */

/* Runs a scenario as it would be read back, in this process. */
static struct finding run_candidate(const struct scenario *candidate, struct bytes input,
                                    struct arena *arena)
{
    struct buffer json;
    buffer_init(&json, arena);
    scenario_write_short(candidate, &json);
    struct buffer error;
    buffer_init(&error, arena);
    struct scenario scenario;
    enum status status =
        scenario_parse(&scenario, arena, buffer_bytes(&json), "candidate", ".", NULL, &error);
    if (status != STATUS_OK) {
        return (struct finding){ .kind = FINDING_INVALID,
                                 .message = arena_format(arena, "%.*s", (int)error.size,
                                                         (const char *)error.data) };
    }
    struct run run;
    run_scenario(&run, arena, &scenario, input, &(struct run_options){ 0 });
    return finding_of_run(&run);
}

/* Candidates being tried in order; the lowest that fails in the same way is the answer. */
struct trial {
    const struct scenario *candidates;
    size_t count;
    size_t next;
    struct bytes input;
    const struct finding *wanted; /* NULL: any, of one candidate */
    struct arena *arena;
    struct finding finding; /* of the last that ended */
    size_t found;           /* `count`: none */
    uint64_t runs;
};

static bool next_candidate(void *context, uint64_t *job)
{
    struct trial *trial = context;
    if (trial->next == trial->count) {
        return false;
    }
    *job = trial->next++;
    return true;
}

static void run_in_child(void *context, uint64_t job, struct buffer *result)
{
    const struct trial *trial = context;
    CHECK(job < trial->count);
    struct arena arena;
    arena_init(&arena);
    struct finding finding = run_candidate(&trial->candidates[job], trial->input, &arena);
    finding_encode(&finding, result);
    arena_drop(&arena);
}

static bool candidate_ended(void *context, const struct worker_end *end)
{
    struct trial *trial = context;
    trial->runs++;
    if (end->crashed) {
        trial->finding = finding_of_crash(end, trial->arena);
    } else {
        struct decoder decoder;
        decoder_init(&decoder, end->result);
        trial->finding = finding_decode(&decoder, trial->arena);
    }
    bool same = trial->wanted == NULL || finding_same(&trial->finding, trial->wanted);
    if (same && end->job < trial->found) {
        trial->found = (size_t)end->job;
    }
    /* Jobs begin in order: what was begun before the answer runs to its end, and may win. */
    return trial->found == trial->count;
}

static enum status run_trial(struct trial *trial, uint32_t processes, bool *interrupted)
{
    trial->found = trial->count;
    struct worker_pool pool = { .processes = processes,
                                .job_seconds = RUN_SECONDS_MAX,
                                .next = next_candidate,
                                .run = run_in_child,
                                .ended = candidate_ended,
                                .context = trial };
    return workers_run(&pool, interrupted);
}

enum status run_apart(const struct scenario *scenario, struct bytes input, struct arena *arena,
                      struct finding *finding)
{
    struct trial trial = { .candidates = scenario, .count = 1, .input = input, .arena = arena };
    bool interrupted = false;
    enum status status = run_trial(&trial, 1, &interrupted);
    *finding = trial.finding;
    return status == STATUS_OK && trial.runs == 0 ? STATUS_IO : status;
}

void shrinker_clear(struct shrinker *shrinker)
{
    shrinker->candidate_count = 0;
}

struct scenario *shrinker_add(struct shrinker *shrinker)
{
    shrinker->candidates =
        arena_grow(shrinker->arena, shrinker->candidates, &shrinker->candidate_capacity,
                   shrinker->candidate_count + 1, sizeof *shrinker->candidates);
    struct scenario *candidate = &shrinker->candidates[shrinker->candidate_count++];
    *candidate = shrinker->best;
    uint32_t count = candidate->fault_count;
    candidate->faults = arena_alloc(shrinker->arena, count, sizeof *candidate->faults);
    for (uint32_t i = 0; i < count; i++) {
        candidate->faults[i] = shrinker->best.faults[i];
    }
    return candidate;
}

void shrinker_drop_last(struct shrinker *shrinker)
{
    CHECK(shrinker->candidate_count > 0);
    shrinker->candidate_count--;
}

bool shrinker_goes_on(const struct shrinker *shrinker)
{
    uint64_t time_ns = shrinker->options->time_ns;
    return !shrinker->failed && !shrinker->result->interrupted &&
           (time_ns == 0 || progress_elapsed_ns(&shrinker->progress) < time_ns);
}

bool shrinker_try(struct shrinker *shrinker, const char *what)
{
    if (shrinker->candidate_count == 0 || !shrinker_goes_on(shrinker)) {
        return false;
    }
    struct arena arena;
    arena_init(&arena);
    struct trial trial = { .candidates = shrinker->candidates,
                           .count = shrinker->candidate_count,
                           .input = shrinker->input,
                           .wanted = shrinker->finding,
                           .arena = &arena };
    enum status status =
        run_trial(&trial, shrinker->options->processes, &shrinker->result->interrupted);
    arena_drop(&arena);
    shrinker->failed = status != STATUS_OK;
    shrinker->result->runs += trial.runs;
    if (trial.found == trial.count) {
        return false;
    }
    shrinker->best = shrinker->candidates[trial.found];
    shrinker->result->accepted++;
    progress_say(&shrinker->progress, "%6llu runs: %s; %u faults, %llu records, parallelism %u",
                 (unsigned long long)shrinker->result->runs, what, shrinker->best.fault_count,
                 (unsigned long long)shrinker->best.job.input.records,
                 shrinker->best.job.parallelism);
    return true;
}

/* ---- faults: delta debugging ----------------------------------------------------------------- */

static void delete_faults(struct scenario *scenario, uint32_t from, uint32_t count)
{
    CHECK(from + count <= scenario->fault_count);
    uint32_t behind = scenario->fault_count - from - count;
    memmove(&scenario->faults[from], &scenario->faults[from + count],
            behind * sizeof *scenario->faults);
    scenario->fault_count -= count;
}

/* One fault alone is often enough: try each before anything else. */
static bool keep_one_fault(struct shrinker *shrinker)
{
    uint32_t count = shrinker->best.fault_count;
    if (count < 2) {
        return false;
    }
    shrinker_clear(shrinker);
    for (uint32_t i = 0; i < count; i++) {
        struct scenario *candidate = shrinker_add(shrinker);
        candidate->faults[0] = candidate->faults[i];
        candidate->fault_count = 1;
    }
    return shrinker_try(shrinker, "one fault is enough");
}

static bool shrink_faults(struct shrinker *shrinker)
{
    bool helped = keep_one_fault(shrinker);
    uint32_t chunk = shrinker->best.fault_count;
    while (chunk > 0 && shrinker_goes_on(shrinker)) {
        shrinker_clear(shrinker);
        for (uint32_t at = 0; at < shrinker->best.fault_count; at += chunk) {
            struct scenario *candidate = shrinker_add(shrinker);
            uint32_t left = candidate->fault_count - at;
            delete_faults(candidate, at, left < chunk ? left : chunk);
        }
        if (shrinker_try(shrinker, "faults deleted")) {
            helped = true;
            if (chunk > shrinker->best.fault_count) {
                chunk = shrinker->best.fault_count;
            }
        } else {
            chunk /= 2;
        }
    }
    return helped;
}

/* ---- numbers of things ----------------------------------------------------------------------- */

enum quantity { QUANTITY_PARALLELISM, QUANTITY_TASK_MANAGERS, QUANTITY_RECORDS, QUANTITY_KEYS };

static uint64_t quantity_get(const struct scenario *scenario, enum quantity quantity)
{
    const struct job_config *job = &scenario->job;
    bool generated = job->input.kind == INPUT_GENERATOR;
    switch (quantity) {
    case QUANTITY_PARALLELISM: return job->parallelism;
    case QUANTITY_TASK_MANAGERS: return job->task_managers;
    case QUANTITY_RECORDS: return generated ? job->input.records : 0;
    case QUANTITY_KEYS: return generated ? job->input.keys : 0;
    }
    CHECK_UNREACHABLE("a quantity");
}

/* What names a subtask or a TaskManager that is gone names another. */
static void rename_lost(struct scenario *scenario)
{
    uint32_t parallelism = scenario->job.parallelism;
    uint32_t task_managers = scenario->job.task_managers;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        struct fault *fault = &scenario->faults[i];
        if (fault->object.kind == OBJECT_TASK) {
            fault->object.index %= parallelism;
        } else if (fault->object.kind == OBJECT_TASK_MANAGER) {
            fault->object.index %= task_managers;
        }
        if (fault->trigger.kind == TRIGGER_WHEN && fault->trigger.subtask != FACT_NO_TASK) {
            fault->trigger.subtask %= parallelism;
        }
    }
}

static void quantity_set(struct scenario *scenario, enum quantity quantity, uint64_t value)
{
    CHECK(value > 0);
    struct job_config *job = &scenario->job;
    switch (quantity) {
    case QUANTITY_PARALLELISM: job->parallelism = (uint32_t)value; break;
    case QUANTITY_TASK_MANAGERS: job->task_managers = (uint32_t)value; break;
    case QUANTITY_RECORDS: job->input.records = value; return;
    case QUANTITY_KEYS:
        job->input.keys = value;
        job->input.generator = NULL; /* it was made for more */
        return;
    }
    uint32_t fewest = (job->parallelism + job->task_managers - 1) / job->task_managers;
    if (job->slots < fewest) {
        job->slots = fewest;
    }
    rename_lost(scenario);
}

static bool shrink_quantity(struct shrinker *shrinker, enum quantity quantity, const char *what)
{
    bool helped = false;
    do {
        uint64_t value = quantity_get(&shrinker->best, quantity);
        uint64_t smaller[] = { 1,         value / 32,        value / 8,          value / 4,
                               value / 2, value - value / 4, value - value / 16, value - 1 };
        shrinker_clear(shrinker);
        uint64_t last = 0;
        for (size_t i = 0; i < sizeof smaller / sizeof smaller[0]; i++) {
            uint64_t rounded = smaller[i] == 0 ? 0 : round_to_digits(smaller[i], 2);
            if (value > 1 && rounded > last && rounded < value) {
                quantity_set(shrinker_add(shrinker), quantity, rounded);
                last = rounded;
            }
        }
        if (!shrinker_try(shrinker, what)) {
            return helped;
        }
        helped = true;
    } while (true);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* All at once, then one by one. */
static bool reset_settings(struct shrinker *shrinker)
{
    uint32_t count = scenario_setting_count();
    shrinker_clear(shrinker);
    struct scenario *all = shrinker_add(shrinker);
    bool differs = false;
    for (uint32_t i = 0; i < count; i++) {
        differs = scenario_setting_reset(all, shrinker->arena, i) || differs;
    }
    if (!differs) {
        return false;
    }
    if (shrinker_try(shrinker, "every setting at its default")) {
        return true;
    }
    bool helped = false;
    for (uint32_t i = 0; i < count; i++) {
        shrinker_clear(shrinker);
        if (scenario_setting_reset(shrinker_add(shrinker), shrinker->arena, i)) {
            helped = shrinker_try(shrinker, "a setting at its default") || helped;
        }
    }
    return helped;
}

static bool round_settings(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < scenario_setting_count(); i++) {
        shrinker_clear(shrinker);
        for (uint32_t digits = 1; digits <= 2; digits++) {
            if (!scenario_setting_round(shrinker_add(shrinker), shrinker->arena, i, digits)) {
                shrinker_drop_last(shrinker);
            }
        }
        helped = shrinker_try(shrinker, "a rounder setting") || helped;
    }
    return helped;
}

static bool use_first_seed(struct shrinker *shrinker)
{
    if (shrinker->best.seed == 1) {
        return false;
    }
    shrinker_clear(shrinker);
    shrinker_add(shrinker)->seed = 1;
    return shrinker_try(shrinker, "seed 1");
}

/* ---- times ----------------------------------------------------------------------------------- */

enum fault_time { TIME_AT, TIME_AFTER, TIME_FOR, TIME_BY, FAULT_TIME_COUNT };

static uint64_t *fault_time(struct fault *fault, enum fault_time which)
{
    switch (which) {
    case TIME_AT: return &fault->trigger.at_ns;
    case TIME_AFTER: return &fault->trigger.after_ns;
    case TIME_FOR: return &fault->for_ns;
    case TIME_BY: return &fault->by_ns;
    case FAULT_TIME_COUNT: break;
    }
    CHECK_UNREACHABLE("a time of a fault");
}

static bool round_fault_times(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < shrinker->best.fault_count; i++) {
        for (int which = 0; which < FAULT_TIME_COUNT; which++) {
            shrinker_clear(shrinker);
            uint64_t value = *fault_time(&shrinker->best.faults[i], (enum fault_time)which);
            for (uint32_t digits = 1; value > 0 && digits <= 3; digits++) {
                uint64_t rounded = round_to_digits(value, digits);
                if (rounded < value) {
                    struct scenario *candidate = shrinker_add(shrinker);
                    *fault_time(&candidate->faults[i], (enum fault_time)which) = rounded;
                }
            }
            helped = shrinker_try(shrinker, "a rounder time") || helped;
        }
    }
    return helped;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool shrink_round(struct shrinker *shrinker)
{
    bool helped = shrink_faults(shrinker);
    helped = shrink_quantity(shrinker, QUANTITY_PARALLELISM, "fewer subtasks") || helped;
    helped = shrink_quantity(shrinker, QUANTITY_TASK_MANAGERS, "fewer TaskManagers") || helped;
    helped = shrink_quantity(shrinker, QUANTITY_RECORDS, "fewer records") || helped;
    helped = shrink_quantity(shrinker, QUANTITY_KEYS, "fewer keys") || helped;
    helped = reset_settings(shrinker) || helped;
    helped = shrink_times_to_steps(shrinker) || helped;
    helped = round_fault_times(shrinker) || helped;
    helped = round_settings(shrinker) || helped;
    return use_first_seed(shrinker) || helped;
}

enum status shrink(struct scenario *small, struct arena *arena, const struct scenario *scenario,
                   struct bytes input, const struct finding *finding,
                   const struct shrink_options *options, struct shrink_result *result,
                   struct buffer *error)
{
    CHECK(finding->kind != FINDING_NONE);
    *result = (struct shrink_result){ 0 };
    struct finding again;
    enum status status = run_apart(scenario, input, arena, &again);
    if (status == STATUS_OK && !finding_same(&again, finding)) {
        buffer_append_text(error, "it does not fail in the same way when it is read back: ");
        finding_describe(&again, error);
        return STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        buffer_append_text(error, "no process can be made");
        return status;
    }
    struct shrinker shrinker = { .arena = arena,
                                 .best = *scenario,
                                 .input = input,
                                 .finding = finding,
                                 .options = options,
                                 .result = result };
    progress_init(&shrinker.progress, options->report);
    for (int round = 0; round < ROUNDS_MAX && shrinker_goes_on(&shrinker); round++) {
        if (!shrink_round(&shrinker)) {
            break;
        }
    }
    *small = shrinker.best;
    return STATUS_OK;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static const char *default_out(struct arena *arena, const char *path)
{
    size_t size = strlen(path);
    size_t ending = strlen(".json");
    if (size > ending && strcmp(path + size - ending, ".json") == 0) {
        size -= ending;
    }
    return arena_format(arena, "%.*s-small.json", (int)size, path);
}

static enum verdict shrink_read(const struct shrink_file_options *options, struct arena *arena,
                                const struct scenario *scenario, struct bytes input,
                                struct buffer *error)
{
    struct finding finding;
    enum status status = run_apart(scenario, input, arena, &finding);
    if (status == STATUS_OK && finding.kind == FINDING_NONE) {
        buffer_append_format(error, "%s: does not fail: there is nothing to shrink",
                             options->scenario);
        return VERDICT_BAD_USAGE;
    }
    struct scenario small;
    struct shrink_result result;
    if (status == STATUS_OK) {
        status = shrink(&small, arena, scenario, input, &finding, &options->shrink, &result, error);
    }
    if (status != STATUS_OK) {
        return VERDICT_SURROUNDINGS;
    }
    struct buffer json;
    buffer_init(&json, arena);
    scenario_write_short(&small, &json);
    const char *out = options->out != NULL ? options->out : default_out(arena, options->scenario);
    status = output_path_write(arena, out, buffer_bytes(&json), error);
    if (status == STATUS_OK && options->shrink.report != NULL) {
        (void)fprintf(options->shrink.report, "%llu runs, %u of %u faults left: %s run %s\n",
                      (unsigned long long)result.runs, small.fault_count, scenario->fault_count,
                      options->program, out);
    }
    return status == STATUS_OK ? VERDICT_PASS : VERDICT_SURROUNDINGS;
}

enum verdict shrink_file(const struct shrink_file_options *options, struct buffer *error)
{
    struct arena arena;
    arena_init(&arena);
    struct scenario scenario;
    struct bytes input;
    enum status status =
        scenario_read(&scenario, &arena, options->scenario, &options->overrides, error);
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, &arena, &input, error);
    }
    enum verdict verdict;
    if (status == STATUS_OK) {
        verdict = shrink_read(options, &arena, &scenario, input, error);
    } else {
        verdict = status == STATUS_INVALID ? VERDICT_BAD_USAGE : VERDICT_SURROUNDINGS;
    }
    arena_drop(&arena);
    return verdict;
}
