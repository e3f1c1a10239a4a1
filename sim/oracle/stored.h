/* stored.h - what lies on the SHARED volume, as the judge sees it: the files, and in the place of
 * the database of the checkpoint store `sqlite` what is in it, by the same paths.
 *
 * It reads the database with SQLite's own reader, from a copy of the file, and never with the code
 * that writes it. A checkpoint in the memory of a JobManager cannot be seen. */
#ifndef FAULTLINE_SIM_ORACLE_STORED_H
#define FAULTLINE_SIM_ORACLE_STORED_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/checkpoint/store.h"
#include "sim/world/disk.h"

struct stored_blob {
    const char *path;
    struct bytes content;
};

/* Zero, but for the first three. */
struct stored {
    struct arena *arena;
    const struct disk *shared;
    enum store_kind kind;
    struct stored_blob *blobs; /* of the database */
    size_t count;
    size_t capacity;
    bool is_readable;   /* SQLite found nothing wrong, and there is no transaction to roll back */
    uint64_t file_hash; /* of the file that `blobs` is from; 0: none */
};

/* Looks at the database again, if it has changed: to be called before what is below, at a time when
 * no transaction is under way. */
void stored_refresh(struct stored *stored);

/* As disk_peek and disk_each_file; borrowed until the next change or stored_refresh. */
bool stored_peek(const struct stored *stored, const char *path, struct bytes *content);
void stored_each(const struct stored *stored, void (*each)(void *context, const char *path),
                 void *context);

/* Is `path` the database, or a journal of it? */
bool stored_is_database(const char *path);

#endif
