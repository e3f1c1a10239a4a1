#include "model/runtime/restart.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR   (3600 * SECOND)

/* What draws the middle of every range, and its ends. */
#define RANDOM_MIDDLE (UINT64_C(1) << 63)
#define RANDOM_LOW    UINT64_C(0)
#define RANDOM_HIGH   UINT64_MAX

static struct restart restart_with(struct restart_options options)
{
    struct restart restart;
    restart_init(&restart, &options);
    return restart;
}

/* The delay that is answered, or UINT64_MAX for a refusal. */
static uint64_t delay_at(struct restart *restart, uint64_t now_ns, uint64_t random)
{
    uint64_t delay_ns;
    return restart_on_failure(restart, now_ns, random, &delay_ns) ? delay_ns : UINT64_MAX;
}

START_TEST(the_defaults_are_those_of_flink)
{
    struct restart_options options = restart_default_options();
    ck_assert_int_eq(options.strategy, RESTART_EXPONENTIAL_DELAY);
    ck_assert_uint_eq(options.attempts, UINT32_MAX);
    ck_assert_uint_eq(options.initial_delay_ns, SECOND);
    ck_assert_uint_eq(options.max_delay_ns, 60 * SECOND);
    ck_assert_uint_eq(options.multiplier_ppm, 1500000);
    ck_assert_uint_eq(options.reset_threshold_ns, HOUR);
    ck_assert_uint_eq(options.jitter_ppm, 100000);
    ck_assert_uint_eq(options.delay_ns, SECOND);
    ck_assert_uint_eq(options.max_failures, 1);
    ck_assert_uint_eq(options.failure_interval_ns, 60 * SECOND);
}
END_TEST

START_TEST(none_never_restarts)
{
    struct restart restart = restart_with((struct restart_options){ .strategy = RESTART_NONE });
    ck_assert_uint_eq(delay_at(&restart, 5, 0), UINT64_MAX);
    ck_assert_uint_eq(restart.restarts, 0);
}
END_TEST

START_TEST(fixed_delay_allows_so_many_attempts)
{
    struct restart restart = restart_with(
        (struct restart_options){ .strategy = RESTART_FIXED_DELAY, .attempts = 3, .delay_ns = 7 });
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(delay_at(&restart, i * HOUR, i), 7);
    }
    ck_assert_uint_eq(delay_at(&restart, 3 * HOUR, 0), UINT64_MAX);
    ck_assert_uint_eq(delay_at(&restart, 9999 * HOUR, 0), UINT64_MAX);
    ck_assert_uint_eq(restart.restarts, 3);
}
END_TEST

START_TEST(fixed_delay_without_a_limit_always_restarts)
{
    struct restart restart = restart_with((struct restart_options){
        .strategy = RESTART_FIXED_DELAY, .attempts = UINT32_MAX, .delay_ns = 7 });
    restart.restarts = UINT32_MAX;
    ck_assert_uint_eq(delay_at(&restart, 1, 0), 7);
    ck_assert_uint_eq(restart.restarts, UINT32_MAX);
}
END_TEST

START_TEST(exponential_delays_follow_flinks_sequence)
{
    static const uint64_t expected_ns[] = {
        1000 * MS,   1500 * MS,   2250 * MS,   3375 * MS,   5062500000,  7593750000,  11390625000,
        17085937500, 25628906250, 38443359375, 57665039062, 60 * SECOND, 60 * SECOND, 60 * SECOND,
    };
    struct restart_options options = restart_default_options();
    options.jitter_ppm = 0;
    struct restart restart = restart_with(options);
    uint64_t now_ns = 5;
    for (size_t i = 0; i < sizeof expected_ns / sizeof expected_ns[0]; i++) {
        uint64_t delay_ns = delay_at(&restart, now_ns, RANDOM_HIGH);
        ck_assert_uint_eq(delay_ns, expected_ns[i]);
        now_ns += delay_ns + 1; /* fails again as soon as it runs */
    }
}
END_TEST

START_TEST(the_jitter_stays_in_its_range_and_reaches_both_ends)
{
    struct restart_options options = restart_default_options();
    options.initial_delay_ns = 1;
    options.max_delay_ns = 1000000;
    options.jitter_ppm = 250000;
    struct restart restart = restart_with(options);
    restart.current_delay_ns = 8; /* so [6, 10] */
    struct prng prng = { 1 };
    uint32_t seen[11] = { 0 };
    for (int i = 0; i < 1000; i++) {
        struct restart copy = restart;
        uint64_t delay_ns = delay_at(&copy, 0, prng_next(&prng));
        ck_assert_uint_ge(delay_ns, 6);
        ck_assert_uint_le(delay_ns, 10);
        seen[delay_ns]++;
    }
    for (int delay_ns = 6; delay_ns <= 10; delay_ns++) {
        ck_assert_uint_gt(seen[delay_ns], 100);
    }
}
END_TEST

START_TEST(jittered_delays_stay_between_initial_and_maximum)
{
    struct restart_options options = restart_default_options();
    struct restart first = restart_with(options);
    ck_assert_uint_eq(delay_at(&first, 0, RANDOM_LOW), SECOND); /* not 0.9 s */
    ck_assert_uint_eq(delay_at(&first, 2 * SECOND, RANDOM_LOW), 1350 * MS);
    struct restart other = restart_with(options);
    ck_assert_uint_eq(delay_at(&other, 0, RANDOM_HIGH), 1100 * MS);
    ck_assert_uint_eq(delay_at(&other, 2 * SECOND, RANDOM_MIDDLE), 1500 * MS);
    other.current_delay_ns = 57 * SECOND;
    ck_assert_uint_eq(delay_at(&other, 10 * SECOND, RANDOM_HIGH), 60 * SECOND);
    other.current_delay_ns = 86 * SECOND; /* the cap comes after the jitter: no draw is below it */
    ck_assert_uint_eq(delay_at(&other, 100 * SECOND, RANDOM_LOW), 60 * SECOND);
}
END_TEST

START_TEST(a_long_time_without_failure_resets_the_delay)
{
    struct restart_options options = restart_default_options();
    options.jitter_ppm = 0;
    struct restart restart = restart_with(options);
    ck_assert_uint_eq(delay_at(&restart, 0, 0), SECOND);
    ck_assert_uint_eq(delay_at(&restart, 2 * SECOND, 0), 1500 * MS);
    /* The quiet time counts from the restart at 3.5 s. */
    struct restart almost = restart;
    ck_assert_uint_eq(delay_at(&almost, 3500 * MS + HOUR - 1, 0), 2250 * MS);
    ck_assert_uint_eq(delay_at(&restart, 3500 * MS + HOUR, 0), SECOND);
    ck_assert_uint_eq(restart.restarts, 1);
}
END_TEST

START_TEST(exponential_attempts_are_limited_between_resets)
{
    struct restart_options options = restart_default_options();
    options.jitter_ppm = 0;
    options.attempts = 2;
    struct restart restart = restart_with(options);
    ck_assert_uint_eq(delay_at(&restart, 0, 0), SECOND);
    ck_assert_uint_eq(delay_at(&restart, 2 * SECOND, 0), 1500 * MS);
    struct restart other = restart;
    ck_assert_uint_eq(delay_at(&restart, 4 * SECOND, 0), UINT64_MAX);
    ck_assert_uint_eq(delay_at(&other, 4 * SECOND + HOUR, 0), SECOND);
}
END_TEST

START_TEST(failures_during_the_wait_are_one_attempt)
{
    struct restart_options options = restart_default_options();
    options.jitter_ppm = 0;
    options.attempts = 2;
    struct restart restart = restart_with(options);
    ck_assert_uint_eq(delay_at(&restart, 10 * SECOND, 0), SECOND);
    ck_assert_uint_eq(delay_at(&restart, 10300 * MS, 0), 700 * MS);
    ck_assert_uint_eq(delay_at(&restart, 11 * SECOND, 0), 0);
    ck_assert_uint_eq(restart.restarts, 1);
    ck_assert_uint_eq(delay_at(&restart, 11 * SECOND + 1, 0), 1500 * MS);
}
END_TEST

START_TEST(exponential_growth_never_overflows)
{
    struct restart_options options = restart_default_options();
    options.multiplier_ppm = UINT32_MAX;
    options.max_delay_ns = UINT64_MAX / 64;
    options.jitter_ppm = 1000000;
    struct restart restart = restart_with(options);
    uint64_t now_ns = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t delay_ns = delay_at(&restart, now_ns, RANDOM_HIGH);
        ck_assert_uint_ge(delay_ns, options.initial_delay_ns);
        ck_assert_uint_le(delay_ns, options.max_delay_ns);
        now_ns += delay_ns + 1;
    }
}
END_TEST

static struct restart_options failure_rate(uint32_t max_failures, uint64_t interval_ns)
{
    return (struct restart_options){ .strategy = RESTART_FAILURE_RATE,
                                     .delay_ns = 9,
                                     .max_failures = max_failures,
                                     .failure_interval_ns = interval_ns };
}

START_TEST(failure_rate_allows_so_many_failures_in_a_window)
{
    struct restart restart = restart_with(failure_rate(3, 100));
    ck_assert_uint_eq(delay_at(&restart, 0, 0), 9);
    ck_assert_uint_eq(delay_at(&restart, 50, 0), 9);
    ck_assert_uint_eq(delay_at(&restart, 90, 0), 9);
    struct restart edge = restart;
    ck_assert_uint_eq(delay_at(&edge, 100, 0), UINT64_MAX);
    ck_assert_uint_eq(delay_at(&restart, 101, 0), 9);
    ck_assert_uint_eq(delay_at(&restart, 150, 0), UINT64_MAX);
}
END_TEST

START_TEST(failure_rate_of_one_a_window_slides)
{
    struct restart restart = restart_with(failure_rate(1, 100));
    for (uint64_t i = 0; i < 200; i++) {
        ck_assert_uint_eq(delay_at(&restart, i * 101, 0), 9);
    }
    ck_assert_uint_eq(delay_at(&restart, 199 * 101 + 100, 0), UINT64_MAX);
}
END_TEST

START_TEST(the_largest_failure_rate_works)
{
    struct restart restart = restart_with(failure_rate(RESTART_FAILURES_REMEMBERED, 1000));
    for (uint64_t i = 0; i < RESTART_FAILURES_REMEMBERED; i++) {
        ck_assert_uint_eq(delay_at(&restart, i, 0), 9);
    }
    ck_assert_uint_eq(delay_at(&restart, 1000, 0), UINT64_MAX);
}
END_TEST

START_TEST(a_failure_rate_beyond_the_memory_is_refused)
{
    restart_with(failure_rate(RESTART_FAILURES_REMEMBERED + 1, 1000));
}
END_TEST

START_TEST(an_initial_delay_above_the_maximum_is_refused)
{
    struct restart_options options = restart_default_options();
    options.initial_delay_ns = options.max_delay_ns + 1;
    restart_with(options);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("restart");
    TCase *tcase = tcase_create("restart");
    tcase_add_test(tcase, the_defaults_are_those_of_flink);
    tcase_add_test(tcase, none_never_restarts);
    tcase_add_test(tcase, fixed_delay_allows_so_many_attempts);
    tcase_add_test(tcase, fixed_delay_without_a_limit_always_restarts);
    tcase_add_test(tcase, exponential_delays_follow_flinks_sequence);
    tcase_add_test(tcase, the_jitter_stays_in_its_range_and_reaches_both_ends);
    tcase_add_test(tcase, jittered_delays_stay_between_initial_and_maximum);
    tcase_add_test(tcase, a_long_time_without_failure_resets_the_delay);
    tcase_add_test(tcase, exponential_attempts_are_limited_between_resets);
    tcase_add_test(tcase, failures_during_the_wait_are_one_attempt);
    tcase_add_test(tcase, exponential_growth_never_overflows);
    tcase_add_test(tcase, failure_rate_allows_so_many_failures_in_a_window);
    tcase_add_test(tcase, failure_rate_of_one_a_window_slides);
    tcase_add_test(tcase, the_largest_failure_rate_works);
    tcase_add_test_raise_signal(tcase, a_failure_rate_beyond_the_memory_is_refused, SIGABRT);
    tcase_add_test_raise_signal(tcase, an_initial_delay_above_the_maximum_is_refused, SIGABRT);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
