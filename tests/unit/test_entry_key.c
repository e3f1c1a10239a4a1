#include <check.h>
#include <string.h>

#include "model/state/entry_key.h"
#include "tests/support/runner.h"

static const struct state_descriptor shapes[] = {
    { .name = "plain", .kind = STATE_VALUE },
    { .name = "window", .kind = STATE_VALUE, .has_namespace = true },
    { .name = "map", .kind = STATE_MAP },
    { .name = "window map", .kind = STATE_MAP, .has_namespace = true },
};

enum { SHAPES = sizeof shapes / sizeof shapes[0], NAMES = 6 };

/* Runs of different lengths, some the beginning of others. */
static struct bytes name(int number)
{
    static const size_t sizes[NAMES] = { 0, 1, 2, 254, 255, 300 };
    static const uint8_t zeros[300];
    return (struct bytes){ .data = zeros, .size = sizes[number] };
}

static struct bytes write(struct arena *arena, const struct state_descriptor *shape,
                          struct entry_key parts)
{
    struct buffer out;
    buffer_init(&out, arena);
    buffer_reserve(&out, 1);
    entry_key_write(&out, shape, &parts);
    return buffer_bytes(&out);
}

START_TEST(a_key_is_read_back_as_it_was_written_whatever_its_parts_are)
{
    struct arena arena;
    arena_init(&arena);
    for (int i = 0; i < NAMES * NAMES * NAMES; i++) {
        struct entry_key parts = { .key = name(i % NAMES) };
        if (shapes[_i].has_namespace) {
            parts.name_space = name(i / NAMES % NAMES);
        }
        if (state_has_subkey(&shapes[_i])) {
            parts.subkey = name(i / NAMES / NAMES);
        }
        struct bytes bytes = write(&arena, &shapes[_i], parts);
        struct entry_key read;
        ck_assert(entry_key_read(&shapes[_i], bytes, &read));
        ck_assert(bytes_equal(read.key, parts.key));
        ck_assert(bytes_equal(read.name_space, parts.name_space));
        ck_assert(bytes_equal(read.subkey, parts.subkey));
        if (state_has_subkey(&shapes[_i])) {
            parts.subkey.size = 0;
            ck_assert(bytes_equal(entry_key_prefix(&shapes[_i], bytes),
                                  write(&arena, &shapes[_i], parts)));
        }
    }
    arena_drop(&arena);
}
END_TEST

START_TEST(no_prefix_of_one_map_begins_the_keys_of_another)
{
    struct arena arena;
    arena_init(&arena);
    for (int i = 0; i < NAMES * NAMES; i++) {
        for (int j = 0; j < NAMES * NAMES; j++) {
            struct bytes a = write(&arena, &shapes[3],
                                   (struct entry_key){ name(i % NAMES), name(i / NAMES), name(0) });
            struct bytes b = write(&arena, &shapes[3],
                                   (struct entry_key){ name(j % NAMES), name(j / NAMES), name(5) });
            bool begins = a.size <= b.size && memcmp(a.data, b.data, a.size) == 0;
            ck_assert(begins == (i == j));
        }
    }
    arena_drop(&arena);
}
END_TEST

START_TEST(a_key_that_is_cut_short_or_written_in_another_way_is_none)
{
    static const uint8_t cut[] = { 3, 'a', 'b' };
    static const uint8_t no_length[] = { 255, 1, 0 };
    static const uint8_t short_as_long[] = { 255, 1, 0, 0, 0, 'a' };
    struct entry_key parts;
    ck_assert(!entry_key_read(&shapes[2], (struct bytes){ cut, sizeof cut }, &parts));
    ck_assert(!entry_key_read(&shapes[2], (struct bytes){ no_length, sizeof no_length }, &parts));
    ck_assert(
        !entry_key_read(&shapes[2], (struct bytes){ short_as_long, sizeof short_as_long }, &parts));
    ck_assert(!entry_key_read(&shapes[3], (struct bytes){ cut, 0 }, &parts));
    ck_assert(entry_key_read(&shapes[0], (struct bytes){ cut, 0 }, &parts));
}
END_TEST

START_TEST(keys_are_compared_as_unsigned_bytes_and_a_beginning_comes_first)
{
    static const uint8_t bytes[] = { 1, 0x80, 2 };
    struct bytes none = { bytes, 0 };
    struct bytes one = { bytes, 1 };
    struct bytes two = { bytes, 2 };
    struct bytes high = { bytes + 1, 1 };
    ck_assert_int_lt(entry_key_compare(none, one), 0);
    ck_assert_int_lt(entry_key_compare(one, two), 0);
    ck_assert_int_lt(entry_key_compare(two, high), 0);
    ck_assert_int_gt(entry_key_compare(high, one), 0);
    ck_assert_int_eq(entry_key_compare(two, two), 0);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("entry key");
    tcase_add_loop_test(tcase, a_key_is_read_back_as_it_was_written_whatever_its_parts_are, 0,
                        SHAPES);
    tcase_add_test(tcase, no_prefix_of_one_map_begins_the_keys_of_another);
    tcase_add_test(tcase, a_key_that_is_cut_short_or_written_in_another_way_is_none);
    tcase_add_test(tcase, keys_are_compared_as_unsigned_bytes_and_a_beginning_comes_first);
    Suite *suite = suite_create("entry_key");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
