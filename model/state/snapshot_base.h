/* snapshot_base.h - the snapshots of a backend that later ones may build on. */
#ifndef FAULTLINE_STATE_SNAPSHOT_BASE_H
#define FAULTLINE_STATE_SNAPSHOT_BASE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/state/change_log.h"

struct snapshot_base {
    uint64_t id;
    uint32_t epoch;       /* the last one whose changes are in it */
    uint32_t part_count;  /* 0: it is not written out yet */
    uint64_t last_part;   /* id of the newest of its parts; of a changelog backend known before it
                           * is written out */
    uint64_t entry_count; /* over all its parts, removals included */
    struct log_position log_end; /* of a changelog backend: what comes behind is not in it */
};

struct snapshot_bases {
    struct snapshot_base *items; /* rising ids and epochs */
    size_t capacity;
    uint32_t count;
};

/* The base called `id`, or NULL. Borrowed until the next change. */
struct snapshot_base *snapshot_bases_find(const struct snapshot_bases *bases, uint64_t id);

/* Adds a base with the largest id so far; memory from `arena`. */
void snapshot_bases_add(struct snapshot_bases *bases, struct arena *arena,
                        struct snapshot_base base);

/* What a snapshot of `entry_count` entries that names `id` as its base (0: none) is built on: it,
 * if that is better than to begin anew, which takes the place of compaction; else a base without
 * parts. Forgets those with smaller ids. */
struct snapshot_base snapshot_bases_choose(struct snapshot_bases *bases, uint64_t id,
                                           uint32_t parts_max, uint64_t entry_count);

/* Makes the base called `id`, if it is there, one that is written out: on `built_on`, and with a
 * new part of `written_count` entries and removals, if it has one. */
void snapshot_bases_complete(const struct snapshot_bases *bases, uint64_t id,
                             const struct snapshot_base *built_on, bool has_part,
                             uint64_t written_count);

/* Forgets the base called `id`, if it is there; those with smaller ids; or all. */
void snapshot_bases_forget(struct snapshot_bases *bases, uint64_t id);
void snapshot_bases_forget_below(struct snapshot_bases *bases, uint64_t id);
void snapshot_bases_forget_all(struct snapshot_bases *bases);

/* The oldest epoch of a base; UINT32_MAX: there is none. */
uint32_t snapshot_bases_oldest(const struct snapshot_bases *bases);

#endif
