/* What the faults of storage, clocks and processors do, seen by actors that do nothing but look. */
#include <string.h>

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

/* ---- storage --------------------------------------------------------------------------------- */

static const struct bytes text = { .data = (const uint8_t *)"content", .size = 7 };

/* Makes a file durable, as every careful program does; the first error. */
static enum status make_file(struct host *host, enum host_volume volume, const char *path)
{
    file_id file;
    enum status status = host_file_open(host, volume, path, HOST_TRUNCATE, &file);
    if (status != STATUS_OK) {
        return status;
    }
    status = host_file_write(host, file, 0, text);
    if (status == STATUS_OK) {
        status = host_file_sync(host, file);
    }
    host_file_close(host, file);
    return status == STATUS_OK ? host_sync_dir(host, volume, "") : status;
}

static bool exists(struct host *host, enum host_volume volume, const char *path)
{
    file_id file;
    enum status status = host_file_open(host, volume, path, HOST_READ, &file);
    if (status == STATUS_OK) {
        host_file_close(host, file);
    }
    return status == STATUS_OK;
}

static uint64_t call_took_ns[PROBES_COUNT][PROBES_TICKS + 1];
static enum status call_answered[PROBES_COUNT][PROBES_TICKS + 1];

static void sync_directory(struct host *host, uint32_t process, uint64_t tick)
{
    uint64_t start_ns = host_now_ns(host);
    call_answered[process][tick] = host_sync_dir(host, HOST_SHARED, "");
    call_took_ns[process][tick] = host_now_ns(host) - start_ns;
}

START_TEST(a_slow_store_takes_as_many_times_as_long)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"slow\", \"on\": \"store\", \"factor\": 7.5,"
               " \"for\": \"100ms\"}",
               sync_directory);
    ck_assert_uint_eq(call_took_ns[0][9], MS);
    ck_assert_uint_eq(call_took_ns[0][10], 7500000);
    ck_assert_uint_eq(call_took_ns[2][19], 7500000);
    ck_assert_uint_eq(call_took_ns[2][20], MS);
    ck_assert(probes_fired(&probes, 0));
}
END_TEST

START_TEST(the_store_may_be_slow_for_one_process_only)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"slow\", \"on\": \"store of task_manager[0]\","
               " \"factor\": 3, \"for\": \"100ms\"}",
               sync_directory);
    ck_assert_uint_eq(call_took_ns[0][15], MS);
    ck_assert_uint_eq(call_took_ns[1][15], 3 * MS);
    ck_assert_uint_eq(call_took_ns[2][15], MS);
}
END_TEST

static void write_large(struct host *host, uint32_t process, uint64_t tick)
{
    if (process != 1 || tick > 20) {
        return;
    }
    file_id file;
    size_t size = 1 << 20;
    struct bytes large = { .data = arena_alloc(&probes.arena, size, 1), .size = size };
    ck_assert_int_eq(host_file_open(host, HOST_LOCAL, "large", HOST_TRUNCATE, &file), STATUS_OK);
    uint64_t start_ns = host_now_ns(host);
    ck_assert_int_eq(host_file_write(host, file, 0, large), STATUS_OK);
    call_took_ns[process][tick] = host_now_ns(host) - start_ns;
    host_file_close(host, file);
}

START_TEST(a_slow_disk_writes_as_many_times_as_long)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"slow\", \"on\": \"disk of task_manager[0]\","
               " \"factor\": 4, \"for\": \"100ms\"}",
               write_large);
    ck_assert_uint_eq(call_took_ns[1][9], 2 * MS); /* 1 MiB at 500 MiB/s */
    ck_assert_uint_eq(call_took_ns[1][10], 8 * MS);
}
END_TEST

START_TEST(a_stalled_store_answers_when_the_stall_is_over)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"stall\", \"on\": \"store\", \"for\": \"55ms\"}",
               sync_directory);
    ck_assert_uint_eq(call_took_ns[1][9], MS);
    ck_assert_uint_eq(call_took_ns[1][10], 50 * MS);
    ck_assert_uint_eq(call_took_ns[1][16], MS);
}
END_TEST

static void need_space(struct host *host, uint32_t process, uint64_t tick)
{
    if (process != 1) {
        return;
    }
    if (tick == 5) {
        ck_assert_int_eq(make_file(host, HOST_SHARED, "old"), STATUS_OK);
    } else if (tick == 15) {
        file_id file;
        ck_assert_int_eq(make_file(host, HOST_SHARED, "new"), STATUS_NO_SPACE);
        ck_assert_int_eq(host_make_dir(host, HOST_SHARED, "folder"), STATUS_NO_SPACE);
        ck_assert_int_eq(host_file_open(host, HOST_SHARED, "old", HOST_CREATE, &file), STATUS_OK);
        ck_assert_int_eq(host_file_write(host, file, 7, text), STATUS_NO_SPACE);
        uint64_t size = 0;
        ck_assert_int_eq(host_file_size(host, file, &size), STATUS_OK);
        ck_assert_uint_eq(size, 7);
        host_file_close(host, file);
        ck_assert(!exists(host, HOST_SHARED, "new"));
        ck_assert_int_eq(host_rename(host, HOST_SHARED, "old", "other"), STATUS_OK);
        ck_assert_int_eq(host_remove(host, HOST_SHARED, "other"), STATUS_OK);
    } else if (tick == 25) {
        ck_assert_int_eq(make_file(host, HOST_SHARED, "new"), STATUS_OK);
    }
}

START_TEST(a_full_store_refuses_what_needs_space_and_nothing_else)
{
    probes_run(&probes,
               "{\"at\": \"100ms\", \"do\": \"full\", \"on\": \"store\", \"for\": \"100ms\"}",
               need_space);
    ck_assert(probes_fired(&probes, 0));
    ck_assert_uint_ge(probes.tick_ns[1][25], 250 * MS);
}
END_TEST

static void rename_back_and_forth(struct host *host, uint32_t process, uint64_t tick)
{
    if (process != 2) {
        return;
    }
    if (tick == 1) {
        ck_assert_int_eq(make_file(host, HOST_SHARED, "a"), STATUS_OK);
        return;
    }
    bool is_a = exists(host, HOST_SHARED, "a");
    ck_assert(is_a != exists(host, HOST_SHARED, "b"));
    call_answered[2][tick] =
        is_a ? host_rename(host, HOST_SHARED, "a", "b") : host_rename(host, HOST_SHARED, "b", "a");
    bool moved = is_a != exists(host, HOST_SHARED, "a");
    call_took_ns[2][tick] = moved;
}

START_TEST(an_io_error_strikes_as_many_calls_as_it_says_without_effect)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"io_error\", \"on\": \"store of task_manager[1]\","
               " \"calls\": \"rename\", \"count\": 2}",
               rename_back_and_forth);
    for (uint32_t tick = 2; tick <= PROBES_TICKS; tick++) {
        bool struck = tick == 10 || tick == 11;
        ck_assert_int_eq(call_answered[2][tick], struck ? STATUS_IO : STATUS_OK);
        ck_assert_uint_eq(call_took_ns[2][tick], !struck);
    }
    ck_assert_uint_eq(fault_script_records(probes.script)[0].fired_ns, 102 * MS);
}
END_TEST

START_TEST(a_persistent_io_error_lasts_as_long_as_it_says)
{
    probes_run(
        &probes,
        "{\"at\": \"95ms\", \"do\": \"io_error\", \"on\": \"file a\", \"calls\": [\"rename\"],"
        " \"for\": \"100ms\"}",
        rename_back_and_forth);
    /* The glob is of the old name: "a" is named by every second call. */
    uint32_t struck = 0;
    for (uint32_t tick = 2; tick <= PROBES_TICKS; tick++) {
        struck += call_answered[2][tick] == STATUS_IO;
        ck_assert(call_answered[2][tick] == STATUS_OK || (tick >= 10 && tick < 20));
    }
    ck_assert_uint_ge(struck, 9);
}
END_TEST

START_TEST(an_ambiguous_call_takes_effect_and_answers_that_it_failed)
{
    probes_run(&probes,
               "{\"at\": \"95ms\", \"do\": \"ambiguous\", \"on\": \"store\", \"calls\": \"rename\","
               " \"count\": 1}",
               rename_back_and_forth);
    ck_assert_int_eq(call_answered[2][10], STATUS_IO);
    ck_assert_uint_eq(call_took_ns[2][10], 1);
    ck_assert_int_eq(call_answered[2][11], STATUS_OK);
}
END_TEST

static void make_durable(struct host *host, uint32_t process, uint64_t tick)
{
    if (process == 1 && tick == 5) {
        ck_assert_int_eq(make_file(host, HOST_SHARED, "honest"), STATUS_OK);
    } else if (process == 1 && tick == 15) {
        ck_assert_int_eq(make_file(host, HOST_SHARED, "lied"), STATUS_OK);
    } else if (process == 0 && tick == 30) {
        call_took_ns[0][0] = exists(host, HOST_SHARED, "honest");
        call_took_ns[0][1] = exists(host, HOST_SHARED, "lied");
    }
}

START_TEST(what_a_lying_sync_said_to_be_durable_is_lost_with_the_power)
{
    probes_run(&probes,
               "{\"at\": \"100ms\", \"do\": \"lie\", \"on\": \"store\", \"for\": \"100ms\"},"
               "{\"at\": \"250ms\", \"do\": \"crash\", \"on\": \"machine of task_manager[0]\","
               " \"unsynced\": \"lose\"}",
               make_durable);
    ck_assert_uint_eq(call_took_ns[0][0], 1);
    ck_assert_uint_eq(call_took_ns[0][1], 0);
    /* The judge is told, as of any damage behind the model's back. */
    ck_assert_uint_eq(probes.damaged.size, strlen("lied;"));
    ck_assert(memcmp(probes.damaged.data, "lied;", probes.damaged.size) == 0);
}
END_TEST

START_TEST(without_a_power_cut_a_lie_does_no_harm)
{
    probes_run(&probes,
               "{\"at\": \"100ms\", \"do\": \"lie\", \"on\": \"store\", \"for\": \"100ms\"},"
               "{\"at\": \"250ms\", \"do\": \"crash\", \"on\": \"task_manager[0]\"}",
               make_durable);
    ck_assert_uint_eq(call_took_ns[0][0], 1);
    ck_assert_uint_eq(call_took_ns[0][1], 1);
    ck_assert_uint_eq(probes.damaged.size, 0);
}
END_TEST

/* A process that comes back makes up for the ticks it missed: what it sees is noted by the time. */
static void keep_local(struct host *host, uint32_t process, uint64_t tick)
{
    if (process == 0) {
        return;
    }
    if (tick == 5 && world_now_ns(probes.world) < 100 * MS) {
        ck_assert_int_eq(make_file(host, HOST_LOCAL, "working"), STATUS_OK);
    }
    call_took_ns[process][world_now_ns(probes.world) / (10 * MS)] =
        exists(host, HOST_LOCAL, "working");
}

START_TEST(a_wiped_machine_comes_back_with_an_empty_disk)
{
    probes_run(&probes,
               "{\"at\": \"202ms\", \"do\": \"wipe\", \"on\": \"machine of task_manager[0]\","
               " \"for\": \"100ms\"},"
               "{\"at\": \"202ms\", \"do\": \"crash\", \"on\": \"machine of task_manager[1]\","
               " \"for\": \"100ms\", \"unsynced\": \"lose\"}",
               keep_local);
    ck_assert_uint_eq(call_took_ns[1][20], 1);
    ck_assert_uint_eq(call_took_ns[2][20], 1);
    ck_assert_uint_eq(call_took_ns[1][40], 0);
    ck_assert_uint_eq(call_took_ns[2][40], 1);
}
END_TEST

START_TEST(a_fault_that_strikes_no_call_never_fires)
{
    probes_run(&probes,
               "{\"at\": \"100ms\", \"do\": \"io_error\", \"on\": \"file no/such\"},"
               "{\"at\": \"100ms\", \"do\": \"full\", \"on\": \"disk of job_manager\","
               " \"for\": \"1s\"}",
               sync_directory);
    ck_assert(!probes_fired(&probes, 0));
    ck_assert(!probes_fired(&probes, 1));
}
END_TEST

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t shown_ns[PROBES_COUNT][PROBES_TICKS + 1];

static void read_clock(struct host *host, uint32_t process, uint64_t tick)
{
    shown_ns[process][tick] = host_now_ns(host);
}

START_TEST(a_clock_that_jumps_forward_is_ahead_from_then_on)
{
    probes_run(&probes,
               "{\"at\": \"105ms\", \"do\": \"clock\", \"on\": \"machine of task_manager[0]\","
               " \"by\": \"1h\"}",
               read_clock);
    ck_assert_uint_eq(shown_ns[1][10], 100 * MS);
    ck_assert_uint_eq(shown_ns[1][11], probes.tick_ns[1][11] + 3600000 * MS);
    ck_assert_uint_eq(shown_ns[2][11], probes.tick_ns[2][11]);
}
END_TEST

START_TEST(a_clock_that_jumps_back_stands_still_until_it_is_right)
{
    probes_run(&probes,
               "{\"at\": \"105ms\", \"do\": \"clock\", \"on\": \"machine of task_manager[0]\","
               " \"by\": \"-50ms\"}",
               read_clock);
    for (uint32_t tick = 2; tick <= PROBES_TICKS; tick++) {
        ck_assert_uint_ge(shown_ns[1][tick], shown_ns[1][tick - 1]);
        ck_assert_uint_ge(shown_ns[1][tick], tick * 10 * MS); /* no timer is early */
    }
    ck_assert_uint_eq(probes.tick_ns[1][10], 100 * MS);
    ck_assert_uint_eq(probes.tick_ns[1][11], 160 * MS);
    ck_assert_uint_eq(probes.tick_ns[2][11], 110 * MS);
}
END_TEST

static void set_timers_anew(struct host *host, uint32_t process, uint64_t tick)
{
    shown_ns[process][tick] = host_now_ns(host);
    if (tick == 5) {
        (void)host_timer_set(host, host_now_ns(host) + 100 * MS, PROBES_TICKS);
    }
}

START_TEST(a_clock_that_drifts_makes_timers_early_or_late)
{
    probes_run(&probes,
               "{\"at\": \"0s\", \"do\": \"clock\", \"on\": \"machine of task_manager[0]\","
               " \"drift\": 0.25},"
               "{\"at\": \"0s\", \"do\": \"clock\", \"on\": \"machine of task_manager[1]\","
               " \"drift\": \"-0.2\"}",
               set_timers_anew);
    ck_assert_uint_eq(probes.tick_ns[0][10], 100 * MS);
    ck_assert_uint_eq(probes.tick_ns[1][10], 100 * MS); /* set before: as the clock was then */
    ck_assert_uint_eq(shown_ns[1][10], 125 * MS);
    ck_assert_uint_eq(probes.tick_ns[2][10], 125 * MS);
    ck_assert_uint_eq(shown_ns[2][10], 100 * MS);
}
END_TEST

static uint64_t echo_ns[PROBES_COUNT];

static void set_one_timer(struct host *host, uint32_t process, uint64_t tick)
{
    if (tick == 5 || tick == 25) {
        (void)host_timer_set(host, host_now_ns(host) + MS, 0);
    } else if (tick == 0) {
        echo_ns[process] = world_now_ns(probes.world);
    }
}

START_TEST(late_timers_go_off_late)
{
    probes_run(&probes,
               "{\"at\": \"45ms\", \"do\": \"late\", \"on\": \"task_manager[0]\", \"by\": \"30ms\","
               " \"for\": \"100ms\"}",
               set_one_timer);
    ck_assert_uint_eq(echo_ns[1], 251 * MS); /* the second one: the fault is over */
    probes_free(&probes);
    probes_init(&probes);
    probes_run(&probes,
               "{\"at\": \"45ms\", \"do\": \"late\", \"on\": \"task_manager[0]\", \"by\": \"30ms\","
               " \"for\": \"300ms\"}",
               set_one_timer);
    ck_assert_uint_eq(echo_ns[1], 281 * MS);
    ck_assert_uint_eq(echo_ns[2], 251 * MS);
}
END_TEST

static void compute(struct host *host, uint32_t process, uint64_t tick)
{
    uint64_t start_ns = host_now_ns(host);
    host_charge(host, HOST_WORK_RECORDS, 1000);
    call_took_ns[process][tick] = host_now_ns(host) - start_ns;
}

START_TEST(a_slow_process_computes_as_many_times_as_long)
{
    probes_run(&probes,
               "{\"at\": \"105ms\", \"do\": \"slow\", \"on\": \"task_manager[0]\", \"factor\": 12,"
               " \"for\": \"100ms\"}",
               compute);
    ck_assert_uint_eq(call_took_ns[1][10], 200000);
    ck_assert_uint_eq(call_took_ns[1][11], 2400000);
    ck_assert_uint_eq(call_took_ns[1][21], 200000);
    ck_assert_uint_eq(call_took_ns[2][11], 200000);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fault effects");
    TCase *tests = tcase_create("fault effects");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_slow_store_takes_as_many_times_as_long);
    tcase_add_test(tests, the_store_may_be_slow_for_one_process_only);
    tcase_add_test(tests, a_slow_disk_writes_as_many_times_as_long);
    tcase_add_test(tests, a_stalled_store_answers_when_the_stall_is_over);
    tcase_add_test(tests, a_full_store_refuses_what_needs_space_and_nothing_else);
    tcase_add_test(tests, an_io_error_strikes_as_many_calls_as_it_says_without_effect);
    tcase_add_test(tests, a_persistent_io_error_lasts_as_long_as_it_says);
    tcase_add_test(tests, an_ambiguous_call_takes_effect_and_answers_that_it_failed);
    tcase_add_test(tests, what_a_lying_sync_said_to_be_durable_is_lost_with_the_power);
    tcase_add_test(tests, without_a_power_cut_a_lie_does_no_harm);
    tcase_add_test(tests, a_wiped_machine_comes_back_with_an_empty_disk);
    tcase_add_test(tests, a_fault_that_strikes_no_call_never_fires);
    tcase_add_test(tests, a_clock_that_jumps_forward_is_ahead_from_then_on);
    tcase_add_test(tests, a_clock_that_jumps_back_stands_still_until_it_is_right);
    tcase_add_test(tests, a_clock_that_drifts_makes_timers_early_or_late);
    tcase_add_test(tests, late_timers_go_off_late);
    tcase_add_test(tests, a_slow_process_computes_as_many_times_as_long);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
