/* aligner.h - decides in each subtask what a barrier means: which channels to hold, when to take
 * the snapshot.
 *
 * A pure machine: each event answers what to do; the subtask holds the channels, forwards barriers
 * and takes snapshots. With exactly_once a channel that has given its barrier is blocked until all
 * have, and one checkpoint is aligned at a time. With at_least_once nothing is blocked, and
 * several checkpoints are counted at a time.
 *
 * B1  A checkpoint is aligned when every channel has given its barrier or has ended.
 * B2  A barrier that comes before an older one of its channel shows that the older one will never
 *     come: the older checkpoint is given up. (exactly_once: then only the newest is ever pending.)
 * B3  at_least_once: a checkpoint that is aligned makes the older ones obsolete, silently.
 * B4  Barriers of checkpoints that are aligned, given up, aborted or older change nothing. An abort
 *     that comes before the first barrier is remembered; the newest ALIGNER_ABORTED_MAX are.
 * B5  Each call costs O(1), but for one pass over the channels every 250 checkpoints or so. Memory
 *     is one byte a channel.
 *
 * Source of the rules: Flink's SingleCheckpointBarrierHandler and CheckpointBarrierTracker. */
#ifndef FAULTLINE_CHECKPOINT_ALIGNER_H
#define FAULTLINE_CHECKPOINT_ALIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/check.h"

enum aligner_mode {
    ALIGNER_EXACTLY_ONCE,
    ALIGNER_AT_LEAST_ONCE,
};

enum {
    ALIGNER_PENDING_MAX = 50,  /* at_least_once: what is above drops the oldest */
    ALIGNER_ABORTED_MAX = 128, /* aborts that came before their barriers */
};

/* What to do, in the order of the fields; all zero: nothing. */
struct aligner_answer {
    uint64_t given_up_id; /* not 0: decline this checkpoint, a newer one came; if it gave up
                           * several at once (at_least_once), the newest of them */
    uint64_t aligned_id;  /* not 0: take the snapshot of this checkpoint, forward its barrier */
    bool unblocked;       /* the channels that were blocked before this event are free again */
    bool blocked;         /* the channel of this event is blocked from now on */
    uint64_t first_barrier_ns; /* of aligned_id: when the first and the last barrier (or end of a */
    uint64_t
        last_barrier_ns; /* channel, or trigger) came; their difference is the alignment time */
};

/* A checkpoint of which some barriers are missing. */
struct aligner_pending {
    uint64_t id;
    uint64_t first_barrier_ns;
    uint32_t missing; /* channels that have neither given the barrier nor ended */
    uint8_t sequence; /* what `channels` holds for those that gave it */
};

struct aligner {
    struct arena *arena;
    enum aligner_mode mode;
    uint32_t channel_count;
    uint32_t open_count; /* channels that have not ended */
    uint8_t *channels;   /* per channel: sequence of the newest checkpoint given; ALIGNER_ENDED; 0:
                          * gave none that is pending */
    struct aligner_pending *pending; /* rising ids and sequences */
    uint32_t pending_count;
    uint32_t pending_max;
    uint8_t next_sequence;
    uint64_t latest_id;                    /* the largest id of any barrier seen; 0: none */
    uint64_t aborted[ALIGNER_ABORTED_MAX]; /* ids above latest_id, in no order */
    uint32_t aborted_count;
};

enum { ALIGNER_ENDED = UINT8_MAX };

/* A subtask with `channel_count` input channels (0: a source); memory from `arena`. */
void aligner_init(struct aligner *aligner, struct arena *arena, enum aligner_mode mode,
                  uint32_t channel_count);
void aligner_free(struct aligner *aligner);

/* Channel `channel`, which has not ended and is not blocked, gave the barrier of `id` (from 1). */
struct aligner_answer aligner_on_barrier(struct aligner *aligner, uint32_t channel, uint64_t id,
                                         uint64_t now_ns);

/* The JobManager triggered `id` here: in a source, or in a subtask whose inputs have all ended.
 * Where channels are still open the checkpoint waits for their barriers or ends. */
struct aligner_answer aligner_on_trigger(struct aligner *aligner, uint64_t id, uint64_t now_ns);

/* Channel `channel`, which is not blocked, ended: that is its barrier of every checkpoint from now
 * on. At most once a channel. */
struct aligner_answer aligner_on_end_of_partition(struct aligner *aligner, uint32_t channel,
                                                  uint64_t now_ns);

/* The JobManager aborted `id`. */
struct aligner_answer aligner_on_aborted(struct aligner *aligner, uint64_t id);

/* May nothing be read from `channel` now? For every buffer read, hence inline. */
static inline bool aligner_is_blocked(const struct aligner *aligner, uint32_t channel)
{
    CHECK(channel < aligner->channel_count);
    return aligner->mode == ALIGNER_EXACTLY_ONCE && aligner->pending_count > 0 &&
           aligner->channels[channel] == aligner->pending[0].sequence;
}

#endif
