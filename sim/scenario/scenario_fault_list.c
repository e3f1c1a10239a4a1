/* The list "faults": one element becomes one fault, or as many as its trigger says.
 *
 * `every`, `rate`, `times`, `spacing`, `rolling`, `p` and swizzle are resolved here, from the seed:
 * what is left are faults with `at` or `when`, so that a run's resolved scenario holds every draw.
 */
#include <string.h>

#include "model/base/check.h"
#include "sim/fault/fault_consequences.h"
#include "sim/fault/fault_firings.h"
#include "sim/scenario/scenario_faults.h"

static const uint64_t fault_time_max_ns = UINT64_C(8760) * 3600 * 1000000000;

/* One element of "faults", while it is read. */
struct fault_reader {
    struct reader *reader;
    const char *path;
    json_t *object;
    struct fault fault;       /* the first firing */
    struct fault_firings how; /* all of them */
    size_t *capacity;         /* of the scenario's faults */
};

static const char *key_path(const struct fault_reader *fault_reader, const char *key)
{
    CHECK(*key != '\0');
    return arena_format(fault_reader->reader->arena, "%s.%s", fault_reader->path, key);
}

static const json_t *find(const struct fault_reader *fault_reader, const char *key)
{
    return json_object_get(fault_reader->object, key);
}

/* ---- triggers -------------------------------------------------------------------------------- */

static bool read_when(struct fault_reader *fault_reader, const json_t *value)
{
    struct reader *reader = fault_reader->reader;
    const char *path = key_path(fault_reader, "when");
    const char *text = NULL;
    if (!read_text(reader, path, value, &text)) {
        return false;
    }
    struct prng prng = reader_stream(reader, path);
    return parse_fault_when(reader, path, text, &prng, &fault_reader->fault.trigger);
}

static bool read_duration(struct fault_reader *fault_reader, const char *key, uint64_t min_ns,
                          uint64_t *duration_ns)
{
    const json_t *value = find(fault_reader, key);
    struct limits limits = { .unit = VALUE_DURATION, .min = min_ns, .max = fault_time_max_ns };
    return value == NULL || read_quantity(fault_reader->reader, key_path(fault_reader, key), value,
                                          limits, duration_ns);
}

static bool read_gaps(struct fault_reader *fault_reader, const char *key, uint64_t *low_ns,
                      uint64_t *high_ns)
{
    const json_t *value = find(fault_reader, key);
    struct limits limits = { .unit = VALUE_DURATION, .min = 1, .max = fault_time_max_ns };
    return value == NULL || read_range(fault_reader->reader, key_path(fault_reader, key), value,
                                       limits, low_ns, high_ns);
}

static bool read_rate(struct fault_reader *fault_reader)
{
    const json_t *value = find(fault_reader, "rate");
    struct limits limits = { .unit = VALUE_RATE, .min = 1, .max = 1000000 };
    return value == NULL || read_quantity(fault_reader->reader, key_path(fault_reader, "rate"),
                                          value, limits, &fault_reader->how.rate_per_s);
}

/* Exactly one of the four. */
static bool read_trigger(struct fault_reader *fault_reader)
{
    static const char *const keys[] = { "at", "when", "every", "rate" };
    struct reader *reader = fault_reader->reader;
    const char *first = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (find(fault_reader, keys[i]) == NULL) {
            continue;
        }
        if (first != NULL) {
            return reader_fail(reader, fault_reader->path, "\"%s\" and \"%s\" exclude each other",
                               first, keys[i]);
        }
        first = keys[i];
    }
    if (first == NULL) {
        return reader_fail(reader, fault_reader->path,
                           "needs \"at\", \"when\", \"every\" or \"rate\"");
    }
    fault_reader->fault.trigger = (struct fault_trigger){ .kind = TRIGGER_AT };
    if (strcmp(first, "when") == 0) {
        return read_when(fault_reader, find(fault_reader, "when")) &&
               read_duration(fault_reader, "after", 0, &fault_reader->fault.trigger.after_ns);
    }
    if (find(fault_reader, "after") != NULL) {
        return reader_fail(reader, key_path(fault_reader, "after"),
                           "makes sense with \"when\" only");
    }
    return read_duration(fault_reader, "at", 0, &fault_reader->fault.trigger.at_ns) &&
           read_gaps(fault_reader, "every", &fault_reader->how.gap_min_ns,
                     &fault_reader->how.gap_max_ns) &&
           read_rate(fault_reader);
}

/* How often: "times", "spacing", "rolling" and "p". */
static bool read_repetition(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    struct fault_firings *how = &fault_reader->how;
    const json_t *times = find(fault_reader, "times");
    const json_t *rolling = find(fault_reader, "rolling");
    const json_t *p = find(fault_reader, "p");
    struct limits limits = { .unit = VALUE_COUNT, .min = 1, .max = FAULT_COUNT_MAX };
    uint64_t count = 1;
    bool repeats = how->gap_max_ns > 0 || how->rate_per_s > 0;
    how->probability_ppm = 1000000;
    if (times == NULL && repeats) {
        return reader_fail(reader, fault_reader->path, "needs \"times\": how often in all");
    }
    if (times != NULL &&
        !read_quantity(reader, key_path(fault_reader, "times"), times, limits, &count)) {
        return false;
    }
    how->times = (uint32_t)count;
    if (!read_gaps(fault_reader, "spacing", &how->spacing_min_ns, &how->spacing_max_ns) ||
        (rolling != NULL &&
         !read_flag(reader, key_path(fault_reader, "rolling"), rolling, &how->rolling)) ||
        (p != NULL &&
         !read_ppm(reader, key_path(fault_reader, "p"), p, 0, 1000000, &how->probability_ppm))) {
        return false;
    }
    if (repeats && how->spacing_max_ns > 0) {
        return reader_fail(reader, key_path(fault_reader, "spacing"),
                           "makes no sense with \"every\" or \"rate\"");
    }
    if (how->rolling && how->spacing_max_ns == 0) {
        return reader_fail(reader, fault_reader->path, "\"rolling\" needs \"spacing\"");
    }
    if (fault_reader->fault.trigger.kind == TRIGGER_AT && !repeats && how->times > 1 &&
        how->spacing_max_ns == 0) {
        return reader_fail(reader, fault_reader->path, "\"times\" needs \"spacing\"");
    }
    return true;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* The object of firing `number`: what "any" is, is drawn for each. */
static bool read_object(struct fault_reader *fault_reader, uint32_t number, struct fault *fault)
{
    CHECK((unsigned)fault->verb < FAULT_VERB_COUNT);
    struct reader *reader = fault_reader->reader;
    const char *path = key_path(fault_reader, "on");
    const json_t *value = find(fault_reader, "on");
    const char *text = fault->verb == FAULT_RESCALE ? "job" : NULL; /* what else */
    if (value == NULL && text == NULL) {
        return reader_fail(reader, path, "must be given");
    }
    if (value != NULL && !read_text(reader, path, value, &text)) {
        return false;
    }
    struct prng prng = reader_stream(
        reader, number == 0 ? path : arena_format(reader->arena, "%s#%u", path, number));
    if (!parse_fault_object(reader, path, text, &prng, &fault->object)) {
        return false;
    }
    if (fault_reader->how.rolling && fault->object.kind != OBJECT_ALL_TASK_MANAGERS) {
        return reader_fail(reader, path, "\"rolling\" goes over \"all task_managers\"");
    }
    if (!verb_fits(fault->verb, &fault->object)) {
        return reader_fail(reader, path, "\"%s\" needs %s, not \"%s\"",
                           fault_verb_name(fault->verb), verb_needs(fault->verb), text);
    }
    bool is_memory = reader->scenario->job.state.backend == STATE_BACKEND_ROCKSDB;
    return fault->object.part != PART_DISK || !is_memory ||
           reader_fail(reader, path,
                       "state.backend \"rocksdb\" keeps its files in memory: nothing "
                       "there uses the disk of a machine");
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool append(struct fault_reader *fault_reader, const struct fault *fault)
{
    struct scenario *scenario = fault_reader->reader->scenario;
    if (scenario->fault_count == FAULT_COUNT_MAX) {
        return reader_fail(fault_reader->reader, "faults", "must be at most %d", FAULT_COUNT_MAX);
    }
    scenario->faults =
        arena_grow(fault_reader->reader->arena, scenario->faults, fault_reader->capacity,
                   (size_t)scenario->fault_count + 1, sizeof(struct fault));
    scenario->faults[scenario->fault_count++] = *fault;
    return true;
}

static bool append_swizzle(struct fault_reader *fault_reader, const struct fault *swizzle,
                           const char *path)
{
    struct reader *reader = fault_reader->reader;
    struct prng prng = reader_stream(reader, path);
    uint32_t count = 0;
    struct fault *clogs =
        fault_swizzle(reader->arena, swizzle, reader->scenario->job.task_managers, &prng, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!append(fault_reader, &clogs[i])) {
            return false;
        }
    }
    return true;
}

/* One firing: as it is, or as what it stands for. */
static bool append_firing(struct fault_reader *fault_reader, const struct fault *fault,
                          uint32_t number)
{
    if (fault->verb == FAULT_SWIZZLE) {
        return append_swizzle(
            fault_reader, fault,
            arena_format(fault_reader->reader->arena, "%s.swizzle#%u", fault_reader->path, number));
    }
    return append(fault_reader, fault);
}

static bool append_firings(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    struct fault_firings *how = &fault_reader->how;
    how->prng = reader_stream(reader, key_path(fault_reader, "firings"));
    how->rolling_count = how->rolling ? reader->scenario->job.task_managers : 1;
    struct fault fault = fault_reader->fault;
    for (uint32_t i = 0; fault_firings_next(how, &fault_reader->fault.trigger, &fault.trigger);
         i++) {
        if (!read_object(fault_reader, i, &fault)) {
            return false;
        }
        if (how->rolling) {
            fault.object.kind = OBJECT_TASK_MANAGER;
            fault.object.index = i % how->rolling_count;
        }
        if (prng_chance(&how->prng, (uint32_t)how->probability_ppm) &&
            !append_firing(fault_reader, &fault, i)) {
            return false;
        }
    }
    return true;
}

static bool read_fault(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    struct fault *fault = &fault_reader->fault;
    if (!fields_check_keys(reader, fault_reader->path, fault_reader->object)) {
        return false;
    }
    const char *path = key_path(fault_reader, "do");
    const json_t *verb = find(fault_reader, "do");
    if (verb == NULL) {
        return reader_fail(reader, path, "must be given");
    }
    return read_verb(reader, path, verb, &fault->verb) && read_trigger(fault_reader) &&
           read_repetition(fault_reader) && read_object(fault_reader, 0, fault) &&
           read_parameters(reader, fault_reader->path, fault_reader->object, fault) &&
           append_firings(fault_reader);
}

uint32_t faults_parallelism_max(const struct reader *reader)
{
    const json_t *faults = json_object_get(reader->root, "faults");
    uint32_t most = reader->scenario->job.parallelism;
    for (size_t i = 0; i < json_array_size(faults); i++) {
        const json_t *fault = json_array_get(faults, i);
        const char *verb = json_string_value(json_object_get(fault, "do"));
        json_int_t value = json_integer_value(json_object_get(fault, "parallelism"));
        if (verb != NULL && strcmp(verb, fault_verb_name(FAULT_RESCALE)) == 0 && value > most &&
            value <= KEY_GROUP_COUNT_MAX) {
            most = (uint32_t)value;
        }
    }
    return most;
}

static bool read_list(struct reader *reader)
{
    json_t *faults = json_object_get(reader->root, "faults");
    if (json_object_get(reader->root, "random") != NULL) {
        return faults == NULL
                   ? draw_random_faults(reader)
                   : reader_fail(reader, "random", "\"faults\" and \"random\" exclude each other");
    }
    size_t count = json_array_size(faults);
    size_t capacity = 0;
    if (count > FAULT_COUNT_MAX) {
        return reader_fail(reader, "faults", "must be at most %d", FAULT_COUNT_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct fault_reader fault_reader = {
            .reader = reader,
            .path = arena_format(reader->arena, "faults[%zu]", i),
            .object = json_array_get(faults, i),
            .capacity = &capacity,
        };
        if (!read_fault(&fault_reader)) {
            return false;
        }
    }
    return true;
}

bool read_faults(struct reader *reader)
{
    CHECK(!reader->failed);
    CHECK(reader->scenario->fault_count == 0);
    if (!read_list(reader)) {
        return false;
    }
    if (reader_find(reader, "expect.result") == NULL) {
        reader->scenario->expect.result = fault_consequences_of(reader->scenario);
    }
    return true;
}

/* ---- back again ------------------------------------------------------------------------------ */

static void write_text(const char *key, const struct buffer *text, struct buffer *out)
{
    CHECK(text->size > 0);
    buffer_append_format(out, "\"%s\": ", key);
    append_json_text(arena_format(out->arena, "%.*s", (int)text->size, (const char *)text->data),
                     out);
}

void fault_write(const struct scenario *scenario, const struct fault *fault, struct buffer *out)
{
    CHECK(verb_fits(fault->verb, &fault->object));
    struct buffer text;
    buffer_init(&text, out->arena);
    fault_trigger_format(scenario, &fault->trigger, &text);
    buffer_append_text(out, "{ ");
    write_text(fault->trigger.kind == TRIGGER_AT ? "at" : "when", &text, out);
    buffer_reset(&text);
    if (fault->trigger.after_ns > 0) {
        value_format(fault->trigger.after_ns, VALUE_DURATION, &text);
        buffer_append_text(out, ", ");
        write_text("after", &text, out);
        buffer_reset(&text);
    }
    fault_object_format(scenario, &fault->object, &text);
    buffer_append_format(out, ", \"do\": \"%s\", ", fault_verb_name(fault->verb));
    write_text("on", &text, out);
    parameters_write(fault, out);
    buffer_append_text(out, " }");
    buffer_free(&text);
}
