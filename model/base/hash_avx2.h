/* hash_avx2.h - the hash made of instructions that not every processor has: over twice as fast on
 * long bytes. For hash.c only. */
#ifndef FAULTLINE_BASE_HASH_AVX2_H
#define FAULTLINE_BASE_HASH_AVX2_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

/* Has this processor the instructions, and were they compiled in? */
bool hash_avx2_is_possible(void);

/* The same hash; only if it is possible. */
uint64_t hash_avx2(struct bytes bytes);

/* Adds bytes to a stream's XXH3_state_t; only if it is possible. */
void hash_avx2_add(void *state, struct bytes bytes);

#endif
