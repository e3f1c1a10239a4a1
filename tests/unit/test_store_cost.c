/* What uploads to the store cost a whole job, by how the store is described. */
#include "tests/support/cluster.h"
#include "tests/support/runner.h"

enum { PARALLELISM = 8, RATE_BYTES_PER_S = 64 * 1024 };

static struct test_cluster cluster;

/* Eight subtasks with about the same state; nothing else takes long. */
static void setup(void)
{
    cluster_init(&cluster);
    struct scenario *scenario = &cluster.scenario;
    scenario->job.parallelism = PARALLELISM;
    scenario->job.max_parallelism = 128;
    scenario->job.slots = PARALLELISM;
    scenario->job.input.records = 4000;
    scenario->job.input.keys = 1000;
    scenario->job.input.rate_per_s = 1000;
    scenario->job.checkpoint.interval_ns = CLUSTER_S;
    scenario->job.checkpoint.inline_threshold_bytes = 0;
    scenario->cluster.store.write_bytes_per_s = 0;
    scenario->cluster.store.client_write_bytes_per_s = RATE_BYTES_PER_S;
    scenario->cluster.store.latency_ns = 0;
}

static void teardown(void)
{
    cluster_free(&cluster);
}

/* Over the subtasks of one checkpoint. */
struct uploads {
    uint64_t wait_max_ns;
    uint64_t wait_total_ns;
    uint64_t async_max_ns;
    uint64_t bytes_max;
    uint64_t bytes_total;
    uint32_t waiting; /* subtasks that stood in line behind another's state, not only its output */
};

static uint64_t transfer_ns(uint64_t bytes)
{
    return bytes * CLUSTER_S / RATE_BYTES_PER_S;
}

static struct uploads run_and_measure(uint64_t checkpoint)
{
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    struct uploads uploads = { 0 };
    for (size_t i = 0; i < cluster.run.summary.task_count; i++) {
        const struct task_checkpoint_summary *task = &cluster.run.summary.tasks[i];
        if (task->checkpoint != checkpoint || task->vertex != 1) {
            continue;
        }
        ck_assert_uint_le(task->store_wait_ns, task->async_ns);
        ck_assert_uint_eq(task->written_bytes, task->bytes); /* a full snapshot */
        uploads.wait_total_ns += task->store_wait_ns;
        uploads.bytes_total += task->bytes;
        uploads.waiting += task->store_wait_ns > transfer_ns(task->bytes) / 2 ? 1 : 0;
        if (task->store_wait_ns > uploads.wait_max_ns) {
            uploads.wait_max_ns = task->store_wait_ns;
        }
        if (task->async_ns > uploads.async_max_ns) {
            uploads.async_max_ns = task->async_ns;
        }
        if (task->bytes > uploads.bytes_max) {
            uploads.bytes_max = task->bytes;
        }
    }
    ck_assert_uint_gt(uploads.bytes_total, 1000);
    return uploads;
}

START_TEST(tasks_with_connections_of_their_own_write_side_by_side)
{
    struct uploads uploads = run_and_measure(3);
    ck_assert_uint_eq(uploads.wait_total_ns, 0);
    ck_assert_uint_le(uploads.async_max_ns, transfer_ns(uploads.bytes_max) + CLUSTER_MS);
    ck_assert_uint_ge(uploads.async_max_ns, transfer_ns(uploads.bytes_max) * 9 / 10);
}
END_TEST

START_TEST(a_store_with_one_writer_takes_one_task_after_the_other)
{
    cluster.scenario.cluster.store.writers = 1;
    struct uploads uploads = run_and_measure(3);
    ck_assert_uint_ge(uploads.waiting, PARALLELISM - 1);
    ck_assert_uint_ge(uploads.async_max_ns, transfer_ns(uploads.bytes_total) * 9 / 10);
    ck_assert_uint_le(uploads.async_max_ns, transfer_ns(uploads.bytes_total) * 11 / 10);
    ck_assert_uint_ge(uploads.wait_max_ns, uploads.async_max_ns * 3 / 4);
}
END_TEST

START_TEST(a_store_with_four_writers_takes_eight_tasks_in_two_rounds)
{
    cluster.scenario.cluster.store.writers = 4;
    struct uploads uploads = run_and_measure(3);
    ck_assert_uint_eq(uploads.waiting, PARALLELISM / 2);
    ck_assert_uint_ge(uploads.async_max_ns, transfer_ns(uploads.bytes_max) * 17 / 10);
    ck_assert_uint_le(uploads.async_max_ns, transfer_ns(uploads.bytes_max) * 21 / 10);
}
END_TEST

START_TEST(an_upload_of_many_pieces_keeps_its_place_until_it_is_done)
{
    enum { PIECE_BYTES = 64 * 1024 };
    struct scenario *scenario = &cluster.scenario;
    scenario->job.parallelism = 2;
    scenario->job.input.records = 40000;
    scenario->job.input.keys = 12000;
    scenario->job.input.rate_per_s = 10000;
    scenario->job.checkpoint.interval_ns = CLUSTER_S / 2;
    scenario->cluster.store.client_write_bytes_per_s = 1024 * 1024;
    scenario->cluster.store.writers = 1;
    struct uploads uploads = run_and_measure(7);
    ck_assert_uint_gt(uploads.bytes_max, 2 * PIECE_BYTES);
    uint64_t alone_ns = uploads.bytes_max * CLUSTER_S / (1024 * 1024);
    ck_assert_uint_ge(uploads.wait_max_ns, alone_ns * 9 / 10);
    ck_assert_uint_lt(uploads.wait_total_ns - uploads.wait_max_ns, alone_ns / 2);
}
END_TEST

START_TEST(tasks_that_share_the_bandwidth_take_as_long_as_all_their_bytes)
{
    cluster.scenario.cluster.store.client_write_bytes_per_s = 0;
    cluster.scenario.cluster.store.write_bytes_per_s = RATE_BYTES_PER_S;
    struct uploads uploads = run_and_measure(3);
    ck_assert_uint_ge(uploads.waiting, PARALLELISM - 1);
    ck_assert_uint_ge(uploads.async_max_ns, transfer_ns(uploads.bytes_total) * 9 / 10);
    ck_assert_uint_le(uploads.async_max_ns, transfer_ns(uploads.bytes_total) * 11 / 10);
}
END_TEST

/* How long the restore after the crash of a TaskManager took. */
static uint64_t restore_ns(uint64_t client_read_bytes_per_s)
{
    teardown();
    setup();
    cluster.scenario.cluster.store.client_write_bytes_per_s = 0;
    cluster.scenario.cluster.store.client_read_bytes_per_s = client_read_bytes_per_s;
    cluster_crash(&cluster, when(FACT_CHECKPOINT_COMPLETED, 3, 1), PROCESS_FIRST_TASK_MANAGER,
                  50 * CLUSTER_MS);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.summary.recovery_count, 1);
    const struct recovery_summary *recovery = &cluster.run.summary.recoveries[0];
    return recovery->running_ns - recovery->chosen_ns;
}

START_TEST(a_restore_reads_over_connections_of_its_own_too)
{
    uint64_t fast_ns = restore_ns(0);
    uint64_t slow_ns = restore_ns(8 * 1024);
    ck_assert_uint_gt(slow_ns, fast_ns + 100 * CLUSTER_MS);
    ck_assert_uint_lt(slow_ns, fast_ns + 1000 * CLUSTER_MS); /* side by side, not in a row */
}
END_TEST

START_TEST(a_store_with_few_writers_survives_crashes_and_simulates_alike_twice)
{
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        teardown();
        setup();
        cluster.scenario.cluster.store.writers = 1;
        cluster_crash(&cluster, when(FACT_SNAPSHOT_TAKEN, 2, 3), PROCESS_FIRST_TASK_MANAGER,
                      50 * CLUSTER_MS);
        cluster_cut(&cluster, when(FACT_TASK_ACKED, 3, 9), PROCESS_JOB_MANAGER, 50 * CLUSTER_MS,
                    DISK_TEAR);
        cluster_run(&cluster);
        ck_assert(cluster_passed(&cluster));
        hashes[i] = cluster.run.trace_hash;
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("store cost");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, tasks_with_connections_of_their_own_write_side_by_side);
    tcase_add_test(tcase, a_store_with_one_writer_takes_one_task_after_the_other);
    tcase_add_test(tcase, a_store_with_four_writers_takes_eight_tasks_in_two_rounds);
    tcase_add_test(tcase, an_upload_of_many_pieces_keeps_its_place_until_it_is_done);
    tcase_add_test(tcase, tasks_that_share_the_bandwidth_take_as_long_as_all_their_bytes);
    tcase_add_test(tcase, a_restore_reads_over_connections_of_its_own_too);
    tcase_add_test(tcase, a_store_with_few_writers_survives_crashes_and_simulates_alike_twice);
    Suite *suite = suite_create("store cost");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
