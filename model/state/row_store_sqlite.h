/* row_store_sqlite.h - rows in a disposable SQLite database on the host's LOCAL volume.
 *
 * All spaces lie in one table, in the order of the keys. A row that changes while a view is open is
 * copied to a second table, with the epochs for which it counts; a scan of a view goes through both
 * side by side. (A second connection that reads an old state would need a write-ahead log, and that
 * shared memory.) All changes are one transaction that never ends: SQLite writes pages only when
 * its cache is full. */
#ifndef FAULTLINE_STATE_ROW_STORE_SQLITE_H
#define FAULTLINE_STATE_ROW_STORE_SQLITE_H

#include "model/host.h"
#include "model/state/row_store.h"

/* An empty store in the file `path`, whose directory exists; what is there is emptied. The host's
 * arena owns it. Errors: HALTED, IO, NO_SPACE, NOT_FOUND (no directory). */
MUST_USE enum status row_store_sqlite_create(struct host *host, const char *path,
                                             uint64_t cache_bytes, struct row_store **store);

#endif
