#include "sim/live/call_times.h"

#include "tests/support/runner.h"

static struct arena arena;
static struct call_times times;

static void setup(void)
{
    arena_init(&arena);
    call_times_init(&times, &arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void add(enum live_call_kind kind, uint32_t process, uint64_t took_ns)
{
    call_times_add(&times,
                   &(struct live_call){ .kind = kind, .process = process, .took_ns = took_ns });
}

START_TEST(a_mean_is_of_one_kind_and_of_nothing_while_there_are_fewer_than_eight)
{
    for (int i = 0; i < 8; i++) {
        ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_NAME, true), 0);
        add(LIVE_CALL_NAME, 0, 7);
        add(LIVE_CALL_SYNC, 0, 4000);
    }
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_NAME, true), 7);
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, true), 4000);
}
END_TEST

/* A median of single calls would be 100, a plain mean 8,000 and more. */
START_TEST(the_mean_adds_up_what_takes_turns_and_leaves_out_what_happens_now_and_then)
{
    for (int i = 0; i < 64; i++) {
        add(LIVE_CALL_SYNC, 0, i == 20 ? 500000 : i % 4 == 0 ? 1000 : 100);
    }
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, true), (1000 + 300) / 4);
}
END_TEST

START_TEST(the_means_of_the_manager_and_of_the_subtasks_are_apart)
{
    for (int i = 0; i < 8; i++) {
        add(LIVE_CALL_SYNC, 0, 10);
        add(LIVE_CALL_SYNC, 1 + (uint32_t)i % 2, 30);
    }
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, true), 10);
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, false), 30);
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_REMOVE, true), 0);
}
END_TEST

/* Five of one and three of the other are one row. */
START_TEST(joined_times_are_as_if_they_had_been_added_one_after_the_other)
{
    struct call_times more;
    call_times_init(&more, &arena);
    for (int i = 0; i < 8; i++) {
        struct live_call call = { .kind = LIVE_CALL_SYNC, .process = 0, .took_ns = 40 };
        call_times_add(i < 5 ? &times : &more, &call);
    }
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, true), 0);
    call_times_join(&times, &more);
    ck_assert_uint_eq(call_times_mean(&times, LIVE_CALL_SYNC, true), 40);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("call times");
    TCase *tcase = tcase_create("call times");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_mean_is_of_one_kind_and_of_nothing_while_there_are_fewer_than_eight);
    tcase_add_test(tcase,
                   the_mean_adds_up_what_takes_turns_and_leaves_out_what_happens_now_and_then);
    tcase_add_test(tcase, the_means_of_the_manager_and_of_the_subtasks_are_apart);
    tcase_add_test(tcase, joined_times_are_as_if_they_had_been_added_one_after_the_other);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
