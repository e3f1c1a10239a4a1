#include "reports/models_cost.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>

#include "model/base/prng.h"
#include "tests/support/near.h"
#include "tests/support/runner.h"

/* Half a unit of the last digit printed in the tables, and a hair for its rounding. */
#define DIGITS_6 5.1e-7
#define DIGITS_9 5.1e-10

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

START_TEST(messages_of_a_checkpoint_grow_with_the_square_of_the_tasks)
{
    static const struct {
        uint64_t operators, parallelism, tasks, barriers, total;
    } rows[] = {
        { 2, 1, 2, 1, 6 },
        { 3, 2, 6, 8, 22 },
        { 4, 10, 40, 300, 390 },
        { 6, 16, 96, 1280, 1488 },
        { 2, 100, 200, 10000, 10500 },
        { 5, 50, 250, 10000, 10550 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct model_messages messages =
            model_checkpoint_messages(rows[i].operators, rows[i].parallelism);
        ck_assert_uint_eq(messages.tasks, rows[i].tasks);
        ck_assert_uint_eq(messages.barriers, rows[i].barriers);
        ck_assert_uint_eq(messages.triggers, rows[i].parallelism);
        ck_assert_uint_eq(messages.acks, rows[i].tasks);
        ck_assert_uint_eq(messages.notifications, rows[i].tasks);
        ck_assert_uint_eq(messages.total, rows[i].total);
    }
    expect_near("latency of a marker", 0, model_marker_latency_s(4, 0.25), 1, 0);
}
END_TEST

START_TEST(the_largest_chain_does_not_overflow_its_messages)
{
    uint64_t most = UINT64_C(1) << 20;
    struct model_messages messages = model_checkpoint_messages(most, most);
    ck_assert_uint_eq(messages.barriers, (most - 1) << 40);
    ck_assert_uint_gt(messages.total, messages.barriers);
}
END_TEST

/* In milliseconds, of a window or a mean of 100 ms. */
static const struct {
    uint32_t inputs;
    double uniform_skew, uniform_last, exponential_skew, exponential_last;
} skew_rows[] = {
    { 1, 0, 50, 0, 100 },
    { 2, 33.333333, 66.666667, 100, 150 },
    { 4, 60, 80, 183.333333, 208.333333 },
    { 10, 81.818182, 90.909091, 282.896825, 292.896825 },
    { 100, 98.019802, 99.009901, 517.737752, 518.737752 },
};

START_TEST(the_wait_for_the_last_barrier_grows_with_the_inputs)
{
    for (size_t i = 0; i < ROWS(skew_rows); i++) {
        uint32_t inputs = skew_rows[i].inputs;
        expect_near("uniform skew", i, model_skew_uniform_s(100, inputs), skew_rows[i].uniform_skew,
                    DIGITS_6);
        expect_near("uniform last", i, model_last_uniform_s(100, inputs), skew_rows[i].uniform_last,
                    DIGITS_6);
        expect_near("exponential skew", i, model_skew_exponential_s(100, inputs),
                    skew_rows[i].exponential_skew, DIGITS_6);
        expect_near("exponential last", i, model_last_exponential_s(100, inputs),
                    skew_rows[i].exponential_last, DIGITS_6);
    }
}
END_TEST

struct arrivals {
    double first;
    double last;
};

static struct arrivals draw_arrivals(struct prng *prng, uint32_t inputs, bool exponential)
{
    struct arrivals arrivals = { .first = INFINITY, .last = 0 };
    for (uint32_t i = 0; i < inputs; i++) {
        double uniform = (double)((prng_next(prng) >> 11) + 1) * 0x1p-53;
        double at = exponential ? -100 * log(uniform) : 100 * uniform;
        arrivals.first = fmin(arrivals.first, at);
        arrivals.last = fmax(arrivals.last, at);
    }
    return arrivals;
}

START_TEST(simulated_barriers_arrive_as_far_apart_as_expected)
{
    enum { ROUNDS = 20000 };
    struct prng prng = { .state = 4 };
    for (size_t row = 0; row < ROWS(skew_rows) - 1; row++) {
        for (int exponential = 0; exponential < 2; exponential++) {
            double skew = 0;
            double last = 0;
            for (int i = 0; i < ROUNDS; i++) {
                struct arrivals arrivals =
                    draw_arrivals(&prng, skew_rows[row].inputs, exponential == 1);
                skew += (arrivals.last - arrivals.first) / ROUNDS;
                last += arrivals.last / ROUNDS;
            }
            double expected_skew =
                exponential == 1 ? skew_rows[row].exponential_skew : skew_rows[row].uniform_skew;
            double expected_last =
                exponential == 1 ? skew_rows[row].exponential_last : skew_rows[row].uniform_last;
            expect_near("skew", row, skew, expected_skew, 0.015 * expected_skew);
            expect_near("last", row, last, expected_last, 0.015 * expected_last);
        }
    }
}
END_TEST

START_TEST(one_slow_task_makes_a_slow_checkpoint)
{
    static const struct {
        double slow, tasks, probability;
    } rows[] = {
        { 0.01, 1, 0.01 },
        { 0.01, 50, 0.394993933 },
        { 0.01, 100, 0.633967659 },
        { 0.01, 500, 0.993429517 },
        { 0.001, 1000, 0.632304575 },
        { 0.05, 20, 0.641514078 },
        { 0, 1000, 0 },
        { 1, 1, 1 },
        { 1, 0, 0 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("straggler", i, model_straggler_probability(rows[i].slow, rows[i].tasks),
                    rows[i].probability, DIGITS_9);
    }
    expect_near("needed", 0, model_quick_probability_needed(0.99, 100), 0.9998995, 5.1e-8);
    expect_near("and back", 0,
                1 - model_straggler_probability(1 - model_quick_probability_needed(0.99, 100), 100),
                0.99, 1e-12);
}
END_TEST

/* Rates in MB per second. */
START_TEST(a_full_snapshot_grows_with_the_tasks_once_the_store_is_narrow)
{
    static const struct {
        double tasks, duration_s;
    } rows[] = { { 1, 0.55 }, { 4, 0.55 }, { 16, 1.65 }, { 64, 6.45 } };
    const struct model_pipe pipe = { .fixed_s = 0.05, .task_rate = 200, .shared_rate = 1000 };
    const struct model_pipe own_disks = { .fixed_s = 0.05,
                                          .task_rate = 200,
                                          .shared_rate = INFINITY };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("law (a)", i, model_duration_full_s(&pipe, 100, rows[i].tasks),
                    rows[i].duration_s, 1e-12);
        expect_near("own disks", i, model_duration_full_s(&own_disks, 100, rows[i].tasks), 0.55,
                    1e-12);
    }
}
END_TEST

START_TEST(writer_slots_make_steps_and_one_slot_makes_the_textbook_formula)
{
    static const struct {
        double tasks, duration_s;
    } rows[] = { { 1, 0.6 }, { 8, 0.6 }, { 9, 1.1 }, { 64, 4.1 } };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("law (b)", i, model_duration_slots_s(0.1, 0.5, rows[i].tasks, 8),
                    rows[i].duration_s, 1e-12);
        expect_near("one slot", i, model_duration_slots_s(0, 0.5, rows[i].tasks, 1),
                    0.5 * rows[i].tasks, 1e-12);
    }
}
END_TEST

static const struct model_pipe store = { .fixed_s = 0.05, .task_rate = 50e6, .shared_rate = 100e6 };
static const struct model_changes changes = { .key_count = 1e6,
                                              .update_rate = 1000,
                                              .entry_bytes = 100 };

START_TEST(an_incremental_snapshot_is_t_times_n_until_keys_repeat)
{
    static const struct {
        double tasks, interval_s, duration_s, line_s;
    } rows[] = {
        { 16, 1, 0.065992, 0.066 },  { 16, 10, 0.209203, 0.21 },     { 64, 10, 0.686811, 0.69 },
        { 16, 100, 1.572601, 1.65 }, { 16, 1000, 10.163929, 16.05 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double duration_s =
            model_duration_incremental_s(&store, &changes, rows[i].tasks, rows[i].interval_s);
        double line_s = model_duration_line_s(&store, &changes, rows[i].tasks, rows[i].interval_s);
        expect_near("law (c)", i, duration_s, rows[i].duration_s, DIGITS_6);
        expect_near("line", i, line_s, rows[i].line_s, 1e-12);
        double turnover = changes.update_rate * rows[i].interval_s / changes.key_count;
        ck_assert_int_eq(line_s / duration_s <= 1.05, turnover <= 0.1);
    }
    expect_near("off at r T = K", 0,
                model_duration_line_s(&store, &changes, 16, 1000) /
                    model_duration_incremental_s(&store, &changes, 16, 1000),
                1.58, 0.0051);
}
END_TEST

START_TEST(changed_keys_lie_between_the_updates_and_all_keys)
{
    const struct model_changes fresh = { .key_count = INFINITY, .update_rate = 1000 };
    const struct model_changes none = { .key_count = 0, .update_rate = 1000 };
    const struct model_changes few = { .key_count = 10, .update_rate = 1000 };
    ck_assert_double_eq(model_changed_keys(&fresh, 60), 60000);
    ck_assert_double_eq(model_changed_keys(&none, 60), 0);
    ck_assert_double_eq(model_changed_keys(&few, 60), 10);
    ck_assert_double_eq(model_changed_keys(&few, 0), 0);
    ck_assert_double_eq(model_changed_keys(&few, INFINITY), 10);
    /* A single task writes at its own rate, which is below that of the store. */
    expect_near("one task", 0, model_duration_incremental_s(&store, &changes, 1, 10),
                0.05 + 9950.166 * 100 / 50e6, 1e-8);
}
END_TEST

START_TEST(a_barrier_waits_behind_the_records_queued_before_it)
{
    static const struct {
        double hops, queued, rate, duration_s;
    } rows[] = {
        { 2, 1500, 5e6, 0.0006 },  { 2, 1500, 5000, 0.6 },   { 3, 10000, 20000, 1.5 },
        { 1, 1536, 5000, 0.3072 }, { 4, 2048, 1000, 8.192 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("law (d)", i,
                    model_duration_queued_s(rows[i].hops, rows[i].queued, rows[i].rate),
                    rows[i].duration_s, 1e-12);
    }
}
END_TEST

START_TEST(the_general_law_weighs_each_of_its_terms)
{
    const struct model_max_sum terms = {
        .barrier_path_s = 1,
        .skew_s = 10,
        .sync_max_s = 100,
        .upload_max_s = 1000,
        .upload_shared_s = 10000,
        .task_count = 100000,
    };
    const double coefficients[1 + MODEL_MAX_SUM_TERMS] = { 0.5, 1, 2, 3, 4, 5, 6 };
    expect_near("law (e)", 0, model_duration_max_sum_s(&terms, coefficients), 654321.5, 1e-9);
}
END_TEST

START_TEST(the_overhead_falls_with_the_interval_and_is_no_function_of_t_times_n)
{
    static const struct {
        double interval_s, tasks, cost_s, overhead;
    } rows[] = {
        { 1, 10, 0.02, 0.2 }, { 10, 10, 0.02, 0.02 }, { 60, 100, 0.5, 0.833333 },
        { 10, 100, 0.5, 5 },  { 1, 100, 0.5, 50 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("law (f)", i, model_overhead(rows[i].tasks, rows[i].cost_s, rows[i].interval_s),
                    rows[i].overhead, DIGITS_6);
    }
}
END_TEST

START_TEST(a_checkpoint_that_takes_longer_than_the_interval_stretches_it)
{
    static const struct {
        double interval_s, duration_s, pause_s, period_s;
    } rows[] = {
        { 10, 2, 0, 10 },   { 10, 12, 0, 12 }, { 10, 12, 5, 17 },
        { 1, 0.3, 1, 1.3 }, { 0.01, 6, 0, 6 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near(
            "law (g)", i,
            model_effective_period_s(rows[i].interval_s, rows[i].duration_s, rows[i].pause_s),
            rows[i].period_s, 1e-12);
    }
}
END_TEST

/* Published: 10,023 checkpoints in 21 hours, and with a changelog 108,649, where the interval was
 * 10 ms both times. What was published as 7.54 s and 0.696 s is then the duration. */
START_TEST(checkpoints_counted_over_a_day_give_their_duration)
{
    double day_s = 21 * 3600;
    expect_near("snapshots", 0, model_effective_period_s(0.01, day_s / 10023, 0), 7.54, 0.0051);
    expect_near("changelog", 0, model_effective_period_s(0.01, day_s / 108649, 0), 0.696, 0.00051);
}
END_TEST

START_TEST(unaligned_barriers_save_at_most_all_buffers)
{
    static const struct {
        double hops, channels, buffers, size, bytes;
    } rows[] = {
        { 2, 16, 64, 32768, 67108864 },  { 3, 100, 2, 32768, 19660800 },
        { 4, 400, 2, 32768, 104857600 }, { 2, 4, 16, 696, 89088 },
        { 1, 1, 10, 32768, 327680 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near(
            "bytes", i,
            model_unaligned_bytes(rows[i].hops, rows[i].channels, rows[i].buffers, rows[i].size),
            rows[i].bytes, 0);
    }
}
END_TEST

START_TEST(hmnr_adds_more_to_each_message_the_more_tasks_there_are)
{
    static const struct {
        uint32_t tasks;
        uint64_t bytes;
        double growth; /* of a message of 100 bytes */
    } rows[] = {
        { 4, 26, 1.26 },    { 10, 52, 1.52 },     { 40, 178, 2.78 },
        { 100, 434, 5.34 }, { 400, 1708, 18.08 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        ck_assert_uint_eq(model_hmnr_bytes(rows[i].tasks), rows[i].bytes);
        expect_near("growth", i, model_message_growth(100, (double)rows[i].bytes), rows[i].growth,
                    1e-12);
    }
    expect_near("BCS", 0, model_message_growth(100, MODEL_BCS_BYTES), 1.08, 1e-12);
}
END_TEST

START_TEST(a_write_rate_of_zero_is_a_programming_error)
{
    const struct model_pipe stuck = { .fixed_s = 0, .task_rate = 0, .shared_rate = 1 };
    (void)model_duration_full_s(&stuck, 1, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("models_cost");
    TCase *tests = tcase_create("models_cost");
    tcase_add_test(tests, messages_of_a_checkpoint_grow_with_the_square_of_the_tasks);
    tcase_add_test(tests, the_largest_chain_does_not_overflow_its_messages);
    tcase_add_test(tests, the_wait_for_the_last_barrier_grows_with_the_inputs);
    tcase_add_test(tests, simulated_barriers_arrive_as_far_apart_as_expected);
    tcase_add_test(tests, one_slow_task_makes_a_slow_checkpoint);
    tcase_add_test(tests, a_full_snapshot_grows_with_the_tasks_once_the_store_is_narrow);
    tcase_add_test(tests, writer_slots_make_steps_and_one_slot_makes_the_textbook_formula);
    tcase_add_test(tests, an_incremental_snapshot_is_t_times_n_until_keys_repeat);
    tcase_add_test(tests, changed_keys_lie_between_the_updates_and_all_keys);
    tcase_add_test(tests, a_barrier_waits_behind_the_records_queued_before_it);
    tcase_add_test(tests, the_general_law_weighs_each_of_its_terms);
    tcase_add_test(tests, the_overhead_falls_with_the_interval_and_is_no_function_of_t_times_n);
    tcase_add_test(tests, a_checkpoint_that_takes_longer_than_the_interval_stretches_it);
    tcase_add_test(tests, checkpoints_counted_over_a_day_give_their_duration);
    tcase_add_test(tests, unaligned_barriers_save_at_most_all_buffers);
    tcase_add_test(tests, hmnr_adds_more_to_each_message_the_more_tasks_there_are);
    tcase_add_test_raise_signal(tests, a_write_rate_of_zero_is_a_programming_error, SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
