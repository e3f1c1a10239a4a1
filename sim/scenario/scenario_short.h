/* scenario_short.h - scenarios in few words: the keys that differ from their defaults, and the ways
 * to make one simpler key by key.
 *
 * The default of a key is what the reader of scenarios would take if only it were missing: it may
 * follow from other keys. */
#ifndef FAULTLINE_SIM_SCENARIO_SHORT_H
#define FAULTLINE_SIM_SCENARIO_SHORT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "sim/scenario/scenario.h"

/* Appends the resolved scenario as JSON without the keys that have their default values; reading it
 * back gives the same scenario. */
void scenario_write_short(const struct scenario *scenario, struct buffer *out);

/* How many keys have a value of their own; they are numbered from 0. */
uint32_t scenario_setting_count(void);

/* Gives setting `index` its default. False, and nothing changes, if it has it, has none, or says
 * how large the run is. Works in `arena`. */
bool scenario_setting_reset(struct scenario *scenario, struct arena *arena, uint32_t index);

/* Rounds setting `index`, if it is a number and not its default, down to `digits` decimal digits,
 * or to a power of two if it counts bytes. False, and nothing changes, if it is that round, would
 * leave its limits, or says how large the run is. */
bool scenario_setting_round(struct scenario *scenario, struct arena *arena, uint32_t index,
                            uint32_t digits);

/* `value` with all but its first `digits` decimal digits zero. */
uint64_t round_to_digits(uint64_t value, uint32_t digits);

/* As scenario_write, but of the settings only those that `keep` names; the faults are always
 * written. */
void scenario_write_if(const struct scenario *scenario,
                       bool (*keep)(const void *context, uint32_t index), const void *context,
                       struct buffer *out);

#endif
