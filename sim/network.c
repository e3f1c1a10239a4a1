#include "sim/network.h"

#include "model/base/check.h"

enum { FRAME_BYTES = 64 }; /* headers of a message on the wire */

struct network_delay {
    struct network_delay *next;
    uint32_t stream;
    uint64_t from_ns;
    uint64_t until_ns;
    uint64_t by_ns;
};

void network_init(struct network *network, struct arena *arena,
                  const struct network_options *options, struct prng prng)
{
    CHECK(options->process_count > 0 && options->stream_count > 0);
    CHECK(options->latency_min_ns <= options->latency_max_ns);
    *network = (struct network){ .arena = arena, .options = *options, .prng = prng };
    size_t links =
        (size_t)options->process_count * options->process_count * options->stream_count;
    network->last_arrival_ns = arena_alloc(arena, links, sizeof *network->last_arrival_ns);
    network->senders = arena_alloc(arena, options->process_count, sizeof *network->senders);
}

/* What the delays in force add. */
static uint64_t delay_ns(struct network *network, uint32_t stream, uint64_t now_ns)
{
    uint64_t total_ns = 0;
    for (const struct network_delay *delay = network->delays; delay != NULL; delay = delay->next) {
        if (delay->stream == stream && delay->from_ns <= now_ns && now_ns < delay->until_ns) {
            total_ns += delay->by_ns;
        }
    }
    return total_ns;
}

uint64_t network_send(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                      uint64_t size_bytes, uint64_t now_ns)
{
    const struct network_options *options = &network->options;
    CHECK(from < options->process_count && to < options->process_count);
    CHECK(stream < options->stream_count);
    uint64_t arrival_ns;
    if (from == to) {
        arrival_ns = now_ns + options->local_latency_ns;
    } else {
        uint64_t service_ns =
            cost_transfer_ns(size_bytes + FRAME_BYTES, options->bandwidth_bytes_per_s);
        arrival_ns = cost_serve(&network->senders[from], now_ns, service_ns) +
                     prng_between(&network->prng, options->latency_min_ns,
                                  options->latency_max_ns);
    }
    if (network->delays != NULL) {
        arrival_ns += delay_ns(network, stream, now_ns);
    }
    size_t link = ((size_t)from * options->process_count + to) * options->stream_count + stream;
    uint64_t *last_ns = &network->last_arrival_ns[link];
    if (arrival_ns < *last_ns) {
        arrival_ns = *last_ns; /* H1 */
    }
    *last_ns = arrival_ns;
    return arrival_ns;
}

void network_delay(struct network *network, uint32_t stream, uint64_t from_ns, uint64_t until_ns,
                   uint64_t by_ns)
{
    CHECK(stream < network->options.stream_count);
    CHECK(from_ns <= until_ns);
    struct network_delay *delay = arena_alloc(network->arena, 1, sizeof *delay);
    *delay = (struct network_delay){ .next = network->delays,
                                     .stream = stream,
                                     .from_ns = from_ns,
                                     .until_ns = until_ns,
                                     .by_ns = by_ns };
    network->delays = delay;
}
