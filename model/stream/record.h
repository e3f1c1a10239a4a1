/* record.h - what flows through the operators: a run of bytes, and the key it belongs to. */
#ifndef FAULTLINE_STREAM_RECORD_H
#define FAULTLINE_STREAM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/state/key_group.h"

/* Borrowed for the call it is handed to. */
struct record {
    struct bytes value;
    bool is_number; /* of the source's records: no line, but a number that need not be read */
};

/* A key: its bytes for the backend, which lie in the record or in `room`, and Flink's hash. */
struct key {
    struct bytes bytes;
    int32_t hash;
    uint8_t room[8]; /* for keys made on the spot */
};

/* A 64-bit integer as a record of 8 bytes at `room`, and back. */
static inline struct record record_i64(uint8_t room[8], int64_t value)
{
    store_u64(room, (uint64_t)value);
    return (struct record){ .value = { .data = room, .size = 8 } };
}
static inline int64_t record_to_i64(const struct record *record)
{
    return (int64_t)load_u64(record->value.data);
}

/* Sets `key` to a 64-bit integer (Java's Long). */
static inline void key_set_i64(struct key *key, int64_t value)
{
    store_u64(key->room, (uint64_t)value);
    key->bytes = (struct bytes){ .data = key->room, .size = sizeof key->room };
    key->hash = (int32_t)((uint64_t)value ^ (uint64_t)value >> 32);
}

#endif
