/* changelog_private.h - what the two files of the changelog backend share: private to
 * changelog_*.c.
 *
 * changelog_backend.c  the backend: entries, snapshots, restore
 * changelog_drafts.c   what is written ahead of the snapshots: the state, and the log */
#ifndef FAULTLINE_STATE_CHANGELOG_PRIVATE_H
#define FAULTLINE_STATE_CHANGELOG_PRIVATE_H

#include "model/state/change_log.h"
#include "model/state/changelog_backend.h"
#include "model/state/snapshot_base.h"
#include "model/state/state_table.h"

struct changelog_snapshot {
    struct backend_snapshot base; /* first */
    struct changelog_snapshot *next;
    uint64_t id;
    struct snapshot_base built_on;  /* what its part of the log follows, unless it is a whole one */
    uint32_t kept_count;            /* parts that it keeps of its base */
    bool takes_state;               /* the draft of the state is a part of it (L4) */
    bool takes_log;                 /* its part of the log began as a draft (L5) */
    struct backend_snapshot *whole; /* the inner backend's; NULL: this is a piece of the log */
    struct log_position from;       /* of the log: what is not written yet */
    struct log_position to;
    uint64_t entry_count; /* of its last part, about */
    uint16_t state_count;
    bool has_header;
    bool is_done;
};

/* The state as a whole, written beside the snapshots (L4). */
struct materialisation {
    struct backend_snapshot *frozen; /* the inner backend's; NULL: none, or it is written */
    struct snapshot_base base;       /* for what follows it; id 0: there is none */
    bool is_kept;                    /* the next snapshot takes it */
};

/* The log, written as it comes (L5). */
struct log_draft {
    uint64_t follows;     /* id of the part that it is to follow; 0: there is no draft */
    uint16_t state_count; /* in its header */
    struct log_position from;
    struct log_position to;    /* written so far */
    bool is_kept;              /* some of it is durable: the store seems to take it */
    uint64_t goal_bytes;       /* once begun, it is written up to here */
    uint64_t not_before_bytes; /* of the log: one that was lost is begun anew then */
};

struct changelog_backend {
    struct backend base; /* first */
    struct arena *arena;
    struct backend *inner;
    struct backend_witness witness; /* the inner backend's */
    struct changelog_options options;
    struct state_table states; /* declared: the inner one has those that were restored, too */
    uint16_t *log_numbers;     /* by state_id, which is the inner one's: the number in `states` */
    size_t log_number_capacity;
    uint32_t key_group;
    struct bytes key; /* data == NULL: none is current */
    struct buffer name_space;
    struct buffer subkey;
    struct buffer composite;
    struct change_log log;
    bool is_logging; /* something may go on from the log (L2) */
    struct snapshot_bases bases;
    uint32_t epoch;           /* number of the snapshots that were begun */
    uint64_t newest_id;       /* of the snapshot that was begun or restored last; 0: none */
    uint64_t materialised_ns; /* when the state was frozen last, to be written whole */
    bool has_tried;           /* ... and since then no snapshot was begun */
    struct materialisation materialisation;
    struct log_draft draft;
    bool is_used; /* something was put or restored */
    struct changelog_snapshot *snapshots;
};

static inline struct changelog_backend *changelog_of(struct backend *backend)
{
    CHECK(backend->ops == &changelog_backend_ops);
    return (struct changelog_backend *)(void *)backend;
}

static inline const struct changelog_backend *changelog_of_const(const struct backend *backend)
{
    CHECK(backend->ops == &changelog_backend_ops);
    return (const struct changelog_backend *)(const void *)backend;
}

/* The inner backend, told what this one was told. */
static inline struct backend *changelog_inner(struct changelog_backend *changelog)
{
    backend_set_time(changelog->inner, changelog->base.now_ns);
    return changelog->inner;
}

/* To be called after what may touch the inner backend's files (B9). */
static inline void changelog_note_failure(struct changelog_backend *changelog)
{
    changelog->base.failure = backend_failure(changelog->inner);
}

/* ---- changelog_backend.c --------------------------------------------------------------------- */

/* How much of a limit of L3 the parts of `base` and the log since then have used: are they more
 * than `numerator` / `denominator` of it? */
bool changelog_has_used(const struct changelog_backend *changelog, const struct snapshot_base *base,
                        uint64_t numerator, uint64_t denominator);

/* L2 */
void changelog_trim(struct changelog_backend *changelog);

/* ---- changelog_drafts.c ---------------------------------------------------------------------- */

/* Was the draft of the log written to follow `base`? */
bool changelog_draft_fits(const struct changelog_backend *changelog,
                          const struct snapshot_base *base);

/* Gives up the draft of the state, written or not: something newer takes its place. */
void changelog_drop_materialisation(struct changelog_backend *changelog);

/* The functions of backend_ops. */
bool changelog_draft_is_due(const struct backend *backend, enum backend_draft draft);
enum backend_draft_step changelog_draft_step(struct backend *backend, enum backend_draft draft,
                                             struct buffer *out, size_t limit_bytes);
void changelog_draft_kept(struct backend *backend, enum backend_draft draft);
void changelog_draft_lost(struct backend *backend, enum backend_draft draft);

/* Asserts the invariants of the drafts. */
void changelog_drafts_check(const struct changelog_backend *changelog);

#endif
