/* task_private.h - what the files of a subtask share. Private to task*.c.
 *
 * task.c          start, restore, the work loop, the entry points
 * task_input.c    records, watermarks, the end of the data
 * task_checkpoint.c  barriers, snapshots, completion */
#ifndef FAULTLINE_RUNTIME_TASK_PRIVATE_H
#define FAULTLINE_RUNTIME_TASK_PRIVATE_H

#include "model/checkpoint/aligner.h"
#include "model/runtime/input_gate.h"
#include "model/runtime/operator_chain.h"
#include "model/runtime/output_set.h"
#include "model/runtime/task.h"
#include "model/runtime/task_snapshot.h"
#include "model/runtime/watermark_valve.h"
#include "model/stream/source.h"

enum task_state {
    TASK_STARTED,  /* no state yet */
    TASK_RESTORED, /* waits to be told to run */
    TASK_RUNNING,
    TASK_END_OF_DATA, /* waits for its final checkpoint */
    TASK_FINISHED,
    TASK_FAILED,
};

struct task {
    struct host *host;
    const struct job_config *config;
    const struct pipeline *pipeline;
    const struct deployment *deployment;
    const struct deployed_subtask *deployed;
    const struct vertex *vertex;
    uint32_t index; /* global */
    enum task_state state;
    struct operator_context context;
    struct operator_chain chain;
    struct source *source; /* NULL: the vertex has inputs */
    struct aligner aligner;
    struct input_gate gate;
    uint32_t channel_count;
    uint32_t streams_ended; /* input channels without any more records */
    uint32_t output_channels[PIPELINE_INPUT_COUNT_MAX]; /* of input i: of this subtask, at its
                                                         * senders */
    struct watermark_valve valve; /* channel_count 0: there is no event time */
    struct output_set outputs;
    struct task_snapshots snapshots;
    timer_id work_timer;      /* 0: not set */
    timer_id flush_timer;     /* 0: not set */
    timer_id watermark_timer; /* 0: not set */
    timer_id wake_timer;      /* 0: not set */
    uint64_t wake_ns;         /* when wake_timer is due */
    uint64_t progress_ns;     /* of the last source.progress */
    bool is_catching_up;      /* with what was due before it began to run */
    /* at_least_once: the end of an input may overtake the barrier of another, so a checkpoint of
     * which a barrier came before the end of data does not cover it. 0 if barriers block. */
    uint64_t newest_before_end;
    struct trigger newest_trigger; /* the newest checkpoint that a barrier or trigger spoke of */
    uint64_t newest_notified;      /* checkpoint that completed */
    uint64_t final_checkpoint; /* the first snapshot after the end of data; 0: none yet. It, or any
                                * later one, is final when it completes */
};

/* ---- task.c ---------------------------------------------------------------------------------- */

void task_report(struct task *task, enum fact_kind kind, uint64_t checkpoint, uint64_t value0,
                 uint64_t value1);

/* A message of `kind`, without data. */
void task_tell_job_manager(struct task *task, enum message_kind kind);

/* Turns a failure that an operator noted into one of the subtask. True if there is one. */
bool task_has_failed(struct task *task);

/* Lets the work go on, now or at `due_ns`, unless that is arranged already. */
void task_schedule_work(struct task *task);
void task_schedule_work_at(struct task *task, uint64_t due_ns);

static inline bool task_is_active(const struct task *task)
{
    return task->state == TASK_RUNNING || task->state == TASK_END_OF_DATA;
}

/* ---- task_input.c ---------------------------------------------------------------------------- */

/* Takes a message of a channel that may be read now, and does what it says. */
void task_process_input(struct task *task, struct message *message);

/* Emits a bounded number of records of the source. */
void task_pull_source(struct task *task);
void task_report_progress(struct task *task, bool force);

/* A watermark leaves operator number `operator` of the chain; `task` is a struct task. */
void task_emit_watermark(void *task, uint32_t operator, struct watermark watermark);

/* ---- task_checkpoint.c ----------------------------------------------------------------------- */

void task_on_barrier(struct task *task, const struct message *message);
void task_on_end_of_partition(struct task *task, const struct message *message);
void task_on_trigger(struct task *task, const struct message *message);
void task_on_aborted(struct task *task, uint64_t checkpoint);
void task_on_complete(struct task *task, uint64_t checkpoint);

/* Ends the subtask if its final checkpoint has completed. */
void task_finish_if_due(struct task *task);

#endif
