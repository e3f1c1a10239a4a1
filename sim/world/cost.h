/* cost.h - how long things take in simulated time. */
#ifndef FAULTLINE_SIM_COST_H
#define FAULTLINE_SIM_COST_H

#include <stdint.h>

/* The time to move `bytes` at `bytes_per_s`, rounded up; 0 bytes per second means no limit. */
uint64_t cost_transfer_ns(uint64_t bytes, uint64_t bytes_per_s);

/* Something that serves one request after the other, such as a disk or the sending side of a
 * network card. */
struct cost_server {
    uint64_t free_ns; /* when it has served all so far */
};

/* A request made at `now_ns` that takes `service_ns`: returns when it is done. */
uint64_t cost_serve(struct cost_server *server, uint64_t now_ns, uint64_t service_ns);

#endif
