/* disk.h - a simulated volume: files, directories, and what a power cut leaves of them.
 *
 * It holds bytes and knows no time: the simulated host charges for the calls. Reads see every
 * write at once. Durability is per client machine (a LOCAL volume has one client, the SHARED
 * volume has every machine: its writes sit in the page cache of the machine that made them).
 *
 * D1  A process crash changes nothing here.
 * D2  disk_cut(client) is the power cut of one machine: of the writes it made since their file was
 *     last synced, and the names it changed since their directory was last synced, each survives
 *     or not, as `survival` says. What was synced survives.
 * D3  KEEP: all survive. LOSE: none. TEAR: every unsynced write is kept, lost or torn at a
 *     boundary of DISK_SECTOR_BYTES, every unsynced name is kept or lost, one by one, in any
 *     combination, drawn from the caller's random stream. RANDOM: one of the three per cut.
 * D4  A rename is atomic: after a cut one of the two names (or, with both directories' changes
 *     kept separately, both) leads to the file, never to a mixture of two contents.
 * D5  A file's size is data: it becomes durable with the sync of the file.
 * D6  A sync makes the whole file, or all names of the directory, durable, whoever changed them:
 *     the one who asks for a sync brings the other machines' changes to the device first.
 * D7  A cut undoes exactly the lost changes of its client. Changes of other clients to the same
 *     file or the same names are then done again in their order, still unsynced. So a write behind
 *     a lost append leaves a gap of zeros, and a name that one client created and another replaced
 *     leads to what the second put there.
 * D8  A sync of a file says nothing of its names. If a cut undoes a name under which somebody (the
 *     same client or another) went on to write and sync, the content stays reachable through open
 *     files and other names only; without either it is gone. The same holds for what a directory
 *     holds when its own name is lost. A file without a name lives while it is open.
 * D9  A torn write keeps the part before, or the part behind, one sector boundary; a write inside
 *     one sector is kept or lost. So a file whose name survives without a sync of the file is as
 *     long as its last surviving write says: empty, short, or with zeros in it.
 *
 * A rename between two directories is two changes, and the loss of the old name never survives
 * without the new one: a sync of the old directory makes the new name durable too.
 *
 * Not modelled: metadata journals that order renames after data (so the model must sync), partial
 * sectors, misdirected writes, bit rot (except by disk_corrupt), renames of directories. */
#ifndef FAULTLINE_SIM_DISK_H
#define FAULTLINE_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/prng.h"
#include "model/base/status.h"

enum { DISK_SECTOR_BYTES = 512 };

enum disk_survival { DISK_KEEP, DISK_LOSE, DISK_TEAR, DISK_RANDOM };

struct disk;
struct disk_file; /* a file's content, whatever its names are */

/* An empty volume with a root directory "". All memory from `arena`. */
struct disk *disk_create(struct arena *arena);
void disk_destroy(struct disk *disk);

/* Adds a durable read-only file whose content is borrowed for the disk's life: input data. Parent
 * directories are made. */
void disk_add_input(struct disk *disk, const char *path, struct bytes content);

/* The calls of host.h; `client` is the machine that makes them. Errors as there, and IO where a
 * directory stands in the place of a file or input data would be changed. Empty names between
 * slashes are ignored. A rename or remove of a directory answers NOT_FOUND.
 * An opened file is borrowed until disk_close. A read answers how many bytes it got. */
MUST_USE enum status disk_open(struct disk *disk, uint32_t client, const char *path, bool create,
                               bool truncate, struct disk_file **file);
void disk_close(struct disk *disk, struct disk_file *file);
uint64_t disk_size(const struct disk_file *file);
size_t disk_read(const struct disk_file *file, uint64_t offset, void *data, size_t size_bytes);
MUST_USE enum status disk_write(struct disk *disk, uint32_t client, struct disk_file *file,
                                uint64_t offset, struct bytes bytes);
void disk_sync(struct disk *disk, struct disk_file *file);
MUST_USE enum status disk_rename(struct disk *disk, uint32_t client, const char *from,
                                 const char *to);
MUST_USE enum status disk_remove(struct disk *disk, uint32_t client, const char *path);
MUST_USE enum status disk_make_dir(struct disk *disk, uint32_t client, const char *path);
MUST_USE enum status disk_remove_dir(struct disk *disk, uint32_t client, const char *path);
MUST_USE enum status disk_sync_dir(struct disk *disk, const char *path);
MUST_USE enum status disk_list(const struct disk *disk, const char *path,
                               void (*each)(void *context, const char *name), void *context);

/* The power cut of `client` (D2). Files that the client held open must have been closed. */
void disk_cut(struct disk *disk, uint32_t client, enum disk_survival survival, struct prng *prng);

/* For the oracle and for damage: looks at a file without being a client. False if there is none;
 * the bytes are borrowed until the next change. Directories are not files. */
MUST_USE bool disk_peek(const struct disk *disk, const char *path, struct bytes *content);

/* Calls `each` with the full path of every file: depth first, the names of a directory sorted by
 * bytes. The path is borrowed for the call, which must not change the disk. */
void disk_each_file(const struct disk *disk, void (*each)(void *context, const char *path),
                    void *context);

/* Damage: flips one bit at `position` (modulo the size), durably; or makes the file `size_bytes`
 * long. False if there is no such file (or it is empty). Unsynced writes stay unsynced. */
bool disk_corrupt(struct disk *disk, const char *path, uint64_t position);
bool disk_truncate(struct disk *disk, const char *path, uint64_t size_bytes);

/* Asserts the invariants. */
void disk_check(const struct disk *disk);

#endif
