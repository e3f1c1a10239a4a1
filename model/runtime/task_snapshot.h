/* task_snapshot.h - the snapshots of one subtask that are under way: from the frozen state to the
 * acknowledgement.
 *
 * The synchronous part freezes (operator_chain_snapshot, backend_snapshot_begin); the asynchronous
 * part serialises the frozen state in steps of bounded size, sends them to the uploader, and acks
 * when the files are durable. A part below the inline threshold travels in the ack. Where only the
 * JobManager reaches the store (store_kind_carries), so do all others, up to a limit; a snapshot
 * beyond it is declined.
 *
 * What the backend writes ahead (B10 of backend.h) goes to the uploader, too, between records, when
 * no snapshot has work. A snapshot that takes it hands it over, and waits for the rest only.
 *
 * The parts of what was acked, or restored, are remembered until a barrier names a newer base: a
 * snapshot acks those that it keeps of its base again, with its own behind them. */
#ifndef FAULTLINE_RUNTIME_TASK_SNAPSHOT_H
#define FAULTLINE_RUNTIME_TASK_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/checkpoint/store.h"
#include "model/runtime/messages.h"
#include "model/state/backend.h"

struct task_snapshot;  /* one checkpoint's */
struct known_snapshot; /* what it consists of, once it is acked */

/* Something written ahead. */
struct task_draft {
    uint32_t number; /* 0: there is none */
    bool is_held;    /* it stays here, being small, or because nobody here reaches the store */
    struct buffer held;
    uint64_t size_bytes;
};

struct task_drafts {
    struct task_draft items[BACKEND_DRAFT_COUNT];
    uint32_t numbers;            /* given so far */
    uint32_t chunks_outstanding; /* with the uploader */
    uint32_t failures;           /* materialisations in a row */
};

struct task_snapshots {
    struct host *host;
    struct backend *backend;    /* NULL: no keyed state */
    actor_id job_manager;
    actor_id uploader;          /* 0: not spawned yet */
    uint32_t uploader_index;    /* for the spawn */
    const char *vertex_name;
    uint32_t vertex;
    uint32_t subtask;
    uint32_t task;              /* global index */
    uint64_t attempt;
    uint64_t inline_threshold_bytes;
    enum store_kind store;
    uint64_t carried_max_bytes;   /* of the state that an acknowledgement brings */
    bool incremental;             /* later checkpoints may build on these */
    struct task_snapshot *oldest; /* under way, oldest first */
    struct known_snapshot *known; /* that can be built on, oldest first */
    struct buffer chunk;          /* a draft's, of the step in hand */
    struct buffer spare;          /* memory for the next snapshot's part: it grows once */
    struct task_drafts drafts;
    uint32_t draft_failures_max; /* in a row; one more fails the subtask */
    struct buffer *failure;      /* where that is said */
};

/* Makes one whose fields down to `incremental`, and the last two, are set ready for use. */
void task_snapshots_init(struct task_snapshots *snapshots);

/* The keyed state was restored from the parts of `checkpoint`. */
void task_snapshots_restored(struct task_snapshots *snapshots, uint64_t checkpoint,
                             const struct keyed_state *keyed);

/* Freezes the keyed state for `checkpoint`, building on checkpoint `base` if that is known (I1);
 * `operators` is the state of the chain and is taken over. From here on task_snapshots_step makes
 * progress. */
void task_snapshots_begin(struct task_snapshots *snapshots, uint64_t checkpoint, uint64_t base,
                          struct buffer *operators, bool after_end);

/* Can a step be done now, or is there nothing to do until the uploader answers? */
bool task_snapshots_has_work(const struct task_snapshots *snapshots);

/* One bounded piece of serialising; of a draft only when no snapshot has any. */
void task_snapshots_step(struct task_snapshots *snapshots);

/* UPLOAD_ACCEPTED and UPLOAD_DONE. */
void task_snapshots_on_upload(struct task_snapshots *snapshots, const struct message *message);

/* The checkpoint was aborted: its snapshot is dropped. */
void task_snapshots_abandon(struct task_snapshots *snapshots, uint64_t checkpoint);

/* ---- task_drafts.c: private to task_snapshot.c ------------------------------------------------
 */

/* Is a step of a draft due, and can it be done now? Does it. */
bool task_drafts_has_work(const struct task_snapshots *snapshots);
void task_drafts_step(struct task_snapshots *snapshots);

/* UPLOAD_ACCEPTED and UPLOAD_DONE for checkpoint 0. */
void task_drafts_on_upload(struct task_snapshots *snapshots, const struct message *message);

/* Sends a message about part `part` to the uploader. */
void task_snapshots_send(struct task_snapshots *snapshots, uint32_t part, struct message *message);

void task_snapshots_report(struct task_snapshots *snapshots, enum fact_kind kind,
                           uint64_t checkpoint, uint64_t value0, uint64_t value1);

/* What one step serialises, and an entry more at most. Several steps make a piece to upload, and
 * pieces in the middle of a file are whole: each costs the two threads of a live subtask a wake,
 * and one that ended within a page of the file would cost the system half as much again. */
enum {
    TASK_SNAPSHOT_STEP_BYTES = 64 * 1024,
    TASK_SNAPSHOT_PIECE_BYTES = 256 * 1024,
    TASK_SNAPSHOT_CHUNKS_MAX = 2,
};

#endif
