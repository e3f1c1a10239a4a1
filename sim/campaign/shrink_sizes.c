/* A smaller and plainer run: the same faults with fewer records, keys, subtasks and TaskManagers,
 * and with settings that everybody has. */
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/shrink_private.h"
#include "sim/scenario/scenario_short.h"

/* ---- an input file --------------------------------------------------------------------------- */

enum { LINE_PARTS_MAX = 64 };

static size_t line_count(struct bytes input)
{
    size_t count = 0;
    for (size_t i = 0; i < input.size; i++) {
        count += input.data[i] == '\n' ? 1 : 0;
    }
    return count + (input.size > 0 && input.data[input.size - 1] != '\n' ? 1 : 0);
}

/* As many records that are made, not read: then one file is the whole scenario. */
static bool generate_input(struct shrinker *shrinker)
{
    static const uint64_t keys[] = { 1, 10, 100, 1000 };
    uint64_t records = line_count(shrinker->input);
    shrinker_clear(shrinker);
    for (size_t i = 0; records > 0 && i < sizeof keys / sizeof *keys; i++) {
        struct scenario *candidate = shrinker_add_input(shrinker, (struct bytes){ 0 });
        struct scenario plain;
        scenario_init(&plain);
        struct input_config input = plain.job.input;
        input.records = records;
        input.keys = keys[i];
        input.seed = 1;
        input.rate_per_s = candidate->job.input.rate_per_s;
        input.skip_bad_records = candidate->job.input.skip_bad_records;
        candidate->job.input = input;
        candidate->input_path = plain.input_path;
        candidate->input_shape = plain.input_shape;
    }
    return shrinker_try(shrinker, "generated records instead of a file");
}

/* Where line number `line` begins; the end of the input behind the last one. */
static size_t line_start(struct bytes input, size_t line)
{
    size_t at = 0;
    for (; line > 0 && at < input.size; line--) {
        const uint8_t *end = memchr(input.data + at, '\n', input.size - at);
        at = end == NULL ? input.size : (size_t)(end - input.data) + 1;
    }
    return at;
}

static struct bytes without_lines(struct arena *arena, struct bytes input, size_t first,
                                  size_t count)
{
    size_t from = line_start(input, first);
    size_t to = line_start(input, first + count);
    CHECK(from <= to);
    struct bytes rest = { .size = input.size - (to - from) };
    uint8_t *data = arena_alloc(arena, rest.size, 1);
    if (rest.size > 0) {
        memcpy(data, input.data, from);
        memcpy(data + from, input.data + to, input.size - to);
    }
    rest.data = data;
    return rest;
}

/* Lines deleted as faults are: halves, quarters ..., from the end. */
static bool cut_lines(struct shrinker *shrinker)
{
    bool helped = false;
    size_t parts = 2;
    while (parts <= LINE_PARTS_MAX && shrinker_goes_on(shrinker)) {
        size_t count = line_count(shrinker->input);
        size_t chunk = count / parts;
        if (chunk == 0) {
            break;
        }
        shrinker_clear(shrinker);
        for (size_t i = parts; i > 0; i--) {
            size_t first = (i - 1) * chunk;
            size_t cut = i == parts ? count - first : chunk;
            (void)shrinker_add_input(shrinker,
                                     without_lines(shrinker->arena, shrinker->input, first, cut));
        }
        if (shrinker_try(shrinker, "lines of the input cut")) {
            helped = true;
        } else {
            parts *= 2;
        }
    }
    return helped;
}

bool shrink_input(struct shrinker *shrinker)
{
    if (shrinker->best.job.input.kind != INPUT_FILE) {
        return false;
    }
    return generate_input(shrinker) || cut_lines(shrinker);
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
    case QUANTITY_RECORDS: return job->input.kind != INPUT_FILE ? job->input.records : 0;
    case QUANTITY_KEYS: return generated ? job->input.keys : 0;
    }
    CHECK_UNREACHABLE("a quantity");
}

/* What names a subtask or a TaskManager that is gone names another. */
static void rename_lost(struct scenario *scenario)
{
    uint32_t parallelism = scenario_parallelism_max(scenario);
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
    uint32_t most = scenario_parallelism_max(scenario);
    uint32_t fewest = (most + job->task_managers - 1) / job->task_managers;
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

/* ---- all of it ------------------------------------------------------------------------------- */

bool shrink_quantities(struct shrinker *shrinker)
{
    bool helped = shrink_quantity(shrinker, QUANTITY_PARALLELISM, "fewer subtasks");
    helped = shrink_quantity(shrinker, QUANTITY_TASK_MANAGERS, "fewer TaskManagers") || helped;
    helped = shrink_quantity(shrinker, QUANTITY_RECORDS, "fewer records") || helped;
    return shrink_quantity(shrinker, QUANTITY_KEYS, "fewer keys") || helped;
}

bool shrink_settings(struct shrinker *shrinker)
{
    bool helped = reset_settings(shrinker);
    helped = round_settings(shrinker) || helped;
    return use_first_seed(shrinker) || helped;
}
