/* disk_content.h - the bytes of one simulated file, and which of its writes are not yet durable.
 *
 * The content is always what a reader sees. Each write since the last sync is remembered with the
 * bytes it replaced, so that the state of the last sync can be restored by undoing the writes in
 * reverse order, and the writes that survive a power cut can be redone in order. An append replaces
 * nothing, so it costs one small record.
 *
 * W1  Undoing every write in reverse order gives the content of the last sync.
 * W2  A cut of one client decides over that client's writes only; those of others stay unsynced.
 * W3  A write that survived a cut is durable; it stays in the list, under DISK_NOBODY, only while
 *     an unsynced write of somebody else lies before it.
 * W4  What a file that is rewritten for long without a sync costs beyond itself is in proportion to
 *     the content of the last sync, which one write is then said to have replaced as a whole: the
 *     writes are folded into it. So a file that was never synced costs little, however large. */
#ifndef FAULTLINE_SIM_DISK_CONTENT_H
#define FAULTLINE_SIM_DISK_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/prng.h"
#include "sim/world/disk.h"

/* The client of what no power cut can undo. */
#define DISK_NOBODY UINT32_MAX

/* One unsynced write: bytes [offset, offset + size) were written; then the file ends there if
 * `truncates`. */
struct disk_write {
    uint32_t client;
    bool truncates;
    size_t offset;
    size_t size;
    size_t size_before; /* of the file */
    uint8_t *saved;     /* while done: the bytes it replaced; while undone: those it writes */
    size_t saved_size;
};

struct disk_content {
    struct arena *arena;
    const uint8_t *input; /* borrowed content of input data; NULL if `data` holds it */
    uint8_t *data;
    size_t size;
    size_t capacity;
    struct disk_write *writes; /* unsynced, oldest first */
    size_t write_count;
    size_t write_capacity;
    size_t cost_bytes;   /* memory that the list holds */
    size_t folded_bytes; /* its cost after the last attempt to fold it */
};

/* Empty and durable; memory from `arena`. */
void disk_content_init(struct disk_content *content, struct arena *arena);
void disk_content_free(struct disk_content *content);

/* Becomes `input`, durably and without copying it. The content must be empty. */
void disk_content_borrow(struct disk_content *content, struct bytes input);

/* What a reader sees. Borrowed until the next change. */
struct bytes disk_content_bytes(const struct disk_content *content);

/* Writes `bytes`, with zeros in a gap behind the old end; or sets the size, with zeros if it grows.
 * Durable at once if `client` is DISK_NOBODY. Borrowed input is copied first. */
void disk_content_write(struct disk_content *content, uint32_t client, size_t offset,
                        struct bytes bytes);
void disk_content_truncate(struct disk_content *content, uint32_t client, size_t size_bytes);

/* Everything is durable, whoever wrote it. */
void disk_content_sync(struct disk_content *content);

/* The power cut of `client`: KEEP, LOSE or TEAR of its unsynced writes. */
void disk_content_cut(struct disk_content *content, uint32_t client, enum disk_survival survival,
                      struct prng *prng);

/* Asserts the invariants. */
void disk_content_check(const struct disk_content *content);

#endif
