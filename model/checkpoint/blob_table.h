/* blob_table.h - the contract of what a store that the JobManager alone reaches consists of: blobs
 * by path, changed in transactions.
 *
 * B1  A transaction is the changes from begin to end. When end answers OK they are all there, as
 *     durable as the table ever makes anything; after an error of any call, all or none of them are
 *     (none, unless it was end that failed), and there is no transaction any more.
 * B2  Outside of a transaction nothing is changed. One is under way at a time.
 * B3  After an error the table can be used again: it finds its way back by itself, or says the same
 *     error again.
 *
 * Every call may answer HALTED, IO, NO_SPACE or CORRUPT besides what is named. */
#ifndef FAULTLINE_CHECKPOINT_BLOB_TABLE_H
#define FAULTLINE_CHECKPOINT_BLOB_TABLE_H

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "model/host.h"

struct blob_table;

struct blob_table_ops {
    enum status (*begin)(struct blob_table *);
    enum status (*end)(struct blob_table *);
    enum status (*put)(struct blob_table *, struct bytes path, struct bytes blob);
    enum status (*remove)(struct blob_table *, struct bytes path);
    enum status (*get)(struct blob_table *, struct bytes path, struct buffer *out);
    enum status (*list)(struct blob_table *, struct bytes prefix, struct buffer *paths);
};

/* The first member of each table's own struct. */
struct blob_table {
    const struct blob_table_ops *ops;
    struct host *host;
};

MUST_USE static inline enum status blob_table_begin(struct blob_table *table)
{
    return table->ops->begin(table);
}
MUST_USE static inline enum status blob_table_end(struct blob_table *table)
{
    return table->ops->end(table);
}

/* Puts a copy of `blob` behind `path`, in the place of what was there. */
MUST_USE static inline enum status blob_table_put(struct blob_table *table, struct bytes path,
                                                  struct bytes blob)
{
    return table->ops->put(table, path, blob);
}

/* Nothing there: STATUS_OK. */
MUST_USE static inline enum status blob_table_remove(struct blob_table *table, struct bytes path)
{
    return table->ops->remove(table, path);
}

/* Appends the blob to `out`; nothing after an error. Errors: NOT_FOUND. */
MUST_USE static inline enum status blob_table_get(struct blob_table *table, struct bytes path,
                                                  struct buffer *out)
{
    return table->ops->get(table, path, out);
}

/* Appends every path that begins with `prefix` to `paths`, rising, each a run of bytes
 * (encode_bytes). */
MUST_USE static inline enum status blob_table_list(struct blob_table *table, struct bytes prefix,
                                                   struct buffer *paths)
{
    return table->ops->list(table, prefix, paths);
}

/* A table in the memory of the process: it fails never, and ends with it. */
struct blob_table *blob_table_memory_create(struct host *host);

/* A table in the SQLite database STORE_DATABASE (store.h) on the SHARED volume, whose directory
 * exists; made if there is none. Errors: NOT_FOUND (no directory), CORRUPT (it is no database). */
MUST_USE enum status blob_table_sqlite_open(struct host *host, struct blob_table **table);

#endif
