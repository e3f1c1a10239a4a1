/* fault_script.h - applies a list of faults to a world: at a time, or on a traced fact; when each
 * fires, fault_book.h says. */
#ifndef FAULTLINE_SIM_FAULT_SCRIPT_H
#define FAULTLINE_SIM_FAULT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/fault/fault_book.h"
#include "sim/scenario/scenario.h"
#include "sim/world/world.h"

struct fault_script;

/* Arms every fault of `scenario` in `world` (as its listener, and by callbacks). Memory from
 * `arena`. */
struct fault_script *fault_script_create(struct arena *arena, const struct scenario *scenario,
                                         struct world *world, struct fault_hooks hooks);

/* The records, one a fault, in the order of the scenario. Borrowed. */
const struct fault_record *fault_script_records(const struct fault_script *script);

/* When the last effect was over; 0: none fired. */
uint64_t fault_script_last_ns(const struct fault_script *script);

#endif
