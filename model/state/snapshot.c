#include "model/state/snapshot.h"

#include <string.h>

#include "model/base/check.h"
#include "model/state/key_group.h"

enum { HEADER_FIXED_SIZE_BYTES = 24 /* magic, version, state count, id, follows */ };

void snapshot_write_header(struct buffer *out, uint64_t id, uint64_t follows,
                           const struct state_descriptor *states, uint16_t state_count)
{
    CHECK(id > follows);
    CHECK(state_count <= SNAPSHOT_STATE_COUNT_MAX);
    encode_u32(out, SNAPSHOT_MAGIC);
    encode_u16(out, SNAPSHOT_VERSION);
    encode_u16(out, state_count);
    encode_u64(out, id);
    encode_u64(out, follows);
    for (uint16_t i = 0; i < state_count; i++) {
        encode_bytes(out, bytes_of_text(states[i].name));
        size_t start = out->size;
        encode_u32(out, 0); /* the descriptor's length, once it is known */
        state_descriptor_encode(out, &states[i]);
        store_u32(out->data + start, (uint32_t)(out->size - start - sizeof(uint32_t)));
    }
}

static inline uint8_t *put_bytes(uint8_t *at, struct bytes bytes)
{
    CHECK(bytes.size <= UINT32_MAX);
    store_u32(at, (uint32_t)bytes.size);
    at += sizeof(uint32_t);
    if (bytes.size > 0) {
        CHECK(bytes.data != NULL);
        bytes_put(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

void snapshot_write_entry(struct buffer *out, uint16_t key_group, uint16_t state, struct bytes key,
                          struct bytes value)
{
    CHECK(key_group < KEY_GROUP_COUNT_MAX);
    CHECK(state < SNAPSHOT_STATE_COUNT_MAX);
    /* One extension for the whole entry: this runs once for every key of every checkpoint. */
    size_t size_bytes = SNAPSHOT_ENTRY_BYTES + key.size + value.size;
    uint8_t *start = buffer_extend(out, size_bytes);
    memcpy(start, &key_group, sizeof key_group);
    memcpy(start + sizeof key_group, &state, sizeof state);
    uint8_t *at = put_bytes(start + sizeof key_group + sizeof state, key);
    at = put_bytes(at, value);
    CHECK(at == start + size_bytes);
}

void snapshot_write_append(struct buffer *out, uint16_t key_group, uint16_t state, struct bytes key,
                           struct bytes more)
{
    size_t start = out->size;
    snapshot_write_entry(out, key_group, state, key, more);
    uint16_t flagged = state | SNAPSHOT_APPENDED;
    memcpy(out->data + start + sizeof key_group, &flagged, sizeof flagged);
}

void snapshot_write_removal(struct buffer *out, uint16_t key_group, uint16_t state,
                            struct bytes key)
{
    CHECK(key_group < KEY_GROUP_COUNT_MAX);
    CHECK(state < SNAPSHOT_STATE_COUNT_MAX);
    encode_u16(out, key_group);
    encode_u16(out, state | SNAPSHOT_REMOVED);
    encode_bytes(out, key);
}

void snapshot_write_trailer(struct buffer *out, uint64_t entry_count)
{
    encode_u16(out, SNAPSHOT_END);
    encode_u64(out, entry_count);
}

static bool refuse(struct snapshot_reader *reader)
{
    reader->status = STATUS_CORRUPT;
    reader->ended = true;
    return false;
}

/* Reads the header as far as there is input. */
static bool read_header(struct snapshot_reader *reader)
{
    struct decoder *decoder = &reader->decoder;
    uint32_t magic = decode_u32(decoder);
    uint16_t version = decode_u16(decoder);
    reader->state_count = decode_u16(decoder);
    reader->id = decode_u64(decoder);
    reader->follows = decode_u64(decoder);
    if (decoder->failed || magic != SNAPSHOT_MAGIC || version != SNAPSHOT_VERSION ||
        reader->state_count > SNAPSHOT_STATE_COUNT_MAX || reader->id <= reader->follows) {
        return false;
    }
    for (uint16_t i = 0; i < reader->state_count; i++) {
        struct bytes name = decode_bytes(decoder);
        (void)decode_bytes(decoder);
        if (decoder->failed || memchr(name.data, 0, name.size) != NULL) {
            return false;
        }
    }
    return true;
}

bool snapshot_reader_init(struct snapshot_reader *reader, struct bytes input, bool is_cut)
{
    CHECK(input.data != NULL || input.size == 0);
    *reader = (struct snapshot_reader){ .status = STATUS_OK, .is_cut = is_cut };
    decoder_init(&reader->decoder, input);
    if (read_header(reader)) {
        return true;
    }
    bool is_too_short = is_cut && reader->decoder.failed;
    refuse(reader);
    return !is_too_short;
}

void snapshot_reader_resume(struct snapshot_reader *reader, struct bytes input, bool is_cut)
{
    CHECK(reader->is_cut && !reader->ended);
    CHECK(input.size >= reader->decoder.size - reader->decoder.position);
    decoder_init(&reader->decoder, input);
    reader->is_cut = is_cut;
}

struct bytes snapshot_reader_rest(const struct snapshot_reader *reader)
{
    const struct decoder *decoder = &reader->decoder;
    return (struct bytes){ .data = decoder->data + decoder->position,
                           .size = decoder->size - decoder->position };
}

void snapshot_reader_state(const struct snapshot_reader *reader, uint16_t state, struct bytes *name,
                           struct bytes *descriptor)
{
    CHECK(state < reader->state_count);
    struct decoder decoder = reader->decoder;
    decoder.position = HEADER_FIXED_SIZE_BYTES;
    decoder.failed = false;
    for (uint16_t i = 0; i <= state; i++) {
        *name = decode_bytes(&decoder);
        *descriptor = decode_bytes(&decoder);
    }
    CHECK(!decoder.failed);
}

/* Something cannot be read: because the input is cut, or else it is damaged. */
static bool stop(struct snapshot_reader *reader, const struct decoder *decoder)
{
    return decoder->failed && reader->is_cut ? false : refuse(reader);
}

static bool read_trailer(struct snapshot_reader *reader, struct decoder *decoder)
{
    uint64_t entry_count = decode_u64(decoder);
    bool is_end = !reader->is_cut && decoder_finish(decoder) == STATUS_OK;
    if (!is_end || entry_count != reader->entries_read) {
        return stop(reader, decoder);
    }
    reader->decoder = *decoder;
    reader->ended = true;
    return false;
}

bool snapshot_reader_next_any(struct snapshot_reader *reader, struct snapshot_entry *entry)
{
    if (reader->ended) {
        return false;
    }
    CHECK(reader->status == STATUS_OK);
    struct decoder decoder = reader->decoder; /* a copy stays in registers */
    entry->key_group = decode_u16(&decoder);
    if (!decoder.failed && entry->key_group == SNAPSHOT_END) {
        return read_trailer(reader, &decoder);
    }
    uint16_t state = decode_u16(&decoder);
    bool is_removal = (state & SNAPSHOT_REMOVED) != 0;
    entry->is_append = (state & SNAPSHOT_APPENDED) != 0;
    entry->state = state & ~(SNAPSHOT_REMOVED | SNAPSHOT_APPENDED) & UINT16_MAX;
    entry->key = decode_bytes(&decoder);
    entry->value = is_removal ? (struct bytes){ 0 } : decode_bytes(&decoder);
    bool is_of_a_log = is_removal || entry->is_append || entry->key_group < reader->key_group;
    if (decoder.failed || entry->key_group >= KEY_GROUP_COUNT_MAX ||
        entry->state >= reader->state_count || (is_removal && entry->is_append) ||
        (is_of_a_log && reader->follows == 0)) {
        return stop(reader, &decoder);
    }
    CHECK(entry->key.data != NULL);
    reader->decoder = decoder;
    reader->key_group = entry->key_group;
    reader->entries_read++;
    return true;
}

/* Does an entry of this key group, of a key and a value of 8 bytes, stand there? */
static bool is_words(const struct snapshot_reader *reader, uint16_t key_group, const uint8_t *at)
{
    enum { WORD_BYTES = sizeof(uint64_t) };
    return load_u16(at) == key_group && load_u16(at + 2) < reader->state_count &&
           load_u32(at + 4) == WORD_BYTES && load_u32(at + 16) == WORD_BYTES;
}

bool snapshot_reader_words(struct snapshot_reader *reader, uint32_t max,
                           struct snapshot_words *words)
{
    struct decoder *decoder = &reader->decoder;
    const uint8_t *at = decoder->data + decoder->position;
    size_t left = (decoder->size - decoder->position) / SNAPSHOT_WORDS_BYTES;
    max = left < max ? (uint32_t)left : max;
    if (reader->ended || reader->follows != 0 || max == 0) {
        return false;
    }
    *words = (struct snapshot_words){ .entries = at, .key_group = load_u16(at) };
    if (words->key_group < reader->key_group || words->key_group >= KEY_GROUP_COUNT_MAX) {
        return false;
    }
    for (; words->count < max && is_words(reader, words->key_group, at); words->count++) {
        snapshot_fetch_ahead(at);
        at += SNAPSHOT_WORDS_BYTES;
    }
    if (words->count > 0) {
        reader->key_group = words->key_group;
        reader->entries_read += words->count;
        decoder->position += (size_t)(at - words->entries);
    }
    return words->count > 0;
}
