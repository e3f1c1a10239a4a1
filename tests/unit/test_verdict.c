#include "sim/campaign/verdict.h"

#include <check.h>
#include <string.h>

#include "sim/campaign/human.h"
#include "tests/support/runner.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)

/* ---- numbers for people ---------------------------------------------------------------------- */

static void expect_number(void (*append)(struct buffer *out, uint64_t number), uint64_t number,
                          const char *expected)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer text;
    buffer_init(&text, &arena);
    append(&text, number);
    *buffer_extend(&text, 1) = '\0';
    ck_assert_str_eq((const char *)text.data, expected);
    arena_drop(&arena);
}

START_TEST(counts_have_a_comma_every_three_digits)
{
    expect_number(human_count, 0, "0");
    expect_number(human_count, 999, "999");
    expect_number(human_count, 1000, "1,000");
    expect_number(human_count, 1000007, "1,000,007");
    expect_number(human_count, UINT64_MAX, "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(durations_have_three_digits_and_the_unit_that_fits)
{
    expect_number(human_duration, 0, "0 s");
    expect_number(human_duration, 1, "1 ns");
    expect_number(human_duration, 999, "999 ns");
    expect_number(human_duration, 1000, "1 us");
    expect_number(human_duration, 1234, "1.23 us");
    expect_number(human_duration, 45 * MS, "45 ms");
    expect_number(human_duration, 45600 * 1000, "45.6 ms");
    expect_number(human_duration, 1230 * MS, "1.23 s");
    expect_number(human_duration, 1200 * MS, "1.20 s");
}
END_TEST

START_TEST(a_duration_that_rounds_up_to_the_next_unit_is_told_in_it)
{
    expect_number(human_duration, 999499, "999 us");
    expect_number(human_duration, 999500, "1 ms");
    expect_number(human_duration, 999600 * 1000, "1 s");
    expect_number(human_duration, 59499 * MS, "59.5 s");
    expect_number(human_duration, 59500 * MS, "1 min");
}
END_TEST

START_TEST(long_durations_are_told_in_minutes_and_hours)
{
    expect_number(human_duration, MINUTE, "1 min");
    expect_number(human_duration, 2 * MINUTE + 5 * SECOND, "2 min 5 s");
    expect_number(human_duration, 60 * MINUTE, "1 h");
    expect_number(human_duration, 192 * MINUTE, "3 h 12 min");
    expect_number(human_duration, UINT64_MAX, "5,124,095 h 34 min");
}
END_TEST

START_TEST(sizes_count_in_powers_of_1024)
{
    expect_number(human_size, 0, "0 B");
    expect_number(human_size, 999, "999 B");
    expect_number(human_size, 1000, "0.98 KiB");
    expect_number(human_size, 86118, "84.1 KiB");
    expect_number(human_size, UINT64_C(3) << 20, "3 MiB");
    expect_number(human_size, UINT64_C(5000) << 30, "5,000 GiB");
}
END_TEST

START_TEST(moments_have_milliseconds_and_are_never_rounded_up)
{
    expect_number(human_time, 0, "0.000 s");
    expect_number(human_time, 3004 * MS + 999999, "3.004 s");
    expect_number(human_time, 1234567 * MS, "1,234.567 s");
}
END_TEST

START_TEST(of_one_thing_the_noun_has_no_s)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer text;
    buffer_init(&text, &arena);
    human_count_of(&text, 1, "key");
    buffer_append_text(&text, " ");
    human_count_of(&text, 0, "key");
    buffer_append_text(&text, " ");
    human_count_of(&text, 2000, "key");
    ck_assert(bytes_equal(buffer_bytes(&text), bytes_of_text("1 key 0 keys 2,000 keys")));
    arena_drop(&arena);
}
END_TEST

/* ---- the text of a run made by hand ---------------------------------------------------------- */

/* A run that has passed: two faults of which one fired, a recovery, three checkpoints. */
struct example {
    struct arena arena;
    struct scenario scenario;
    struct fault faults[2];
    struct fault_record records[2];
    struct recovery_summary recovery;
    struct checkpoint_summary checkpoints[3];
    struct unmet unmet;
    struct violation violation;
    struct run run;
    struct verdict_view view;
    struct buffer text;
};

static void example_init_faults(struct example *example)
{
    example->faults[0] = (struct fault){
        .trigger = { .kind = TRIGGER_AT, .at_ns = 600 * SECOND },
        .verb = FAULT_PAUSE,
        .object = { .kind = OBJECT_TASK_MANAGER, .index = 1 },
        .for_ns = SECOND,
    };
    example->faults[1] = (struct fault){
        .trigger = { .kind = TRIGGER_WHEN,
                     .fact = FACT_CHECKPOINT_ALL_ACKED,
                     .checkpoint = 3,
                     .vertex = FACT_NO_TASK,
                     .subtask = FACT_NO_TASK,
                     .occurrence = 1 },
        .verb = FAULT_CRASH,
        .object = { .kind = OBJECT_JOB_MANAGER, .machine = true },
        .for_ns = 400 * MS,
        .unsynced = DISK_TEAR,
    };
    example->scenario.faults = example->faults;
    example->scenario.fault_count = 2;
    example->records[0].fault = &example->faults[0];
    example->records[1] = (struct fault_record){
        .fault = &example->faults[1], .fired = true, .fired_ns = 3004 * MS, .ended_ns = 3404 * MS
    };
}

static void example_init_summary(struct example *example)
{
    struct buffer cause;
    buffer_init(&cause, &example->arena);
    fault_describe(&example->scenario, &example->faults[1], &cause);
    *buffer_extend(&cause, 1) = '\0';
    example->recovery = (struct recovery_summary){
        .failed_ns = 3004 * MS,
        .cause = (const char *)cause.data,
        .detected_ns = 3504 * MS,
        .chosen_ns = 3529 * MS,
        .running_ns = 3600 * MS,
        .caught_up_ns = 3700 * MS,
        .restored_from = 2,
        .records_replayed = 12345,
    };
    for (uint32_t i = 0; i < 3; i++) {
        example->checkpoints[i] = (struct checkpoint_summary){
            .id = i + 1,
            .fate = CHECKPOINT_DONE,
            .reason = "",
            .triggered_ns = i * SECOND,
            .ended_ns = i * SECOND + (10 + 20 * i) * MS,
            .bytes = (UINT64_C(1) << 10) * (i + 1),
        };
    }
    example->checkpoints[2].fate = CHECKPOINT_GIVEN_UP;
    example->checkpoints[2].reason = "the JobManager was lost";
    example->run.summary = (struct summary){
        .checkpoints = example->checkpoints,
        .checkpoint_count = 3,
        .recoveries = &example->recovery,
        .recovery_count = 1,
        .triggered = 3,
        .completed = 2,
        .failed = 1,
        .failure = "",
    };
}

static void example_init(struct example *example)
{
    memset(example, 0, sizeof *example);
    arena_init(&example->arena);
    scenario_init(&example->scenario);
    example->scenario.name = "example";
    example->scenario.about = "What it is about.";
    example->scenario.seed = 42;
    example->run.scenario = &example->scenario;
    example->run.arena = &example->arena;
    example_init_faults(example);
    example_init_summary(example);
    example->run.faults = example->records;
    example->run.task_count = 8;
    example->run.trace_hash = 0x123456789abcdef;
    example->run.simulated_ns = 9300 * MS;
    example->run.wall_ns = 45 * MS;
    example->run.event_count = 123456;
    example->run.totals = (struct oracle_totals){
        .records = 63540, .keys = 10505, .output_lines = 63540, .checkpoints_verified = 2
    };
    example->view = (struct verdict_view){ .run = &example->run };
    buffer_init(&example->text, &example->arena);
}

static void example_write(struct example *example,
                          void (*write)(const struct verdict_view *view, struct buffer *out))
{
    buffer_reset(&example->text);
    write(&example->view, &example->text);
    *buffer_extend(&example->text, 1) = '\0';
}

static bool says(const struct example *example, const char *words)
{
    return strstr((const char *)example->text.data, words) != NULL;
}

static void expect_words(const struct example *example, const char *words)
{
    ck_assert_msg(says(example, words), "\"%s\" is not in:\n%s", words,
                  (const char *)example->text.data);
}

START_TEST(a_pass_says_what_ran_and_what_was_compared)
{
    struct example example;
    example_init(&example);
    example.view.replay = "faultline run out/example/run.json";
    example_write(&example, verdict_write);
    expect_words(&example, "example, seed 42\nWhat it is about.\n");
    expect_words(&example, "63,540 records generated");
    expect_words(&example, "8 tasks on");
    expect_words(&example, "63,540 output lines, 10,505 keys, 2 checkpoints");
    expect_words(&example, "\nPASS ");
    expect_words(&example, "9.30 s simulated in 45 ms, 123,456 events");
    expect_words(&example, "trace hash 0123456789abcdef\n");
    expect_words(&example, "again: faultline run out/example/run.json\n");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(faults_come_in_order_of_time_and_those_that_never_fired_last)
{
    struct example example;
    example_init(&example);
    example_write(&example, verdict_write);
    expect_words(&example, " 2    3.004 s  crash machine of job_manager, unsynced data torn, back "
                           "after 400 ms; when checkpoint 3 checkpoint.all_acked\n");
    expect_words(&example, " 1      never  pause task_manager[1], for 1 s; planned at 10min\n");
    const char *text = (const char *)example.text.data;
    ck_assert(strstr(text, "crash machine") < strstr(text, "never"));
    arena_drop(&example.arena);
}
END_TEST

START_TEST(of_many_faults_the_first_and_the_last_are_shown)
{
    struct example example;
    example_init(&example);
    struct fault faults[20];
    struct fault_record records[20];
    for (uint32_t i = 0; i < 20; i++) {
        faults[i] = example.faults[0];
        records[i] = (struct fault_record){ .fault = &faults[i],
                                            .fired = i != 7,
                                            .fired_ns = (i + 1) * SECOND };
    }
    example.scenario.faults = faults;
    example.scenario.fault_count = 20;
    example.run.faults = records;
    example_write(&example, verdict_write);
    expect_words(&example, " 1    1.000 s");
    expect_words(&example, " 8      never");
    expect_words(&example, "... and 12 more, see result.json");
    ck_assert(!says(&example, "10.000 s  "));
    arena_drop(&example.arena);
}
END_TEST

START_TEST(a_recovery_is_split_into_its_phases_and_names_its_fault)
{
    struct example example;
    example_init(&example);
    example_write(&example, verdict_write);
    expect_words(&example, "   500 ms        -    25 ms    71 ms   100 ms   696 ms        2   "
                           "12,345  fault 2\n");
    example.recovery.failed_ns++;
    example.recovery.cause = "something else";
    example.recovery.caught_up_ns = 0;
    example.recovery.restored_from = 0;
    example_write(&example, verdict_write);
    expect_words(&example, "    71 ms        -        -    start   12,345  something else\n");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(checkpoints_have_a_median_over_the_completed_ones)
{
    struct example example;
    example_init(&example);
    example_write(&example, verdict_write);
    expect_words(&example, "3 triggered, 2 completed, 1 failed\n");
    expect_words(&example, "took 10 ms median, 30 ms at most; state 1 KiB median, 2 KiB at most\n");
    expect_words(&example, "3 failed: the JobManager was lost\n");
    example.run.summary.failed = 0;
    example_write(&example, verdict_write);
    expect_words(&example, "2 completed, 0 failed, 1 open at the end\n");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(a_wrong_run_names_the_property_and_the_expectation)
{
    struct example example;
    example_init(&example);
    example.violation =
        (struct violation){ .property = PROPERTY_OUTPUT, .message = "lost\nkey 7\033[2J" };
    example.unmet.message = "expect.recoveries: there were 1";
    example.run.verdict = VERDICT_WRONG;
    example.run.unmet = &example.unmet;
    example.run.unmet_count = 1;
    example.view.violations = &example.violation;
    example.view.violation_count = 1;
    example_write(&example, verdict_write);
    expect_words(&example, "\nWRONG        2 things are not as expected\n");
    expect_words(&example, "             output: lost\n               key 7 [2J\n");
    expect_words(&example, "             expect.recoveries: there were 1\n");
    ck_assert(!says(&example, "\033"));
    example_write(&example, verdict_write_line);
    expect_words(&example, "WRONG        example: output: lost");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(every_other_verdict_has_its_reason)
{
    struct example example;
    example_init(&example);
    example.run.verdict = VERDICT_NOT_FIRED;
    example_write(&example, verdict_write_line);
    expect_words(&example, "NOT FIRED    example: 1 of 2 planned faults never happened");
    example.run.verdict = VERDICT_STUCK;
    example.scenario.expect.within_ns = 5 * MINUTE;
    example_write(&example, verdict_write_line);
    expect_words(&example, "STUCK        example: the job did not end within 5 min\n");
    example.run.verdict = VERDICT_NOT_DETERMINISTIC;
    example.view.verified = true;
    example.view.second_hash = 0xf;
    example_write(&example, verdict_write_line);
    expect_words(&example, "0123456789abcdef and 000000000000000f\n");
    example.run.verdict = VERDICT_PASS;
    example.run.outcome = OUTCOME_REFUSED;
    example.run.summary.failure = "checkpoint 3 is damaged";
    example_write(&example, verdict_write);
    expect_words(&example, "PASS         refused, as expected: checkpoint 3 is damaged\n");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(colour_comes_only_when_it_is_asked_for)
{
    struct example example;
    example_init(&example);
    example_write(&example, verdict_write);
    ck_assert(!says(&example, "\033"));
    example.view.colour = true;
    example_write(&example, verdict_write);
    expect_words(&example, "\033[1;32mPASS");
    example.run.verdict = VERDICT_WRONG;
    example_write(&example, verdict_write);
    expect_words(&example, "\033[1;31mWRONG");
    arena_drop(&example.arena);
}
END_TEST

START_TEST(of_several_verdicts_the_worst_counts)
{
    static const enum verdict order[] = { VERDICT_WRONG,        VERDICT_NOT_DETERMINISTIC,
                                          VERDICT_STUCK,        VERDICT_NOT_FIRED,
                                          VERDICT_SURROUNDINGS, VERDICT_BAD_USAGE,
                                          VERDICT_PASS };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t k = i; k < sizeof order / sizeof *order; k++) {
            ck_assert_int_eq(verdict_worse(order[i], order[k]), order[i]);
            ck_assert_int_eq(verdict_worse(order[k], order[i]), order[i]);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *result = suite_create("verdict");
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, counts_have_a_comma_every_three_digits);
    tcase_add_test(numbers, durations_have_three_digits_and_the_unit_that_fits);
    tcase_add_test(numbers, a_duration_that_rounds_up_to_the_next_unit_is_told_in_it);
    tcase_add_test(numbers, long_durations_are_told_in_minutes_and_hours);
    tcase_add_test(numbers, sizes_count_in_powers_of_1024);
    tcase_add_test(numbers, moments_have_milliseconds_and_are_never_rounded_up);
    tcase_add_test(numbers, of_one_thing_the_noun_has_no_s);
    suite_add_tcase(result, numbers);
    TCase *text = tcase_create("text");
    tcase_add_test(text, a_pass_says_what_ran_and_what_was_compared);
    tcase_add_test(text, faults_come_in_order_of_time_and_those_that_never_fired_last);
    tcase_add_test(text, of_many_faults_the_first_and_the_last_are_shown);
    tcase_add_test(text, a_recovery_is_split_into_its_phases_and_names_its_fault);
    tcase_add_test(text, checkpoints_have_a_median_over_the_completed_ones);
    tcase_add_test(text, a_wrong_run_names_the_property_and_the_expectation);
    tcase_add_test(text, every_other_verdict_has_its_reason);
    tcase_add_test(text, colour_comes_only_when_it_is_asked_for);
    tcase_add_test(text, of_several_verdicts_the_worst_counts);
    suite_add_tcase(result, text);
    return result;
}

int main(void)
{
    return run_suite(suite());
}
