/* stored.h - what lies in the checkpoint store, as the judge sees it: the files of the SHARED
 * volume, and in the place of the database of the store `sqlite`, or of the memory of a JobManager,
 * what is in it, by the same paths.
 *
 * It reads the database with SQLite's own reader, from a copy of the file, and never with the code
 * that writes it. What comes to the store `memory`, and goes, is told and shown by facts; a live
 * run has them without the bytes, and then nothing of that store is seen. */
#ifndef FAULTLINE_SIM_ORACLE_STORED_H
#define FAULTLINE_SIM_ORACLE_STORED_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/checkpoint/store.h"
#include "model/trace.h"
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
    struct stored_blob *blobs; /* of the database, or in memory */
    size_t count;
    size_t capacity;
    bool is_readable;   /* SQLite found nothing wrong, and there is no transaction to roll back; of
                         * the memory all was shown */
    uint64_t file_hash; /* of the file that `blobs` is from; 0: none */
};

/* Looks at the database again, if it has changed: to be called before what is below, at a time when
 * no transaction is under way. */
void stored_refresh(struct stored *stored);

/* What happened to the memory of the JobManager: FACT_BLOB_PUT and _REMOVED; or it is another's. */
void stored_on_put(struct stored *stored, const struct fact *fact);
void stored_on_removed(struct stored *stored, const struct fact *fact);
void stored_on_lost(struct stored *stored);

/* As disk_peek and disk_each_file; borrowed until the next change or stored_refresh. */
bool stored_peek(const struct stored *stored, const char *path, struct bytes *content);
void stored_each(const struct stored *stored, void (*each)(void *context, const char *path),
                 void *context);

/* Is `path` the database, or a journal of it? */
bool stored_is_database(const char *path);

#endif
