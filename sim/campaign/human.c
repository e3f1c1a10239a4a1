#include "sim/campaign/human.h"

#include <inttypes.h>

#include "model/base/check.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

struct unit {
    uint64_t size; /* in the smallest unit */
    const char *name;
};

void human_count(struct buffer *out, uint64_t count)
{
    CHECK(out != NULL);
    if (count >= 1000) {
        human_count(out, count / 1000);
        buffer_append_format(out, ",%03" PRIu64, count % 1000);
    } else {
        buffer_append_format(out, "%" PRIu64, count);
    }
}

void human_count_of(struct buffer *out, uint64_t count, const char *noun)
{
    CHECK(noun[0] != '\0');
    human_count(out, count);
    buffer_append_format(out, " %s%s", noun, count == 1 ? "" : "s");
}

/* Appends `value` as three digits and the unit's name; false if that takes more digits. */
static bool append_three_digits(struct buffer *out, uint64_t value, struct unit unit)
{
    CHECK(unit.size > 0);
    if (value / unit.size >= 1000) {
        return false;
    }
    for (int decimals = unit.size == 1 ? 0 : 2; decimals >= 0; decimals--) {
        static const uint64_t powers[] = { 1, 10, 100 };
        uint64_t power = powers[decimals];
        uint64_t rounded = (value * power + unit.size / 2) / unit.size;
        if (rounded >= 1000) {
            continue;
        }
        buffer_append_format(out, "%" PRIu64, rounded / power);
        if (rounded % power != 0) {
            buffer_append_format(out, ".%0*" PRIu64, decimals, rounded % power);
        }
        buffer_append_format(out, " %s", unit.name);
        return true;
    }
    return false;
}

/* In the first unit, the smallest first, that needs no more than three digits; else in the last. */
static void append_in_units(struct buffer *out, uint64_t value, const struct unit *units,
                            uint32_t count)
{
    CHECK(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        if (append_three_digits(out, value, units[i])) {
            return;
        }
    }
    human_count(out, value / units[count - 1].size);
    buffer_append_format(out, " %s", units[count - 1].name);
}

/* "2 min 5 s"; the smaller part is left out if it is nothing. */
static void append_two(struct buffer *out, uint64_t large, const char *large_name, uint64_t small,
                       const char *small_name)
{
    CHECK(large > 0);
    human_count(out, large);
    buffer_append_format(out, " %s", large_name);
    if (small > 0) {
        buffer_append_format(out, " %" PRIu64 " %s", small, small_name);
    }
}

void human_duration(struct buffer *out, uint64_t duration_ns)
{
    static const struct unit units[] = {
        { 1, "ns" }, { 1000, "us" }, { NS_PER_MS, "ms" }, { NS_PER_S, "s" }
    };
    uint64_t seconds = duration_ns / NS_PER_S + (duration_ns % NS_PER_S >= NS_PER_S / 2 ? 1 : 0);
    if (duration_ns == 0) {
        buffer_append_text(out, "0 s");
    } else if (seconds < 60) {
        append_in_units(out, duration_ns, units, sizeof units / sizeof *units);
    } else if (seconds < 3600) {
        append_two(out, seconds / 60, "min", seconds % 60, "s");
    } else {
        append_two(out, seconds / 3600, "h", seconds % 3600 / 60, "min");
    }
}

void human_time(struct buffer *out, uint64_t time_ns)
{
    human_count(out, time_ns / NS_PER_S);
    buffer_append_format(out, ".%03" PRIu64 " s", time_ns % NS_PER_S / NS_PER_MS);
}

void human_size(struct buffer *out, uint64_t size_bytes)
{
    static const struct unit units[] = { { 1, "B" },
                                         { UINT64_C(1) << 10, "KiB" },
                                         { UINT64_C(1) << 20, "MiB" },
                                         { UINT64_C(1) << 30, "GiB" } };
    append_in_units(out, size_bytes, units, sizeof units / sizeof *units);
}
