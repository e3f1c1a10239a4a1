/* job_manager.h - the JobManager's own struct, for the five files it consists of:
 *
 *   job_manager.c      the state machine: registration, heartbeats, failure, restart, end
 *   job_deploy.c       slots, the choice of what to restore, deployment
 *   job_checkpoints.c  carries out what the checkpoint coordinator decides
 *   job_shared.c       files that several checkpoints need (I1 to I5 of shared_registry.h)
 *   job_rescale.c      another parallelism is asked for
 *
 * J1  One attempt at a time: the next is deployed only after every reachable subtask of the last is
 *     gone, and under a larger attempt number.
 * J2  A checkpoint is announced (notify complete) only after its manifest is durable.
 * J3  What is restored is the newest completed checkpoint. If it cannot be read it is tried again,
 *     then refused: output since an older one is committed. Only allow_older permits that; what
 *     was given up then counts no more among those that are retained (R4 of job_record.h).
 * J4  A store that does not answer at all says nothing against a checkpoint: it is asked again for
 *     as long as it takes. One that says that its content is damaged is refused: when it is opened
 *     or listed, and when a checkpoint is to be committed to it (T5 of store_table.h).
 * J5  Checkpoints in memory are gone with their JobManager (T4 of store_table.h). Its successor
 *     begins anew if output may come twice (at_least_once, allow_older); else it refuses.
 * J6  A change of parallelism (Flink's adaptive scheduler) ends the attempt and restores the newest
 *     completed checkpoint as a failure would, but it is none: the restart strategy is not asked.
 *     As long as there are not enough slots the job runs on as it is. A checkpoint of another
 *     max_parallelism has its keys in other key groups: its restore is refused. */
#ifndef FAULTLINE_RUNTIME_JOB_MANAGER_H
#define FAULTLINE_RUNTIME_JOB_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/checkpoint/coordinator.h"
#include "model/checkpoint/shared_registry.h"
#include "model/checkpoint/store.h"
#include "model/host.h"
#include "model/runtime/job_record.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "model/runtime/restart.h"

enum job_manager_state {
    JOB_WAITING,    /* for slots, for the restart delay, or for another try at the restore */
    JOB_DEPLOYING,  /* subtasks restore their state */
    JOB_RUNNING,
    JOB_CANCELLING, /* the attempt failed; its subtasks are being ended */
    JOB_ENDED,
    JOB_STARTING, /* the durable record cannot be read or written: tried again */
    JOB_TIDYING,  /* over, but for files of the store that could not be deleted yet */
};

/* A checkpoint whose files could not be removed: tried again. */
struct leftover {
    uint64_t id;
    bool is_subsumed; /* it had completed */
};

/* A registered TaskManager; address 0: none. */
struct worker {
    actor_id address;
    uint32_t slots;
    uint32_t session;      /* see struct registration */
    uint32_t subtask_count; /* of the current attempt; 0: it has none */
    bool cancelling;       /* must still say that its subtasks are gone */
    uint64_t heard_ns;
};

enum job_task_state { JOB_TASK_DEPLOYED, JOB_TASK_RESTORED, JOB_TASK_FINISHED };

struct job_task {
    actor_id address;
    enum job_task_state state;
};

/* What the subtasks have acked of a checkpoint that is not complete. */
struct pending_checkpoint {
    struct pending_checkpoint *next;
    uint64_t id;
    uint64_t triggered_ns;
    uint64_t base; /* that snapshots may build on; 0: none */
    struct subtask_state *states; /* by global index; owned copies */
    uint64_t bytes;
    bool all_after_end; /* every ack so far was taken after the end of its input */
};

/* Where checkpoints are incremental. */
struct job_shared {
    struct shared_registry *registry; /* NULL: they are not */
    uint64_t base;     /* of the next checkpoint (I1): completed, or restored; 0: none */
    uint64_t *unread;  /* completed checkpoints of which it is not known what they refer to */
    size_t unread_count;
    bool is_sweep_due; /* there may be files that nobody needs (I5) */
    bool are_drafts_due; /* there may be drafts of attempts that are over */
};

struct job_manager {
    struct host *host;
    const struct job_config *config;
    const struct pipeline *pipeline;
    struct job_record record;
    struct restart restart;
    struct coordinator *coordinator;
    struct store *store;
    enum job_manager_state state;
    struct worker *workers; /* by process, from PROCESS_FIRST_TASK_MANAGER */
    uint32_t parallelism;   /* of the newest attempt; the next one's stands in the record */
    uint32_t max_parallelism; /* the same */
    struct job_task *tasks; /* by global index */
    uint32_t task_count;
    uint32_t restored_count;
    uint32_t finished_count;
    struct pending_checkpoint *pending; /* rising ids */
    struct job_shared shared;
    bool performing;          /* the coordinator's actions are being carried out */
    uint64_t started_ns;      /* when this JobManager took over */
    bool ever_deployed;       /* by this JobManager */
    uint64_t deploy_after_ns; /* the restart delay, or that of another try */
    uint64_t restore_id;      /* what the current attempt was restored from; 0: nothing */
    uint64_t restore_below;   /* checkpoints from here on have been given up as unreadable */
    uint32_t restore_tries;   /* at restore_below's next lower one */
    struct buffer failure;    /* why the job must end for good; empty: it need not */
    bool refused;             /* ... because a checkpoint, or the store, is damaged */
    uint64_t nameless_id; /* the last checkpoint whose id could not be made durable; 0: none */
    uint32_t tidy_tries; /* at the end of the job */
    struct leftover *leftovers;
    size_t leftover_count;
    size_t leftover_capacity;
    timer_id deploy_timer;
    timer_id wake_timer;      /* the coordinator's */
};

/* ---- job_manager.c --------------------------------------------------------------------------- */

void job_manager_report(struct job_manager *manager, enum fact_kind kind, uint64_t checkpoint,
                        uint64_t value0, uint64_t value1, const char *text);

/* The current attempt cannot go on because of `why`; the restart strategy decides what follows.
 * `process` is the one that failed. Without a current attempt nothing happens. */
void job_manager_fail(struct job_manager *manager, uint32_t process, const char *why);

/* As job_manager_fail, but the job will not be restarted. */
void job_manager_give_up(struct job_manager *manager, bool refused, const char *why);

/* Is there an attempt that has not failed? */
bool job_manager_has_attempt(const struct job_manager *manager);

/* Ends the subtasks of the attempt; then the next one is deployed. */
void job_manager_end_attempt(struct job_manager *manager);

/* The next attempt has the parallelism that the record says. */
void job_manager_size_tasks(struct job_manager *manager);

/* Tries to deploy again at `due_ns`. */
void job_manager_deploy_at(struct job_manager *manager, uint64_t due_ns);

/* Wakes the coordinator at `due_ns`, and not at the time set before. */
void job_manager_wake_at(struct job_manager *manager, uint64_t due_ns);

/* ---- job_deploy.c ---------------------------------------------------------------------------- */

/* Deploys a new attempt if the job waits and there are slots. */
void job_deploy_try(struct job_manager *manager);

/* Are there slots for the parallelism that the record says? */
bool job_deploy_has_slots(const struct job_manager *manager);

/* Checkpoint `id`, or a part of it, could not be read (J3): decides whether it is tried again, an
 * older one is taken, or the job ends. The next job_deploy_try follows that. */
void job_deploy_unreadable(struct job_manager *manager, uint64_t id, const char *why);

/* ---- job_checkpoints.c ----------------------------------------------------------------------- */

/* Makes the coordinator and tidies the store; on an error the JobManager cannot work. */
MUST_USE enum status job_checkpoints_open(struct job_manager *manager);

/* The job will be restored from checkpoint `id` (0: from nothing): it stays, also if it was to go
 * and could not be removed. */
void job_checkpoints_on_restoring(struct job_manager *manager, uint64_t id);

void job_checkpoints_start(struct job_manager *manager);
void job_checkpoints_stop(struct job_manager *manager, const char *why);
void job_checkpoints_on_wake(struct job_manager *manager);
void job_checkpoints_on_ack(struct job_manager *manager, const struct message *message);
void job_checkpoints_on_decline(struct job_manager *manager, const struct message *message);
void job_checkpoints_on_end_of_data(struct job_manager *manager, uint32_t task);
void job_checkpoints_on_finished(struct job_manager *manager, uint32_t task);

/* Tries again to remove what could not be removed before; is there nothing of that kind? */
void job_checkpoints_tidy(struct job_manager *manager);
bool job_checkpoints_is_tidy(const struct job_manager *manager);

/* Is checkpoint `id` being taken? */
bool job_checkpoints_is_pending(const struct job_manager *manager, uint64_t id);

/* ---- job_shared.c ---------------------------------------------------------------------------- */

/* The completed checkpoints `ids` are in the store: notes what they refer to, and sweeps. Errors:
 * HALTED. */
MUST_USE enum status job_shared_open(struct job_manager *manager, const uint64_t *ids,
                                     size_t count);

/* Checkpoint `id` is about to be triggered: what may it build on? 0: nothing. */
uint64_t job_shared_begin(struct job_manager *manager, uint64_t id);

/* A subtask acked `id` with the parts `keyed`. */
void job_shared_on_ack(struct job_manager *manager, uint64_t id, const struct keyed_state *keyed);

/* Checkpoint `id` completed; or a job is about to be restored from what `manifest` says, checkpoint
 * 0 if from nothing. At another parallelism the first snapshots build on nothing: what there is
 * holds other key groups than theirs. */
void job_shared_on_completed(struct job_manager *manager, uint64_t id);
void job_shared_on_restore(struct job_manager *manager, const struct manifest *manifest);

/* Checkpoint `id`, whose manifest is durably gone if it had one, goes with the files that only it
 * needs. After an error of the store it is to be repeated. */
MUST_USE enum status job_shared_discard(struct job_manager *manager, uint64_t id,
                                        bool had_completed);

/* The attempt that the record names is about to be deployed, which needs a place for its drafts; or
 * the job is over. What the attempts before wrote ahead goes now, or when the store can be tidied.
 * Errors: those of the store. */
MUST_USE enum status job_shared_begin_attempt(struct job_manager *manager);
void job_shared_end(struct job_manager *manager);

/* Sweeps, if that is due and possible; is nothing left to be swept that could be? */
void job_shared_tidy(struct job_manager *manager);
bool job_shared_is_tidy(const struct job_manager *manager);

/* ---- job_rescale.c --------------------------------------------------------------------------- */

/* Somebody asks for another parallelism. */
void job_rescale_on_request(struct job_manager *manager, const struct message *message);

/* Ends the attempt if it has another parallelism than the record says, and there are slots for
 * that (J6). */
void job_rescale_try(struct job_manager *manager);

#endif
