/* key_group.h - which subtask owns a key: Flink's key groups, hash for hash.
 *
 * A key has a 32-bit hash (Java's hashCode of its type); Flink's murmur spreads it over
 * `max_parallelism` key groups; each subtask owns a contiguous range of them. Rule and test
 * vectors: Flink's KeyGroupRangeAssignment and MathUtils. */
#ifndef FAULTLINE_STATE_KEY_GROUP_H
#define FAULTLINE_STATE_KEY_GROUP_H

#include <stdint.h>

#include "model/base/bytes.h"

enum { KEY_GROUP_COUNT_MAX = 32768, KEY_GROUP_COUNT_DEFAULT_MIN = 128 };

/* Java's Long.hashCode, and String.hashCode for ASCII text. */
int32_t key_hash_i64(int64_t value);
int32_t key_hash_text(struct bytes text);

/* Flink's MathUtils.murmurHash: 0..INT32_MAX. */
int32_t key_group_murmur(int32_t hash);

/* 0..max_parallelism-1. */
uint32_t key_group_of(int32_t hash, uint32_t max_parallelism);

/* The subtask, 0..parallelism-1, that owns `key_group`. */
uint32_t key_group_subtask(uint32_t key_group, uint32_t max_parallelism, uint32_t parallelism);

struct key_group_range {
    uint32_t first; /* both included */
    uint32_t last;
};

struct key_group_range key_group_range_of(uint32_t subtask, uint32_t max_parallelism,
                                          uint32_t parallelism);

/* Flink's default: min(max(nextPow2(p + p/2), 128), 32768). */
uint32_t key_group_default_max_parallelism(uint32_t parallelism);

#endif
