#include "sim/scenario/scenario.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/figure_choice.h"
#include "tests/support/runner.h"
#include "tests/support/scenarios.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_drop(&arena);
}

static struct scenario parse(const char *json)
{
    return scenario_from(&arena, json);
}

static const char *written(const struct scenario *scenario)
{
    struct buffer out;
    buffer_init(&out, &arena);
    scenario_write(scenario, &out);
    return text_of(&out, &arena);
}

/* ---- reading --------------------------------------------------------------------------------- */

START_TEST(the_example_of_the_format_is_read)
{
    struct scenario s = parse(scenario_example);
    ck_assert_str_eq(s.name, "coordinator-dies");
    ck_assert_str_eq(s.about, "Crash after the \"last\" ack.\n");
    ck_assert_uint_eq(s.seed, 42);
    ck_assert_str_eq(s.job.job, "count");
    ck_assert_uint_eq(s.job.parallelism, 4);
    ck_assert_int_eq(s.job.input.kind, INPUT_FILE);
    ck_assert_str_eq(s.job.input.file, "input/package-sizes.txt");
    ck_assert_str_eq(s.job.input.label, "input/package-sizes.txt");
    ck_assert_str_eq(s.input_path, "/in/input/package-sizes.txt");
    ck_assert_ptr_null(s.job.input.generator);
    ck_assert_uint_eq(s.job.checkpoint.interval_ns, 1000000000);
    ck_assert_uint_eq(s.job.checkpoint.timeout_ns, UINT64_C(600000000000));
    ck_assert_int_eq(s.job.restart.strategy, RESTART_FIXED_DELAY);
    ck_assert_uint_eq(s.job.restart.attempts, 10);
    ck_assert_uint_eq(s.job.task_managers, 4);
    ck_assert_uint_eq(s.job.slots, 2);
    ck_assert_uint_eq(s.cluster.network.latency_min_ns, 100000);
    ck_assert_uint_eq(s.cluster.network.latency_max_ns, 300000);
    ck_assert_uint_eq(s.cluster.network.bandwidth_bytes_per_s, 1 << 30);
    ck_assert_uint_eq(s.job.buffer_bytes, 32768);
    ck_assert_uint_eq(s.cluster.disk.write_bytes_per_s, 500 << 20);
    ck_assert_uint_eq(s.job.heartbeat_timeout_ns, UINT64_C(5000000000));
    ck_assert_int_eq(s.expect.checkpoints.kind, BOUND_AT_LEAST);
    ck_assert_uint_eq(s.expect.checkpoints.value, 5);
    ck_assert_int_eq(s.expect.recovery_time_ns.kind, BOUND_LESS);
    ck_assert_uint_eq(s.expect.recovery_time_ns.value, UINT64_C(10000000000));
    ck_assert(s.expect.all_fired);
}
END_TEST

START_TEST(the_faults_of_the_example_are_read)
{
    struct scenario s = parse(scenario_example);
    ck_assert_uint_eq(s.fault_count, 4);
    const struct fault *f = s.faults;
    ck_assert_int_eq(f[0].trigger.kind, TRIGGER_WHEN);
    ck_assert_int_eq(f[0].trigger.fact, FACT_CHECKPOINT_ALL_ACKED);
    ck_assert_uint_eq(f[0].trigger.checkpoint, 3);
    ck_assert_uint_eq(f[0].trigger.vertex, FACT_NO_TASK);
    ck_assert_uint_eq(f[0].trigger.occurrence, 1);
    ck_assert_int_eq(f[0].verb, FAULT_CRASH);
    ck_assert_int_eq(f[0].object.kind, OBJECT_JOB_MANAGER);
    ck_assert_uint_eq(f[0].for_ns, 400000000);
    ck_assert_int_eq(f[1].trigger.kind, TRIGGER_AT);
    ck_assert_uint_eq(f[1].trigger.at_ns, UINT64_C(6500000000));
    ck_assert_int_eq(f[1].verb, FAULT_PAUSE);
    ck_assert_int_eq(f[1].object.kind, OBJECT_TASK_MANAGER);
    ck_assert_uint_eq(f[1].object.index, 1);
    ck_assert_int_eq(f[2].verb, FAULT_DELAY);
    ck_assert_int_eq(f[2].object.kind, OBJECT_LINK);
    ck_assert_uint_eq(f[2].object.vertex, 0);
    ck_assert_uint_eq(f[2].object.vertex_to, 1);
    ck_assert_uint_eq(f[2].by_ns, 50000000);
    ck_assert_uint_eq(f[3].trigger.occurrence, 2);
    ck_assert(f[3].object.machine);
    ck_assert_int_eq(f[3].unsynced, DISK_TEAR);
    ck_assert_uint_eq(f[3].for_ns, 1000000000);
}
END_TEST

START_TEST(a_fault_lasts_a_second_and_only_a_power_cut_may_lose_data)
{
    struct scenario s = parse("{\"job\": {\"name\": \"count\"}, \"faults\": ["
                              "{\"at\": \"1s\", \"do\": \"crash\", \"on\": \"job_manager\"},"
                              "{\"at\": \"1s\", \"do\": \"crash\","
                              " \"on\": \"machine of job_manager\"},"
                              "{\"at\": \"1s\", \"do\": \"remove\", \"on\": \"file x\"}]}");
    ck_assert_uint_eq(s.faults[0].for_ns, 1000000000);
    ck_assert_int_eq(s.faults[0].unsynced, DISK_KEEP);
    ck_assert_uint_eq(s.faults[1].for_ns, 1000000000);
    ck_assert_int_eq(s.faults[1].unsynced, DISK_RANDOM);
    ck_assert_uint_eq(s.faults[2].for_ns, 0);
    ck_assert(s.expect.all_fired);
}
END_TEST

START_TEST(defaults_are_those_of_flink)
{
    struct scenario s = parse(scenario_minimal);
    struct scenario plain;
    scenario_init(&plain);
    plain.name = s.name;
    ck_assert_str_eq(s.name, "test");
    ck_assert_str_eq(written(&s), written(&plain));
    ck_assert_int_eq(s.job.restart.strategy, RESTART_EXPONENTIAL_DELAY);
    ck_assert_uint_eq(s.job.restart.attempts, UINT32_MAX);
    ck_assert_uint_eq(s.job.checkpoint.interval_ns, 0);
    ck_assert_uint_eq(s.job.checkpoint.timeout_ns, UINT64_C(600000000000));
    ck_assert_uint_eq(s.job.checkpoint.inline_threshold_bytes, 20480);
    ck_assert_uint_eq(s.job.heartbeat_interval_ns, UINT64_C(10000000000));
    ck_assert_uint_eq(s.job.heartbeat_timeout_ns, UINT64_C(50000000000));
    ck_assert_uint_eq(s.job.buffers_per_channel, 2);
    ck_assert_int_eq(s.job.input.kind, INPUT_GENERATOR);
    ck_assert_uint_eq(s.job.input.records, 100000);
}
END_TEST

/* Parallelism, TaskManagers; the default of max_parallelism (Flink's own examples) and slots. */
static const struct derived {
    const char *parallelism;
    const char *task_managers;
    uint32_t max_parallelism;
    uint32_t slots;
} derived[] = {
    { "1", "4", 128, 1 },           { "4", "4", 128, 2 }, { "85", "3", 128, 43 },
    { "86", "2", 256, 86 },         { "8", "1", 128, 8 }, { "21845", "10000", 32768, 3 },
    { "32768", "2", 32768, 32768 },
};

START_TEST(defaults_follow_the_parallelism)
{
    const struct derived *row = &derived[_i];
    const char *settings[4] = {
        arena_format(&arena, "job.parallelism=%s", row->parallelism),
        arena_format(&arena, "cluster.task_managers=%s", row->task_managers),
    };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, scenario_minimal, settings), "");
    ck_assert_uint_eq(s.job.max_parallelism, row->max_parallelism);
    ck_assert_uint_eq(s.job.slots, row->slots);
}
END_TEST

START_TEST(a_fixed_delay_restarts_once_and_keys_have_the_scenarios_seed)
{
    const char *settings[4] = { "restart.strategy=fixed_delay", "seed=77" };
    struct scenario s;
    ck_assert_str_eq(scenario_try_with(&s, &arena, scenario_minimal, settings), "");
    ck_assert_uint_eq(s.job.restart.attempts, 1);
    ck_assert_uint_eq(s.job.input.seed, 77);
}
END_TEST

/* ---- and back -------------------------------------------------------------------------------- */

#define SAME(member)      ck_assert_uint_eq(a->member, b->member)
#define SAME_TEXT(member) ck_assert_pstr_eq(a->member, b->member)

static void same_bound(struct bound a, struct bound b)
{
    ck_assert_int_eq(a.kind, b.kind);
    ck_assert_uint_eq(a.value, b.value);
}

static void same_job(const struct job_config *a, const struct job_config *b)
{
    SAME_TEXT(job);
    SAME(parallelism);
    SAME(max_parallelism);
    SAME(input.kind);
    SAME_TEXT(input.file);
    SAME_TEXT(input.label);
    SAME(input.records);
    SAME(input.keys);
    SAME(input.skew_ppm);
    SAME(input.seed);
    SAME(input.rate_per_s);
    SAME(input.skip_bad_records);
    SAME(checkpoint.interval_ns);
    SAME(checkpoint.timeout_ns);
    SAME(checkpoint.min_pause_ns);
    SAME(checkpoint.max_concurrent);
    SAME(checkpoint.tolerable_failures);
    SAME(checkpoint.retained);
    SAME(checkpoint.mode);
    SAME(checkpoint.inline_threshold_bytes);
    SAME(state.incremental);
    SAME(state.parts_max);
    SAME(restart.strategy);
    SAME(restart.attempts);
    SAME(restart.delay_ns);
    SAME(restart.initial_delay_ns);
    SAME(restart.max_delay_ns);
    SAME(restart.multiplier_ppm);
    SAME(restart.reset_threshold_ns);
    SAME(restart.jitter_ppm);
    SAME(restart.max_failures);
    SAME(restart.failure_interval_ns);
    SAME(allow_older);
    SAME(restore_tries);
    SAME(restore_retry_delay_ns);
    SAME(task_managers);
    SAME(slots);
    SAME(heartbeat_interval_ns);
    SAME(heartbeat_timeout_ns);
    SAME(buffer_bytes);
    SAME(buffer_timeout_ns);
    SAME(watermark_interval_ns);
    SAME(buffers_per_channel);
}

static void same_fault(const struct fault *a, const struct fault *b)
{
    SAME(trigger.kind);
    SAME(trigger.at_ns);
    SAME(trigger.fact);
    SAME(trigger.checkpoint);
    SAME(trigger.vertex);
    SAME(trigger.subtask);
    SAME(trigger.occurrence);
    SAME(verb);
    SAME(object.kind);
    SAME(object.machine);
    SAME(object.index);
    SAME(object.vertex);
    SAME(object.vertex_to);
    SAME_TEXT(object.glob);
    SAME(for_ns);
    SAME(for_ever);
    SAME(by_ns);
    SAME(unsynced);
}

static void same_scenario(const struct scenario *a, const struct scenario *b)
{
    SAME_TEXT(name);
    SAME_TEXT(about);
    SAME(seed);
    same_job(&a->job, &b->job);
    SAME_TEXT(input_path);
    /* Nothing but 64-bit numbers: no padding. */
    ck_assert_mem_eq(&a->cluster, &b->cluster, sizeof a->cluster);
    SAME(fault_count);
    for (uint32_t i = 0; i < a->fault_count; i++) {
        same_fault(&a->faults[i], &b->faults[i]);
    }
    SAME(expect.result);
    same_bound(a->expect.checkpoints, b->expect.checkpoints);
    same_bound(a->expect.recoveries, b->expect.recoveries);
    same_bound(a->expect.recovery_time_ns, b->expect.recovery_time_ns);
    SAME(expect.all_fired);
    SAME(expect.within_ns);
    SAME(plots);
}

static const char *const round_trips[] = { scenario_minimal, scenario_example, scenario_unusual,
                                           RANDOM_SCENARIO("40") };
enum { ROUND_TRIP_COUNT = sizeof round_trips / sizeof round_trips[0] };

START_TEST(what_is_written_reads_back_to_the_same_scenario_and_text)
{
    struct scenario first = parse(round_trips[_i]);
    const char *text = written(&first);
    struct scenario second = parse(text);
    same_scenario(&first, &second);
    ck_assert_str_eq(text, written(&second));
}
END_TEST

START_TEST(the_costs_of_a_cluster_are_one_object_without_its_other_settings)
{
    struct scenario s = parse(scenario_unusual);
    struct buffer text;
    buffer_init(&text, &arena);
    scenario_write_costs(&s, &text);
    *buffer_extend(&text, 1) = '\0';
    const char *costs = (const char *)text.data;
    static const char first[] = "{\"cluster.network.latency\":\"18ns..19h\",";
    ck_assert_mem_eq(costs, first, sizeof first - 1);
    ck_assert_ptr_nonnull(strstr(costs, ",\"cluster.store.client_write\":\"27KiB/s\","));
    ck_assert_ptr_nonnull(strstr(costs, ",\"cluster.cpu.message\":"));
    ck_assert_ptr_null(strstr(costs, "heartbeat"));
    ck_assert_ptr_null(strstr(costs, "slots"));
    ck_assert_int_eq(costs[text.size - 2], '}');
}
END_TEST

START_TEST(a_scenario_chooses_its_figures_and_a_store_may_have_no_limits)
{
    struct scenario s = parse(scenario_example);
    ck_assert_uint_eq(s.plots, 1u << CHOICE_TIME_BY_PRODUCT);
    s = parse(scenario_unusual);
    ck_assert_uint_eq(s.plots, 1u << CHOICE_TIMELINE | 1u << CHOICE_PHASES);
    ck_assert_uint_eq(s.cluster.store.client_write_bytes_per_s, 27 * 1024);
    ck_assert_uint_eq(s.cluster.store.client_read_bytes_per_s, 28 * 1024);
    ck_assert_uint_eq(s.cluster.store.writers, 29);
    s = parse(scenario_minimal);
    ck_assert_uint_eq(s.plots, 0);
    ck_assert_uint_eq(s.cluster.store.client_write_bytes_per_s, 0);
    ck_assert_uint_eq(s.cluster.store.writers, 0);
    s = parse("{ \"job\": { \"name\": \"count\" }, \"cluster\": { \"store\": {"
              " \"write\": \"unlimited\", \"read\": \"unlimited\" } } }");
    ck_assert_uint_eq(s.cluster.store.write_bytes_per_s, 0);
    ck_assert_uint_eq(s.cluster.store.read_bytes_per_s, 0);
    ck_assert_ptr_nonnull(strstr(written(&s), "\"write\": \"unlimited\""));
}
END_TEST

START_TEST(events_of_nexmark_are_read_and_written)
{
    struct scenario s = parse("{\"seed\": 8, \"job\": {\"name\": \"q3\", \"input\": {\"nexmark\": "
                              "{\"events\": 77, \"rate\": \"5k/s\", \"out_of_order\": 10, "
                              "\"hot_bidders\": 0.25, \"padding\": true}, \"rate\": \"9/s\"}}}");
    struct scenario again = parse(written(&s));
    same_scenario(&s, &again);
    ck_assert_int_eq(again.job.input.kind, INPUT_NEXMARK);
    ck_assert_uint_eq(again.job.input.records, 77);
    ck_assert_uint_eq(again.job.input.rate_per_s, 9);
    ck_assert_uint_eq(again.job.input.nexmark.rate_per_s, 5000);
    ck_assert_uint_eq(again.job.input.nexmark.out_of_order, 10);
    ck_assert_uint_eq(again.job.input.nexmark.seed, 8);
    ck_assert_uint_eq(again.job.input.nexmark.hot_auctions_ppm, 500000);
    ck_assert_uint_eq(again.job.input.nexmark.hot_bidders_ppm, 250000);
    ck_assert(again.job.input.nexmark.padding);
    ck_assert_ptr_null(strstr(written(&s), "\"keys\""));
}
END_TEST

START_TEST(no_random_draw_is_left_in_what_is_written)
{
    struct scenario s = parse(scenario_unusual);
    const char *text = written(&s);
    ck_assert_ptr_null(strstr(text, "any task_manager"));
    ck_assert_ptr_null(strstr(text, "any count"));
    ck_assert_ptr_null(strstr(text, "1s..2s"));
    ck_assert_ptr_nonnull(strstr(text, "\"latency\": \"18ns..19h\"")); /* drawn in the run */
    s = parse(RANDOM_SCENARIO("3"));
    ck_assert_ptr_null(strstr(written(&s), "random"));
}
END_TEST

START_TEST(a_scenario_built_by_hand_is_written_with_an_absolute_input)
{
    struct scenario s;
    scenario_init(&s);
    s.job.input = (struct input_config){ .kind = INPUT_FILE, .file = "input/numbers.txt" };
    s.input_path = "some/numbers.txt";
    struct scenario again = parse(written(&s));
    char *here = getcwd(NULL, 0);
    ck_assert_str_eq(again.input_path, arena_format(&arena, "%s/some/numbers.txt", here));
    ck_assert_str_eq(again.job.input.file, "input/numbers.txt");
    free(here);
}
END_TEST

/* ---- draws ----------------------------------------------------------------------------------- */

static struct scenario parse_with_seed(const char *json, uint64_t seed)
{
    struct scenario scenario;
    ck_assert_str_eq(scenario_try(&scenario, &arena, json,
                                  &(struct scenario_overrides){ .has_seed = true, .seed = seed }),
                     "");
    return scenario;
}

START_TEST(one_seed_always_draws_the_same)
{
    struct scenario a = parse_with_seed(RANDOM_SCENARIO("20"), 5);
    struct scenario b = parse_with_seed(RANDOM_SCENARIO("20"), 5);
    struct scenario c = parse_with_seed(RANDOM_SCENARIO("20"), 6);
    same_scenario(&a, &b);
    c.seed = a.seed;
    c.job.input.seed = a.job.input.seed;
    ck_assert_str_ne(written(&a), written(&c));
}
END_TEST

START_TEST(one_random_fault_more_leaves_the_others_as_they_were)
{
    struct scenario few = parse_with_seed(RANDOM_SCENARIO("5"), 9);
    struct scenario many = parse_with_seed(RANDOM_SCENARIO("6"), 9);
    ck_assert_uint_eq(many.fault_count, 6);
    for (uint32_t i = 0; i < few.fault_count; i++) {
        same_fault(&few.faults[i], &many.faults[i]);
    }
}
END_TEST

START_TEST(random_faults_stay_within_what_was_asked_for)
{
    bool seen[3] = { false };
    uint32_t step_count = 0;
    uint32_t fault_count = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct scenario s = parse_with_seed(RANDOM_SCENARIO("1..8"), seed);
        ck_assert(!s.expect.all_fired);
        ck_assert_uint_ge(s.fault_count, 1);
        ck_assert_uint_le(s.fault_count, 8);
        for (uint32_t i = 0; i < s.fault_count; i++) {
            const struct fault *fault = &s.faults[i];
            ck_assert_uint_lt(fault->verb, 3);
            seen[fault->verb] = true;
            fault_count++;
            step_count += fault->trigger.kind == TRIGGER_WHEN ? 1 : 0;
            ck_assert_uint_lt(fault->trigger.at_ns, UINT64_C(4000000000));
            ck_assert_uint_ge(fault->for_ns, 10000000);
            ck_assert_uint_le(fault->for_ns, 20000000);
            ck_assert(fault->verb != FAULT_DELAY || fault->object.kind == OBJECT_LINK);
            ck_assert(fault->verb != FAULT_DELAY || (fault->by_ns >= 1000 && fault->by_ns <= 2000));
            ck_assert(fault->verb == FAULT_CRASH || !fault->object.machine);
            ck_assert(fault->object.kind != OBJECT_TASK_MANAGER || fault->object.index < 4);
            ck_assert_int_ne(fault->unsynced, DISK_RANDOM);
        }
    }
    ck_assert(seen[0] && seen[1] && seen[2]);
    /* 0.7 of them wait for a step. */
    ck_assert_uint_gt(step_count * 10, fault_count * 6);
    ck_assert_uint_lt(step_count * 10, fault_count * 8);
}
END_TEST

START_TEST(any_and_ranges_take_every_value_and_no_other)
{
    bool seen[4] = { false };
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct scenario s =
            parse_with_seed("{\"job\": {\"name\": \"count\", \"parallelism\": \"2..5\"},"
                            " \"faults\": [{\"at\": \"3ns..6ns\", \"do\": \"crash\","
                            "               \"on\": \"any task_manager\"}]}",
                            seed);
        ck_assert_uint_ge(s.job.parallelism, 2);
        ck_assert_uint_le(s.job.parallelism, 5);
        ck_assert_uint_ge(s.faults[0].trigger.at_ns, 3);
        ck_assert_uint_le(s.faults[0].trigger.at_ns, 6);
        ck_assert_uint_lt(s.faults[0].object.index, 4);
        seen[s.job.parallelism - 2] = true;
    }
    ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
}
END_TEST

START_TEST(any_seed_of_64_bits_can_be_given)
{
    ck_assert_uint_eq(parse_with_seed(scenario_minimal, UINT64_MAX).seed, UINT64_MAX);
}
END_TEST

/* ---- sentences ------------------------------------------------------------------------------- */

START_TEST(faults_are_described_for_people)
{
    struct scenario s = parse(scenario_unusual);
    struct scenario e = parse(scenario_example);
    const struct {
        const struct scenario *scenario;
        uint32_t index;
        const char *text;
    } rows[] = {
        { &e, 0, "crash job_manager when checkpoint 3 checkpoint.all_acked" },
        { &e, 1, "pause task_manager[1] at 6500ms" },
        { &e, 2, "delay link source->count by 50ms at 2s" },
        { &e, 3, "crash machine of job_manager when manifest.written #2" },
        { &s, 0, "crash machine of count[5] when checkpoint 2 task.acked(count[3]) #4" },
        { &s, 1, "crash all task_managers when task.restored(source)" },
        { &s, 2, "corrupt file a b/*\"? at 1ns" },
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out;
        buffer_init(&out, &arena);
        fault_describe(rows[i].scenario, &rows[i].scenario->faults[rows[i].index], &out);
        ck_assert_str_eq(text_of(&out, &arena), rows[i].text);
    }
}
END_TEST

START_TEST(bounds_hold_at_their_edges)
{
    ck_assert(bound_holds((struct bound){ BOUND_NONE, 0 }, 7));
    for (uint64_t value = 4; value <= 6; value++) {
        ck_assert(bound_holds((struct bound){ BOUND_LESS, 5 }, value) == (value < 5));
        ck_assert(bound_holds((struct bound){ BOUND_AT_MOST, 5 }, value) == (value <= 5));
        ck_assert(bound_holds((struct bound){ BOUND_EQUAL, 5 }, value) == (value == 5));
        ck_assert(bound_holds((struct bound){ BOUND_AT_LEAST, 5 }, value) == (value >= 5));
        ck_assert(bound_holds((struct bound){ BOUND_MORE, 5 }, value) == (value > 5));
    }
}
END_TEST

START_TEST(every_verb_has_a_name_and_help)
{
    for (unsigned i = 0; i < FAULT_VERB_COUNT; i++) {
        ck_assert_str_ne(fault_verb_name((enum fault_verb)i), "");
        ck_assert_str_ne(fault_verb_help((enum fault_verb)i), "");
    }
}
END_TEST

START_TEST(an_unknown_verb_is_a_programming_error)
{
    fault_verb_name(FAULT_VERB_COUNT);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("scenario");
    TCase *tests = tcase_create("scenario");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_example_of_the_format_is_read);
    tcase_add_test(tests, the_faults_of_the_example_are_read);
    tcase_add_test(tests, a_fault_lasts_a_second_and_only_a_power_cut_may_lose_data);
    tcase_add_test(tests, defaults_are_those_of_flink);
    tcase_add_test(tests, events_of_nexmark_are_read_and_written);
    tcase_add_loop_test(tests, defaults_follow_the_parallelism, 0,
                        sizeof derived / sizeof derived[0]);
    tcase_add_test(tests, a_fixed_delay_restarts_once_and_keys_have_the_scenarios_seed);
    tcase_add_test(tests, the_costs_of_a_cluster_are_one_object_without_its_other_settings);
    tcase_add_loop_test(tests, what_is_written_reads_back_to_the_same_scenario_and_text, 0,
                        ROUND_TRIP_COUNT);
    tcase_add_test(tests, a_scenario_chooses_its_figures_and_a_store_may_have_no_limits);
    tcase_add_test(tests, no_random_draw_is_left_in_what_is_written);
    tcase_add_test(tests, a_scenario_built_by_hand_is_written_with_an_absolute_input);
    tcase_add_test(tests, one_seed_always_draws_the_same);
    tcase_add_test(tests, one_random_fault_more_leaves_the_others_as_they_were);
    tcase_add_test(tests, random_faults_stay_within_what_was_asked_for);
    tcase_add_test(tests, any_and_ranges_take_every_value_and_no_other);
    tcase_add_test(tests, any_seed_of_64_bits_can_be_given);
    tcase_add_test(tests, faults_are_described_for_people);
    tcase_add_test(tests, bounds_hold_at_their_edges);
    tcase_add_test(tests, every_verb_has_a_name_and_help);
    tcase_add_test_raise_signal(tests, an_unknown_verb_is_a_programming_error, SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
