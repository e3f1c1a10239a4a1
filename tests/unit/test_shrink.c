#include "sim/campaign/shrink.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/campaign/output_files.h"
#include "sim/scenario/scenario_short.h"
#include "tests/support/runner.h"

static struct arena arena;
static char folder[64];

static void set_up(void)
{
    arena_init(&arena);
    strcpy(folder, "/tmp/test_shrink.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    const char *command = arena_format(&arena, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    arena_drop(&arena);
}

static struct scenario parse(const char *json)
{
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    enum status status =
        scenario_parse(&scenario, &arena, bytes_of_text(json), "test.json", ".", NULL, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
    return scenario;
}

/* Odd numbers everywhere, and seven faults; `expect` says what is wrong with them. */
static const char *busy(const char *expect)
{
    return arena_format(
        &arena,
        "{ \"name\": \"busy\", \"seed\": 77, \"job\": { \"name\": \"count\", \"parallelism\": 3,\n"
        "    \"input\": { \"records\": 1234, \"keys\": 77, \"rate\": \"2k/s\", \"skew\": 0.3 } },\n"
        "  \"checkpoint\": { \"interval\": \"71ms\", \"retained\": 3, \"max_concurrent\": 2,\n"
        "    \"inline_threshold\": \"17B\" },\n"
        "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 19, \"delay\": \"13ms\" },\n"
        "  \"cluster\": { \"task_managers\": 4, \"slots\": 2, \"network\": { \"buffer\": \"777B\" "
        "},\n"
        "    \"heartbeat\": { \"interval\": \"101ms\", \"timeout\": \"1001ms\" } },\n"
        "  \"faults\": [\n"
        "    { \"at\": \"51234us\", \"do\": \"pause\", \"on\": \"count[1]\", \"for\": \"3ms\" },\n"
        "    { \"at\": \"61234us\", \"do\": \"delay\", \"on\": \"link source->count\",\n"
        "      \"by\": \"7ms\", \"for\": \"31ms\" },\n"
        "    { \"at\": \"151234us\", \"do\": \"crash\", \"on\": \"count[2]\", \"for\": \"33ms\" "
        "},\n"
        "    { \"at\": \"181234us\", \"do\": \"pause\", \"on\": \"source[0]\", \"for\": \"3ms\" "
        "},\n"
        "    { \"at\": \"351234us\", \"do\": \"crash\", \"on\": \"source[1]\", \"for\": \"33ms\" "
        "},\n"
        "    { \"at\": \"361234us\", \"do\": \"pause\", \"on\": \"job_manager\", \"for\": \"3ms\" "
        "},\n"
        "    { \"when\": \"checkpoint 2 task.acked(count[1])\", \"do\": \"pause\",\n"
        "      \"on\": \"count[1]\", \"for\": \"2ms\" }\n"
        "  ],\n"
        "  \"expect\": { \"fired\": \"any\", \"within\": \"1min\", %s } }\n",
        expect);
}

static struct scenario shrink_busy(const char *expect, struct shrink_result *result)
{
    struct scenario scenario = parse(busy(expect));
    struct finding finding;
    ck_assert_int_eq(run_apart(&scenario, (struct bytes){ 0 }, &arena, &finding), STATUS_OK);
    ck_assert_int_eq(finding.kind, FINDING_UNMET);
    struct shrink_options options = { .processes = 2 };
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario small;
    enum status status =
        shrink(&small, &arena, &scenario, (struct bytes){ 0 }, &finding, &options, result, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
    struct finding after;
    ck_assert_int_eq(run_apart(&small, (struct bytes){ 0 }, &arena, &after), STATUS_OK);
    ck_assert(finding_same(&finding, &after));
    return small;
}

START_TEST(one_fault_of_seven_is_left_and_all_else_is_plain)
{
    struct shrink_result result;
    struct scenario small = shrink_busy("\"recoveries\": \"= 0\"", &result);
    ck_assert_uint_eq(small.fault_count, 1);
    ck_assert_int_eq(small.faults[0].verb, FAULT_CRASH);
    ck_assert_uint_eq(small.job.parallelism, 1);
    ck_assert_uint_lt(small.job.input.records, 1000);
    ck_assert_uint_lt(small.job.input.keys, 10);
    ck_assert_uint_eq(small.seed, 1);
    struct scenario plain;
    scenario_init(&plain);
    ck_assert_uint_eq(small.job.checkpoint.retained, plain.job.checkpoint.retained);
    ck_assert_uint_eq(small.job.checkpoint.inline_threshold_bytes,
                      plain.job.checkpoint.inline_threshold_bytes);
    ck_assert_uint_eq(small.job.buffer_bytes, plain.job.buffer_bytes);
    ck_assert_uint_ge(result.runs, result.accepted);
}
END_TEST

START_TEST(two_faults_are_left_if_it_takes_two)
{
    struct shrink_result result;
    struct scenario small = shrink_busy("\"recoveries\": \"< 2\"", &result);
    ck_assert_uint_eq(small.fault_count, 2);
    ck_assert_int_eq(small.faults[0].verb, FAULT_CRASH);
    ck_assert_int_eq(small.faults[1].verb, FAULT_CRASH);
}
END_TEST

START_TEST(a_time_becomes_the_step_before_it)
{
    struct shrink_result result;
    struct scenario small = shrink_busy("\"recoveries\": \"= 0\"", &result);
    ck_assert_int_eq(small.faults[0].trigger.kind, TRIGGER_WHEN);
    ck_assert_uint_ge(small.faults[0].trigger.occurrence, 1);
}
END_TEST

START_TEST(what_fails_otherwise_is_not_shrunk)
{
    struct scenario scenario = parse(busy("\"recoveries\": \"= 0\""));
    struct finding other = { .kind = FINDING_PROPERTY,
                             .number = PROPERTY_OUTPUT,
                             .message = "another failure" };
    struct shrink_options options = { .processes = 1 };
    struct shrink_result result;
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario small;
    ck_assert_int_eq(
        shrink(&small, &arena, &scenario, (struct bytes){ 0 }, &other, &options, &result, &error),
        STATUS_INVALID);
    ck_assert_uint_gt(error.size, 0);
}
END_TEST

static enum verdict shrink_written(const char *json, const char **out)
{
    struct buffer error;
    buffer_init(&error, &arena);
    const char *path = arena_format(&arena, "%s/given.json", folder);
    ck_assert_int_eq(output_path_write(&arena, path, bytes_of_text(json), &error), STATUS_OK);
    *out = arena_format(&arena, "%s/given-small.json", folder);
    struct shrink_file_options options = { .scenario = path, .program = "faultline" };
    return shrink_file(&options, &error);
}

START_TEST(the_verb_writes_a_short_file_that_fails_again)
{
    const char *out;
    ck_assert_int_eq(shrink_written(busy("\"recoveries\": \"= 0\""), &out), VERDICT_PASS);
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    ck_assert_int_eq(scenario_read(&scenario, &arena, out, NULL, &error), STATUS_OK);
    ck_assert_uint_eq(scenario.fault_count, 1);
    FILE *file = fopen(out, "r");
    ck_assert_ptr_nonnull(file);
    char text[4096];
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    ck_assert_ptr_null(memmem(text, size, "max_concurrent", 14));
    ck_assert_ptr_nonnull(memmem(text, size, "recoveries", 10));
}
END_TEST

START_TEST(the_verb_refuses_what_does_not_fail)
{
    const char *out;
    ck_assert_int_eq(shrink_written(busy("\"recoveries\": \"< 100\""), &out), VERDICT_BAD_USAGE);
    ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

START_TEST(what_is_written_short_reads_back_the_same)
{
    struct scenario scenario = parse(busy("\"recoveries\": \"< 100\""));
    struct buffer full;
    struct buffer brief;
    struct buffer again;
    buffer_init(&full, &arena);
    buffer_init(&brief, &arena);
    buffer_init(&again, &arena);
    scenario_write(&scenario, &full);
    scenario_write_short(&scenario, &brief);
    ck_assert_uint_lt(brief.size, full.size);
    struct scenario reread =
        parse(arena_format(&arena, "%.*s", (int)brief.size, (const char *)brief.data));
    scenario_write(&reread, &again);
    ck_assert(bytes_equal(buffer_bytes(&full), buffer_bytes(&again)));
}
END_TEST

START_TEST(numbers_become_round)
{
    ck_assert_uint_eq(round_to_digits(0, 1), 0);
    ck_assert_uint_eq(round_to_digits(7, 1), 7);
    ck_assert_uint_eq(round_to_digits(317, 1), 300);
    ck_assert_uint_eq(round_to_digits(317, 2), 310);
    ck_assert_uint_eq(round_to_digits(999, 3), 999);
    ck_assert_uint_eq(round_to_digits(UINT64_MAX, 1), UINT64_C(10000000000000000000));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("shrink");
    TCase *tc = tcase_create("shrink");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, one_fault_of_seven_is_left_and_all_else_is_plain);
    tcase_add_test(tc, two_faults_are_left_if_it_takes_two);
    tcase_add_test(tc, a_time_becomes_the_step_before_it);
    tcase_add_test(tc, what_fails_otherwise_is_not_shrunk);
    tcase_add_test(tc, the_verb_writes_a_short_file_that_fails_again);
    tcase_add_test(tc, the_verb_refuses_what_does_not_fail);
    tcase_add_test(tc, what_is_written_short_reads_back_the_same);
    tcase_add_test(tc, numbers_become_round);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
