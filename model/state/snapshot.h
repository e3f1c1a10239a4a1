/* snapshot.h - the bytes of a part of a keyed-state snapshot: one format for every backend.
 *
 *   header   magic u32, version u16, state count u16, id u64, id of the part it follows u64 (0: it
 *            is a first one), then per state its name (u32 length, bytes) and its descriptor (the
 *            same; state_descriptor_encode)
 *   entry    key group u16, state u16 (index in the header), key (u32 length, bytes),
 *            value (u32 length, bytes); in a first part sorted by key group. The key is that of
 *            entry_key.h
 *   removal  key group u16, state u16 | SNAPSHOT_REMOVED, key (u32 length, bytes); only in a part
 *            that follows another
 *   append   like an entry, with state u16 | SNAPSHOT_APPENDED: the bytes come behind what a list
 *            holds already; only in a part that follows another
 *   trailer  key group u16 = SNAPSHOT_END, number of entries, removals and appends u64
 *
 * The state is what the parts say one after the other, and each of them from its begin to its end:
 * a later entry or removal of a key replaces an earlier one. So a part that follows another may be
 * what has changed, once for each key, or the changes themselves, in their order: a log. Each part
 * names the one it follows, so a part that is missing in between is noticed. All numbers
 * little-endian. The checksum stands in the manifest beside the handle. */
#ifndef FAULTLINE_STATE_SNAPSHOT_H
#define FAULTLINE_STATE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/status.h"
#include "model/state/descriptor.h"
#include "model/state/key_group.h"

enum {
    SNAPSHOT_MAGIC = 0x534b4c46, /* "FLKS" */
    SNAPSHOT_VERSION = 4,
    SNAPSHOT_END = 0xffff,          /* no key group: there are at most 32768 */
    SNAPSHOT_REMOVED = 0x8000,      /* no state: there are at most 1024 */
    SNAPSHOT_APPENDED = 0x4000,     /* nor is this */
    SNAPSHOT_ENTRY_BYTES = 12,      /* of an entry, besides key and value */
    SNAPSHOT_WORDS_BYTES = 28,      /* of an entry of a key and a value of 8 bytes */
    SNAPSHOT_STATE_COUNT_MAX = 1024 /* far above any job's; bounds what a damaged header can ask */
};

/* Appends the header of part `id`, at least 1, that follows part `follows` (0: none); `state_count`
 * is at most SNAPSHOT_STATE_COUNT_MAX. */
void snapshot_write_header(struct buffer *out, uint64_t id, uint64_t follows,
                           const struct state_descriptor *states, uint16_t state_count);

/* Appends one entry. In a first part the caller keeps the order of the key groups. */
void snapshot_write_entry(struct buffer *out, uint16_t key_group, uint16_t state, struct bytes key,
                          struct bytes value);

/* Puts an entry of a key and a value of 8 bytes each, as most have, at `at`, SNAPSHOT_WORDS_BYTES
 * long: inline, because it runs once for every key of every checkpoint. */
static inline void snapshot_put_words(uint8_t *at, uint16_t key_group, uint16_t state,
                                      uint64_t key, uint64_t value)
{
    enum { WORD_BYTES = sizeof(uint64_t) };
    CHECK(key_group < KEY_GROUP_COUNT_MAX);
    CHECK(state < SNAPSHOT_STATE_COUNT_MAX);
    store_u32(at, key_group | (uint32_t)state << 16);
    store_u32(at + 4, WORD_BYTES);
    store_u64(at + 8, key);
    store_u32(at + 16, WORD_BYTES);
    store_u64(at + 20, value);
}

/* Appends the removal of what an earlier part holds of `key`, or does not hold. */
void snapshot_write_removal(struct buffer *out, uint16_t key_group, uint16_t state,
                            struct bytes key);

/* Appends that `more` was appended to the list of `key`. */
void snapshot_write_append(struct buffer *out, uint16_t key_group, uint16_t state, struct bytes key,
                           struct bytes more);

/* Appends the trailer; `entry_count` is the number of all that was written since the header. */
void snapshot_write_trailer(struct buffer *out, uint64_t entry_count);

struct snapshot_entry {
    uint16_t key_group;
    uint16_t state;
    struct bytes key;   /* borrowed from the input; data is never NULL */
    struct bytes value; /* borrowed from the input; data is NULL if it was removed */
    bool is_append;     /* the value comes behind what is there */
};

struct snapshot_reader {
    struct decoder decoder;
    uint64_t id;
    uint64_t follows; /* 0: none */
    uint16_t state_count;
    uint16_t key_group; /* of the entry read last: in a first part they may not decrease */
    uint64_t entries_read;
    bool is_cut;        /* there is more of the part than the input so far */
    bool ended;         /* the trailer was read, or the input is damaged */
    enum status status; /* STATUS_CORRUPT once anything is wrong */
};

/* Starts reading `input`, which stays borrowed; checks the header. `is_cut`: it is only the
 * beginning of the part. False if even the header goes on behind it: try again with more. */
bool snapshot_reader_init(struct snapshot_reader *reader, struct bytes input, bool is_cut);

/* Goes on with `input`, which begins with what the reader has not read of the one before. */
void snapshot_reader_resume(struct snapshot_reader *reader, struct bytes input, bool is_cut);

/* What has not been read yet. Borrowed from the input. */
struct bytes snapshot_reader_rest(const struct snapshot_reader *reader);

/* Name and descriptor of state number `state`, 0..state_count-1, for state_descriptor_decode; the
 * name holds no zero byte. Borrowed from the input. Only after a header that was sound, and before
 * the reader goes on with another input. */
void snapshot_reader_state(const struct snapshot_reader *reader, uint16_t state, struct bytes *name,
                           struct bytes *descriptor);

/* Who reads entries, a few bytes each, waits for memory less if what stands well behind them is
 * asked for already: the processor itself looks ahead no farther than to the end of a page. */
static inline void snapshot_fetch_ahead(const uint8_t *at)
{
    enum { AHEAD_BYTES = 1024 };
    __builtin_prefetch((const void *)((uintptr_t)at + AHEAD_BYTES)); /* there may be none */
}

/* The general case of snapshot_reader_next. */
bool snapshot_reader_next_any(struct snapshot_reader *reader, struct snapshot_entry *entry);

/* Reads the next entry; false at the end or when damaged: reader->status tells which. Entries read
 * before the damage was met are not to be trusted either. False and not ended: the input was cut
 * before the end of the entry. */
static inline bool snapshot_reader_next(struct snapshot_reader *reader,
                                        struct snapshot_entry *entry)
{
    /* Whoever restores does little else than this: so what may stand in any part, and is whole, is
     * read without a call. */
    struct decoder *decoder = &reader->decoder;
    size_t left = decoder->size - decoder->position;
    if (reader->ended || left < SNAPSHOT_ENTRY_BYTES) {
        return snapshot_reader_next_any(reader, entry);
    }
    const uint8_t *at = decoder->data + decoder->position;
    snapshot_fetch_ahead(at);
    left -= SNAPSHOT_ENTRY_BYTES;
    entry->key_group = load_u16(at);
    entry->state = load_u16(at + 2);
    entry->key = (struct bytes){ .data = at + 8, .size = load_u32(at + 4) };
    if (entry->key_group < reader->key_group || entry->key_group >= KEY_GROUP_COUNT_MAX ||
        entry->state >= reader->state_count || entry->key.size > left) {
        return snapshot_reader_next_any(reader, entry);
    }
    at += 8 + entry->key.size;
    left -= entry->key.size;
    entry->value = (struct bytes){ .data = at + 4, .size = load_u32(at) };
    if (entry->value.size > left) {
        return snapshot_reader_next_any(reader, entry);
    }
    entry->is_append = false;
    decoder->position = decoder->size - (left - entry->value.size);
    reader->key_group = entry->key_group;
    reader->entries_read++;
    return true;
}

/* Entries that stand one behind the other, of one key group, each with a key and a value of 8
 * bytes: what snapshot_put_words puts. Borrowed from the input. */
struct snapshot_words {
    const uint8_t *entries;
    uint32_t count;
    uint16_t key_group;
};

/* Reads those of a first part that stand next, up to `max`. False if there is none: then
 * snapshot_reader_next tells what there is. */
bool snapshot_reader_words(struct snapshot_reader *reader, uint32_t max,
                           struct snapshot_words *words);

/* Number `number` of them. */
static inline struct snapshot_entry snapshot_words_entry(const struct snapshot_words *words,
                                                         uint32_t number)
{
    enum { WORD_BYTES = sizeof(uint64_t) };
    CHECK(number < words->count);
    const uint8_t *at = words->entries + (size_t)number * SNAPSHOT_WORDS_BYTES;
    return (struct snapshot_entry){ .key_group = words->key_group,
                                    .state = load_u16(at + 2),
                                    .key = { .data = at + 8, .size = WORD_BYTES },
                                    .value = { .data = at + 20, .size = WORD_BYTES } };
}

#endif
