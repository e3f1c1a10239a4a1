#include "model/stream/operator_state.h"

#include <signal.h>
#include <string.h>

#include "model/base/codec.h"
#include "tests/support/runner.h"

enum { SUBTASKS_MAX = 8 };

static struct arena arena;
static struct bytes old[SUBTASKS_MAX];
static struct buffer parts[SUBTASKS_MAX];

static void setup(void)
{
    arena_init(&arena);
    for (int i = 0; i < SUBTASKS_MAX; i++) {
        old[i] = (struct bytes){ 0 };
        buffer_init(&parts[i], &arena);
    }
}

static void teardown(void)
{
    arena_drop(&arena);
}

static struct bytes snapshot_of(const struct operator_states *states)
{
    struct buffer *out = arena_alloc(&arena, 1, sizeof *out);
    buffer_init(out, &arena);
    operator_states_snapshot(states, out);
    return buffer_bytes(out);
}

/* Adds the letters of `items` to a list, each an item. */
static void fill(struct operator_states *states, const char *name, enum operator_state_mode mode,
                 const char *items)
{
    struct operator_state *state = operator_states_declare(states, name, mode);
    for (; *items != '\0'; items++) {
        operator_state_add(state, (struct bytes){ .data = (const uint8_t *)items, .size = 1 });
    }
}

/* Subtask `subtask` had the letters of `items` in the list "list". */
static void had(uint32_t subtask, enum operator_state_mode mode, const char *items)
{
    struct operator_states *states = operator_states_create(&arena);
    fill(states, "list", mode, items);
    old[subtask] = snapshot_of(states);
}

static void redistribute(uint32_t old_count, uint32_t new_count)
{
    ck_assert_int_eq(operator_states_redistribute(old, old_count, parts, new_count), STATUS_OK);
}

static struct operator_states *restored(uint32_t subtask)
{
    struct operator_states *states = operator_states_create(&arena);
    ck_assert_int_eq(operator_states_restore(states, buffer_bytes(&parts[subtask])), STATUS_OK);
    return states;
}

static void gets(uint32_t subtask, const char *name, enum operator_state_mode mode,
                 const char *items)
{
    const struct operator_state *state = operator_states_declare(restored(subtask), name, mode);
    ck_assert_uint_eq(operator_state_count(state), strlen(items));
    for (uint32_t i = 0; i < operator_state_count(state); i++) {
        ck_assert_uint_eq(operator_state_item(state, i).data[0], (uint8_t)items[i]);
    }
}

START_TEST(with_the_same_parallelism_a_split_list_stays_where_it_is)
{
    had(0, STATE_SPLIT, "abcd");
    had(1, STATE_SPLIT, "");
    redistribute(2, 2);
    gets(0, "list", STATE_SPLIT, "abcd");
    gets(1, "list", STATE_SPLIT, "");
}
END_TEST

START_TEST(a_split_list_is_dealt_in_contiguous_runs_and_the_first_get_one_more)
{
    had(0, STATE_SPLIT, "abcd");
    had(1, STATE_SPLIT, "efgh");
    redistribute(2, 3);
    gets(0, "list", STATE_SPLIT, "abc");
    gets(1, "list", STATE_SPLIT, "def");
    gets(2, "list", STATE_SPLIT, "gh");
}
END_TEST

START_TEST(fewer_subtasks_get_everything_together)
{
    had(0, STATE_SPLIT, "ab");
    had(2, STATE_SPLIT, "cde"); /* subtask 1 had finished */
    redistribute(3, 1);
    gets(0, "list", STATE_SPLIT, "abcde");
}
END_TEST

START_TEST(the_remainders_of_many_lists_do_not_all_go_to_the_first_subtask)
{
    struct operator_states *states = operator_states_create(&arena);
    fill(states, "a", STATE_SPLIT, "1");
    fill(states, "b", STATE_SPLIT, "2");
    fill(states, "c", STATE_SPLIT, "34");
    fill(states, "d", STATE_SPLIT, "5");
    old[0] = snapshot_of(states);
    redistribute(1, 3);
    gets(0, "a", STATE_SPLIT, "1");
    gets(1, "b", STATE_SPLIT, "2");
    gets(2, "c", STATE_SPLIT, "3");
    gets(0, "c", STATE_SPLIT, "4");
    gets(1, "d", STATE_SPLIT, "5");
}
END_TEST

START_TEST(every_subtask_gets_the_whole_union_list_with_any_parallelism)
{
    had(0, STATE_UNION, "ab");
    had(1, STATE_UNION, "c");
    for (uint32_t count = 1; count <= 4; count++) {
        for (uint32_t i = 0; i < count; i++) {
            buffer_reset(&parts[i]);
        }
        redistribute(2, count);
        for (uint32_t i = 0; i < count; i++) {
            gets(i, "list", STATE_UNION, "abc");
        }
    }
}
END_TEST

/* Each subtask's copy says whose it was: they are alike in truth. */
static void had_copy(uint32_t subtask, const char *whose)
{
    struct operator_states *states = operator_states_create(&arena);
    operator_state_put(operator_states_declare(states, "rules", STATE_BROADCAST),
                       bytes_of_text("whose"), bytes_of_text(whose));
    old[subtask] = snapshot_of(states);
}

static void gets_copy(uint32_t subtask, const char *whose)
{
    const struct operator_state *state =
        operator_states_declare(restored(subtask), "rules", STATE_BROADCAST);
    ck_assert_uint_eq(operator_state_count(state), 1);
    ck_assert(bytes_equal(operator_state_get(state, bytes_of_text("whose")), bytes_of_text(whose)));
}

START_TEST(broadcast_copies_stay_where_they_are_or_go_round)
{
    had_copy(0, "0");
    had_copy(1, "1");
    redistribute(2, 2);
    gets_copy(0, "0");
    gets_copy(1, "1");
    for (int i = 0; i < 2; i++) {
        buffer_reset(&parts[i]);
    }
    redistribute(2, 5);
    gets_copy(0, "0");
    gets_copy(1, "1");
    gets_copy(2, "0");
    gets_copy(3, "1");
    gets_copy(4, "0");
}
END_TEST

START_TEST(a_subtask_whose_broadcast_copy_is_missing_gets_that_of_another)
{
    had_copy(1, "1");
    redistribute(3, 3);
    gets_copy(0, "1");
    gets_copy(1, "1");
    gets_copy(2, "1");
}
END_TEST

START_TEST(broadcast_state_is_a_map_sorted_by_key)
{
    struct operator_states *states = operator_states_create(&arena);
    struct operator_state *state = operator_states_declare(states, "rules", STATE_BROADCAST);
    operator_state_put(state, bytes_of_text("b"), bytes_of_text("1"));
    operator_state_put(state, bytes_of_text("a"), bytes_of_text("2"));
    operator_state_put(state, bytes_of_text("ab"), bytes_of_text("3"));
    operator_state_put(state, bytes_of_text("b"), bytes_of_text("4"));
    ck_assert_uint_eq(operator_state_count(state), 3);
    ck_assert(bytes_equal(operator_state_key(state, 0), bytes_of_text("a")));
    ck_assert(bytes_equal(operator_state_key(state, 1), bytes_of_text("ab")));
    ck_assert(bytes_equal(operator_state_get(state, bytes_of_text("b")), bytes_of_text("4")));
    operator_state_remove(state, bytes_of_text("ab"));
    operator_state_remove(state, bytes_of_text("never there"));
    ck_assert_ptr_null(operator_state_get(state, bytes_of_text("ab")).data);
    ck_assert_uint_eq(operator_state_count(state), 2);
}
END_TEST

START_TEST(what_is_declared_after_a_restore_has_its_items)
{
    had(0, STATE_SPLIT, "ab");
    struct operator_states *states = operator_states_create(&arena);
    ck_assert_int_eq(operator_states_restore(states, old[0]), STATUS_OK);
    struct operator_state *state = operator_states_declare(states, "list", STATE_SPLIT);
    ck_assert_uint_eq(operator_state_count(state), 2);
    operator_state_clear(state);
    ck_assert_uint_eq(operator_state_count(state), 0);
}
END_TEST

START_TEST(damaged_snapshots_and_another_mode_are_refused)
{
    had(0, STATE_SPLIT, "ab");
    for (size_t size = 1; size < old[0].size; size++) {
        struct bytes part = { .data = old[0].data, .size = size };
        ck_assert_int_eq(operator_states_restore(operator_states_create(&arena), part),
                         STATUS_CORRUPT);
        ck_assert_int_eq(operator_states_redistribute(&part, 1, parts, 1), STATUS_CORRUPT);
    }
    struct operator_states *states = operator_states_create(&arena);
    (void)operator_states_declare(states, "list", STATE_UNION);
    ck_assert_int_eq(operator_states_restore(states, old[0]), STATUS_CORRUPT);
}
END_TEST

START_TEST(declaring_a_state_with_two_modes_trips_a_check)
{
    struct operator_states *states = operator_states_create(&arena);
    (void)operator_states_declare(states, "list", STATE_UNION);
    (void)operator_states_declare(states, "list", STATE_SPLIT);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("operator_state");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, with_the_same_parallelism_a_split_list_stays_where_it_is);
    tcase_add_test(tcase, a_split_list_is_dealt_in_contiguous_runs_and_the_first_get_one_more);
    tcase_add_test(tcase, fewer_subtasks_get_everything_together);
    tcase_add_test(tcase, the_remainders_of_many_lists_do_not_all_go_to_the_first_subtask);
    tcase_add_test(tcase, every_subtask_gets_the_whole_union_list_with_any_parallelism);
    tcase_add_test(tcase, broadcast_copies_stay_where_they_are_or_go_round);
    tcase_add_test(tcase, a_subtask_whose_broadcast_copy_is_missing_gets_that_of_another);
    tcase_add_test(tcase, broadcast_state_is_a_map_sorted_by_key);
    tcase_add_test(tcase, what_is_declared_after_a_restore_has_its_items);
    tcase_add_test(tcase, damaged_snapshots_and_another_mode_are_refused);
    tcase_add_test_raise_signal(tcase, declaring_a_state_with_two_modes_trips_a_check, SIGABRT);
    Suite *suite = suite_create("operator_state");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
