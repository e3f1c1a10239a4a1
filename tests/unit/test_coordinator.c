#include "model/checkpoint/coordinator.h"

#include <check.h>
#include <signal.h>

#include "model/base/prng.h"
#include "tests/support/coordinator_play.h"
#include "tests/support/runner.h"

START_TEST(a_checkpoint_is_triggered_collected_committed_and_announced)
{
    play(options_with(100, 2), (struct step[]){ { "0 start", "wake 0" },
                                                { "0 time", "trigger 1; wake 100" },
                                                { "5 ack 1 1", "" },
                                                { "6 ack 1 0", "commit 1" },
                                                { "7 committed 1", "complete 1" },
                                                { "100 time", "trigger 2; wake 200" },
                                                { 0 } });
}
END_TEST

START_TEST(c1_ids_go_on_from_the_first_and_leave_gaps)
{
    struct coordinator_options options = options_with(100, 1);
    options.retained = 2;
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator =
        coordinator_create(&arena, &options, 41, (uint64_t[]){ 7, 30, 40 }, 3);
    ck_assert_uint_eq(coordinator_next_id(coordinator), 41);
    play_on(coordinator,
            (struct step[]){ { "0 start", "wake 0" },
                             { "0 time", "trigger 41; wake 100" },
                             { "1 decline 41 0", "abort 41 declined; discard 41" },
                             { "100 time", "trigger 42; wake 200" },
                             { "101 ack 42 0", "commit 42" },
                             { "102 committed 42", "complete 42; subsume 7; subsume 30" },
                             { "103 ack 40 0", "duplicate" }, /* is kept: its files are needed */
                             { "104 ack 30 0", "late; discard_ack 30" },
                             { 0 } });
    ck_assert_uint_eq(coordinator_next_id(coordinator), 43);
    arena_drop(&arena);
}
END_TEST

START_TEST(c2_duplicate_and_unknown_acks_do_not_complete)
{
    play(options_with(100, 2), (struct step[]){ { "0 start", "wake 0" },
                                                { "0 time", "trigger 1; wake 100" },
                                                { "1 ack 1 0", "" },
                                                { "2 ack 1 0", "duplicate" },
                                                { "3 ack 1 2", "unknown; discard_ack 1" },
                                                { "4 ack 2 1", "unknown; discard_ack 2" },
                                                { "5 ack 0 1", "unknown; discard_ack 0" },
                                                { "6 ack 1 1", "commit 1" },
                                                { "7 ack 1 1", "duplicate" },
                                                { "8 committed 1", "complete 1" },
                                                { "9 ack 1 1", "duplicate" },
                                                { 0 } });
}
END_TEST

START_TEST(c3_the_first_trigger_lies_between_pause_and_interval)
{
    struct coordinator_options options = options_with(100, 1);
    options.min_pause_ns = 30;
    play(options, (struct step[]){ { "1000 start", "wake 1030" }, { 0 } });
    play(options, (struct step[]){ { "1000 start_late", "wake 1100" }, { 0 } });
    struct arena arena;
    arena_init(&arena);
    struct prng prng = { 3 };
    uint64_t lowest_ns = UINT64_MAX;
    uint64_t highest_ns = 0;
    for (int i = 0; i < 2000; i++) {
        struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
        coordinator_start(coordinator, 0, prng_next(&prng), NULL);
        uint32_t count;
        uint64_t at_ns = coordinator_take_actions(coordinator, &count)[0].at_ns;
        ck_assert(at_ns >= 30 && at_ns <= 100);
        lowest_ns = at_ns < lowest_ns ? at_ns : lowest_ns;
        highest_ns = at_ns > highest_ns ? at_ns : highest_ns;
        coordinator_destroy(coordinator);
    }
    ck_assert_uint_eq(lowest_ns, 30);
    ck_assert_uint_eq(highest_ns, 100);
    arena_drop(&arena);
}
END_TEST

START_TEST(c3_the_interval_is_at_least_the_pause)
{
    struct coordinator_options options = options_with(10, 1);
    options.min_pause_ns = 50;
    play(options, (struct step[]){ { "0 start", "wake 50" },
                                   { "50 time", "trigger 1; wake 100" },
                                   { "51 ack 1 0", "commit 1" },
                                   { "52 committed 1", "complete 1" },
                                   { "100 time", "wake 102" }, /* too early after 52 */
                                   { "102 time", "trigger 2; wake 152" },
                                   { 0 } });
}
END_TEST

START_TEST(c3_a_pause_above_a_year_counts_as_a_year)
{
    struct coordinator_options options = options_with(1, 1);
    options.min_pause_ns = UINT64_MAX;
    play(options, (struct step[]){ { "0 start", "wake 31536000000000000" }, { 0 } });
}
END_TEST

START_TEST(c3_a_due_trigger_waits_for_the_pending_one_and_comes_at_once)
{
    play(options_with(10, 1),
         (struct step[]){ { "0 start", "wake 0" },
                          { "0 time", "trigger 1; wake 10" },
                          { "10 time", "wake 1000" },
                          { "12 ack 1 0", "commit 1" },
                          { "12 committed 1", "complete 1; trigger 2; wake 20" },
                          { "20 time", "wake 1012" },
                          { "55 decline 2 0", "abort 2 declined; discard 2; trigger 3; wake 60" },
                          { 0 } });
}
END_TEST

START_TEST(c3_the_pause_counts_from_the_completion)
{
    struct coordinator_options options = options_with(10, 1);
    options.min_pause_ns = 5;
    play(options, (struct step[]){ { "0 start", "wake 5" },
                                   { "5 time", "trigger 1; wake 15" },
                                   { "15 time", "wake 1005" },
                                   { "17 ack 1 0", "commit 1" },
                                   { "17 committed 1", "complete 1; wake 22" },
                                   { "22 time", "trigger 2; wake 32" },
                                   { "23 decline 2 0", "abort 2 declined; discard 2" },
                                   { "32 time", "trigger 3; wake 42" },
                                   { 0 } });
}
END_TEST

START_TEST(c3_the_period_is_the_interval_or_duration_and_pause)
{
    static const uint64_t cases[][4] = {
        /* interval, duration, pause -> period */
        { 10, 2, 0, 10 }, { 10, 12, 0, 12 }, { 10, 12, 5, 17 }, { 10, 3, 1, 10 }, { 1, 60, 0, 60 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coordinator_options options = options_with(cases[i][0], 1);
        options.min_pause_ns = cases[i][2];
        struct arena arena;
        arena_init(&arena);
        struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
        coordinator_start(coordinator, 0, 0, NULL);
        uint64_t wake_ns = UINT64_MAX;
        uint64_t done_ns = UINT64_MAX;
        uint64_t triggers_ns[10] = { 0 };
        for (uint64_t now_ns = 0; now_ns < 2000 && triggers_ns[9] == 0; now_ns++) {
            if (now_ns == done_ns) {
                uint64_t id = coordinator_next_id(coordinator) - 1;
                coordinator_on_ack(coordinator, now_ns, id, 0);
                coordinator_on_committed(coordinator, now_ns, id);
            }
            if (now_ns >= wake_ns) {
                coordinator_on_time(coordinator, now_ns);
            }
            uint32_t count;
            const struct coordinator_action *actions =
                coordinator_take_actions(coordinator, &count);
            for (uint32_t k = 0; k < count; k++) {
                if (actions[k].kind == COORDINATOR_WAKE) {
                    wake_ns = actions[k].at_ns;
                } else if (actions[k].kind == COORDINATOR_TRIGGER && actions[k].id <= 10) {
                    triggers_ns[actions[k].id - 1] = now_ns;
                    done_ns = now_ns + cases[i][1];
                }
            }
            if (wake_ns <= now_ns) {
                wake_ns = now_ns + 1;
            }
        }
        ck_assert_msg(triggers_ns[9] - triggers_ns[2] == 7 * cases[i][3], "case %zu", i);
        arena_drop(&arena);
    }
}
END_TEST

START_TEST(c3_so_many_may_be_pending)
{
    struct coordinator_options options = options_with(10, 1);
    options.max_concurrent = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "20 time", "wake 1000" },
                                   { "40 given_up 1 0", "abort 1 given up for a newer one; "
                                                        "discard 1; trigger 3; wake 50" },
                                   { 0 } });
}
END_TEST

START_TEST(c4_a_completed_checkpoint_subsumes_older_pending_ones)
{
    struct coordinator_options options = options_with(10, 2);
    options.max_concurrent = 3;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 2 0", "" },
                                   { "21 ack 1 0", "" },
                                   { "21 ack 2 1", "commit 2" },
                                   { "22 committed 2", "complete 2; abort 1 subsumed; discard 1" },
                                   { "23 ack 1 1", "late; discard_ack 1" },
                                   { "23 ack 3 1", "" },
                                   { 0 } });
}
END_TEST

START_TEST(c5_a_pending_checkpoint_expires)
{
    struct coordinator_options options = options_with(0, 2);
    options.interval_ns = 1500;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 1000" },
                                   { "999 time", "wake 1000" },
                                   { "999 ack 1 0", "" },
                                   { "1000 time", "abort 1 expired; discard 1; wake 1500" },
                                   { "1001 ack 1 1", "late; discard_ack 1" },
                                   { "1002 decline 1 1", "" },
                                   { 0 } });
}
END_TEST

START_TEST(c5_expiry_makes_room_for_a_due_trigger)
{
    play(options_with(400, 1),
         (struct step[]){ { "0 start", "wake 0" },
                          { "0 time", "trigger 1; wake 400" },
                          { "400 time", "wake 1000" },
                          { "1000 time", "abort 1 expired; discard 1; trigger 2; wake 1200" },
                          { 0 } });
}
END_TEST

START_TEST(c6_more_failures_in_a_row_than_tolerable_fail_the_job)
{
    struct coordinator_options options = options_with(1000, 1);
    options.tolerable_failures = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 1000" },
                                   { "1 decline 1 0", "abort 1 declined; discard 1" },
                                   { "1 decline 1 0", "" }, /* each id counts once */
                                   { "1000 time", "trigger 2; wake 2000" },
                                   { "1001 trigger_failed 2", "abort 2 trigger failed; discard 2" },
                                   { "2000 time", "trigger 3; wake 3000" },
                                   { "3000 time", "abort 3 expired; discard 3; "
                                                  "fail_job 3 expired" },
                                   { "4000 time", "" }, /* nothing until the next start */
                                   { "4001 stop", "" },
                                   { "5000 start", "wake 5000" },
                                   { "5000 time", "trigger 4; wake 6000" },
                                   { "5001 decline 4 0", "abort 4 declined; discard 4" },
                                   { 0 } });
}
END_TEST

START_TEST(c6_a_completed_checkpoint_resets_the_count)
{
    struct coordinator_options options = options_with(100, 1);
    options.tolerable_failures = 1;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 100" },
                                   { "1 decline 1 0", "abort 1 declined; discard 1" },
                                   { "100 time", "trigger 2; wake 200" },
                                   { "101 ack 2 0", "commit 2" },
                                   { "102 committed 2", "complete 2" },
                                   { "200 time", "trigger 3; wake 300" },
                                   { "201 decline 3 0", "abort 3 declined; discard 3" },
                                   { "300 time", "trigger 4; wake 400" },
                                   { "301 ack 4 0", "commit 4" },
                                   { "302 commit_failed 4", "abort 4 commit failed; discard 4; "
                                                            "fail_job 4 commit failed" },
                                   { 0 } });
}
END_TEST

START_TEST(c6_by_default_the_first_failure_fails_the_job)
{
    struct coordinator_options options = options_with(100, 1);
    options.tolerable_failures = 0;
    play(options,
         (struct step[]){ { "0 start", "wake 0" },
                          { "0 time", "trigger 1; wake 100" },
                          { "1 decline 1 0", "abort 1 declined; discard 1; fail_job 1 declined" },
                          { 0 } });
}
END_TEST

START_TEST(c6_stopping_subsuming_and_giving_up_are_no_failures)
{
    struct coordinator_options options = options_with(100, 1);
    options.tolerable_failures = 0;
    options.max_concurrent = 2;
    play(options,
         (struct step[]){ { "0 start", "wake 0" },
                          { "0 time", "trigger 1; wake 100" },
                          { "1 given_up 1 0", "abort 1 given up for a newer one; discard 1" },
                          { "100 time", "trigger 2; wake 200" },
                          { "200 time", "trigger 3; wake 300" },
                          { "201 ack 3 0", "commit 3" },
                          { "202 committed 3", "complete 3; abort 2 subsumed; discard 2" },
                          { "300 time", "trigger 4; wake 400" },
                          { "301 stop", "abort 4 stopped; discard 4" },
                          { "301 stop", "" },
                          { "302 ack 4 0", "late; discard_ack 4" },
                          { "303 end 0", "" },
                          { "304 finished 0", "" },
                          { "400 time", "" },
                          { "500 start", "wake 500" },
                          { 0 } });
}
END_TEST

START_TEST(c7_the_newest_retained_are_kept)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "1 ack 1 0", "commit 1" },
                                   { "1 committed 1", "complete 1" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "11 ack 2 0", "commit 2" },
                                   { "11 committed 2", "complete 2" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 3 0", "commit 3" },
                                   { "21 committed 3", "complete 3; subsume 1" },
                                   { 0 } });
}
END_TEST

START_TEST(c7_what_was_given_up_as_unreadable_goes_first)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "1 ack 1 0", "commit 1" },
                                   { "1 committed 1", "complete 1" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "11 ack 2 0", "commit 2" },
                                   { "11 committed 2", "complete 2" },
                                   { "12 stop", "" },
                                   { "13 restoring 1", "" }, /* 2 could not be read */
                                   { "20 start", "wake 20" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 3 0", "commit 3" },
                                   { "21 committed 3", "complete 3; subsume 2" },
                                   { "30 time", "trigger 4; wake 40" },
                                   { "31 ack 4 0", "commit 4" },
                                   { "31 committed 4", "complete 4; subsume 1" },
                                   { 0 } });
}
END_TEST

/* Nobody could delete 1, so it is still there when 2 and 3 cannot be read. */
START_TEST(c7_what_is_restored_is_retained_although_it_was_subsumed)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 2;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "1 ack 1 0", "commit 1" },
                                   { "1 committed 1", "complete 1" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "11 ack 2 0", "commit 2" },
                                   { "11 committed 2", "complete 2" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "21 ack 3 0", "commit 3" },
                                   { "21 committed 3", "complete 3; subsume 1" },
                                   { "22 stop", "" },
                                   { "23 restoring 1", "" },
                                   { "30 start", "wake 30" },
                                   { "30 time", "trigger 4; wake 40" },
                                   { "31 ack 4 0", "commit 4" },
                                   { "31 committed 4", "complete 4; subsume 2; subsume 3" },
                                   { "40 time", "trigger 5; wake 50" },
                                   { "41 ack 5 0", "commit 5" },
                                   { "41 committed 5", "complete 5; subsume 1" },
                                   { 0 } });
}
END_TEST

/* 1: 40 cannot be read either, and 30 can after all. */
START_TEST(c7_what_the_last_leader_gave_up_goes_first)
{
    struct coordinator_options options = options_with(10, 1);
    options.retained = 3;
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator =
        coordinator_create(&arena, &options, 41, (uint64_t[]){ 7, 30, 40 }, 3);
    play_on(coordinator, (struct step[]){ { "0 give_up 30", "" },
                                          { "0 give_up 31", "unknown" },
                                          { _i == 0 ? "0 restoring 40" : "0 restoring 30", "" },
                                          { "0 start", "wake 0" },
                                          { "0 time", "trigger 41; wake 10" },
                                          { "1 ack 41 0", "commit 41" },
                                          { "1 committed 41", _i == 0 ? "complete 41; subsume 30"
                                                                      : "complete 41; subsume 40" },
                                          { 0 } });
    arena_drop(&arena);
}
END_TEST

START_TEST(c6_failing_the_job_is_the_last_action)
{
    struct coordinator_options options = options_with(10, 1);
    options.max_concurrent = 4;
    options.tolerable_failures = 0;
    options.timeout_ns = 100;
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "20 time", "trigger 3; wake 30" },
                                   { "500 time", "abort 1 expired; discard 1; fail_job 1 expired" },
                                   { "501 ack 3 0", "" },
                                   { "502 decline 2 0", "abort 2 declined; discard 2" },
                                   { "503 stop", "abort 3 stopped; discard 3" },
                                   { 0 } });
    play(options, (struct step[]){ { "0 start", "wake 0" },
                                   { "0 time", "trigger 1; wake 10" },
                                   { "10 time", "trigger 2; wake 20" },
                                   { "11 ack 1 0", "commit 1" },
                                   { "12 ack 2 0", "" },
                                   { "13 commit_failed 1", "abort 1 commit failed; discard 1; "
                                                           "fail_job 1 commit failed" },
                                   { 0 } });
}
END_TEST

START_TEST(late_and_needless_wakes_do_no_harm)
{
    play(options_with(10, 1), (struct step[]){ { "0 time", "" },
                                               { "0 start_late", "wake 10" },
                                               { "3 time", "wake 10" },
                                               { "57 time", "trigger 1; wake 60" },
                                               { "57 time", "wake 60" },
                                               { "58 stop", "abort 1 stopped; discard 1" },
                                               { "50 start_late", "wake 60" },
                                               { 0 } });
}
END_TEST

START_TEST(actions_stay_readable_while_events_are_given)
{
    struct coordinator_options options = options_with(10, 1);
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    coordinator_start(coordinator, 0, 0, NULL);
    coordinator_on_time(coordinator, 0);
    uint32_t count;
    const struct coordinator_action *actions = coordinator_take_actions(coordinator, &count);
    ck_assert_uint_eq(count, 3);
    for (uint64_t i = 0; i < 100; i++) {
        coordinator_on_ack(coordinator, i, 99, 0);
    }
    ck_assert_int_eq(actions[1].kind, COORDINATOR_TRIGGER);
    ck_assert_uint_eq(actions[1].id, 1);
    coordinator_take_actions(coordinator, &count);
    ck_assert_uint_eq(count, 100);
    arena_drop(&arena);
}
END_TEST

START_TEST(ids_must_not_be_reused)
{
    struct coordinator_options options = options_with(10, 1);
    struct arena arena;
    arena_init(&arena);
    coordinator_create(&arena, &options, 5, (uint64_t[]){ 5 }, 1);
}
END_TEST

START_TEST(a_commit_must_be_answered_before_the_next_start)
{
    play(options_with(10, 1), (struct step[]){ { "0 start", "wake 0" },
                                               { "0 time", "trigger 1; wake 10" },
                                               { "1 ack 1 0", "commit 1" },
                                               { "2 stop", "" },
                                               { "3 start", "" },
                                               { 0 } });
}
END_TEST

START_TEST(only_what_is_committing_can_be_committed)
{
    play(options_with(10, 1), (struct step[]){ { "0 start", "wake 0" },
                                               { "0 time", "trigger 1; wake 10" },
                                               { "1 committed 1", "" },
                                               { 0 } });
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("coordinator");
    TCase *tcase = tcase_create("coordinator");
    tcase_add_test(tcase, a_checkpoint_is_triggered_collected_committed_and_announced);
    tcase_add_test(tcase, c1_ids_go_on_from_the_first_and_leave_gaps);
    tcase_add_test(tcase, c2_duplicate_and_unknown_acks_do_not_complete);
    tcase_add_test(tcase, c3_the_first_trigger_lies_between_pause_and_interval);
    tcase_add_test(tcase, c3_the_interval_is_at_least_the_pause);
    tcase_add_test(tcase, c3_a_pause_above_a_year_counts_as_a_year);
    tcase_add_test(tcase, c3_a_due_trigger_waits_for_the_pending_one_and_comes_at_once);
    tcase_add_test(tcase, c3_the_pause_counts_from_the_completion);
    tcase_add_test(tcase, c3_the_period_is_the_interval_or_duration_and_pause);
    tcase_add_test(tcase, c3_so_many_may_be_pending);
    tcase_add_test(tcase, c4_a_completed_checkpoint_subsumes_older_pending_ones);
    tcase_add_test(tcase, c5_a_pending_checkpoint_expires);
    tcase_add_test(tcase, c5_expiry_makes_room_for_a_due_trigger);
    tcase_add_test(tcase, c6_more_failures_in_a_row_than_tolerable_fail_the_job);
    tcase_add_test(tcase, c6_a_completed_checkpoint_resets_the_count);
    tcase_add_test(tcase, c6_by_default_the_first_failure_fails_the_job);
    tcase_add_test(tcase, c6_stopping_subsuming_and_giving_up_are_no_failures);
    tcase_add_test(tcase, c7_the_newest_retained_are_kept);
    tcase_add_test(tcase, c7_what_was_given_up_as_unreadable_goes_first);
    tcase_add_test(tcase, c7_what_is_restored_is_retained_although_it_was_subsumed);
    tcase_add_loop_test(tcase, c7_what_the_last_leader_gave_up_goes_first, 0, 2);
    tcase_add_test(tcase, c6_failing_the_job_is_the_last_action);
    tcase_add_test(tcase, late_and_needless_wakes_do_no_harm);
    tcase_add_test(tcase, actions_stay_readable_while_events_are_given);
    tcase_add_test_raise_signal(tcase, ids_must_not_be_reused, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_commit_must_be_answered_before_the_next_start, SIGABRT);
    tcase_add_test_raise_signal(tcase, only_what_is_committing_can_be_committed, SIGABRT);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
