#include "sim/campaign/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cluster.h"
#include "tests/support/runner.h"

static struct test_cluster cluster;

static void setup(void)
{
    cluster_init(&cluster);
}

static void teardown(void)
{
    cluster_free(&cluster);
}

static void again(void)
{
    cluster_free(&cluster);
    cluster_init(&cluster);
}

START_TEST(a_run_without_faults_passes)
{
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_int_eq(cluster.run.outcome, OUTCOME_FINISHED);
    ck_assert_uint_eq(cluster.run.totals.records, 2000);
    ck_assert_uint_eq(cluster.run.totals.keys, 50);
    ck_assert_uint_eq(cluster.run.totals.output_lines, 2000);
    ck_assert_uint_eq(cluster.run.totals.output_duplicates, 0);
    ck_assert_uint_eq(cluster.run.task_count, 4);
    ck_assert_uint_ge(cluster.run.summary.completed, 4);
    ck_assert_uint_eq(cluster.run.summary.recovery_count, 0);
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_JOB_FINISHED), 1);
    ck_assert_uint_gt(cluster.run.simulated_ns, 2 * CLUSTER_S); /* the rate takes that long */
}
END_TEST

/* The hash and all facts of one run with crashes. */
struct outcome_of_run {
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    size_t facts;
};

static struct outcome_of_run run_with_crashes(uint64_t seed)
{
    again();
    cluster.scenario.seed = seed;
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 2, 1), PROCESS_FIRST_TASK_MANAGER,
                  50 * CLUSTER_MS);
    cluster_cut(&cluster, when(FACT_MANIFEST_WRITTEN, 0, 3), PROCESS_JOB_MANAGER, 50 * CLUSTER_MS,
                DISK_TEAR);
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    return (struct outcome_of_run){ .hash = cluster.run.trace_hash,
                                    .events = cluster.run.event_count,
                                    .simulated_ns = cluster.run.simulated_ns,
                                    .facts = cluster.fact_count };
}

START_TEST(the_same_scenario_and_seed_give_the_same_run)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct outcome_of_run one = run_with_crashes(seed);
        struct outcome_of_run other = run_with_crashes(seed);
        ck_assert_uint_eq(one.hash, other.hash);
        ck_assert_uint_eq(one.events, other.events);
        ck_assert_uint_eq(one.simulated_ns, other.simulated_ns);
        ck_assert_uint_eq(one.facts, other.facts);
    }
}
END_TEST

/* Not up to 50 ms later, when its progress is due again. */
START_TEST(that_a_source_has_caught_up_is_told_when_it_has)
{
    cluster.scenario.job.input.rate_per_s = 20000;
    cluster.scenario.job.input.records = 40000;
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 2, 1), PROCESS_FIRST_TASK_MANAGER,
                  50 * CLUSTER_MS);
    cluster_run(&cluster);
    const struct summary *summary = &cluster.run.summary;
    ck_assert_uint_gt(summary->recovery_count, 0);
    const struct recovery_summary *last = &summary->recoveries[summary->recovery_count - 1];
    ck_assert_uint_ge(last->caught_up_ns, last->running_ns);
    ck_assert_uint_lt(last->caught_up_ns, last->running_ns + 10 * CLUSTER_MS);
}
END_TEST

START_TEST(other_seeds_give_other_runs)
{
    enum { SEEDS = 10 };
    uint64_t hashes[SEEDS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        hashes[seed] = run_with_crashes(seed + 1).hash;
        for (uint64_t earlier = 0; earlier < seed; earlier++) {
            ck_assert_uint_ne(hashes[earlier], hashes[seed]);
        }
    }
}
END_TEST

START_TEST(any_small_change_of_the_scenario_changes_the_hash)
{
    uint64_t hash = run_with_crashes(1).hash;
    again();
    cluster_run(&cluster);
    uint64_t without_crashes = cluster.run.trace_hash;
    ck_assert_uint_ne(hash, without_crashes);
    again();
    cluster.scenario.job.input.records--;
    cluster_run(&cluster);
    ck_assert_uint_ne(cluster.run.trace_hash, without_crashes);
    again();
    cluster.scenario.cluster.store.latency_ns++;
    cluster_run(&cluster);
    ck_assert_uint_ne(cluster.run.trace_hash, without_crashes);
}
END_TEST

START_TEST(who_listens_does_not_change_the_run)
{
    cluster_run(&cluster);
    struct run run;
    struct run_options options = { .keep_trace = true, .keep_timeline = true };
    run_scenario(&run, &cluster.arena, &cluster.scenario, (struct bytes){ 0 }, &options);
    ck_assert_uint_eq(run.trace_hash, cluster.run.trace_hash);
    ck_assert_uint_eq(run.event_count, cluster.run.event_count);
}
END_TEST

START_TEST(a_file_is_counted_like_generated_records)
{
    cluster.input = "7\n-3\n7\r\n+7\n007\n12";
    cluster.scenario.job.input.rate_per_s = 0;
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster.run.totals.records, 6);
    ck_assert_uint_eq(cluster.run.totals.keys, 3);
    struct buffer state;
    buffer_init(&state, &cluster.arena);
    oracle_collect_state(cluster.run.oracle, &state);
    ck_assert(bytes_equal(buffer_bytes(&state), bytes_of_text("-3\t1\n7\t4\n12\t1\n")));
}
END_TEST

START_TEST(a_bad_line_fails_the_job_with_its_place_and_without_a_restart)
{
    cluster.input = "1\n2\nthree\n4\n";
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.outcome, OUTCOME_FAILED);
    ck_assert_int_ne(cluster.run.verdict, VERDICT_PASS);
    ck_assert_ptr_nonnull(strstr(cluster.run.summary.failure, "test.txt:3: "));
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_RESTART_SCHEDULED), 0);
    again();
    cluster.input = "1\n2\nthree\n4\n";
    cluster.scenario.expect.result = EXPECT_FAILED;
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
}
END_TEST

START_TEST(an_expectation_that_does_not_hold_is_named)
{
    cluster.scenario.expect.checkpoints = (struct bound){ BOUND_AT_LEAST, 1000 };
    cluster.scenario.expect.recoveries = (struct bound){ BOUND_AT_LEAST, 1 };
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_WRONG);
    ck_assert_uint_eq(cluster.run.unmet_count, 2);
    ck_assert_ptr_nonnull(strstr(cluster.run.unmet[0].message, "expect.checkpoints: "));
    ck_assert_ptr_nonnull(strstr(cluster.run.unmet[1].message, "expect.recoveries: "));
}
END_TEST

START_TEST(a_fault_that_never_fires_fails_the_run)
{
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 12345, 1), PROCESS_JOB_MANAGER, CLUSTER_S);
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_NOT_FIRED);
    again();
    cluster_crash(&cluster, when(FACT_TASK_ACKED, 12345, 1), PROCESS_JOB_MANAGER, CLUSTER_S);
    cluster.scenario.expect.all_fired = false;
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
}
END_TEST

START_TEST(a_job_that_does_not_end_in_time_is_stuck)
{
    cluster.scenario.expect.within_ns = CLUSTER_S;
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.outcome, OUTCOME_STUCK);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_STUCK);
    ck_assert_uint_lt(cluster.run.simulated_ns, CLUSTER_S + 100 * CLUSTER_MS);
}
END_TEST

START_TEST(a_job_manager_that_never_returns_leaves_the_job_stuck)
{
    cluster_crash(&cluster, at(CLUSTER_S), PROCESS_JOB_MANAGER, 0);
    cluster.faults[0].for_ever = true;
    cluster.scenario.expect.within_ns = 20 * CLUSTER_S;
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_STUCK);
}
END_TEST

START_TEST(every_verdict_has_a_name)
{
    ck_assert_str_eq(verdict_name(VERDICT_PASS), "pass");
    for (int i = VERDICT_PASS; i <= VERDICT_SURROUNDINGS; i++) {
        for (int j = VERDICT_PASS; j < i; j++) {
            ck_assert_str_ne(verdict_name((enum verdict)i), verdict_name((enum verdict)j));
        }
    }
}
END_TEST

START_TEST(an_input_file_that_is_not_there_is_named)
{
    struct bytes input;
    struct buffer error;
    buffer_init(&error, &cluster.arena);
    cluster.scenario.path = "some.json";
    cluster.scenario.input_path = "/nowhere/input.txt";
    ck_assert_int_eq(run_read_input(&cluster.scenario, &cluster.arena, &input, &error),
                     STATUS_OK); /* generated */
    cluster.scenario.job.input.kind = INPUT_FILE;
    ck_assert_int_eq(run_read_input(&cluster.scenario, &cluster.arena, &input, &error),
                     STATUS_NOT_FOUND);
    *buffer_extend(&error, 1) = '\0';
    ck_assert_str_eq((const char *)error.data, "some.json: job.input.file: cannot read "
                                               "/nowhere/input.txt: No such file or directory");
}
END_TEST

START_TEST(an_input_that_is_copied_is_the_one_that_is_read)
{
    char folder[] = "/tmp/faultline-XXXXXX";
    struct bytes read;
    struct bytes copied;
    struct buffer error;
    buffer_init(&error, &cluster.arena);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cluster.scenario.job.input.kind = INPUT_FILE;
    cluster.scenario.input_path = "scenarios/input/sizes.jsonl.gz";
    cluster.scenario.input_shape.column = "size";
    ck_assert_int_eq(run_read_input(&cluster.scenario, &cluster.arena, &read, &error), STATUS_OK);
    ck_assert(cluster.scenario.job.input.is_numbered);
    cluster.scenario.job.input.is_numbered = false;
    ck_assert_int_eq(
        run_copy_input(&cluster.scenario, &cluster.arena, folder, NULL, &copied, &error),
        STATUS_OK);
    ck_assert(bytes_equal(read, copied));
    ck_assert(cluster.scenario.job.input.is_numbered);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing is left in it */
}
END_TEST

/* Every attempt fails at its first checkpoint, whose state the store does not take. */
static void outgrow_the_store(void)
{
    again();
    cluster.scenario.job.checkpoint.store = STORE_MEMORY;
    cluster.scenario.job.checkpoint.store_state_max_bytes = 16;
    cluster.scenario.job.checkpoint.inline_threshold_bytes = 0;
    cluster.scenario.job.restart = restart_default_options();
}

/* No checkpoint is over in time, and none that fails is tolerated. */
START_TEST(a_job_that_fails_again_and_again_is_stuck_long_before_its_time_is_up)
{
    again();
    cluster.scenario.job.checkpoint.timeout_ns = 1000;
    cluster.scenario.job.restart = restart_default_options();
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_STUCK);
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_RESTART_SCHEDULED), VAIN_FAILURES_MAX);
    ck_assert_uint_lt(cluster.run.simulated_ns, 60 * CLUSTER_S);
    ck_assert_ptr_nonnull(strstr(cluster.run.unmet[0].message,
                                 "expect.result: the job did not end: the job failed 8 times in a "
                                 "row, with no checkpoint completed in between"));
}
END_TEST

START_TEST(a_state_that_the_store_never_takes_leaves_the_job_stuck_sooner)
{
    outgrow_the_store();
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_STUCK);
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_RESTART_SCHEDULED), VAIN_TOO_LARGE_MAX);
    ck_assert_uint_lt(cluster.run.simulated_ns, 10 * CLUSTER_S);
    ck_assert_ptr_nonnull(strstr(cluster.run.unmet[0].message,
                                 "has no end: declined: the state of "));
    ck_assert_ptr_nonnull(strstr(cluster.run.unmet[0].message,
                                 "the checkpoint store memory takes 16 of a subtask: "
                                 "checkpoint.store_state_max, or another store"));
}
END_TEST

START_TEST(a_final_checkpoint_that_always_fails_leaves_the_job_stuck)
{
    outgrow_the_store();
    cluster.scenario.job.checkpoint.tolerable_failures = 1000000;
    cluster_run(&cluster);
    ck_assert_int_eq(cluster.run.verdict, VERDICT_STUCK);
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_RESTART_SCHEDULED), 0);
    ck_assert_uint_lt(cluster.run.simulated_ns, 60 * CLUSTER_S);
}
END_TEST

START_TEST(a_restart_strategy_that_has_an_end_is_left_to_reach_it)
{
    outgrow_the_store();
    cluster.scenario.job.restart.strategy = RESTART_FIXED_DELAY;
    cluster.scenario.job.restart.attempts = 2 * VAIN_FAILURES_MAX;
    cluster.scenario.expect.result = EXPECT_FAILED;
    cluster_run(&cluster);
    ck_assert(cluster_passed(&cluster));
    ck_assert_uint_eq(cluster_facts(&cluster, FACT_RESTART_SCHEDULED), 2 * VAIN_FAILURES_MAX);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("run");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_run_without_faults_passes);
    tcase_add_test(tcase, the_same_scenario_and_seed_give_the_same_run);
    tcase_add_test(tcase, that_a_source_has_caught_up_is_told_when_it_has);
    tcase_add_test(tcase, other_seeds_give_other_runs);
    tcase_add_test(tcase, any_small_change_of_the_scenario_changes_the_hash);
    tcase_add_test(tcase, who_listens_does_not_change_the_run);
    tcase_add_test(tcase, a_file_is_counted_like_generated_records);
    tcase_add_test(tcase, a_bad_line_fails_the_job_with_its_place_and_without_a_restart);
    tcase_add_test(tcase, an_expectation_that_does_not_hold_is_named);
    tcase_add_test(tcase, a_fault_that_never_fires_fails_the_run);
    tcase_add_test(tcase, a_job_that_does_not_end_in_time_is_stuck);
    tcase_add_test(tcase, a_job_manager_that_never_returns_leaves_the_job_stuck);
    tcase_add_test(tcase, a_job_that_fails_again_and_again_is_stuck_long_before_its_time_is_up);
    tcase_add_test(tcase, a_state_that_the_store_never_takes_leaves_the_job_stuck_sooner);
    tcase_add_test(tcase, a_final_checkpoint_that_always_fails_leaves_the_job_stuck);
    tcase_add_test(tcase, a_restart_strategy_that_has_an_end_is_left_to_reach_it);
    tcase_add_test(tcase, every_verdict_has_a_name);
    tcase_add_test(tcase, an_input_file_that_is_not_there_is_named);
    tcase_add_test(tcase, an_input_that_is_copied_is_the_one_that_is_read);
    Suite *suite = suite_create("run");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
