/* changelog_backend.h - a state backend around another one: Flink's changelog state backend.
 *
 * Every change goes to the inner backend, which answers all reads, and into a log (change_log.h).
 * Now and then the inner backend's state is written as a whole: it is materialised. A snapshot is
 * the last materialisation, and the log since: so it costs what was changed since its base, however
 * much state there is and whatever the inner backend's own snapshots cost.
 *
 * The parts are those of snapshot.h, the log an ordinary part that follows another. Every backend
 * restores them, and this one restores what any other wrote. The rules (Flink: FLIP-158):
 *
 * L1  A snapshot on a base is the base's parts and one part with all changes since the base: never
 *     fewer, and in their order. One on a materialisation is that, and all changes since it began.
 * L2  The log is kept from the oldest position that a base, an open snapshot or a materialisation
 *     may go on from; what lies before goes. Before there is any there is no log.
 * L3  A snapshot is a whole one without a base, and at a limit: when there are `parts_max` parts,
 *     and when the parts hold more than three times as many changes as there are entries, and not
 *     just a few. So the log has an end even where every materialisation fails.
 * L4  The state is materialised beside the snapshots, as a draft (B10): after the interval, and
 *     when two thirds of such a limit are used. Snapshots build on what was materialised before
 *     until it is durable; the next one takes it. One that is lost is repeated after the interval,
 *     or after the next snapshot.
 * L5  The log is written as it comes, as a draft, whenever `persist_bytes` of it are not: so that a
 *     snapshot has the rest to write. It takes the draft that begins where its base ends and of
 *     which the store has something; any other is no use, and all since the base is written again,
 *     which L2 kept. So a store that takes no drafts fails no snapshot.
 * L6  A part of the log has the id behind that of the part it follows: so it can be begun before
 *     it is known which snapshot it will belong to. It is at most that snapshot's.
 *
 * What a snapshot took belongs to its checkpoint, and goes with it if that is given up
 * (shared_registry.h, I4). Then the log is written anew from memory, and the state when it is due.
 * Flink uses it again: there the file stays where it is and its owner changes. Here its name says
 * whose it is, and the folder of what was given up is removed whole by the JobManager, which does
 * not wait for subtasks that may be dead (store_files.h, S6): to give a part back it would have to
 * know which was a draft and rename it before the subtask hears of the abort, and the next snapshot
 * would have to bear that this failed.
 *
 * Source: Flink's ChangelogKeyedStateBackend and FsStateChangelogWriter. */
#ifndef FAULTLINE_STATE_CHANGELOG_BACKEND_H
#define FAULTLINE_STATE_CHANGELOG_BACKEND_H

#include "model/state/backend.h"

struct changelog_options {
    uint32_t parts_max;   /* 1: every snapshot is a whole one */
    uint64_t interval_ns; /* between materialisations; 0: none for the sake of time */
    uint64_t persist_bytes; /* L5; 0: no part of the log is written ahead */
};

extern const struct backend_ops changelog_backend_ops;

/* Wraps `inner`, which is empty, belongs to the new backend from now on, and makes whole snapshots
 * only (parts_max 1). */
struct backend *changelog_backend_create(struct arena *arena, struct backend *inner,
                                         const struct changelog_options *options);

/* The backend inside. Borrowed. */
const struct backend *changelog_backend_inner(const struct backend *backend);

/* Asserts the invariants of the log and the bases; those of the inner backend are its own. */
void changelog_backend_check(const struct backend *backend);

#endif
