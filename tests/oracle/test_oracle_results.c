/* The oracle's first three properties - final state, output, consistent cut - against runs that are
 * right and runs in which one thing is wrong. */
#include "model/state/key_group.h"
#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

#include <stdio.h>
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

/* Three right checkpoints, the last at the end of the input. */
static void run_right(void)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_checkpoint(&world, 2, 12, 12);
    oracle_checkpoint(&world, 3, 20, 20);
}

/* The same up to the second, then one with `cut` for a third. */
static void run_to_cut(const struct oracle_cut *cut)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_checkpoint(&world, 2, 12, 12);
    oracle_trigger(&world, 3);
    oracle_write_checkpoint(&world, 3, cut);
    oracle_complete(&world, 3);
    oracle_discard(&world, 2);
}

/* The third is damaged by a fault before anybody could read it. */
static void run_right_to_damage(const struct oracle_cut *cut)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_checkpoint(&world, 2, 12, 12);
    oracle_trigger(&world, 3);
    oracle_write_checkpoint(&world, 3, cut);
    ck_assert(disk_corrupt(world.disk, "checkpoints/chk-3/count-1", 50));
    oracle_on_damage(world.oracle, "checkpoints/chk-3/count-1");
    oracle_complete(&world, 3);
    oracle_discard(&world, 2);
    oracle_commit(&world, 3, cut);
}

START_TEST(a_right_run_has_no_violation)
{
    run_right();
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    struct oracle_totals totals = oracle_totals(world.oracle);
    ck_assert_uint_eq(totals.records, 40);
    ck_assert_uint_eq(totals.output_lines, 40);
    ck_assert_uint_eq(totals.output_duplicates, 0);
    ck_assert_uint_eq(totals.checkpoints_verified, 3);
    ck_assert_uint_eq(totals.records_skipped, 0);
    ck_assert_uint_gt(totals.keys, 4);
    ck_assert_uint_ge(totals.state_entries_compared, 3 * 4);
}
END_TEST

START_TEST(a_right_run_with_inline_state_and_a_restart_has_no_violation)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_restart(&world, 1);
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    cut.inline_state = true;
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &cut);
    oracle_complete(&world, 4);
    oracle_discard(&world, 1);
    oracle_commit(&world, 4, &cut);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(output_and_state_are_collected_in_order)
{
    run_right();
    struct buffer out;
    buffer_init(&out, &world.arena);
    oracle_collect_state(world.oracle, &out);
    *buffer_extend(&out, 1) = '\0';
    struct oracle_cut end = oracle_cut_at(&world, 20, 20);
    struct buffer expected;
    buffer_init(&expected, &world.arena);
    for (int key = 0; key < ORACLE_KEYS; key++) {
        if (end.counts[key] > 0) {
            buffer_append_format(&expected, "%d\t%lld\n", key, (long long)end.counts[key]);
        }
    }
    *buffer_extend(&expected, 1) = '\0';
    ck_assert_str_eq((const char *)out.data, (const char *)expected.data);

    buffer_reset(&out);
    oracle_collect_output(world.oracle, &out);
    struct buffer files;
    buffer_init(&files, &world.arena);
    for (unsigned id = 1; id <= 3; id++) {
        for (unsigned subtask = 0; subtask < ORACLE_PARALLELISM; subtask++) {
            struct bytes content;
            if (disk_peek(world.disk, oracle_path(&world, "output/%u/chk-%u", subtask, id),
                          &content)) {
                buffer_append(&files, content);
            }
        }
    }
    ck_assert(files.size > 0 && bytes_equal(buffer_bytes(&out), buffer_bytes(&files)));
}
END_TEST

/* ---- 1 state --------------------------------------------------------------------------------- */

START_TEST(a_job_that_finished_before_the_end_of_its_input_has_a_wrong_final_state)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 18);
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_STATE), 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_OUTPUT), 1);
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "ends too early"));
}
END_TEST

START_TEST(a_wrong_final_state_names_key_and_both_counts)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    int64_t right = cut.counts[4]++;
    run_to_cut(&cut);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_STATE), 1);
    ck_assert(oracle_says(&world, PROPERTY_STATE,
                          oracle_path(&world, "1 key differs: key 4: expected %lld, found %lld",
                                      (long long)right, (long long)right + 1)));
}
END_TEST

START_TEST(a_job_that_finished_without_a_checkpoint_has_no_final_state)
{
    oracle_world_start(&world);
    oracle_finish(&world);
    ck_assert(oracle_says(&world, PROPERTY_STATE, "without any completed checkpoint"));
}
END_TEST

START_TEST(a_last_checkpoint_that_a_fault_destroyed_cannot_be_judged)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    run_right_to_damage(&cut);
    if (_i == 1) {
        cut.source_finished[0] = cut.source_finished[1] = cut.count_finished[1] = true;
        oracle_trigger(&world, 4);
        oracle_write_checkpoint(&world, 4, &cut);
        oracle_complete(&world, 4);
        oracle_discard(&world, 3);
    }
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_job_that_finished_over_a_bad_record_is_found_unless_it_may_skip)
{
    world.input[2 * 3] = 'x';
    world.scenario.job.input.skip_bad_records = _i == 1;
    run_right();
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_totals(world.oracle).records_skipped, 1);
    ck_assert_uint_eq(oracle_totals(world.oracle).records, 39);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_STATE), _i == 1 ? 0 : 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), _i == 1 ? 0 : 3);
    ck_assert_uint_eq(oracle_found_any(&world), _i == 1 ? 0 : 4);
}
END_TEST

START_TEST(a_last_checkpoint_found_wrong_is_not_found_wrong_twice)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    cut.position_off = -1;
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
    ck_assert_uint_eq(oracle_found_any(&world), 1);
}
END_TEST

START_TEST(the_state_of_finished_subtasks_is_what_they_gave_last)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    struct oracle_cut later = cut;
    later.source_finished[0] = later.source_finished[1] = later.count_finished[1] = true;
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &later);
    oracle_complete(&world, 4);
    oracle_discard(&world, 3);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* A checkpoint, all of whose keys are those that the first count subtask had in `cut`. */
static void complete_without_second(uint64_t id, const struct oracle_cut *cut, bool is_finished)
{
    struct oracle_cut later = *cut;
    later.source_finished[0] = later.source_finished[1] = true;
    later.count_finished[1] = is_finished;
    for (int64_t key = 0; key < ORACLE_KEYS; key++) {
        if (key_group_of(key_hash_i64(key), 128) >= 64) {
            later.counts[key] = 0;
        }
    }
    oracle_trigger(&world, id);
    oracle_write_checkpoint(&world, id, &later);
    oracle_complete(&world, id);
    oracle_discard(&world, id - 1);
}

/* 0: restored from a checkpoint in which the second count subtask had finished, which it stays;
 * 1: the same, but it begins anew and has nothing, as it would at another parallelism; 2: nothing
 * was restored; 3: after it an older one was, which had its state. */
START_TEST(what_had_finished_stays_so_at_the_same_parallelism)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    world.scenario.job.checkpoint.retained = 2;
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    complete_without_second(4, &cut, true);
    if (_i != 2) {
        oracle_restart(&world, 4);
    }
    if (_i == 3) {
        oracle_restart(&world, 3);
    }
    complete_without_second(5, &cut, _i == 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), _i > 0);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_STATE), _i > 0);
}
END_TEST

START_TEST(a_subtask_that_finished_with_a_wrong_state_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 20, 12);
    run_to_cut(&cut);
    cut.source_finished[0] = cut.source_finished[1] = true;
    cut.count_finished[0] = cut.count_finished[1] = true;
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &cut);
    oracle_complete(&world, 4);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

/* 0: the first source had not read its last lines; 1: both had read all; 2: what the old attempt
 * says has no effect any more; 3: a source waits for nobody. */
START_TEST(a_subtask_that_finishes_before_all_sources_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, _i == 1 ? 20 : 18, 20);
    run_to_cut(&cut);
    if (_i == 2) {
        oracle_tell_of(&world, FACT_JOB_DEPLOYED, 2, 0);
    }
    oracle_tell_task(&world, FACT_TASK_FINISHED, _i == 3 ? 0 : 1, 1, 0);
    ck_assert_uint_eq(oracle_found_any(&world), _i == 0);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), _i == 0);
}
END_TEST

/* ---- 2 output -------------------------------------------------------------------------------- */

static void finish_with_output(uint32_t subtask, uint64_t id, const char *text)
{
    oracle_write_file(
        &world, oracle_path(&world, "output/%u/chk-%llu", subtask, (unsigned long long)id), text);
    oracle_finish(&world);
}

/* The output of subtask 0 for checkpoint 3 as text, after a right run. */
static char *output_of_3(void)
{
    struct bytes content;
    run_right();
    ck_assert(disk_peek(world.disk, "output/0/chk-3", &content));
    char *text = arena_alloc(&world.arena, content.size + 64, 1);
    memcpy(text, content.data, content.size);
    ck_assert_ptr_nonnull(strchr(text, '\n'));
    return text;
}

START_TEST(a_lost_line_is_found)
{
    const char *text = output_of_3();
    finish_with_output(0, 3, strchr(text, '\n') + 1);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_OUTPUT), 1);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_STATE), 0);
}
END_TEST

START_TEST(a_lost_last_line_is_found)
{
    char *text = output_of_3();
    text[strlen(text) - 1] = '\0';
    char *last = strrchr(text, '\n');
    ck_assert_ptr_nonnull(last);
    last[1] = '\0';
    finish_with_output(0, 3, text);
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "ends too early: 1 key differs"));
}
END_TEST

START_TEST(a_duplicate_line_is_found)
{
    char *text = output_of_3();
    size_t first = (size_t)(strchr(text, '\n') - text) + 1;
    memmove(text + first, text, strlen(text) + 1);
    finish_with_output(0, 3, text);
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "1 committed line does not continue"));
}
END_TEST

START_TEST(a_whole_file_committed_twice_is_found)
{
    const char *text = output_of_3();
    finish_with_output(0, 4, text);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_OUTPUT), 1);
}
END_TEST

START_TEST(two_lines_of_a_key_in_the_wrong_order_are_found)
{
    run_right();
    struct bytes one;
    struct bytes three;
    ck_assert(disk_peek(world.disk, "output/1/chk-1", &one));
    ck_assert(disk_peek(world.disk, "output/1/chk-3", &three));
    char *first = arena_alloc(&world.arena, one.size + 1, 1);
    char *second = arena_alloc(&world.arena, three.size + 1, 1);
    memcpy(first, one.data, one.size);
    memcpy(second, three.data, three.size);
    oracle_write_file(&world, "output/1/chk-1", second);
    finish_with_output(1, 3, first);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_OUTPUT), 1);
}
END_TEST

START_TEST(a_line_of_a_key_that_is_not_in_the_input_is_found)
{
    run_right();
    finish_with_output(1, 4, "77 : 1\n");
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "key 77: expected nothing, found 1"));
}
END_TEST

START_TEST(a_torn_line_is_found)
{
    char *text = output_of_3();
    text[strlen(text) - 1] = '\0';
    finish_with_output(0, 3, text);
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "is no line"));
}
END_TEST

START_TEST(a_stray_file_in_the_output_is_found)
{
    run_right();
    oracle_write_file(&world, "output/0/chk-03", "1 : 1\n");
    oracle_finish(&world);
    ck_assert(oracle_says(&world, PROPERTY_OUTPUT, "output/0/chk-03"));
}
END_TEST

START_TEST(output_committed_before_its_checkpoint_completed_is_found)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_trigger(&world, 2);
    oracle_tell(&world, FACT_SINK_COMMITTED, 2);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_OUTPUT), 1);
}
END_TEST

START_TEST(output_of_an_aborted_checkpoint_may_be_committed_with_a_later_one)
{
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_trigger(&world, 2);
    oracle_tell(&world, FACT_CHECKPOINT_ABORTED, 2);
    struct oracle_cut two = oracle_cut_at(&world, 10, 10);
    struct oracle_cut end = oracle_cut_at(&world, 20, 20);
    oracle_trigger(&world, 3);
    oracle_write_checkpoint(&world, 3, &end);
    oracle_complete(&world, 3);
    oracle_discard(&world, 1);
    oracle_commit(&world, 2, &two);
    oracle_commit(&world, 3, &end);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_job_that_failed_as_expected_needs_only_a_right_beginning)
{
    world.scenario.expect.result = EXPECT_FAILED;
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, OUTCOME_FAILED);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(a_job_that_failed_as_expected_must_not_have_said_anything_wrong)
{
    world.scenario.expect.result = EXPECT_FAILED;
    oracle_world_start(&world);
    oracle_checkpoint(&world, 1, 5, 7);
    oracle_write_file(&world, "output/0/chk-2", "3 : 999\n");
    oracle_tell(&world, FACT_JOB_FAILED, 0);
    oracle_end(&world, OUTCOME_FAILED);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_OUTPUT), 1);
}
END_TEST

START_TEST(at_least_once_lines_may_come_again_and_go_beyond)
{
    world.scenario.job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    struct oracle_cut cut = oracle_cut_at(&world, 20, 20);
    cut.counts[4] += 2;
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    oracle_write_file(&world, "output/0/chk-4", "4 : 1\n4 : 2\n");
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    ck_assert_uint_eq(oracle_totals(world.oracle).output_duplicates, 4);
}
END_TEST

START_TEST(at_least_once_lines_may_come_in_another_order)
{
    world.scenario.job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    run_right();
    struct bytes one;
    struct bytes three;
    ck_assert(disk_peek(world.disk, "output/1/chk-1", &one));
    ck_assert(disk_peek(world.disk, "output/1/chk-3", &three));
    char *first = arena_alloc(&world.arena, one.size + 1, 1);
    char *second = arena_alloc(&world.arena, three.size + 1, 1);
    memcpy(first, one.data, one.size);
    memcpy(second, three.data, three.size);
    oracle_write_file(&world, "output/1/chk-1", second);
    finish_with_output(1, 3, first);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    ck_assert_uint_eq(oracle_totals(world.oracle).output_duplicates, 0);
}
END_TEST

START_TEST(at_least_once_a_lost_line_is_found)
{
    world.scenario.job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    const char *text = output_of_3();
    finish_with_output(0, 3, strchr(text, '\n') + 1);
    ck_assert_uint_ge(oracle_found(&world, PROPERTY_OUTPUT), 1);
}
END_TEST

START_TEST(damaged_output_cannot_be_judged)
{
    const char *text = output_of_3();
    oracle_on_damage(world.oracle, "output/0/chk-3");
    finish_with_output(0, 3, strchr(text, '\n') + 1);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

/* ---- 3 consistent cut ------------------------------------------------------------------------ */

START_TEST(a_state_one_too_high_is_found_at_its_checkpoint)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.counts[1]++;
    run_to_cut(&cut);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "checkpoint 3 is no consistent cut"));
}
END_TEST

START_TEST(a_state_one_too_low_is_found_at_its_checkpoint)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.counts[1]--;
    run_to_cut(&cut);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

START_TEST(a_state_that_lacks_a_key_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.counts[4] = 0;
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "found nothing"));
}
END_TEST

START_TEST(a_state_with_an_extra_key_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.extra_key = 1234567;
    run_to_cut(&cut);
    ck_assert(
        oracle_says(&world, PROPERTY_CONSISTENT_CUT, "key 1234567: expected nothing, found 1"));
}
END_TEST

/* However many entries are looked at together. */
START_TEST(every_key_of_a_longer_state_is_compared)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    char differ[32];
    cut.extra_key = 1000;
    cut.extra_more = _i;
    run_to_cut(&cut);
    (void)snprintf(differ, sizeof differ, " %d keys differ", _i + 1);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, differ));
    ck_assert_uint_eq(oracle_totals(world.oracle).state_entries_compared, 21u + (unsigned)_i);
}
END_TEST

START_TEST(a_position_one_record_late_or_early_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.lines[_i == 0 ? 0 : 1] += _i == 0 ? 1u : UINT64_MAX;
    run_to_cut(&cut);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

START_TEST(a_position_before_that_of_an_earlier_checkpoint_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 11, 15);
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "no older one was restored"));
}
END_TEST

START_TEST(a_source_that_counts_its_records_wrong_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.records_off = _i == 0 ? 1 : 0;
    cut.bad_off = _i == 0 ? 0 : 1;
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "split 0 counts"));
}
END_TEST

START_TEST(a_key_that_is_there_twice_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.extra_key = 4;
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "a key for the second time"));
}
END_TEST

START_TEST(state_in_the_wrong_subtask_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.swapped_counts = true;
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "a key group of another subtask"));
}
END_TEST

START_TEST(a_manifest_of_another_checkpoint_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.inline_state = true;
    oracle_world_start(&world);
    oracle_trigger(&world, 2);
    oracle_write_checkpoint(&world, 2, &cut);
    oracle_complete(&world, 2);
    oracle_trigger(&world, 3);
    oracle_copy_file(&world, "checkpoints/chk-2/_metadata", "checkpoints/chk-3/_metadata");
    oracle_complete(&world, 3);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

START_TEST(a_position_outside_the_split_is_found)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.lines[0] = 21;
    run_to_cut(&cut);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, "lies outside its split"));
}
END_TEST

START_TEST(after_a_wrong_checkpoint_a_right_one_is_right_again)
{
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.position_off = 1; /* inside a line */
    run_to_cut(&cut);
    oracle_commit(&world, 3, &cut);
    oracle_checkpoint(&world, 4, 15, 15);
    oracle_checkpoint(&world, 5, 20, 20);
    oracle_finish(&world);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
    ck_assert_uint_eq(oracle_found_any(&world), 1);
}
END_TEST

START_TEST(at_least_once_a_state_may_be_above_the_fold_but_not_below)
{
    world.scenario.job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    struct oracle_cut cut = oracle_cut_at(&world, 15, 15);
    cut.counts[1]++;
    cut.extra_key = 55;
    run_to_cut(&cut);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    cut = oracle_cut_at(&world, 16, 16);
    cut.counts[1]--;
    oracle_trigger(&world, 4);
    oracle_write_checkpoint(&world, 4, &cut);
    oracle_complete(&world, 4);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("oracle: results");
    TCase *tests = tcase_create("results");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_right_run_has_no_violation);
    tcase_add_test(tests, a_right_run_with_inline_state_and_a_restart_has_no_violation);
    tcase_add_test(tests, output_and_state_are_collected_in_order);
    tcase_add_test(tests, a_job_that_finished_before_the_end_of_its_input_has_a_wrong_final_state);
    tcase_add_test(tests, a_wrong_final_state_names_key_and_both_counts);
    tcase_add_test(tests, a_job_that_finished_without_a_checkpoint_has_no_final_state);
    tcase_add_loop_test(tests, a_last_checkpoint_that_a_fault_destroyed_cannot_be_judged, 0, 2);
    tcase_add_loop_test(tests, a_job_that_finished_over_a_bad_record_is_found_unless_it_may_skip, 0,
                        2);
    tcase_add_test(tests, a_last_checkpoint_found_wrong_is_not_found_wrong_twice);
    tcase_add_test(tests, the_state_of_finished_subtasks_is_what_they_gave_last);
    tcase_add_loop_test(tests, what_had_finished_stays_so_at_the_same_parallelism, 0, 4);
    tcase_add_test(tests, a_subtask_that_finished_with_a_wrong_state_is_found);
    tcase_add_test(tests, a_lost_line_is_found);
    tcase_add_test(tests, a_lost_last_line_is_found);
    tcase_add_test(tests, a_duplicate_line_is_found);
    tcase_add_test(tests, a_whole_file_committed_twice_is_found);
    tcase_add_test(tests, two_lines_of_a_key_in_the_wrong_order_are_found);
    tcase_add_test(tests, a_line_of_a_key_that_is_not_in_the_input_is_found);
    tcase_add_test(tests, a_torn_line_is_found);
    tcase_add_loop_test(tests, a_subtask_that_finishes_before_all_sources_is_found, 0, 4);
    tcase_add_test(tests, a_stray_file_in_the_output_is_found);
    tcase_add_test(tests, output_committed_before_its_checkpoint_completed_is_found);
    tcase_add_test(tests, output_of_an_aborted_checkpoint_may_be_committed_with_a_later_one);
    tcase_add_test(tests, a_job_that_failed_as_expected_needs_only_a_right_beginning);
    tcase_add_test(tests, a_job_that_failed_as_expected_must_not_have_said_anything_wrong);
    tcase_add_test(tests, at_least_once_lines_may_come_again_and_go_beyond);
    tcase_add_test(tests, at_least_once_lines_may_come_in_another_order);
    tcase_add_test(tests, at_least_once_a_lost_line_is_found);
    tcase_add_test(tests, damaged_output_cannot_be_judged);
    tcase_add_test(tests, a_state_one_too_high_is_found_at_its_checkpoint);
    tcase_add_test(tests, a_state_one_too_low_is_found_at_its_checkpoint);
    tcase_add_test(tests, a_state_that_lacks_a_key_is_found);
    tcase_add_test(tests, a_state_with_an_extra_key_is_found);
    tcase_add_loop_test(tests, every_key_of_a_longer_state_is_compared, 1, 50);
    tcase_add_loop_test(tests, a_position_one_record_late_or_early_is_found, 0, 2);
    tcase_add_test(tests, a_position_before_that_of_an_earlier_checkpoint_is_found);
    tcase_add_loop_test(tests, a_source_that_counts_its_records_wrong_is_found, 0, 2);
    tcase_add_test(tests, a_key_that_is_there_twice_is_found);
    tcase_add_test(tests, state_in_the_wrong_subtask_is_found);
    tcase_add_test(tests, a_manifest_of_another_checkpoint_is_found);
    tcase_add_test(tests, a_position_outside_the_split_is_found);
    tcase_add_test(tests, after_a_wrong_checkpoint_a_right_one_is_right_again);
    tcase_add_test(tests, at_least_once_a_state_may_be_above_the_fold_but_not_below);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
