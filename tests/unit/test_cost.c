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

/* ---- a store with many clients ----------------------------------------------------------------
 */

/* Serves a request made at `now_ns`; it must be done at `done_ns` and have waited for `wait_ns`. */
static void expect_served(struct cost_store *store, uint64_t now_ns, uint64_t shared_ns,
                          uint64_t client_ns, uint64_t wait_ns, uint64_t done_ns)
{
    uint64_t waited_ns = UINT64_MAX;
    struct cost_request request = { .now_ns = now_ns,
                                    .shared_ns = shared_ns,
                                    .client_ns = client_ns };
    ck_assert_uint_eq(cost_store_serve(store, &request, &waited_ns), done_ns);
    ck_assert_uint_eq(waited_ns, wait_ns);
}

START_TEST(clients_of_an_unlimited_store_do_not_slow_each_other_down)
{
    struct cost_store store;
    cost_store_init(&store, NULL, 0);
    expect_served(&store, 100, 0, 10, 0, 110);
    expect_served(&store, 100, 0, 10, 0, 110);
    expect_served(&store, 105, 0, 7, 0, 112);
}
END_TEST

START_TEST(clients_share_the_bandwidth_of_a_store_first_come_first_served)
{
    struct cost_store store;
    cost_store_init(&store, NULL, 0);
    expect_served(&store, 100, 10, 0, 0, 110);
    expect_served(&store, 100, 10, 0, 10, 120);
    expect_served(&store, 104, 10, 0, 16, 130);
    expect_served(&store, 200, 10, 0, 0, 210);
}
END_TEST

START_TEST(the_narrower_of_connection_and_store_says_how_long_a_transfer_takes)
{
    struct cost_store store;
    cost_store_init(&store, NULL, 0);
    expect_served(&store, 0, 2, 10, 0, 10);
    expect_served(&store, 0, 2, 10, 2, 12); /* its turn comes when the store has taken the first */
    expect_served(&store, 0, 20, 10, 4, 24);
}
END_TEST

START_TEST(a_store_with_few_writers_lets_the_others_stand_in_line)
{
    struct arena arena;
    arena_init(&arena);
    struct cost_store one;
    cost_store_init(&one, &arena, 1);
    expect_served(&one, 0, 0, 10, 0, 10);
    expect_served(&one, 0, 0, 10, 10, 20);
    expect_served(&one, 5, 0, 10, 15, 30);
    expect_served(&one, 100, 0, 10, 0, 110);
    struct cost_store two;
    cost_store_init(&two, &arena, 2);
    expect_served(&two, 0, 0, 10, 0, 10);
    expect_served(&two, 0, 0, 30, 0, 30);
    expect_served(&two, 0, 0, 10, 10, 20); /* behind the short one */
    expect_served(&two, 0, 0, 10, 20, 30);
    arena_drop(&arena);
}
END_TEST

/* `count` tasks send `chunks` each, one after the other, the earliest task first. */
static uint64_t send_all(uint32_t count, uint32_t chunks, uint64_t shared_ns, uint64_t client_ns)
{
    enum { TASKS_MAX = 64 };
    uint64_t now_ns[TASKS_MAX] = { 0 };
    uint32_t sent[TASKS_MAX] = { 0 };
    ck_assert_uint_le(count, TASKS_MAX);
    struct cost_store store;
    cost_store_init(&store, NULL, 0);
    uint64_t last_ns = 0;
    for (uint32_t i = 0; i < count * chunks; i++) {
        uint32_t next = TASKS_MAX;
        for (uint32_t task = 0; task < count; task++) {
            if (sent[task] < chunks && (next == TASKS_MAX || now_ns[task] < now_ns[next])) {
                next = task;
            }
        }
        uint64_t wait_ns;
        now_ns[next] = cost_store_serve(&store,
                                        &(struct cost_request){ .now_ns = now_ns[next],
                                                                .shared_ns = shared_ns,
                                                                .client_ns = client_ns },
                                        &wait_ns);
        sent[next]++;
        last_ns = now_ns[next] > last_ns ? now_ns[next] : last_ns;
    }
    return last_ns;
}

START_TEST(many_tasks_take_as_long_as_the_slower_of_one_connection_and_the_whole_store)
{
    for (uint32_t count = 1; count <= 64; count *= 2) {
        uint64_t own_ns = 50 * 400;
        uint64_t all_ns = (uint64_t)count * 50 * 100;
        uint64_t law_ns = own_ns > all_ns ? own_ns : all_ns;
        uint64_t took_ns = send_all(count, 50, 100, 400);
        ck_assert_uint_ge(took_ns, law_ns);
        ck_assert_uint_le(took_ns, law_ns + 64 * 100); /* who came last to the first round */
    }
}
END_TEST

START_TEST(tasks_that_write_one_after_the_other_take_rounds)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t writers = 1; writers <= 8; writers++) {
        struct cost_store store;
        cost_store_init(&store, &arena, writers);
        uint64_t last_ns = 0;
        for (uint32_t task = 0; task < 20; task++) {
            uint64_t wait_ns;
            last_ns = cost_store_serve(&store, &(struct cost_request){ .client_ns = 7 }, &wait_ns);
            ck_assert_uint_eq(wait_ns, 7 * (task / writers));
        }
        ck_assert_uint_eq(last_ns, 7 * ((20 + writers - 1) / writers));
    }
    arena_drop(&arena);
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
    tcase_add_test(tcase, clients_of_an_unlimited_store_do_not_slow_each_other_down);
    tcase_add_test(tcase, clients_share_the_bandwidth_of_a_store_first_come_first_served);
    tcase_add_test(tcase, the_narrower_of_connection_and_store_says_how_long_a_transfer_takes);
    tcase_add_test(tcase, a_store_with_few_writers_lets_the_others_stand_in_line);
    tcase_add_test(tcase,
                   many_tasks_take_as_long_as_the_slower_of_one_connection_and_the_whole_store);
    tcase_add_test(tcase, tasks_that_write_one_after_the_other_take_rounds);
    Suite *suite = suite_create("cost");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
