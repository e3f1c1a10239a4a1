#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

/* Checkpoints whose state lies in several parts, some of them files of earlier checkpoints: the
 * judge applies them itself. */

static struct oracle_world world;

static void setup(void)
{
    oracle_world_init(&world);
}

static void teardown(void)
{
    oracle_world_free(&world);
}

/* A right checkpoint 1, and the third and last with its state in `layers`. */
static void run_to_last(enum oracle_layers layers)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    cut.layers = layers;
    oracle_trigger(&world, 3);
    oracle_write_checkpoint(&world, 3, &cut);
    oracle_complete(&world, 3);
    oracle_discard(&world, 1);
    oracle_commit(&world, 3, &cut);
}

START_TEST(parts_are_applied_one_after_the_other)
{
    run_to_last(ORACLE_TWO_PARTS);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    ck_assert_uint_eq(oracle_totals(world.oracle).checkpoints_verified, 2);
}
END_TEST

START_TEST(a_forgotten_removal_is_no_consistent_cut)
{
    run_to_last(ORACLE_NO_REMOVAL);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
    ck_assert_uint_eq(oracle_found_any(&world), 1);
}
END_TEST

START_TEST(parts_that_do_not_follow_one_another_are_no_consistent_cut)
{
    run_to_last(_i == 0 ? ORACLE_GAP : ORACLE_FUTURE);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

START_TEST(a_missing_shared_file_is_found)
{
    run_to_last(ORACLE_TWO_PARTS);
    oracle_remove_file(&world, "checkpoints/shared/chk-1/count-1");
    oracle_finish(&world);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_FILES), 1);
}
END_TEST

START_TEST(a_shared_file_that_no_retained_manifest_names_is_an_orphan)
{
    static const char *const paths[] = { "checkpoints/shared/chk-1/count-2",
                                         "checkpoints/shared/chk-2/count-0",
                                         "checkpoints/shared/stray" };
    run_to_last(ORACLE_TWO_PARTS);
    oracle_copy_file(&world, "checkpoints/shared/chk-1/count-0", paths[_i]);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 1);
}
END_TEST

START_TEST(a_job_that_was_given_up_may_leave_shared_files)
{
    run_to_last(ORACLE_TWO_PARTS);
    oracle_copy_file(&world, "checkpoints/shared/chk-1/count-0", "checkpoints/shared/chk-2/a");
    oracle_end(&world, OUTCOME_FAILED);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 0);
}
END_TEST

/* ---- in the memory of the JobManager --------------------------------------------------------- */

START_TEST(what_lies_in_memory_is_judged_like_files)
{
    world.scenario.job.checkpoint.store = STORE_MEMORY;
    run_to_last((enum oracle_layers)_i);
    oracle_finish(&world);
    bool is_right = _i == ORACLE_WHOLE || _i == ORACLE_TWO_PARTS;
    ck_assert_uint_eq(oracle_totals(world.oracle).checkpoints_verified, 2);
    ck_assert_uint_eq(oracle_found_any(&world) == 0, is_right);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT) == 0, is_right);
}
END_TEST

START_TEST(a_part_that_memory_lost_is_missed_and_one_that_it_kept_is_an_orphan)
{
    static const char *const part = "checkpoints/shared/chk-1/count-0";
    world.scenario.job.checkpoint.store = STORE_MEMORY;
    run_to_last(ORACLE_TWO_PARTS);
    if (_i == 0) {
        oracle_remove_file(&world, part);
    } else {
        oracle_write_file(&world, "checkpoints/shared/chk-2/count-0", "left");
    }
    oracle_finish(&world);
    ck_assert(oracle_says(&world, PROPERTY_FILES, _i == 0 ? "is missing" : "an orphan file"));
}
END_TEST

START_TEST(what_went_with_a_job_manager_is_not_missed)
{
    world.scenario.job.checkpoint.store = STORE_MEMORY;
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_tell_of(&world, FACT_JOB_MANAGER_STARTED, 0, 0);
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1, "checkpoint 1 is gone with the memory");
    oracle_end(&world, OUTCOME_REFUSED);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 0);
}
END_TEST

START_TEST(of_a_live_run_nothing_in_memory_is_judged)
{
    world.scenario.job.checkpoint.store = STORE_MEMORY;
    world.is_live = true;
    run_to_last(ORACLE_NO_REMOVAL);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_totals(world.oracle).checkpoints_verified, 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 0);
}
END_TEST

static Suite *suite(void)
{
    TCase *tests = tcase_create("parts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, parts_are_applied_one_after_the_other);
    tcase_add_test(tests, a_forgotten_removal_is_no_consistent_cut);
    tcase_add_loop_test(tests, parts_that_do_not_follow_one_another_are_no_consistent_cut, 0, 2);
    tcase_add_test(tests, a_missing_shared_file_is_found);
    tcase_add_loop_test(tests, a_shared_file_that_no_retained_manifest_names_is_an_orphan, 0, 3);
    tcase_add_test(tests, a_job_that_was_given_up_may_leave_shared_files);
    tcase_add_loop_test(tests, what_lies_in_memory_is_judged_like_files, ORACLE_WHOLE,
                        ORACLE_GAP + 1);
    tcase_add_loop_test(tests, a_part_that_memory_lost_is_missed_and_one_that_it_kept_is_an_orphan,
                        0, 2);
    tcase_add_test(tests, what_went_with_a_job_manager_is_not_missed);
    tcase_add_test(tests, of_a_live_run_nothing_in_memory_is_judged);
    Suite *suite = suite_create("oracle_parts");
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
