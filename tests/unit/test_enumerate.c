#include "sim/campaign/enumerate.h"

#include <check.h>
#include <stdio.h>

#include "model/host.h"
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
                                       .checkpoint_max = ENUMERATE_CHECKPOINTS };
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

START_TEST(a_second_crash_at_every_step_of_the_recovery_is_survived)
{
    struct enumerate_options options = options_of("");
    options.checkpoint_max = 1;
    struct enumerate_result single;
    (void)run_enumerate(&options, &single);
    ck_assert_uint_eq(single.pairs, 0);
    options.pair_steps = UINT32_MAX;
    struct enumerate_result pairs;
    ck_assert_int_eq(run_enumerate(&options, &pairs), VERDICT_PASS);
    ck_assert_uint_eq(pairs.points, single.points);
    ck_assert_uint_eq(pairs.cases, single.cases);
    ck_assert_uint_gt(pairs.pairs, 4 * single.cases);
    ck_assert_uint_lt(pairs.idle - single.idle, pairs.pairs / 20);
    options.pair_steps = 5;
    struct enumerate_result near;
    ck_assert_int_eq(run_enumerate(&options, &near), VERDICT_PASS);
    ck_assert_uint_gt(near.pairs, single.cases / 2);
    ck_assert_uint_lt(near.pairs, pairs.pairs / 4);
}
END_TEST

START_TEST(when_its_time_is_up_no_case_is_begun)
{
    struct enumerate_options options = options_of("");
    options.time_ns = 1;
    struct enumerate_result result;
    ck_assert_int_eq(run_enumerate(&options, &result), VERDICT_PASS);
    ck_assert(result.out_of_time);
    ck_assert_uint_eq(result.cases, 0);
    ck_assert_uint_gt(result.points, 50);
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

static void tell(const struct run_observer *observer, uint32_t process, enum fact_kind kind,
                 uint32_t vertex, uint32_t subtask, uint64_t checkpoint)
{
    struct fact_event event = {
        .actor = actor_address(process, 1, HOST_MAIN_ACTOR),
        .fact = { .kind = kind, .vertex = vertex, .subtask = subtask, .checkpoint = checkpoint }
    };
    observer->on_fact(observer->context, &event);
}

/* Of the job, said by the JobManager. */
static void tell_job(const struct run_observer *observer, enum fact_kind kind)
{
    tell(observer, 0, kind, FACT_NO_TASK, FACT_NO_TASK, 0);
}

START_TEST(points_are_told_apart_by_task_checkpoint_and_occurrence)
{
    struct point_learner learner;
    point_learner_init(&learner, &arena);
    struct run_observer observer = point_learner_observer(&learner);
    tell_job(&observer, FACT_JOB_RUNNING);
    tell(&observer, 1, FACT_BARRIER_RECEIVED, 1, 0, 1);
    tell(&observer, 1, FACT_BARRIER_RECEIVED, 1, 0, 1);
    tell_job(&observer, FACT_MARK);
    tell(&observer, 2, FACT_BARRIER_RECEIVED, 1, 1, 1);
    tell(&observer, 1, FACT_BARRIER_RECEIVED, 1, 0, 7);
    tell(&observer, 1, FACT_BARRIER_RECEIVED, 1, 0, 9);
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

/* A strike at the last point: of way 0 at the JobManager, of way 3 at the participant. */
static bool last_is_new(const struct point_learner *learner, uint32_t way,
                        struct process_table *struck)
{
    struct strike strike = { .point = learner->seen.points[learner->seen.count - 1], .way = way };
    return strike_is_new(struck, &strike);
}

START_TEST(strikes_are_alike_if_their_victim_did_nothing_between_them)
{
    struct point_learner learner;
    point_learner_init(&learner, &arena);
    struct run_observer observer = point_learner_observer(&learner);
    struct process_table struck = { .arena = &arena };
    tell_job(&observer, FACT_CHECKPOINT_TRIGGERED);
    ck_assert_msg(!last_is_new(&learner, 3, &struck), "no subtask runs anywhere");
    tell(&observer, 1, FACT_TASK_STARTED, 1, 0, 0);
    tell(&observer, 2, FACT_TASK_STARTED, 1, 1, 0);
    ck_assert(last_is_new(&learner, 0, &struck));
    tell(&observer, 1, FACT_TASK_ALIGNED, 1, 0, 1);
    ck_assert_msg(!last_is_new(&learner, 0, &struck), "nothing was heard of the JobManager");
    ck_assert(last_is_new(&learner, 3, &struck));
    tell(&observer, 2, FACT_TASK_ALIGNED, 1, 1, 1);
    ck_assert_msg(last_is_new(&learner, 3, &struck), "it is another process");
    tell(&observer, 1, FACT_SNAPSHOT_TAKEN, 1, 0, 1);
    ck_assert_msg(last_is_new(&learner, 3, &struck), "it went on");
}
END_TEST

START_TEST(what_follows_a_crash_ends_with_the_checkpoint_after_the_recovery)
{
    struct point_learner learner;
    point_learner_init(&learner, &arena);
    struct run_observer observer = point_learner_observer(&learner);
    tell(&observer, 1, FACT_TASK_STARTED, 1, 0, 0);
    struct fault crash = { .verb = FAULT_CRASH };
    observer.on_fired(observer.context, &(struct fault_record){ .fault = &crash, .fired = true });
    struct strike first = { .point = learner.seen.points[0], .way = 3 };
    tell_job(&observer, FACT_CHECKPOINT_COMPLETED); /* before the job runs again: of no account */
    tell_job(&observer, FACT_FAILURE_DETECTED);
    tell_job(&observer, FACT_JOB_RUNNING);
    tell_job(&observer, FACT_CHECKPOINT_COMPLETED);
    tell_job(&observer, FACT_CHECKPOINT_TRIGGERED);
    /* The JobManager at four steps; the TaskManager is dead. */
    struct strike_list all = strikes_after(&learner, &first, UINT32_MAX, &arena);
    ck_assert_uint_eq(all.count, 4);
    ck_assert_int_eq(all.strikes[3].point.fact, FACT_CHECKPOINT_COMPLETED);
    ck_assert_uint_eq(all.strikes[3].step, 4);
    ck_assert_uint_eq(strikes_after(&learner, &first, 2, &arena).count, 2);
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
    tcase_add_test(tc, a_second_crash_at_every_step_of_the_recovery_is_survived);
    tcase_add_test(tc, when_its_time_is_up_no_case_is_begun);
    tcase_add_test(tc, a_failing_case_is_stored_as_a_scenario);
    tcase_add_test(tc, a_base_that_fails_alone_is_refused);
    tcase_add_test(tc, points_are_told_apart_by_task_checkpoint_and_occurrence);
    tcase_add_test(tc, strikes_are_alike_if_their_victim_did_nothing_between_them);
    tcase_add_test(tc, what_follows_a_crash_ends_with_the_checkpoint_after_the_recovery);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
