/* arena.h - memory that dies with its owner.
 *
 * Every allocation belongs to one arena; arena_drop() frees all that is left. Each actor, and the
 * simulated world itself, owns an arena: so a crash can neither leak nor leave memory in use.
 * Blocks may also be resized and freed one by one. Running out of memory aborts: no call here
 * returns NULL. An arena serves one thread at a time.
 *
 * Small blocks are cut from chunks and, once freed, handed out again: most of them live as long as
 * their owner, and go with it in a few chunks. Under the address sanitizer every block is one of
 * the library's, so that it sees any use after the end.
 *
 * What is not memory of the arena but must end with it - a library's handle, a thread - is put into
 * the hands of a function by arena_defer(). */
#ifndef FAULTLINE_BASE_ARENA_H
#define FAULTLINE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena_pool;
struct arena_deferred;

/* So large are the pages in which a system may give memory faster than in small ones; where they
 * are larger yet, these are pieces of one. */
enum { ARENA_LARGE_BYTES = 2 * 1024 * 1024 };

struct arena {
    size_t live_count;               /* of blocks, for tests: 0 if all were freed */
    struct arena_block *blocks;      /* the large ones that live, newest first */
    struct arena_pool *pool;         /* where the small ones come from; NULL: none was needed */
    struct arena_deferred *deferred; /* what arena_drop calls first, newest first */
    /* Is told of each block of so many bytes or more, before the arena's owner gets it: new ones
     * begin with such a page, which nothing has touched. NULL: nobody is told. */
    void (*on_large)(void *block, size_t size_bytes);
};

/* Makes `arena` empty. */
void arena_init(struct arena *arena);

/* Calls what was deferred, frees every block of `arena` and makes it empty. */
void arena_drop(struct arena *arena);

/* Lets arena_drop call `end` with `argument`, the newest first, while all blocks still live. By
 * then the host of the actor may be gone: `end` must call nothing outside its own memory and the
 * library it ends; it may use the arena. Owned by `arena`. */
struct arena_deferred *arena_defer(struct arena *arena, void (*end)(void *argument),
                                   void *argument);

/* Takes back a call that was deferred and has not been made. */
void arena_undefer(struct arena *arena, struct arena_deferred *deferred);

/* `count` elements of `size_bytes` each, zeroed. Owned by `arena`. */
void *arena_alloc(struct arena *arena, size_t count, size_t size_bytes);

/* Like arena_alloc, but the bytes are not cleared: for buffers that are written before they are
 * read. */
void *arena_alloc_raw(struct arena *arena, size_t size_bytes);

/* Resizes `block` (NULL: allocates); the bytes beyond the old size are not cleared. The old pointer
 * is dead. */
void *arena_resize(struct arena *arena, void *block, size_t size_bytes);

/* Gives one block back; NULL is allowed. */
void arena_free(struct arena *arena, void *block);

/* Makes room for at least `needed` elements of `size_bytes` in the array `block` of `*capacity`
 * elements, doubling. Returns the array, moved or not; new elements are not cleared. */
void *arena_grow(struct arena *arena, void *block, size_t *capacity, size_t needed,
                 size_t size_bytes);

/* Copies of a zero-terminated text, and of a formatted one. Owned by `arena`. */
char *arena_text(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
