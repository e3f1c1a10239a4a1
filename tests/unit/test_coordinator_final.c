#include <check.h>

#include "tests/support/coordinator_play.h"
#include "tests/support/runner.h"

/* How checkpoints come to their end, and those of a job whose subtasks end. */

START_TEST(c8_finished_subtasks_are_not_waited_for)
{
    struct coordinator_options options = options_with(100, 3);
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    coordinator_start(coordinator, 0, 0, (bool[]){ false, true, false });
    play_on(coordinator, (struct step[]){ { "0 time", "wake 0; trigger 1; wake 100" },
                                          { "1 ack 1 1", "unknown; discard_ack 1" },
                                          { "2 decline 1 1", "" },
                                          { "3 ack 1 0", "" },
                                          { 0 } });
    ck_assert(coordinator_was_finished(coordinator, 1, 1));
    ck_assert(!coordinator_was_finished(coordinator, 1, 2));
    play_on(coordinator, (struct step[]){ { "4 finished 2", "commit 1" }, { 0 } });
    ck_assert(coordinator_was_finished(coordinator, 1, 2));
    ck_assert(!coordinator_was_finished(coordinator, 1, 0));
    play_on(coordinator, (struct step[]){ { "5 committed 1", "complete 1" },
                                          { "100 time", "trigger 2; wake 200" },
                                          { "101 finished 2", "" }, /* said twice */
                                          { "102 finished 0", "commit 2" },
                                          { "103 committed 2", "complete 2; subsume 1" },
                                          { "200 time", "" }, /* all have finished */
                                          { 0 } });
    ck_assert(!coordinator_was_finished(coordinator, 1, 1));
    arena_drop(&arena);
}
END_TEST

START_TEST(c8_a_subtask_that_acked_before_it_finished_has_its_state_in_it)
{
    struct coordinator_options options = options_with(100, 2);
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    play_on(coordinator, (struct step[]){ { "0 start", "wake 0" },
                                          { "0 time", "trigger 1; wake 100" },
                                          { "1 ack 1 0", "" },
                                          { "2 finished 0", "" },
                                          { "3 ack 1 1", "commit 1" },
                                          { 0 } });
    ck_assert(!coordinator_was_finished(coordinator, 1, 0));
    arena_drop(&arena);
}
END_TEST

START_TEST(c8_with_all_finished_at_the_start_nothing_is_triggered)
{
    struct coordinator_options options = options_with(100, 2);
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    coordinator_start(coordinator, 0, 0, (bool[]){ true, true });
    play_on(coordinator, (struct step[]){ { "0 time", "" }, { "100 time", "" }, { 0 } });
    arena_drop(&arena);
}
END_TEST

START_TEST(c9_commits_go_one_at_a_time)
{
    struct coordinator_options options = options_with(10, 1);
    options.max_concurrent = 3;
    options.timeout_ns = 100;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 2 0", "commit 2" },
                                   { "22 ack 3 0", "" },
                                   { "23 decline 2 0", "" },
                                   { "24 trigger_failed 2", "" },
                                   { "30 time", "wake 100" },
                                   { "25 committed 2", "complete 2; abort 1 subsumed; discard 1; "
                                                       "commit 3; trigger 4; wake 40" },
                                   { "26 committed 3", "complete 3; subsume 2" },
                                   { 0 } });
}
END_TEST

START_TEST(c9_an_open_commit_neither_expires_nor_stops)
{
    struct coordinator_options options = options_with(5000, 1);
    options.retained = 1;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 1000" },
                                   { "1 ack 1 0", "commit 1; wake 5000" },
                                   { "2000 time", "wake 5000" },
                                   { "2001 stop", "" },
                                   { "2002 committed 1", "" }, /* nobody is left to be told */
                                   { "3000 start", "wake 3000" },
                                   { "3000 time", "trigger 2; wake 4000" },
                                   { "3001 ack 2 0", "commit 2; wake 8000" },
                                   { "3002 committed 2", "complete 2; subsume 1" },
                                   { 0 } });
}
END_TEST

START_TEST(a_commit_in_doubt_is_discarded_only_after_a_newer_completion)
{
    play(options_with(10, 1), (struct step[]){ { "0 start", "wake 0" },
                                               { "0 time", "trigger 1; wake 10" },
                                               { "1 ack 1 0", "commit 1" },
                                               { "2 commit_unknown 1", "abort 1 commit failed" },
                                               { "3 ack 1 0", "duplicate" }, /* may be needed */
                                               { "10 time", "trigger 2; wake 20" },
                                               { "11 decline 2 0", "abort 2 declined; discard 2" },
                                               { "20 time", "trigger 3; wake 30" },
                                               { "21 ack 3 0", "commit 3" },
                                               { "22 committed 3", "complete 3; discard 1" },
                                               { "23 ack 1 0", "late; discard_ack 1" },
                                               { 0 } });
}
END_TEST

START_TEST(a_commit_in_doubt_that_is_restored_is_kept_like_any_other)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "1 ack 1 0", "commit 1" },
                                   { "2 commit_unknown 1", "abort 1 commit failed" },
                                   { "3 stop", "" },
                                   { "4 restoring 1", "" },
                                   { "5 start", "wake 5" },
                                   { "5 time", "trigger 2; wake 15" },
                                   { "6 ack 2 0", "commit 2" },
                                   { "7 committed 2", "complete 2" }, /* nothing is discarded */
                                   { "15 time", "trigger 3; wake 25" },
                                   { "16 ack 3 0", "commit 3" },
                                   { "17 committed 3", "complete 3; subsume 1" },
                                   { 0 } });
}
END_TEST

/* 2 cannot be read, so 1 is restored, then 3, which was in doubt: 2 is still given up. 1: then
 * 2 can be read again, and 3 cannot. */
START_TEST(what_was_given_up_stays_so_when_a_commit_in_doubt_is_restored)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 3;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "1 ack 1 0", "commit 1" },
                                   { "1 committed 1", "complete 1" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "11 ack 2 0", "commit 2" },
                                   { "11 committed 2", "complete 2" },
                                   { "12 stop", "" },
                                   { "13 restoring 1", "" },
                                   { "20 start", "wake 20" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 3 0", "commit 3" },
                                   { "22 commit_unknown 3", "abort 3 commit failed" },
                                   { "23 stop", "" },
                                   { "24 restoring 3", "" },
                                   { _i == 0 ? "25 restoring 3" : "25 restoring 2", "" },
                                   { "30 start", "wake 30" },
                                   { "30 time", "trigger 4; wake 40" },
                                   { "31 ack 4 0", "commit 4" },
                                   { "31 committed 4",
                                     _i == 0 ? "complete 4; subsume 2" : "complete 4; subsume 3" },
                                   { "40 time", "trigger 5; wake 50" },
                                   { "41 ack 5 0", "commit 5" },
                                   { "41 committed 5", "complete 5; subsume 1" },
                                   { 0 } });
}
END_TEST

START_TEST(the_final_checkpoint_is_triggered_at_the_end_of_all_data)
{
    play(options_with(0, 3), (struct step[]){ { "0 start", "" },
                                              { "5 end 0", "" },
                                              { "5 end 0", "" },
                                              { "6 finished 1", "" },
                                              { "7 end 2", "trigger 1; wake 1007" },
                                              { "8 ack 1 0", "" },
                                              { "9 ack 1 2", "commit 1" },
                                              { "10 committed 1", "complete 1" },
                                              { "11 finished 0", "" },
                                              { "12 finished 2", "" },
                                              { "13 time", "" },
                                              { 0 } });
}
END_TEST

START_TEST(the_final_checkpoint_ignores_the_pause_but_not_the_limit)
{
    struct coordinator_options options = options_with(100, 1);
    options.min_pause_ns = 50;
    play(options, (struct step[]){ { "0 start", "wake 50" },
                                   { "50 time", "trigger 1; wake 150" },
                                   { "60 end 0", "" }, /* 1 may lack what came after its barrier */
                                   { "61 ack 1 0", "commit 1" },
                                   { "62 committed 1", "complete 1; trigger 2" },
                                   { "63 ack 2 0", "commit 2" },
                                   { "64 committed 2", "complete 2; subsume 1" },
                                   { "65 finished 0", "" },
                                   { 0 } });
    options.max_concurrent = 2;
    play(options, (struct step[]){ { "0 start", "wake 50" },
                                   { "50 time", "trigger 1; wake 150" },
                                   { "60 end 0", "trigger 2" },
                                   { "61 ack 2 0", "commit 2" },
                                   { "62 committed 2", "complete 2; abort 1 subsumed; discard 1" },
                                   { 0 } });
}
END_TEST

START_TEST(a_periodic_checkpoint_after_the_end_of_data_is_final_too)
{
    struct coordinator_options options = options_with(100, 1);
    options.max_concurrent = 2;
    play(options, (struct step[]){ { "0 start_late", "wake 100" },
                                   { "10 end 0", "trigger 1" },
                                   { "100 time", "trigger 2; wake 200" },
                                   { "101 decline 1 0", "abort 1 declined; discard 1" },
                                   { "102 ack 2 0", "commit 2" },
                                   { "103 committed 2", "complete 2" },
                                   { 0 } });
}
END_TEST

START_TEST(a_checkpoint_that_turns_out_to_be_final_needs_no_other)
{
    play(options_with(100, 1), (struct step[]){ { "0 start", "wake 0" },
                                                { "0 time", "trigger 1; wake 100" },
                                                { "10 end 0", "" },
                                                { "11 ack 1 0", "commit 1" },
                                                { "11 finish 1", "" },
                                                { "12 committed 1", "complete 1" },
                                                { 0 } });
}
END_TEST

START_TEST(a_failed_final_checkpoint_is_tried_again)
{
    play(options_with(0, 1),
         (struct step[]){
             { "0 start", "" },
             { "5 end 0", "trigger 1; wake 1005" },
             { "6 trigger_failed 1", "abort 1 trigger failed; discard 1; wake 1000000006" },
             { "1000000006 time", "trigger 2; wake 1000001006" },
             { "1000000007 ack 2 0", "commit 2" },
             { "1000000008 commit_unknown 2", "abort 2 commit failed; wake 2000000008" },
             { "2000000008 time", "trigger 3; wake 2000001008" },
             { "2000000009 ack 3 0", "commit 3" },
             { "2000000010 committed 3", "complete 3; discard 2" },
             { 0 } });
    play(options_with(70, 1), (struct step[]){ { "0 start_late", "wake 70" },
                                               { "5 end 0", "trigger 1" },
                                               { "30 decline 1 0", "abort 1 declined; discard 1" },
                                               { "70 time", "trigger 2; wake 140" },
                                               { 0 } });
}
END_TEST

START_TEST(after_a_restart_the_end_of_data_is_awaited_anew)
{
    play(options_with(0, 1), (struct step[]){ { "0 start", "" },
                                              { "5 end 0", "trigger 1; wake 1005" },
                                              { "6 stop", "abort 1 stopped; discard 1" },
                                              { "7 start", "" },
                                              { "8 time", "" },
                                              { "9 end 0", "trigger 2; wake 1009" },
                                              { "10 ack 2 0", "commit 2" },
                                              { "11 committed 2", "complete 2" },
                                              { "12 stop", "" },
                                              { "13 start", "" },
                                              { "14 end 0", "trigger 3; wake 1014" },
                                              { 0 } });
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("coordinator_final");
    TCase *tcase = tcase_create("coordinator_final");
    tcase_add_test(tcase, c8_finished_subtasks_are_not_waited_for);
    tcase_add_test(tcase, c8_a_subtask_that_acked_before_it_finished_has_its_state_in_it);
    tcase_add_test(tcase, c8_with_all_finished_at_the_start_nothing_is_triggered);
    tcase_add_test(tcase, c9_commits_go_one_at_a_time);
    tcase_add_test(tcase, c9_an_open_commit_neither_expires_nor_stops);
    tcase_add_test(tcase, a_commit_in_doubt_is_discarded_only_after_a_newer_completion);
    tcase_add_test(tcase, a_commit_in_doubt_that_is_restored_is_kept_like_any_other);
    tcase_add_loop_test(tcase, what_was_given_up_stays_so_when_a_commit_in_doubt_is_restored, 0, 2);
    tcase_add_test(tcase, the_final_checkpoint_is_triggered_at_the_end_of_all_data);
    tcase_add_test(tcase, the_final_checkpoint_ignores_the_pause_but_not_the_limit);
    tcase_add_test(tcase, a_periodic_checkpoint_after_the_end_of_data_is_final_too);
    tcase_add_test(tcase, a_checkpoint_that_turns_out_to_be_final_needs_no_other);
    tcase_add_test(tcase, a_failed_final_checkpoint_is_tried_again);
    tcase_add_test(tcase, after_a_restart_the_end_of_data_is_awaited_anew);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
