/* fault_script.h - applies a list of faults to a world: at a time, or on a traced fact.
 *
 * It draws nothing: the list is explicit. A fault fires once, when its trigger comes and there is
 * something to act upon; a crash of a process that is dead already does not fire. A fault of
 * storage or of user code fires with the first call that it strikes; a rescale, when the JobManager
 * has answered: until then it is asked again and again, one request after the other. */
#ifndef FAULTLINE_SIM_FAULT_SCRIPT_H
#define FAULTLINE_SIM_FAULT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"
#include "sim/world/world.h"

/* What became of one fault of the scenario. */
struct fault_record {
    const struct fault *fault;
    uint32_t matches;  /* of its `when` */
    bool armed;        /* its trigger came; it may still wait for something to strike */
    bool fired;
    uint64_t armed_ns; /* when its trigger came */
    uint64_t fired_ns; /* when it took effect */
    uint64_t ended_ns; /* when its effect was over; equal to fired_ns if it has no length */
};

/* Whom to tell. */
struct fault_hooks {
    /* A fault took effect. */
    void (*on_fired)(void *context, const struct fault_record *record);
    /* A file was damaged or deleted behind the model's back. */
    void (*on_damage)(void *context, const char *path);
    void *context;
};

struct fault_script;

/* Arms every fault of `scenario` in `world` (as its listener, and by callbacks). Memory from
 * `arena`. */
struct fault_script *fault_script_create(struct arena *arena, const struct scenario *scenario,
                                         struct world *world, struct fault_hooks hooks);

/* The records, one a fault, in the order of the scenario. Borrowed. */
const struct fault_record *fault_script_records(const struct fault_script *script);

/* When the last effect was over; 0: none fired. */
uint64_t fault_script_last_ns(const struct fault_script *script);

/* Is `fact` one that a TRIGGER_WHEN waits for? Which of them it is, the caller counts. */
bool fault_trigger_matches(const struct fault_trigger *trigger, const struct fact *fact);

#endif
