/* What the steps of a checkpoint cost in each store: round trips, and the way of the state's bytes.
 */
#include "model/base/check.h"
#include "sim/command/predict_run_private.h"

/* In scenarios a rate of 0 means: no limit. */
double predict_rate_of(uint64_t bytes_per_s)
{
    return bytes_per_s == 0 ? (double)INFINITY : (double)bytes_per_s;
}

/* The models spread the state over all tasks; it lies in some. As if each of these wrote for those
 * that have none, a task's rate is that much smaller. */
static double rate_per_task(const struct prediction *prediction, double s_per_byte)
{
    uint32_t count = prediction->state_task_count;
    double share = count == 0 ? 1 : (double)count / prediction->input.task_count;
    return share / s_per_byte;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void describe_files(struct prediction *prediction)
{
    struct predict_input *input = &prediction->input;
    const struct cluster *cluster = &prediction->scenario->cluster;
    double file_count = prediction->uploads ? prediction->state_task_count : 0;
    double retained = prediction->scenario->job.checkpoint.retained;
    struct predict_trips discard = { DISCARD_CALLS + file_count, DISCARD_SYNCS,
                                     DISCARD_REMOVES + file_count };
    struct predict_trips list = { LIST_CALLS + LIST_EACH_CALLS * retained,
                                  LIST_EACH_SYNCS * retained, 0 };
    prediction->store = (struct predict_store){
        .begin = { STORE_BEGIN_CALLS, STORE_BEGIN_SYNCS, 0 },
        .commit = { STORE_COMMIT_CALLS, STORE_COMMIT_SYNCS, 0 },
        .discard = discard,
        .give_up = discard,
        .open = { STORE_INIT_CALLS + LIST_CALLS + FIND_CALLS * (retained + 1) + discard.calls +
                      list.calls,
                  STORE_INIT_SYNCS + discard.syncs + list.syncs, discard.removes },
        .choose = { list.calls + STORE_READ_CALLS, list.syncs, 0 },
    };
    if (prediction->uploads) {
        prediction->store.upload = (struct predict_trips){ UPLOAD_CALLS, UPLOAD_SYNCS, 0 };
        prediction->store.fetch = (struct predict_trips){ STORE_READ_CALLS, 0, 0 };
    }
    double cpu_s = 1 / predict_rate_of(cluster->cpu.snapshot_bytes_per_s);
    input->task_write_rate = rate_per_task(prediction, cpu_s);
    input->shared_write_rate = predict_rate_of(cluster->store.write_bytes_per_s);
    /* A task reads its state whole and then restores it: one after the other. */
    double read_s = 1 / predict_rate_of(cluster->store.read_bytes_per_s);
    input->task_read_rate = rate_per_task(prediction, read_s + cpu_s);
    input->shared_read_rate = predict_rate_of(cluster->store.read_bytes_per_s);
}

/* ---- memory, and sqlite ---------------------------------------------------------------------- */

/* Each part of a state comes one after the other on its way: it is serialised, and those of a
 * TaskManager leave it in one stream; `commit_s` a byte later it is in the store. And back: all
 * states leave the JobManager in one stream. */
static void describe_carried(struct prediction *prediction, double commit_s, double read_s)
{
    struct predict_input *input = &prediction->input;
    const struct job_config *job = &prediction->scenario->job;
    const struct cluster *cluster = &prediction->scenario->cluster;
    uint32_t state_tasks = prediction->state_task_count;
    uint32_t workers =
        job->task_managers < job->parallelism ? job->task_managers : job->parallelism;
    double most_per_worker =
        (double)((job->parallelism + workers - 1) / workers) * state_tasks / job->parallelism;
    double cpu_s = 1 / predict_rate_of(cluster->cpu.snapshot_bytes_per_s);
    double network_s = 1 / predict_rate_of(cluster->network.bandwidth_bytes_per_s);
    input->task_write_rate =
        rate_per_task(prediction, cpu_s + most_per_worker * network_s + state_tasks * commit_s);
    input->task_read_rate = rate_per_task(prediction, cpu_s + state_tasks * (network_s + read_s));
    input->shared_write_rate = (double)INFINITY;
    input->shared_read_rate = (double)INFINITY;
}

/* SQLite's transactions and what its cache does not hold, as counted in runs: the last page of a
 * part is partly filled; the table, its index and the journal of both take some more, and so
 * does what is kept of the file to find its way. More pages than the cache has left are written
 * before the end, behind a journal that is synced for it. To free the pages of a part it must read
 * them, and to restore it, too. */
static void describe_sqlite(struct prediction *prediction)
{
    enum { OTHER_PAGES = 8, KEPT_PAGES = 12, SPILL_CALLS = 3, SPILL_SYNCS = 2 };
    enum { CACHE_PAGES = STORE_CACHE_BYTES / STORE_PAGE_BYTES };
    struct predict_input *input = &prediction->input;
    const struct cluster *cluster = &prediction->scenario->cluster;
    double state_pages = input->state_bytes / STORE_PAGE_BYTES;
    double pages = state_pages + prediction->state_task_count / 4.0 + OTHER_PAGES;
    bool spills = state_pages > CACHE_PAGES - KEPT_PAGES;
    double reads = state_pages + pages > CACHE_PAGES ? ceil(state_pages) : 0;
    prediction->store = (struct predict_store){
        .commit = { SQLITE_END_CALLS + (spills ? SPILL_CALLS : 0),
                    SQLITE_END_SYNCS + (spills ? SPILL_SYNCS : 0), 0 },
        .discard = { SQLITE_END_CALLS + reads, SQLITE_END_SYNCS, 0 },
        .open = { SQLITE_OPEN_CALLS, SQLITE_OPEN_SYNCS, 0 },
        .choose = { reads, 0, 0 },
    };
    double write_s = 1 / predict_rate_of(cluster->store.write_bytes_per_s);
    double overhead = state_pages > 0 ? pages / state_pages : 1;
    describe_carried(prediction, write_s * overhead,
                     1 / predict_rate_of(cluster->store.read_bytes_per_s));
}

void predict_describe_store(struct prediction *prediction)
{
    switch (prediction->scenario->job.checkpoint.store) {
    case STORE_FILES: describe_files(prediction); return;
    case STORE_MEMORY: describe_carried(prediction, 0, 0); return;
    case STORE_SQLITE: describe_sqlite(prediction); return;
    case STORE_KIND_COUNT: break;
    }
    CHECK_UNREACHABLE("a checkpoint store");
}
