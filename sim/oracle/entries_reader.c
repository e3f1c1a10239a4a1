#include "sim/oracle/entries_reader.h"

#include "model/base/check.h"
#include "model/state/snapshot.h"

static bool refuse(struct entries_reader *reader, const char *error)
{
    CHECK(error != NULL);
    reader->error = error;
    reader->ended = true;
    return false;
}

bool entries_reader_open(struct entries_reader *reader, struct bytes part)
{
    *reader = (struct entries_reader){ 0 };
    struct decoder *decoder = &reader->decoder;
    decoder_init(decoder, part);
    uint32_t magic = decode_u32(decoder);
    uint16_t version = decode_u16(decoder);
    reader->state_count = decode_u16(decoder);
    reader->id = decode_u64(decoder);
    reader->follows = decode_u64(decoder);
    if (decoder->failed || magic != SNAPSHOT_MAGIC || version != SNAPSHOT_VERSION) {
        return refuse(reader, "the state's magic number or version is wrong");
    }
    size_t start = decoder->position;
    for (uint16_t i = 0; i < reader->state_count && !decoder->failed; i++) {
        (void)decode_bytes(decoder); /* the name */
        (void)decode_bytes(decoder); /* the descriptor */
    }
    if (decoder->failed) {
        return refuse(reader, "the state's head is cut short");
    }
    reader->names = (struct bytes){ .data = part.data + start, .size = decoder->position - start };
    return true;
}

/* Goes to where the name and the descriptor of a state begin. */
static struct decoder decoder_at(const struct entries_reader *reader, uint16_t state)
{
    CHECK(state < reader->state_count);
    struct decoder decoder;
    decoder_init(&decoder, reader->names);
    for (uint16_t i = 0; i < state; i++) {
        (void)decode_bytes(&decoder); /* the name of the one before */
        (void)decode_bytes(&decoder); /* its descriptor */
    }
    CHECK(!decoder.failed);
    return decoder;
}

struct bytes entries_reader_name(const struct entries_reader *reader, uint16_t state)
{
    struct decoder decoder = decoder_at(reader, state);
    return decode_bytes(&decoder);
}

struct bytes entries_reader_descriptor(const struct entries_reader *reader, uint16_t state)
{
    struct decoder decoder = decoder_at(reader, state);
    (void)decode_bytes(&decoder); /* its name */
    return decode_bytes(&decoder);
}

static bool read_trailer(struct entries_reader *reader)
{
    uint64_t count = decode_u64(&reader->decoder);
    if (decoder_finish(&reader->decoder) != STATUS_OK) {
        return refuse(reader, "the state is cut short or runs on behind its end");
    }
    if (count != reader->entries_read) {
        return refuse(reader, "the state's entry count is wrong");
    }
    reader->ended = true;
    return false;
}

bool entries_reader_next(struct entries_reader *reader, struct state_entry *entry)
{
    if (reader->ended) {
        return false;
    }
    struct decoder *decoder = &reader->decoder;
    *entry = (struct state_entry){ .key_group = decode_u16(decoder) };
    if (entry->key_group == SNAPSHOT_END) {
        return read_trailer(reader);
    }
    uint16_t state = decode_u16(decoder);
    entry->removed = (state & SNAPSHOT_REMOVED) != 0;
    entry->appended = (state & SNAPSHOT_APPENDED) != 0;
    entry->state = (uint16_t)(state & ~(SNAPSHOT_REMOVED | SNAPSHOT_APPENDED));
    entry->key = decode_bytes(decoder);
    if (!entry->removed) {
        entry->value = decode_bytes(decoder);
    }
    if (decoder->failed) {
        return refuse(reader, "the state is cut short or runs on behind its end");
    }
    if (entry->state >= reader->state_count) {
        return refuse(reader, "the state holds an entry of a name that it does not have");
    }
    if ((entry->removed || entry->appended) && reader->follows == 0) {
        return refuse(reader, "the state's first part changes something");
    }
    if (entry->key_group < reader->key_group && reader->follows == 0) {
        return refuse(reader, "the state's key groups are out of order");
    }
    reader->key_group = entry->key_group;
    reader->entries_read++;
    return true;
}
