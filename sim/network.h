/* network.h - when a message arrives: latency, bandwidth, order, and what faults do to links.
 *
 * A link is one direction between two processes for one stream (host.h): first in, first out. The
 * sending side of each machine is one server with a bandwidth; latency is drawn uniformly from a
 * range for each message. Messages within a machine take the local latency only.
 *
 * Not modelled: loss and retransmission (a connection is reliable until it breaks), queues in
 * switches, the receiving side's bandwidth. */
#ifndef FAULTLINE_SIM_NETWORK_H
#define FAULTLINE_SIM_NETWORK_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/prng.h"
#include "sim/cost.h"

struct network_options {
    uint32_t process_count; /* each on a machine of its own */
    uint32_t stream_count;
    uint64_t latency_min_ns;
    uint64_t latency_max_ns;
    uint64_t local_latency_ns;
    uint64_t bandwidth_bytes_per_s;
};

struct network_delay;

struct network {
    struct arena *arena;
    struct network_options options;
    struct prng prng;
    uint64_t *last_arrival_ns;    /* by link */
    struct cost_server *senders; /* by process */
    struct network_delay *delays;
};

void network_init(struct network *network, struct arena *arena,
                  const struct network_options *options, struct prng prng);

/* When a message of `size_bytes` arrives that leaves process `from` at `now_ns`. */
uint64_t network_send(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                      uint64_t size_bytes, uint64_t now_ns);

/* From `from_ns` until `until_ns` every message of `stream` that leaves then takes `by_ns` longer.
 * Delays add up. */
void network_delay(struct network *network, uint32_t stream, uint64_t from_ns, uint64_t until_ns,
                   uint64_t by_ns);

#endif
