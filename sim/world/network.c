#include "sim/world/network.h"

#include "model/base/check.h"

enum { FRAME_BYTES = 64 }; /* headers of a message on the wire */

void network_init(struct network *network, struct arena *arena,
                  const struct network_options *options, struct prng prng)
{
    CHECK(options->process_count > 0 && options->stream_count > 0);
    CHECK(options->latency_min_ns <= options->latency_max_ns);
    *network = (struct network){ .arena = arena, .options = *options, .prng = prng };
    network->rule_prng.state = hash_mix(prng.state ^ hash_bytes(bytes_of_text("network rules")));
    size_t links =
        (size_t)options->process_count * options->process_count * options->stream_count;
    network->last_arrival_ns = arena_alloc(arena, links, sizeof *network->last_arrival_ns);
    network->senders = arena_alloc(arena, options->process_count, sizeof *network->senders);
}

static size_t link_of(const struct network *network, uint32_t from, uint32_t to, uint32_t stream)
{
    const struct network_options *options = &network->options;
    CHECK(from < options->process_count && to < options->process_count);
    CHECK(stream < options->stream_count);
    return ((size_t)from * options->process_count + to) * options->stream_count + stream;
}

static bool matches(const struct network_rule *rule, uint32_t from, uint32_t to, uint32_t stream,
                    uint64_t now_ns)
{
    if (now_ns < rule->from_ns || now_ns >= rule->until_ns) {
        return false;
    }
    if (rule->stream == NETWORK_ALL_STREAMS ? from == to : rule->stream != stream) {
        return false;
    }
    return from >= rule->from_first && from <= rule->from_last && to >= rule->to_first &&
           to <= rule->to_last &&
           (rule->group_of_process == NULL ||
            rule->group_of_process[from] != rule->group_of_process[to]);
}

/* When a message may leave that wants to at `now_ns`: one hold may end in another. */
static uint64_t release_ns(const struct network *network, uint32_t from, uint32_t to,
                           uint32_t stream, uint64_t now_ns)
{
    uint64_t leave_ns = now_ns;
    for (const struct network_rule *rule = network->rules; rule != NULL;) {
        if (rule->kind == NETWORK_HOLD && matches(rule, from, to, stream, leave_ns)) {
            leave_ns = rule->until_ns;
            rule = network->rules;
        } else {
            rule = rule->next;
        }
    }
    return leave_ns;
}

/* What the rules in force add to a message's way. */
static uint64_t extra_ns(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                         uint64_t size_bytes, uint64_t now_ns)
{
    uint64_t leave_ns = release_ns(network, from, to, stream, now_ns);
    if (leave_ns == NETWORK_NEVER) {
        return NETWORK_NEVER;
    }
    uint64_t total_ns = leave_ns - now_ns;
    for (struct network_rule *rule = network->rules; rule != NULL; rule = rule->next) {
        if (!matches(rule, from, to, stream, now_ns)) {
            continue;
        }
        if (rule->kind == NETWORK_DELAY) {
            total_ns += rule->by_ns;
            total_ns += rule->jitter_ns > 0
                            ? prng_between(&network->rule_prng, 0, rule->jitter_ns)
                            : 0;
        } else if (rule->kind == NETWORK_THROTTLE) {
            uint64_t service_ns =
                cost_transfer_ns(size_bytes + FRAME_BYTES, rule->bandwidth_bytes_per_s);
            total_ns += cost_serve(&rule->server, now_ns, service_ns) - now_ns;
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
    if (network->rules != NULL) {
        uint64_t more_ns = extra_ns(network, from, to, stream, size_bytes, now_ns);
        if (more_ns == NETWORK_NEVER) {
            return NETWORK_NEVER;
        }
        arrival_ns += more_ns;
    }
    if (from == to && stream == 0) {
        return arrival_ns; /* no connection: each sender's own clock keeps its messages in order */
    }
    uint64_t *last_ns = &network->last_arrival_ns[link_of(network, from, to, stream)];
    if (arrival_ns < *last_ns) {
        arrival_ns = *last_ns; /* H1 */
    }
    *last_ns = arrival_ns;
    return arrival_ns;
}

void network_add_rule(struct network *network, const struct network_rule *rule,
                      uint64_t queue_now_ns)
{
    CHECK(rule->from_ns <= rule->until_ns);
    CHECK(rule->stream == NETWORK_ALL_STREAMS || rule->stream < network->options.stream_count);
    struct network_rule **link = &network->rules;
    while (*link != NULL) {
        struct network_rule *old = *link;
        if (old->until_ns <= queue_now_ns) {
            *link = old->next;
            arena_free(network->arena, old);
        } else {
            link = &old->next;
        }
    }
    struct network_rule *added = arena_alloc(network->arena, 1, sizeof *added);
    *added = *rule;
    added->server = (struct cost_server){ 0 };
    added->next = network->rules;
    network->rules = added;
}

bool network_duplicates(const struct network *network, uint32_t from, uint32_t to,
                        uint32_t stream, uint64_t now_ns, uint64_t *by_ns)
{
    for (const struct network_rule *rule = network->rules; from != to && rule != NULL;
         rule = rule->next) {
        if (rule->kind == NETWORK_DUPLICATE && matches(rule, from, to, stream, now_ns)) {
            *by_ns = rule->by_ns;
            return true;
        }
    }
    return false;
}

void network_cut(struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                 uint64_t now_ns)
{
    const struct network_options *options = &network->options;
    size_t link = link_of(network, from, to, stream);
    if (network->lost_until_ns == NULL) {
        size_t links =
            (size_t)options->process_count * options->process_count * options->stream_count;
        network->lost_until_ns = arena_alloc(network->arena, links, sizeof(uint64_t));
    }
    if (network->last_arrival_ns[link] >= now_ns) {
        network->lost_until_ns[link] = network->last_arrival_ns[link];
        network->last_arrival_ns[link]++;
    }
}

bool network_lost(const struct network *network, uint32_t from, uint32_t to, uint32_t stream,
                  uint64_t arrival_ns)
{
    return network->lost_until_ns != NULL &&
           arrival_ns <= network->lost_until_ns[link_of(network, from, to, stream)];
}
