/* sqlite_vfs.h - SQLite's way to the disk: a VFS over the storage calls of host.h.
 *
 * V1  SQLite reaches files, the clock and chance through the host alone. Sleeping, shared memory,
 *     memory mapping and temporary files do not exist: connections say temp_store=MEMORY.
 * V2  There are no locks. A database belongs to one connection at a time, with
 *     locking_mode=EXCLUSIVE; who else may open the file must be settled by the caller.
 * V3  The first sync of an open file also syncs its directory, whoever made the file: a process may
 *     have died between making a name and syncing it, and a sync of the content does not make the
 *     name durable (H4).
 * V4  What a durable connection finds is made durable before it is read: the last process may have
 *     died before its sync, on another machine, and what is read there could still be lost
 *     afterwards.
 * V5  After STATUS_HALTED, or after sqlite_vfs_abandon, SQLite gets errors and the host no call.
 *
 * Two promises of the volume are passed on to SQLite: a write that a power cut tears leaves the
 * bytes beside it alone (SQLITE_IOCAP_POWERSAFE_OVERWRITE), and nothing else: a page may be torn,
 * writes may survive out of order, and a file may grow before its data is there. */
#ifndef FAULTLINE_STATE_SQLITE_VFS_H
#define FAULTLINE_STATE_SQLITE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "model/base/status.h"
#include "model/host.h"

enum { SQLITE_VFS_PATH_SIZE = 256 }; /* of a database; those of its journals are a little longer */

struct sqlite_vfs {
    sqlite3_vfs base; /* first: what SQLite sees */
    struct host *host;
    enum host_volume volume;
    enum status status; /* the first failure of the host since sqlite_vfs_forget */
};

/* Prepares `vfs`, which must stay where it is as long as a connection uses it. */
void sqlite_vfs_init(struct sqlite_vfs *vfs, struct host *host, enum host_volume volume);

/* Makes durable what there is of the database `path`: its file, its journals, their names (V4).
 * Errors: NOT_FOUND (no directory). */
MUST_USE enum status sqlite_vfs_settle(struct sqlite_vfs *vfs, const char *path);

/* Removes what there is of the database `path`. */
MUST_USE enum status sqlite_vfs_remove(struct sqlite_vfs *vfs, const char *path);

/* Opens a connection to the database `path`, which is created if it does not exist; to be closed
 * with sqlite3_close. SQLite's own random numbers, which all connections of the program share,
 * start again from host_random. Returns SQLite's code; `*db` is NULL unless that is SQLITE_OK. */
int sqlite_vfs_connect(struct sqlite_vfs *vfs, const char *path, sqlite3 **db);

/* Why SQLite failed: the first of HALTED, NO_SPACE and IO that the host answered; STATUS_OK if it
 * answered none of them. HALTED is never forgotten. */
static inline enum status sqlite_vfs_status(const struct sqlite_vfs *vfs)
{
    return vfs->status;
}
void sqlite_vfs_forget(struct sqlite_vfs *vfs);

/* Makes no call of the host any more (V5): for a cleanup when the host may be gone. */
void sqlite_vfs_abandon(struct sqlite_vfs *vfs);

#endif
