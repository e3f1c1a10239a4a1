#include "sim/campaign/enumerate.h"

#include <check.h>
#include <stdio.h>

#include "sim/campaign/enumerate_points.h"
#include "tests/support/runner.h"
#include "tests/support/scratch.h"

/* One subtask of each vertex, three or four checkpoints. */
static struct enumerate_options options_of(const char *more)
{
    const char *text =
        arena_format(&arena,
                     "{ \"job\": { \"name\": \"count\", \"input\":\n"
                     "    { \"records\": 200, \"keys\": 10, \"rate\": \"1k/s\" } },\n"
                     "  \"checkpoint\": { \"interval\": \"60ms\" },\n"
                     "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 10, "
                     "\"delay\": \"10ms\" },\n"
                     "  \"cluster\": { \"task_managers\": 2,\n"
                     "    \"heartbeat\": { \"interval\": \"100ms\", \"timeout\": \"1s\" } }%s }\n",
                     more);
    return (struct enumerate_options){ .hunt = { .scenario =
                                                     folder_put(&folder, &arena, "tiny.json", text),
                                                 .processes = 2,
                                                 .out = folder.path,
                                                 .program = "faultline" },
                                       .checkpoint_max = ENUMERATE_CHECKPOINTS,
                                       .pair_facts = 8 };
}

static enum verdict run_enumerate(const struct enumerate_options *options,
                                  struct enumerate_result *result)
{
    struct buffer error;
    buffer_init(&error, &arena);
    enum verdict verdict = enumerate(options, result, &error);
    ck_assert_msg(error.size == 0, "%.*s", (int)error.size, (const char *)error.data);
    return verdict;
}

START_TEST(a_crash_at_every_step_is_survived)
{
    struct enumerate_options options = options_of("");
    struct enumerate_result result;
    ck_assert_int_eq(run_enumerate(&options, &result), VERDICT_PASS);
    ck_assert_uint_gt(result.points, 50);
    ck_assert_uint_eq(result.cases, result.points * 6);
    ck_assert_uint_lt(result.idle, result.cases / 10);
    ck_assert_uint_eq(result.failures, 0);
}
END_TEST

START_TEST(a_rescale_of_the_base_stays_and_is_struck_at_its_steps)
{
    static const char rescaled[] =
        ", \"faults\": [ { \"at\": \"90ms\", \"do\": \"rescale\", \"parallelism\": 2 },\n"
        "  { \"at\": \"30ms\", \"do\": \"crash\", \"on\": \"job_manager\", \"for\": \"9ms\" } ]";
    struct enumerate_options options = options_of("");
    options.checkpoint_max = 1;
    struct enumerate_result calm;
    ck_assert_int_eq(run_enumerate(&options, &calm), VERDICT_PASS);
    options = options_of(rescaled);
    options.checkpoint_max = 1;
    struct enumerate_result result;
    ck_assert_int_eq(run_enumerate(&options, &result), VERDICT_PASS);
    ck_assert_uint_gt(result.points, calm.points + 10); /* it is accepted, started, deployed ... */
    ck_assert_uint_eq(result.cases, result.points * 6);
}
END_TEST

START_TEST(pairs_add_a_second_crash_after_the_first)
{
    struct enumerate_options options = options_of("");
    options.checkpoint_max = 1;
    struct enumerate_result single;
    (void)run_enumerate(&options, &single);
    options.pairs = true;
    struct enumerate_result pairs;
    ck_assert_int_eq(run_enumerate(&options, &pairs), VERDICT_PASS);
    ck_assert_uint_eq(pairs.points, single.points);
    ck_assert_uint_gt(pairs.cases, 4 * single.cases);
}
END_TEST

START_TEST(a_failing_case_is_stored_as_a_scenario)
{
    struct enumerate_options options =
        options_of(", \"expect\": { \"within\": \"500ms\" }"); /* enough if nothing fails */
    options.checkpoint_max = 1;
    struct enumerate_result result;
    ck_assert_int_eq(run_enumerate(&options, &result), VERDICT_STUCK);
    ck_assert_uint_gt(result.failures, 0);
    const char *path = folder_path(&folder, &arena, "failures/tiny-case-1.json");
    struct scenario scenario;
    struct buffer error;
    buffer_init(&error, &arena);
    ck_assert_int_eq(scenario_read(&scenario, &arena, path, NULL, &error), STATUS_OK);
    struct run run;
    run_scenario(&run, &arena, &scenario, (struct bytes){ 0 }, &(struct run_options){ 0 });
    ck_assert_int_eq(run.verdict, VERDICT_STUCK);
}
END_TEST

START_TEST(a_base_that_fails_alone_is_refused)
{
    struct enumerate_options options = options_of(", \"expect\": { \"within\": \"1ms\" }");
    struct enumerate_result result;
    struct buffer error;
    buffer_init(&error, &arena);
    ck_assert_int_eq(enumerate(&options, &result, &error), VERDICT_STUCK);
    ck_assert_uint_eq(result.cases, 0);
    ck_assert_uint_gt(error.size, 0);
}
END_TEST

static void tell(const struct run_observer *observer, enum fact_kind kind, uint32_t vertex,
                 uint32_t subtask, uint64_t checkpoint)
{
    struct fact_event event = {
        .fact = { .kind = kind, .vertex = vertex, .subtask = subtask, .checkpoint = checkpoint }
    };
    observer->on_fact(observer->context, &event);
}

START_TEST(points_are_told_apart_by_task_checkpoint_and_occurrence)
{
    struct point_learner learner;
    point_learner_init(&learner, &arena, false);
    struct run_observer observer = point_learner_observer(&learner);
    tell(&observer, FACT_JOB_RUNNING, FACT_NO_TASK, FACT_NO_TASK, 0);
    tell(&observer, FACT_BARRIER_RECEIVED, 1, 0, 1);
    tell(&observer, FACT_BARRIER_RECEIVED, 1, 0, 1);
    tell(&observer, FACT_MARK, FACT_NO_TASK, FACT_NO_TASK, 0);
    tell(&observer, FACT_BARRIER_RECEIVED, 1, 1, 1);
    tell(&observer, FACT_BARRIER_RECEIVED, 1, 0, 7);
    tell(&observer, FACT_BARRIER_RECEIVED, 1, 0, 9);
    struct point_list all = points_select(&learner, 9, 4, 100, &arena);
    ck_assert_uint_eq(all.count, 6);
    ck_assert_uint_eq(all.points[1].occurrence, 1);
    ck_assert_uint_eq(all.points[2].occurrence, 2);
    ck_assert_uint_eq(all.points[3].occurrence, 1);
    /* The first checkpoint, and the last. */
    struct point_list few = points_select(&learner, 1, 4, 100, &arena);
    ck_assert_uint_eq(few.count, 5);
    ck_assert_uint_eq(few.points[4].checkpoint, 9);
    ck_assert_uint_eq(points_select(&learner, 9, 1, 100, &arena).count, 5);
    ck_assert_uint_eq(points_select(&learner, 9, 4, 2, &arena).count, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("enumerate");
    TCase *tc = tcase_create("enumerate");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_set_up, scratch_tear_down);
    tcase_add_test(tc, a_crash_at_every_step_is_survived);
    tcase_add_test(tc, a_rescale_of_the_base_stays_and_is_struck_at_its_steps);
    tcase_add_test(tc, pairs_add_a_second_crash_after_the_first);
    tcase_add_test(tc, a_failing_case_is_stored_as_a_scenario);
    tcase_add_test(tc, a_base_that_fails_alone_is_refused);
    tcase_add_test(tc, points_are_told_apart_by_task_checkpoint_and_occurrence);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
