/* sim_faults.h - the faults of a simulated world beyond the end of a process: what is in force, and
 * how the world and its host ask about it.
 *
 * A world in which no such fault was ever armed has none of this (world->faults is NULL), draws
 * nothing for it and makes no event for it. */
#ifndef FAULTLINE_SIM_SIM_FAULTS_H
#define FAULTLINE_SIM_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "sim/world/network.h"
#include "sim/world/storage_faults.h"

struct world;
struct sim_actor;
struct sim_process;

/* A machine's clock. It is a function of simulated time that never falls: behind a jump back it
 * stands still until it would have reached the same reading again. */
struct sim_clock {
    uint64_t set_ns;   /* simulated time from which on `shown_ns` and `rate_ppm` hold */
    int64_t shown_ns;  /* what it would show at set_ns, had it never stood still */
    uint64_t rate_ppm; /* how far it gets in a million nanoseconds */
    uint64_t floor_ns; /* what it showed when it was last set: it never shows less */
};

/* What slows a process down; a part of struct sim_process, made when first needed. */
struct sim_process_faults {
    struct sim_clock clock;
    uint64_t slow_until_ns;
    uint64_t slow_factor_ppm;
    uint64_t late_until_ns;
    uint64_t late_by_ns;
};

/* Processes first..last. */
struct process_range {
    uint32_t first;
    uint32_t last;
};

static inline bool process_range_has(struct process_range range, uint32_t process)
{
    return process >= range.first && process <= range.last;
}

/* Is one of two processes in `one`, and the other in `other`? */
static inline bool process_ranges_join(struct process_range one, struct process_range other,
                                       uint32_t a, uint32_t b)
{
    return (process_range_has(one, a) && process_range_has(other, b)) ||
           (process_range_has(one, b) && process_range_has(other, a));
}

/* An armed exception. */
struct sim_throw {
    struct sim_throw *next;
    uint32_t vertex;
    uint32_t subtask;
    enum host_user_call call;
    uint32_t left;
    uint32_t number;
};

/* Broken data connections: what actors that are older than `actor_number` send is lost. */
struct sim_reset {
    struct sim_reset *next;
    struct process_range one;
    struct process_range other;
    uint32_t stream; /* or NETWORK_ALL_STREAMS */
    uint64_t actor_number;
};

struct sim_faults {
    struct storage_faults storage;
    struct sim_throw *throws;
    struct sim_reset *resets;
    /* A fault that waits for an occasion found one. */
    void (*on_hit)(void *context, uint32_t number, uint64_t now_ns);
    void *context;
};

/* ---- arming: for the fault script ------------------------------------------------------------ */

/* The world's faults, made when first asked for. `on_hit` tells when fault `number` first had an
 * effect. */
struct sim_faults *world_faults(struct world *world,
                                void (*on_hit)(void *context, uint32_t number, uint64_t now_ns),
                                void *context);

/* Did a sync ever answer that all is durable when it was not? */
bool world_has_lied(const struct world *world);

/* The moment at which a fault that is armed now begins. */
uint64_t world_moment_ns(const struct world *world);

/* As world_cut with all unsynced data lost; the machine's LOCAL volume is empty when it returns. */
bool world_wipe(struct world *world, uint32_t process, uint64_t for_ns);

/* A process computes factor_ppm millionths as long, until `until_ns`. False if it is dead. */
bool world_slow(struct world *world, uint32_t process, uint64_t until_ns, uint64_t factor_ppm);

/* Every timer that a process sets until `until_ns` goes off by_ns later. False if it is dead. */
bool world_late(struct world *world, uint32_t process, uint64_t until_ns, uint64_t by_ns);

/* The clock of a process's machine jumps by by_ns, and from now on gains drift_ppm; `backwards`:
 * falls back, and loses. It outlives the process. */
void world_set_clock(struct world *world, uint32_t process, uint64_t by_ns, uint32_t drift_ppm,
                     bool backwards);

/* The next `count` calls of user code of this kind in a subtask fail, whichever attempt it is. */
void world_throw(struct world *world, const struct sim_throw *wanted);

/* Breaks connections between two sets of processes: of one stream, or of all. */
void world_reset(struct world *world, struct process_range one, struct process_range other,
                 uint32_t stream);

/* Sends a message to the main actor of a process, from outside the cluster: it comes at once, or
 * not at all if the process is dead. */
void world_tell(struct world *world, uint32_t process, uint32_t kind, struct bytes data);

/* What is sent from now on follows the rule; its times are set by the caller. */
void world_add_network_rule(struct world *world, const struct network_rule *rule);

/* ---- asking: for the host -------------------------------------------------------------------- */

uint64_t sim_clock_read(const struct sim_process *process, uint64_t now_ns);

/* The simulated time at which the clock will show `due_ns`; never before now. */
uint64_t sim_clock_reaches(const struct sim_process *process, uint64_t now_ns, uint64_t due_ns);

/* What `work_ns` of computing takes. */
uint64_t sim_slowed(const struct sim_process *process, uint64_t now_ns, uint64_t work_ns);

bool sim_throws(struct sim_actor *actor, enum host_user_call call);

/* A subtask exists: notes what will be thrown in it. */
void sim_faults_on_task_started(struct sim_actor *actor, uint32_t vertex, uint32_t subtask);

/* Was a message that arrives now lost in a reset? */
bool sim_message_is_lost(struct world *world, const struct message *message);

#endif
