#include "sim/scenario/scenario_short.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_json.h"

/* The keys from which the defaults of others follow, and without which some faults are refused. */
static const char *const kernel_paths[] = {
    "seed",
    "job.name",
    "job.library",
    "job.parallelism",
    "job.input.file",
    "job.input.sqlite",
    "job.input.query",
    "job.input.rate",
    "job.input.nexmark.events",
    "job.bad_records",
    "restart.strategy",
    "cluster.task_managers",
};

/* What no default is ever taken for: names say what the file is, and events what the input is. */
static const char *const own_paths[] = {
    "name",
    "about",
    "job.name",
    "job.library",
    "job.input.file",
    "job.input.label",
    "job.input.column",
    "job.input.sqlite",
    "job.input.query",
    "job.input.nexmark.events",
};

static bool is_among(const char *path, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(path, paths[i]) == 0) {
            return true;
        }
    }
    return false;
}

#define IS_AMONG(path, paths) is_among(path, paths, sizeof(paths) / sizeof(paths)[0])

static bool keep_kernel(const void *context, uint32_t index)
{
    CHECK(context == NULL);
    return IS_AMONG(scenario_fields[index].path, kernel_paths);
}

static enum status parse_kernel(const struct scenario *scenario, struct arena *arena,
                                struct scenario *kernel)
{
    struct buffer json;
    buffer_init(&json, arena);
    scenario_write_if(scenario, keep_kernel, NULL, &json);
    struct buffer error;
    buffer_init(&error, arena);
    return scenario_parse(kernel, arena, buffer_bytes(&json), "defaults", ".", NULL, &error);
}

/* What every key would be if it were missing from `scenario`, in which the kernel stays. The keys
 * of the kernel have the values of a scenario that says nothing. */
static struct scenario defaults_of(const struct scenario *scenario, struct arena *arena)
{
    struct scenario defaults;
    if (parse_kernel(scenario, arena, &defaults) != STATUS_OK) {
        /* A fault names what is not there: without the faults the kernel can always be read. */
        struct scenario without = *scenario;
        without.fault_count = 0;
        enum status status = parse_kernel(&without, arena, &defaults);
        CHECK(status == STATUS_OK);
    }
    struct scenario plain;
    scenario_init(&plain);
    defaults.seed = plain.seed;
    defaults.job.parallelism = plain.job.parallelism;
    defaults.job.input.rate_per_s = plain.job.input.rate_per_s;
    defaults.job.input.skip_bad_records = plain.job.input.skip_bad_records;
    defaults.job.restart.strategy = plain.job.restart.strategy;
    defaults.job.task_managers = plain.job.task_managers;
    return defaults;
}

static bool has_value(const struct field *field)
{
    return field->base == BASE_SCENARIO && field->kind != FIELD_ARRAY &&
           field->kind != FIELD_OBJECT && field->kind != FIELD_ELSEWHERE;
}

/* How many bytes of a scenario are the field's value. */
static size_t value_size(const struct field *field)
{
    return field->kind == FIELD_DURATION_RANGE ? 2 * field->size : field->size;
}

static bool is_default(const struct field *field, const struct scenario *scenario,
                       const struct scenario *defaults)
{
    CHECK(has_value(field));
    const uint8_t *at = (const uint8_t *)scenario + field->offset;
    const uint8_t *there = (const uint8_t *)defaults + field->offset;
    if (field->kind == FIELD_TEXT) {
        return false;
    }
    if (field->kind == FIELD_COUNT_BOUND || field->kind == FIELD_DURATION_BOUND) {
        struct bound a;
        struct bound b;
        memcpy(&a, at, sizeof a);
        memcpy(&b, there, sizeof b);
        return a.kind == b.kind && (a.kind == BOUND_NONE || a.value == b.value);
    }
    return memcmp(at, there, value_size(field)) == 0;
}

static bool keep_different(const void *context, uint32_t index)
{
    const struct scenario *const *both = context;
    const struct field *field = &scenario_fields[index];
    if (!has_value(field)) {
        return false;
    }
    return IS_AMONG(field->path, own_paths)
               ? !(strcmp(field->path, "about") == 0 && both[0]->about[0] == '\0')
               : !is_default(field, both[0], both[1]);
}

void scenario_write_short(const struct scenario *scenario, struct buffer *out)
{
    CHECK(scenario != NULL);
    struct arena arena;
    arena_init(&arena);
    struct scenario defaults = defaults_of(scenario, &arena);
    const struct scenario *both[2] = { scenario, &defaults };
    scenario_write_if(scenario, keep_different, both, out);
    arena_drop(&arena);
}

uint32_t scenario_setting_count(void)
{
    return scenario_field_count;
}

/* What another way of making a scenario smaller is for: a default would make it larger again. And
 * how the input is to be read, which the runs of the search do not do again. */
static const char *const size_paths[] = {
    "seed",           "job.parallelism",          "job.input.seed",         "job.input.records",
    "job.input.keys", "job.input.nexmark.events", "job.input.nexmark.seed", "cluster.task_managers",
    "expect.within",  "job.input.format",         "job.input.compression",  "job.input.header",
};

static bool may_simplify(const struct field *field, const struct scenario *scenario)
{
    return has_value(field) && field->kind != FIELD_TEXT && field_is_written(field, scenario) &&
           !IS_AMONG(field->path, size_paths);
}

bool scenario_setting_reset(struct scenario *scenario, struct arena *arena, uint32_t index)
{
    CHECK(index < scenario_field_count);
    const struct field *field = &scenario_fields[index];
    if (!may_simplify(field, scenario)) {
        return false;
    }
    struct scenario defaults = defaults_of(scenario, arena);
    if (is_default(field, scenario, &defaults)) {
        return false;
    }
    memcpy((uint8_t *)scenario + field->offset, (const uint8_t *)&defaults + field->offset,
           value_size(field));
    return true;
}

uint64_t round_to_digits(uint64_t value, uint32_t digits)
{
    CHECK(digits > 0);
    uint64_t unit = 1;
    uint64_t most = 1;
    for (uint32_t i = 0; i < digits; i++) {
        most *= 10;
    }
    while (value / unit >= most) {
        unit *= 10;
    }
    return value / unit * unit;
}

bool scenario_setting_round(struct scenario *scenario, struct arena *arena, uint32_t index,
                            uint32_t digits)
{
    CHECK(index < scenario_field_count);
    const struct field *field = &scenario_fields[index];
    bool in_bytes = field->kind == FIELD_SIZE || field->kind == FIELD_BANDWIDTH;
    bool is_number = in_bytes || field->kind == FIELD_COUNT || field->kind == FIELD_DURATION ||
                     field->kind == FIELD_RATE;
    if (!is_number || !may_simplify(field, scenario)) {
        return false;
    }
    struct scenario defaults = defaults_of(scenario, arena);
    if (is_default(field, scenario, &defaults)) {
        return false;
    }
    uint8_t *at = (uint8_t *)scenario + field->offset;
    uint64_t value = 0;
    memcpy(&value, at, field->size); /* little-endian, as codec.h asserts */
    bool is_special = field->special != NULL && value == field->special_value;
    if (value == 0 || is_special) {
        return false;
    }
    uint64_t rounded =
        in_bytes ? UINT64_C(1) << (63 - __builtin_clzll(value)) : round_to_digits(value, digits);
    if (rounded == value || rounded < field->min) {
        return false;
    }
    CHECK(rounded < value);
    memcpy(at, &rounded, field->size);
    return true;
}
