#include "model/base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
enum { HAS_SMALL_BLOCKS = false };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { HAS_SMALL_BLOCKS = false };
#else
enum { HAS_SMALL_BLOCKS = true };
#endif
#else
enum { HAS_SMALL_BLOCKS = true };
#endif

enum {
    GRANULE_BYTES = 16, /* sizes of small blocks are multiples of it */
    SMALL_BYTES_MAX = 1024,
    SMALL_SIZES = SMALL_BYTES_MAX / GRANULE_BYTES,
    CHUNK_BYTES_FIRST = 4 * 1024, /* each chunk is twice as large as the one before, up to: */
    CHUNK_BYTES_MAX = 64 * 1024,
    GROW_BYTES_MIN = 256,   /* what grows at all seldom stays smaller */
    FORMAT_BYTES_MAX = 256, /* of a text that is formatted once, not twice */
};

struct arena_block {
    union {
        struct arena_block *next; /* of a large block, or of a free small one */
        struct arena_pool *pool;  /* of a small block that lives */
    };
    union {
        struct arena_block **link; /* of a large block: what points to it */
        uintptr_t small;           /* of a small one: its granules, doubled, plus one */
    };
    max_align_t data[];
};
_Static_assert(sizeof(struct arena_block) % GRANULE_BYTES == 0, "small blocks stay aligned");
_Static_assert(_Alignof(max_align_t) <= GRANULE_BYTES, "small blocks can hold anything");

/* Stands at the start of the first chunk. */
struct arena_pool {
    struct arena_chunk *chunks;
    unsigned char *at; /* what is left of the newest chunk */
    size_t left_bytes;
    size_t chunk_bytes;                        /* of the newest chunk */
    struct arena_block *free[SMALL_SIZES + 1]; /* by granules */
};

struct arena_chunk {
    struct arena_chunk *next;
    max_align_t data[];
};

struct arena_deferred {
    struct arena_deferred *next; /* the one deferred before */
    void (*end)(void *argument);
    void *argument;
};

static void attach(struct arena *arena, struct arena_block *block)
{
    block->next = arena->blocks;
    block->link = &arena->blocks;
    if (block->next != NULL) {
        block->next->link = &block->next;
    }
    arena->blocks = block;
}

static void detach(struct arena_block *block)
{
    CHECK(*block->link == block);
    *block->link = block->next;
    if (block->next != NULL) {
        block->next->link = block->link;
    }
}

static struct arena_block *block_of(void *data)
{
    return (struct arena_block *)(void *)((unsigned char *)data -
                                          offsetof(struct arena_block, data));
}

static bool is_small(const struct arena_block *block)
{
    return (block->small & 1) != 0;
}

/* The bytes that a small block has room for. */
static size_t small_size(const struct arena_block *block)
{
    return block->small / 2 * GRANULE_BYTES;
}

void arena_init(struct arena *arena)
{
    *arena = (struct arena){ 0 };
}

void arena_drop(struct arena *arena)
{
    while (arena->deferred != NULL) {
        const struct arena_deferred *deferred = arena->deferred;
        arena->deferred = deferred->next;
        deferred->end(deferred->argument);
    }
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    struct arena_chunk *chunk = arena->pool == NULL ? NULL : arena->pool->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena_init(arena);
}

/* Begins a chunk. The first one holds the pool, too. */
static void add_chunk(struct arena *arena)
{
    struct arena_pool *pool = arena->pool;
    size_t size_bytes = pool == NULL                          ? CHUNK_BYTES_FIRST
                        : pool->chunk_bytes < CHUNK_BYTES_MAX ? pool->chunk_bytes * 2
                                                              : CHUNK_BYTES_MAX;
    struct arena_chunk *chunk = malloc(size_bytes);
    CHECK(chunk != NULL);
    unsigned char *at = (unsigned char *)chunk->data;
    if (pool == NULL) {
        pool = arena->pool = (struct arena_pool *)(void *)at;
        *pool = (struct arena_pool){ 0 };
        at += (sizeof *pool + GRANULE_BYTES - 1) / GRANULE_BYTES * GRANULE_BYTES;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->chunk_bytes = size_bytes;
    pool->at = at;
    pool->left_bytes = size_bytes - (size_t)(at - (unsigned char *)chunk);
}

static struct arena_block *take_small(struct arena *arena, size_t size_bytes)
{
    size_t granules = (size_bytes + GRANULE_BYTES - 1) / GRANULE_BYTES;
    struct arena_pool *pool = arena->pool;
    struct arena_block *block = pool == NULL ? NULL : pool->free[granules];
    if (block != NULL) {
        pool->free[granules] = block->next;
    } else {
        size_t needed_bytes = sizeof *block + granules * GRANULE_BYTES;
        if (pool == NULL || pool->left_bytes < needed_bytes) {
            add_chunk(arena);
            pool = arena->pool;
        }
        block = (struct arena_block *)(void *)pool->at;
        pool->at += needed_bytes;
        pool->left_bytes -= needed_bytes;
        block->small = granules * 2 + 1;
    }
    block->pool = pool;
    return block;
}

static bool is_told(const struct arena *arena, size_t size_bytes)
{
    return arena->on_large != NULL && size_bytes >= ARENA_LARGE_BYTES;
}

/* Makes a large block one of the arena's. */
static struct arena_block *admit(struct arena *arena, struct arena_block *block, size_t size_bytes)
{
    CHECK(block != NULL);
    if (is_told(arena, size_bytes)) {
        arena->on_large(block, size_bytes);
    }
    attach(arena, block);
    return block;
}

/* A block, of which the content is not cleared. */
static struct arena_block *take(struct arena *arena, size_t size_bytes)
{
    CHECK(size_bytes <= SIZE_MAX / 2);
    arena->live_count++;
    if (HAS_SMALL_BLOCKS && size_bytes <= SMALL_BYTES_MAX) {
        return take_small(arena, size_bytes);
    }
    size_bytes += sizeof(struct arena_block);
    if (!is_told(arena, size_bytes)) {
        return admit(arena, malloc(size_bytes), size_bytes);
    }
    /* As many large pages as there can be: the block begins with one. */
    size_bytes = (size_bytes + ARENA_LARGE_BYTES - 1) / ARENA_LARGE_BYTES * ARENA_LARGE_BYTES;
    return admit(arena, aligned_alloc(ARENA_LARGE_BYTES, size_bytes), size_bytes);
}

void *arena_alloc_raw(struct arena *arena, size_t size_bytes)
{
    return take(arena, size_bytes)->data;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size_bytes)
{
    CHECK(size_bytes > 0);
    CHECK(count <= SIZE_MAX / 2 / size_bytes);
    size_t size = count * size_bytes;
    if (size <= SMALL_BYTES_MAX) {
        return memset(take(arena, size)->data, 0, size);
    }
    /* Large ones may come fresh from the system, which has cleared them. */
    arena->live_count++;
    size += sizeof(struct arena_block);
    return admit(arena, calloc(1, size), size)->data;
}

struct arena_deferred *arena_defer(struct arena *arena, void (*end)(void *argument), void *argument)
{
    CHECK(end != NULL);
    struct arena_deferred *deferred = arena_alloc_raw(arena, sizeof *deferred);
    *deferred =
        (struct arena_deferred){ .next = arena->deferred, .end = end, .argument = argument };
    arena->deferred = deferred;
    return deferred;
}

void arena_undefer(struct arena *arena, struct arena_deferred *deferred)
{
    struct arena_deferred **link = &arena->deferred;
    while (*link != NULL && *link != deferred) {
        link = &(*link)->next;
    }
    CHECK(*link == deferred && deferred != NULL);
    *link = deferred->next;
    arena_free(arena, deferred);
}

static void release(struct arena *arena, struct arena_block *block)
{
    CHECK(arena->live_count > 0);
    arena->live_count--;
    if (is_small(block)) {
        CHECK(block->pool == arena->pool); /* else it is another arena's, or free already */
        block->next = arena->pool->free[block->small / 2];
        arena->pool->free[block->small / 2] = block;
    } else {
        detach(block);
        free(block);
    }
}

void *arena_resize(struct arena *arena, void *data, size_t size_bytes)
{
    if (data == NULL) {
        return arena_alloc_raw(arena, size_bytes);
    }
    CHECK(size_bytes <= SIZE_MAX / 2);
    struct arena_block *block = block_of(data);
    if (is_small(block)) {
        size_t room_bytes = small_size(block);
        if (size_bytes <= room_bytes) {
            return data;
        }
        void *larger = arena_alloc_raw(arena, size_bytes);
        memcpy(larger, data, room_bytes);
        release(arena, block);
        return larger;
    }
    detach(block);
    size_bytes += sizeof *block;
    return admit(arena, realloc(block, size_bytes), size_bytes)->data;
}

void arena_free(struct arena *arena, void *data)
{
    if (data != NULL) {
        release(arena, block_of(data));
    }
}

void *arena_grow(struct arena *arena, void *data, size_t *capacity, size_t needed,
                 size_t size_bytes)
{
    if (needed <= *capacity) {
        return data;
    }
    size_t least = size_bytes < GROW_BYTES_MIN / 8 ? GROW_BYTES_MIN / size_bytes : 8;
    size_t wanted = *capacity < least ? least : *capacity * 2;
    if (wanted < needed) {
        wanted = needed;
    }
    CHECK(wanted <= SIZE_MAX / 2 / size_bytes);
    data = arena_resize(arena, data, wanted * size_bytes);
    *capacity = wanted;
    return data;
}

char *arena_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc_raw(arena, size), text, size);
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char room[FORMAT_BYTES_MAX];
    va_start(arguments, format);
    int length = vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    size_t size = (size_t)length + 1;
    char *text = arena_alloc_raw(arena, size);
    if (size <= sizeof room) {
        return memcpy(text, room, size);
    }
    va_start(arguments, format);
    (void)vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return text;
}
