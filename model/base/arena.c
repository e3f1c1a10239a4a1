#include "model/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"

enum {
    /* The library hands out small blocks sooner if it need not clear them; large ones may come
     * fresh from the system, which has cleared them. */
    CLEARED_BYTES_MAX = 1024,
    GROW_BYTES_MIN = 256,   /* what grows at all seldom stays smaller */
    FORMAT_BYTES_MAX = 256, /* of a text that is formatted once, not twice */
};

struct arena_block {
    struct arena_block *next;
    struct arena_block **link; /* what points to this block */
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

void arena_init(struct arena *arena)
{
    arena->blocks = NULL;
    arena->deferred = NULL;
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
}

static size_t total_size(size_t size_bytes)
{
    CHECK(size_bytes <= SIZE_MAX / 2);
    return sizeof(struct arena_block) + size_bytes;
}

void *arena_alloc_raw(struct arena *arena, size_t size_bytes)
{
    struct arena_block *block = malloc(total_size(size_bytes));
    CHECK(block != NULL);
    attach(arena, block);
    return block->data;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size_bytes)
{
    CHECK(size_bytes > 0);
    CHECK(count <= SIZE_MAX / 2 / size_bytes);
    size_t size = count * size_bytes;
    if (size <= CLEARED_BYTES_MAX) {
        return memset(arena_alloc_raw(arena, size), 0, size);
    }
    struct arena_block *block = calloc(1, total_size(size));
    CHECK(block != NULL);
    attach(arena, block);
    return block->data;
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

void *arena_resize(struct arena *arena, void *data, size_t size_bytes)
{
    if (data == NULL) {
        return arena_alloc_raw(arena, size_bytes);
    }
    struct arena_block *block = block_of(data);
    detach(block);
    block = realloc(block, total_size(size_bytes));
    CHECK(block != NULL);
    attach(arena, block);
    return block->data;
}

void arena_free(struct arena *arena, void *data)
{
    (void)arena;
    if (data != NULL) {
        struct arena_block *block = block_of(data);
        detach(block);
        free(block);
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
