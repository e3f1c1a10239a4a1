#include "sim/campaign/shrink.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/campaign/output_files.h"
#include "sim/campaign/shrink_private.h"
#include "sim/scenario/scenario_short.h"
#include "tests/support/runner.h"
#include "tests/support/scenarios.h"
#include "tests/support/scratch.h"

static struct scenario parse(const char *json)
{
    return scenario_from(&arena, json);
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

/* Shrinks `scenario`, which must fail; what is left fails in the same way. */
static struct scenario shrink_all_of(struct scenario scenario, struct bytes input,
                                     struct shrink_options options, struct shrink_result *result)
{
    struct finding finding;
    ck_assert_int_eq(run_apart(&scenario, input, &arena, &finding), STATUS_OK);
    ck_assert_int_ne(finding.kind, FINDING_NONE);
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario small;
    ck_assert_int_eq(shrink(&small, &arena, &scenario, input, &finding, &options, result, &error),
                     STATUS_OK);
    struct finding after;
    ck_assert_int_eq(run_apart(&small, result->input, &arena, &after), STATUS_OK);
    ck_assert(finding_same(&finding, &after));
    ck_assert_str_eq(after.message, result->finding.message);
    return small;
}

/* Only the last fault is one too many, and it waits for what the others bring about. */
static const char *const entangled =
    "{ \"job\": { \"name\": \"count\", \"parallelism\": 2,\n"
    "    \"input\": { \"records\": 4000, \"keys\": 10, \"rate\": \"2k/s\" } },\n"
    "  \"checkpoint\": { \"interval\": \"100ms\" },\n"
    "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 9, \"delay\": \"10ms\" },\n"
    "  \"faults\": [\n"
    "    { \"at\": \"300ms\", \"do\": \"crash\", \"on\": \"count[0]\", \"for\": \"5ms\" },\n"
    "    { \"at\": \"800ms\", \"do\": \"crash\", \"on\": \"source[1]\", \"for\": \"5ms\" },\n"
    "    { \"when\": \"job.running #3\", \"do\": \"crash\", \"on\": \"job_manager\", "
    "\"for\": \"3s\" }\n"
    "  ],\n"
    "  \"expect\": { \"fired\": \"any\", \"recovery_time\": \"< 2s\" } }\n";

START_TEST(faults_that_only_bring_another_about_are_dropped)
{
    struct shrink_result result;
    struct scenario small =
        shrink_all_of(parse(entangled), (struct bytes){ 0 }, (struct shrink_options){ 0 }, &result);
    ck_assert_uint_eq(small.fault_count, 1);
    ck_assert_uint_eq(small.faults[0].trigger.occurrence, 1);
}
END_TEST

/* The crash waits for a checkpoint that expires, which only the clogged network makes it do. */
static const char *const brought_about =
    "{ \"job\": { \"name\": \"count\", \"parallelism\": 2,\n"
    "    \"input\": { \"records\": 4000, \"keys\": 10, \"rate\": \"2k/s\" } },\n"
    "  \"checkpoint\": { \"interval\": \"100ms\", \"timeout\": \"200ms\", "
    "\"tolerable_failures\": 99 },\n"
    "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 9, \"delay\": \"10ms\" },\n"
    "  \"faults\": [\n"
    "    { \"at\": \"350ms\", \"do\": \"clog\", \"on\": \"network\", \"for\": \"700ms\" },\n"
    "    { \"when\": \"checkpoint.aborted\", \"do\": \"crash\", \"on\": \"job_manager\", "
    "\"for\": \"3s\" }\n"
    "  ],\n"
    "  \"expect\": { \"fired\": \"any\", \"recovery_time\": \"< 2s\" } }\n";

START_TEST(a_fault_that_waits_for_what_another_does_is_moved)
{
    struct shrink_result result;
    struct scenario small = shrink_all_of(parse(brought_about), (struct bytes){ 0 },
                                          (struct shrink_options){ 0 }, &result);
    ck_assert_uint_eq(small.fault_count, 1);
    ck_assert_int_eq(small.faults[0].verb, FAULT_CRASH);
    ck_assert(small.faults[0].trigger.fact != FACT_CHECKPOINT_ABORTED);
}
END_TEST

START_TEST(the_same_bytes_come_out_however_many_processes_work)
{
    struct buffer texts[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct shrink_result result;
        struct shrink_options options = { .processes = 1 + 2 * i };
        struct scenario small = shrink_all_of(parse(busy("\"recoveries\": \"< 2\"")),
                                              (struct bytes){ 0 }, options, &result);
        buffer_init(&texts[i], &arena);
        scenario_write(&small, &texts[i]);
    }
    ck_assert(bytes_equal(buffer_bytes(&texts[0]), buffer_bytes(&texts[1])));
}
END_TEST

static ssize_t interrupt(void *cookie, const char *text, size_t size)
{
    (void)text;
    bool *done = cookie;
    if (!*done) {
        *done = true;
        (void)raise(SIGINT);
    }
    return (ssize_t)size;
}

START_TEST(an_interruption_gives_the_best_so_far)
{
    bool done = false;
    FILE *report = fopencookie(&done, "w", (cookie_io_functions_t){ .write = interrupt });
    ck_assert_ptr_nonnull(report);
    struct shrink_result result;
    struct shrink_options options = { .processes = 2, .report = report };
    struct scenario small = shrink_all_of(parse(busy("\"recoveries\": \"= 0\"")),
                                          (struct bytes){ 0 }, options, &result);
    (void)fclose(report);
    ck_assert(done);
    ck_assert(result.interrupted);
    ck_assert_uint_le(result.accepted, 2); /* one more may have ended at the same moment */
    ck_assert_uint_lt(small.fault_count, 7);
    ck_assert_uint_eq(small.seed, 77);
}
END_TEST

START_TEST(when_its_time_is_up_it_says_so_and_stops)
{
    struct shrink_result result;
    struct shrink_options options = { .processes = 1, .time_ns = 1 };
    struct scenario small = shrink_all_of(parse(busy("\"recoveries\": \"= 0\"")),
                                          (struct bytes){ 0 }, options, &result);
    ck_assert(result.out_of_time);
    ck_assert(!result.interrupted);
    ck_assert_uint_eq(small.fault_count, 7);
}
END_TEST

/* The file itself is not read: its lines are handed over. */
static struct scenario of_file(const char *rest)
{
    return parse(arena_format(&arena,
                              "{ \"job\": { \"name\": \"count\", \"parallelism\": 2,\n"
                              "    \"input\": { \"file\": \"%s/lines.txt\" } }%s }\n",
                              folder.path, rest));
}

static struct bytes lines(const char *odd_one)
{
    struct buffer text;
    buffer_init(&text, &arena);
    for (unsigned i = 0; i < 100; i++) {
        buffer_append_format(&text, "%u\n", i);
    }
    buffer_append_text(&text, odd_one);
    for (unsigned i = 0; i < 100; i++) {
        buffer_append_format(&text, "%u\n", i);
    }
    return buffer_bytes(&text);
}

START_TEST(records_are_generated_if_the_file_does_not_matter)
{
    struct shrink_result result;
    struct scenario small = shrink_all_of(of_file(", \"expect\": { \"checkpoints\": \"= 0\" }"),
                                          lines(""), (struct shrink_options){ 0 }, &result);
    ck_assert_int_eq(small.job.input.kind, INPUT_GENERATOR);
    ck_assert_uint_le(small.job.input.records, 1);
    ck_assert_uint_eq(result.input.size, 0);
}
END_TEST

START_TEST(only_the_line_that_matters_is_left_of_a_file)
{
    struct shrink_result result;
    struct scenario small =
        shrink_all_of(of_file(""), lines("word\n"), (struct shrink_options){ 0 }, &result);
    ck_assert_int_eq(small.job.input.kind, INPUT_FILE);
    ck_assert(bytes_equal(result.input, bytes_of_text("word\n")));
}
END_TEST

START_TEST(a_cut_input_is_written_beside_the_scenario_that_names_it)
{
    struct buffer error;
    buffer_init(&error, &arena);
    const char *input = folder_path(&folder, &arena, "lines.txt");
    ck_assert_int_eq(output_path_write(&arena, input, lines("word\n"), &error), STATUS_OK);
    const char *given = folder_path(&folder, &arena, "given.json");
    const char *json =
        "{ \"job\": { \"name\": \"count\", \"input\": { \"file\": \"lines.txt\" } } }";
    ck_assert_int_eq(output_path_write(&arena, given, bytes_of_text(json), &error), STATUS_OK);
    const char *out = folder_path(&folder, &arena, "elsewhere/small.json");
    struct shrink_file_options options = { .scenario = given, .out = out, .program = "faultline" };
    ck_assert_int_eq(shrink_file(&options, &error), VERDICT_PASS);
    const char *command =
        arena_format(&arena, "mv %s/elsewhere %s/moved", folder.path, folder.path);
    ck_assert_int_eq(system(command), 0);
    out = folder_path(&folder, &arena, "moved/small.json");
    struct scenario scenario;
    ck_assert_int_eq(scenario_read(&scenario, &arena, out, NULL, &error), STATUS_OK);
    ck_assert_str_eq(scenario.name, "small");
    struct bytes cut;
    ck_assert_int_eq(run_read_input(&scenario, &arena, &cut, &error), STATUS_OK);
    ck_assert(bytes_equal(cut, bytes_of_text("word\n")));
}
END_TEST

static struct recording record(struct scenario scenario)
{
    struct shrink_options options = { 0 };
    struct shrink_result result = { 0 };
    struct shrinker shrinker = {
        .arena = &arena, .best = scenario, .options = &options, .result = &result
    };
    return shrink_record(&shrinker, &scenario);
}

START_TEST(a_run_that_crashes_has_told_the_steps_before)
{
    struct scenario scenario = parse(entangled);
    struct recording whole = record(scenario);
    scenario.faults[1].verb = FAULT_VERB_COUNT; /* an assertion fails at 800 ms */
    struct recording broken = record(scenario);
    ck_assert_uint_gt(broken.step_count, 10);
    ck_assert_uint_lt(broken.step_count, whole.step_count);
    ck_assert_uint_ge(broken.firing_count, 1);
    ck_assert_uint_eq(broken.firings[0].fault, 0);
    ck_assert_uint_eq(broken.firings[0].time_ns, 300000000);
    struct fault_trigger ours = shrink_step_trigger(&broken, broken.step_count - 1);
    struct fault_trigger theirs = shrink_step_trigger(&whole, broken.step_count - 1);
    ck_assert_int_eq(ours.kind, TRIGGER_WHEN);
    ck_assert_int_eq(ours.fact, theirs.fact);
    ck_assert_uint_eq(ours.occurrence, theirs.occurrence);
}
END_TEST

static struct finding crash_saying(const char *text)
{
    struct worker_end end = { .crashed = true,
                              .signal = SIGABRT,
                              .error_output = bytes_of_text(text) };
    return finding_of_crash(&end, &arena);
}

START_TEST(two_assertions_are_two_failures)
{
    struct finding one = crash_saying("model/a.c:12: f: broken invariant: x > 3\n");
    struct finding same = crash_saying("model/a.c:12: f: broken invariant: x > 3 (x is 2)\n");
    struct finding other = crash_saying("model/a.c:120: f: broken invariant: x > 3\n");
    struct finding silent = crash_saying("");
    ck_assert(finding_same(&one, &same));
    ck_assert(!finding_same(&one, &other));
    ck_assert(!finding_same(&one, &silent));
    struct buffer text;
    buffer_init(&text, &arena);
    finding_encode(&one, &text);
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&text));
    struct finding decoded = finding_decode(&decoder, &arena);
    ck_assert(finding_same(&one, &decoded));
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
    const char *path = folder_path(&folder, &arena, "given.json");
    ck_assert_int_eq(output_path_write(&arena, path, bytes_of_text(json), &error), STATUS_OK);
    *out = folder_path(&folder, &arena, "given-small.json");
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
    ck_assert_str_eq(scenario.name, "given-small");
    ck_assert_ptr_nonnull(strstr(scenario.about, "shrunk from busy, 7 faults to 1: expect."));
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

START_TEST(defaults_are_those_of_a_reader_although_a_fault_needs_more)
{
    struct scenario scenario = parse(
        "{ \"job\": { \"name\": \"count\", \"input\": { \"rate\": \"5k/s\" } },\n"
        "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": \"unlimited\" },\n"
        "  \"faults\": [ { \"at\": \"1s\", \"do\": \"burst\", \"on\": \"input\", \"factor\": 2,\n"
        "    \"for\": \"1s\" } ] }\n");
    struct buffer brief;
    buffer_init(&brief, &arena);
    scenario_write_short(&scenario, &brief);
    struct scenario reread =
        parse(arena_format(&arena, "%.*s", (int)brief.size, (const char *)brief.data));
    ck_assert_uint_eq(reread.job.restart.attempts, scenario.job.restart.attempts);
    ck_assert_uint_eq(reread.job.slots, scenario.job.slots);
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
    tcase_add_checked_fixture(tc, scratch_set_up, scratch_tear_down);
    tcase_add_test(tc, one_fault_of_seven_is_left_and_all_else_is_plain);
    tcase_add_test(tc, two_faults_are_left_if_it_takes_two);
    tcase_add_test(tc, a_time_becomes_the_step_before_it);
    tcase_add_test(tc, what_fails_otherwise_is_not_shrunk);
    tcase_add_test(tc, the_verb_writes_a_short_file_that_fails_again);
    tcase_add_test(tc, the_verb_refuses_what_does_not_fail);
    tcase_add_test(tc, what_is_written_short_reads_back_the_same);
    tcase_add_test(tc, faults_that_only_bring_another_about_are_dropped);
    tcase_add_test(tc, a_fault_that_waits_for_what_another_does_is_moved);
    tcase_add_test(tc, the_same_bytes_come_out_however_many_processes_work);
    tcase_add_test(tc, an_interruption_gives_the_best_so_far);
    tcase_add_test(tc, when_its_time_is_up_it_says_so_and_stops);
    tcase_add_test(tc, records_are_generated_if_the_file_does_not_matter);
    tcase_add_test(tc, only_the_line_that_matters_is_left_of_a_file);
    tcase_add_test(tc, a_cut_input_is_written_beside_the_scenario_that_names_it);
    tcase_add_test(tc, a_run_that_crashes_has_told_the_steps_before);
    tcase_add_test(tc, two_assertions_are_two_failures);
    tcase_add_test(tc, defaults_are_those_of_a_reader_although_a_fault_needs_more);
    tcase_add_test(tc, numbers_become_round);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
