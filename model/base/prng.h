/* prng.h - the pseudo-random generator: SplitMix64, integers only.
 *
 * Which stream a draw comes from is the simulator's policy (sim/world/random.h); this is
 * arithmetic. */
#ifndef FAULTLINE_BASE_PRNG_H
#define FAULTLINE_BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/check.h"
#include "model/base/hash.h"

__extension__ typedef unsigned __int128 prng_wide;

struct prng {
    uint64_t state;
};

/* The next 64 random bits. */
static inline uint64_t prng_next(struct prng *prng)
{
    prng->state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_mix(prng->state);
}

/* Uniform in 0..bound-1 (multiply and shift; the bias is below bound / 2^64). */
static inline uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    CHECK(bound > 0);
    return (uint64_t)(((prng_wide)prng_next(prng) * bound) >> 64);
}

/* Uniform in low..high, both included. */
static inline uint64_t prng_between(struct prng *prng, uint64_t low, uint64_t high)
{
    CHECK(low <= high);
    return high - low == UINT64_MAX ? prng_next(prng) : low + prng_below(prng, high - low + 1);
}

/* True with a probability of `ppm` parts per million. */
static inline bool prng_chance(struct prng *prng, uint32_t ppm)
{
    return prng_below(prng, 1000000) < ppm;
}

#endif
