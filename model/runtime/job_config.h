/* job_config.h - all that the JobManager and the TaskManagers are told about the job they run.
 *
 * Plain data, filled by whoever starts the processes (from a scenario); immutable while they run.
 * Names follow Flink's options. */
#ifndef FAULTLINE_RUNTIME_JOB_CONFIG_H
#define FAULTLINE_RUNTIME_JOB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/checkpoint/store.h"
#include "model/runtime/restart.h"
#include "model/state/backend_create.h"
#include "model/stream/input.h"

enum checkpoint_mode { MODE_EXACTLY_ONCE, MODE_AT_LEAST_ONCE };

struct job_config {
    const char *job;          /* a name of model/jobs/jobs.h */
    uint32_t parallelism;     /* of every vertex, until another one is asked for */
    uint32_t max_parallelism; /* number of key groups; the same */
    struct input_config input;

    struct {
        enum state_backend backend;
        uint64_t cache_bytes; /* of each subtask's state that lies on disk so much is in memory */
        bool incremental;   /* snapshots hold what changed since the last completed checkpoint */
        uint32_t parts_max; /* ... which they keep, until there are so many parts: then they begin
                             * anew with a whole one */
        struct {
            bool enabled;                /* changelog_backend.h around the backend */
            uint64_t materialization_ns; /* between two that it is written whole; 0: none for the
                                          * sake of time */
            uint32_t failures_max;       /* of that, in a row; one more fails the subtask */
            uint32_t parts_max;
            uint64_t persist_bytes; /* of the log not written ahead when some is; 0: none ever is */
        } changelog;
    } state;

    struct {
        uint64_t interval_ns; /* 0: only the final checkpoint */
        uint64_t timeout_ns;
        uint64_t min_pause_ns;
        uint32_t max_concurrent;
        uint32_t tolerable_failures;
        uint32_t retained;
        enum checkpoint_mode mode;
        uint64_t inline_threshold_bytes; /* smaller keyed state is part of the manifest */
        enum store_kind store;
        uint64_t store_state_max_bytes; /* STORE_MEMORY: the most of one subtask's state, which its
                                         * acknowledgement carries */
    } checkpoint;

    struct restart_options restart;
    bool allow_older;             /* restore an older checkpoint if the newest is unreadable */
    uint32_t restore_tries;       /* how often an unreadable checkpoint is tried before that */
    uint64_t restore_retry_delay_ns;

    uint32_t task_managers;        /* how many register */
    uint32_t slots;                /* of each */
    uint64_t heartbeat_interval_ns;
    uint64_t heartbeat_timeout_ns;

    uint32_t buffer_bytes;         /* a network buffer is sent when it is full ... */
    uint64_t buffer_timeout_ns;    /* ... or this old */
    uint32_t buffers_per_channel;  /* credit: how many may be on their way */

    uint64_t watermark_interval_ns; /* between two looks at event time; not 0 */
};

/* May a checkpoint refer to files of earlier ones? Then these lie in the shared folders. */
static inline bool job_config_shares_files(const struct job_config *config)
{
    return config->state.incremental || config->state.changelog.enabled;
}

/* The number of splits of the input; it never changes. */
static inline uint32_t job_split_count(const struct job_config *config)
{
    return config->input.splits > 0 ? config->input.splits : config->parallelism;
}

#endif
