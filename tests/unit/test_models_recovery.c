#include "reports/models_recovery.h"

#include <math.h>
#include <signal.h>

#include "model/base/prng.h"
#include "tests/support/near.h"
#include "tests/support/runner.h"

/* Half a unit of the last digit printed in the tables, and a hair for its rounding. */
#define DIGITS_6 5.1e-7

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    double downtime_s, age_s;
    struct model_load load;
    double without_replay_s, catch_up_s, recovery_s, peak_lag;
} recovery_rows[] = {
    { 60, 60, { 15000, 36750 }, 41.379310, 82.758621, 142.758621, 1800000 },
    { 60, 30, { 10000, 36750 }, 22.429907, 33.644860, 93.644860, 900000 },
    { 5, 2.5, { 1000, 2000 }, 5, 7.5, 12.5, 7500 },
    { 10, 10, { 900, 1000 }, 90, 180, 190, 18000 },
    { 61, 117, { 22960, 36750 }, 101.563452, 296.365482, 357.365482, 4086880 },
    { 2, 0, { 100, 400 }, 0.666667, 0.666667, 2.666667, 200 },
};

START_TEST(recovery_is_downtime_and_catching_up)
{
    for (size_t i = 0; i < ROWS(recovery_rows); i++) {
        const struct model_load *load = &recovery_rows[i].load;
        double downtime_s = recovery_rows[i].downtime_s;
        double age_s = recovery_rows[i].age_s;
        expect_near("K0", i, model_catch_up_s(load, downtime_s), recovery_rows[i].without_replay_s,
                    DIGITS_6);
        expect_near("K", i, model_catch_up_s(load, age_s + downtime_s), recovery_rows[i].catch_up_s,
                    DIGITS_6);
        expect_near("recovery", i, model_recovery_s(load, downtime_s, age_s),
                    recovery_rows[i].recovery_s, DIGITS_6);
        expect_near("peak lag", i, model_peak_lag_records(load, downtime_s, age_s),
                    recovery_rows[i].peak_lag, 1e-6);
    }
}
END_TEST

/* Work off what waits, then what arrived meanwhile, and so on: the form that others compute. */
START_TEST(catching_up_is_the_sum_of_a_geometric_series)
{
    for (size_t i = 0; i < ROWS(recovery_rows); i++) {
        const struct model_load *load = &recovery_rows[i].load;
        double behind_s = recovery_rows[i].downtime_s + recovery_rows[i].age_s;
        double step_s = behind_s * load->input_rate / load->capacity;
        double sum_s = 0;
        while (step_s > 1e-12) {
            sum_s += step_s;
            step_s *= load->input_rate / load->capacity;
        }
        expect_near("series", i, model_catch_up_s(load, behind_s), sum_s, 1e-9);
    }
}
END_TEST

START_TEST(a_job_without_spare_capacity_never_catches_up)
{
    const struct model_load saturated = { .input_rate = 1000, .capacity = 1000 };
    const struct model_load overloaded = { .input_rate = 1001, .capacity = 1000 };
    const struct model_load idle = { .input_rate = 0, .capacity = 0 };
    ck_assert_double_eq(model_catch_up_s(&saturated, 1), INFINITY);
    ck_assert_double_eq(model_recovery_s(&overloaded, 5, 0), INFINITY);
    ck_assert_double_eq(model_catch_up_s(&saturated, 0), INFINITY);
    ck_assert_double_eq(model_recovery_s(&idle, 5, 60), 5);
}
END_TEST

START_TEST(downtime_is_the_sum_of_its_stages)
{
    static const struct {
        double detection_s, scheduling_s, megabytes, tasks, task_rate, shared_rate, downtime_s;
    } rows[] = {
        { 50, 2, 10000, 10, 100, 1000, 62 },         { 0, 2, 10000, 10, 100, 1000, 12 },
        { 50, 5, 500000, 100, 100, 5000, 155 },      { 5, 1, 100, 4, 50, 1000, 6.5 },
        { 10, 17.183, 1e6, 1000, 100, 1e5, 37.183 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct model_downtime stages = {
            .detection_s = rows[i].detection_s,
            .scheduling_s = rows[i].scheduling_s,
            .restore_s = model_restore_s(rows[i].megabytes, rows[i].tasks, rows[i].task_rate,
                                         rows[i].shared_rate),
        };
        expect_near("D", i, model_downtime_s(&stages), rows[i].downtime_s, 1e-9);
        stages.first_record_s = 0.25;
        expect_near("D with the first record", i, model_downtime_s(&stages),
                    rows[i].downtime_s + 0.25, 1e-9);
    }
    expect_near("the shared store is the narrow place", 0, model_restore_s(1000, 10, 100, 50), 20,
                0);
    ck_assert_double_eq(model_restore_s(1000, 10, INFINITY, INFINITY), 0);
}
END_TEST

START_TEST(a_failure_repeats_what_came_since_the_last_completed_checkpoint)
{
    static const struct {
        double interval_s, duration_s, rate, mean, worst;
    } rows[] = {
        { 1, .1, 1000, 600, 1100 },      { 10, .5, 1000, 5500, 10500 },
        { 60, 2, 50000, 1.6e6, 3.1e6 },  { 10, 10, 1000, 15000, 20000 },
        { 5, .076, 4000, 10304, 20304 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct model_mean_worst records =
            model_replayed_records(rows[i].interval_s, rows[i].duration_s, rows[i].rate);
        expect_near("mean", i, records.mean, rows[i].mean, 1e-6);
        expect_near("worst", i, records.worst, rows[i].worst, 1e-6);
    }
}
END_TEST

START_TEST(results_are_visible_once_a_checkpoint_completes)
{
    static const struct {
        double interval_s, duration_s, mean_s, worst_s;
    } rows[] = {
        { 1, .1, .6, 1.1 },        { 10, 1, 6, 11 },          { 60, 2, 32, 62 },
        { 5, .076, 2.576, 5.076 }, { .01, .664, .669, .674 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct model_mean_worst delay_s =
            model_visible_delay_s(rows[i].interval_s, rows[i].duration_s);
        expect_near("mean", i, delay_s.mean, rows[i].mean_s, 1e-12);
        expect_near("worst", i, delay_s.worst, rows[i].worst_s, 1e-12);
        struct model_mean_worst age_s =
            model_checkpoint_age_s(rows[i].interval_s, rows[i].duration_s);
        ck_assert_double_eq(age_s.mean, delay_s.mean);
        ck_assert_double_eq(age_s.worst, delay_s.worst);
    }
}
END_TEST

START_TEST(early_inputs_that_are_not_blocked_are_counted_twice)
{
    static const struct {
        size_t count;
        double rates[4], barriers_s[4], records;
    } rows[] = {
        { 2, { 100, 100 }, { 0, .5 }, 50 },
        { 4, { 100, 100, 100, 100 }, { 0, .1, .2, .3 }, 60 },
        { 2, { 1000, 10 }, { 0, 2 }, 2000 },
        { 2, { 1000, 10 }, { 2, 0 }, 20 },
        { 1, { 1000 }, { 7 }, 0 },
        { 0, { 0 }, { 0 }, 0 },
        { 2, { 100, 100 }, { -3, -2.5 }, 50 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        expect_near("duplicates", i,
                    model_duplicate_records(rows[i].rates, rows[i].barriers_s, rows[i].count),
                    rows[i].records, 1e-9);
    }
}
END_TEST

START_TEST(uncoordinated_rollback_grows_with_depth)
{
    static const struct {
        double interval_s, depth, mean_s, worst_s;
    } rows[] = {
        { 5, 0, 2.5, 5 },  { 5, 2, 7.5, 15 },   { 5, 4, 12.5, 25 },
        { 10, 3, 20, 40 }, { 60, 5, 180, 360 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct model_mean_worst age_s = model_rollback_age_s(rows[i].interval_s, rows[i].depth);
        expect_near("mean", i, age_s.mean, rows[i].mean_s, 0);
        expect_near("worst", i, age_s.worst, rows[i].worst_s, 0);
    }
}
END_TEST

static double draw_uniform(struct prng *prng)
{
    return (double)(prng_next(prng) >> 11) * 0x1p-53;
}

/* Tasks of a chain with independent clocks; each keeps its latest checkpoint at or before the one
 * that the task before it keeps. */
START_TEST(simulated_uncoordinated_chains_fall_back_as_far_as_expected)
{
    enum { CHAINS = 100000, DEPTHS = 5 };
    static const double others_s[DEPTHS] = { 2.499, 4.991, 7.494, 9.995, 12.5 };
    const double interval_s = 5;
    struct prng prng = { .state = 3 };
    double sums_s[DEPTHS] = { 0 };
    double worst_s[DEPTHS] = { 0 };
    for (int chain = 0; chain < CHAINS; chain++) {
        double kept_s = 0; /* time before the failure */
        for (int depth = 0; depth < DEPTHS; depth++) {
            double phase_s = draw_uniform(&prng) * interval_s;
            double periods = ceil((kept_s - phase_s) / interval_s);
            kept_s = phase_s + fmax(0, periods) * interval_s;
            sums_s[depth] += kept_s;
            worst_s[depth] = fmax(worst_s[depth], kept_s);
        }
    }
    for (size_t depth = 0; depth < DEPTHS; depth++) {
        struct model_mean_worst age_s = model_rollback_age_s(interval_s, (double)depth);
        expect_near("simulated mean", depth, sums_s[depth] / CHAINS, age_s.mean, 0.03);
        expect_near("others' mean", depth, others_s[depth], age_s.mean, 0.03);
        ck_assert_double_le(worst_s[depth], age_s.worst);
        ck_assert_double_gt(worst_s[depth], age_s.mean);
    }
}
END_TEST

START_TEST(a_negative_age_is_a_programming_error)
{
    const struct model_load load = { .input_rate = 1, .capacity = 2 };
    (void)model_recovery_s(&load, 1, -1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("models_recovery");
    TCase *tests = tcase_create("models_recovery");
    tcase_add_test(tests, recovery_is_downtime_and_catching_up);
    tcase_add_test(tests, catching_up_is_the_sum_of_a_geometric_series);
    tcase_add_test(tests, a_job_without_spare_capacity_never_catches_up);
    tcase_add_test(tests, downtime_is_the_sum_of_its_stages);
    tcase_add_test(tests, a_failure_repeats_what_came_since_the_last_completed_checkpoint);
    tcase_add_test(tests, results_are_visible_once_a_checkpoint_completes);
    tcase_add_test(tests, early_inputs_that_are_not_blocked_are_counted_twice);
    tcase_add_test(tests, uncoordinated_rollback_grows_with_depth);
    tcase_add_test(tests, simulated_uncoordinated_chains_fall_back_as_far_as_expected);
    tcase_add_test_raise_signal(tests, a_negative_age_is_a_programming_error, SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
