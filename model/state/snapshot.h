/* snapshot.h - the bytes of a keyed-state snapshot: one format for every backend.
 *
 *   header   magic u32, version u16, state count u16, then per state its name (u32 length, bytes)
 *   entry    key group u16, state u16 (index into the names), key (u32 length, bytes),
 *            value (u32 length, bytes); sorted by key group
 *   trailer  key group u16 = SNAPSHOT_END, entry count u64
 *
 * All numbers little-endian. The checksum of the whole stands in the manifest beside the handle. */
#ifndef FAULTLINE_STATE_SNAPSHOT_H
#define FAULTLINE_STATE_SNAPSHOT_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/base/status.h"

enum {
    SNAPSHOT_MAGIC = 0x534b4c46, /* "FLKS" */
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_END = 0xffff,          /* no key group: there are at most 32768 */
    SNAPSHOT_STATE_COUNT_MAX = 1024 /* far above any job's; bounds what a damaged header can ask */
};

/* Appends the header; `state_count` is at most SNAPSHOT_STATE_COUNT_MAX. */
void snapshot_write_header(struct buffer *out, const char *const *state_names,
                           uint16_t state_count);

/* Appends one entry. The caller keeps the order of the key groups. */
void snapshot_write_entry(struct buffer *out, uint16_t key_group, uint16_t state, struct bytes key,
                          struct bytes value);

/* Appends the trailer; `entry_count` is the number of entries written since the header. */
void snapshot_write_trailer(struct buffer *out, uint64_t entry_count);

struct snapshot_entry {
    uint16_t key_group;
    uint16_t state;
    struct bytes key;   /* borrowed from the input; data is never NULL */
    struct bytes value; /* borrowed from the input; data is never NULL */
};

struct snapshot_reader {
    struct decoder decoder;
    uint16_t state_count;
    uint16_t key_group; /* of the entry read last: they may not decrease */
    uint64_t entries_read;
    bool ended;         /* the trailer was read, or the input is damaged */
    enum status status; /* STATUS_CORRUPT once anything is wrong */
};

/* Starts reading `input`, which stays borrowed; checks the header. */
void snapshot_reader_init(struct snapshot_reader *reader, struct bytes input);

/* The name of state number `state`, 0..state_count-1; it holds no zero byte. Borrowed from the
 * input. Only after a header that was sound. */
struct bytes snapshot_reader_state_name(const struct snapshot_reader *reader, uint16_t state);

/* Reads the next entry; false at the end or when damaged: reader->status tells which. Entries read
 * before the damage was met are not to be trusted either. */
bool snapshot_reader_next(struct snapshot_reader *reader, struct snapshot_entry *entry);

#endif
