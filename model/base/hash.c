#include "model/base/hash.h"

#include "model/base/check.h"
#include "model/base/hash_avx2.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Wide instructions are for what is longer. */
static bool is_for_avx2(struct bytes bytes)
{
    return bytes.size > XXH3_MIDSIZE_MAX && hash_avx2_is_possible();
}

uint64_t hash_bytes(struct bytes bytes)
{
    return is_for_avx2(bytes) ? hash_avx2(bytes) : XXH3_64bits(bytes.data, bytes.size);
}

/* The library's state wants an alignment that an arena does not promise. */
static XXH3_state_t *state_of(const struct hash_stream *stream)
{
    uintptr_t address = (uintptr_t)stream->memory;
    uintptr_t alignment = _Alignof(XXH3_state_t);
    return (XXH3_state_t *)((address + alignment - 1) / alignment * alignment);
}

void hash_stream_init(struct hash_stream *stream, struct arena *arena)
{
    stream->arena = arena;
    stream->memory = arena_alloc_raw(arena, sizeof(XXH3_state_t) + _Alignof(XXH3_state_t));
    CHECK(XXH3_64bits_reset(state_of(stream)) == XXH_OK);
}

void hash_stream_add(struct hash_stream *stream, struct bytes bytes)
{
    if (is_for_avx2(bytes)) {
        hash_avx2_add(state_of(stream), bytes);
    } else {
        CHECK(XXH3_64bits_update(state_of(stream), bytes.data, bytes.size) == XXH_OK);
    }
}

uint64_t hash_stream_finish(struct hash_stream *stream)
{
    uint64_t hash = XXH3_64bits_digest(state_of(stream));
    arena_free(stream->arena, stream->memory);
    stream->memory = NULL;
    return hash;
}
