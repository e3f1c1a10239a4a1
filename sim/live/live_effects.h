/* live_effects.h - what the faults of links, connections, storage and files do to a live cluster;
 * live_faults decides when, and to which processes. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_EFFECTS_H
#define FAULTLINE_SIM_LIVE_LIVE_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/live/live_cluster.h"
#include "model/stream/pipeline.h"
#include "sim/fault/fault_book.h"

struct live_effect {
    struct live_cluster *cluster;
    const struct pipeline *pipeline;
    uint32_t process_count;
    uint64_t now_ns;
    const struct fault *fault;
    uint32_t number; /* of the fault */
    struct fault_target target;
};

/* Puts a fault of messages or of storage in force, or breaks connections. False: there is nothing
 * to act upon. */
bool live_effect_apply(const struct live_effect *effect);

/* Damages each file below `folder`, the SHARED volume, that the fault names, and tells which: in
 * place, whoever has it open. False: there is none. */
bool live_effect_damage(const struct fault *fault, const char *folder, struct fault_hooks hooks);

#endif
