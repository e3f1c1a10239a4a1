#include "model/state/change_log.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/snapshot.h"

void change_log_init(struct change_log *log, struct arena *arena)
{
    *log = (struct change_log){ 0 };
    buffer_init(&log->bytes, arena);
}

void change_log_free(struct change_log *log)
{
    buffer_free(&log->bytes);
}

void change_log_add(struct change_log *log, enum change_kind kind, uint16_t key_group,
                    uint16_t state, struct bytes key, struct bytes value)
{
    size_t size = log->bytes.size;
    switch (kind) {
    case CHANGE_PUT: snapshot_write_entry(&log->bytes, key_group, state, key, value); break;
    case CHANGE_APPEND: snapshot_write_append(&log->bytes, key_group, state, key, value); break;
    case CHANGE_REMOVE: snapshot_write_removal(&log->bytes, key_group, state, key); break;
    }
    log->end.bytes += log->bytes.size - size;
    log->end.changes++;
    CHECK(log->end.bytes - log->start.bytes == log->bytes.size);
}

/* The size of the change that begins at `at`: key group, state, key, and unless it is a removal a
 * value. */
static size_t change_bytes(const uint8_t *at)
{
    uint16_t state;
    memcpy(&state, at + sizeof(uint16_t), sizeof state);
    size_t key_at = 2 * sizeof(uint16_t);
    size_t value_at = key_at + sizeof(uint32_t) + load_u32(at + key_at);
    if ((state & SNAPSHOT_REMOVED) != 0) {
        return value_at;
    }
    return value_at + sizeof(uint32_t) + load_u32(at + value_at);
}

void change_log_copy(const struct change_log *log, struct log_position *at, struct log_position to,
                     struct buffer *out, size_t limit_bytes)
{
    CHECK(at->bytes >= log->start.bytes);
    CHECK(at->bytes < to.bytes);
    CHECK(to.bytes <= log->end.bytes);
    const uint8_t *from = log->bytes.data + (at->bytes - log->start.bytes);
    size_t left_bytes = (size_t)(to.bytes - at->bytes);
    size_t copied_bytes = 0;
    do {
        copied_bytes += change_bytes(from + copied_bytes);
        at->changes++;
    } while (copied_bytes < left_bytes && copied_bytes < limit_bytes);
    CHECK(copied_bytes <= left_bytes);
    buffer_append(out, (struct bytes){ .data = from, .size = copied_bytes });
    at->bytes += copied_bytes;
    CHECK(at->bytes < to.bytes || at->changes == to.changes);
}

void change_log_trim(struct change_log *log, struct log_position position)
{
    CHECK(position.bytes <= log->end.bytes);
    if (position.bytes <= log->start.bytes) {
        return;
    }
    size_t gone_bytes = (size_t)(position.bytes - log->start.bytes);
    size_t left_bytes = log->bytes.size - gone_bytes;
    if (left_bytes > gone_bytes) {
        return; /* later: so each byte is moved about once */
    }
    memmove(log->bytes.data, log->bytes.data + gone_bytes, left_bytes);
    log->bytes.size = left_bytes;
    log->start = position;
}
