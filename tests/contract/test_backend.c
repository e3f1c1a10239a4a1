#include <check.h>
#include <signal.h>

#include "model/base/hash.h"
#include "model/state/backend.h"
#include "model/state/state.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/backend_texts.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* Every test runs once for each kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

START_TEST(b1_values_belong_to_the_current_key_and_state)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id first = backend_declare_value(backend, "first");
    state_id second = backend_declare_value(backend, "second");
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(backend_declare_value(backend, "first"), first);
    backend_set_key(backend, 5, text("apple"));
    ck_assert_ptr_null(backend_get(backend, first).data);
    backend_put(backend, first, text("1"));
    ck_assert(holds(backend, first, "1"));
    ck_assert_ptr_null(backend_get(backend, second).data);
    backend_put(backend, second, text("2"));
    ck_assert(holds(backend, first, "1"));
    ck_assert(holds(backend, second, "2"));
    backend_set_key(backend, 5, text("pear"));
    ck_assert_ptr_null(backend_get(backend, first).data);
    ck_assert_ptr_null(backend_get(backend, second).data);
    backend_put(backend, first, text("3"));
    backend_set_key(backend, 5, text("apple"));
    ck_assert(holds(backend, first, "1"));
    backend_put(backend, first, text("a longer text than before"));
    ck_assert(holds(backend, first, "a longer text than before"));
    backend_put(backend, first, text("a longer text than ever before, by far"));
    ck_assert(holds(backend, first, "a longer text than ever before, by far"));
    backend_put(backend, first, text("short"));
    ck_assert(holds(backend, first, "short"));
    ck_assert(holds(backend, second, "2"));
    ck_assert_uint_eq(backend_entry_count(backend), 3);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_foreseeing_keys_changes_neither_the_current_key_nor_any_answer)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    struct bytes keys[] = { text("8 bytes!"), text("k"), text("8 others"), text("a longer key") };
    struct backend_key foreseen[] = { { .bytes = &keys[0], .key_group = 4 },
                                      { .bytes = &keys[1], .key_group = 3 },
                                      { .bytes = &keys[2], .key_group = 4 },
                                      { .bytes = &keys[3], .key_group = 5 } };
    backend_foresee(backend, foreseen, 4); /* nothing is there yet */
    backend_set_key(backend, 4, keys[0]);
    backend_put(backend, state, text("v"));
    backend_foresee(backend, foreseen, 4);
    ck_assert(holds(backend, state, "v"));
    backend_put(backend, state, text("w"));
    ck_assert(holds(backend, state, "w"));
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    for (int i = 0; i < 4; i++) {
        backend_set_foreseen(backend, &foreseen[i]);
        ck_assert(i == 0 ? holds(backend, state, "w") : backend_get(backend, state).data == NULL);
        backend_put(backend, state, keys[i]);
    }
    for (int i = 0; i < 4; i++) {
        backend_set_key(backend, foreseen[i].key_group, keys[i]);
        ck_assert(bytes_equal(backend_get(backend, state), keys[i]));
    }
    ck_assert_uint_eq(backend_entry_count(backend), 4);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* Keys that the heap's smallest index files in its first bucket, which has room for eight. */
static void fill_bucket(uint64_t *numbers, int count)
{
    uint64_t number = 0;
    for (int i = 0; i < count; i++) {
        while ((hash_mix(number + sizeof number) & 1) != 0) {
            number++;
        }
        numbers[i] = number++;
    }
}

START_TEST(b1_a_foreseen_key_may_go_and_come_back_before_it_is_current)
{
    enum { FOREIGN = 8, LAST, COUNT };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    uint64_t numbers[COUNT];
    struct bytes keys[COUNT];
    fill_bucket(numbers, COUNT);
    for (int i = 0; i < COUNT; i++) {
        keys[i] = (struct bytes){ (const uint8_t *)&numbers[i], sizeof numbers[i] };
    }
    keys[FOREIGN] = text("foreign");
    for (int i = 0; i < LAST; i++) {
        backend_set_key(backend, 1, keys[i]);
        backend_put(backend, state, text("old"));
    }
    struct backend_key foreseen = { .bytes = &keys[0], .key_group = 1 };
    backend_foresee(backend, &foreseen, 1);
    const int gone[] = { 0, FOREIGN };
    for (int i = 0; i < 2; i++) {
        backend_set_key(backend, 1, keys[gone[i]]);
        backend_remove(backend, state);
    }
    const int come[] = { LAST, 0 }; /* the last takes the place in the bucket */
    for (int i = 0; i < 2; i++) {
        backend_set_key(backend, 1, keys[come[i]]);
        backend_put(backend, state, text("new"));
    }
    backend_set_foreseen(backend, &foreseen);
    ck_assert(holds(backend, state, "new"));
    backend_remove(backend, state);
    ck_assert_ptr_null(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_entry_count(backend), LAST - 1);
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_keys_that_differ_in_size_only_are_different)
{
    static const uint8_t zeros[20] = { 0 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "size");
    for (uint8_t size = 0; size < sizeof zeros; size++) {
        backend_set_key(backend, 0, (struct bytes){ .data = zeros, .size = size });
        ck_assert_ptr_null(backend_get(backend, state).data);
        backend_put(backend, state, (struct bytes){ .data = &size, .size = 1 });
    }
    for (uint8_t size = 0; size < sizeof zeros; size++) {
        backend_set_key(backend, 0, (struct bytes){ .data = zeros, .size = size });
        ck_assert_uint_eq(*backend_get(backend, state).data, size);
    }
    backend_set_key(backend, 0, (struct bytes){ 0 }); /* no bytes need no address */
    ck_assert_uint_eq(*backend_get(backend, state).data, 0);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_an_empty_value_is_present_and_a_removed_one_absent)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    backend_set_key(backend, 127, text("k"));
    backend_remove(backend, state);
    ck_assert_uint_eq(backend_entry_count(backend), 0);
    backend_put(backend, state, (struct bytes){ 0 });
    ck_assert_ptr_nonnull(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_get(backend, state).size, 0);
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    backend_remove(backend, state);
    ck_assert_ptr_null(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_entry_count(backend), 0);
    backend_put(backend, state, text("again"));
    ck_assert(holds(backend, state, "again"));
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_many_states_of_one_key_keep_apart_while_entries_come_and_go)
{
    enum { STATE_COUNT = 40 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id states[STATE_COUNT];
    for (int i = 0; i < STATE_COUNT; i++) {
        char name[2] = { (char)('0' + i), 0 };
        states[i] = backend_declare_value(backend, name);
    }
    backend_set_key(backend, 9, text("one key"));
    for (uint8_t i = 0; i < STATE_COUNT; i++) {
        for (uint8_t j = 0; j < STATE_COUNT; j++) {
            ck_assert((backend_get(backend, states[j]).data != NULL) == (j < i));
        }
        backend_put(backend, states[i], (struct bytes){ .data = &i, .size = 1 });
    }
    for (uint8_t i = 0; i < STATE_COUNT; i += 2) {
        backend_remove(backend, states[i]);
        for (uint8_t j = 0; j < STATE_COUNT; j++) {
            struct bytes value = backend_get(backend, states[j]);
            bool is_present = j > i || j % 2 == 1;
            ck_assert((value.data != NULL) == is_present);
            ck_assert(!is_present || *value.data == j);
        }
    }
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(destroying_a_backend_frees_it_and_its_open_snapshots)
{
    struct arena arena;
    struct arena other;
    arena_init(&arena);
    arena_init(&other);
    struct buffer out;
    buffer_init(&out, &other);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 500; key++) {
        put_number(backend, state, key, key);
        backend_put(backend, state, text("a value of more than eight bytes"));
    }
    struct backend_snapshot *first = backend_snapshot_begin(backend, 1, 0);
    (void)backend_snapshot_step(first, &out, 3000);
    (void)backend_snapshot_begin(backend, 2, 0);
    for (uint64_t key = 0; key < 500; key += 3) {
        put_number(backend, state, key, 0);
        remove_number(backend, state, key + 1);
    }
    backend_destroy(backend);
    ck_assert_ptr_null(arena.blocks);
    arena_drop(&other);
}
END_TEST

START_TEST(a_value_state_keeps_a_number_for_each_key)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    struct value_state count;
    value_state_open(&count, backend, "count");
    int64_t value = 5;
    backend_set_key(backend, 1, text("k"));
    ck_assert(!value_state_get(&count, &value));
    ck_assert_int_eq(value, 0);
    value_state_put(&count, INT64_MIN);
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, INT64_MIN);
    backend_set_key(backend, 1, text("l"));
    value_state_put(&count, -1);
    backend_set_key(backend, 1, text("k"));
    value_state_clear(&count);
    ck_assert(!value_state_get(&count, &value));
    backend_set_key(backend, 1, text("l"));
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, -1);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(adding_is_a_get_and_a_put_also_while_a_snapshot_is_written)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    struct buffer part;
    buffer_init(&part, &arena);
    struct value_state count;
    value_state_open(&count, backend, "count");
    backend_set_key(backend, 1, text("k"));
    ck_assert_int_eq(value_state_add(&count, 5), 5);
    ck_assert_int_eq(value_state_add(&count, -7), -2);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    ck_assert_int_eq(value_state_add(&count, 10), 8);
    ck_assert_int_eq(value_state_add(&count, INT64_MAX), INT64_MIN + 7);
    backend_set_key(backend, 1, text("l"));
    ck_assert_int_eq(value_state_add(&count, 1), 1);
    while (backend_snapshot_step(snapshot, &part, 100) != BACKEND_DONE) {
    }
    backend_snapshot_end(snapshot);
    int64_t value;
    backend_set_key(backend, 1, text("k"));
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, INT64_MIN + 7);
    backend_destroy(backend);

    struct bytes parts[] = { buffer_bytes(&part) };
    backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    value_state_open(&count, backend, "count");
    ck_assert_int_eq(restore_parts(backend, 1, parts, 1), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    backend_set_key(backend, 1, text("k"));
    ck_assert_int_eq(value_state_add(&count, 1), -1);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(adding_to_what_is_no_number_trips_a_check)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    struct value_state count;
    value_state_open(&count, backend, "count");
    backend_set_key(backend, 1, text("k"));
    backend_put(backend, count.id, text("four"));
    backend_set_key(backend, 1, text("k")); /* so that it must be looked up */
    (void)value_state_add(&count, 1);
}
END_TEST

START_TEST(a_key_group_outside_the_range_trips_a_check)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(
        &arena, (struct key_group_range){ .first = 3, .last = 9 }, PARTS_MAX);
    backend_set_key(backend, 10, text("k"));
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, b1_values_belong_to_the_current_key_and_state, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b1_foreseeing_keys_changes_neither_the_current_key_nor_any_answer, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_a_foreseen_key_may_go_and_come_back_before_it_is_current, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_keys_that_differ_in_size_only_are_different, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b1_an_empty_value_is_present_and_a_removed_one_absent, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_many_states_of_one_key_keep_apart_while_entries_come_and_go, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, destroying_a_backend_frees_it_and_its_open_snapshots, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, a_value_state_keeps_a_number_for_each_key, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, adding_is_a_get_and_a_put_also_while_a_snapshot_is_written, 0,
                        KIND_COUNT);
    tcase_add_loop_test_raise_signal(tcase, adding_to_what_is_no_number_trips_a_check, SIGABRT, 0,
                                     KIND_COUNT);
    tcase_add_loop_test_raise_signal(tcase, a_key_group_outside_the_range_trips_a_check, SIGABRT, 0,
                                     KIND_COUNT);
    Suite *suite = suite_create("backend");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
