#include "sim/oracle/checkpoint_reader.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/state/snapshot.h"

enum {
    CHECKSUM_BYTES = sizeof(uint64_t),
    COUNT_REMOVAL_BYTES = 2 + 2 + 4 + 8,             /* group, state, key with its length */
    COUNT_ENTRY_BYTES = COUNT_REMOVAL_BYTES + 4 + 8, /* and the value with its length */
    TRAILER_BYTES = 2 + 8,
};

static bool refuse(struct checkpoint_reader *reader, const char *error)
{
    CHECK(error != NULL);
    reader->error = error;
    return false;
}

/* What the checksum, which stands behind it, is of. */
static struct bytes body_of(struct bytes manifest)
{
    CHECK(manifest.size >= CHECKSUM_BYTES);
    return (struct bytes){ .data = manifest.data, .size = manifest.size - CHECKSUM_BYTES };
}

bool checkpoint_reader_open(struct checkpoint_reader *reader, struct bytes manifest)
{
    CHECK(manifest.data != NULL || manifest.size == 0);
    *reader = (struct checkpoint_reader){ 0 };
    if (manifest.size < CHECKSUM_BYTES) {
        return refuse(reader, "it is too short");
    }
    struct bytes body = body_of(manifest);
    if (load_u64(manifest.data + body.size) != hash_bytes(body)) {
        return refuse(reader, "its checksum is wrong");
    }
    return checkpoint_reader_reopen(reader, manifest);
}

bool checkpoint_reader_reopen(struct checkpoint_reader *reader, struct bytes manifest)
{
    *reader = (struct checkpoint_reader){ 0 };
    struct decoder *decoder = &reader->decoder;
    decoder_init(decoder, body_of(manifest));
    if (decode_u32(decoder) != MANIFEST_MAGIC || decode_u16(decoder) != MANIFEST_VERSION) {
        return refuse(reader, "its magic number or version is wrong");
    }
    reader->job = decode_bytes(decoder);
    reader->checkpoint = decode_u64(decoder);
    reader->attempt = decode_u64(decoder);
    reader->triggered_ns = decode_u64(decoder);
    reader->max_parallelism = decode_u32(decoder);
    reader->vertex_count = decode_u32(decoder);
    return decoder->failed ? refuse(reader, "it is cut short") : true;
}

/* Moves on to the next vertex that has subtasks; false at the end. */
static bool enter_vertex(struct checkpoint_reader *reader)
{
    while (reader->subtask == reader->parallelism) {
        if (reader->parallelism > 0) {
            reader->vertex++;
            reader->parallelism = 0;
            reader->subtask = 0;
        }
        if (reader->vertex == reader->vertex_count) {
            return decoder_finish(&reader->decoder) == STATUS_OK
                       ? false
                       : refuse(reader, "bytes follow its last vertex");
        }
        (void)decode_bytes(&reader->decoder);
        reader->parallelism = decode_u32(&reader->decoder);
        if (reader->decoder.failed || reader->parallelism == 0) {
            return refuse(reader, "a vertex is cut short or has no subtask");
        }
    }
    CHECK(reader->subtask < reader->parallelism);
    return true;
}

/* Reads the fields of a handle. */
static struct state_handle read_handle(struct decoder *decoder)
{
    struct state_handle handle = { .kind = (enum handle_kind)decode_u8(decoder) };
    handle.size_bytes = decode_u64(decoder);
    handle.checksum = decode_u64(decoder);
    handle.location = decode_bytes(decoder);
    return handle;
}

/* Steps over the parts of a subtask's keyed state, and notes where they are. */
static const char *read_parts(struct decoder *decoder, struct keyed_state *keyed)
{
    *keyed = (struct keyed_state){ .part_count = decode_u32(decoder) };
    size_t start = decoder->position;
    for (uint32_t i = 0; i < keyed->part_count && !decoder->failed; i++) {
        struct state_handle handle = read_handle(decoder);
        if (!decoder->failed && handle.kind != HANDLE_INLINE && handle.kind != HANDLE_FILE) {
            return "a subtask has a handle that does not exist";
        }
        keyed->size_bytes += handle.size_bytes;
    }
    if (decoder->failed) {
        return "a subtask is cut short";
    }
    if (keyed->part_count > 0) {
        keyed->parts =
            (struct bytes){ .data = decoder->data + start, .size = decoder->position - start };
    }
    return NULL;
}

void part_reader_open(struct part_reader *reader, const struct checkpoint_subtask *subtask)
{
    decoder_init(&reader->decoder, subtask->state.keyed.parts);
    reader->left = subtask->state.keyed.part_count;
}

bool part_reader_next(struct part_reader *reader, struct state_handle *part)
{
    if (reader->left == 0) {
        return false;
    }
    reader->left--;
    *part = read_handle(&reader->decoder);
    CHECK(!reader->decoder.failed); /* checkpoint_reader_next has been over it */
    return true;
}

bool checkpoint_reader_next(struct checkpoint_reader *reader, struct checkpoint_subtask *subtask)
{
    CHECK(subtask != NULL);
    if (reader->error != NULL || !enter_vertex(reader)) {
        return false;
    }
    struct decoder *decoder = &reader->decoder;
    *subtask = (struct checkpoint_subtask){ .vertex = reader->vertex,
                                            .parallelism = reader->parallelism,
                                            .subtask = reader->subtask };
    uint8_t finished = decode_u8(decoder);
    subtask->state.finished = finished != 0;
    subtask->state.operators = decode_bytes(decoder);
    const char *error = read_parts(decoder, &subtask->state.keyed);
    if (error != NULL || finished > 1) {
        return refuse(reader, error != NULL ? error : "a subtask has a flag that does not exist");
    }
    reader->subtask++;
    CHECK(reader->subtask <= reader->parallelism);
    return true;
}

bool checkpoint_reader_open_sound(struct checkpoint_reader *reader, struct bytes manifest)
{
    struct checkpoint_subtask subtask;
    if (!checkpoint_reader_open(reader, manifest)) {
        return false;
    }
    struct checkpoint_reader scout = *reader;
    while (checkpoint_reader_next(&scout, &subtask)) {
    }
    CHECK(scout.error != NULL || scout.vertex == scout.vertex_count);
    return scout.error == NULL;
}

bool checkpoint_is_sound(struct bytes manifest)
{
    struct checkpoint_reader reader;
    return checkpoint_reader_open_sound(&reader, manifest);
}

bool checkpoint_operator_state(struct bytes operators, uint32_t index, struct bytes *state)
{
    CHECK(state != NULL);
    struct decoder decoder;
    decoder_init(&decoder, operators);
    uint16_t count = decode_u16(&decoder);
    CHECK(!decoder.failed || count == 0);
    for (uint16_t i = 0; i < count && !decoder.failed; i++) {
        struct bytes run = decode_bytes(&decoder);
        if (i == index) {
            *state = run;
        }
    }
    return index < count && decoder_finish(&decoder) == STATUS_OK;
}

void lists_reader_open(struct lists_reader *reader, struct bytes state)
{
    decoder_init(&reader->decoder, state);
    reader->left = decode_u16(&reader->decoder);
}

bool lists_reader_next(struct lists_reader *reader, struct list_reader *list)
{
    struct decoder *decoder = &reader->decoder;
    if (decoder->failed || reader->left == 0) {
        decoder->failed = decoder_finish(decoder) != STATUS_OK;
        return false;
    }
    reader->left--;
    *list = (struct list_reader){ .name = decode_bytes(decoder), .mode = decode_u8(decoder) };
    list->item_count = decode_u32(decoder);
    size_t start = decoder->position;
    for (uint32_t i = 0; i < list->item_count && !decoder->failed; i++) {
        (void)decode_bytes(decoder);
        (void)decode_bytes(decoder);
    }
    if (decoder->failed) {
        return false;
    }
    list->left = list->item_count;
    list->items =
        (struct bytes){ .data = decoder->data + start, .size = decoder->position - start };
    decoder_init(&list->decoder, list->items);
    return true;
}

bool list_reader_open(struct list_reader *reader, struct bytes state, struct bytes name)
{
    struct lists_reader lists;
    struct list_reader list;
    bool is_found = false;
    lists_reader_open(&lists, state);
    while (lists_reader_next(&lists, &list)) {
        if (bytes_equal(list.name, name)) {
            *reader = list;
            is_found = true;
        }
    }
    return is_found && !lists.decoder.failed;
}

bool list_reader_next(struct list_reader *reader, struct bytes *key, struct bytes *value)
{
    if (reader->left == 0) {
        return false;
    }
    reader->left--;
    *key = decode_bytes(&reader->decoder);
    *value = decode_bytes(&reader->decoder);
    CHECK(!reader->decoder.failed); /* lists_reader_next has been over it */
    return true;
}

static bool refuse_counts(struct counts_reader *reader, const char *error)
{
    CHECK(error != NULL);
    reader->error = error;
    reader->ended = true;
    return false;
}

bool counts_reader_open(struct counts_reader *reader, struct bytes part, const char *name)
{
    *reader = (struct counts_reader){ .state = UINT16_MAX };
    struct decoder decoder;
    decoder_init(&decoder, part);
    uint32_t magic = decode_u32(&decoder);
    uint16_t version = decode_u16(&decoder);
    uint16_t state_count = decode_u16(&decoder);
    reader->id = decode_u64(&decoder);
    reader->follows = decode_u64(&decoder);
    if (decoder.failed || magic != SNAPSHOT_MAGIC || version != SNAPSHOT_VERSION) {
        return refuse_counts(reader, "the state's magic number or version is wrong");
    }
    for (uint16_t i = 0; i < state_count && !decoder.failed; i++) {
        if (bytes_equal(decode_bytes(&decoder), bytes_of_text(name))) {
            reader->state = i;
        }
        (void)decode_bytes(&decoder); /* its descriptor */
    }
    if (decoder.failed) {
        return refuse_counts(reader, "the state's head is cut short");
    }
    reader->at = part.data + decoder.position;
    reader->end = part.data + part.size;
    CHECK(reader->at <= reader->end);
    return true;
}

static bool read_trailer(struct counts_reader *reader)
{
    if (reader->end - reader->at != TRAILER_BYTES || load_u16(reader->at) != SNAPSHOT_END) {
        return refuse_counts(reader, "the state is cut short or runs on behind its end");
    }
    if (load_u64(reader->at + sizeof(uint16_t)) != reader->entries_read) {
        return refuse_counts(reader, "the state's entry count is wrong");
    }
    CHECK(reader->error == NULL);
    reader->ended = true;
    return false;
}

bool counts_reader_next(struct counts_reader *reader, struct count_entry *entry)
{
    CHECK(reader->ended || reader->at != NULL);
    const uint8_t *at = reader->at;
    if (reader->ended) {
        return false;
    }
    if (reader->end - at < COUNT_REMOVAL_BYTES || load_u16(at) == SNAPSHOT_END) {
        return read_trailer(reader);
    }
    entry->key_group = load_u16(at);
    entry->removed = (load_u16(at + 2) & SNAPSHOT_REMOVED) != 0;
    if (!entry->removed && reader->end - at < COUNT_ENTRY_BYTES) {
        return read_trailer(reader);
    }
    if ((load_u16(at + 2) & ~SNAPSHOT_REMOVED) != reader->state) {
        return refuse_counts(reader, "the state holds an entry of another name");
    }
    if (load_u32(at + 4) != sizeof(int64_t) ||
        (!entry->removed && load_u32(at + 16) != sizeof(int64_t))) {
        return refuse_counts(reader, "the state holds a key or count that is no 64-bit integer");
    }
    if (entry->removed && reader->follows == 0) {
        return refuse_counts(reader, "the state's first part removes something");
    }
    if (entry->key_group < reader->key_group && reader->follows == 0) {
        return refuse_counts(reader, "the state's key groups are out of order");
    }
    entry->key = (int64_t)load_u64(at + 8);
    entry->count = entry->removed ? 0 : (int64_t)load_u64(at + 20);
    reader->key_group = entry->key_group;
    reader->at = at + (entry->removed ? COUNT_REMOVAL_BYTES : COUNT_ENTRY_BYTES);
    reader->entries_read++;
    return true;
}
