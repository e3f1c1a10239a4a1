/* The whole job against power cuts: the machine of the JobManager, and of each TaskManager, loses
 * its power at its n-th storage call, for n = 1, 2, 3 ... until a run is over before. Whatever
 * becomes of what was not synced, the oracle must find nothing. */

#include "tests/support/cluster.h"
#include "tests/support/runner.h"

enum { CALLS_MAX = 2000, PROCESSES = 3 };

/* What becomes of unsynced data; TEAR with four seeds. */
static const struct {
    const char *name;
    enum disk_survival survival;
    uint64_t seed;
} survivals[] = {
    { "keep", DISK_KEEP, 1 }, { "lose", DISK_LOSE, 1 }, { "tear", DISK_TEAR, 2 },
    { "tear", DISK_TEAR, 3 }, { "tear", DISK_TEAR, 4 }, { "tear", DISK_TEAR, 5 },
};
enum { SURVIVALS = sizeof survivals / sizeof *survivals };

static void init_job(struct test_cluster *cluster, uint64_t seed)
{
    cluster_init(cluster);
    cluster->scenario.seed = seed;
    cluster->scenario.job.input.records = 400;
    cluster->scenario.job.checkpoint.interval_ns = 100 * CLUSTER_MS;
    cluster->scenario.job.heartbeat_interval_ns = 100 * CLUSTER_MS;
    cluster->scenario.job.heartbeat_timeout_ns = 400 * CLUSTER_MS;
}

/* The cuts of one test. */
struct plan {
    uint32_t process;
    uint64_t for_ns;             /* until the machine returns */
    struct fault_trigger before; /* of a crash of the first TaskManager's process; at 0: none */
    uint64_t calls_min;          /* a run has more calls */
};

/* One run. False if it was over before the cut. */
static bool assert_cut(const struct plan *plan, uint64_t call, int how)
{
    struct test_cluster cluster;
    init_job(&cluster, survivals[how].seed);
    cluster.cut = (struct cluster_cut){ .process = plan->process,
                                        .call = call,
                                        .for_ns = plan->for_ns,
                                        .survival = survivals[how].survival };
    if (plan->before.kind == TRIGGER_WHEN) {
        cluster_crash(&cluster, plan->before, PROCESS_FIRST_TASK_MANAGER, 30 * CLUSTER_MS);
        cluster.scenario.expect.all_fired = false; /* it may be dead already */
    }
    cluster_run(&cluster);
    bool passed = cluster_passed(&cluster);
    bool was_cut = cluster.storage_calls[plan->process] >= call;
    cluster_free(&cluster);
    ck_assert_msg(passed, "process %u was cut at its storage call %llu, unsynced: %s",
                  plan->process, (unsigned long long)call, survivals[how].name);
    return was_cut;
}

/* At every call, until no run makes so many. */
static void assert_every_cut(const struct plan *plan)
{
    for (uint64_t call = 1; call < CALLS_MAX; call++) {
        bool was_cut = false;
        for (int how = 0; how < SURVIVALS; how++) {
            was_cut = assert_cut(plan, call, how) || was_cut;
        }
        if (!was_cut) {
            ck_assert_msg(call > plan->calls_min, "process %u makes only %llu storage calls",
                          plan->process, (unsigned long long)call - 1);
            return;
        }
    }
    ck_abort_msg("a job of %d storage calls never ends", CALLS_MAX);
}

START_TEST(no_power_cut_of_the_job_manager_breaks_the_job)
{
    assert_every_cut(&(struct plan){
        .process = PROCESS_JOB_MANAGER, .for_ns = 50 * CLUSTER_MS, .calls_min = 60 });
}
END_TEST

/* Back before the JobManager misses a heartbeat: the connection tells. */
START_TEST(no_short_power_cut_of_a_task_manager_breaks_the_job)
{
    assert_every_cut(&(struct plan){
        .process = PROCESS_FIRST_TASK_MANAGER, .for_ns = 50 * CLUSTER_MS, .calls_min = 30 });
}
END_TEST

/* Found by the heartbeat, while the machine is off. */
START_TEST(no_long_power_cut_of_a_task_manager_breaks_the_job)
{
    assert_every_cut(&(struct plan){
        .process = PROCESS_FIRST_TASK_MANAGER + 1, .for_ns = CLUSTER_S, .calls_min = 30 });
}
END_TEST

START_TEST(no_power_cut_of_the_job_manager_around_a_recovery_breaks_the_job)
{
    assert_every_cut(&(struct plan){ .process = PROCESS_JOB_MANAGER,
                                     .for_ns = 50 * CLUSTER_MS,
                                     .before = when(FACT_TASK_ACKED, 3, 1),
                                     .calls_min = 60 });
}
END_TEST

START_TEST(no_power_cut_of_the_other_task_manager_around_a_recovery_breaks_the_job)
{
    assert_every_cut(&(struct plan){ .process = PROCESS_FIRST_TASK_MANAGER + 1,
                                     .for_ns = 50 * CLUSTER_MS,
                                     .before = when(FACT_CHECKPOINT_ALL_ACKED, 3, 1),
                                     .calls_min = 30 });
}
END_TEST

/* The TaskManager makes no call of its own then, but what it acked may not be durable. */
START_TEST(no_power_cut_of_a_task_manager_while_the_job_manager_commits_breaks_the_job)
{
    static const enum fact_kind steps[] = { FACT_ACK_RECEIVED,     FACT_CHECKPOINT_ALL_ACKED,
                                            FACT_MANIFEST_WRITTEN, FACT_MANIFEST_SYNCED,
                                            FACT_MANIFEST_RENAMED, FACT_CHECKPOINT_COMPLETED,
                                            FACT_TASK_NOTIFIED };
    for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
        for (uint32_t process = PROCESS_FIRST_TASK_MANAGER; process < PROCESSES; process++) {
            for (uint32_t occurrence = 1; occurrence <= 8; occurrence++) {
                for (int how = 0; how < SURVIVALS; how++) {
                    struct test_cluster cluster;
                    init_job(&cluster, survivals[how].seed);
                    cluster_cut(&cluster, when(steps[step], 0, occurrence), process,
                                50 * CLUSTER_MS, survivals[how].survival);
                    cluster.scenario.expect.all_fired = false; /* so many checkpoints or not */
                    cluster_run(&cluster);
                    ck_assert(cluster_passed(&cluster));
                    ck_assert(occurrence > 3 || cluster.run.faults[0].fired);
                    cluster_free(&cluster);
                }
            }
        }
    }
}
END_TEST

START_TEST(a_job_without_a_cut_has_several_checkpoints)
{
    struct test_cluster cluster;
    init_job(&cluster, 1);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_ge(cluster.run.summary.completed, 3);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        ck_assert_uint_gt(cluster.storage_calls[i], 20);
    }
    cluster_free(&cluster);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("job");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_job_without_a_cut_has_several_checkpoints);
    tcase_add_test(tcase, no_power_cut_of_the_job_manager_breaks_the_job);
    tcase_add_test(tcase, no_short_power_cut_of_a_task_manager_breaks_the_job);
    tcase_add_test(tcase, no_long_power_cut_of_a_task_manager_breaks_the_job);
    tcase_add_test(tcase, no_power_cut_of_the_job_manager_around_a_recovery_breaks_the_job);
    tcase_add_test(tcase, no_power_cut_of_the_other_task_manager_around_a_recovery_breaks_the_job);
    Suite *suite = suite_create("crashes of a job");
    tcase_add_test(tcase,
                   no_power_cut_of_a_task_manager_while_the_job_manager_commits_breaks_the_job);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
