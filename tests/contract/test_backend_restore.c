#include <check.h>

#include "model/base/codec.h"
#include "model/state/snapshot.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/backend_texts.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* What a restore accepts: states that were declared otherwise when they were written, or are not
 * declared, keys that no backend made, another range of key groups. Every test runs once for each
 * kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

static struct backend *create(int kind, struct arena *arena)
{
    return backend_kinds[kind].create(arena, all_groups, PARTS_MAX);
}

/* Restores a snapshot of `was` where `is` is declared, and returns why it is refused, or "". */
static const char *restore_as(int kind, struct arena *arena, const struct state_descriptor *was,
                              const struct state_descriptor *is)
{
    struct backend *backend = create(kind, arena);
    state_id state = backend_declare(backend, was);
    backend_set_key(backend, 5, text("k"));
    backend_put(backend, state, text("12345678, a stamp, and a value"));
    struct bytes part = write_whole(backend, arena, 1);
    backend_destroy(backend);
    struct backend *restored = create(kind, arena);
    ck_assert_uint_ne(backend_declare(restored, is), STATE_REFUSED);
    enum status status = restore_parts(restored, 1, &part, 1);
    struct bytes refusal = backend_refusal(restored);
    char *why = arena_format(arena, "%.*s", (int)refusal.size, (const char *)refusal.data);
    ck_assert_int_eq(status, refusal.size == 0 ? STATUS_OK : STATUS_INVALID);
    backend_destroy(restored);
    return why;
}

START_TEST(d1_a_state_of_another_kind_or_type_is_refused_with_a_sentence)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor is = map_of_texts;
    ck_assert_str_eq(restore_as(_i, &arena, &map_of_texts, &is), "");
    is.value.name = "i64";
    ck_assert_str_eq(restore_as(_i, &arena, &map_of_texts, &is),
                     "state \"map\" was a map of text version 0 to text version 2 and cannot be "
                     "read as a map of text version 0 to i64 version 2");
    is = map_of_texts;
    is.subkey.version = 1;
    ck_assert_str_ne(restore_as(_i, &arena, &map_of_texts, &is), "");
    is = map_of_texts;
    is.has_namespace = true;
    ck_assert_str_ne(restore_as(_i, &arena, &map_of_texts, &is), "");
    is = list_of_texts;
    is.name = "map";
    ck_assert_str_eq(restore_as(_i, &arena, &map_of_texts, &is),
                     "state \"map\" was a map of text version 0 to text version 2 and cannot be "
                     "read as a list of text version 0");
    is = map_of_texts;
    is.value.version = 1; /* older than what was written */
    ck_assert_str_ne(restore_as(_i, &arena, &map_of_texts, &is), "");
    is.value.version = 3; /* newer, and cannot upgrade */
    ck_assert_str_ne(restore_as(_i, &arena, &map_of_texts, &is), "");
    is = map_of_texts;
    is.ttl_ns = 1;
    ck_assert_str_eq(restore_as(_i, &arena, &map_of_texts, &is),
                     "state \"map\" was a map of text version 0 to text version 2 and cannot be "
                     "read as a map of text version 0 to text version 2 with a time to live");
    ck_assert_str_ne(restore_as(_i, &arena, &is, &map_of_texts), "");
    struct state_descriptor longer = is;
    longer.ttl_ns = 1000; /* D3 */
    ck_assert_str_eq(restore_as(_i, &arena, &is, &longer), "");
    arena_drop(&arena);
}
END_TEST

/* Version 1 puts its number before the text; there was no text to be upgraded that began with
 * '!'. */
static bool upgrade_text(const struct state_type *type, uint16_t version, struct bytes old,
                         struct buffer *out)
{
    ck_assert_uint_gt(type->version, version);
    if (old.size > 0 && old.data[0] == '!') {
        return false;
    }
    buffer_append_format(out, "from %u: ", version);
    buffer_append(out, old);
    return true;
}

static bool upgrade_nothing(const struct state_type *type, uint16_t version, struct bytes old,
                            struct buffer *out)
{
    (void)type;
    (void)version;
    (void)old;
    (void)out;
    ck_abort_msg("a value was upgraded that nobody wrote");
    return true;
}

START_TEST(d2_values_of_an_older_version_are_upgraded_one_by_one_and_a_list_by_its_elements)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *old = create(_i, &arena);
    state_id old_map = backend_declare(old, &map_of_texts);
    state_id old_list = backend_declare(old, &list_of_texts);
    backend_set_key(old, 5, text("k"));
    put_at(old, old_map, "a", "1");
    put_at(old, old_map, "b", "2");
    struct buffer elements;
    buffer_init(&elements, &arena);
    encode_bytes(&elements, text("x"));
    encode_bytes(&elements, text("yy"));
    backend_append(old, old_list, buffer_bytes(&elements));
    struct bytes part = write_whole(old, &arena, 1);
    struct backend *new = create(_i, &arena);
    struct state_descriptor new_map = map_of_texts;
    struct state_descriptor new_list = list_of_texts;
    new_map.value = (struct state_type){ .name = "text", .version = 5, .upgrade = upgrade_text };
    new_list.value = new_map.value;
    state_id state = backend_declare(new, &new_map);
    state_id state_list = backend_declare(new, &new_list);
    ck_assert_int_eq(restore_parts(new, 1, &part, 1), STATUS_OK);
    backend_set_key(new, 5, text("k"));
    ck_assert_str_eq(map_as_text(new, state, &arena), "a=from 2: 1 b=from 2: 2 ");
    buffer_reset(&elements);
    encode_bytes(&elements, text("from 0: x"));
    encode_bytes(&elements, text("from 0: yy"));
    ck_assert(bytes_equal(backend_get(new, state_list), buffer_bytes(&elements)));
    /* And what is written now is of the new version. */
    part = write_whole(new, &arena, 2);
    backend_destroy(new);
    new = create(_i, &arena);
    ck_assert_uint_eq(backend_declare(new, &new_map), state);
    ck_assert_int_eq(restore_parts(new, 2, &part, 1), STATUS_OK);
    backend_set_key(new, 5, text("k"));
    ck_assert_str_eq(map_as_text(new, state, &arena), "a=from 2: 1 b=from 2: 2 ");
    backend_destroy(new);
    backend_destroy(old);
    arena_drop(&arena);
}
END_TEST

/* What is as long as counters are may be none: those are restored many at once. */
START_TEST(d2_values_of_eight_bytes_are_upgraded_too)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor was = state_of_bytes("v");
    struct state_descriptor is = was;
    is.value.version = 1;
    is.value.upgrade = upgrade_text;
    struct backend *old = create(_i, &arena);
    state_id state = backend_declare(old, &was);
    backend_set_key(old, 5, text("a key of"));
    backend_put(old, state, text("8 bytes."));
    struct bytes part = write_whole(old, &arena, 1);
    struct backend *new = create(_i, &arena);
    ck_assert_uint_eq(backend_declare(new, &is), state);
    ck_assert_int_eq(restore_parts(new, 1, &part, 1), STATUS_OK);
    backend_set_key(new, 5, text("a key of"));
    ck_assert(holds(new, state, "from 0: 8 bytes."));
    backend_destroy(new);
    backend_destroy(old);
    arena_drop(&arena);
}
END_TEST

START_TEST(entries_of_a_map_whose_keys_come_to_eight_bytes_are_restored_into_it)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *old = create(_i, &arena);
    state_id state = backend_declare(old, &map_of_texts);
    backend_set_key(old, 5, text("k"));
    put_at(old, state, "subkey", "8 bytes."); /* behind the key and its length */
    struct bytes part = write_whole(old, &arena, 1);
    struct backend *new = create(_i, &arena);
    ck_assert_uint_eq(backend_declare(new, &map_of_texts), state);
    ck_assert_int_eq(restore_parts(new, 1, &part, 1), STATUS_OK);
    backend_set_key(new, 5, text("k"));
    ck_assert_str_eq(map_as_text(new, state, &arena), "subkey=8 bytes. ");
    backend_destroy(new);
    backend_destroy(old);
    arena_drop(&arena);
}
END_TEST

/* Nothing that can be wrong about a part counts before it is known to be what was written. */
START_TEST(d2_nothing_of_a_part_that_is_damaged_at_its_end_is_upgraded_or_refused)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor was = state_of_bytes("v");
    struct backend *old = create(_i, &arena);
    state_id state = backend_declare(old, &was);
    for (uint32_t key_group = 0; key_group < 128; key_group++) {
        backend_set_key(old, key_group, text("k"));
        backend_put(old, state, text("a value of more than eight bytes"));
    }
    struct bytes part = write_whole(old, &arena, 1);
    struct state_descriptor is[] = { was, was, was };
    is[1].value.version = 1;
    is[1].value.upgrade = upgrade_nothing; /* or the test fails */
    is[2].kind = STATE_LIST;
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        struct backend *new = create(_i, &arena);
        ck_assert_uint_ne(backend_declare(new, &is[i]), STATE_REFUSED);
        ck_assert_int_eq(restore_damaged(new, 1, part), STATUS_CORRUPT);
        backend_destroy(new);
    }
    backend_destroy(old);
    arena_drop(&arena);
}
END_TEST

START_TEST(d2_a_value_that_cannot_be_upgraded_is_refused)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor was = state_of_bytes("v");
    struct backend *old = create(_i, &arena);
    state_id state = backend_declare(old, &was);
    backend_set_key(old, 5, text("k"));
    backend_put(old, state, text("!"));
    struct bytes part = write_whole(old, &arena, 1);
    struct state_descriptor is = was;
    is.value.version = 1;
    is.value.upgrade = upgrade_text;
    struct backend *new = create(_i, &arena);
    ck_assert_uint_ne(backend_declare(new, &is), STATE_REFUSED);
    ck_assert_int_eq(restore_parts(new, 1, &part, 1), STATUS_INVALID);
    ck_assert(bytes_equal(backend_refusal(new),
                          text("state \"v\" holds a value of type bytes version 0 that cannot be "
                               "upgraded to version 1")));
    backend_destroy(new);
    backend_destroy(old);
    arena_drop(&arena);
}
END_TEST

START_TEST(d4_a_state_that_is_not_declared_is_kept_and_refused_to_another_kind)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *first = create(_i, &arena);
    state_id state = backend_declare(first, &map_of_texts);
    backend_set_key(first, 5, text("k"));
    put_at(first, state, "a", "1");
    struct bytes part = write_whole(first, &arena, 1);
    struct backend *second = create(_i, &arena); /* declares nothing */
    ck_assert_int_eq(restore_parts(second, 1, &part, 1), STATUS_OK);
    part = write_whole(second, &arena, 2);
    struct backend *third = create(_i, &arena);
    ck_assert_int_eq(restore_parts(third, 2, &part, 1), STATUS_OK);
    struct state_descriptor other = list_of_texts;
    other.name = "map";
    ck_assert_uint_eq(backend_declare(third, &other), STATE_REFUSED);
    ck_assert_uint_gt(backend_refusal(third).size, 0);
    state = backend_declare(third, &map_of_texts);
    ck_assert_uint_ne(state, STATE_REFUSED);
    backend_set_key(third, 5, text("k"));
    ck_assert_str_eq(map_as_text(third, state, &arena), "a=1 ");
    backend_destroy(third);
    backend_destroy(second);
    backend_destroy(first);
    arena_drop(&arena);
}
END_TEST

/* How long it lives is not known before it is declared: so it lives. */
START_TEST(d4_what_has_a_time_to_live_is_kept_while_its_state_is_not_declared)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor mortal = state_of_bytes("mortal");
    mortal.ttl_ns = 100;
    struct backend *first = create(_i, &arena);
    state_id state = backend_declare(first, &mortal);
    backend_set_key(first, 5, text("k"));
    backend_put(first, state, text("\1\1\1\1\1\1\1\1value"));
    struct bytes part = write_whole(first, &arena, 1);
    struct backend *second = create(_i, &arena);
    ck_assert_int_eq(restore_parts(second, 1, &part, 1), STATUS_OK);
    backend_set_time(second, UINT64_MAX);
    backend_expire(second, 1000);
    part = write_whole(second, &arena, 2);
    ck_assert_uint_eq(backend_entry_count(second), 1);
    struct backend *third = create(_i, &arena);
    ck_assert_int_eq(restore_parts(third, 2, &part, 1), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(third), 1);
    ck_assert_uint_ne(backend_declare(third, &mortal), STATE_REFUSED);
    backend_set_time(third, UINT64_MAX);
    part = write_whole(third, &arena, 3);
    struct backend *fourth = create(_i, &arena);
    ck_assert_int_eq(restore_parts(fourth, 3, &part, 1), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(fourth), 0);
    backend_destroy(fourth);
    backend_destroy(third);
    backend_destroy(second);
    backend_destroy(first);
    arena_drop(&arena);
}
END_TEST

START_TEST(an_entry_whose_key_no_backend_made_is_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    static const char *const keys[] = { "", "\2a", "\1a", "\1a\3w", "\377\1\1", "\377\2\0\0\0ab" };
    static const size_t sizes[] = { 0, 2, 2, 4, 3, 7 };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct buffer out;
        buffer_init(&out, &arena);
        snapshot_write_header(&out, 1, 0, &windowed_map_of_texts, 1);
        snapshot_write_entry(&out, 4, 0, (struct bytes){ (const uint8_t *)keys[i], sizes[i] },
                             text("v"));
        snapshot_write_trailer(&out, 1);
        struct backend *backend = create(_i, &arena);
        struct bytes part = buffer_bytes(&out);
        ck_assert_int_eq(restore_parts(backend, 1, &part, 1), STATUS_CORRUPT);
        backend_destroy(backend);
    }
    arena_drop(&arena);
}
END_TEST

/* After a change of parallelism: two halves of the key groups become one, and one becomes two. */
START_TEST(maps_and_lists_follow_their_key_groups_to_another_range)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[2];
    for (uint32_t half = 0; half < 2; half++) {
        struct key_group_range range = { half * 64, half * 64 + 63 };
        struct backend *backend = backend_kinds[_i].create(&arena, range, PARTS_MAX);
        state_id state_map = backend_declare(backend, &windowed_map_of_texts);
        state_id state_list = backend_declare(backend, &list_of_texts);
        for (uint32_t group = range.first; group <= range.last; group++) {
            backend_set_key(backend, group, text("k"));
            backend_append(backend, state_list, text(arena_format(&arena, "list %u", group)));
            backend_set_namespace(backend, text("w"));
            put_at(backend, state_map, "b", arena_format(&arena, "%u", group));
            put_at(backend, state_map, "a", "1");
        }
        parts[half] = write_whole(backend, &arena, 1);
        backend_destroy(backend);
    }
    struct key_group_range ranges[] = { { 0, 127 }, { 32, 95 }, { 64, 64 } };
    for (size_t i = 0; i < 3; i++) {
        struct backend *backend = backend_kinds[_i].create(&arena, ranges[i], PARTS_MAX);
        state_id state_map = backend_declare(backend, &windowed_map_of_texts);
        state_id state_list = backend_declare(backend, &list_of_texts);
        ck_assert_int_eq(restore_parts(backend, 1, &parts[0], 1), STATUS_OK);
        ck_assert_int_eq(restore_parts(backend, 1, &parts[1], 1), STATUS_OK);
        for (uint32_t group = ranges[i].first; group <= ranges[i].last; group++) {
            backend_set_key(backend, group, text("k"));
            ck_assert(holds(backend, state_list, arena_format(&arena, "list %u", group)));
            backend_set_namespace(backend, text("w"));
            ck_assert_str_eq(map_as_text(backend, state_map, &arena),
                             arena_format(&arena, "a=1 b=%u ", group));
        }
        ck_assert_uint_eq(backend_entry_count(backend), (ranges[i].last - ranges[i].first + 1) * 3);
        backend_destroy(backend);
    }
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend restore");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, d1_a_state_of_another_kind_or_type_is_refused_with_a_sentence, 0,
                        KIND_COUNT);
    tcase_add_loop_test(
        tcase, d2_values_of_an_older_version_are_upgraded_one_by_one_and_a_list_by_its_elements, 0,
        KIND_COUNT);
    tcase_add_loop_test(tcase,
                        d2_nothing_of_a_part_that_is_damaged_at_its_end_is_upgraded_or_refused, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, d2_values_of_eight_bytes_are_upgraded_too, 0, KIND_COUNT);
    tcase_add_loop_test(tcase,
                        entries_of_a_map_whose_keys_come_to_eight_bytes_are_restored_into_it, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, d2_a_value_that_cannot_be_upgraded_is_refused, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, d4_a_state_that_is_not_declared_is_kept_and_refused_to_another_kind,
                        0, KIND_COUNT);
    tcase_add_loop_test(tcase, d4_what_has_a_time_to_live_is_kept_while_its_state_is_not_declared,
                        0, KIND_COUNT);
    tcase_add_loop_test(tcase, an_entry_whose_key_no_backend_made_is_corrupt, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, maps_and_lists_follow_their_key_groups_to_another_range, 0,
                        KIND_COUNT);
    Suite *suite = suite_create("backend_restore");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
