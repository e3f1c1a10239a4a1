#include "reports/fit.h"

#include <math.h>
#include <signal.h>

#include "tests/support/near.h"
#include "tests/support/runner.h"

/* By hand: means 2 and 10/3, so the line is 1.5 x + 1/3 with residuals of 1/6 of 14/3 in all; xy
 * over xx is 23/14, with residuals of 38 - 23^2 / 14 = 3/14. */
static const double hand_x[] = { 1, 2, 3 };
static const double hand_y[] = { 2, 3, 5 };

START_TEST(a_line_through_three_points_is_the_one_computed_by_hand)
{
    struct fit_line line;
    ck_assert(fit_line(hand_x, hand_y, 3, &line));
    expect_near("slope", 0, line.slope, 1.5, 1e-14);
    expect_near("intercept", 0, line.intercept, 1.0 / 3, 1e-14);
    expect_near("R2", 0, line.r2, 27.0 / 28, 1e-14);
    expect_near("AIC", 0, line.aic, 3 * log(1.0 / 18) + 6, 1e-12);
    ck_assert(fit_proportional(hand_x, hand_y, 3, &line));
    expect_near("slope", 1, line.slope, 23.0 / 14, 1e-14);
    ck_assert_double_eq(line.intercept, 0);
    expect_near("R2", 1, line.r2, 1 - 9.0 / 196, 1e-14);
    expect_near("AIC", 1, line.aic, 3 * log(1.0 / 14) + 4, 1e-12);
}
END_TEST

START_TEST(a_fit_of_points_on_a_line_is_that_line)
{
    static const double x[] = { 0.5, 1, 4, 10 };
    static const double y[] = { 1.5, 2.5, 8.5, 20.5 };
    struct fit_line line;
    ck_assert(fit_line(x, y, 4, &line));
    expect_near("slope", 0, line.slope, 2, 1e-14);
    expect_near("intercept", 0, line.intercept, 0.5, 1e-13);
    expect_near("R2", 0, line.r2, 1, 1e-14);
    ck_assert(fit_line(x, y, 2, &line)); /* two points are always on a line */
    expect_near("slope", 1, line.slope, 2, 1e-14);
}
END_TEST

/* Twelve made-up points; what is expected of them was computed by another program (numpy's lstsq).
 */
enum { POINTS = 12, REGRESSORS = 4 };
static const double plane_x[POINTS][REGRESSORS] = {
    { 31.6, 23680000, 0.0017, 46 }, { 45.0, 40610000, 0.0108, 24 }, { 39.0, 45900000, 0.0099, 31 },
    { 12.0, 50260000, 0.0184, 1 },  { 15.7, 89600000, 0.0130, 39 }, { 43.8, 71550000, 0.0108, 53 },
    { 1.3, 56370000, 0.0104, 42 },  { 41.2, 89020000, 0.0057, 10 }, { 40.1, 20160000, 0.0012, 34 },
    { 23.9, 15260000, 0.0047, 17 }, { 15.8, 55520000, 0.0141, 61 }, { 14.6, 4910000, 0.0048, 56 },
};
static const double plane_y[POINTS] = {
    1.133, 1.488, 1.491, 0.943, 1.498, 1.983, 0.899, 1.891, 1.273, 0.801, 1.227, 0.637,
};

START_TEST(planes_over_regressors_of_any_size_agree_with_another_program)
{
    static const struct {
        double intercept, coefficients[REGRESSORS], r2, aic;
    } rows[] = {
        { 0.737551981492987, { 0.0197943710558153 }, 0.497176814307655, -24.1902983631371 },
        { 0.268364212916922,
          { 0.0190444736202625, 1.04349726246036e-08 },
          0.973054427640317,
          -57.3073335135418 },
        { 0.271334609830367,
          { 0.0189909177981783, 1.04744665587706e-08, -0.384089502489359 },
          0.973067319265469,
          -55.3130760718427 },
        { 0.096523903093772,
          { 0.0200624704490058, 1.04539726757639e-08, 2.61980193621205, 0.00349074795241438 },
          0.995778062527836,
          -75.5496317570318 },
    };
    for (size_t k = 1; k <= REGRESSORS; k++) {
        double x[POINTS * REGRESSORS];
        for (size_t i = 0; i < POINTS * k; i++) {
            x[i] = plane_x[i / k][i % k];
        }
        struct fit_plane plane;
        ck_assert(fit_plane(x, k, plane_y, POINTS, &plane));
        expect_near("intercept", k, plane.intercept, rows[k - 1].intercept, 1e-12);
        for (size_t j = 0; j < FIT_REGRESSORS_MAX; j++) {
            double expected = j < k ? rows[k - 1].coefficients[j] : 0;
            expect_near("coefficient", k, plane.coefficients[j], expected, 1e-12 * fabs(expected));
        }
        expect_near("R2", k, plane.r2, rows[k - 1].r2, 1e-13);
        expect_near("AIC", k, plane.aic, rows[k - 1].aic, 1e-9);
    }
}
END_TEST

START_TEST(a_line_through_the_origin_may_explain_less_than_the_mean)
{
    double x[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        x[i] = plane_x[i][0];
    }
    struct fit_line line;
    ck_assert(fit_proportional(x, plane_y, POINTS, &line));
    expect_near("slope", 0, line.slope, 0.0411409120793523, 1e-15);
    expect_near("R2", 0, line.r2, -0.242741599407987, 1e-13);
}
END_TEST

START_TEST(regressors_far_from_zero_keep_their_digits)
{
    static const double x[] = { 1e9, 1e9 + 1, 1e9 + 2, 1e9 + 4 };
    static const double y[] = { 7, 10, 13, 19 };
    struct fit_line line;
    ck_assert(fit_line(x, y, 4, &line));
    expect_near("slope", 0, line.slope, 3, 1e-12);
    expect_near("R2", 0, line.r2, 1, 1e-14);
    static const double tiny[] = { 1e-200, 2e-200, 3e-200 };
    ck_assert(fit_line(tiny, hand_y, 3, &line));
    expect_near("tiny", 0, line.slope, 1.5e200, 1e187);
}
END_TEST

START_TEST(points_that_determine_no_fit_are_refused)
{
    static const double zeros[] = { 0, 0, 0 };
    static const double same[] = { 5, 5, 5 };
    static const double broken[] = { 1, NAN, 3 };
    static const double endless[] = { 1, INFINITY, 3 };
    struct fit_line line = { .slope = 42 };
    ck_assert(!fit_line(hand_x, hand_y, 0, &line));
    ck_assert(!fit_line(hand_x, hand_y, 1, &line));
    ck_assert(!fit_line(same, hand_y, 3, &line));
    ck_assert(!fit_line(broken, hand_y, 3, &line));
    ck_assert(!fit_line(hand_x, endless, 3, &line));
    ck_assert(!fit_proportional(zeros, hand_y, 3, &line));
    ck_assert(!fit_proportional(hand_x, hand_y, 0, &line));
    ck_assert(!fit_proportional(hand_x, broken, 3, &line));
    ck_assert_double_eq(line.slope, 42);
}
END_TEST

START_TEST(regressors_that_depend_on_each_other_are_refused)
{
    /* The second is twice the first and five; then but for one point, by one part in a thousand. */
    double x[] = { 1, 7, 2, 9, 3, 11, 5, 15 };
    static const double y[] = { 1, 2, 4, 3 };
    struct fit_plane plane = { .intercept = 42 };
    ck_assert(!fit_plane(x, 2, y, 4, &plane));
    ck_assert_double_eq(plane.intercept, 42);
    x[7] *= 1.001;
    ck_assert(fit_plane(x, 2, y, 4, &plane));
    static const double second_constant[] = { 1, 7, 2, 7, 3, 7, 5, 7 };
    ck_assert(!fit_plane(second_constant, 2, y, 4, &plane));
    ck_assert(!fit_plane(x, 2, y, 2, &plane)); /* a plane needs three points */
}
END_TEST

START_TEST(any_formula_is_judged_like_a_fit)
{
    static const double predicted[] = { 1.5 + 1.0 / 3, 3 + 1.0 / 3, 4.5 + 1.0 / 3 };
    expect_near("R2", 0, fit_r2(predicted, hand_y, 3), 27.0 / 28, 1e-14);
    expect_near("AIC", 0, fit_aic(predicted, hand_y, 3, 2), 3 * log(1.0 / 18) + 6, 1e-12);
    static const double mean[] = { 10.0 / 3, 10.0 / 3, 10.0 / 3 };
    expect_near("R2 of the mean", 0, fit_r2(mean, hand_y, 3), 0, 1e-14);
    ck_assert_double_eq(fit_r2(hand_y, hand_y, 3), 1);
    ck_assert_double_eq(fit_aic(hand_y, hand_y, 3, 0), -INFINITY);
}
END_TEST

START_TEST(where_nothing_varies_nothing_is_explained)
{
    static const double same[] = { 0.1, 0.1, 0.1 };
    struct fit_line line;
    ck_assert(fit_line(hand_x, same, 3, &line));
    expect_near("slope", 0, line.slope, 0, 1e-16);
    expect_near("intercept", 0, line.intercept, 0.1, 1e-15);
    ck_assert(isnan(line.r2));
    ck_assert(isnan(fit_r2(same, same, 3)));
    ck_assert(isnan(fit_r2(same, same, 0)));
    ck_assert(isnan(fit_aic(same, same, 0, 1)));
}
END_TEST

START_TEST(more_regressors_than_there_is_room_for_are_a_programming_error)
{
    struct fit_plane plane;
    ck_assert(!fit_plane(hand_x, FIT_REGRESSORS_MAX + 1, hand_y, 0, &plane));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fit");
    TCase *tests = tcase_create("fit");
    tcase_add_test(tests, a_line_through_three_points_is_the_one_computed_by_hand);
    tcase_add_test(tests, a_fit_of_points_on_a_line_is_that_line);
    tcase_add_test(tests, planes_over_regressors_of_any_size_agree_with_another_program);
    tcase_add_test(tests, a_line_through_the_origin_may_explain_less_than_the_mean);
    tcase_add_test(tests, regressors_far_from_zero_keep_their_digits);
    tcase_add_test(tests, points_that_determine_no_fit_are_refused);
    tcase_add_test(tests, regressors_that_depend_on_each_other_are_refused);
    tcase_add_test(tests, any_formula_is_judged_like_a_fit);
    tcase_add_test(tests, where_nothing_varies_nothing_is_explained);
    tcase_add_test_raise_signal(
        tests, more_regressors_than_there_is_room_for_are_a_programming_error, SIGABRT);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
