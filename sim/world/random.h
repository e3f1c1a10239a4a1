/* random.h - named random streams from one seed: a new draw in one place disturbs no other. */
#ifndef FAULTLINE_SIM_RANDOM_H
#define FAULTLINE_SIM_RANDOM_H

#include <stdint.h>

#include "model/base/prng.h"

/* The stream called `name` of `seed`. */
struct prng random_stream(uint64_t seed, const char *name);

/* Stream number `index` of a family of streams. */
struct prng random_stream_of(uint64_t seed, const char *name, uint64_t index);

#endif
