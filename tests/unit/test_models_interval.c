#include "reports/models_interval.h"

#include <math.h>
#include <signal.h>

#include "model/base/prng.h"
#include "tests/support/near.h"
#include "tests/support/runner.h"

/* Half a unit of the last digit printed in the tables, and a hair for its rounding. */
#define DIGITS_6 5.1e-7
#define DIGITS_9 5.1e-10

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

START_TEST(nodes_share_their_failures_with_the_job)
{
    static const struct {
        double node_s, count, duration_s, job_s, no_failure;
    } rows[] = {
        { 31536000, 10, 86400, 3153600, 0.972974641 },
        { 31536000, 1000, 86400, 31536, 0.064588040 },
        { 2592000, 100, 3600, 25920, 0.870324726 },
        { 86400, 16, 600, 5400, 0.894839317 },
        { 3600, 4, 60, 900, 0.935506985 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double job_s = model_job_mtbf_s(rows[i].node_s, rows[i].count);
        expect_near("M of the job", i, job_s, rows[i].job_s, 0);
        expect_near("P(no failure)", i, model_no_failure_probability(rows[i].duration_s, job_s),
                    rows[i].no_failure, DIGITS_9);
    }
    expect_near("never fails", 0, model_no_failure_probability(60, INFINITY), 1, 0);
}
END_TEST

START_TEST(young_gives_the_published_intervals)
{
    static const struct {
        double cost_s, mtbf_s, interval_s;
    } rows[] = {
        { 5, 1440, 120 },           { 5, 360, 60 }, { 1, 1620000, 1800 }, { 10, 3600, 268.328157 },
        { 0.5, 86400, 293.938769 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("Young", i, model_young_s(rows[i].cost_s, rows[i].mtbf_s), rows[i].interval_s,
                    DIGITS_6);
    }
    /* A habit of 30 minutes and a cost of a second: right for a failure every 18.75 days. */
    expect_near("30 minutes", 0, model_young_s(1, 18.75 * 86400), 1800, 1e-9);
}
END_TEST

static const struct {
    double cost_s, mtbf_s, restart_s, first, low, higher, exact;
} daly_rows[] = {
    { 5, 1440, 10, 115.415946, 115.000000, 116.689815, 116.690073 },
    { 5, 360, 10, 55.827625, 55.000000, 56.712963, 56.714002 },
    { 5, 15, 10, 10.811388, 7.247449, 9.140920, 9.166503 },
    { 10, 3600, 30, 259.443872, 258.328157, 261.702899, 261.703313 },
    { 1, 60, 5, 10.401754, 9.954451, 10.297927, 10.298177 },
};

START_TEST(daly_gives_four_intervals_of_growing_quality)
{
    for (size_t i = 0; i < ROWS(daly_rows); i++) {
        double cost_s = daly_rows[i].cost_s;
        double mtbf_s = daly_rows[i].mtbf_s;
        expect_near("first order", i,
                    model_daly_first_order_s(cost_s, mtbf_s, daly_rows[i].restart_s),
                    daly_rows[i].first, DIGITS_6);
        expect_near("low order", i, model_daly_low_order_s(cost_s, mtbf_s), daly_rows[i].low,
                    DIGITS_6);
        expect_near("higher order", i, model_daly_higher_order_s(cost_s, mtbf_s),
                    daly_rows[i].higher, DIGITS_6);
        expect_near("exact", i, model_daly_exact_s(cost_s, mtbf_s), daly_rows[i].exact, DIGITS_6);
    }
}
END_TEST

START_TEST(where_a_checkpoint_costs_more_than_two_failures_daly_says_m)
{
    ck_assert_double_lt(model_daly_first_order_s(40, 15, 0), 0);
    ck_assert_double_lt(model_daly_low_order_s(40, 15), 0);
    ck_assert_double_eq(model_daly_higher_order_s(40, 15), 15);
    expect_near("exact", 0, model_daly_exact_s(40, 15), 14.606382, DIGITS_6);
    ck_assert_double_eq(model_daly_higher_order_s(30, 15), 15); /* C = 2 M belongs to it */
    ck_assert_double_lt(model_daly_low_order_s(30.001, 15), 0);
}
END_TEST

/* The captions of Daly's figures: optima of 117, 57 and 9.1 minutes. */
START_TEST(the_higher_order_formula_meets_the_published_figures)
{
    expect_near("M = 24 h", 0, model_daly_higher_order_s(5, 24 * 60), 116.69, 0.0051);
    expect_near("M = 6 h", 1, model_daly_higher_order_s(5, 6 * 60), 56.71, 0.0051);
    expect_near("M = 15 min", 2, model_daly_higher_order_s(5, 15), 9.14, 0.0051);
}
END_TEST

START_TEST(the_exact_interval_makes_the_wall_time_smallest)
{
    for (size_t i = 0; i < ROWS(daly_rows); i++) {
        struct model_run run = {
            .work_s = model_daly_exact_s(daly_rows[i].cost_s, daly_rows[i].mtbf_s),
            .cost_s = daly_rows[i].cost_s,
            .mtbf_s = daly_rows[i].mtbf_s,
            .restart_s = daly_rows[i].restart_s,
        };
        double best = model_wall_time_s(&run, 1);
        struct model_run shorter = run;
        shorter.work_s *= 0.999;
        struct model_run longer = run;
        longer.work_s *= 1.001;
        ck_assert_double_gt(model_wall_time_s(&shorter, 1), best);
        ck_assert_double_gt(model_wall_time_s(&longer, 1), best);
    }
}
END_TEST

START_TEST(the_lambert_gap_solves_its_equation_from_tiny_to_huge)
{
    static const double excesses[] = { 1e-12, 1e-6, 0.01, 0.5, 1, 3, 10, 30 };
    for (size_t i = 0; i < ROWS(excesses); i++) {
        double gap = model_lambert_gap(excesses[i]);
        expect_near("y + ln(1 - y)", i, gap + log1p(-gap), -excesses[i],
                    1e-14 * (1 + excesses[i]) + 4e-16 / (1 - gap));
    }
    ck_assert_double_eq(model_lambert_gap(0), 0);
    ck_assert_double_eq(model_lambert_gap(INFINITY), 1);
    ck_assert_double_eq(model_lambert_gap(1000), 1);
    /* W0(-1 / e^2) = -0.158594339563..., known to many digits. */
    expect_near("W0(-exp(-2))", 0, model_lambert_gap(1) - 1, -0.158594339563, 1e-12);
    /* The series sqrt(2 c) - 2 c / 3 near 0, where W0 computed as such would lose its digits. */
    expect_near("small", 0, model_lambert_gap(1e-10), sqrt(2e-10) - 2e-10 / 3, 1e-15);
}
END_TEST

START_TEST(what_never_fails_needs_no_checkpoint_and_a_free_one_is_taken_always)
{
    ck_assert_double_eq(model_young_s(1, INFINITY), INFINITY);
    ck_assert_double_eq(model_daly_first_order_s(1, INFINITY, 10), INFINITY);
    ck_assert_double_eq(model_daly_low_order_s(1, INFINITY), INFINITY);
    ck_assert_double_eq(model_daly_higher_order_s(1, INFINITY), INFINITY);
    ck_assert_double_eq(model_daly_exact_s(1, INFINITY), INFINITY);
    ck_assert_double_eq(model_utilisation_optimum_s(1, INFINITY), INFINITY);
    ck_assert_double_eq(model_young_s(0, INFINITY), INFINITY);
    ck_assert_double_eq(model_daly_higher_order_s(0, INFINITY), INFINITY);
    ck_assert_double_eq(model_daly_exact_s(0, INFINITY), INFINITY);
    ck_assert_double_eq(model_young_s(0, 3600), 0);
    ck_assert_double_eq(model_daly_higher_order_s(0, 3600), 0);
    ck_assert_double_eq(model_daly_exact_s(0, 3600), 0);
    ck_assert_double_eq(model_daly_exact_s(1, 0), 0);
}
END_TEST

START_TEST(the_wall_time_counts_failures_in_work_checkpoints_and_restarts)
{
    static const struct {
        double solve_s;
        struct model_run run;
        double wall_s, slowdown;
    } rows[] = {
        { 30000, { 116.693, 5, 1440, 10 }, 32872.906948, 1.095764 },
        { 30000, { 56.713, 5, 360, 10 }, 36612.984410, 1.220433 },
        { 30000, { 9.141, 5, 15, 10 }, 150249.904843, 5.008330 },
        { 3600, { 60, 1, 600, 10 }, 3917.265295, 1.088129 },
        { 3600, { 300, 10, 3600, 30 }, 3917.373883, 1.088159 },
        { 3600, { 10, 10, 3600, 30 }, 7280.455458, 2.022349 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double wall_s = model_wall_time_s(&rows[i].run, rows[i].solve_s);
        expect_near("wall time", i, wall_s, rows[i].wall_s, DIGITS_6);
        expect_near("slowdown", i, wall_s / rows[i].solve_s, rows[i].slowdown, DIGITS_6);
        expect_near("progress rate", i, model_progress_rate(&rows[i].run),
                    rows[i].solve_s / rows[i].wall_s, DIGITS_9);
    }
}
END_TEST

START_TEST(wall_time_at_the_ends_of_its_domain)
{
    const struct model_run no_failures = { .work_s = 60, .cost_s = 1, .mtbf_s = INFINITY };
    expect_near("no failures", 0, model_wall_time_s(&no_failures, 3600), 3660, 1e-9);
    const struct model_run only_checkpoints = { .work_s = 0, .cost_s = 1, .mtbf_s = 600 };
    ck_assert_double_eq(model_wall_time_s(&only_checkpoints, 3600), INFINITY);
    const struct model_run hopeless = { .work_s = 1e6, .cost_s = 1, .mtbf_s = 1 };
    ck_assert_double_eq(model_wall_time_s(&hopeless, 3600), INFINITY);
    ck_assert_double_eq(model_progress_rate(&hopeless), 0);
    const struct model_run never = { .work_s = INFINITY, .cost_s = 1, .mtbf_s = 3600 };
    ck_assert_double_eq(model_progress_rate(&never), 0);
    const struct model_run no_need = { .work_s = INFINITY, .cost_s = 1, .mtbf_s = INFINITY };
    ck_assert_double_eq(model_progress_rate(&no_need), 1);
}
END_TEST

static const struct {
    struct model_stream stream;
    double interval_s, utilisation, optimum_s, at_optimum;
} stream_rows[] = {
    { { 1, 3600, 30, 0.5 }, 60, 0.966934764, 85.187461, 0.968375450 },
    { { 1, 3600, 30, 0.5 }, 84.5, 0.968374688, 85.187461, 0.968375450 },
    { { 2, 600, 20, 0 }, 30, 0.880354713, 49.665633, 0.890377821 },
    { { 2, 600, 20, 5 }, 60, 0.881628203, 49.665633, 0.882988836 },
    { { 1, 86400, 60, 1 }, 1800, 0.988371658, 416.025795, 0.994494082 },
    { { 1, 60, 5, 1 }, 10, 0.748375076, 11.298177, 0.749534485 },
};

START_TEST(the_utilisation_and_its_optimum_are_the_published_ones)
{
    for (size_t i = 0; i < ROWS(stream_rows); i++) {
        const struct model_stream *stream = &stream_rows[i].stream;
        expect_near("U", i, model_utilisation(stream, stream_rows[i].interval_s),
                    stream_rows[i].utilisation, DIGITS_9);
        double optimum_s = model_utilisation_optimum_s(stream->cost_s, stream->mtbf_s);
        expect_near("optimum", i, optimum_s, stream_rows[i].optimum_s, DIGITS_6);
        expect_near("U at the optimum", i, model_utilisation(stream, optimum_s),
                    stream_rows[i].at_optimum, DIGITS_9);
    }
    const struct model_stream stream = { 1, 3600, 30, 0.5 };
    ck_assert_double_eq(model_utilisation(&stream, 1), 0);
    ck_assert_double_eq(model_utilisation(&stream, 0.5), 0);
    expect_near("lag of 5 operators", 0, model_barrier_lag_s(5, 0.125), 0.5, 0);
    ck_assert_double_eq(model_barrier_lag_s(1, 0.125), 0);
}
END_TEST

/* Above 0, so that its logarithm is a number. */
static double draw_exponential(struct prng *prng, double mean)
{
    return -mean * log((double)((prng_next(prng) >> 11) + 1) * 0x1p-53);
}

/* Goes through one phase until it succeeds; each failure costs a restart, which may fail too. */
static double simulate_phase(struct prng *prng, const struct model_run *run, double phase_s)
{
    double elapsed_s = 0;
    for (;;) {
        double failure_s = draw_exponential(prng, run->mtbf_s);
        if (failure_s >= phase_s) {
            return elapsed_s + phase_s;
        }
        elapsed_s += failure_s;
        for (failure_s = draw_exponential(prng, run->mtbf_s); failure_s < run->restart_s;
             failure_s = draw_exponential(prng, run->mtbf_s)) {
            elapsed_s += failure_s;
        }
        elapsed_s += run->restart_s;
    }
}

START_TEST(simulated_runs_take_the_expected_wall_time)
{
    enum { RUNS = 4000, SEGMENTS = 60 };
    const struct model_run run = { .work_s = 60, .cost_s = 1, .mtbf_s = 600, .restart_s = 10 };
    struct prng prng = { .state = 1 };
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < RUNS; i++) {
        double wall_s = 0;
        for (int segment = 0; segment < SEGMENTS; segment++) {
            wall_s += simulate_phase(&prng, &run, run.work_s + run.cost_s);
        }
        sum += wall_s;
        squares += wall_s * wall_s;
    }
    double mean = sum / RUNS;
    double error = sqrt((squares / RUNS - mean * mean) / RUNS);
    ck_assert_double_lt(error, 3); /* else the next line would accept anything */
    expect_near("mean of the runs", 0, mean, model_wall_time_s(&run, 3600), 3 * error);
    expect_near("other runs", 0, 3915.9, model_wall_time_s(&run, 3600), 3 * error);
}
END_TEST

/* The share of useful work over many gaps between failures. */
static double simulate_utilisation(struct prng *prng, const struct model_stream *stream,
                                   double interval_s, int gaps)
{
    double useful_s = 0;
    double all_s = 0;
    for (int i = 0; i < gaps; i++) {
        double gap_s = draw_exponential(prng, stream->mtbf_s);
        double usable_s = gap_s - stream->restart_s - stream->lag_s;
        all_s += gap_s;
        if (usable_s > 0) {
            useful_s += (interval_s - stream->cost_s) * floor(usable_s / interval_s);
        }
    }
    return useful_s / all_s;
}

START_TEST(simulated_failures_leave_the_expected_utilisation)
{
    static const struct {
        size_t row;
        double others;    /* another simulation of 400,000 gaps */
        double tolerance; /* three standard errors of such a simulation */
    } rows[] = { { 0, 0.96695, 1.6e-4 }, { 3, 0.88174, 6e-4 }, { 5, 0.74862, 1.3e-3 } };
    struct prng prng = { .state = 2 };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct model_stream *stream = &stream_rows[rows[i].row].stream;
        double interval_s = stream_rows[rows[i].row].interval_s;
        double expected = model_utilisation(stream, interval_s);
        expect_near("simulated U", rows[i].row,
                    simulate_utilisation(&prng, stream, interval_s, 400000), expected,
                    rows[i].tolerance);
        expect_near("others' U", rows[i].row, rows[i].others, expected, rows[i].tolerance);
    }
}
END_TEST

START_TEST(a_negative_cost_is_a_programming_error)
{
    (void)model_young_s(-1, 60);
}
END_TEST

START_TEST(a_cost_that_is_no_number_is_a_programming_error)
{
    (void)model_daly_exact_s(NAN, 60);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("models_interval");
    TCase *tests = tcase_create("models_interval");
    tcase_add_test(tests, nodes_share_their_failures_with_the_job);
    tcase_add_test(tests, young_gives_the_published_intervals);
    tcase_add_test(tests, daly_gives_four_intervals_of_growing_quality);
    tcase_add_test(tests, where_a_checkpoint_costs_more_than_two_failures_daly_says_m);
    tcase_add_test(tests, the_higher_order_formula_meets_the_published_figures);
    tcase_add_test(tests, the_exact_interval_makes_the_wall_time_smallest);
    tcase_add_test(tests, the_lambert_gap_solves_its_equation_from_tiny_to_huge);
    tcase_add_test(tests, what_never_fails_needs_no_checkpoint_and_a_free_one_is_taken_always);
    tcase_add_test(tests, the_wall_time_counts_failures_in_work_checkpoints_and_restarts);
    tcase_add_test(tests, wall_time_at_the_ends_of_its_domain);
    tcase_add_test(tests, the_utilisation_and_its_optimum_are_the_published_ones);
    tcase_add_test(tests, simulated_runs_take_the_expected_wall_time);
    tcase_add_test(tests, simulated_failures_leave_the_expected_utilisation);
    tcase_add_test_raise_signal(tests, a_negative_cost_is_a_programming_error, SIGABRT);
    tcase_add_test_raise_signal(tests, a_cost_that_is_no_number_is_a_programming_error, SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
