#include "sim/world/cost.h"

#include <signal.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

START_TEST(a_transfer_takes_its_bytes_over_the_rate_rounded_up)
{
    ck_assert_uint_eq(cost_transfer_ns(1000, 1000), 1000000000);
    ck_assert_uint_eq(cost_transfer_ns(1, 1000000000), 1);
    ck_assert_uint_eq(cost_transfer_ns(1, UINT64_C(2000000000)), 1); /* half, rounded up */
    ck_assert_uint_eq(cost_transfer_ns(1, 3), 333333334);
    ck_assert_uint_eq(cost_transfer_ns(3, 3), 1000000000);
    ck_assert_uint_eq(cost_transfer_ns(1, UINT64_MAX), 1);
}
END_TEST

START_TEST(nothing_and_no_limit_take_no_time)
{
    ck_assert_uint_eq(cost_transfer_ns(0, 1), 0);
    ck_assert_uint_eq(cost_transfer_ns(0, 0), 0);
    ck_assert_uint_eq(cost_transfer_ns(UINT64_MAX, 0), 0);
}
END_TEST

START_TEST(large_transfers_do_not_overflow)
{
    ck_assert_uint_eq(cost_transfer_ns(UINT64_MAX, UINT64_C(1) << 40),
                      (uint64_t)(((prng_wide)UINT64_MAX * 1000000000 >> 40) + 1));
    /* Both ways of computing meet here. */
    const uint64_t bound = UINT64_MAX / 1000000000;
    for (uint64_t bytes = bound - 5; bytes < bound + 5; bytes++) {
        for (uint64_t rate = UINT64_C(1) << 33; rate < UINT64_C(1) << 34; rate += 999999937) {
            prng_wide exact = ((prng_wide)bytes * 1000000000 + rate - 1) / rate;
            ck_assert_uint_eq(cost_transfer_ns(bytes, rate), (uint64_t)exact);
        }
    }
}
END_TEST

START_TEST(transfers_at_the_fastest_rates_are_exact)
{
    struct prng prng = { .state = 1 };
    for (int i = 0; i < 10000; i++) {
        uint64_t bytes = prng_next(&prng) >> prng_between(&prng, 20, 63);
        uint64_t rate = 1 + (prng_next(&prng) >> prng_below(&prng, 30));
        prng_wide exact = ((prng_wide)bytes * 1000000000 + rate - 1) / rate;
        ck_assert_uint_eq(cost_transfer_ns(bytes, rate), (uint64_t)exact);
    }
}
END_TEST

START_TEST(a_server_serves_one_request_after_the_other)
{
    struct cost_server server = { 0 };
    ck_assert_uint_eq(cost_serve(&server, 100, 10), 110);
    ck_assert_uint_eq(cost_serve(&server, 105, 10), 120); /* waits for the first */
    ck_assert_uint_eq(cost_serve(&server, 105, 10), 130);
    ck_assert_uint_eq(cost_serve(&server, 130, 0), 130);
    ck_assert_uint_eq(cost_serve(&server, 1000, 5), 1005); /* was idle */
}
END_TEST

START_TEST(a_server_is_never_faster_than_its_requests)
{
    struct cost_server server = { 0 };
    struct prng prng = { .state = 2 };
    uint64_t now_ns = 0;
    uint64_t sum_ns = 0;
    uint64_t last_ns = 0;
    for (int i = 0; i < 10000; i++) {
        now_ns += prng_below(&prng, 20);
        uint64_t service_ns = prng_below(&prng, 20);
        sum_ns += service_ns;
        uint64_t done_ns = cost_serve(&server, now_ns, service_ns);
        ck_assert_uint_ge(done_ns, now_ns + service_ns);
        ck_assert_uint_ge(done_ns, last_ns + service_ns);
        last_ns = done_ns;
    }
    ck_assert_uint_ge(last_ns, sum_ns);
}
END_TEST

START_TEST(a_service_beyond_the_end_of_time_trips_a_check)
{
    struct cost_server server = { .free_ns = 10 };
    (void)cost_serve(&server, 0, UINT64_MAX);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("cost");
    tcase_add_test(tcase, a_transfer_takes_its_bytes_over_the_rate_rounded_up);
    tcase_add_test(tcase, nothing_and_no_limit_take_no_time);
    tcase_add_test(tcase, large_transfers_do_not_overflow);
    tcase_add_test(tcase, transfers_at_the_fastest_rates_are_exact);
    tcase_add_test(tcase, a_server_serves_one_request_after_the_other);
    tcase_add_test(tcase, a_server_is_never_faster_than_its_requests);
    tcase_add_test_raise_signal(tcase, a_service_beyond_the_end_of_time_trips_a_check, SIGABRT);
    Suite *suite = suite_create("cost");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
