/* key_group.h - which subtask owns a key: Flink's key groups, hash for hash.
 *
 * A key has a 32-bit hash (Java's hashCode of its type); Flink's murmur spreads it over
 * `max_parallelism` key groups; each subtask owns a contiguous range of them. Rule and test
 * vectors: Flink's KeyGroupRangeAssignment and MathUtils. */
#ifndef FAULTLINE_STATE_KEY_GROUP_H
#define FAULTLINE_STATE_KEY_GROUP_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/check.h"

enum { KEY_GROUP_COUNT_MAX = 32768 };

/* Java's Long.hashCode, and String.hashCode for ASCII text. */
int32_t key_hash_i64(int64_t value);
int32_t key_hash_text(struct bytes text);

static inline uint32_t key_group_rotate_left(uint32_t value, unsigned count)
{
    return (value << count) | (value >> (32 - count));
}

/* Flink's MathUtils.murmurHash: 0..INT32_MAX. Here, not in the .c file, because every record is
 * hashed twice, by its sender and by its receiver. */
static inline int32_t key_group_murmur(int32_t hash)
{
    uint32_t bits = (uint32_t)hash;
    bits *= UINT32_C(0xcc9e2d51);
    bits = key_group_rotate_left(bits, 15);
    bits *= UINT32_C(0x1b873593);
    bits = key_group_rotate_left(bits, 13);
    bits = bits * 5 + UINT32_C(0xe6546b64);
    bits ^= 4; /* the length of the input in bytes */
    bits ^= bits >> 16;
    bits *= UINT32_C(0x85ebca6b);
    bits ^= bits >> 13;
    bits *= UINT32_C(0xc2b2ae35);
    bits ^= bits >> 16;
    uint32_t magnitude = bits > INT32_MAX ? 0 - bits : bits;
    return (int32_t)(magnitude & INT32_MAX); /* the one number without an opposite becomes 0 */
}

/* 0..max_parallelism-1. */
static inline uint32_t key_group_of(int32_t hash, uint32_t max_parallelism)
{
    uint32_t murmur = (uint32_t)key_group_murmur(hash);
    uint32_t mask = max_parallelism - 1;
    CHECK(mask < KEY_GROUP_COUNT_MAX); /* 1 to KEY_GROUP_COUNT_MAX groups */
    /* The default is a power of two, and a division takes as long as the rest. */
    return (max_parallelism & mask) == 0 ? murmur & mask : murmur % max_parallelism;
}

/* The subtask, 0..parallelism-1, that owns `key_group`. */
uint32_t key_group_subtask(uint32_t key_group, uint32_t max_parallelism, uint32_t parallelism);

struct key_group_range {
    uint32_t first; /* both included */
    uint32_t last;
};

struct key_group_range key_group_range_of(uint32_t subtask, uint32_t max_parallelism,
                                          uint32_t parallelism);

#endif
