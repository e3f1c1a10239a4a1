#include "model/checkpoint/coordinator.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/prng.h"
#include "tests/support/runner.h"

/* One event and the actions it must bring. Events are "NOW VERB [ID] [TASK]":
 *   start (random 0: the first trigger after min_pause), start_late (after the interval),
 *   stop, time, ack ID TASK, decline ID TASK, given_up ID TASK, trigger_failed ID,
 *   finish ID, committed ID, commit_failed ID, commit_unknown ID, restoring ID, end TASK,
 *   finished TASK.
 * Actions are separated by "; "; what an ack was judged comes first, unless it was accepted. */
struct step {
    const char *event;
    const char *expected;
};

static struct coordinator_options options_with(uint64_t interval_ns, uint32_t task_count)
{
    return (struct coordinator_options){ .interval_ns = interval_ns,
                                         .timeout_ns = 1000,
                                         .max_concurrent = 1,
                                         .tolerable_failures = 9,
                                         .retained = 1,
                                         .task_count = task_count };
}

static void action_text(char *text, size_t size, const struct coordinator_action *action)
{
    unsigned long long id = action->id;
    switch (action->kind) {
    case COORDINATOR_TRIGGER: snprintf(text, size, "trigger %llu; ", id); return;
    case COORDINATOR_COMMIT: snprintf(text, size, "commit %llu; ", id); return;
    case COORDINATOR_NOTIFY_COMPLETE: snprintf(text, size, "complete %llu; ", id); return;
    case COORDINATOR_NOTIFY_ABORTED:
        snprintf(text, size, "abort %llu %s; ", id, action->reason);
        return;
    case COORDINATOR_DISCARD: snprintf(text, size, "discard %llu; ", id); return;
    case COORDINATOR_DISCARD_ACK: snprintf(text, size, "discard_ack %llu; ", id); return;
    case COORDINATOR_SUBSUME: snprintf(text, size, "subsume %llu; ", id); return;
    case COORDINATOR_WAKE:
        snprintf(text, size, "wake %llu; ", (unsigned long long)action->at_ns);
        return;
    case COORDINATOR_FAIL_JOB:
        snprintf(text, size, "fail_job %llu %s; ", id, action->reason);
        return;
    }
    ck_abort_msg("unknown action");
}

/* All actions since the last call, behind `prefix`. */
static void taken_text(char text[512], struct coordinator *coordinator, const char *prefix)
{
    uint32_t count;
    const struct coordinator_action *actions = coordinator_take_actions(coordinator, &count);
    snprintf(text, 512, "%s", prefix);
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        action_text(text + used, 512 - used, &actions[i]);
    }
    size_t used = strlen(text);
    if (used >= 2) {
        text[used - 2] = '\0';
    }
}

static const char *give_ack(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                            uint32_t task)
{
    switch (coordinator_on_ack(coordinator, now_ns, id, task)) {
    case COORDINATOR_ACK_ACCEPTED: return "";
    case COORDINATOR_ACK_DUPLICATE: return "duplicate; ";
    case COORDINATOR_ACK_LATE: return "late; ";
    case COORDINATOR_ACK_UNKNOWN: return "unknown; ";
    }
    ck_abort_msg("unknown judgement");
}

static const char *give_event(struct coordinator *coordinator, const char *event)
{
    unsigned long long now_ns = 0;
    unsigned long long id = 0;
    unsigned task = 0;
    char verb[32];
    int fields = sscanf(event, "%llu %31s %llu %u", &now_ns, verb, &id, &task);
    ck_assert_int_ge(fields, 2);
    if (strcmp(verb, "start") == 0) {
        coordinator_start(coordinator, now_ns, 0, NULL);
    } else if (strcmp(verb, "start_late") == 0) {
        coordinator_start(coordinator, now_ns, UINT64_MAX, NULL);
    } else if (strcmp(verb, "stop") == 0) {
        coordinator_stop(coordinator, now_ns, "stopped");
    } else if (strcmp(verb, "time") == 0) {
        coordinator_on_time(coordinator, now_ns);
    } else if (strcmp(verb, "ack") == 0) {
        return give_ack(coordinator, now_ns, id, task);
    } else if (strcmp(verb, "decline") == 0) {
        coordinator_on_decline(coordinator, now_ns, id, task, "declined");
    } else if (strcmp(verb, "given_up") == 0) {
        coordinator_on_given_up(coordinator, now_ns, id, task);
    } else if (strcmp(verb, "trigger_failed") == 0) {
        coordinator_on_trigger_failed(coordinator, now_ns, id);
    } else if (strcmp(verb, "committed") == 0) {
        coordinator_on_committed(coordinator, now_ns, id);
    } else if (strcmp(verb, "commit_failed") == 0) {
        coordinator_on_commit_failed(coordinator, now_ns, id, false);
    } else if (strcmp(verb, "commit_unknown") == 0) {
        coordinator_on_commit_failed(coordinator, now_ns, id, true);
    } else if (strcmp(verb, "finish") == 0) {
        coordinator_mark_final(coordinator, id);
    } else if (strcmp(verb, "restoring") == 0) {
        coordinator_on_restoring(coordinator, id);
    } else if (strcmp(verb, "end") == 0) {
        coordinator_on_end_of_data(coordinator, now_ns, (uint32_t)id);
    } else {
        ck_assert_str_eq(verb, "finished");
        coordinator_on_finished(coordinator, now_ns, (uint32_t)id);
    }
    return "";
}

static void play_on(struct coordinator *coordinator, const struct step *steps)
{
    for (size_t i = 0; steps[i].event != NULL; i++) {
        char text[512];
        taken_text(text, coordinator, give_event(coordinator, steps[i].event));
        ck_assert_msg(strcmp(text, steps[i].expected) == 0, "step %zu '%s':\n  got  %s\n  want %s",
                      i, steps[i].event, text, steps[i].expected);
    }
}

/* Steps end with a NULL event. Ids start at 1, the store is empty. */
static void play(struct coordinator_options options, const struct step *steps)
{
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    play_on(coordinator, steps);
    coordinator_destroy(coordinator);
    ck_assert_ptr_null(arena.blocks);
    arena_drop(&arena);
}

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

static void add_rule_tests(TCase *tcase)
{
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
    tcase_add_test(tcase, c6_failing_the_job_is_the_last_action);
    tcase_add_test(tcase, c7_the_newest_retained_are_kept);
    tcase_add_test(tcase, c7_what_was_given_up_as_unreadable_goes_first);
    tcase_add_test(tcase, c8_finished_subtasks_are_not_waited_for);
    tcase_add_test(tcase, c8_a_subtask_that_acked_before_it_finished_has_its_state_in_it);
    tcase_add_test(tcase, c8_with_all_finished_at_the_start_nothing_is_triggered);
    tcase_add_test(tcase, c9_commits_go_one_at_a_time);
    tcase_add_test(tcase, c9_an_open_commit_neither_expires_nor_stops);
    tcase_add_test(tcase, a_commit_in_doubt_is_discarded_only_after_a_newer_completion);
    tcase_add_test(tcase, a_commit_in_doubt_that_is_restored_is_kept_like_any_other);
}

static void add_other_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_final_checkpoint_is_triggered_at_the_end_of_all_data);
    tcase_add_test(tcase, the_final_checkpoint_ignores_the_pause_but_not_the_limit);
    tcase_add_test(tcase, a_periodic_checkpoint_after_the_end_of_data_is_final_too);
    tcase_add_test(tcase, a_checkpoint_that_turns_out_to_be_final_needs_no_other);
    tcase_add_test(tcase, a_failed_final_checkpoint_is_tried_again);
    tcase_add_test(tcase, after_a_restart_the_end_of_data_is_awaited_anew);
    tcase_add_test(tcase, late_and_needless_wakes_do_no_harm);
    tcase_add_test(tcase, actions_stay_readable_while_events_are_given);
    tcase_add_test_raise_signal(tcase, ids_must_not_be_reused, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_commit_must_be_answered_before_the_next_start, SIGABRT);
    tcase_add_test_raise_signal(tcase, only_what_is_committing_can_be_committed, SIGABRT);
}

static Suite *suite(void)
{
    Suite *s = suite_create("coordinator");
    TCase *tcase = tcase_create("coordinator");
    add_rule_tests(tcase);
    add_other_tests(tcase);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
