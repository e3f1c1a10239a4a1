/* predict_run_private.h - what the files of predict_run share: measuring, counting, failures. */
#ifndef FAULTLINE_SIM_PREDICT_RUN_PRIVATE_H
#define FAULTLINE_SIM_PREDICT_RUN_PRIVATE_H

#include <math.h>
#include <stdint.h>

#include "sim/command/predict_run.h"

/* Round trips to the store, one after the other; each takes store.latency, and those that sync
 * store.sync besides. A write alone is none:
 * it takes the time of its bytes. Counted from the code:
 *
 *   model/runtime/job_record.c    load: make_dir, sync_dir, open, read
 *                                 store: open, sync, rename, sync_dir
 *   model/checkpoint/store_files.c
 *                                 init: make_dir, sync_dir, twice
 *                                 begin: make_dir, sync_dir
 *                                 seal: sync, sync_dir
 *                                 commit: open, sync, rename, sync_dir
 *                                 discard: remove, sync_dir, list, a remove for each file,
 *                                          remove_dir, sync_dir
 *                                 list: list; for each checkpoint open, sync_dir
 *                                 read: open, read
 *   model/checkpoint/blob_table_sqlite.c
 *                                 counted in runs: the end of a transaction, and opening the
 *                                 database with all that lists what is in it
 *   model/runtime/uploader.c      open, and seal
 *   model/stream/file_sink.c      open: make_dir, sync_dir, twice
 *                                 pre-commit: open, sync, sync_dir
 *                                 restore: rename, open, sync_dir (of a transaction that was
 *                                          committed before), list, a remove
 *
 * Tasks call side by side, so that of them the one with the most calls counts. */
enum {
    RECORD_LOAD_CALLS = 4,
    RECORD_STORE_CALLS = 4,
    STORE_INIT_CALLS = 4,
    STORE_BEGIN_CALLS = 2,
    STORE_COMMIT_CALLS = 4,
    STORE_READ_CALLS = 2,
    DISCARD_CALLS = 5,
    LIST_CALLS = 1,
    LIST_EACH_CALLS = 2,
    FIND_CALLS = 1,
    UPLOAD_CALLS = 3,
    SINK_OPEN_CALLS = 4,
    SINK_PRE_COMMIT_CALLS = 3,
    SINK_RESTORE_CALLS = 5,
    SQLITE_END_CALLS = 5,
    SQLITE_OPEN_CALLS = 16,
};

/* How many of these are syncs. */
enum {
    RECORD_LOAD_SYNCS = 1,
    RECORD_STORE_SYNCS = 2,
    STORE_INIT_SYNCS = 2,
    STORE_BEGIN_SYNCS = 1,
    STORE_COMMIT_SYNCS = 2,
    DISCARD_SYNCS = 2,
    LIST_EACH_SYNCS = 1,
    UPLOAD_SYNCS = 2,
    SINK_OPEN_SYNCS = 2,
    SINK_PRE_COMMIT_SYNCS = 2,
    SINK_RESTORE_SYNCS = 1,
    SQLITE_END_SYNCS = 4,
    SQLITE_OPEN_SYNCS = 4,
};

/* ... and after how many something is gone. */
enum {
    RECORD_STORE_REMOVES = 1,
    DISCARD_REMOVES = 2,
};

#define PREDICT_NS_PER_S 1e9
#define PREDICT_PPM      1e6

static inline double seconds(uint64_t time_ns)
{
    return (double)time_ns / PREDICT_NS_PER_S;
}

/* Round trips, of which some sync, and some remove. */
static inline double trips_s(const struct cluster *cluster, struct predict_trips trips)
{
    return trips.calls * seconds(cluster->store.latency_ns) +
           trips.syncs * seconds(cluster->store.sync_ns) +
           trips.removes * seconds(cluster->store.remove_ns);
}

/* The job's durable record is changed. */
static const struct predict_trips predict_record_trips = { RECORD_STORE_CALLS, RECORD_STORE_SYNCS,
                                                           RECORD_STORE_REMOVES };

/* In scenarios a rate of 0 means: no limit. */
double predict_rate_of(uint64_t bytes_per_s);

/* Fills in `prediction->store`, and the rates at which the state is written and read. */
void predict_describe_store(struct prediction *prediction);

/* What the checkpoints of a run were like: of the later half of those that completed while all
 * input was still running, as state grows at first. */
struct checkpoint_means {
    size_t count; /* 0: there is none, and only `bytes` is known, of the last checkpoint */
    double bytes;
    double task_bytes_max; /* of the subtask with the most */
    double period_s;       /* 0: unknown */
    double duration_s;
    double stop_s;       /* alignment and synchronous part of the subtask where they are longest */
    double output_bytes; /* of a record */
};

/* Runs the scenario of `prediction` without its faults, and notes what its checkpoints were like.
 * Errors: INVALID (it does not finish), with one sentence in `error`. */
MUST_USE enum status predict_measure(struct prediction *prediction, struct run *run,
                                     struct arena *arena, struct bytes input,
                                     struct checkpoint_means *means, struct buffer *error);

/* How the failure shows that a fault causes; FAILURE_OTHER if the models do not know. */
struct failure_model predict_failure_of(const struct prediction *prediction,
                                        const struct fault *fault);

/* The scenario's failure with the longest downtime; without one that the models know, a
 * TaskManager that is never heard of again, and `*is_of_scenario` false. */
struct failure_model predict_assume_failure(const struct prediction *prediction,
                                            bool *is_of_scenario);

/* From the failure until records are processed again. The failure is not FAILURE_OTHER. */
double predict_downtime_s(const struct prediction *prediction, const struct failure_model *failure);

/* Round trips of a restart, one after the other: discarding the checkpoint that was cut short, and
 * from where a JobManager may deploy until the job runs. */
uint32_t predict_restart_calls(const struct prediction *prediction);

#endif
