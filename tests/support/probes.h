/* probes.h - a simulated cluster of three processes that do nothing but look: a probe in each is
 * called every 10 ms of its own clock, and notes what it hears. For tests of what faults do.
 *
 * One at a time: the probes know each other by file scope. */
#ifndef FAULTLINE_TESTS_PROBES_H
#define FAULTLINE_TESTS_PROBES_H

#include "model/runtime/process.h"
#include "sim/fault/fault_script.h"
#include "sim/world/world.h"

enum { PROBES_TICKS = 40, PROBES_COUNT = 3, PROBES_HEARD_MAX = 400 };

#define MS UINT64_C(1000000)

/* A message, and who heard it when. */
struct probes_heard {
    uint64_t time_ns; /* simulated */
    uint32_t process;
    uint32_t kind;
    uint32_t stream;
    uint64_t number; /* its attempt */
};

typedef void (*probes_step)(struct host *host, uint32_t process, uint64_t tick);

struct probes {
    struct arena arena;
    struct scenario scenario;
    struct pipeline pipeline;
    struct world *world;
    struct fault_script *script;
    probes_step step;
    struct probes_heard heard[PROBES_HEARD_MAX];
    uint32_t heard_count;
    uint64_t tick_ns[PROBES_COUNT][PROBES_TICKS + 1]; /* simulated time of each tick, from 1 */
    struct buffer damaged;                            /* paths of damaged files, each with a ';' */
};

void probes_init(struct probes *probes);
void probes_free(struct probes *probes);

/* Runs for a second under `faults`, the elements of a JSON array, and calls `step` at each tick.
 * The network takes 1 ms, the store answers in 1 ms, a disk syncs in 2 ms. */
void probes_run(struct probes *probes, const char *faults, probes_step step);

/* Did fault `number` fire? */
bool probes_fired(const struct probes *probes, uint32_t number);

#endif
