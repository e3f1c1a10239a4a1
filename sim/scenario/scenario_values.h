/* scenario_values.h - how values are spelt in a scenario: durations, sizes, rates, fractions,
 * ranges and bounds, as texts, both ways.
 *
 * A quantity is a decimal number and a unit, with nothing between them: "250ms", "6.5s", "64KiB",
 * "1GiB/s", "50k/s". It must come out as a whole number of the smallest unit: "0.5ns" is none. */
#ifndef FAULTLINE_SIM_SCENARIO_VALUES_H
#define FAULTLINE_SIM_SCENARIO_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/scenario/scenario.h"

enum value_unit {
    VALUE_COUNT,     /* no unit */
    VALUE_DURATION,  /* ns us ms s min h, in ns */
    VALUE_SIZE,      /* B KiB MiB GiB, in bytes */
    VALUE_BANDWIDTH, /* B/s KiB/s MiB/s GiB/s, in bytes per second */
    VALUE_RATE,      /* "/s" k/s M/s G/s, per second */
};

enum value_result {
    VALUE_OK,
    VALUE_MALFORMED,
    VALUE_NEGATIVE,
    VALUE_TOO_FINE,  /* no whole number of the smallest unit */
    VALUE_TOO_LARGE, /* does not fit 64 bits */
    VALUE_UNORDERED, /* a range whose end is before its start */
};

/* One quantity. `*value` is unchanged unless the answer is VALUE_OK; so are the results below. */
enum value_result value_parse(struct bytes text, enum value_unit unit, uint64_t *value);

/* "a..b", or one quantity, which is a range from itself to itself. */
enum value_result value_parse_range(struct bytes text, enum value_unit unit, uint64_t *low,
                                    uint64_t *high);

/* "0.25" or "1/1000", rounded to millionths; a decimal number must be exact. */
enum value_result value_parse_ppm(struct bytes text, uint64_t *ppm);

/* ">= 5", "< 10s", "= 3"; a quantity alone means "=". */
enum value_result value_parse_bound(struct bytes text, enum value_unit unit, struct bound *bound);

/* The way back, in the largest unit that is exact. */
void value_format(uint64_t value, enum value_unit unit, struct buffer *out);
void value_format_range(uint64_t low, uint64_t high, enum value_unit unit, struct buffer *out);
void value_format_ppm(uint64_t ppm, struct buffer *out); /* a decimal number: 0.25, 1.5, 1 */
void value_format_bound(struct bound bound, enum value_unit unit, struct buffer *out);

#endif
