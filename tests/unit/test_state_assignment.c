#include "model/runtime/state_assignment.h"

#include <string.h>

#include "model/state/key_group.h"
#include "model/stream/operator_state.h"
#include "tests/support/runner.h"

enum { SUBTASKS_MAX = 9, MAX_PARALLELISM = 128 };

static struct arena arena;
static struct subtask_state old[SUBTASKS_MAX];
static struct assigned_state assigned[SUBTASKS_MAX];

static void setup(void)
{
    arena_init(&arena);
    memset(old, 0, sizeof old);
    memset(assigned, 0, sizeof assigned);
}

static void teardown(void)
{
    arena_drop(&arena);
}

/* The state of a chain of one operator, whose list "list" of `mode` holds the letters of `items`.
 */
static struct bytes operators_of(enum operator_state_mode mode, const char *items)
{
    struct operator_states *states = operator_states_create(&arena);
    struct operator_state *list = operator_states_declare(states, "list", mode);
    struct buffer state;
    struct buffer out;
    buffer_init(&state, &arena);
    buffer_init(&out, &arena);
    for (; *items != '\0'; items++) {
        operator_state_add(list, (struct bytes){ .data = (const uint8_t *)items, .size = 1 });
    }
    operator_states_snapshot(states, &state);
    encode_u16(&out, 1);
    encode_bytes(&out, buffer_bytes(&state));
    return buffer_bytes(&out);
}

/* The letters that a new subtask finds in its list; "-": it has no state at all. */
static const char *items_of(uint32_t subtask)
{
    struct decoder decoder;
    decoder_init(&decoder, assigned[subtask].operators);
    ck_assert_uint_eq(decode_u16(&decoder), 1);
    struct bytes state = decode_bytes(&decoder);
    ck_assert_int_eq(decoder_finish(&decoder), STATUS_OK);
    if (state.size == 0) {
        return "-";
    }
    struct operator_states *states = operator_states_create(&arena);
    ck_assert_int_eq(operator_states_restore(states, state), STATUS_OK);
    struct operator_state *list = NULL;
    for (int mode = 0; mode < STATE_MODE_COUNT && list == NULL; mode++) {
        struct operator_states *typed = operator_states_create(&arena);
        list = operator_states_declare(typed, "list", (enum operator_state_mode)mode);
        list = operator_states_restore(typed, state) == STATUS_OK ? list : NULL;
    }
    ck_assert_ptr_nonnull(list);
    struct buffer text;
    buffer_init(&text, &arena);
    for (uint32_t i = 0; i < operator_state_count(list); i++) {
        buffer_append(&text, operator_state_item(list, i));
    }
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static enum status assign(uint32_t old_count, uint32_t count, uint32_t max_parallelism)
{
    struct manifest_vertex vertex = { .parallelism = old_count, .subtasks = old };
    return state_assign(&arena, &vertex, 1, max_parallelism, count, assigned);
}

/* Every old subtask has keyed state, whose size tells whose it is. */
static void give_keyed(uint32_t old_count)
{
    for (uint32_t i = 0; i < old_count; i++) {
        old[i].keyed = (struct keyed_state){ .part_count = 1, .size_bytes = i };
        old[i].operators = operators_of(STATE_SPLIT, "");
    }
}

START_TEST(each_key_group_comes_from_the_subtask_that_had_it_and_from_no_other)
{
    static const uint32_t limits[] = { SUBTASKS_MAX, 11, 128, 1000, 32768 };
    for (uint32_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        for (uint32_t before = 1; before <= SUBTASKS_MAX; before++) {
            for (uint32_t after = 1; after <= SUBTASKS_MAX; after++) {
                give_keyed(before);
                ck_assert_int_eq(assign(before, after, limits[k]), STATUS_OK);
                for (uint32_t group = 0; group < limits[k]; group++) {
                    uint32_t had = key_group_subtask(group, limits[k], before);
                    uint32_t has = key_group_subtask(group, limits[k], after);
                    uint32_t found = 0;
                    for (uint32_t i = 0; i < assigned[has].keyed_count; i++) {
                        found += assigned[has].keyed[i].size_bytes == had;
                    }
                    ck_assert_uint_eq(found, 1);
                }
            }
        }
    }
}
END_TEST

START_TEST(nobody_is_given_a_snapshot_that_does_not_meet_its_range)
{
    give_keyed(3);
    ck_assert_int_eq(assign(3, 5, MAX_PARALLELISM), STATUS_OK);
    /* 0..42, 43..85, 86..127 become 0..25, 26..51, 52..76, 77..102, 103..127. */
    static const uint32_t counts[] = { 1, 2, 1, 2, 1 };
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(assigned[i].keyed_count, counts[i]);
    }
}
END_TEST

START_TEST(at_the_same_parallelism_each_gets_its_own_keyed_state)
{
    give_keyed(7);
    ck_assert_int_eq(assign(7, 7, MAX_PARALLELISM), STATUS_OK);
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(assigned[i].keyed_count, 1);
        ck_assert_uint_eq(assigned[i].keyed[0].size_bytes, i);
    }
}
END_TEST

START_TEST(split_state_is_dealt_in_runs)
{
    old[0].operators = operators_of(STATE_SPLIT, "ab");
    old[1].operators = operators_of(STATE_SPLIT, "c");
    old[2].operators = operators_of(STATE_SPLIT, "de");
    ck_assert_int_eq(assign(3, 2, MAX_PARALLELISM), STATUS_OK);
    ck_assert_str_eq(items_of(0), "abc");
    ck_assert_str_eq(items_of(1), "de");
}
END_TEST

START_TEST(union_state_is_given_whole_to_everybody)
{
    old[0].operators = operators_of(STATE_UNION, "ab");
    old[1].operators = operators_of(STATE_UNION, "c");
    for (uint32_t count = 1; count <= 3; count++) { /* 2: the same parallelism */
        ck_assert_int_eq(assign(2, count, MAX_PARALLELISM), STATUS_OK);
        for (uint32_t i = 0; i < count; i++) {
            ck_assert_str_eq(items_of(i), "abc");
        }
    }
}
END_TEST

START_TEST(what_finished_subtasks_had_is_gone_and_the_rest_is_dealt_out)
{
    old[0].operators = operators_of(STATE_SPLIT, "ab");
    old[1].finished = true;
    old[2].operators = operators_of(STATE_SPLIT, "cd");
    ck_assert_int_eq(assign(3, 4, MAX_PARALLELISM), STATUS_OK);
    static const char *const expected[] = { "a", "b", "c", "d" };
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert(!assigned[i].finished);
        ck_assert_str_eq(items_of(i), expected[i]);
    }
    ck_assert_int_eq(assign(3, 3, MAX_PARALLELISM), STATUS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(assigned[i].finished == (i == 1)); /* it does not begin anew */
    }
    ck_assert_uint_eq(assigned[1].operators.size + assigned[1].keyed_count, 0);
    ck_assert_str_eq(items_of(2), "cd");
}
END_TEST

START_TEST(where_all_had_finished_all_have)
{
    old[0].finished = true;
    old[1].finished = true;
    ck_assert_int_eq(assign(2, 3, MAX_PARALLELISM), STATUS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(assigned[i].finished);
        ck_assert_uint_eq(assigned[i].operators.size, 0);
        ck_assert_uint_eq(assigned[i].keyed_count, 0);
    }
}
END_TEST

START_TEST(a_chain_of_another_length_is_corrupt)
{
    struct manifest_vertex vertex = { .parallelism = 1, .subtasks = old };
    old[0].operators = operators_of(STATE_SPLIT, "a");
    ck_assert_int_eq(state_assign(&arena, &vertex, 2, MAX_PARALLELISM, 1, assigned),
                     STATUS_CORRUPT);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("state_assignment");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_key_group_comes_from_the_subtask_that_had_it_and_from_no_other);
    tcase_add_test(tcase, nobody_is_given_a_snapshot_that_does_not_meet_its_range);
    tcase_add_test(tcase, at_the_same_parallelism_each_gets_its_own_keyed_state);
    tcase_add_test(tcase, split_state_is_dealt_in_runs);
    tcase_add_test(tcase, union_state_is_given_whole_to_everybody);
    tcase_add_test(tcase, what_finished_subtasks_had_is_gone_and_the_rest_is_dealt_out);
    tcase_add_test(tcase, where_all_had_finished_all_have);
    tcase_add_test(tcase, a_chain_of_another_length_is_corrupt);
    Suite *suite = suite_create("state_assignment");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
