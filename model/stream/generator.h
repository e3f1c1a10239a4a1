/* generator.h - input records that are computed from their number alone: any subtask, any attempt
 * and the oracle get the same record n without reading those before it.
 *
 * Keys 0..keys-1 are drawn with probability proportional to 1 / (key + 1)^skew (Zipf), by Walker's
 * alias method on a table of integers; all arithmetic is integral. */
#ifndef FAULTLINE_STREAM_GENERATOR_H
#define FAULTLINE_STREAM_GENERATOR_H

#include <stdint.h>

#include "model/base/arena.h"

struct generator {
    uint64_t keys;
    uint64_t seed;
    struct generator_column *columns; /* NULL: uniform */
    const uint32_t *remembered;       /* the keys of the first records */
    uint64_t remembered_count;
    const struct generator_range *ranges;
    uint32_t range_count;
};

/* `keys` >= 1; `skew_ppm` is the exponent in millionths, at most 4000000. Immutable after this;
 * owned by `arena`. */
struct generator *generator_create(struct arena *arena, uint64_t keys, uint32_t skew_ppm,
                                   uint64_t seed);

/* Records first..end-1 all have `key`: hot, or bad if it is GENERATOR_BAD_KEY, which as a number in
 * the input does not fit the 64 bits that a record may have. */
#define GENERATOR_BAD_KEY UINT64_MAX
struct generator_range {
    uint64_t first;
    uint64_t end;
    uint64_t key;
};

/* Before the first use; of ranges that overlap the first counts. They are borrowed. What was
 * remembered is so no more. */
void generator_set_ranges(struct generator *generator, const struct generator_range *ranges,
                          uint32_t count);

/* Computes the keys of the first `count` records once and for all, for who asks for them in many
 * runs. Takes 4 bytes a record from `arena`, which must live as long. */
void generator_remember(struct generator *generator, struct arena *arena, uint64_t count);

/* The general case of generator_key. */
uint64_t generator_key_any(const struct generator *generator, uint64_t number);

/* The key of record `number`: 0..keys-1, unless it lies in a range. Inline, because a source and
 * the judge ask for every record. */
static inline uint64_t generator_key(const struct generator *generator, uint64_t number)
{
    return number < generator->remembered_count ? generator->remembered[number]
                                                : generator_key_any(generator, number);
}

#endif
