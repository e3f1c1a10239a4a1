#include "sim/scenario/scenario_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_nearest.h"

/* Who set the value at `path`: the entry of the path, or of the nearest place around it. */
static const char *origin_of(const struct reader *reader, const char *path)
{
    CHECK(reader->label != NULL);
    char *place = arena_text(reader->arena, path);
    for (size_t size = strlen(place); size > 0;) {
        place[size] = '\0';
        const json_t *origin = json_object_get(reader->origins, place);
        if (origin != NULL) {
            return json_string_value(origin);
        }
        do {
            size--;
        } while (size > 0 && place[size] != '.' && place[size] != '[');
    }
    return reader->label;
}

/* An error is one line, whatever the user's texts in it hold. */
void error_make_line(struct buffer *error, size_t start)
{
    CHECK(start <= error->size);
    for (size_t i = start; i < error->size; i++) {
        if (error->data[i] < ' ' || error->data[i] == 0x7f) {
            error->data[i] = '?';
        }
    }
}

bool reader_fail(struct reader *reader, const char *path, const char *format, ...)
{
    CHECK(!reader->failed);
    reader->failed = true;
    size_t start = reader->error->size;
    buffer_append_format(reader->error, "%s: ", origin_of(reader, path));
    if (*path != '\0') {
        buffer_append_format(reader->error, "%s: ", path);
    }
    va_list arguments;
    va_start(arguments, format);
    char *sentence = NULL;
    int size = vasprintf(&sentence, format, arguments);
    va_end(arguments);
    CHECK(size >= 0);
    buffer_append_text(reader->error, sentence);
    free(sentence);
    error_make_line(reader->error, start);
    return false;
}

struct prng reader_stream(const struct reader *reader, const char *name)
{
    CHECK(*name != '\0');
    const char *full = arena_format(reader->arena, "scenario.%s", name);
    uint64_t seed = reader->scenario->seed;
    return (struct prng){ .state = hash_mix(seed ^ hash_bytes(bytes_of_text(full))) };
}

json_t *reader_find(const struct reader *reader, const char *path)
{
    CHECK(json_is_object(reader->root));
    json_t *value = reader->root;
    while (value != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        CHECK(size > 0);
        value = json_object_getn(value, path, size);
        path += size + (path[size] == '.' ? 1 : 0);
    }
    return value;
}

bool read_text(struct reader *reader, const char *path, const json_t *value, const char **text)
{
    CHECK(!reader->failed);
    CHECK(text != NULL);
    if (!json_is_string(value)) {
        return reader_fail(reader, path, "must be a text");
    }
    *text = arena_text(reader->arena, json_string_value(value));
    return true;
}

bool read_flag(struct reader *reader, const char *path, const json_t *value, bool *flag)
{
    CHECK(!reader->failed);
    CHECK(flag != NULL);
    if (!json_is_boolean(value)) {
        return reader_fail(reader, path, "must be true or false");
    }
    *flag = json_is_true(value);
    return true;
}

/* `"a", "b" or "c"` */
static const char *choice_list(struct reader *reader, const char *const *choices)
{
    const char *list = "";
    for (uint32_t i = 0; choices[i] != NULL; i++) {
        const char *joint = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        list = arena_format(reader->arena, "%s%s\"%s\"", list, joint, choices[i]);
    }
    return list;
}

/* Looks for the nearest choice only now: distances of words take longer than all the rest. */
static bool fail_choice(struct reader *reader, const char *path, const char *text,
                        const char *const *choices)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(text));
    for (uint32_t i = 0; choices[i] != NULL; i++) {
        nearest_offer(&nearest, bytes_of_text(choices[i]), choices[i]);
    }
    if (nearest.answer != NULL) {
        return reader_fail(reader, path, "unknown value \"%s\"; did you mean \"%s\"?", text,
                           nearest.answer);
    }
    return reader_fail(reader, path, "unknown value \"%s\"; must be %s", text,
                       choice_list(reader, choices));
}

bool read_choice(struct reader *reader, const char *path, const json_t *value,
                 const char *const *choices, uint32_t *index)
{
    CHECK(!reader->failed);
    CHECK(choices[0] != NULL);
    if (!json_is_string(value)) {
        return reader_fail(reader, path, "must be %s", choice_list(reader, choices));
    }
    const char *text = json_string_value(value);
    for (uint32_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0) {
            *index = i;
            return true;
        }
    }
    return fail_choice(reader, path, text, choices);
}

static const char *expected_text(enum value_unit unit)
{
    switch (unit) {
    case VALUE_COUNT: return "a whole number";
    case VALUE_DURATION: return "a duration such as \"250ms\"";
    case VALUE_SIZE: return "a size such as \"64KiB\"";
    case VALUE_BANDWIDTH: return "a bandwidth such as \"1GiB/s\"";
    case VALUE_RATE: return "a rate such as \"50k/s\"";
    }
    CHECK(false);
}

static bool fail_result(struct reader *reader, const char *path, enum value_result result,
                        const char *expected)
{
    CHECK(result != VALUE_OK);
    switch (result) {
    case VALUE_OK: break;
    case VALUE_MALFORMED: return reader_fail(reader, path, "must be %s", expected);
    case VALUE_NEGATIVE: return reader_fail(reader, path, "must not be negative");
    case VALUE_TOO_FINE: return reader_fail(reader, path, "has too many decimals");
    case VALUE_TOO_LARGE: return reader_fail(reader, path, "is too large");
    case VALUE_UNORDERED: return reader_fail(reader, path, "the range ends before it starts");
    }
    CHECK(false);
}

static bool check_limit(struct reader *reader, const char *path, struct limits limits,
                        uint64_t value)
{
    CHECK(limits.min <= limits.max);
    if (value >= limits.min && value <= limits.max) {
        return true;
    }
    bool low = value < limits.min;
    struct buffer limit;
    buffer_init(&limit, reader->arena);
    value_format(low ? limits.min : limits.max, limits.unit, &limit);
    const char *quote = limits.unit == VALUE_COUNT ? "" : "\"";
    return reader_fail(reader, path, "must be at %s %s%.*s%s", low ? "least" : "most", quote,
                       (int)limit.size, (const char *)limit.data, quote);
}

bool read_range(struct reader *reader, const char *path, const json_t *value, struct limits limits,
                uint64_t *low, uint64_t *high)
{
    CHECK(!reader->failed);
    enum value_result result = VALUE_MALFORMED;
    uint64_t from = 0;
    uint64_t to = 0;
    if (json_is_integer(value) && limits.unit == VALUE_COUNT) {
        json_int_t number = json_integer_value(value);
        result = number < 0 ? VALUE_NEGATIVE : VALUE_OK;
        from = to = (uint64_t)number;
    } else if (json_is_string(value)) {
        result =
            value_parse_range(bytes_of_text(json_string_value(value)), limits.unit, &from, &to);
    }
    if (result != VALUE_OK) {
        const char *expected = expected_text(limits.unit);
        if (limits.special != NULL) {
            expected = arena_format(reader->arena, "%s or \"%s\"", expected, limits.special);
        }
        return fail_result(reader, path, result, expected);
    }
    CHECK(from <= to);
    if (!check_limit(reader, path, limits, from) || !check_limit(reader, path, limits, to)) {
        return false;
    }
    *low = from;
    *high = to;
    return true;
}

bool read_quantity(struct reader *reader, const char *path, const json_t *value,
                   struct limits limits, uint64_t *quantity)
{
    CHECK(!reader->failed);
    CHECK(quantity != NULL);
    uint64_t low = 0;
    uint64_t high = 0;
    if (!read_range(reader, path, value, limits, &low, &high)) {
        return false;
    }
    *quantity = low;
    if (low < high) {
        struct prng prng = reader_stream(reader, path);
        *quantity = prng_between(&prng, low, high);
    }
    CHECK(*quantity >= limits.min);
    CHECK(*quantity <= limits.max);
    return true;
}

/* JSON has no other fractions than floating-point ones. The nearest millionth is taken at once, and
 * nothing but the integer is used from here on; what is no whole number of millionths is refused,
 * so that writing the value gives the same text again. */
static enum value_result ppm_of_real(double real, uint64_t *ppm)
{
    if (real < 0) {
        return VALUE_NEGATIVE;
    }
    if (!(real <= 1e9)) {
        return VALUE_TOO_LARGE;
    }
    double millionths = real * 1e6;
    *ppm = (uint64_t)(millionths + 0.5);
    double rest = millionths - (double)*ppm;
    return rest < 1e-3 && rest > -1e-3 ? VALUE_OK : VALUE_TOO_FINE;
}

bool read_ppm(struct reader *reader, const char *path, const json_t *value, uint64_t min,
              uint64_t max, uint64_t *ppm)
{
    CHECK(!reader->failed);
    CHECK(min <= max);
    uint64_t parsed = 0;
    enum value_result result = VALUE_MALFORMED;
    if (json_is_number(value)) {
        result = ppm_of_real(json_number_value(value), &parsed);
    } else if (json_is_string(value)) {
        result = value_parse_ppm(bytes_of_text(json_string_value(value)), &parsed);
    }
    if (result != VALUE_OK) {
        return fail_result(reader, path, result, "a number such as 0.1 or \"1/1000\"");
    }
    if (parsed < min || parsed > max) {
        struct buffer limit;
        buffer_init(&limit, reader->arena);
        value_format_ppm(parsed < min ? min : max, &limit);
        return reader_fail(reader, path, "must be at %s %.*s", parsed < min ? "least" : "most",
                           (int)limit.size, (const char *)limit.data);
    }
    *ppm = parsed;
    return true;
}

bool read_bound(struct reader *reader, const char *path, const json_t *value, enum value_unit unit,
                struct bound *bound)
{
    CHECK(!reader->failed);
    CHECK(bound != NULL);
    if (json_is_integer(value) && unit == VALUE_COUNT && json_integer_value(value) >= 0) {
        *bound =
            (struct bound){ .kind = BOUND_EQUAL, .value = (uint64_t)json_integer_value(value) };
        return true;
    }
    enum value_result result = VALUE_MALFORMED;
    if (json_is_string(value)) {
        result = value_parse_bound(bytes_of_text(json_string_value(value)), unit, bound);
    } else if (json_is_integer(value) && unit == VALUE_COUNT) {
        result = VALUE_NEGATIVE;
    }
    if (result != VALUE_OK) {
        return fail_result(reader, path, result,
                           unit == VALUE_COUNT ? "a bound such as \">= 5\""
                                               : "a bound such as \"< 10s\"");
    }
    return true;
}
