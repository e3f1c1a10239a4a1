/* The catalogue of faults: what can be written, what becomes of it before the run, what may come of
 * it, and that each verb has a scenario that shows it. */
#include <dirent.h>
#include <string.h>

#include "sim/campaign/run.h"
#include "sim/fault/fault_consequences.h"
#include "sim/fault/fault_firings.h"
#include "sim/fault/fault_input.h"
#include "sim/scenario/scenario_json.h"
#include "tests/support/runner.h"
#include "tests/support/scenarios.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_drop(&arena);
}

/* A small job under `faults`, the elements of a JSON array. */
static struct scenario parse(const char *faults, uint64_t seed)
{
    return scenario_from(
        &arena, arena_format(&arena,
                             "{\"seed\": %llu, \"job\": {\"name\": \"count\", \"parallelism\": 3,"
                             " \"input\": {\"records\": 5000, \"keys\": 100, \"rate\": \"1k/s\"}},"
                             " \"cluster\": {\"task_managers\": 4}, \"faults\": [%s]}",
                             (unsigned long long)seed, faults));
}

static const char *written(const struct scenario *scenario)
{
    struct buffer out;
    buffer_init(&out, &arena);
    scenario_write(scenario, &out);
    return text_of(&out, &arena);
}

/* ---- writing and reading --------------------------------------------------------------------- */

/* Every verb but swizzle, which stands for others, with every parameter it knows. */
static const char *const every_verb[] = {
    "{ \"at\": \"1s\", \"do\": \"crash\", \"on\": \"machine of any count\","
    " \"unsynced\": \"tear\", \"for\": \"3ms\" }",
    "{ \"when\": \"checkpoint 2 task.acked(count[1]) #2\", \"after\": \"5ms\", \"do\": \"pause\","
    " \"on\": \"count[1]\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"delay\", \"on\": \"connection job_manager - any count\","
    " \"by\": \"4ms\", \"jitter\": \"5us\", \"for\": \"ever\" }",
    "{ \"at\": \"1s\", \"do\": \"corrupt\", \"on\": \"file a/*\" }",
    "{ \"at\": \"1s\", \"do\": \"remove\", \"on\": \"file a/*\" }",
    "{ \"at\": \"1s\", \"do\": \"truncate\", \"on\": \"file a/*\", \"size\": \"3KiB\" }",
    "{ \"at\": \"1s\", \"do\": \"wipe\", \"on\": \"machine of task_manager[3]\" }",
    "{ \"at\": \"1s\", \"do\": \"slow\", \"on\": \"disk of job_manager\", \"factor\": 2.5,"
    " \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"slow\", \"on\": \"all task_managers\", \"factor\": 2,"
    " \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"throw\", \"on\": \"source[2]\", \"in\": \"restore\","
    " \"count\": 3 }",
    "{ \"at\": \"1s\", \"do\": \"late\", \"on\": \"job_manager\", \"by\": \"3ms\","
    " \"for\": \"1s\" }",
    "{ \"at\": \"1s\", \"do\": \"clock\", \"on\": \"machine of job_manager\", \"by\": \"-3s\" }",
    "{ \"at\": \"1s\", \"do\": \"clock\", \"on\": \"machine of job_manager\","
    " \"drift\": \"-0.001\" }",
    "{ \"at\": \"1s\", \"do\": \"clock\", \"on\": \"machine of job_manager\", \"by\": \"2s\","
    " \"drift\": 0.25 }",
    "{ \"at\": \"1s\", \"do\": \"throttle\", \"on\": \"link source->count\","
    " \"bandwidth\": \"7KiB/s\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"clog\","
    " \"on\": \"connection task_manager[0] - all task_managers\", \"direction\": \"in\","
    " \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"partition\", \"on\": \"network\","
    " \"groups\": \"job_manager, task_manager[1] | task_manager[2]\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"partition\", \"on\": \"network of any task_manager\","
    " \"direction\": \"out\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"reset\", \"on\": \"network of any source\" }",
    "{ \"at\": \"1s\", \"do\": \"duplicate\", \"on\": \"network\", \"by\": \"3ms\","
    " \"for\": \"1s\" }",
    "{ \"at\": \"1s\", \"do\": \"stall\", \"on\": \"store\", \"calls\": [\"sync\", \"list\"],"
    " \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"full\", \"on\": \"store of job_manager\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"io_error\", \"on\": \"file a/?\", \"calls\": \"write\","
    " \"count\": 7 }",
    "{ \"at\": \"1s\", \"do\": \"ambiguous\", \"on\": \"store\", \"for\": \"4ms\" }",
    "{ \"at\": \"1s\", \"do\": \"lie\", \"on\": \"store\", \"count\": 2, \"for\": \"4ms\" }",
    "{ \"at\": \"1s\", \"do\": \"hot_key\", \"on\": \"input\", \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"burst\", \"on\": \"input\", \"factor\": 9, \"for\": \"3ms\" }",
    "{ \"at\": \"1s\", \"do\": \"poison\", \"on\": \"input\" }",
    "{ \"at\": \"1s\", \"do\": \"rescale\", \"on\": \"job\", \"parallelism\": 3 }",
    "{ \"at\": \"1s\", \"do\": \"rescale\", \"parallelism\": 2, \"max_parallelism\": 7 }",
};
enum { EVERY_VERB_COUNT = sizeof every_verb / sizeof *every_verb };

START_TEST(what_is_written_is_read_as_the_same_fault)
{
    bool seen[FAULT_VERB_COUNT] = { [FAULT_SWIZZLE] = true };
    for (uint32_t i = 0; i < EVERY_VERB_COUNT; i++) {
        struct scenario first = parse(every_verb[i], 5);
        const char *text = written(&first);
        struct scenario second = scenario_from(&arena, text);
        ck_assert_uint_eq(first.fault_count, 1);
        ck_assert_str_eq(written(&second), text);
        struct fault a = first.faults[0];
        struct fault b = second.faults[0];
        if (a.groups != NULL) {
            ck_assert_str_eq(a.groups->text, b.groups->text);
            ck_assert_mem_eq(a.groups->of_process, b.groups->of_process, 5);
        }
        if (a.object.glob != NULL) {
            ck_assert_str_eq(a.object.glob, b.object.glob);
        }
        a.groups = b.groups = NULL;
        a.object.glob = b.object.glob = NULL;
        ck_assert_mem_eq(&a, &b, sizeof a);
        seen[a.verb] = true;
    }
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        ck_assert_msg(seen[i], "%s is not among them", fault_verb_name((enum fault_verb)i));
    }
}
END_TEST

START_TEST(every_parameter_is_described_for_people)
{
    struct scenario s = parse(every_verb[2], 5);
    struct buffer out;
    buffer_init(&out, &arena);
    fault_describe(&s, &s.faults[0], &out);
    const char *text = text_of(&out, &arena);
    ck_assert_ptr_nonnull(strstr(text, "delay connection job_manager - count["));
    ck_assert_ptr_nonnull(strstr(text, "] by 4ms jitter 5us at 1s"));
    s = parse(every_verb[1], 5);
    buffer_reset(&out);
    fault_describe(&s, &s.faults[0], &out);
    ck_assert_str_eq(text_of(&out, &arena),
                     "pause count[1] 5ms after checkpoint 2 task.acked(count[1]) #2");
}
END_TEST

/* ---- firings --------------------------------------------------------------------------------- */

START_TEST(every_fires_so_often_with_gaps_from_its_range)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scenario s = parse("{ \"every\": \"100ms..300ms\", \"times\": 7, \"do\": \"pause\","
                                  " \"on\": \"any task_manager\" }",
                                  seed);
        ck_assert_uint_eq(s.fault_count, 7);
        uint64_t last_ns = 0;
        for (uint32_t i = 0; i < s.fault_count; i++) {
            ck_assert_int_eq(s.faults[i].trigger.kind, TRIGGER_AT);
            uint64_t gap_ns = s.faults[i].trigger.at_ns - last_ns;
            ck_assert_uint_ge(gap_ns, 100 * MS);
            ck_assert_uint_le(gap_ns, 300 * MS);
            last_ns = s.faults[i].trigger.at_ns;
        }
    }
}
END_TEST

START_TEST(any_is_drawn_again_for_each_firing)
{
    struct scenario s = parse("{ \"every\": \"1s\", \"times\": 40, \"do\": \"pause\","
                              " \"on\": \"any task_manager\" }",
                              1);
    bool seen[4] = { false };
    for (uint32_t i = 0; i < s.fault_count; i++) {
        ck_assert_uint_eq(s.faults[i].trigger.at_ns, (i + 1) * S);
        seen[s.faults[i].object.index] = true;
    }
    ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
}
END_TEST

START_TEST(a_rate_is_kept_on_average)
{
    struct scenario s = parse("{ \"rate\": \"4/s\", \"times\": 4000, \"do\": \"reset\","
                              " \"on\": \"network\" }",
                              3);
    ck_assert_uint_eq(s.fault_count, 4000);
    uint64_t end_ns = s.faults[3999].trigger.at_ns; /* 1000 s give or take 16 */
    ck_assert_uint_gt(end_ns, 950 * S);
    ck_assert_uint_lt(end_ns, 1050 * S);
    uint32_t short_count = 0; /* of an exponential distribution 1 - 1/e are below the mean */
    for (uint32_t i = 1; i < s.fault_count; i++) {
        short_count += s.faults[i].trigger.at_ns - s.faults[i - 1].trigger.at_ns < 250 * MS;
    }
    ck_assert_uint_gt(short_count, 2400);
    ck_assert_uint_lt(short_count, 2660);
}
END_TEST

START_TEST(p_leaves_out_its_share)
{
    struct scenario s = parse("{ \"every\": \"1s\", \"times\": 4000, \"p\": 0.25,"
                              " \"do\": \"pause\", \"on\": \"job_manager\" }",
                              3);
    ck_assert_uint_gt(s.fault_count, 880);
    ck_assert_uint_lt(s.fault_count, 1120);
    ck_assert_uint_eq(parse("{ \"at\": \"1s\", \"p\": 0, \"do\": \"pause\","
                            " \"on\": \"job_manager\" }",
                            3)
                          .fault_count,
                      0);
}
END_TEST

START_TEST(times_in_a_row_are_spaced)
{
    struct scenario s = parse("{ \"at\": \"2s\", \"times\": 3, \"spacing\": \"10ms\","
                              " \"do\": \"crash\", \"on\": \"job_manager\" },"
                              "{ \"when\": \"job.running\", \"times\": 3, \"spacing\": \"10ms\","
                              " \"do\": \"crash\", \"on\": \"job_manager\" }",
                              1);
    ck_assert_uint_eq(s.fault_count, 6);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(s.faults[i].trigger.at_ns, 2 * S + i * 10 * MS);
        ck_assert_uint_eq(s.faults[3 + i].trigger.after_ns, i * 10 * MS);
        ck_assert_uint_eq(s.faults[3 + i].trigger.occurrence, 1);
    }
}
END_TEST

START_TEST(times_of_a_step_are_its_next_matches)
{
    struct scenario s = parse("{ \"when\": \"job.running #2\", \"times\": 3, \"do\": \"crash\","
                              " \"on\": \"job_manager\" }",
                              1);
    ck_assert_uint_eq(s.fault_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(s.faults[i].trigger.occurrence, 2 + i);
        ck_assert_uint_eq(s.faults[i].trigger.after_ns, 0);
    }
}
END_TEST

START_TEST(a_rolling_kill_takes_one_after_the_other)
{
    struct scenario s = parse("{ \"at\": \"1s\", \"rolling\": true, \"times\": 2,"
                              " \"spacing\": \"1s\", \"do\": \"crash\","
                              " \"on\": \"all task_managers\" }",
                              1);
    ck_assert_uint_eq(s.fault_count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert_int_eq(s.faults[i].object.kind, OBJECT_TASK_MANAGER);
        ck_assert_uint_eq(s.faults[i].object.index, i % 4);
        ck_assert_uint_eq(s.faults[i].trigger.at_ns, (i + 1) * S);
    }
}
END_TEST

START_TEST(a_swizzle_clogs_a_half_and_frees_it_in_the_second_half)
{
    uint32_t other_order = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct scenario s = parse("{ \"at\": \"1s\", \"do\": \"swizzle\", \"on\": \"network\","
                                  " \"for\": \"2s\" }",
                                  seed);
        ck_assert_uint_eq(s.fault_count, 3); /* of five processes */
        bool seen[5] = { false };
        for (uint32_t i = 0; i < 3; i++) {
            const struct fault *clog = &s.faults[i];
            ck_assert_int_eq(clog->verb, FAULT_CLOG);
            ck_assert_int_eq(clog->object.part, PART_NETWORK);
            uint32_t process = clog->object.kind == OBJECT_JOB_MANAGER ? 0 : 1 + clog->object.index;
            ck_assert(!seen[process]);
            seen[process] = true;
            uint64_t end_ns = clog->trigger.at_ns + clog->for_ns;
            ck_assert_uint_ge(clog->trigger.at_ns, S);
            ck_assert_uint_le(clog->trigger.at_ns, 2 * S);
            ck_assert_uint_gt(end_ns, 2 * S);
            ck_assert_uint_le(end_ns, 3 * S + 1);
            const struct fault *before = i > 0 ? clog - 1 : clog;
            other_order += (before->trigger.at_ns < clog->trigger.at_ns) !=
                           (before->trigger.at_ns + before->for_ns < end_ns);
        }
    }
    ck_assert_uint_gt(other_order, 10);
}
END_TEST

START_TEST(a_resolved_scenario_draws_nothing_any_more)
{
    struct scenario first =
        parse("{ \"rate\": \"4/s\", \"times\": 9, \"p\": 0.5, \"do\": \"crash\","
              " \"on\": \"machine of any count\", \"for\": \"1ms..1s\" },"
              "{ \"when\": \"job.running\", \"do\": \"swizzle\", \"on\": \"network\","
              " \"for\": \"1s..2s\" }",
              7);
    const char *text = written(&first);
    ck_assert_ptr_null(strstr(text, "any "));
    struct scenario second = scenario_from(&arena, text);
    second.seed++;
    first.seed++;
    ck_assert_str_eq(written(&second), written(&first));
}
END_TEST

/* ---- the input ------------------------------------------------------------------------------- */

START_TEST(hot_and_bad_records_are_those_that_are_due_then)
{
    struct scenario plain = parse("", 1);
    struct scenario s = parse("{ \"at\": \"1s\", \"do\": \"hot_key\", \"on\": \"input\","
                              " \"for\": \"500ms\" },"
                              "{ \"at\": \"1.2s\", \"do\": \"poison\", \"on\": \"input\" }",
                              1);
    fault_input_prepare(&arena, &plain);
    fault_input_prepare(&arena, &s);
    for (uint64_t n = 0; n < 5000; n++) {
        uint64_t key = generator_key(s.job.input.generator, n);
        if (n == 1200) {
            ck_assert(key == GENERATOR_BAD_KEY);
        } else if (n >= 1000 && n < 1500) {
            ck_assert_uint_eq(key, 0);
        } else {
            ck_assert_uint_eq(key, generator_key(plain.job.input.generator, n));
        }
    }
}
END_TEST

/* ---- consequences ---------------------------------------------------------------------------- */

START_TEST(every_verb_has_a_consequence)
{
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        ck_assert_str_ne(fault_consequence((enum fault_verb)i)->why, "");
    }
}
END_TEST

START_TEST(the_faults_say_what_is_expected_unless_the_scenario_does)
{
    ck_assert_int_eq(parse("", 1).expect.result, EXPECT_SAME);
    ck_assert_int_eq(parse(every_verb[0], 1).expect.result, EXPECT_SAME);
    ck_assert_int_eq(
        parse("{ \"at\": \"1s\", \"do\": \"corrupt\", \"on\": \"file a\" }", 1).expect.result,
        EXPECT_SAME_OR_REFUSED);
    ck_assert_int_eq(parse("{ \"at\": \"1s\", \"do\": \"io_error\", \"on\": \"store\","
                           " \"calls\": \"write\" }",
                           1)
                         .expect.result,
                     EXPECT_SAME);
    ck_assert_int_eq(
        parse("{ \"at\": \"1s\", \"do\": \"io_error\", \"on\": \"store\" }", 1).expect.result,
        EXPECT_SAME_OR_REFUSED);
    ck_assert_int_eq(
        parse("{ \"at\": \"1s\", \"do\": \"poison\", \"on\": \"input\" }", 1).expect.result,
        EXPECT_FAILED);
    ck_assert_int_eq(scenario_from(&arena,
                                   "{\"job\": {\"name\": \"count\"}, \"faults\": [{ \"at\": \"1s\","
                                   " \"do\": \"corrupt\", \"on\": \"file a\" }],"
                                   " \"expect\": {\"result\": \"same\"}}")
                         .expect.result,
                     EXPECT_SAME);
}
END_TEST

/* ---- whole runs ------------------------------------------------------------------------------ */

static struct run run_file(const char *path)
{
    struct scenario *scenario = arena_alloc(&arena, 1, sizeof *scenario);
    struct buffer error;
    buffer_init(&error, &arena);
    enum status status =
        scenario_read(scenario, &arena, path, &(struct scenario_overrides){ 0 }, &error);
    ck_assert_msg(status == STATUS_OK, "%s", text_of(&error, &arena));
    struct run run;
    run_scenario(&run, &arena, scenario, (struct bytes){ 0 },
                 &(struct run_options){ .keep_trace = true });
    ck_assert_msg(run.verdict == VERDICT_PASS, "%s: %s", path, verdict_name(run.verdict));
    return run;
}

static const char *trace_of(const struct run *run)
{
    struct buffer out;
    buffer_init(&out, &arena);
    trace_log_write(run->trace, &out);
    return text_of(&out, &arena);
}

static uint32_t count_text(const char *text, const char *wanted)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted)) {
        count++;
    }
    return count;
}

START_TEST(each_exception_fails_one_subtask_once)
{
    static const struct {
        const char *path;
        uint32_t count;
    } cases[] = { { "scenarios/faults/throw-in-map.json", 1 },
                  { "scenarios/faults/throw-in-process.json", 2 },
                  { "scenarios/faults/throw-in-snapshot.json", 1 },
                  { "scenarios/faults/throw-in-restore.json", 2 },
                  { "scenarios/faults/throw-in-commit.json", 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run = run_file(cases[i].path);
        const char *trace = trace_of(&run);
        ck_assert_uint_eq(count_text(trace, "\"task.failed\""), cases[i].count);
        ck_assert_uint_ge(count_text(trace, "exception in user code"), cases[i].count);
    }
}
END_TEST

START_TEST(a_full_store_aborts_checkpoints_and_the_job_lives)
{
    struct run run = run_file("scenarios/faults/full-store.json");
    const char *trace = trace_of(&run);
    ck_assert_uint_ge(run.summary.failed, 1);
    ck_assert_uint_ge(count_text(trace, "\"checkpoint.aborted\""), 2);
    ck_assert_uint_eq(count_text(trace, "\"task.failed\""), 0);
    ck_assert_uint_ge(run.summary.completed, 4);
    ck_assert_uint_eq(run.summary.recovery_count, 0);
}
END_TEST

START_TEST(a_broken_data_connection_fails_the_subtasks_that_had_it)
{
    struct run run = run_file("scenarios/faults/reset-data-connection.json");
    const char *trace = trace_of(&run);
    ck_assert_uint_eq(count_text(trace, "\"channels.lost\""), 2);
    ck_assert_uint_eq(count_text(trace, "\"failure.detected\""), 1);
    ck_assert_uint_eq(run.summary.recovery_count, 1);
}
END_TEST

START_TEST(a_lying_sync_and_a_power_cut_end_in_a_refusal)
{
    struct run run = run_file("scenarios/faults/lying-sync.json");
    ck_assert_int_eq(run.outcome, OUTCOME_REFUSED);
}
END_TEST

START_TEST(every_verb_has_a_scenario_that_passes)
{
    static const char folder_name[] = "scenarios/faults";
    bool seen[FAULT_VERB_COUNT] = {
        [FAULT_CORRUPT] = true, [FAULT_REMOVE] = true, [FAULT_PAUSE] = true, [FAULT_SWIZZLE] = true,
        [FAULT_RESCALE] = true /* scenarios/rescale is full of them */
    };
    DIR *folder = opendir(folder_name);
    ck_assert_msg(folder != NULL, "the tests run in the root of the project");
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (strstr(entry->d_name, ".json") == NULL) {
            continue;
        }
        struct run run = run_file(arena_format(&arena, "%s/%s", folder_name, entry->d_name));
        for (uint32_t i = 0; i < run.scenario->fault_count; i++) {
            enum fault_verb verb = run.faults[i].fault->verb;
            seen[verb] = seen[verb] || run.faults[i].fired || verb == FAULT_POISON;
        }
    }
    (void)closedir(folder);
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        ck_assert_msg(seen[i], "no scenario for %s", fault_verb_name((enum fault_verb)i));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fault verbs");
    TCase *tests = tcase_create("fault verbs");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_written_is_read_as_the_same_fault);
    tcase_add_test(tests, every_parameter_is_described_for_people);
    tcase_add_test(tests, every_fires_so_often_with_gaps_from_its_range);
    tcase_add_test(tests, any_is_drawn_again_for_each_firing);
    tcase_add_test(tests, a_rate_is_kept_on_average);
    tcase_add_test(tests, p_leaves_out_its_share);
    tcase_add_test(tests, times_in_a_row_are_spaced);
    tcase_add_test(tests, times_of_a_step_are_its_next_matches);
    tcase_add_test(tests, a_rolling_kill_takes_one_after_the_other);
    tcase_add_test(tests, a_swizzle_clogs_a_half_and_frees_it_in_the_second_half);
    tcase_add_test(tests, a_resolved_scenario_draws_nothing_any_more);
    tcase_add_test(tests, hot_and_bad_records_are_those_that_are_due_then);
    tcase_add_test(tests, every_verb_has_a_consequence);
    tcase_add_test(tests, the_faults_say_what_is_expected_unless_the_scenario_does);
    tcase_add_test(tests, each_exception_fails_one_subtask_once);
    tcase_add_test(tests, a_full_store_aborts_checkpoints_and_the_job_lives);
    tcase_add_test(tests, a_broken_data_connection_fails_the_subtasks_that_had_it);
    tcase_add_test(tests, a_lying_sync_and_a_power_cut_end_in_a_refusal);
    tcase_add_test(tests, every_verb_has_a_scenario_that_passes);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
