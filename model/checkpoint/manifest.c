#include "model/checkpoint/manifest.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"

enum {
    CHECKSUM_BYTES = sizeof(uint64_t),
    /* The least that a vertex and a subtask take: a count beyond what is left is damage, and must
     * not become an allocation. */
    VERTEX_BYTES_MIN = 4 + 4,
    SUBTASK_BYTES_MIN = 1 + 4 + 4,
};

static bool handle_is_sound(const struct state_handle *handle)
{
    switch (handle->kind) {
    case HANDLE_INLINE: return handle->size_bytes == handle->location.size;
    case HANDLE_FILE:
        return handle->location.size > 0 &&
               memchr(handle->location.data, '\0', handle->location.size) == NULL;
    }
    return false;
}

void state_handle_encode(struct buffer *out, const struct state_handle *handle)
{
    CHECK(handle_is_sound(handle));
    encode_u8(out, (uint8_t)handle->kind);
    encode_u64(out, handle->size_bytes);
    encode_u64(out, handle->checksum);
    encode_bytes(out, handle->location);
}

void state_handle_decode(struct decoder *decoder, struct state_handle *handle)
{
    *handle = (struct state_handle){ .kind = (enum handle_kind)decode_u8(decoder) };
    handle->size_bytes = decode_u64(decoder);
    handle->checksum = decode_u64(decoder);
    handle->location = decode_bytes(decoder);
    if (decoder->failed || !handle_is_sound(handle)) {
        decoder->failed = true;
        *handle = (struct state_handle){ .kind = HANDLE_INLINE };
    }
    CHECK(handle_is_sound(handle));
}

void keyed_state_encode(struct buffer *out, const struct keyed_state *keyed)
{
    CHECK((keyed->part_count == 0) == (keyed->parts.size == 0));
    encode_u32(out, keyed->part_count);
    buffer_append(out, keyed->parts);
}

void keyed_state_decode(struct decoder *decoder, struct keyed_state *keyed)
{
    *keyed = (struct keyed_state){ .part_count = decode_u32(decoder) };
    size_t start = decoder->position;
    for (uint32_t i = 0; i < keyed->part_count && !decoder->failed; i++) {
        struct state_handle handle;
        state_handle_decode(decoder, &handle);
        decoder->failed |= handle.size_bytes > UINT64_MAX - keyed->size_bytes;
        keyed->size_bytes += handle.size_bytes;
    }
    if (decoder->failed) {
        *keyed = (struct keyed_state){ 0 };
    } else if (keyed->part_count > 0) {
        keyed->parts =
            (struct bytes){ .data = decoder->data + start, .size = decoder->position - start };
    }
}

void keyed_state_begin(const struct keyed_state *keyed, struct decoder *decoder)
{
    decoder_init(decoder, keyed->parts);
}

void keyed_state_next(struct decoder *decoder, struct state_handle *handle)
{
    state_handle_decode(decoder, handle);
    CHECK(!decoder->failed); /* it was sound when it was read or made */
}

void subtask_state_encode(struct buffer *out, const struct subtask_state *subtask)
{
    encode_u8(out, subtask->finished ? 1 : 0);
    encode_bytes(out, subtask->operators);
    keyed_state_encode(out, &subtask->keyed);
}

void subtask_state_decode(struct decoder *decoder, struct subtask_state *subtask)
{
    uint8_t finished = decode_u8(decoder);
    decoder->failed |= finished > 1;
    subtask->finished = finished == 1;
    subtask->operators = decode_bytes(decoder);
    keyed_state_decode(decoder, &subtask->keyed);
}

void manifest_encode(struct buffer *out, const struct manifest *manifest)
{
    CHECK(manifest->checkpoint > 0);
    size_t start = out->size;
    encode_u32(out, MANIFEST_MAGIC);
    encode_u16(out, MANIFEST_VERSION);
    encode_bytes(out, manifest->job);
    encode_u64(out, manifest->checkpoint);
    encode_u64(out, manifest->attempt);
    encode_u64(out, manifest->triggered_ns);
    encode_u32(out, manifest->max_parallelism);
    encode_u32(out, manifest->vertex_count);
    for (uint32_t i = 0; i < manifest->vertex_count; i++) {
        const struct manifest_vertex *vertex = &manifest->vertices[i];
        CHECK(vertex->parallelism > 0);
        encode_bytes(out, vertex->name);
        encode_u32(out, vertex->parallelism);
        for (uint32_t j = 0; j < vertex->parallelism; j++) {
            subtask_state_encode(out, &vertex->subtasks[j]);
        }
    }
    CHECK(out->size > start);
    struct bytes body = { .data = out->data + start, .size = out->size - start };
    encode_u64(out, hash_bytes(body));
}

/* Reads a count of things of at least `size_bytes_min` each; 0 and failed if they cannot fit. */
static uint32_t decode_count(struct decoder *decoder, size_t size_bytes_min)
{
    uint32_t count = decode_u32(decoder);
    CHECK(decoder->position <= decoder->size);
    if (count > (decoder->size - decoder->position) / size_bytes_min) {
        decoder->failed = true;
        return 0;
    }
    return count;
}

static void decode_vertex(struct decoder *decoder, struct arena *arena,
                          struct manifest_vertex *vertex)
{
    vertex->name = decode_bytes(decoder);
    vertex->parallelism = decode_count(decoder, SUBTASK_BYTES_MIN);
    if (vertex->parallelism == 0) {
        decoder->failed = true;
        return;
    }
    vertex->subtasks = arena_alloc(arena, vertex->parallelism, sizeof *vertex->subtasks);
    for (uint32_t i = 0; i < vertex->parallelism && !decoder->failed; i++) {
        subtask_state_decode(decoder, &vertex->subtasks[i]);
    }
}

/* The part of `input` before its checksum; false if the checksum does not agree. */
static bool verify(struct bytes input, struct bytes *body)
{
    if (input.size < CHECKSUM_BYTES) {
        return false;
    }
    *body = (struct bytes){ .data = input.data, .size = input.size - CHECKSUM_BYTES };
    return hash_bytes(*body) == load_u64(input.data + body->size);
}

enum status manifest_decode(struct manifest *manifest, struct arena *arena, struct bytes input)
{
    CHECK(arena != NULL);
    struct bytes body;
    *manifest = (struct manifest){ 0 };
    if (!verify(input, &body)) {
        return STATUS_CORRUPT;
    }
    struct decoder decoder;
    decoder_init(&decoder, body);
    if (decode_u32(&decoder) != MANIFEST_MAGIC || decode_u16(&decoder) != MANIFEST_VERSION) {
        return STATUS_CORRUPT;
    }
    manifest->job = decode_bytes(&decoder);
    manifest->checkpoint = decode_u64(&decoder);
    manifest->attempt = decode_u64(&decoder);
    manifest->triggered_ns = decode_u64(&decoder);
    manifest->max_parallelism = decode_u32(&decoder);
    manifest->vertex_count = decode_count(&decoder, VERTEX_BYTES_MIN);
    decoder.failed |= manifest->checkpoint == 0;
    manifest->vertices = arena_alloc(arena, manifest->vertex_count, sizeof *manifest->vertices);
    for (uint32_t i = 0; i < manifest->vertex_count && !decoder.failed; i++) {
        decode_vertex(&decoder, arena, &manifest->vertices[i]);
    }
    return decoder_finish(&decoder);
}
