/* row_store.h - what the backends on disk are built on: rows, each a key and a value, in spaces.
 *
 * A row's key begins with the number of its space (u16, the greater byte first), and rows of one
 * space are in the order of their keys' bytes. A view is the content of one moment: it stays as it
 * was while rows change. row_backend.h makes a state backend of a store.
 *
 * R1  Bytes that a store lends out stay until the next call of the same store.
 * R2  Before a row changes that a view may still be asked for, the caller says so: preserve. A
 *     store that keeps old content by itself has no preserve.
 * R3  After an error a store can only be destroyed.
 * R4  Many new rows can be loaded at once, those of a space in the order of their keys, and behind
 *     every row that the space has. No view is open then. From the first load to load_end no other
 *     call is made: only then the rows are there. */
#ifndef FAULTLINE_STATE_ROW_STORE_H
#define FAULTLINE_STATE_ROW_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/check.h"
#include "model/base/status.h"

/* The space of the marks of changes: its rows are never asked for through a view. */
enum { ROW_SPACE_MARKS = 0xffff, ROW_SPACE_BYTES = 2 };

/* Each value begins with the epoch in which the row was written last (u32); views count in them. */
enum { ROW_EPOCH_BYTES = 4 };

struct row_store;
struct row_view;
struct row_scan;

struct row {
    struct bytes key;   /* with its space */
    struct bytes value; /* with its epoch */
};

struct row_store_ops {
    void (*destroy)(struct row_store *);
    enum status (*get)(struct row_store *, const struct row_view *, struct bytes key,
                       struct bytes *value);
    enum status (*put)(struct row_store *, struct bytes key, struct bytes value);
    enum status (*remove)(struct row_store *, struct bytes key);
    enum status (*load)(struct row_store *, const struct row *rows, uint32_t count);
    enum status (*load_end)(struct row_store *); /* NULL: there is nothing to end */
    enum status (*preserve)(struct row_store *, struct bytes key, uint32_t epoch_end);
    struct row_view *(*freeze)(struct row_store *, uint32_t epoch);
    enum status (*thaw)(struct row_store *, struct row_view *);
    enum status (*sweep)(struct row_store *, bool *is_done); /* NULL: there is nothing to do */
    struct row_scan *(*scan)(struct row_store *, const struct row_view *, struct bytes from,
                             struct bytes end);
    enum status (*next)(struct row_store *, struct row_scan *, struct row *row, bool *has_row);
    void (*scan_end)(struct row_store *, struct row_scan *);
};

/* The first member of each store's own struct. */
struct row_store {
    const struct row_store_ops *ops;
};

/* Ends scans and views, too. */
static inline void row_store_destroy(struct row_store *store)
{
    store->ops->destroy(store);
}

/* Errors of all calls: HALTED, IO, NO_SPACE, CORRUPT. */

/* The row's value, or data == NULL; now, or in `view` if that is not NULL. */
MUST_USE static inline enum status row_store_get(struct row_store *store,
                                                 const struct row_view *view, struct bytes key,
                                                 struct bytes *value)
{
    return store->ops->get(store, view, key, value);
}

/* `key` and `value` are not borrowed from the store. To remove what is not there does nothing. */
MUST_USE static inline enum status row_store_put(struct row_store *store, struct bytes key,
                                                 struct bytes value)
{
    CHECK(value.size >= ROW_EPOCH_BYTES);
    return store->ops->put(store, key, value);
}
MUST_USE static inline enum status row_store_remove(struct row_store *store, struct bytes key)
{
    return store->ops->remove(store, key);
}

/* Puts rows as R4 has it. They are not borrowed from the store. */
MUST_USE static inline enum status row_store_load(struct row_store *store, const struct row *rows,
                                                  uint32_t count)
{
    return store->ops->load(store, rows, count);
}
MUST_USE static inline enum status row_store_load_end(struct row_store *store)
{
    return store->ops->load_end == NULL ? STATUS_OK : store->ops->load_end(store);
}

/* Keeps the row as it is now for the views of epochs before `epoch_end` (R2). */
MUST_USE static inline enum status row_store_preserve(struct row_store *store, struct bytes key,
                                                      uint32_t epoch_end)
{
    return store->ops->preserve == NULL ? STATUS_OK : store->ops->preserve(store, key, epoch_end);
}

/* The content as it is now, `epoch` having been the last. Owned by the store until thaw. Neither of
 * the two takes a time that depends on how much it is. */
static inline struct row_view *row_store_freeze(struct row_store *store, uint32_t epoch)
{
    return store->ops->freeze(store, epoch);
}
MUST_USE static inline enum status row_store_thaw(struct row_store *store, struct row_view *view)
{
    return store->ops->thaw(store, view);
}

/* Drops a little of what was kept for views and no open one will ask for; `*is_done`: there is
 * nothing left to drop. Scans of views step over what is left. */
MUST_USE static inline enum status row_store_sweep(struct row_store *store, bool *is_done)
{
    *is_done = store->ops->sweep == NULL;
    return *is_done ? STATUS_OK : store->ops->sweep(store, is_done);
}

/* Goes through the rows whose keys do not come before `from` and come before `end`, all of one
 * space; now, or in a view. It takes time for every row in between, whether it is of the view or
 * not. Of rows that change meanwhile it is open whether the old or the new content is seen, but for
 * a view. The two keys are copied. Owned by the store until scan_end. */
static inline struct row_scan *row_store_scan(struct row_store *store, const struct row_view *view,
                                              struct bytes from, struct bytes end)
{
    CHECK(from.size >= ROW_SPACE_BYTES);
    CHECK(end.size > 0);
    return store->ops->scan(store, view, from, end);
}
MUST_USE static inline enum status row_scan_next(struct row_store *store, struct row_scan *scan,
                                                 struct row *row, bool *has_row)
{
    return store->ops->next(store, scan, row, has_row);
}
static inline void row_scan_end(struct row_store *store, struct row_scan *scan)
{
    store->ops->scan_end(store, scan);
}

#endif
