/* part_restore.h - restores a snapshot part by part into a backend, which files the entries: what
 * is alike for all backends that keep entries themselves. */
#ifndef FAULTLINE_STATE_PART_RESTORE_H
#define FAULTLINE_STATE_PART_RESTORE_H

#include "model/state/key_group.h"
#include "model/state/part_source.h"
#include "model/state/snapshot_base.h"
#include "model/state/state_table.h"

/* At most as many entries are handed over at once: a backend that waits for memory at each can
 * fetch it for all of them before. */
enum { PART_RESTORE_BATCH = 32 };

struct part_restore {
    struct backend *backend;
    struct state_table *states;
    struct key_group_range range; /* entries of other key groups are passed over */
    /* The table may have got more states. Errors: whatever ends the restore. */
    enum status (*on_states)(struct backend *);
    /* Entries, removals and appends, in their order, all of them of the range; `is_first`: of a
     * part that follows no other, in which each key stands once. Errors: CORRUPT, INVALID, or
     * whatever ends the restore. */
    enum status (*on_entries)(struct backend *, bool is_first, const struct snapshot_entry *entries,
                              uint32_t count, const struct state_binding *bindings);
    /* The same for entries of one key group of a first part, if all states of the part are plain
     * and keep their values as they are: a faster way, where there is one. NULL: there is none. */
    enum status (*on_words)(struct backend *, const struct snapshot_words *words,
                            const struct state_binding *bindings);
    struct snapshot_base restored; /* the parts so far; at first only its id and epoch are set */
};

/* Restores all parts, oldest first. What was filed before an error may be of a part that turned out
 * to be damaged at its end. Errors: CORRUPT (also if there is none, or if one is missing
 * between two); INVALID, and the reason stands in the table's `refusal`; those of the functions. */
MUST_USE enum status part_restore_all(struct part_restore *restore,
                                      struct part_source *const *parts, uint32_t part_count);

#endif
