/* The oracle's properties of what the store holds - which checkpoint is restored, and which files
 * are there - against runs that are right and runs in which one thing is wrong. */
#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

static struct oracle_world world;

static void setup(void)
{
    oracle_world_init(&world);
}

static void teardown(void)
{
    oracle_world_free(&world);
}

/* ---- 5 newest restored ----------------------------------------------------------------------- */

START_TEST(restoring_the_newest_is_right)
{
    oracle_run_checkpoints(&world, 3);
    oracle_restart(&world, 3);
    oracle_restart(&world, 3);
    oracle_finish_right(&world, 4);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(restoring_an_older_one_is_found)
{
    world.scenario.job.checkpoint.retained = 2;
    oracle_run_checkpoints(&world, 3);
    oracle_restart(&world, 2);
    ck_assert(oracle_says(&world, PROPERTY_NEWEST_RESTORED, "checkpoint 3 is the newest"));
}
END_TEST

START_TEST(starting_from_nothing_after_a_completed_checkpoint_is_found)
{
    oracle_run_checkpoints(&world, 1);
    oracle_restart(&world, 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), 1);
}
END_TEST

START_TEST(starting_from_nothing_is_right_while_nothing_completed)
{
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_restart(&world, 0);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(restoring_an_aborted_one_is_found)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_restart(&world, 2);
    ck_assert(oracle_says(&world, PROPERTY_NEWEST_RESTORED, "had been aborted"));
}
END_TEST

START_TEST(restoring_one_that_never_completed_is_found)
{
    oracle_run_checkpoints(&world, 1);
    oracle_trigger(&world, 2);
    oracle_restart(&world, 2);
    ck_assert(oracle_says(&world, PROPERTY_NEWEST_RESTORED, "never completed"));
}
END_TEST

START_TEST(a_manifest_that_got_its_name_before_the_crash_must_be_restored)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_tell(&world, FACT_MANIFEST_SYNCED, 2);
    if (_i == 1) {
        oracle_tell(&world, FACT_MANIFEST_RENAMED, 2);
    }
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 2);
    oracle_discard(&world, 1);
    oracle_commit(&world, 2, &cut);
    ck_assert_uint_eq(oracle_totals(world.oracle).checkpoints_verified, 2);
    oracle_finish_right(&world, 3);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* Checkpoint 2 is given up with its manifest in place, and counts among two that are retained: 0:
 * for a JobManager that knows so, which is found; 1: for its successor. */
START_TEST(a_successor_may_retain_what_was_given_up_in_doubt)
{
    world.scenario.job.checkpoint.retained = 2;
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_tell(&world, FACT_MANIFEST_SYNCED, 2);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 2);
    oracle_checkpoint(&world, 3, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    if (_i == 1) {
        oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    }
    oracle_restart(&world, 3);
    oracle_finish(&world);
    ck_assert(_i == 1 || oracle_says(&world, PROPERTY_FILES, "checkpoint 1: its manifest"));
    ck_assert_uint_eq(oracle_found_any(&world) == 0, _i == 1);
}
END_TEST

START_TEST(an_abort_that_could_not_know_does_not_forbid_a_restore)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_tell(&world, FACT_MANIFEST_SYNCED, 2);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 2);
    oracle_restart(&world, 2);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(passing_over_a_manifest_that_is_there_is_found)
{
    world.scenario.job.allow_older = _i == 1;
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_restart(&world, 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), 1);
}
END_TEST

START_TEST(a_manifest_lost_in_the_crash_does_not_count)
{
    oracle_run_checkpoints(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_tell(&world, FACT_MANIFEST_SYNCED, 2);
    oracle_tell(&world, FACT_MANIFEST_RENAMED, 2);
    oracle_discard(&world, 2); /* the power cut */
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 1);
    oracle_discard(&world, 1);
    oracle_finish_right(&world, 3);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* Two retained checkpoints, the newer one damaged. */
static void damage_the_newest(void)
{
    world.scenario.job.checkpoint.retained = 2;
    oracle_run_checkpoints(&world, 3);
    const char *path = "checkpoints/chk-3/count-1";
    ck_assert(disk_corrupt(world.disk, path, 77));
    oracle_on_damage(world.oracle, path);
}

START_TEST(going_back_behind_a_damaged_one_is_right_if_allowed)
{
    world.scenario.job.allow_older = true;
    damage_the_newest();
    oracle_tell(&world, FACT_RESTORE_CHOSEN, 3);
    oracle_restart(&world, 2);
    /* What was committed for checkpoint 3 comes again. */
    world.committed = oracle_cut_at(&world, 4, 4);
    oracle_checkpoint(&world, 4, 5, 5);
    oracle_discard(&world, 2);
    oracle_checkpoint(&world, 5, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    if (_i == 1) { /* nobody has to remove what is left of the damaged one */
        oracle_write_file(&world, "checkpoints/chk-3/count-1", "damaged");
    }
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    ck_assert_uint_eq(oracle_totals(world.oracle).output_duplicates, 4);
}
END_TEST

START_TEST(going_back_behind_a_damaged_one_is_found_if_not_allowed)
{
    damage_the_newest();
    oracle_restart(&world, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), 1);
}
END_TEST

START_TEST(going_back_without_damage_is_found_even_if_allowed)
{
    world.scenario.job.allow_older = true;
    world.scenario.job.checkpoint.retained = 3;
    oracle_run_checkpoints(&world, 3);
    oracle_on_damage(world.oracle, "checkpoints/chk-2/count-1");
    oracle_restart(&world, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), 1);
}
END_TEST

/* A power cut takes the manifest of checkpoint 2, and the job's record says nothing of it. 0:
 * nobody can know. 1: the record says it; 2: there is none; 3: the manifest is there; 4: no fault
 * took it; 5: nor made a write fail; 6: whoever committed it leads. */
START_TEST(what_nobody_can_know_of_need_not_be_restored)
{
    static struct fault full = { .verb = FAULT_FULL };
    world.scenario.faults = &full;
    world.scenario.fault_count = _i == 5 ? 0 : 1;
    world.scenario.job.checkpoint.retained = 2;
    oracle_run_checkpoints(&world, 2);
    if (_i != 2) {
        oracle_note_completed(&world, _i == 1 ? 2 : 1);
    }
    if (_i != 3) {
        oracle_discard(&world, 2);
    }
    if (_i != 4) {
        oracle_on_damage(world.oracle, "checkpoints/chk-2/_metadata");
    }
    if (_i != 6) {
        oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    }
    oracle_restart(&world, 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), _i != 0);
}
END_TEST

/* The same when its output was committed, which the job commits again: 1: where it may. */
START_TEST(output_of_what_nobody_can_know_of_comes_again_only_where_it_may)
{
    static struct fault full = { .verb = FAULT_FULL };
    world.scenario.faults = &full;
    world.scenario.fault_count = 1;
    world.scenario.job.allow_older = _i == 1;
    oracle_run_checkpoints(&world, 1);
    oracle_note_completed(&world, 0);
    oracle_discard(&world, 1);
    oracle_on_damage(world.oracle, "checkpoints/chk-1/_metadata");
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 0);
    world.committed = oracle_cut_at(&world, 0, 0);
    oracle_finish_right(&world, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_OUTPUT), _i == 0);
}
END_TEST

START_TEST(a_refusal_for_want_of_an_older_one_is_found_while_there_is_one)
{
    damage_the_newest();
    if (_i == 0) {
        oracle_discard(&world, 2);
    }
    oracle_tell_why(&world, FACT_JOB_FAILED, 0, 1,
                    "checkpoint 3 cannot be restored (damaged); there is no older one");
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_NEWEST_RESTORED), (uint32_t)_i);
}
END_TEST

/* ---- 6 files --------------------------------------------------------------------------------- */

START_TEST(a_good_one_that_is_subsumed_in_place_of_a_damaged_one_is_found)
{
    world.scenario.job.allow_older = true;
    world.scenario.job.checkpoint.retained = 2;
    damage_the_newest();
    oracle_restart(&world, 2);
    struct oracle_cut cut = oracle_cut_at(&world, 5, 5);
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &cut);
    oracle_complete(&world, 4);
    oracle_tell(&world, FACT_CHECKPOINT_SUBSUMED, _i == 0 ? 3 : 2);
    ck_assert_uint_eq(oracle_found_any(&world), (uint32_t)_i);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), (uint32_t)_i);
}
END_TEST

/* The same when the JobManager has died in between. It may think that 3 is one of the two: 1:
 * before an attempt was deployed from 2; 2: when 3 had been deleted, and came back. */
START_TEST(a_successor_knows_what_was_given_up)
{
    world.scenario.job.allow_older = true;
    world.scenario.job.checkpoint.retained = 2;
    damage_the_newest();
    if (_i == 1) {
        oracle_tell(&world, FACT_RESTORE_CHOSEN, 2);
    } else {
        oracle_restart(&world, 2);
    }
    struct oracle_cut cut = oracle_cut_at(&world, 5, 5);
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &cut);
    oracle_complete(&world, 4);
    if (_i == 2) {
        oracle_tell(&world, FACT_CHECKPOINT_SUBSUMED, 3);
    }
    oracle_tell(&world, FACT_JOB_MANAGER_STARTED, 0);
    oracle_restart(&world, 4);
    oracle_tell(&world, FACT_CHECKPOINT_SUBSUMED, 2);
    ck_assert_uint_eq(oracle_found_any(&world), _i == 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), _i == 0);
}
END_TEST

START_TEST(a_missing_state_file_is_found)
{
    oracle_world_start(&world);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 1);
    oracle_write_checkpoint(&world, 1, &cut);
    oracle_remove_file(&world, "checkpoints/chk-1/count-0");
    oracle_complete(&world, 1);
    ck_assert(oracle_says(&world, PROPERTY_FILES, "checkpoints/chk-1/count-0"));
}
END_TEST

START_TEST(a_missing_manifest_is_found)
{
    oracle_world_start(&world);
    oracle_trigger(&world, 1);
    oracle_complete(&world, 1);
    ck_assert(oracle_says(&world, PROPERTY_FILES, "manifest is missing"));
}
END_TEST

START_TEST(an_undamaged_name_with_other_bytes_is_found)
{
    static const char *const paths[] = { "checkpoints/chk-2/count-0",
                                         "checkpoints/chk-2/_metadata" };
    oracle_run_checkpoints(&world, 2);
    ck_assert(disk_corrupt(world.disk, paths[_i], 100));
    oracle_end(&world, OUTCOME_STUCK);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 1);
}
END_TEST

START_TEST(a_state_file_that_is_too_short_is_found)
{
    oracle_run_checkpoints(&world, 2);
    ck_assert(disk_truncate(world.disk, "checkpoints/chk-2/count-1", 10));
    oracle_end(&world, OUTCOME_STUCK);
    ck_assert(oracle_says(&world, PROPERTY_FILES, "wrong size"));
}
END_TEST

START_TEST(damage_by_a_fault_is_not_held_against_the_model)
{
    static const char *const paths[] = { "checkpoints/chk-2/count-0",
                                         "checkpoints/chk-2/_metadata" };
    world.scenario.expect.result = EXPECT_REFUSED;
    oracle_run_checkpoints(&world, 2);
    if (_i < 2) {
        ck_assert(disk_corrupt(world.disk, paths[_i % 2], 100));
    } else {
        oracle_remove_file(&world, paths[_i % 2]);
    }
    oracle_on_damage(world.oracle, paths[_i % 2]);
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, OUTCOME_REFUSED);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(damage_to_a_manifest_that_has_no_name_yet_is_not_held_against_the_model)
{
    oracle_world_start(&world);
    struct oracle_cut cut = oracle_cut_at(&world, 4, 4);
    oracle_trigger(&world, 1);
    oracle_write_checkpoint(&world, 1, &cut);
    ck_assert(disk_corrupt(world.disk, "checkpoints/chk-1/_metadata", 100));
    oracle_on_damage(world.oracle, "checkpoints/chk-1/_metadata.part");
    oracle_complete(&world, 1);
    oracle_commit(&world, 1, &cut);
    oracle_finish_right(&world, 2);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(every_retained_checkpoint_must_be_whole)
{
    world.scenario.job.checkpoint.retained = 3;
    oracle_run_checkpoints(&world, 4);
    oracle_remove_file(&world, "checkpoints/chk-2/count-0");
    oracle_finish_right(&world, 5);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 0); /* 2 is beyond the three newest */
    oracle_remove_file(&world, "checkpoints/chk-4/count-0");
    oracle_checkpoint(&world, 6, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_FILES), 1);
}
END_TEST

START_TEST(a_file_that_must_not_remain_is_found)
{
    static const char *const paths[] = {
        "checkpoints/chk-1/_metadata", "checkpoints/chk-2/count-0",
        "checkpoints/chk-7/count-0",   "checkpoints/chk-4/other",
        "checkpoints/shared/left",     "checkpoints/chk-4/_metadata.tmp",
        "output/0/.pending-1-3",       "checkpoints/something",
    };
    oracle_run_checkpoints(&world, 3);
    oracle_write_file(&world, paths[_i], "left behind");
    oracle_finish_right(&world, 4);
    ck_assert(oracle_says(&world, PROPERTY_FILES, paths[_i]));
    ck_assert_uint_eq(oracle_found_any(&world), 1);
}
END_TEST

START_TEST(a_job_that_gave_up_may_leave_files_behind)
{
    world.scenario.expect.result = EXPECT_FAILED;
    oracle_run_checkpoints(&world, 3);
    oracle_write_file(&world, "checkpoints/chk-7/count-0", "left behind");
    oracle_write_file(&world, "output/0/.pending-1-3", "left behind");
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, OUTCOME_FAILED);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(files_elsewhere_are_nobody_s_business)
{
    oracle_run_checkpoints(&world, 3);
    oracle_write_file(&world, "job/epoch", "3");
    oracle_write_file(&world, "checkpointsx", "3");
    oracle_finish_right(&world, 4);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("oracle: stored");
    TCase *tests = tcase_create("stored");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, restoring_the_newest_is_right);
    tcase_add_test(tests, restoring_an_older_one_is_found);
    tcase_add_test(tests, starting_from_nothing_after_a_completed_checkpoint_is_found);
    tcase_add_test(tests, starting_from_nothing_is_right_while_nothing_completed);
    tcase_add_test(tests, restoring_an_aborted_one_is_found);
    tcase_add_test(tests, restoring_one_that_never_completed_is_found);
    tcase_add_loop_test(tests, a_manifest_that_got_its_name_before_the_crash_must_be_restored, 0,
                        2);
    tcase_add_loop_test(tests, a_successor_may_retain_what_was_given_up_in_doubt, 0, 2);
    tcase_add_test(tests, an_abort_that_could_not_know_does_not_forbid_a_restore);
    tcase_add_loop_test(tests, passing_over_a_manifest_that_is_there_is_found, 0, 2);
    tcase_add_test(tests, a_manifest_lost_in_the_crash_does_not_count);
    tcase_add_loop_test(tests, going_back_behind_a_damaged_one_is_right_if_allowed, 0, 2);
    tcase_add_test(tests, going_back_behind_a_damaged_one_is_found_if_not_allowed);
    tcase_add_test(tests, going_back_without_damage_is_found_even_if_allowed);
    tcase_add_loop_test(tests, what_nobody_can_know_of_need_not_be_restored, 0, 7);
    tcase_add_loop_test(tests, output_of_what_nobody_can_know_of_comes_again_only_where_it_may, 0,
                        2);
    tcase_add_loop_test(tests, a_refusal_for_want_of_an_older_one_is_found_while_there_is_one, 0,
                        2);
    tcase_add_loop_test(tests, a_good_one_that_is_subsumed_in_place_of_a_damaged_one_is_found, 0,
                        2);
    tcase_add_loop_test(tests, a_successor_knows_what_was_given_up, 0, 3);
    tcase_add_test(tests, a_missing_state_file_is_found);
    tcase_add_test(tests, a_missing_manifest_is_found);
    tcase_add_loop_test(tests, an_undamaged_name_with_other_bytes_is_found, 0, 2);
    tcase_add_test(tests, a_state_file_that_is_too_short_is_found);
    tcase_add_loop_test(tests, damage_by_a_fault_is_not_held_against_the_model, 0, 4);
    tcase_add_test(tests, damage_to_a_manifest_that_has_no_name_yet_is_not_held_against_the_model);
    tcase_add_test(tests, every_retained_checkpoint_must_be_whole);
    tcase_add_loop_test(tests, a_file_that_must_not_remain_is_found, 0, 8);
    tcase_add_test(tests, a_job_that_gave_up_may_leave_files_behind);
    tcase_add_test(tests, files_elsewhere_are_nobody_s_business);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
