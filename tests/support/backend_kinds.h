/* backend_kinds.h - every state backend, and short words for what tests do with one: a test that
 * loops over the kinds runs once for each. */
#ifndef FAULTLINE_TESTS_BACKEND_KINDS_H
#define FAULTLINE_TESTS_BACKEND_KINDS_H

#include "model/state/backend.h"

/* Where RocksDB is not built in, the heap takes its place. */
struct backend_kind {
    const char *name;
    struct backend *(*create)(struct arena *arena, struct key_group_range range,
                              uint32_t parts_max);
    void (*check)(const struct backend *backend); /* asserts the invariants */
    uint32_t slowness; /* a test that makes many backends makes so many times fewer of these */
};

enum { BACKEND_KIND_COUNT = 6 };
extern const struct backend_kind backend_kinds[BACKEND_KIND_COUNT];

static const struct key_group_range all_groups = { .first = 0, .last = 127 };

/* How many operations a random test does: `usual`, which takes a moment, or what the environment
 * says in FAULTLINE_RANDOM_OPERATIONS. */
uint64_t random_operations(uint64_t usual);

/* Makes a numeric key current; it is borrowed until the next one is set. */
void set_number_key(struct backend *backend, const uint64_t *key);

/* Keep, remove and read a number for a numeric key; UINT64_MAX: there is none. They leave no
 * current key that could be used. */
void put_number(struct backend *backend, state_id state, uint64_t key, uint64_t value);
void remove_number(struct backend *backend, state_id state, uint64_t key);
uint64_t get_number(struct backend *backend, state_id state, uint64_t key);

/* Writes all that is left of a snapshot of one new part, in steps of `limit_bytes`. */
struct bytes finish_snapshot(struct backend_snapshot *snapshot, struct buffer *out,
                             size_t limit_bytes);

#endif
