/* What the faults of the network do, seen by actors that do nothing but talk. */
#include "tests/support/probes.h"
#include "tests/support/runner.h"

static struct probes probes;

static void set_up(void)
{
    probes_init(&probes);
}

static void tear_down(void)
{
    probes_free(&probes);
}

/* Every probe sends its tick to every other, on the control stream and on a data stream. */
static void send_to_all(struct host *host, uint32_t process, uint64_t tick)
{
    for (uint32_t to = 0; to < PROBES_COUNT; to++) {
        for (uint32_t stream = 0; to != process && stream < 2; stream++) {
            struct message *message = host_message_new(host, 0);
            message->kind = 100 + process;
            message->stream = stream;
            message->attempt = tick;
            host_send(host, actor_address(to, 1, HOST_MAIN_ACTOR), message);
        }
    }
}

/* When the message of `tick` from one probe to another arrived the n-th time, from 0; 0: it did
 * not. */
static uint64_t arrival_ns(uint32_t from, uint32_t to, uint32_t stream, uint64_t tick, uint32_t n)
{
    for (uint32_t i = 0; i < probes.heard_count; i++) {
        if (probes.heard[i].process == to && probes.heard[i].kind == 100 + from &&
            probes.heard[i].stream == stream && probes.heard[i].number == tick && n-- == 0) {
            return probes.heard[i].time_ns;
        }
    }
    return 0;
}

static uint32_t count_heard(uint32_t process, uint32_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < probes.heard_count; i++) {
        count += probes.heard[i].process == process && probes.heard[i].kind == kind;
    }
    return count;
}

static void send_some(struct host *host, uint32_t process, uint64_t tick)
{
    if (tick <= 15) {
        send_to_all(host, process, tick);
    }
}

START_TEST(a_clogged_connection_holds_messages_until_the_end_in_order)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"clog\","
               " \"on\": \"connection task_manager[0] - task_manager[1]\", \"direction\": \"out\","
               " \"for\": \"60ms\"}",
               send_some);
    ck_assert_uint_lt(arrival_ns(1, 2, 0, 3, 0), 32 * MS);
    for (uint64_t tick = 4; tick <= 9; tick++) {
        ck_assert_uint_ge(arrival_ns(1, 2, 0, tick, 0), 96 * MS);
        ck_assert_uint_ge(arrival_ns(1, 2, 0, tick, 0), arrival_ns(1, 2, 0, tick - 1, 0));
        ck_assert_uint_lt(arrival_ns(2, 1, 0, tick, 0), tick * 10 * MS + 2 * MS);
        ck_assert_uint_lt(arrival_ns(1, 0, 0, tick, 0), tick * 10 * MS + 2 * MS);
    }
    ck_assert_uint_lt(arrival_ns(1, 2, 0, 10, 0), 102 * MS);
}
END_TEST

START_TEST(a_clog_for_good_lets_nothing_through)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"clog\", \"on\": \"network of task_manager[0]\","
               " \"for\": \"ever\"}",
               send_some);
    ck_assert_uint_eq(arrival_ns(1, 0, 0, 4, 0), 0);
    ck_assert_uint_eq(arrival_ns(0, 1, 1, 15, 0), 0);
    ck_assert_uint_gt(arrival_ns(0, 2, 1, 15, 0), 0);
}
END_TEST

START_TEST(a_clogged_link_holds_its_own_stream_only)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"clog\", \"on\": \"link source->count\","
               " \"for\": \"60ms\"}",
               send_some);
    ck_assert_uint_ge(arrival_ns(1, 2, 1, 5, 0), 96 * MS);
    ck_assert_uint_lt(arrival_ns(1, 2, 0, 5, 0), 52 * MS);
}
END_TEST

START_TEST(a_partition_separates_groups_and_only_them)
{
    probes_run(
        &probes,
        "{\"at\": \"35ms\", \"do\": \"partition\", \"on\": \"network\","
        " \"groups\": \"job_manager, task_manager[1] | task_manager[0]\", \"for\": \"60ms\"}",
        send_some);
    ck_assert_uint_lt(arrival_ns(0, 2, 0, 5, 0), 52 * MS);
    ck_assert_uint_ge(arrival_ns(0, 1, 0, 5, 0), 96 * MS);
    ck_assert_uint_ge(arrival_ns(1, 2, 1, 5, 0), 96 * MS);
}
END_TEST

START_TEST(a_delayed_connection_takes_longer_and_jitter_varies_it)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"delay\","
               " \"on\": \"connection job_manager - task_manager[0]\", \"by\": \"20ms\","
               " \"for\": \"60ms\"},"
               "{\"at\": \"35ms\", \"do\": \"delay\", \"on\": \"network of task_manager[1]\","
               " \"by\": \"1ms\", \"jitter\": \"3ms\", \"for\": \"60ms\"}",
               send_some);
    uint64_t undisturbed_ns = arrival_ns(0, 1, 0, 3, 0) - 30 * MS;
    ck_assert_uint_eq(arrival_ns(0, 1, 0, 5, 0), 70 * MS + undisturbed_ns);
    uint64_t first_ns = arrival_ns(1, 2, 0, 4, 0) - 40 * MS;
    bool varies = false;
    for (uint64_t tick = 4; tick <= 9; tick++) {
        uint64_t took_ns = arrival_ns(1, 2, 0, tick, 0) - tick * 10 * MS;
        ck_assert_uint_ge(took_ns, 2 * MS);
        ck_assert_uint_lt(took_ns, 6 * MS);
        varies = varies || took_ns != first_ns;
    }
    ck_assert(varies);
}
END_TEST

START_TEST(a_throttled_connection_carries_so_many_bytes_a_second)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"throttle\","
               " \"on\": \"connection job_manager - task_manager[0]\", \"bandwidth\": \"6400B/s\","
               " \"for\": \"60ms\"}",
               send_some);
    /* A message without data is 64 bytes on the wire: 10 ms; two are sent at every tick. */
    ck_assert_uint_ge(arrival_ns(0, 1, 0, 4, 0), 50 * MS);
    ck_assert_uint_ge(arrival_ns(0, 1, 1, 4, 0), 60 * MS);
    ck_assert_uint_ge(arrival_ns(0, 1, 0, 5, 0), 70 * MS);
    ck_assert_uint_lt(arrival_ns(0, 2, 0, 5, 0), 52 * MS);
}
END_TEST

static void watch_and_send(struct host *host, uint32_t process, uint64_t tick)
{
    if (tick == 1 && process == 0) {
        host_watch(host, actor_address(1, 1, HOST_MAIN_ACTOR));
    } else if (tick == 1 && process == 1) {
        host_watch(host, actor_address(0, 1, HOST_MAIN_ACTOR));
    } else if (tick <= 15) {
        send_to_all(host, process, tick);
    }
}

START_TEST(a_reset_loses_what_is_on_its_way_and_tells_both_ends)
{
    probes_run(&probes,
               "{\"at\": \"50.5ms\", \"do\": \"reset\","
               " \"on\": \"connection job_manager - task_manager[0]\"}",
               watch_and_send);
    ck_assert_uint_gt(arrival_ns(0, 1, 0, 4, 0), 0);
    ck_assert_uint_eq(arrival_ns(0, 1, 0, 5, 0), 0);
    ck_assert_uint_eq(arrival_ns(1, 0, 0, 5, 0), 0);
    ck_assert_uint_gt(arrival_ns(0, 1, 0, 6, 0), 0); /* control goes over a new connection */
    ck_assert_uint_gt(arrival_ns(0, 2, 0, 5, 0), 0);
    ck_assert_uint_eq(count_heard(0, HOST_PEER_LOST), 1);
    ck_assert_uint_eq(count_heard(1, HOST_PEER_LOST), 1);
    ck_assert_uint_eq(count_heard(2, HOST_PEER_LOST), 0);
}
END_TEST

START_TEST(a_broken_data_connection_stays_broken_for_those_who_had_it)
{
    probes_run(&probes,
               "{\"at\": \"50.5ms\", \"do\": \"reset\","
               " \"on\": \"connection task_manager[0] - task_manager[1]\"}",
               watch_and_send);
    ck_assert_uint_gt(arrival_ns(1, 2, 1, 4, 0), 0);
    for (uint64_t tick = 5; tick <= 15; tick++) {
        ck_assert_uint_eq(arrival_ns(1, 2, 1, tick, 0), 0);
        ck_assert_uint_eq(arrival_ns(2, 1, 1, tick, 0), 0);
    }
    ck_assert_uint_gt(arrival_ns(1, 2, 0, 6, 0), 0);
    ck_assert_uint_eq(count_heard(1, HOST_CHANNELS_LOST), 1);
    ck_assert_uint_eq(count_heard(2, HOST_CHANNELS_LOST), 1);
    ck_assert_uint_eq(count_heard(0, HOST_CHANNELS_LOST), 0);
}
END_TEST

START_TEST(a_reset_of_a_link_leaves_control_alone)
{
    probes_run(&probes, "{\"at\": \"50.5ms\", \"do\": \"reset\", \"on\": \"link source->count\"}",
               watch_and_send);
    ck_assert_uint_gt(arrival_ns(1, 2, 0, 5, 0), 0);
    ck_assert_uint_eq(arrival_ns(1, 2, 1, 5, 0), 0);
    ck_assert_uint_eq(count_heard(0, HOST_PEER_LOST), 0);
}
END_TEST

START_TEST(control_messages_are_duplicated_and_records_are_not)
{
    probes_run(&probes,
               "{\"at\": \"35ms\", \"do\": \"duplicate\","
               " \"on\": \"connection job_manager - task_manager[0]\", \"by\": \"25ms\","
               " \"for\": \"60ms\"}",
               send_some);
    for (uint64_t tick = 1; tick <= 15; tick++) {
        bool twice = tick >= 4 && tick <= 9;
        uint64_t first_ns = arrival_ns(0, 1, 0, tick, 0);
        ck_assert_uint_gt(first_ns, 0);
        ck_assert_uint_eq(arrival_ns(0, 1, 0, tick, 1), twice ? first_ns + 25 * MS : 0);
        ck_assert_uint_eq(arrival_ns(0, 1, 1, tick, 1), 0);
        ck_assert_uint_eq(arrival_ns(0, 2, 0, tick, 1), 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fault network");
    TCase *tests = tcase_create("fault network");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_clogged_connection_holds_messages_until_the_end_in_order);
    tcase_add_test(tests, a_clog_for_good_lets_nothing_through);
    tcase_add_test(tests, a_clogged_link_holds_its_own_stream_only);
    tcase_add_test(tests, a_partition_separates_groups_and_only_them);
    tcase_add_test(tests, a_delayed_connection_takes_longer_and_jitter_varies_it);
    tcase_add_test(tests, a_throttled_connection_carries_so_many_bytes_a_second);
    tcase_add_test(tests, a_reset_loses_what_is_on_its_way_and_tells_both_ends);
    tcase_add_test(tests, a_broken_data_connection_stays_broken_for_those_who_had_it);
    tcase_add_test(tests, a_reset_of_a_link_leaves_control_alone);
    tcase_add_test(tests, control_messages_are_duplicated_and_records_are_not);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
