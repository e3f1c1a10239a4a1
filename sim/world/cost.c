#include "sim/world/cost.h"

#include "model/base/prng.h"

enum { NS_PER_S = 1000000000 };

uint64_t cost_transfer_ns(uint64_t bytes, uint64_t bytes_per_s)
{
    if (bytes_per_s == 0 || bytes == 0) {
        return 0;
    }
    if (bytes <= UINT64_MAX / NS_PER_S) {
        uint64_t product = bytes * NS_PER_S;
        return product / bytes_per_s + (product % bytes_per_s != 0);
    }
    return (uint64_t)(((prng_wide)bytes * NS_PER_S + bytes_per_s - 1) / bytes_per_s);
}

uint64_t cost_serve(struct cost_server *server, uint64_t now_ns, uint64_t service_ns)
{
    uint64_t start_ns = server->free_ns > now_ns ? server->free_ns : now_ns;
    server->free_ns = start_ns + service_ns;
    CHECK(server->free_ns >= start_ns);
    return server->free_ns;
}

void cost_store_init(struct cost_store *store, struct arena *arena, uint32_t slot_count)
{
    *store = (struct cost_store){ .slot_count = slot_count };
    if (slot_count > 0) {
        store->slots_free_ns = arena_alloc(arena, slot_count, sizeof *store->slots_free_ns);
    }
}

/* The slot that is free first; which of several equal ones makes no difference. */
static uint64_t *first_slot(struct cost_store *store)
{
    uint64_t *first = store->slots_free_ns;
    for (uint32_t i = 1; i < store->slot_count; i++) {
        first = store->slots_free_ns[i] < *first ? &store->slots_free_ns[i] : first;
    }
    return first;
}

uint64_t cost_store_serve(struct cost_store *store, const struct cost_request *request,
                          uint64_t *wait_ns)
{
    uint64_t *slot = first_slot(store);
    uint64_t turn_ns = request->now_ns;
    if (slot != NULL && *slot > turn_ns) {
        turn_ns = *slot;
    }
    uint64_t shared_done_ns = cost_serve(&store->pipe, turn_ns, request->shared_ns);
    uint64_t start_ns = shared_done_ns - request->shared_ns;
    uint64_t client_done_ns = start_ns + request->client_ns;
    CHECK(client_done_ns >= start_ns);
    uint64_t done_ns = client_done_ns > shared_done_ns ? client_done_ns : shared_done_ns;
    if (slot != NULL) {
        *slot = done_ns;
    }
    *wait_ns = start_ns - request->now_ns;
    return done_ns;
}
