#include "sim/scenario/scenario_values.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/prng.h"

struct unit_name {
    const char *name;
    uint64_t factor;
};

enum { UNIT_NAME_COUNT_MAX = 6, FRACTION_DIGITS_MAX = 18 };

/* Rising factors; `zero` is the unit in which nothing at all is written. */
static const struct unit_set {
    struct unit_name names[UNIT_NAME_COUNT_MAX];
    uint32_t count;
    uint32_t zero;
} units[] = {
    [VALUE_COUNT] = { { { "", 1 } }, 1, 0 },
    [VALUE_DURATION] = { { { "ns", 1 },
                           { "us", 1000 },
                           { "ms", 1000000 },
                           { "s", 1000000000 },
                           { "min", UINT64_C(60000000000) },
                           { "h", UINT64_C(3600000000000) } },
                         6,
                         3 },
    [VALUE_SIZE] = { { { "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 } },
                     4,
                     0 },
    [VALUE_BANDWIDTH] = { { { "B/s", 1 },
                            { "KiB/s", 1024 },
                            { "MiB/s", 1048576 },
                            { "GiB/s", 1073741824 } },
                          4,
                          0 },
    [VALUE_RATE] = { { { "/s", 1 }, { "k/s", 1000 }, { "M/s", 1000000 }, { "G/s", 1000000000 } },
                     4,
                     0 },
};

static const struct unit_set *unit_set(enum value_unit unit)
{
    CHECK((unsigned)unit < sizeof units / sizeof units[0]);
    return &units[unit];
}

static struct bytes bytes_from(struct bytes text, size_t position)
{
    CHECK(position <= text.size);
    return (struct bytes){ .data = text.data + position, .size = text.size - position };
}

static bool is_digit(uint8_t character)
{
    return character >= '0' && character <= '9';
}

/* The number at the start of `text` is mantissa / scale; `*end` is where it ends. */
static enum value_result parse_decimal(struct bytes text, prng_wide *mantissa, uint64_t *scale,
                                       size_t *end)
{
    size_t at = 0;
    bool fraction = false;
    *mantissa = 0;
    *scale = 1;
    for (; at < text.size; at++) {
        if (text.data[at] == '.' && !fraction && at > 0 && at + 1 < text.size &&
            is_digit(text.data[at + 1])) {
            fraction = true;
            continue;
        }
        if (!is_digit(text.data[at])) {
            break;
        }
        if (fraction && *scale >= UINT64_C(1000000000000000000)) {
            return VALUE_TOO_FINE;
        }
        *scale *= fraction ? 10 : 1;
        *mantissa = *mantissa * 10 + (uint64_t)text.data[at] - '0';
        if (*mantissa >> 100 != 0) {
            return VALUE_TOO_LARGE;
        }
    }
    *end = at;
    return at == 0 ? VALUE_MALFORMED : VALUE_OK;
}

static enum value_result parse_quantity(struct bytes text, const struct unit_set *set,
                                        uint64_t *value)
{
    CHECK(set->count > 0);
    prng_wide mantissa = 0;
    uint64_t scale = 1;
    size_t end = 0;
    enum value_result result = parse_decimal(text, &mantissa, &scale, &end);
    if (result != VALUE_OK) {
        return result;
    }
    struct bytes name = bytes_from(text, end);
    for (uint32_t i = 0; i < set->count; i++) {
        if (!bytes_equal(name, bytes_of_text(set->names[i].name))) {
            continue;
        }
        if (mantissa >> 80 != 0) {
            return VALUE_TOO_LARGE;
        }
        prng_wide scaled = mantissa * set->names[i].factor;
        if (scaled % scale != 0) {
            return VALUE_TOO_FINE;
        }
        if (scaled / scale > UINT64_MAX) {
            return VALUE_TOO_LARGE;
        }
        *value = (uint64_t)(scaled / scale);
        return VALUE_OK;
    }
    return VALUE_MALFORMED;
}

enum value_result value_parse(struct bytes text, enum value_unit unit, uint64_t *value)
{
    CHECK(value != NULL);
    const struct unit_set *set = unit_set(unit);
    if (text.size > 0 && text.data[0] == '-') {
        uint64_t ignored;
        enum value_result result = parse_quantity(bytes_from(text, 1), set, &ignored);
        return result == VALUE_MALFORMED ? VALUE_MALFORMED : VALUE_NEGATIVE;
    }
    return parse_quantity(text, set, value);
}

enum value_result value_parse_range(struct bytes text, enum value_unit unit, uint64_t *low,
                                    uint64_t *high)
{
    CHECK(low != NULL);
    CHECK(high != NULL);
    size_t dots = 0;
    while (dots + 1 < text.size && !(text.data[dots] == '.' && text.data[dots + 1] == '.')) {
        dots++;
    }
    bool single = dots + 1 >= text.size;
    struct bytes first = { .data = text.data, .size = single ? text.size : dots };
    struct bytes second = single ? first : bytes_from(text, dots + 2);
    uint64_t from = 0;
    uint64_t to = 0;
    enum value_result result = value_parse(first, unit, &from);
    if (result == VALUE_OK) {
        result = value_parse(second, unit, &to);
    }
    if (result != VALUE_OK) {
        return result;
    }
    if (from > to) {
        return VALUE_UNORDERED;
    }
    *low = from;
    *high = to;
    return VALUE_OK;
}

enum value_result value_parse_ppm(struct bytes text, uint64_t *ppm)
{
    CHECK(ppm != NULL);
    static const struct unit_set millionths = { { { "", 1000000 } }, 1, 0 };
    if (text.size > 0 && text.data[0] == '-') {
        return VALUE_NEGATIVE;
    }
    const uint8_t *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    if (slash == NULL) {
        return parse_quantity(text, &millionths, ppm);
    }
    size_t position = (size_t)(slash - text.data);
    uint64_t above = 0;
    uint64_t below = 0;
    struct bytes numerator = { .data = text.data, .size = position };
    enum value_result result = value_parse(numerator, VALUE_COUNT, &above);
    if (result == VALUE_OK) {
        result = value_parse(bytes_from(text, position + 1), VALUE_COUNT, &below);
    }
    if (result != VALUE_OK) {
        return result;
    }
    if (below == 0) {
        return VALUE_MALFORMED;
    }
    prng_wide rounded = ((prng_wide)above * 1000000 + below / 2) / below;
    if (rounded > UINT64_MAX) {
        return VALUE_TOO_LARGE;
    }
    *ppm = (uint64_t)rounded;
    return VALUE_OK;
}

/* Longer operators before their prefixes; "==" is "=" for those who are used to it. */
static const struct bound_operator {
    const char *name;
    enum bound_kind kind;
} bound_operators[] = {
    { "<=", BOUND_AT_MOST }, { ">=", BOUND_AT_LEAST }, { "==", BOUND_EQUAL },
    { "<", BOUND_LESS },     { ">", BOUND_MORE },      { "=", BOUND_EQUAL },
};
enum { BOUND_OPERATOR_COUNT = sizeof bound_operators / sizeof bound_operators[0] };

enum value_result value_parse_bound(struct bytes text, enum value_unit unit, struct bound *bound)
{
    CHECK(bound != NULL);
    struct bound parsed = { .kind = BOUND_EQUAL };
    for (uint32_t i = 0; i < BOUND_OPERATOR_COUNT; i++) {
        size_t size = strlen(bound_operators[i].name);
        if (text.size >= size && memcmp(text.data, bound_operators[i].name, size) == 0) {
            parsed.kind = bound_operators[i].kind;
            text = bytes_from(text, size);
            break;
        }
    }
    while (text.size > 0 && text.data[0] == ' ') {
        text = bytes_from(text, 1);
    }
    enum value_result result = value_parse(text, unit, &parsed.value);
    if (result == VALUE_OK) {
        *bound = parsed;
    }
    return result;
}

void value_format(uint64_t value, enum value_unit unit, struct buffer *out)
{
    const struct unit_set *set = unit_set(unit);
    uint32_t index = set->zero;
    if (value > 0) {
        index = set->count - 1;
        while (value % set->names[index].factor != 0) {
            CHECK(index > 0);
            index--;
        }
    }
    buffer_append_format(out, "%llu%s", (unsigned long long)(value / set->names[index].factor),
                         set->names[index].name);
}

void value_format_range(uint64_t low, uint64_t high, enum value_unit unit, struct buffer *out)
{
    CHECK(out != NULL);
    CHECK(low <= high);
    value_format(low, unit, out);
    if (high > low) {
        buffer_append_text(out, "..");
        value_format(high, unit, out);
    }
}

void value_format_ppm(uint64_t ppm, struct buffer *out)
{
    buffer_append_format(out, "%llu", (unsigned long long)(ppm / 1000000));
    uint64_t rest = ppm % 1000000;
    if (rest == 0) {
        return;
    }
    buffer_append_format(out, ".%06llu", (unsigned long long)rest);
    while (out->data[out->size - 1] == '0') {
        out->size--;
    }
    CHECK(out->data[out->size - 1] != '.');
}

void value_format_bound(struct bound bound, enum value_unit unit, struct buffer *out)
{
    CHECK(bound.kind != BOUND_NONE);
    /* From the back: of the two names of BOUND_EQUAL the short one is written. */
    for (uint32_t i = BOUND_OPERATOR_COUNT; i-- > 0;) {
        if (bound_operators[i].kind == bound.kind) {
            buffer_append_format(out, "%s ", bound_operators[i].name);
            value_format(bound.value, unit, out);
            return;
        }
    }
    CHECK(false);
}
