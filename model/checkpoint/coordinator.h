/* coordinator.h - Flink's CheckpointCoordinator as a pure machine: events in, actions out.
 *
 * It knows no clock, no storage and no network: each event brings the time, each call appends to
 * a list of actions that the JobManager carries out in order. So every rule can be tested with a
 * table, and the same rules run under any host.
 *
 * C1  Ids rise strictly and are never reused: the caller gives the first, from a durable counter.
 * C2  A checkpoint completes only when every subtask that took part has acked it, each once.
 * C3  At most `max_concurrent` are pending; between a completion and the next periodic trigger
 *     lie at least `min_pause_ns`; the effective interval is max(interval, min_pause).
 * C4  A completed checkpoint subsumes every pending one with a smaller id.
 * C5  A pending checkpoint older than `timeout_ns` is aborted. A late, duplicate or unknown ack
 *     changes nothing, and the private state it brings is discarded if nobody can use it.
 * C6  More than `tolerable_failures` consecutive failures (expired, declined, snapshot or store
 *     failed; each id once) fail the job; a completed checkpoint resets the count.
 * C7  Of the completed ones the newest `retained` are kept.
 * C8  Subtasks that have finished take no part: a checkpoint neither waits for them nor fails.
 * C9  Commits are asked for one at a time, the oldest that is ready first. While a commit is open
 * its checkpoint can be neither aborted nor expired: only the store knows what becomes of it.
 *
 * Source of the rules: Flink 1.20/2.x CheckpointCoordinator, CheckpointRequestDecider,
 * CheckpointFailureManager. */
#ifndef FAULTLINE_CHECKPOINT_COORDINATOR_H
#define FAULTLINE_CHECKPOINT_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"

struct coordinator_options {
    uint64_t interval_ns;    /* 0: no periodic checkpoints; only the final one is taken */
    uint64_t timeout_ns;     /* at least 1 */
    uint64_t min_pause_ns;   /* what is above a year counts as a year */
    uint32_t max_concurrent; /* at least 1 */
    uint32_t tolerable_failures;
    uint32_t retained;   /* at least 1 */
    uint32_t task_count; /* at least 1: subtasks of the job, numbered 0.. over all vertices */
};

enum coordinator_action_kind {
    COORDINATOR_TRIGGER,         /* take checkpoint `id`: begin it in the store, ask the sources */
    COORDINATOR_COMMIT,          /* all acked: write the manifest of `id`, then answer with
                                  * coordinator_on_committed or _on_commit_failed */
    COORDINATOR_NOTIFY_COMPLETE, /* tell every subtask that `id` completed */
    COORDINATOR_NOTIFY_ABORTED,  /* tell every subtask that `id` was aborted */
    COORDINATOR_DISCARD,         /* `id` was aborted, or its commit was in doubt and a newer one
                                  * has completed: remove what was written for it */
    COORDINATOR_DISCARD_ACK,     /* the ack just given is of no use: remove the files it brings */
    COORDINATOR_SUBSUME,         /* `id` is beyond `retained`: remove it */
    COORDINATOR_WAKE,            /* call coordinator_on_time at `at_ns`; replaces earlier wakes */
    COORDINATOR_FAIL_JOB, /* too many failures, `id` the last of them: stop. The last action of
                           * its event; nothing is triggered, committed or expires until
                           * the next start */
};

struct coordinator_action {
    enum coordinator_action_kind kind;
    uint64_t id;
    uint64_t at_ns;
    const char *reason; /* NOTIFY_ABORTED, FAIL_JOB: static text such as "expired", or the text
                         * that was given with the event */
};

struct coordinator;

/* What is wrong with an ack. */
enum coordinator_ack {
    COORDINATOR_ACK_ACCEPTED,
    COORDINATOR_ACK_DUPLICATE, /* also of a checkpoint that has completed and is kept */
    COORDINATOR_ACK_LATE,      /* of a checkpoint that has ended: COORDINATOR_DISCARD_ACK follows */
    COORDINATOR_ACK_UNKNOWN,   /* of a checkpoint or task that was never asked: the same follows */
};

/* A stopped coordinator. Ids start at `next_id`; `completed` (rising, `completed_count` of them)
 * are the checkpoints that the store holds. Memory from `arena`. */
struct coordinator *coordinator_create(struct arena *arena,
                                       const struct coordinator_options *options, uint64_t next_id,
                                       const uint64_t *completed, uint32_t completed_count);
void coordinator_destroy(struct coordinator *coordinator);

/* From the next start on the job has `task_count` subtasks. The coordinator must be stopped and no
 * commit may be open. */
void coordinator_set_task_count(struct coordinator *coordinator, uint32_t task_count);

/* Actions since the last call, in order; borrowed until the next call of this function, so that
 * events may be given while the actions are carried out. */
const struct coordinator_action *coordinator_take_actions(struct coordinator *coordinator,
                                                          uint32_t *count);

/* Every subtask runs: periodic triggering starts, the first trigger after a delay drawn by
 * `random` from [min_pause, interval] (Flink's rule). Finished subtasks as given by the bitmap
 * `finished` (one bool per task; NULL: none). The coordinator must be stopped and no commit may be
 * open: answer that first, it decides from what to restore. */
void coordinator_start(struct coordinator *coordinator, uint64_t now_ns, uint64_t random,
                       const bool *finished);

/* The job stops running (failure, cancel): all pending checkpoints are aborted with `reason`,
 * which does not count as a failure of theirs; no triggering until the next start. One whose
 * commit is open is not aborted (C9); when it is answered it may still complete, unannounced. */
void coordinator_stop(struct coordinator *coordinator, uint64_t now_ns, const char *reason);

/* A wake asked for has come (or any other moment: early or late calls do no harm). */
void coordinator_on_time(struct coordinator *coordinator, uint64_t now_ns);

/* Subtask `task` acknowledged `id`. */
enum coordinator_ack coordinator_on_ack(struct coordinator *coordinator, uint64_t now_ns,
                                        uint64_t id, uint32_t task);

/* Subtask `task` cannot take `id` (declined, or its snapshot failed): `id` is aborted and counted.
 * `reason` is borrowed until its actions have been carried out. */
void coordinator_on_decline(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                            uint32_t task, const char *reason);

/* Subtask `task` gave `id` up because the barrier of a newer one came: `id` is aborted, but that is
 * no failure. */
void coordinator_on_given_up(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                             uint32_t task);

/* The store began `id` not, or failed at it: `id` is aborted and counted. */
void coordinator_on_trigger_failed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id);

/* Answers to COORDINATOR_COMMIT. After a failure whose outcome is unknown nothing is discarded
 * until a newer checkpoint has completed. */
void coordinator_on_committed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id);
void coordinator_on_commit_failed(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                                  bool outcome_unknown);

/* The job will be restored from `id`, which was found in the store (0: from nothing): it counts as
 * completed, and is kept like any other. If the outcome of its commit was unknown it is known now;
 * if it was to be discarded or subsumed it need not go any more. Newer ones were given up as
 * unreadable: they count no more among those retained, and go when the next checkpoint has
 * completed, unless they are restored before. */
void coordinator_on_restoring(struct coordinator *coordinator, uint64_t id);

/* Whoever led before gave up the completed checkpoint `id` as unreadable, in the same way. False:
 * there is no such checkpoint. */
bool coordinator_give_up(struct coordinator *coordinator, uint64_t id);

/* Subtask `task` has seen its whole input. When all have (or finished), the final checkpoint is
 * triggered at once, whatever interval and pause say, unless one that was triggered after that
 * moment is pending; a failed final one is tried again, after the interval, at most a second (at
 * once would never end while the store is down). */
void coordinator_on_end_of_data(struct coordinator *coordinator, uint64_t now_ns, uint32_t task);

/* Every ack of `id`, whose commit is open, was taken after the end of the subtask's input: it is as
 * good as a final one. When a final checkpoint completes nothing more is triggered, and what else
 * is pending is aborted: subtasks end when they are told of it, so a later checkpoint would find
 * some of them gone with their state. */
void coordinator_mark_final(struct coordinator *coordinator, uint64_t id);

/* Subtask `task` ended: pending checkpoints no longer wait for it. */
void coordinator_on_finished(struct coordinator *coordinator, uint64_t now_ns, uint32_t task);

/* Did `task` take part in pending checkpoint `id` as a finished one (no ack expected)? False if
 * `id` is not pending; it still is while its commit is open. */
bool coordinator_was_finished(const struct coordinator *coordinator, uint64_t id, uint32_t task);

/* The id the next trigger will take. */
uint64_t coordinator_next_id(const struct coordinator *coordinator);

#endif
