#include "sim/scenario_faults.h"

#include <string.h>

#include "model/base/check.h"

static const char *const unsynced_choices[] = { "keep", "lose", "tear", "random", NULL };
_Static_assert(DISK_KEEP == 0 && DISK_LOSE == 1 && DISK_TEAR == 2 && DISK_RANDOM == 3,
               "the order of unsynced_choices");

enum { DEFAULT_FOR_NS = 1000000000 };
static const uint64_t fault_time_max_ns = UINT64_C(8760) * 3600 * 1000000000;

/* One element of "faults", while it is read. */
struct fault_reader {
    struct reader *reader;
    const char *path;
    json_t *object;
    struct fault *fault;
};

static const char *key_path(const struct fault_reader *fault_reader, const char *key)
{
    CHECK(*key != '\0');
    return arena_format(fault_reader->reader->arena, "%s.%s", fault_reader->path, key);
}

static bool read_when(struct fault_reader *fault_reader, const json_t *value)
{
    struct reader *reader = fault_reader->reader;
    const char *path = key_path(fault_reader, "when");
    const char *text = NULL;
    if (!read_text(reader, path, value, &text)) {
        return false;
    }
    struct prng prng = reader_stream(reader, path);
    return parse_fault_when(reader, path, text, &prng, &fault_reader->fault->trigger);
}

static bool read_trigger(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    const json_t *at = json_object_get(fault_reader->object, "at");
    const json_t *when = json_object_get(fault_reader->object, "when");
    if (at == NULL && when == NULL) {
        return reader_fail(reader, fault_reader->path, "needs \"at\" or \"when\"");
    }
    if (at != NULL && when != NULL) {
        return reader_fail(reader, fault_reader->path, "\"at\" and \"when\" exclude each other");
    }
    if (when != NULL) {
        return read_when(fault_reader, when);
    }
    struct limits limits = { .unit = VALUE_DURATION, .min = 0, .max = fault_time_max_ns };
    fault_reader->fault->trigger = (struct fault_trigger){ .kind = TRIGGER_AT };
    return read_quantity(reader, key_path(fault_reader, "at"), at, limits,
                         &fault_reader->fault->trigger.at_ns);
}

static bool read_object(struct fault_reader *fault_reader)
{
    CHECK((unsigned)fault_reader->fault->verb < FAULT_VERB_COUNT);
    struct reader *reader = fault_reader->reader;
    struct fault *fault = fault_reader->fault;
    const char *path = key_path(fault_reader, "on");
    const json_t *value = json_object_get(fault_reader->object, "on");
    if (value == NULL) {
        return reader_fail(reader, path, "must be given");
    }
    const char *text = NULL;
    if (!read_text(reader, path, value, &text)) {
        return false;
    }
    struct prng prng = reader_stream(reader, path);
    if (!parse_fault_object(reader, path, text, &prng, &fault->object)) {
        return false;
    }
    return verb_fits(fault->verb, &fault->object) ||
           reader_fail(reader, path, "\"%s\" needs %s, not \"%s\"", fault_verb_name(fault->verb),
                       verb_needs(fault->verb), text);
}

static bool read_for(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    struct fault *fault = fault_reader->fault;
    const char *path = key_path(fault_reader, "for");
    const json_t *value = json_object_get(fault_reader->object, "for");
    bool lasts = verb_lasts(fault->verb);
    if (value == NULL) {
        fault->for_ns = lasts ? DEFAULT_FOR_NS : 0;
        return fault->verb != FAULT_DELAY || reader_fail(reader, path, "must be given");
    }
    if (!lasts) {
        return reader_fail(reader, path, "makes no sense: \"%s\" is done at once",
                           fault_verb_name(fault->verb));
    }
    if (json_is_string(value) && strcmp(json_string_value(value), "ever") == 0) {
        fault->for_ever = true;
        return true;
    }
    struct limits limits = {
        .unit = VALUE_DURATION, .min = 1, .max = fault_time_max_ns, .special = "ever"
    };
    return read_quantity(reader, path, value, limits, &fault->for_ns);
}

static bool read_by(struct fault_reader *fault_reader)
{
    struct reader *reader = fault_reader->reader;
    struct fault *fault = fault_reader->fault;
    const char *path = key_path(fault_reader, "by");
    const json_t *value = json_object_get(fault_reader->object, "by");
    if (fault->verb != FAULT_DELAY) {
        return value == NULL || reader_fail(reader, path, "makes sense with \"delay\" only");
    }
    if (value == NULL) {
        return reader_fail(reader, path, "must be given");
    }
    struct limits limits = { .unit = VALUE_DURATION, .min = 1, .max = fault_time_max_ns };
    return read_quantity(reader, path, value, limits, &fault->by_ns);
}

static bool read_unsynced(struct fault_reader *fault_reader)
{
    CHECK((unsigned)fault_reader->fault->verb < FAULT_VERB_COUNT);
    struct reader *reader = fault_reader->reader;
    struct fault *fault = fault_reader->fault;
    const char *path = key_path(fault_reader, "unsynced");
    const json_t *value = json_object_get(fault_reader->object, "unsynced");
    bool cuts_power = fault->verb == FAULT_CRASH && fault->object.machine;
    if (value == NULL) {
        /* The crash of a process keeps what the kernel had. */
        fault->unsynced = cuts_power ? DISK_RANDOM : DISK_KEEP;
        return true;
    }
    if (!cuts_power) {
        return reader_fail(reader, path, "makes sense with the crash of a machine only");
    }
    uint32_t index = 0;
    if (!read_choice(reader, path, value, unsynced_choices, &index)) {
        return false;
    }
    fault->unsynced = (enum disk_survival)index;
    return true;
}

static bool read_fault(struct fault_reader *fault_reader)
{
    CHECK(fault_reader->fault != NULL);
    struct reader *reader = fault_reader->reader;
    if (!fields_check_keys(reader, fault_reader->path, fault_reader->object)) {
        return false;
    }
    *fault_reader->fault = (struct fault){ 0 };
    const char *path = key_path(fault_reader, "do");
    const json_t *verb = json_object_get(fault_reader->object, "do");
    if (verb == NULL) {
        return reader_fail(reader, path, "must be given");
    }
    return read_verb(reader, path, verb, &fault_reader->fault->verb) &&
           read_trigger(fault_reader) && read_object(fault_reader) && read_for(fault_reader) &&
           read_by(fault_reader) && read_unsynced(fault_reader);
}

bool read_faults(struct reader *reader)
{
    CHECK(!reader->failed);
    CHECK(reader->scenario->fault_count == 0);
    json_t *faults = json_object_get(reader->root, "faults");
    if (json_object_get(reader->root, "random") != NULL) {
        return faults == NULL
                   ? draw_random_faults(reader)
                   : reader_fail(reader, "random", "\"faults\" and \"random\" exclude each other");
    }
    size_t count = json_array_size(faults);
    if (count > FAULT_COUNT_MAX) {
        return reader_fail(reader, "faults", "must be at most %d", FAULT_COUNT_MAX);
    }
    reader->scenario->faults = arena_alloc(reader->arena, count, sizeof(struct fault));
    for (size_t i = 0; i < count; i++) {
        struct fault_reader fault_reader = {
            .reader = reader,
            .path = arena_format(reader->arena, "faults[%zu]", i),
            .object = json_array_get(faults, i),
            .fault = &reader->scenario->faults[i],
        };
        if (!read_fault(&fault_reader)) {
            return false;
        }
        reader->scenario->fault_count++;
    }
    return true;
}

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
    fault_object_format(scenario, &fault->object, &text);
    buffer_append_format(out, ", \"do\": \"%s\", ", fault_verb_name(fault->verb));
    write_text("on", &text, out);
    if (fault->verb == FAULT_DELAY) {
        CHECK(fault->by_ns > 0);
        buffer_append_text(out, ", \"by\": \"");
        value_format(fault->by_ns, VALUE_DURATION, out);
        buffer_append_text(out, "\"");
    }
    if (verb_lasts(fault->verb)) {
        CHECK(fault->for_ever || fault->for_ns > 0);
        buffer_append_text(out, ", \"for\": \"");
        if (fault->for_ever) {
            buffer_append_text(out, "ever");
        } else {
            value_format(fault->for_ns, VALUE_DURATION, out);
        }
        buffer_append_text(out, "\"");
    }
    if (fault->verb == FAULT_CRASH && fault->object.machine) {
        CHECK((unsigned)fault->unsynced <= DISK_RANDOM);
        buffer_append_format(out, ", \"unsynced\": \"%s\"", unsynced_choices[fault->unsynced]);
    }
    buffer_append_text(out, " }");
    buffer_free(&text);
}
