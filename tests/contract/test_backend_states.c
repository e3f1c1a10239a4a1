#include <check.h>
#include <signal.h>
#include <string.h>

#include "model/state/backend.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/backend_texts.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* States of every kind: namespaces, subkeys, iteration. Every test runs once for each kind of
 * backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

static const struct state_descriptor window_value = { .name = "window value",
                                                      .kind = STATE_AGGREGATING,
                                                      .value = { .name = "text" },
                                                      .has_namespace = true };

static struct backend *create(int kind, struct arena *arena)
{
    return backend_kinds[kind].create(arena, all_groups, PARTS_MAX);
}

START_TEST(the_bytes_of_a_namespace_and_of_a_subkey_are_copied)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &windowed_map_of_texts);
    char name_space[] = "w1";
    char subkey[] = "a";
    backend_set_key(backend, 5, text("k"));
    backend_set_namespace(backend, text(name_space));
    backend_set_subkey(backend, text(subkey));
    name_space[1] = '2';
    subkey[0] = 'b';
    backend_put(backend, state, text("one"));
    backend_set_namespace(backend, text("w1"));
    backend_set_subkey(backend, text("a"));
    ck_assert(holds(backend, state, "one"));
    backend_set_namespace(backend, text("w2"));
    backend_set_subkey(backend, text("b"));
    ck_assert(holds(backend, state, NULL));
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_a_namespace_holds_until_the_next_key_and_others_do_not_see_it)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id value = backend_declare(backend, &window_value);
    state_id plain = backend_declare_value(backend, "plain");
    backend_set_key(backend, 5, text("k"));
    backend_put(backend, value, text("none"));
    backend_put(backend, plain, text("plain"));
    backend_set_namespace(backend, text("w1"));
    ck_assert(holds(backend, value, NULL));
    ck_assert(holds(backend, plain, "plain")); /* does not heed it */
    backend_put(backend, value, text("one"));
    backend_set_namespace(backend, text("w2"));
    ck_assert(holds(backend, value, NULL));
    backend_put(backend, value, text("two"));
    backend_set_key(backend, 5, text("k"));
    ck_assert(holds(backend, value, "none")); /* the void namespace again */
    backend_set_namespace(backend, text("w1"));
    ck_assert(holds(backend, value, "one"));
    backend_remove(backend, value);
    backend_set_namespace(backend, text("w2"));
    ck_assert(holds(backend, value, "two"));
    backend_set_key(backend, 5, text("kw"));
    backend_set_namespace(backend, text("2"));
    ck_assert(holds(backend, value, NULL)); /* "k" "w2" is not "kw" "2" */
    ck_assert_uint_eq(backend_entry_count(backend), 3);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b7_a_map_comes_in_the_order_of_its_subkeys_before_and_after_a_restore)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &windowed_map_of_texts);
    backend_set_key(backend, 5, text("k"));
    ck_assert_str_eq(map_as_text(backend, state, &arena), "");
    backend_set_namespace(backend, text("w"));
    static const char *const names[] = { "pear", "a", "", "apple", "b", "ap", "\xc3\xa9", "B" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put_at(backend, state, names[i], "1");
    }
    put_at(backend, state, "b", "another value");
    backend_set_subkey(backend, text("ap"));
    backend_remove(backend, state);
    const char *expected = "=1 B=1 a=1 apple=1 b=another value pear=1 \xc3\xa9=1 ";
    ck_assert_str_eq(map_as_text(backend, state, &arena), expected);
    put_at(backend, state, "ab", "2"); /* after it was gone through once */
    expected = "=1 B=1 a=1 ab=2 apple=1 b=another value pear=1 \xc3\xa9=1 ";
    ck_assert_str_eq(map_as_text(backend, state, &arena), expected);
    backend_set_namespace(backend, text("v"));
    ck_assert_str_eq(map_as_text(backend, state, &arena), "");
    struct bytes part = write_whole(backend, &arena, 1);
    struct backend *restored = create(_i, &arena);
    ck_assert_int_eq(restore_parts(restored, 1, &part, 1), STATUS_OK);
    state = backend_declare(restored, &windowed_map_of_texts);
    backend_set_key(restored, 5, text("k"));
    backend_set_namespace(restored, text("w"));
    ck_assert_str_eq(map_as_text(restored, state, &arena), expected);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(the_entry_given_last_may_be_removed_or_changed_while_a_map_is_gone_through)
{
    enum { COUNT = 100 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &map_of_texts);
    backend_set_key(backend, 5, text("k"));
    for (int i = COUNT - 1; i >= 0; i--) {
        put_at(backend, state, arena_format(&arena, "%02d", i), "v");
    }
    struct backend_entry entry;
    int seen = 0;
    backend_iterate(backend, state, SCOPE_MAP);
    for (; backend_next(backend, state, &entry); seen++) {
        ck_assert(bytes_equal(entry.at.subkey, text(arena_format(&arena, "%02d", seen))));
        backend_set_subkey(backend, entry.at.subkey);
        if (seen % 2 == 0) {
            backend_remove(backend, state);
        } else {
            backend_put(backend, state, text("a value of more than eight bytes"));
        }
    }
    ck_assert_int_eq(seen, COUNT);
    ck_assert_uint_eq(backend_entry_count(backend), COUNT / 2);
    seen = 0;
    backend_iterate(backend, state, SCOPE_MAP);
    for (; backend_next(backend, state, &entry); seen++) {
        ck_assert(bytes_equal(entry.value, text("a value of more than eight bytes")));
    }
    ck_assert_int_eq(seen, COUNT / 2);
    ck_assert(!backend_next(backend, state, &entry)); /* and so it stays */
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(two_states_can_be_gone_through_at_once)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id outer = backend_declare(backend, &map_of_texts);
    state_id inner = backend_declare(backend, &windowed_map_of_texts);
    backend_set_key(backend, 5, text("k"));
    for (char name[] = "a"; name[0] < 'd'; name[0]++) {
        put_at(backend, outer, name, "1");
        put_at(backend, inner, name, "2");
    }
    struct backend_entry entry;
    uint32_t count = 0;
    backend_iterate(backend, outer, SCOPE_MAP);
    while (backend_next(backend, outer, &entry)) {
        ck_assert_str_eq(map_as_text(backend, inner, &arena), "a=2 b=2 c=2 ");
        count++;
    }
    ck_assert_uint_eq(count, 3);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(all_entries_of_a_state_come_key_group_by_key_group)
{
    enum { COUNT = 300 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &windowed_map_of_texts);
    state_id other = backend_declare_value(backend, "other");
    for (uint32_t i = 0; i < COUNT; i++) {
        struct bytes key = { .data = (const uint8_t *)&i, .size = sizeof i };
        backend_set_key(backend, i * 7 % 128, key);
        backend_put(backend, other, text("x"));
        backend_set_namespace(backend, text("window"));
        put_at(backend, state, arena_format(&arena, "%u", i), "v");
    }
    bool seen[COUNT] = { false };
    uint32_t count = 0;
    uint32_t key_group = 0;
    struct backend_entry entry;
    backend_iterate(backend, state, SCOPE_STATE);
    while (backend_next(backend, state, &entry)) {
        uint32_t i;
        ck_assert_uint_eq(entry.at.key.size, sizeof i);
        memcpy(&i, entry.at.key.data, sizeof i);
        ck_assert(!seen[i]);
        seen[i] = true;
        ck_assert_uint_eq(entry.key_group, i * 7 % 128);
        ck_assert_uint_ge(entry.key_group, key_group);
        key_group = entry.key_group;
        ck_assert(bytes_equal(entry.at.name_space, text("window")));
        ck_assert(bytes_equal(entry.at.subkey, text(arena_format(&arena, "%u", i))));
        ck_assert(bytes_equal(entry.value, text("v")));
        count++;
    }
    ck_assert_uint_eq(count, COUNT);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(what_is_appended_after_a_snapshot_is_not_in_it)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &list_of_texts);
    backend_set_key(backend, 5, text("long"));
    backend_append(backend, state, text("one two three "));
    backend_set_key(backend, 5, text("short"));
    backend_append(backend, state, text("1"));
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    backend_append(backend, state, text("2"));
    ck_assert(holds(backend, state, "12"));
    backend_set_key(backend, 5, text("long"));
    backend_append(backend, state, text("four "));
    backend_append(backend, state, text("five "));
    ck_assert(holds(backend, state, "one two three four five "));
    backend_set_key(backend, 5, text("new"));
    backend_append(backend, state, text(""));
    ck_assert(holds(backend, state, ""));
    struct buffer out;
    buffer_init(&out, &arena);
    struct bytes part = finish_snapshot(snapshot, &out, 1000);
    backend_snapshot_end(snapshot);
    struct backend *restored = create(_i, &arena);
    state_id same = backend_declare(restored, &list_of_texts);
    ck_assert_int_eq(restore_parts(restored, 1, &part, 1), STATUS_OK);
    backend_set_key(restored, 5, text("long"));
    ck_assert(holds(restored, same, "one two three "));
    backend_set_key(restored, 5, text("short"));
    ck_assert(holds(restored, same, "1"));
    backend_set_key(restored, 5, text("new"));
    ck_assert(holds(restored, same, NULL));
    backend_kinds[_i].check(backend);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(a_list_that_was_removed_begins_anew_though_a_snapshot_still_holds_it)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &list_of_texts);
    backend_set_key(backend, 5, text("k"));
    backend_append(backend, state, text("what was there before"));
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    backend_remove(backend, state);
    backend_append(backend, state, text("new"));
    ck_assert(holds(backend, state, "new"));
    backend_snapshot_end(snapshot);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(to_append_to_what_is_no_list_is_an_error)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = create(_i, &arena);
    state_id state = backend_declare(backend, &map_of_texts);
    backend_set_key(backend, 5, text("k"));
    backend_append(backend, state, text("x"));
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend states");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_bytes_of_a_namespace_and_of_a_subkey_are_copied, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b1_a_namespace_holds_until_the_next_key_and_others_do_not_see_it, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase,
                        b7_a_map_comes_in_the_order_of_its_subkeys_before_and_after_a_restore, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase,
                        the_entry_given_last_may_be_removed_or_changed_while_a_map_is_gone_through,
                        0, KIND_COUNT);
    tcase_add_loop_test(tcase, two_states_can_be_gone_through_at_once, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, all_entries_of_a_state_come_key_group_by_key_group, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, what_is_appended_after_a_snapshot_is_not_in_it, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, a_list_that_was_removed_begins_anew_though_a_snapshot_still_holds_it,
                        0, KIND_COUNT);
    tcase_add_loop_test_raise_signal(tcase, to_append_to_what_is_no_list_is_an_error, SIGABRT, 0,
                                     KIND_COUNT);
    Suite *suite = suite_create("backend_states");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
