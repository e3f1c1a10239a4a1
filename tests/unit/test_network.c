#include "sim/world/network.h"

#include <signal.h>

#include "tests/support/runner.h"

enum { PROCESSES = 4, STREAMS = 3 };

static struct arena arena;
static struct network network;

/* Latency 100..300, local 20, one byte a nanosecond. */
static struct network_options usual(void)
{
    return (struct network_options){ .process_count = PROCESSES,
                                     .stream_count = STREAMS,
                                     .latency_min_ns = 100,
                                     .latency_max_ns = 300,
                                     .local_latency_ns = 20,
                                     .bandwidth_bytes_per_s = 1000000000 };
}

/* Latency 100, no bandwidth. */
static struct network_options without_chance(void)
{
    struct network_options options = usual();
    options.bandwidth_bytes_per_s = 0;
    options.latency_max_ns = options.latency_min_ns;
    return options;
}

static void begin(struct network_options options, uint64_t seed)
{
    network_init(&network, &arena, &options, (struct prng){ .state = seed });
}

/* Every message of `stream` that leaves in that time takes `by_ns` longer. */
static void delay(uint32_t stream, uint64_t from_ns, uint64_t until_ns, uint64_t by_ns)
{
    network_add_rule(&network,
                     &(struct network_rule){ .kind = NETWORK_DELAY,
                                             .from_last = PROCESSES - 1,
                                             .to_last = PROCESSES - 1,
                                             .stream = stream,
                                             .from_ns = from_ns,
                                             .until_ns = until_ns,
                                             .by_ns = by_ns },
                     0);
}

static void setup(void)
{
    arena_init(&arena);
    begin(usual(), 1);
}

static void teardown(void)
{
    arena_drop(&arena);
}

START_TEST(a_message_within_a_machine_takes_the_local_latency)
{
    ck_assert_uint_eq(network_send(&network, 2, 2, 0, 1000000, 500), 520);
    /* ... and does not occupy the sender. */
    ck_assert_uint_lt(network_send(&network, 2, 1, 0, 0, 500), 500 + 64 + 300 + 1);
}
END_TEST

START_TEST(actors_of_a_machine_do_not_wait_for_each_others_control_messages)
{
    /* The first sender's clock is ahead: it spent its handler on a long call. */
    ck_assert_uint_eq(network_send(&network, 2, 2, 0, 0, 900), 920);
    ck_assert_uint_eq(network_send(&network, 2, 2, 0, 0, 500), 520);
    /* The records of an edge share a queue. */
    ck_assert_uint_eq(network_send(&network, 2, 2, 1, 0, 900), 920);
    ck_assert_uint_eq(network_send(&network, 2, 2, 1, 0, 500), 920);
}
END_TEST

START_TEST(latencies_fill_their_range_and_do_not_leave_it)
{
    bool low = false;
    bool high = false;
    for (uint64_t i = 1; i <= 10000; i++) {
        uint64_t sent_ns = i * 10000;
        uint64_t latency_ns = network_send(&network, 0, 1, 0, 0, sent_ns) - sent_ns - 64;
        ck_assert_uint_ge(latency_ns, 100);
        ck_assert_uint_le(latency_ns, 300);
        low = low || latency_ns == 100;
        high = high || latency_ns == 300;
    }
    ck_assert(low && high);
}
END_TEST

/* H1 */
START_TEST(messages_of_one_stream_arrive_in_the_order_sent)
{
    struct prng prng = { .state = 2 };
    uint64_t last_ns[PROCESSES][PROCESSES][STREAMS] = { 0 };
    uint64_t now_ns = 0;
    uint64_t overtaken = 0;
    uint64_t newest_ns = 0;
    for (int i = 0; i < 50000; i++) {
        now_ns += prng_below(&prng, 30);
        uint32_t from = (uint32_t)prng_below(&prng, PROCESSES);
        uint32_t to = (uint32_t)prng_below(&prng, PROCESSES);
        uint32_t stream = (uint32_t)prng_below(&prng, STREAMS);
        uint64_t arrival_ns =
            network_send(&network, from, to, stream, prng_below(&prng, 50), now_ns);
        ck_assert_uint_ge(arrival_ns, last_ns[from][to][stream]);
        ck_assert_uint_ge(arrival_ns, now_ns);
        last_ns[from][to][stream] = arrival_ns;
        overtaken += arrival_ns < newest_ns;
        newest_ns = arrival_ns > newest_ns ? arrival_ns : newest_ns;
    }
    ck_assert_uint_gt(overtaken, 1000); /* other streams and links do overtake */
}
END_TEST

START_TEST(a_sender_sends_one_message_after_the_other)
{
    struct network_options options = usual();
    options.latency_max_ns = options.latency_min_ns;
    begin(options, 1);
    ck_assert_uint_eq(network_send(&network, 0, 1, 0, 1000, 0), 1064 + 100);
    ck_assert_uint_eq(network_send(&network, 0, 2, 1, 1000, 0), 2 * 1064 + 100);
    ck_assert_uint_eq(network_send(&network, 1, 2, 1, 1000, 0), 1064 + 100); /* another sender */
    ck_assert_uint_eq(network_send(&network, 0, 3, 2, 0, 5000), 5064 + 100); /* idle again */
}
END_TEST

START_TEST(without_a_bandwidth_only_latency_counts)
{
    begin(without_chance(), 1);
    ck_assert_uint_eq(network_send(&network, 0, 1, 0, UINT64_C(1) << 40, 7), 107);
    ck_assert_uint_eq(network_send(&network, 0, 1, 0, UINT64_C(1) << 40, 7), 107);
}
END_TEST

START_TEST(a_delay_holds_up_its_stream_for_its_time)
{
    begin(without_chance(), 1);
    delay(1, 1000, 2000, 5000);
    ck_assert_uint_eq(network_send(&network, 0, 1, 1, 0, 999), 1099);
    ck_assert_uint_eq(network_send(&network, 0, 2, 1, 0, 1000), 6100);
    ck_assert_uint_eq(network_send(&network, 0, 2, 0, 0, 1500), 1600); /* another stream */
    ck_assert_uint_eq(network_send(&network, 3, 3, 1, 0, 1999), 1999 + 20 + 5000);
    ck_assert_uint_eq(network_send(&network, 1, 2, 1, 0, 2000), 2100);
    /* Behind a delayed message of its own link nothing overtakes. */
    ck_assert_uint_eq(network_send(&network, 0, 2, 1, 0, 2000), 6100);
}
END_TEST

START_TEST(delays_add_up)
{
    begin(without_chance(), 1);
    delay(0, 0, 100, 1000);
    delay(0, 50, UINT64_MAX, 20000);
    ck_assert_uint_eq(network_send(&network, 0, 1, 0, 0, 10), 1110);
    ck_assert_uint_eq(network_send(&network, 0, 2, 0, 0, 60), 21160);
    ck_assert_uint_eq(network_send(&network, 0, 3, 0, 0, 100), 20200);
}
END_TEST

START_TEST(a_held_message_arrives_as_if_sent_at_the_end)
{
    begin(without_chance(), 1);
    struct network_rule rule = { .kind = NETWORK_HOLD,
                                 .from_first = 1,
                                 .from_last = 1,
                                 .to_last = PROCESSES - 1,
                                 .stream = NETWORK_ALL_STREAMS,
                                 .from_ns = 1000,
                                 .until_ns = 5000 };
    network_add_rule(&network, &rule, 0);
    ck_assert_uint_eq(network_send(&network, 1, 2, 0, 0, 999), 1099);
    ck_assert_uint_eq(network_send(&network, 1, 2, 0, 0, 2000), 5100);
    ck_assert_uint_eq(network_send(&network, 2, 1, 0, 0, 2000), 2100); /* the other direction */
    rule.from_ns = 6000;
    rule.until_ns = NETWORK_NEVER;
    network_add_rule(&network, &rule, 0);
    ck_assert_uint_eq(network_send(&network, 1, 3, 0, 0, 7000), NETWORK_NEVER);
}
END_TEST

START_TEST(a_cut_loses_what_is_on_its_way_on_one_link)
{
    begin(without_chance(), 1);
    uint64_t arrival_ns = network_send(&network, 0, 1, 0, 0, 1000);
    uint64_t other_ns = network_send(&network, 0, 2, 0, 0, 1000);
    ck_assert(!network_lost(&network, 0, 1, 0, arrival_ns));
    network_cut(&network, 0, 1, 0, 1050);
    ck_assert(network_lost(&network, 0, 1, 0, arrival_ns));
    ck_assert(!network_lost(&network, 0, 2, 0, other_ns));
    uint64_t later_ns = network_send(&network, 0, 1, 0, 0, 1050);
    ck_assert_uint_gt(later_ns, arrival_ns);
    ck_assert(!network_lost(&network, 0, 1, 0, later_ns));
}
END_TEST

START_TEST(the_same_seed_gives_the_same_arrivals)
{
    uint64_t arrivals[1000];
    for (int round = 0; round < 2; round++) {
        begin(usual(), 9);
        for (uint32_t i = 0; i < 1000; i++) {
            uint64_t arrival_ns = network_send(&network, i % 3, 3, i % 2, i, 10 * i);
            ck_assert(round == 0 || arrival_ns == arrivals[i]);
            arrivals[i] = arrival_ns;
        }
    }
}
END_TEST

START_TEST(a_process_that_is_not_there_trips_a_check)
{
    (void)network_send(&network, 0, PROCESSES, 0, 0, 0);
}
END_TEST

START_TEST(a_stream_that_is_not_there_trips_a_check)
{
    (void)network_send(&network, 0, 1, STREAMS, 0, 0);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("network");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_message_within_a_machine_takes_the_local_latency);
    tcase_add_test(tcase, actors_of_a_machine_do_not_wait_for_each_others_control_messages);
    tcase_add_test(tcase, latencies_fill_their_range_and_do_not_leave_it);
    tcase_add_test(tcase, messages_of_one_stream_arrive_in_the_order_sent);
    tcase_add_test(tcase, a_sender_sends_one_message_after_the_other);
    tcase_add_test(tcase, without_a_bandwidth_only_latency_counts);
    tcase_add_test(tcase, a_delay_holds_up_its_stream_for_its_time);
    tcase_add_test(tcase, delays_add_up);
    tcase_add_test(tcase, a_held_message_arrives_as_if_sent_at_the_end);
    tcase_add_test(tcase, a_cut_loses_what_is_on_its_way_on_one_link);
    tcase_add_test(tcase, the_same_seed_gives_the_same_arrivals);
    tcase_add_test_raise_signal(tcase, a_process_that_is_not_there_trips_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_stream_that_is_not_there_trips_a_check, SIGABRT);
    Suite *suite = suite_create("network");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
