/* sample.h - numbers of which the median counts, in the order in which they came. */
#ifndef FAULTLINE_SIM_LIVE_SAMPLE_H
#define FAULTLINE_SIM_LIVE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

struct sample {
    struct arena *arena;
    uint64_t *values;
    size_t count;
    size_t capacity;
};

/* It is empty, and grows in `arena`. */
struct sample sample_in(struct arena *arena);
void sample_add(struct sample *sample, uint64_t value);

/* Adds all of `more` behind what is there. */
void sample_join(struct sample *sample, const struct sample *more);

/* The value in the middle, the upper of two; 0: there is none. */
uint64_t sample_median(const struct sample *sample);

#endif
