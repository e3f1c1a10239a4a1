#include "sim/world/random.h"

struct prng random_stream_of(uint64_t seed, const char *name, uint64_t index)
{
    uint64_t name_hash = hash_bytes(bytes_of_text(name));
    return (struct prng){ .state = hash_mix(hash_mix(seed ^ name_hash) + index) };
}

struct prng random_stream(uint64_t seed, const char *name)
{
    return random_stream_of(seed, name, 0);
}
