/* task.h - the actor of one subtask: reads, processes, aligns barriers, snapshots, commits.
 *
 * Life: started -> restored (tells the JobManager) -> running (told by it) -> end of data (its
 * input is read) -> finished (a checkpoint taken after that has completed). A failure ends it at
 * any point: it tells the JobManager and does nothing more.
 *
 * K1  The snapshot of checkpoint n covers exactly the records before barrier n on every input.
 * K2  Barrier n leaves behind all output made before the snapshot and before all made after.
 * K3  The ack is sent only when the state is durable in the store, or inline in the ack.
 * K4  A message of another attempt has no effect.
 * K5  While a snapshot is written records are processed: it is cut into steps of bounded size.
 *
 * Source: Flink's SubtaskCheckpointCoordinatorImpl and StreamTask. */
#ifndef FAULTLINE_RUNTIME_TASK_H
#define FAULTLINE_RUNTIME_TASK_H

#include "model/base/check.h"
#include "model/host.h"
#include "model/runtime/job_config.h"
#include "model/runtime/messages.h"
#include "model/stream/pipeline.h"

/* The argument of the actor; what it points to outlives the actor. */
struct task_argument {
    const struct job_config *config;
    const struct pipeline *pipeline;
    const struct deployment *deployment;
    uint32_t index; /* into deployment->subtasks */
};

extern const struct actor_ops task_actor;

/* Global index of a subtask: vertices in the order of the pipeline. */
static inline uint32_t task_index(uint32_t parallelism, uint32_t vertex, uint32_t subtask)
{
    CHECK(subtask < parallelism);
    return vertex * parallelism + subtask;
}

#endif
