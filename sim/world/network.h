/* network.h - when a message arrives: latency, bandwidth, order, and what faults do to links.
 *
 * A link is one direction between two processes for one stream (host.h): first in, first out. The
 * sending side of each machine is one server with a bandwidth; latency is drawn uniformly from a
 * range for each message. Messages within a machine take the local latency only, and its control
 * messages (stream 0) share no link: one actor's do not wait for another's, whose clock is ahead.
 *
 * Faults are rules that apply to what is sent while they are in force; what was on its way before
 * arrives as it would have.
 *
 * Not modelled: loss and retransmission (a connection is reliable until it breaks), queues in
 * switches, the receiving side's bandwidth. */
#ifndef FAULTLINE_SIM_NETWORK_H
#define FAULTLINE_SIM_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/prng.h"
#include "sim/world/cost.h"

struct network_options {
    uint32_t process_count; /* each on a machine of its own */
    uint32_t stream_count;
    uint64_t latency_min_ns;
    uint64_t latency_max_ns;
    uint64_t local_latency_ns;
    uint64_t bandwidth_bytes_per_s;
};

#define NETWORK_ALL_STREAMS UINT32_MAX
#define NETWORK_NEVER UINT64_MAX

enum network_rule_kind {
    NETWORK_DELAY,     /* by_ns, and 0..jitter_ns more drawn for each message */
    NETWORK_THROTTLE,  /* all messages that match share bandwidth_bytes_per_s */
    NETWORK_HOLD,      /* as if they had been sent at until_ns */
    NETWORK_DUPLICATE, /* see network_duplicates */
};

/* What is done to messages of `stream` that leave one of the processes from_first..from_last for
 * one of to_first..to_last between from_ns and until_ns (NETWORK_NEVER: for good). With groups
 * (borrowed, by process) only to those between two groups. Messages within a process count only if
 * one stream is named. */
struct network_rule {
    enum network_rule_kind kind;
    uint32_t from_first;
    uint32_t from_last;
    uint32_t to_first;
    uint32_t to_last;
    uint32_t stream;
    const uint8_t *group_of_process; /* NULL: none */
    uint64_t from_ns;
    uint64_t until_ns;
    uint64_t by_ns;
    uint64_t jitter_ns;
    uint64_t bandwidth_bytes_per_s;
    struct cost_server server; /* the network's own */
    struct network_rule *next; /* the network's own */
};

struct network {
    struct arena *arena;
    struct network_options options;
    struct prng prng;
    struct prng rule_prng;       /* what rules draw */
    uint64_t *last_arrival_ns;   /* by link */
    struct cost_server *senders; /* by process */
    struct network_rule *rules;
    uint64_t *lost_until_ns; /* by link: what arrives until then was lost; NULL: nothing was */
};

void network_init(struct network *network, struct arena *arena,
                  const struct network_options *options, struct prng prng);

/* When a message of `size_bytes` arrives that leaves process `from` at `now_ns`; NETWORK_NEVER: a
 * rule holds it for good. */
uint64_t network_send(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                      uint64_t size_bytes, uint64_t now_ns);

/* Adds a rule; of several that match all apply. Rules that were over at `queue_now_ns` are
 * forgotten. */
void network_add_rule(struct network *network, const struct network_rule *rule,
                      uint64_t queue_now_ns);

/* Does a message that leaves now arrive a second time? Then `*by_ns` says how much later. */
bool network_duplicates(const struct network *network, uint32_t from, uint32_t to,
                        uint32_t stream, uint64_t now_ns, uint64_t *by_ns);

/* Loses all that is on its way on one link; what is sent later arrives behind it. */
void network_cut(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                 uint64_t now_ns);

/* Was a message that arrives at `arrival_ns` lost by a cut? */
bool network_lost(const struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                  uint64_t arrival_ns);

#endif
