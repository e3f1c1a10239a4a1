/* process.h - the two kinds of process, as their main actors.
 *
 * Process 0 is the JobManager, processes 1..task_managers are TaskManagers; whoever restarts a dead
 * process starts the same main actor again, with a new incarnation. */
#ifndef FAULTLINE_RUNTIME_PROCESS_H
#define FAULTLINE_RUNTIME_PROCESS_H

#include "model/host.h"
#include "model/runtime/job_config.h"
#include "model/stream/pipeline.h"

enum { PROCESS_JOB_MANAGER = 0, PROCESS_FIRST_TASK_MANAGER = 1 };

/* The argument of both main actors; what it points to outlives them. */
struct process_argument {
    const struct job_config *config;
    const struct pipeline *pipeline;
};

extern const struct actor_ops job_manager_actor;
extern const struct actor_ops task_manager_actor;

/* Where a process keeps working files on its machine's LOCAL volume: the name of a directory for
 * the process of `self`, whichever incarnation. */
enum { PROCESS_DIRECTORY_SIZE = 32 };
void process_directory(char directory[PROCESS_DIRECTORY_SIZE], actor_id self);

/* Reads the argument of a main actor. */
struct process_argument process_argument_of(struct bytes argument);

#endif
