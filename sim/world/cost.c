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
