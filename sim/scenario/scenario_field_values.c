#include "sim/scenario/scenario_fields.h"

#include <string.h>

#include "model/base/check.h"

static void store_unsigned(const struct field *field, void *base, uint64_t value)
{
    uint8_t *at = (uint8_t *)base + field->offset;
    if (field->size == sizeof(uint64_t)) {
        memcpy(at, &value, sizeof value);
    } else if (field->size == sizeof(uint32_t)) {
        CHECK(value <= UINT32_MAX);
        uint32_t narrow = (uint32_t)value;
        memcpy(at, &narrow, sizeof narrow);
    } else {
        CHECK(field->size == sizeof(bool));
        CHECK(value <= 1);
        bool flag = value == 1;
        memcpy(at, &flag, sizeof flag);
    }
}

static uint64_t load_unsigned(const struct field *field, const void *base)
{
    const uint8_t *at = (const uint8_t *)base + field->offset;
    if (field->size == sizeof(uint64_t)) {
        uint64_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (field->size == sizeof(uint32_t)) {
        uint32_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    CHECK(field->size == sizeof(bool));
    bool flag;
    memcpy(&flag, at, sizeof flag);
    return flag;
}

static enum value_unit field_unit(enum field_kind kind)
{
    switch (kind) {
    case FIELD_DURATION:
    case FIELD_DURATION_RANGE:
    case FIELD_DURATION_BOUND: return VALUE_DURATION;
    case FIELD_SIZE: return VALUE_SIZE;
    case FIELD_BANDWIDTH: return VALUE_BANDWIDTH;
    case FIELD_RATE: return VALUE_RATE;
    default: return VALUE_COUNT;
    }
}

static bool is_special(const struct field *field, const json_t *value)
{
    CHECK(value != NULL);
    return field->special != NULL && json_is_string(value) &&
           strcmp(json_string_value(value), field->special) == 0;
}

static bool read_number(struct reader *reader, const struct field *field, const json_t *value,
                        void *to)
{
    struct limits limits = { .unit = field_unit(field->kind),
                             .min = field->min,
                             .max = field->max,
                             .special = field->special };
    uint64_t number = field->special_value;
    if (!is_special(field, value)) {
        uint64_t high = 0;
        bool ok = field->kind == FIELD_SEED
                      ? read_range(reader, field->path, value, limits, &number, &high)
                      : read_quantity(reader, field->path, value, limits, &number);
        if (!ok) {
            return false;
        }
        if (field->kind == FIELD_SEED && number != high) {
            return reader_fail(reader, field->path, "must be one number; \"sweep\" runs many");
        }
    }
    store_unsigned(field, to, number);
    return true;
}

static bool read_duration_range(struct reader *reader, const struct field *field,
                                const json_t *value, void *to)
{
    CHECK(field->size == sizeof(uint64_t)); /* the lower end; the other follows */
    struct limits limits = { .unit = VALUE_DURATION, .min = field->min, .max = field->max };
    uint64_t ends[2];
    if (!read_range(reader, field->path, value, limits, &ends[0], &ends[1])) {
        return false;
    }
    memcpy((uint8_t *)to + field->offset, ends, sizeof ends);
    return true;
}

static bool read_only(struct reader *reader, const struct field *field, const json_t *value)
{
    bool flag = false;
    CHECK(field->base == BASE_NONE);
    CHECK(field->kind == FIELD_ONLY_FALSE);
    if (!read_flag(reader, field->path, value, &flag)) {
        return false;
    }
    return !flag || reader_fail(reader, field->path, "true is not supported; must be false");
}

static bool read_field(struct reader *reader, const struct field *field, const json_t *value,
                       void *to)
{
    CHECK(!reader->failed);
    CHECK(to != NULL);
    uint8_t *at = (uint8_t *)to + field->offset;
    switch (field->kind) {
    case FIELD_TEXT: {
        const char *text = NULL;
        bool ok = read_text(reader, field->path, value, &text);
        memcpy(at, &text, sizeof text);
        return ok;
    }
    case FIELD_SEED:
    case FIELD_COUNT:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_BANDWIDTH:
    case FIELD_RATE: return read_number(reader, field, value, to);
    case FIELD_PPM: {
        uint64_t ppm = 0;
        bool ok = read_ppm(reader, field->path, value, field->min, field->max, &ppm);
        store_unsigned(field, to, ppm);
        return ok;
    }
    case FIELD_FLAG: {
        bool flag = false;
        bool ok = read_flag(reader, field->path, value, &flag);
        store_unsigned(field, to, flag);
        return ok;
    }
    case FIELD_CHOICE: {
        uint32_t index = 0;
        bool ok = read_choice(reader, field->path, value, field->choices, &index);
        store_unsigned(field, to, index);
        return ok;
    }
    case FIELD_DURATION_RANGE: return read_duration_range(reader, field, value, to);
    case FIELD_COUNT_BOUND:
    case FIELD_DURATION_BOUND: {
        struct bound bound = { 0 };
        if (json_is_string(value) && strcmp(json_string_value(value), "any") == 0) {
            memcpy(at, &bound, sizeof bound);
            return true;
        }
        bool ok = read_bound(reader, field->path, value, field_unit(field->kind), &bound);
        memcpy(at, &bound, sizeof bound);
        return ok;
    }
    case FIELD_ONLY_FALSE: return read_only(reader, field, value);
    case FIELD_ARRAY:
        return json_is_array(value) || reader_fail(reader, field->path, "must be an array");
    case FIELD_OBJECT:
        return json_is_object(value) || reader_fail(reader, field->path, "must be an object");
    case FIELD_ELSEWHERE: return true;
    }
    CHECK(false);
}

bool fields_read(struct reader *reader, enum field_base base, void *to)
{
    CHECK(base != BASE_NONE);
    for (uint32_t i = 0; i < scenario_field_count; i++) {
        const struct field *field = &scenario_fields[i];
        /* What has no place is checked along with the scenario. */
        enum field_base of = field->base == BASE_NONE ? BASE_SCENARIO : field->base;
        if (of != base || strchr(field->path, '[') != NULL) {
            continue;
        }
        const json_t *value = reader_find(reader, field->path);
        if (value != NULL && !read_field(reader, field, value, to)) {
            return false;
        }
    }
    return true;
}

void append_json_text(const char *text, struct buffer *out)
{
    CHECK(text != NULL);
    buffer_append_text(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char character = (unsigned char)*at;
        if (character == '"' || character == '\\') {
            buffer_append_format(out, "\\%c", character);
        } else if (character < ' ') {
            buffer_append_format(out, "\\u%04x", character);
        } else {
            buffer_append(out, (struct bytes){ .data = (const uint8_t *)at, .size = 1 });
        }
    }
    buffer_append_text(out, "\"");
}

static void write_number(const struct field *field, uint64_t number, struct buffer *out)
{
    CHECK(field->kind != FIELD_PPM);
    if (field->special != NULL && number == field->special_value) {
        append_json_text(field->special, out);
        return;
    }
    enum value_unit unit = field_unit(field->kind);
    /* JSON readers take integers of 63 bits; what is larger is a text. */
    bool bare = unit == VALUE_COUNT && number <= INT64_MAX;
    buffer_append_text(out, bare ? "" : "\"");
    value_format(number, unit, out);
    buffer_append_text(out, bare ? "" : "\"");
}

static void write_range(const struct field *field, const void *at, struct buffer *out)
{
    CHECK(field->kind == FIELD_DURATION_RANGE);
    uint64_t ends[2];
    memcpy(ends, at, sizeof ends);
    buffer_append_text(out, "\"");
    value_format_range(ends[0], ends[1], field_unit(field->kind), out);
    buffer_append_text(out, "\"");
}

static void write_bound(const struct field *field, const void *at, struct buffer *out)
{
    struct bound bound;
    memcpy(&bound, at, sizeof bound);
    if (bound.kind == BOUND_NONE) {
        append_json_text("any", out);
        return;
    }
    buffer_append_text(out, "\"");
    value_format_bound(bound, field_unit(field->kind), out);
    buffer_append_text(out, "\"");
}

void field_write(const struct field *field, const void *from, struct buffer *out)
{
    CHECK(from != NULL);
    const uint8_t *at = (const uint8_t *)from + field->offset;
    switch (field->kind) {
    case FIELD_TEXT: {
        const char *text;
        memcpy(&text, at, sizeof text);
        CHECK(text != NULL);
        append_json_text(text, out);
        return;
    }
    case FIELD_SEED:
    case FIELD_COUNT:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_BANDWIDTH:
    case FIELD_RATE: write_number(field, load_unsigned(field, from), out); return;
    case FIELD_PPM: value_format_ppm(load_unsigned(field, from), out); return;
    case FIELD_FLAG: buffer_append_text(out, load_unsigned(field, from) ? "true" : "false"); return;
    case FIELD_CHOICE: append_json_text(field->choices[load_unsigned(field, from)], out); return;
    case FIELD_DURATION_RANGE: write_range(field, at, out); return;
    case FIELD_COUNT_BOUND:
    case FIELD_DURATION_BOUND: write_bound(field, at, out); return;
    case FIELD_ONLY_FALSE: buffer_append_text(out, "false"); return;
    case FIELD_ARRAY:
    case FIELD_OBJECT:
    case FIELD_ELSEWHERE: break;
    }
    CHECK(false);
}

static bool input_field_is_written(const struct field *field, const struct scenario *scenario)
{
    static const char *const of_file[] = { "file", "format", "compression", "column", "header" };
    const struct input_shape *shape = &scenario->input_shape;
    const char *key = field->path + strlen("job.input.");
    bool has_query = shape->query != NULL;
    enum input_kind kind = scenario->job.input.kind;
    for (uint32_t i = 0; i < sizeof of_file / sizeof of_file[0]; i++) {
        if (strcmp(key, of_file[i]) == 0) {
            bool of_column = strcmp(key, "column") == 0 || strcmp(key, "header") == 0;
            return kind == INPUT_FILE && !has_query && (!of_column || shape->column != NULL);
        }
    }
    if (strcmp(key, "sqlite") == 0 || strcmp(key, "query") == 0) {
        return kind == INPUT_FILE && has_query;
    }
    if (strcmp(key, "label") == 0) {
        return kind == INPUT_FILE && scenario->job.input.label != NULL;
    }
    if (strncmp(key, "nexmark.", strlen("nexmark.")) == 0) {
        return kind == INPUT_NEXMARK;
    }
    return kind == INPUT_GENERATOR || strcmp(key, "rate") == 0;
}

bool field_is_written(const struct field *field, const struct scenario *scenario)
{
    CHECK(scenario != NULL);
    switch (field->kind) {
    case FIELD_ARRAY:
    case FIELD_OBJECT:
    case FIELD_ELSEWHERE: return false;
    default: break;
    }
    if (strcmp(field->path, "job.name") == 0) {
        return scenario->library == NULL;
    }
    if (strcmp(field->path, "job.library") == 0) {
        return scenario->library != NULL;
    }
    if (strncmp(field->path, "job.input.", strlen("job.input.")) == 0) {
        return input_field_is_written(field, scenario);
    }
    return field->base != BASE_RANDOM;
}
