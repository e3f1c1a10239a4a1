/* cost.h - how long things take in simulated time. */
#ifndef FAULTLINE_SIM_COST_H
#define FAULTLINE_SIM_COST_H

#include <stdint.h>

#include "model/base/arena.h"

/* The time to move `bytes` at `bytes_per_s`, rounded up; 0 bytes per second means no limit. */
uint64_t cost_transfer_ns(uint64_t bytes, uint64_t bytes_per_s);

/* Something that serves one request after the other, such as a disk or the sending side of a
 * network card. */
struct cost_server {
    uint64_t free_ns; /* when it has served all so far */
};

/* A request made at `now_ns` that takes `service_ns`: returns when it is done. */
uint64_t cost_serve(struct cost_server *server, uint64_t now_ns, uint64_t service_ns);

/* What many clients write to or read from. They share its bandwidth, one request after the other;
 * each has a connection of its own, which is slower or faster than that; and no more than
 * `slot_count` requests are served at one time, the others stand in line. */
struct cost_store {
    struct cost_server pipe; /* the bandwidth that all share */
    uint64_t *slots_free_ns; /* when each slot is free; NULL: there is no limit */
    uint32_t slot_count;
};

/* A store that serves `slot_count` requests at one time; 0: as many as come. */
void cost_store_init(struct cost_store *store, struct arena *arena, uint32_t slot_count);

struct cost_request {
    uint64_t now_ns;    /* made; requests come in the order of their calls */
    uint64_t shared_ns; /* its time at the bandwidth that all share */
    uint64_t client_ns; /* ... and at that of its own connection */
};

/* Serves a request: first come, first served. Returns when it is done, which is the longer of its
 * two times after its turn came; `*wait_ns` is how long it stood in line before. */
uint64_t cost_store_serve(struct cost_store *store, const struct cost_request *request,
                          uint64_t *wait_ns);

#endif
