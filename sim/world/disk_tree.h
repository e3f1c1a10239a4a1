/* disk_tree.h - the names of a simulated volume: directories, and their changes not yet durable.
 *
 * A file lives while something leads to it: a name, an unsynced name change, an open file. Each
 * unsynced change of a directory remembers what the name led to, so that a cut undoes all changes
 * in reverse order and does the surviving ones again, as disk_content.h does with writes; rules W1
 * to W3 there hold for names too. The rules of the volume are in disk.h. */
#ifndef FAULTLINE_SIM_DISK_TREE_H
#define FAULTLINE_SIM_DISK_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/prng.h"
#include "sim/world/disk.h"
#include "sim/world/disk_content.h"

struct disk_entry {
    struct disk_file *file;
    char name[];
};

/* One unsynced change of a directory: `name` led to `before` and leads to `after` since. */
struct name_change {
    struct disk_file *directory;
    struct disk_file *before; /* NULL: to nothing; both hold a reference */
    struct disk_file *after;
    struct name_change *twin; /* of a rename: the other of its two changes, while it is unsynced */
    uint32_t client;
    bool is_lost; /* the verdict of the cut that is under way */
    char name[];
};

/* A file or a directory. */
struct disk_file {
    uint64_t reference_count;
    uint32_t open_count;
    bool is_directory;
    bool is_input; /* read-only */
    bool is_dirty; /* in the list of files with unsynced changes */
    struct disk_content content;
    struct disk_entry **entries; /* sorted by the bytes of their names */
    size_t entry_count;
    size_t entry_capacity;
    struct name_change **changes; /* unsynced, oldest first */
    size_t change_count;
    size_t change_capacity;
    struct disk_file *next; /* all files of the disk */
    struct disk_file *previous;
    struct disk_file *dirty_next;
    struct disk_file *dirty_previous;
};

struct disk {
    struct arena *arena;
    struct disk_file *root;
    struct disk_file *files;       /* newest first */
    struct disk_file *dirty_first; /* in the order in which they became dirty */
    struct disk_file *dirty_last;
    size_t dirty_count;
};

/* A new file, or directory, that nothing leads to yet. Memory from the disk's arena. */
struct disk_file *disk_tree_file(struct disk *disk, bool is_directory);

/* One more thing leads to `file`, or one less: the last one ends it. NULL is allowed. */
struct disk_file *disk_tree_hold(struct disk_file *file);
void disk_tree_release(struct disk *disk, struct disk_file *file);

/* Puts `file` in the list of dirty files, or takes it out; to be called after each write or sync of
 * its content. */
void disk_tree_update(struct disk *disk, struct disk_file *file);

/* What `name` leads to in `directory`; NULL: nothing. */
struct disk_file *disk_tree_lookup(const struct disk_file *directory, struct bytes name);

/* Lets `name` lead to `file`, or to nothing if that is NULL, and remembers how to undo it. Nothing
 * is remembered, and the answer NULL, where nothing can undo it: if `client` is DISK_NOBODY and the
 * directory has no unsynced changes. The answer is borrowed until the next change. */
struct name_change *disk_tree_change(struct disk *disk, uint32_t client,
                                     struct disk_file *directory, struct bytes name,
                                     struct disk_file *file);

/* All names of `directory` are durable. */
void disk_tree_sync(struct disk *disk, struct disk_file *directory);

/* The power cut of `client`: KEEP, LOSE or TEAR of what it did not sync. */
void disk_tree_cut(struct disk *disk, uint32_t client, enum disk_survival survival,
                   struct prng *prng);

/* Frees every file, whatever leads to it, and the disk itself. */
void disk_tree_destroy(struct disk *disk);

/* Asserts the invariants. */
void disk_tree_check(const struct disk *disk);

#endif
