/* fault_effects.h - what the faults of links, connections, storage, clocks and user code do to a
 * world; the fault script decides when and to which processes. */
#ifndef FAULTLINE_SIM_FAULT_EFFECTS_H
#define FAULTLINE_SIM_FAULT_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"
#include "sim/world/sim_faults.h"
#include "sim/world/world.h"

struct fault_effect {
    struct world *world;
    const struct fault *fault;
    uint32_t number;            /* of the fault: told by the hit hook of world_faults */
    struct process_range one;   /* the process or processes that the object names ... */
    struct process_range other; /* ... and those at the other end: all, if none are named */
};

/* Does the fault wait, once armed, for something to strike: a storage call, a call of user code? */
bool fault_waits_for_a_hit(const struct fault *fault);

/* Does a fault of messages concern those from the processes that its object names to the others;
 * those the other way? */
bool fault_goes_out(const struct fault *fault);
bool fault_comes_in(const struct fault *fault);

/* Puts the fault in force. False: there is nothing to act upon. */
bool fault_effect_apply(const struct fault_effect *effect);

#endif
