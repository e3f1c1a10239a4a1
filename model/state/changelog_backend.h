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
 *     fewer, and in their order.
 * L2  The log is kept from the oldest position that a base, an open snapshot or a materialisation
 *     under way may go on from; what lies before goes. Before there is any there is no log.
 * L3  A snapshot is a whole one, which is a materialisation, too: without a base; when the last
 *     materialisation is older than the interval; when there are `parts_max` parts; when the parts
 *     hold more than twice as many changes as there are entries, and not just a few.
 *
 * Two things are otherwise than in Flink. The log is uploaded with the checkpoint and not before,
 * and the state is materialised by a checkpoint and not beside it: so each file belongs to a
 * checkpoint, and goes with it (shared_registry.h, I4).
 *
 * Source: Flink's ChangelogKeyedStateBackend and FsStateChangelogWriter. */
#ifndef FAULTLINE_STATE_CHANGELOG_BACKEND_H
#define FAULTLINE_STATE_CHANGELOG_BACKEND_H

#include "model/state/backend.h"

struct changelog_options {
    uint32_t parts_max;   /* 1: every snapshot is a whole one */
    uint64_t interval_ns; /* between materialisations; 0: none for the sake of time */
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
