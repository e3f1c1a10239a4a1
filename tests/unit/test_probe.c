#include "sim/command/probe.h"

#include "tests/support/runner.h"

static struct arena arena;
static struct probe probe;

static void setup(void)
{
    arena_init(&arena);
    probe_init(&probe, &arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void add_calls(enum live_call_kind kind, uint32_t process, uint64_t took_ns)
{
    for (int i = 0; i < 8; i++) {
        call_times_add(&probe.calls,
                       &(struct live_call){ .kind = kind, .process = process, .took_ns = took_ns });
    }
}

/* Half of one of each, and what takes more than a call that only gives a name. */
START_TEST(the_costs_of_the_store_are_what_is_above_a_plain_call)
{
    struct cluster cluster = { 0 };
    add_calls(LIVE_CALL_NAME, 0, 30);
    add_calls(LIVE_CALL_NAME, 1, 10);
    add_calls(LIVE_CALL_SYNC, 0, 720);
    add_calls(LIVE_CALL_SYNC, 1, 520);
    add_calls(LIVE_CALL_REMOVE, 0, 1020);
    probe_apply(&probe, &(struct probe_passing){ .free_ns = 1, .costly_ns = 2 }, &cluster);
    ck_assert_uint_eq(cluster.store.latency_ns, 20);
    ck_assert_uint_eq(cluster.store.sync_ns, 600);
    ck_assert_uint_eq(cluster.store.remove_ns, 1000);
}
END_TEST

START_TEST(a_message_costs_what_makes_a_simulated_checkpoint_pass_in_the_time_of_a_live_one)
{
    const struct probe_passing passing = { .free_ns = 50, .costly_ns = 50 + 8 * PROBE_MESSAGE_NS };
    struct cluster cluster = { 0 };
    sample_add(&probe.passing_ns, 50 + 8 * 30000);
    probe_apply(&probe, &passing, &cluster);
    ck_assert_uint_eq(cluster.cpu.message_ns, 30000);
}
END_TEST

START_TEST(what_is_faster_than_it_can_be_simulated_costs_nothing)
{
    const struct probe_passing passing = { .free_ns = 900, .costly_ns = 1000 };
    struct cluster cluster = { 0 };
    sample_add(&probe.passing_ns, 800);
    add_calls(LIVE_CALL_NAME, 0, 500);
    add_calls(LIVE_CALL_SYNC, 0, 400);
    add_calls(LIVE_CALL_REMOVE, 0, 100);
    probe_apply(&probe, &passing, &cluster);
    ck_assert_uint_eq(cluster.cpu.message_ns, 0);
    ck_assert_uint_eq(cluster.store.sync_ns, 0);
    ck_assert_uint_eq(cluster.store.remove_ns, 0);
}
END_TEST

/* A trigger, a barrier and an acknowledgement at least are one behind the other. */
START_TEST(a_message_that_costs_something_makes_a_simulated_checkpoint_longer)
{
    struct buffer error;
    buffer_init(&error, &arena);
    struct trial_place place = { .command = "test", .folder = "unused", .error = &error };
    struct cluster cluster = { .network.latency_min_ns = 10000,
                               .network.latency_max_ns = 10000,
                               .network.local_latency_ns = 2000 };
    struct probe_passing passing;
    ck_assert_int_eq(probe_simulate(&passing, &place, &cluster), STATUS_OK);
    ck_assert_uint_ge(passing.free_ns, 2 * 10000);
    ck_assert_uint_ge(passing.costly_ns, passing.free_ns + UINT64_C(3) * PROBE_MESSAGE_NS);
}
END_TEST

START_TEST(joined_probes_count_together)
{
    struct probe more;
    probe_init(&more, &arena);
    sample_add(&probe.passing_ns, 10);
    sample_add(&more.passing_ns, 20);
    sample_add(&more.passing_ns, 30);
    add_calls(LIVE_CALL_NAME, 0, 5);
    probe_join(&more, &probe);
    ck_assert_uint_eq(sample_median(&more.passing_ns), 20);
    ck_assert_uint_eq(call_times_mean(&more.calls, LIVE_CALL_NAME, true), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("probe");
    TCase *tcase = tcase_create("probe");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_costs_of_the_store_are_what_is_above_a_plain_call);
    tcase_add_test(
        tcase, a_message_costs_what_makes_a_simulated_checkpoint_pass_in_the_time_of_a_live_one);
    tcase_add_test(tcase, what_is_faster_than_it_can_be_simulated_costs_nothing);
    tcase_add_test(tcase, a_message_that_costs_something_makes_a_simulated_checkpoint_longer);
    tcase_add_test(tcase, joined_probes_count_together);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
