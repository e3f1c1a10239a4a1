/* The oracle's properties of the protocol - ids, fencing, liveness - against runs that are right
 * and runs in which one thing is wrong. */
#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

#include <string.h>

static struct oracle_world world;

static void setup(void)
{
    oracle_world_init(&world);
}

static void teardown(void)
{
    oracle_world_free(&world);
}

START_TEST(every_property_has_a_name_and_one_line_of_help)
{
    for (int i = PROPERTY_STATE; i < PROPERTY_COUNT_PLUS_ONE; i++) {
        ck_assert_uint_gt(strlen(property_name((enum property)i)), 0);
        ck_assert_uint_gt(strlen(property_help((enum property)i)), 20);
        ck_assert_ptr_null(strchr(property_help((enum property)i), '\n'));
    }
    ck_assert_str_eq(property_name(PROPERTY_CONSISTENT_CUT), "consistent_cut");
}
END_TEST

START_TEST(only_a_few_violations_of_a_property_are_kept)
{
    oracle_run_checkpoints(&world, 1);
    for (int i = 0; i < 100; i++) {
        oracle_tell(&world, FACT_CHECKPOINT_TRIGGERED, 1);
    }
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_CHECKPOINT_IDS), 1);
    ck_assert_uint_le(oracle_found(&world, PROPERTY_CHECKPOINT_IDS), 10);
}
END_TEST

/* ---- 4 checkpoint ids ------------------------------------------------------------------------ */

START_TEST(gaps_and_aborted_checkpoints_are_right)
{
    oracle_run_checkpoints(&world, 2);
    oracle_trigger(&world, 5);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 5);
    oracle_restart(&world, 2);
    oracle_discard(&world, 2);
    oracle_finish_right(&world, 9);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(an_id_that_is_used_twice_is_found)
{
    oracle_run_checkpoints(&world, 2);
    oracle_trigger(&world, 3);
    oracle_restart(&world, 2);
    oracle_trigger(&world, 3);
    ck_assert(oracle_says(&world, PROPERTY_CHECKPOINT_IDS, "checkpoint 3 was triggered twice"));
}
END_TEST

START_TEST(an_id_that_sinks_is_found)
{
    oracle_run_checkpoints(&world, 2);
    oracle_trigger(&world, 7);
    oracle_trigger(&world, 6);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CHECKPOINT_IDS), 1);
}
END_TEST

START_TEST(a_checkpoint_that_completes_twice_is_found)
{
    oracle_run_checkpoints(&world, 2);
    oracle_tell(&world, FACT_CHECKPOINT_COMPLETED, 2);
    ck_assert(oracle_says(&world, PROPERTY_CHECKPOINT_IDS, "for the second time"));
}
END_TEST

START_TEST(a_checkpoint_that_completes_untriggered_is_found)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_complete(&world, 2);
    ck_assert(oracle_says(&world, PROPERTY_CHECKPOINT_IDS, "never triggered"));
}
END_TEST

START_TEST(a_checkpoint_that_completes_after_its_abort_is_found)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_complete(&world, 2);
    ck_assert(oracle_says(&world, PROPERTY_CHECKPOINT_IDS, "after it had been aborted"));
}
END_TEST

START_TEST(a_completed_checkpoint_that_is_aborted_is_found)
{
    oracle_run_checkpoints(&world, 1);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CHECKPOINT_IDS), 1);
}
END_TEST

/* ---- 7 fencing ------------------------------------------------------------------------------- */

START_TEST(a_stale_effect_is_found)
{
    static const enum fact_kind kinds[] = { FACT_ACK_RECEIVED, FACT_CHECKPOINT_TRIGGERED,
                                            FACT_CHECKPOINT_COMPLETED };
    oracle_run_checkpoints(&world, 1);
    oracle_trigger(&world, 2);
    oracle_restart(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_tell_of(&world, kinds[_i], 1, kinds[_i] == FACT_CHECKPOINT_TRIGGERED ? 3 : 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FENCING), 1);
    ck_assert(oracle_says(&world, PROPERTY_FENCING, "attempt 1, which attempt 2 had replaced"));
}
END_TEST

START_TEST(an_old_attempt_may_commit_only_what_completed)
{
    oracle_run_checkpoints(&world, 1);
    oracle_trigger(&world, 2);
    oracle_restart(&world, 1);
    oracle_tell_of(&world, FACT_SINK_COMMITTED, 1, 1);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    oracle_tell_of(&world, FACT_SINK_COMMITTED, 1, 2);
    ck_assert(oracle_says(&world, PROPERTY_FENCING, "of the fenced attempt 1"));
}
END_TEST

START_TEST(an_old_attempt_may_not_commit_because_the_new_one_completed_something)
{
    oracle_run_checkpoints(&world, 1);
    oracle_trigger(&world, 2);
    oracle_restart(&world, 1);
    oracle_checkpoint(&world, 3, 6, 6);
    oracle_tell_of(&world, FACT_SINK_COMMITTED, 1, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FENCING), 1);
}
END_TEST

START_TEST(an_attempt_number_that_does_not_rise_is_found)
{
    oracle_run_checkpoints(&world, 1);
    oracle_tell_of(&world, FACT_JOB_DEPLOYED, 1, 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FENCING), 1);
}
END_TEST

START_TEST(what_an_old_attempt_only_tries_is_right)
{
    oracle_run_checkpoints(&world, 1);
    oracle_trigger(&world, 2);
    oracle_restart(&world, 1);
    oracle_tell_of(&world, FACT_TASK_ACKED, 1, 2);
    oracle_tell_of(&world, FACT_ACK_REJECTED, 1, 2);
    oracle_tell_of(&world, FACT_MESSAGE_FENCED, 1, 2);
    oracle_tell_of(&world, FACT_CHECKPOINT_ABORTED, 1, 2);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* ---- 8 liveness ------------------------------------------------------------------------------ */

START_TEST(a_job_that_is_stuck_is_found)
{
    oracle_run_checkpoints(&world, 1);
    oracle_end(&world, OUTCOME_STUCK);
    ck_assert(oracle_says(&world, PROPERTY_LIVENESS, "neither finished nor failed"));
}
END_TEST

START_TEST(a_job_that_gave_up_is_found_where_the_same_result_is_expected)
{
    oracle_run_checkpoints(&world, 1);
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, _i == 0 ? OUTCOME_FAILED : OUTCOME_REFUSED);
    ck_assert(oracle_says(&world, PROPERTY_LIVENESS, "the job gave up: no restart is left"));
}
END_TEST

START_TEST(a_refusal_is_right_where_the_scenario_says_so)
{
    world.scenario.expect.result = EXPECT_SAME_OR_REFUSED;
    oracle_run_checkpoints(&world, 1);
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, OUTCOME_REFUSED);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* A job that runs fails, and refuses to go on. 0: its database is damaged; 1: nothing is; 2: it was
 * tried to restart it, and a restore is what is refused; 3: a file is damaged, which is none. */
START_TEST(a_refusal_to_go_on_without_damage_is_found)
{
    static const char *const damaged[] = { STORE_DATABASE, NULL, NULL,
                                           "checkpoints/chk-1/count-0" };
    world.scenario.expect.result = EXPECT_SAME_OR_REFUSED;
    world.scenario.job.checkpoint.store = _i == 3 ? STORE_FILES : STORE_SQLITE;
    oracle_world_start(&world);
    if (damaged[_i] != NULL) {
        oracle_on_damage(world.oracle, damaged[_i]);
    }
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_tell(&world, FACT_JOB_CANCELLED, 0);
    if (_i == 2) {
        oracle_tell(&world, FACT_RESTART_SCHEDULED, 0);
    }
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1, "it cannot be committed");
    oracle_end(&world, OUTCOME_REFUSED);
    bool is_found = oracle_says(&world, PROPERTY_LIVENESS, "refused to go on");
    ck_assert(is_found == (_i == 1 || _i == 3));
}
END_TEST

/* Timeout 10 s, twice the interval of 1 s, heartbeat 5 s: 17 s are right, 18 are not. */
START_TEST(checkpoints_that_stop_are_found)
{
    oracle_run_checkpoints(&world, 2);
    oracle_wait(&world, (_i == 0 ? 16 : 18) * ORACLE_SECOND);
    oracle_finish_right(&world, 3);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_LIVENESS), _i == 0 ? 0 : 1);
    ck_assert_uint_eq(oracle_found_any(&world), _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(checkpoints_that_never_come_after_a_restart_are_found)
{
    oracle_run_checkpoints(&world, 2);
    oracle_restart(&world, 2);
    oracle_wait(&world, 20 * ORACLE_SECOND);
    oracle_tell(&world, FACT_JOB_FINISHED, 0);
    oracle_on_end(world.oracle, OUTCOME_FINISHED, world.now_ns, 2 * ORACLE_SECOND);
    ck_assert(oracle_says(&world, PROPERTY_LIVENESS, "no checkpoint completed from"));
}
END_TEST

/* 0: nothing is delayed; 1: what both faults delay comes 4 s later. */
START_TEST(what_a_fault_delayed_may_come_when_it_is_over)
{
    struct fault delays[] = {
        { .verb = FAULT_DELAY, .by_ns = 2 * ORACLE_SECOND },
        { .verb = FAULT_DELAY, .by_ns = ORACLE_SECOND, .jitter_ns = ORACLE_SECOND },
    };
    world.scenario.faults = delays;
    world.scenario.fault_count = _i == 0 ? 0 : 2;
    oracle_run_checkpoints(&world, 2);
    uint64_t last_fault_ns = world.now_ns;
    oracle_wait(&world, 19 * ORACLE_SECOND);
    oracle_checkpoint(&world, 3, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    oracle_tell(&world, FACT_JOB_FINISHED, 0);
    oracle_on_end(world.oracle, OUTCOME_FINISHED, world.now_ns, last_fault_ns);
    ck_assert_uint_eq(oracle_found_any(&world), _i == 0);
}
END_TEST

START_TEST(checkpoints_need_not_complete_while_faults_last)
{
    oracle_run_checkpoints(&world, 2);
    oracle_wait(&world, 30 * ORACLE_SECOND);
    uint64_t last_fault_ns = world.now_ns;
    oracle_wait(&world, 10 * ORACLE_SECOND);
    oracle_checkpoint(&world, 3, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    oracle_tell(&world, FACT_JOB_FINISHED, 0);
    oracle_on_end(world.oracle, OUTCOME_FINISHED, world.now_ns, last_fault_ns);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(the_time_of_a_restart_does_not_count)
{
    oracle_run_checkpoints(&world, 2);
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_wait(&world, 60 * ORACLE_SECOND);
    oracle_restart(&world, 2);
    oracle_finish_right(&world, 3);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_fact_may_be_older_than_the_one_before)
{
    oracle_run_checkpoints(&world, 1);
    world.now_ns -= 500000000;
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 1);
    oracle_finish_right(&world, 2);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(without_periodic_checkpoints_none_are_missed)
{
    world.scenario.job.checkpoint.interval_ns = 0;
    oracle_world_start(&world);
    oracle_wait(&world, 60 * ORACLE_SECOND);
    oracle_checkpoint(&world, 1, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("oracle: protocol");
    TCase *tests = tcase_create("protocol");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_property_has_a_name_and_one_line_of_help);
    tcase_add_test(tests, only_a_few_violations_of_a_property_are_kept);
    tcase_add_test(tests, gaps_and_aborted_checkpoints_are_right);
    tcase_add_test(tests, an_id_that_is_used_twice_is_found);
    tcase_add_test(tests, an_id_that_sinks_is_found);
    tcase_add_test(tests, a_checkpoint_that_completes_twice_is_found);
    tcase_add_test(tests, a_checkpoint_that_completes_untriggered_is_found);
    tcase_add_test(tests, a_checkpoint_that_completes_after_its_abort_is_found);
    tcase_add_test(tests, a_completed_checkpoint_that_is_aborted_is_found);
    tcase_add_loop_test(tests, a_stale_effect_is_found, 0, 3);
    tcase_add_test(tests, an_old_attempt_may_commit_only_what_completed);
    tcase_add_test(tests, an_old_attempt_may_not_commit_because_the_new_one_completed_something);
    tcase_add_test(tests, an_attempt_number_that_does_not_rise_is_found);
    tcase_add_test(tests, what_an_old_attempt_only_tries_is_right);
    tcase_add_test(tests, a_job_that_is_stuck_is_found);
    tcase_add_loop_test(tests, a_job_that_gave_up_is_found_where_the_same_result_is_expected, 0, 2);
    tcase_add_test(tests, a_refusal_is_right_where_the_scenario_says_so);
    tcase_add_loop_test(tests, a_refusal_to_go_on_without_damage_is_found, 0, 4);
    tcase_add_loop_test(tests, checkpoints_that_stop_are_found, 0, 2);
    tcase_add_test(tests, checkpoints_that_never_come_after_a_restart_are_found);
    tcase_add_loop_test(tests, what_a_fault_delayed_may_come_when_it_is_over, 0, 2);
    tcase_add_test(tests, checkpoints_need_not_complete_while_faults_last);
    tcase_add_test(tests, the_time_of_a_restart_does_not_count);
    tcase_add_test(tests, a_fact_may_be_older_than_the_one_before);
    tcase_add_test(tests, without_periodic_checkpoints_none_are_missed);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
