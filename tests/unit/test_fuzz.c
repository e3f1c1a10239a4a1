#include "sim/campaign/fuzz.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/campaign/shrink.h"
#include "sim/campaign/swarm.h"
#include "sim/fault/fault_consequences.h"
#include "tests/support/runner.h"
#include "tests/support/scratch.h"

/* A `job` of half a simulated second, with room for `more`. */
static const char *file_with_job(const char *name, const char *job, const char *more)
{
    const char *text =
        arena_format(&arena,
                     "{ \"job\": { \"parallelism\": 2, %s },\n"
                     "  \"checkpoint\": { \"interval\": \"50ms\" },\n"
                     "  \"restart\": { \"strategy\": \"fixed_delay\", \"delay\": \"10ms\" },\n"
                     "  \"cluster\": { \"task_managers\": 3,\n"
                     "    \"heartbeat\": { \"interval\": \"100ms\", \"timeout\": \"1s\" } }%s }\n",
                     job, more);
    return folder_put(&folder, &arena, arena_format(&arena, "%s.json", name), text);
}

static const char *base_file(const char *name, const char *more)
{
    return file_with_job(name,
                         "\"name\": \"count\", \"input\":\n"
                         "    { \"records\": 1000, \"keys\": 50, \"rate\": \"2k/s\" }",
                         more);
}

static struct fuzz_options options_of(const char *path)
{
    return (struct fuzz_options){
        .hunt = { .scenario = path, .processes = 2, .out = folder.path, .program = "faultline" },
        .seed_first = 1,
        .seed_last = 40,
        .fault_count = 4
    };
}

static enum verdict run_fuzz(const struct fuzz_options *options, struct fuzz_result *result)
{
    struct buffer error;
    buffer_init(&error, &arena);
    enum verdict verdict = fuzz(options, result, &error);
    ck_assert_msg(error.size == 0, "%.*s", (int)error.size, (const char *)error.data);
    return verdict;
}

static struct finding replay(const char *path)
{
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    enum status status = scenario_read(&scenario, &arena, path, NULL, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
    struct run *run = arena_alloc(&arena, 1, sizeof *run);
    run_scenario(run, &arena, &scenario, (struct bytes){ 0 }, &(struct run_options){ 0 });
    return finding_of_run(run);
}

START_TEST(a_planted_failure_is_found_stored_replayed_and_shrunk)
{
    /* It is not wrong to take longer because of a failure: it is only said here that it is. */
    const char *path = base_file("planted", ", \"expect\": { \"within\": \"1200ms\" }");
    struct fuzz_options options = options_of(path);
    options.shrink = true;
    struct fuzz_result result;
    ck_assert_int_eq(run_fuzz(&options, &result), VERDICT_STUCK);
    ck_assert_uint_eq(result.runs, 40);
    ck_assert_uint_gt(result.failures, 0);
    ck_assert_uint_lt(result.failures, 40);

    const char *name = arena_format(&arena, "%s/failures/planted-%llu", folder.path,
                                    (unsigned long long)result.first_failure);
    struct finding stored = replay(arena_format(&arena, "%s.json", name));
    ck_assert_int_ne(stored.kind, FINDING_NONE);
    const char *small = arena_format(&arena, "%s-small.json", name);
    ck_assert_int_eq(access(small, R_OK), 0);
    struct finding shrunk = replay(small);
    ck_assert(finding_same(&stored, &shrunk));

    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    ck_assert_int_eq(scenario_read(&scenario, &arena, small, NULL, &error), STATUS_OK);
    ck_assert_uint_le(scenario.fault_count, 2);
}
END_TEST

START_TEST(the_same_seeds_find_the_same)
{
    const char *path = base_file("same", ", \"expect\": { \"within\": \"1200ms\" }");
    struct fuzz_options options = options_of(path);
    struct fuzz_result first;
    struct fuzz_result second;
    (void)run_fuzz(&options, &first);
    options.hunt.processes = 1;
    (void)run_fuzz(&options, &second);
    ck_assert_uint_gt(first.failures, 0);
    ck_assert_uint_eq(first.failures, second.failures);
    ck_assert_uint_eq(first.first_failure, second.first_failure);
    ck_assert_mem_eq(&first.coverage, &second.coverage, sizeof first.coverage);
}
END_TEST

START_TEST(a_campaign_covers_facts_and_pairs)
{
    const char *path = base_file("covered", "");
    struct fuzz_options options = options_of(path);
    struct fuzz_result result;
    (void)run_fuzz(&options, &result);
    ck_assert_uint_eq(result.coverage.facts[FACT_CHECKPOINT_COMPLETED], 40);
    ck_assert_uint_gt(result.coverage.facts[FACT_RESTART_SCHEDULED], 0);
    ck_assert_uint_gt(coverage_fact_count(&result.coverage), FACT_KIND_COUNT / 2);
    ck_assert_uint_gt(coverage_pair_count(&result.coverage), 20);
    ck_assert_uint_gt(result.coverage.fired[FAULT_CRASH], 0);
}
END_TEST

START_TEST(without_faults_nothing_fails)
{
    const char *path = base_file("calm", "");
    struct fuzz_options options = options_of(path);
    options.fault_count = 0;
    options.seed_last = 100;
    struct fuzz_result result;
    ck_assert_int_eq(run_fuzz(&options, &result), VERDICT_PASS);
    ck_assert_uint_eq(result.runs, 100);
}
END_TEST

START_TEST(a_base_that_fails_alone_is_refused)
{
    const char *path = base_file("bad", ", \"expect\": { \"within\": \"1ms\" }");
    struct fuzz_options options = options_of(path);
    struct fuzz_result result;
    struct buffer error;
    buffer_init(&error, &arena);
    ck_assert_int_eq(fuzz(&options, &result, &error), VERDICT_STUCK);
    ck_assert_uint_eq(result.runs, 0);
    ck_assert_ptr_nonnull(memmem(error.data, error.size, "without a drawn fault: stuck", 28));
}
END_TEST

START_TEST(a_required_mark_that_is_never_hit_fails_the_campaign)
{
    const char *path = base_file("marks", "");
    struct fuzz_options options = options_of(path);
    options.fault_count = 0;
    options.seed_last = 3;
    static const enum mark required[] = { MARK_NEWEST_CHECKPOINT_GONE };
    options.required_marks = required;
    options.required_mark_count = 1;
    struct fuzz_result result;
    ck_assert_int_eq(run_fuzz(&options, &result), VERDICT_WRONG);
    ck_assert_uint_eq(result.failures, 0);
}
END_TEST

static struct swarm_base read_base(struct scenario *scenario, const char *path,
                                   const struct scenario_overrides *overrides)
{
    struct buffer error;
    buffer_init(&error, &arena);
    ck_assert_int_eq(scenario_read(scenario, &arena, path, overrides, &error), STATUS_OK);
    return (struct swarm_base){
        .scenario = scenario, .overrides = overrides, .fault_count = 5, .horizon_ns = 500000000
    };
}

START_TEST(whatever_is_drawn_can_be_written_and_read_back)
{
    struct scenario scenario;
    const char *path = base_file("drawn", ", \"expect\": { \"within\": \"10min\" }");
    struct swarm_base base = read_base(&scenario, path, NULL);
    base.fault_count = 8;
    /* So many that every scene was drawn, and each of its choices. */
    for (uint64_t seed = 0; seed < 1500; seed++) {
        struct buffer error;
        buffer_init(&error, &arena);
        struct scenario drawn;
        enum status status = swarm_draw(&drawn, &arena, &base, seed, &error);
        ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
        ck_assert_uint_ge(drawn.fault_count, 1);
        struct buffer written;
        buffer_init(&written, &arena);
        scenario_write(&drawn, &written);
        struct scenario again;
        status = scenario_parse(&again, &arena, buffer_bytes(&written), "again", ".", NULL, &error);
        ck_assert_msg(status == STATUS_OK, "%.*s in %.*s", (int)error.size,
                      (const char *)error.data, (int)written.size, (const char *)written.data);
        struct buffer rewritten;
        buffer_init(&rewritten, &arena);
        scenario_write(&again, &rewritten);
        ck_assert(bytes_equal(buffer_bytes(&written), buffer_bytes(&rewritten)));
    }
}
END_TEST

/* Is anything drawn that nobody could survive? */
START_TEST(what_is_drawn_can_be_survived)
{
    struct scenario scenario;
    struct swarm_base base = read_base(&scenario, base_file("survived", ""), NULL);
    uint32_t never_back = 0;
    uint32_t few_restarts = 0;
    uint32_t rescales = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct buffer error;
        buffer_init(&error, &arena);
        struct scenario drawn;
        ck_assert_int_eq(swarm_draw(&drawn, &arena, &base, seed, &error), STATUS_OK);
        const struct job_config *job = &drawn.job;
        ck_assert_uint_ge((uint64_t)job->slots * job->task_managers, job->parallelism);
        ck_assert_uint_lt(drawn.expect.within_ns, UINT64_C(600) * 1000000000);
        for (uint32_t i = 0; i < drawn.fault_count; i++) {
            if (drawn.faults[i].verb == FAULT_CRASH && drawn.faults[i].for_ever) {
                never_back++;
                ck_assert_int_eq(drawn.faults[i].object.kind, OBJECT_TASK_MANAGER);
                ck_assert_uint_eq(drawn.faults[i].object.index, job->task_managers - 1);
                ck_assert_uint_ge((uint64_t)job->slots * (job->task_managers - 1),
                                  job->parallelism);
            }
            if (drawn.faults[i].verb == FAULT_RESCALE) {
                rescales++;
                ck_assert_uint_le(drawn.faults[i].parallelism, job->max_parallelism);
                ck_assert_uint_le(drawn.faults[i].parallelism, job->slots * job->task_managers);
            }
        }
        bool is_few = job->restart.strategy == RESTART_FAILURE_RATE ? job->restart.max_failures < 10
                                                                    : job->restart.attempts < 10;
        if (is_few) {
            few_restarts++;
            ck_assert_int_eq(drawn.expect.result, EXPECT_SAME_OR_FAILED);
        }
    }
    ck_assert_uint_gt(never_back, 0);
    ck_assert_uint_gt(few_restarts, 0);
    ck_assert_uint_gt(rescales, 100); /* they are in scenes of their own, too */
}
END_TEST

/* Jobs over events, from a generator and from a file, which the drawn faults must fit. */
START_TEST(a_job_over_events_is_drawn_so_that_it_keeps_up_with_its_rate)
{
    static const char *const inputs[] = {
        "\"name\": \"q3\", \"input\": { \"nexmark\": { \"events\": 1000 }, \"rate\": \"2k/s\" }",
        "\"name\": \"q3\", \"input\": { \"file\": \"events.txt\", \"rate\": \"2k/s\" }",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct scenario scenario;
        struct swarm_base base = read_base(&scenario, file_with_job("events", inputs[i], ""), NULL);
        uint64_t dearest_ns = 0;
        for (uint64_t seed = 0; seed < 200; seed++) {
            struct buffer error;
            buffer_init(&error, &arena);
            struct scenario drawn;
            ck_assert_int_eq(swarm_draw(&drawn, &arena, &base, seed, &error), STATUS_OK);
            uint64_t cost_ns = drawn.cluster.cpu.record_ns;
            dearest_ns = cost_ns > dearest_ns ? cost_ns : dearest_ns;
            ck_assert(i == 1 || cost_ns * 1000 <= base.horizon_ns * scenario.job.parallelism);
        }
        ck_assert_uint_gt(dearest_ns, scenario.cluster.cpu.record_ns);
    }
}
END_TEST

START_TEST(the_own_faults_of_a_base_may_lead_to_more_with_drawn_settings)
{
    struct scenario scenario;
    const char *path = base_file("own", ", \"faults\": [ { \"at\": \"100ms\", \"do\": \"crash\", "
                                        "\"on\": \"job_manager\", \"for\": \"1s\" } ]");
    struct swarm_base base = read_base(&scenario, path, NULL);
    ck_assert_int_eq(scenario.expect.result, EXPECT_SAME);
    uint32_t in_memory = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct buffer error;
        buffer_init(&error, &arena);
        struct scenario drawn;
        ck_assert_int_eq(swarm_draw(&drawn, &arena, &base, seed, &error), STATUS_OK);
        if (fault_consequences_of(&drawn) != EXPECT_SAME) {
            in_memory += drawn.job.checkpoint.store == STORE_MEMORY;
            ck_assert_int_ne(drawn.expect.result, EXPECT_SAME);
        }
    }
    ck_assert_uint_gt(in_memory, 0);
}
END_TEST

START_TEST(what_was_set_by_hand_is_not_drawn)
{
    static const char *const settings[] = { "checkpoint.interval=70ms",
                                            "restart={\"delay\":\"33ms\"}",
                                            "cluster.network.buffer=1KiB" };
    struct scenario_overrides overrides = { .settings = settings, .setting_count = 3 };
    struct scenario scenario;
    struct swarm_base base = read_base(&scenario, base_file("set", ""), &overrides);
    bool other_differs = false;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct buffer error;
        buffer_init(&error, &arena);
        struct scenario drawn;
        ck_assert_int_eq(swarm_draw(&drawn, &arena, &base, seed, &error), STATUS_OK);
        ck_assert_uint_eq(drawn.job.checkpoint.interval_ns, 70000000);
        ck_assert_uint_eq(drawn.job.restart.delay_ns, 33000000);
        ck_assert_uint_eq(drawn.job.buffer_bytes, 1024);
        other_differs =
            other_differs || drawn.job.buffers_per_channel != scenario.job.buffers_per_channel;
    }
    ck_assert(other_differs);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("fuzz");
    TCase *tc = tcase_create("fuzz");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, scratch_set_up, scratch_tear_down);
    tcase_add_test(tc, a_planted_failure_is_found_stored_replayed_and_shrunk);
    tcase_add_test(tc, the_same_seeds_find_the_same);
    tcase_add_test(tc, a_campaign_covers_facts_and_pairs);
    tcase_add_test(tc, without_faults_nothing_fails);
    tcase_add_test(tc, a_base_that_fails_alone_is_refused);
    tcase_add_test(tc, a_required_mark_that_is_never_hit_fails_the_campaign);
    tcase_add_test(tc, whatever_is_drawn_can_be_written_and_read_back);
    tcase_add_test(tc, what_is_drawn_can_be_survived);
    tcase_add_test(tc, a_job_over_events_is_drawn_so_that_it_keeps_up_with_its_rate);
    tcase_add_test(tc, the_own_faults_of_a_base_may_lead_to_more_with_drawn_settings);
    tcase_add_test(tc, what_was_set_by_hand_is_not_drawn);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
