#include "model/base/bytes.h"

#include <string.h>

#include "tests/support/runner.h"

enum { ROOM_BYTES = 64, UNTOUCHED = 0xee };

START_TEST(put_copies_runs_of_every_size_and_nothing_more)
{
    uint8_t from[ROOM_BYTES];
    for (size_t i = 0; i < sizeof from; i++) {
        from[i] = (uint8_t)(i * 7 + 1);
    }
    for (size_t size = 0; size < ROOM_BYTES; size++) {
        uint8_t to[ROOM_BYTES + 1];
        memset(to, UNTOUCHED, sizeof to);
        bytes_put(to + 1, from, size);
        ck_assert_mem_eq(to + 1, from, size);
        ck_assert_uint_eq(to[0], UNTOUCHED);
        for (size_t i = 1 + size; i < sizeof to; i++) {
            ck_assert_uint_eq(to[i], UNTOUCHED);
        }
    }
}
END_TEST

START_TEST(a_buffer_keeps_its_content_while_it_grows)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer buffer;
    buffer_init(&buffer, &arena);
    size_t total = 0;
    for (size_t size = 1; size < 200; size++) {
        memset(buffer_extend(&buffer, size), (int)size, size);
        total += size;
        ck_assert_uint_eq(buffer.size, total);
        ck_assert_uint_ge(buffer.capacity, total);
    }
    size_t at = 0;
    for (size_t size = 1; size < 200; size++) {
        for (size_t i = 0; i < size; i++) {
            ck_assert_uint_eq(buffer.data[at++], size);
        }
    }
    buffer_free(&buffer);
    ck_assert_ptr_null(arena.blocks);
}
END_TEST

START_TEST(room_that_was_reserved_is_not_moved)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer buffer;
    buffer_init(&buffer, &arena);
    buffer_append_text(&buffer, "abc");
    buffer_reserve(&buffer, 1000);
    ck_assert_uint_eq(buffer.size, 3);
    const uint8_t *data = buffer.data;
    ck_assert_ptr_eq(buffer_extend(&buffer, 1000), data + 3);
    ck_assert_ptr_eq(buffer.data, data);
    arena_drop(&arena);
}
END_TEST

START_TEST(a_formatted_text_of_any_length_is_whole)
{
    struct arena arena;
    arena_init(&arena);
    for (int width = 1; width < 600; width++) {
        size_t size = (size_t)width;
        struct buffer buffer;
        buffer_init(&buffer, &arena);
        buffer_append_format(&buffer, "%*d", width, 7);
        ck_assert_uint_eq(buffer.size, size);
        ck_assert_uint_eq(buffer.data[size - 1], '7');
        buffer_append_format(&buffer, "%*d", width, 8);
        ck_assert_uint_eq(buffer.size, 2 * size);
        ck_assert_uint_eq(buffer.data[size - 1], '7');
        ck_assert_uint_eq(buffer.data[2 * size - 1], '8');
        const char *text = arena_format(&arena, "%*d", width, 9);
        ck_assert_uint_eq(strlen(text), size);
        ck_assert_int_eq(text[size - 1], '9');
    }
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tests = tcase_create("bytes");
    tcase_add_test(tests, put_copies_runs_of_every_size_and_nothing_more);
    tcase_add_test(tests, a_buffer_keeps_its_content_while_it_grows);
    tcase_add_test(tests, room_that_was_reserved_is_not_moved);
    tcase_add_test(tests, a_formatted_text_of_any_length_is_whole);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
