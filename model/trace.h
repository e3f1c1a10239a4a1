/* trace.h - the one door out: typed facts about what the protocol did.
 *
 * The model reports each protocol step with a fact, at the moment it happens. One mechanism, five
 * uses: the trace hash, faults that wait for a step, the oracle, the results database and the
 * timeline. A fact describes; nothing in the model depends on who listens. */
#ifndef FAULTLINE_TRACE_H
#define FAULTLINE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

/* FACT(identifier, "name", "value 0", "value 1", "help"): the names of the values carry units; an
 * empty name means that the value is not used. */
#define FACT_LIST(FACT)                                                                            \
    FACT(JOB_MANAGER_STARTED, "job_manager.started", "epoch", "",                                  \
         "a JobManager took the leadership with a new epoch")                                      \
    FACT(TASK_MANAGER_REGISTERED, "task_manager.registered", "peer_process", "slots",              \
         "the JobManager counts a TaskManager's slots")                                            \
    FACT(RESTORE_CHOSEN, "restore.chosen", "", "",                                                 \
         "the checkpoint to restore was chosen; checkpoint 0: none exists")                        \
    FACT(RESTORE_RETRIED, "restore.retried", "tries", "",                                          \
         "the chosen checkpoint could not be read and is tried again")                             \
    FACT(JOB_DEPLOYED, "job.deployed", "parallelism", "max_parallelism",                           \
         "every subtask was sent to its TaskManager")                                              \
    FACT(TASK_STARTED, "task.started", "", "", "a subtask exists, with no state yet")              \
    FACT(TASK_RESTORED, "task.restored", "bytes", "", "a subtask has its state back")              \
    FACT(JOB_RUNNING, "job.running", "", "", "every subtask is restored and told to run")          \
    FACT(CHECKPOINT_TRIGGERED, "checkpoint.triggered", "", "",                                     \
         "the coordinator took an id and asks the sources for barriers")                           \
    FACT(BARRIER_EMITTED, "barrier.emitted", "", "", "a subtask sent its barriers")                \
    FACT(BARRIER_RECEIVED, "barrier.received", "channel", "", "a barrier reached a subtask")       \
    FACT(TASK_ALIGNED, "task.aligned", "start_delay_ns", "alignment_ns",                           \
         "the last barrier arrived: every input stands at the checkpoint")                         \
    FACT(SNAPSHOT_TAKEN, "snapshot.taken", "sync_ns", "",                                          \
         "the synchronous part is over: the state is frozen for the checkpoint")                   \
    FACT(SNAPSHOT_WRITTEN, "snapshot.written", "bytes", "async_ns",                                \
         "the frozen state is durable in the checkpoint store, or inline in the ack")              \
    FACT(TASK_ACKED, "task.acked", "bytes", "store_wait_ns",                                       \
         "a subtask sent its acknowledgement; its upload stood in line at the store so long")      \
    FACT(ACK_RECEIVED, "ack.received", "bytes", "written_bytes",                                   \
         "the coordinator accepted a subtask's acknowledgement")                                   \
    FACT(ACK_REJECTED, "ack.rejected", "", "",                                                     \
         "the coordinator ignored an acknowledgement: late, duplicate or unknown")                 \
    FACT(CHECKPOINT_ALL_ACKED, "checkpoint.all_acked", "", "", "the last missing ack came")        \
    FACT(MANIFEST_WRITTEN, "manifest.written", "bytes", "", "written under a temporary name")      \
    FACT(MANIFEST_SYNCED, "manifest.synced", "", "", "the temporary file is durable")              \
    FACT(MANIFEST_RENAMED, "manifest.renamed", "", "", "the manifest has its name, not durably")   \
    FACT(BLOB_PUT, "blob.put", "bytes", "",                                                        \
         "the store `memory` holds a manifest or a part of the state; the text is its path")       \
    FACT(BLOB_REMOVED, "blob.removed", "", "", "... and does not any more")                        \
    FACT(CHECKPOINT_COMPLETED, "checkpoint.completed", "bytes", "duration_ns",                     \
         "the manifest is durable and noted in the job record")                                    \
    FACT(CHECKPOINT_ABORTED, "checkpoint.aborted", "", "", "given up; the text says why")          \
    FACT(CHECKPOINT_SUBSUMED, "checkpoint.subsumed", "", "",                                       \
         "an older completed checkpoint was deleted")                                              \
    FACT(TASK_NOTIFIED, "task.notified", "", "", "a subtask learnt that a checkpoint completed")   \
    FACT(SINK_COMMITTED, "sink.committed", "bytes", "", "output became visible; text: its path")   \
    FACT(SOURCE_PROGRESS, "source.progress", "records", "lag_ns",                                  \
         "how many records of its split a source has emitted, and how late the last one was")      \
    FACT(RECORD_SKIPPED, "record.skipped", "", "", "a bad record was left out; text: its place")   \
    FACT(TASK_END_OF_DATA, "task.end_of_data", "", "", "a subtask has seen its whole input")       \
    FACT(TASK_FINISHED, "task.finished", "", "", "a subtask ended after its final checkpoint")     \
    FACT(TASK_FAILED, "task.failed", "", "", "a subtask failed; the text says why")                \
    FACT(MESSAGE_FENCED, "message.fenced", "attempt", "",                                          \
         "a message of an older attempt was dropped")                                              \
    FACT(FAILURE_DETECTED, "failure.detected", "peer_process", "",                                 \
         "the JobManager learnt of a failure; the text says how")                                  \
    FACT(JOB_CANCELLED, "job.cancelled", "", "", "every reachable subtask of the attempt is gone") \
    FACT(RESTART_SCHEDULED, "restart.scheduled", "delay_ns", "restarts",                           \
         "the restart strategy allows another attempt")                                            \
    FACT(JOB_FINISHED, "job.finished", "", "", "every subtask finished; durable")                  \
    FACT(JOB_FAILED, "job.failed", "refused", "",                                                  \
         "the job ended without a result; the text says why; refused: it cannot be restored")      \
    FACT(MARK, "mark.hit", "mark", "",                                                             \
         "no step: a rare situation of the protocol came about; the text names it")                \
    FACT(RESCALE_ACCEPTED, "rescale.accepted", "parallelism", "max_parallelism",                   \
         "the next attempt will run at this parallelism; durable")                                 \
    FACT(RESCALE_REFUSED, "rescale.refused", "parallelism", "max_parallelism",                     \
         "the job goes on as it was; the text says why")                                           \
    FACT(RESCALE_STARTED, "rescale.started", "parallelism", "",                                    \
         "the attempt is ended, for one at the parallelism that was accepted")                     \
    FACT(CHANNELS_LOST, "channels.lost", "process", "",                                            \
         "a TaskManager's data connection to another one broke: its subtasks fail")                \
    FACT(LOG_APPENDED, "log.appended", "bytes", "",                                                \
         "what was written ahead of a part of a changelog, so many bytes by now, is durable")      \
    FACT(MATERIALIZATION_BEGUN, "materialization.begun", "", "",                                   \
         "a subtask with a changelog froze its state, to write it whole beside the checkpoints")   \
    FACT(MATERIALIZATION_COMPLETED, "materialization.completed", "bytes", "",                      \
         "the whole state is durable: the next checkpoint begins with it")                         \
    FACT(MATERIALIZATION_FAILED, "materialization.failed", "failures", "",                         \
         "the store failed it, so many times in a row; checkpoints go on without; text: why")

enum fact_kind {
#define FACT(identifier, name, value0, value1, help) FACT_##identifier,
    FACT_LIST(FACT)
#undef FACT
    FACT_KIND_COUNT
};

/* MARK(identifier, "name", "help"): rare situations that a campaign should have seen. A place in
 * the protocol's code reports one with host_mark, as a fact MARK; what a campaign never hit, it has
 * not tested. */
#define MARK_LIST(MARK)                                                                            \
    MARK(ACK_AFTER_EXPIRY, "ack_after_expiry",                                                     \
         "an acknowledgement came for a checkpoint that was given up")                             \
    MARK(CHECKPOINT_EXPIRED, "checkpoint_expired", "a checkpoint took longer than its timeout")    \
    MARK(CHECKPOINT_OVERTAKEN, "checkpoint_overtaken",                                             \
         "a newer checkpoint completed before a pending one")                                      \
    MARK(COMMIT_IN_DOUBT, "commit_in_doubt", "a manifest may or may not have become durable")      \
    MARK(DISCARD_FAILED, "discard_failed", "files of a checkpoint could not be deleted at once")   \
    MARK(CHECKPOINT_READ_AGAIN, "checkpoint_read_again",                                           \
         "the checkpoint to restore could not be read, and is tried again")                        \
    MARK(NEWEST_CHECKPOINT_GONE, "newest_checkpoint_gone",                                         \
         "a checkpoint that had completed has no manifest any more")                               \
    MARK(OLDER_CHECKPOINT_CHOSEN, "older_checkpoint_chosen",                                       \
         "an older checkpoint was taken for an unreadable one, as allowed")                        \
    MARK(STORE_UNLISTED, "store_unlisted",                                                         \
         "the checkpoint store could not be listed for a restore")                                 \
    MARK(TASK_MANAGER_SILENT, "task_manager_silent",                                               \
         "a TaskManager was given up because its heartbeats were missing")                         \
    MARK(JOB_MANAGER_SILENT, "job_manager_silent",                                                 \
         "a TaskManager gave up the JobManager because its heartbeats were missing")               \
    MARK(REGISTRATION_REPEATED, "registration_repeated",                                           \
         "a TaskManager registered twice for one session")                                         \
    MARK(TASK_MANAGER_CAME_BACK_EMPTY, "task_manager_came_back_empty",                             \
         "a TaskManager registered anew before its end was known")                                 \
    MARK(TASK_MANAGER_UNKNOWN, "task_manager_unknown",                                             \
         "a TaskManager that had been given up spoke to the JobManager")                           \
    MARK(FENCED_ACK, "fenced_ack", "an acknowledgement of an older attempt was dropped")           \
    MARK(OLD_DEPLOYMENT_DROPPED, "old_deployment_dropped",                                         \
         "an order to deploy an older attempt came late, and was dropped")                         \
    MARK(OLD_JOB_MANAGER_IGNORED, "old_job_manager_ignored",                                       \
         "a TaskManager ignored a JobManager that it does not serve any more")                     \
    MARK(FAILURE_DURING_RESTORE, "failure_during_restore",                                         \
         "a subtask or its process failed while a checkpoint was being restored")                  \
    MARK(ORPHAN_CHECKPOINT_REMOVED, "orphan_checkpoint_removed",                                   \
         "a new JobManager deleted a checkpoint that had not completed")                           \
    MARK(SHARED_FILES_SWEPT, "shared_files_swept",                                                 \
         "files of the shared folder that no checkpoint needs were found and deleted")             \
    MARK(TRANSACTION_COMMITTED_BEFORE, "transaction_committed_before",                             \
         "a restored transaction had been committed already")                                      \
    MARK(TRANSACTION_ROLLED_BACK, "transaction_rolled_back",                                       \
         "output that no checkpoint holds was deleted by a restore")                               \
    MARK(TRANSACTION_OF_ANOTHER_SUBTASK, "transaction_of_another_subtask",                         \
         "after a change of parallelism a sink committed what another subtask had written")        \
    MARK(RESCALE_WAITS_FOR_SLOTS, "rescale_waits_for_slots",                                       \
         "the job is to run with more subtasks than there are slots at that moment")               \
    MARK(RESCALE_OF_A_STOPPED_JOB, "rescale_of_a_stopped_job",                                     \
         "another parallelism was asked for while the job was between two attempts")               \
    MARK(RESCALE_DURING_RESTORE, "rescale_during_restore",                                         \
         "another parallelism was asked for while a checkpoint was being restored")                \
    MARK(RESCALE_AFTER_FINISH, "rescale_after_finish",                                             \
         "a checkpoint in which some subtasks had finished was restored at another parallelism")   \
    MARK(JOB_MANAGER_DIED_RESCALING, "job_manager_died_rescaling",                                 \
         "a new JobManager deploys at a parallelism that its predecessor was asked for")           \
    MARK(ALIGNMENT_GIVEN_UP, "alignment_given_up",                                                 \
         "the barrier of a newer checkpoint came during an alignment")                             \
    MARK(BARRIER_BEHIND_BUFFERS, "barrier_behind_buffers",                                         \
         "a barrier had to wait behind buffers that have no credit")                               \
    MARK(STATE_TOO_LARGE, "state_too_large",                                                       \
         "a checkpoint was declined because its store takes no state of that size")                \
    MARK(CHECKPOINTS_GONE_WITH_MEMORY, "checkpoints_gone_with_memory",                             \
         "a JobManager found that its predecessor had held the checkpoints in memory")             \
    MARK(LOG_DRAFT_LOST, "log_draft_lost",                                                         \
         "the store failed to take a piece of a changelog ahead of the checkpoint")                \
    MARK(DRAFTS_REMOVED, "drafts_removed",                                                         \
         "what an older attempt had written ahead of its checkpoints was deleted")                 \
    MARK(GIVEN_UP_RECALLED, "given_up_recalled",                                                   \
         "a new JobManager found a checkpoint that its predecessor had given up")

enum mark {
#define MARK(identifier, name, help) MARK_##identifier,
    MARK_LIST(MARK)
#undef MARK
    MARK_COUNT
};

/* "ack_after_expiry", and the line of help. Static storage. */
const char *mark_name(enum mark mark);
const char *mark_help(enum mark mark);

/* Finds a mark by its name; false if there is none. */
bool mark_find(struct bytes name, enum mark *mark);

#define FACT_NO_TASK UINT32_MAX

struct fact {
    enum fact_kind kind;
    uint32_t vertex;     /* of the subtask that the fact is about; FACT_NO_TASK: of none */
    uint32_t subtask;    /* its index in the vertex, from 0 */
    uint64_t attempt;    /* execution attempt; 0: none */
    uint64_t checkpoint; /* 0: none */
    uint64_t values[2];  /* what they mean: fact_info */
    struct bytes text;   /* borrowed for the call */
    struct bytes content; /* what came to lie where nobody else can look (task.restored: the
                           * operator state that the subtask was given); shown to who listens,
                           * and no part of the trace; borrowed for the call */
};

/* A fact as a listener gets it. */
struct fact_event {
    uint64_t time_ns;
    uint64_t actor; /* who reported it: an actor_id of host.h */
    struct fact fact;
};

struct fact_info {
    const char *name;           /* as in scenarios: "checkpoint.triggered" */
    const char *value_names[2]; /* "" if the value is not used */
    const char *help;           /* one line */
};

/* What is known about a kind. Static storage. */
const struct fact_info *fact_info(enum fact_kind kind);

/* Finds a kind by its name; false if there is none. */
bool fact_find(struct bytes name, enum fact_kind *kind);

#endif
