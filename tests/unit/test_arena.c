#include "model/base/arena.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "model/base/bytes.h"
#include "tests/support/runner.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

/* Under the address sanitizer a block that the arena forgot is reported as a leak. */
static void teardown(void)
{
    arena_drop(&arena);
    ck_assert_uint_eq(arena.live_count, 0);
}

static bool all_equal(const uint8_t *bytes, size_t size, uint8_t expected)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != expected) {
            return false;
        }
    }
    return true;
}

START_TEST(allocated_memory_is_zeroed)
{
    for (size_t size = 1; size < 5000; size = size * 3 + 1) {
        uint8_t *dirty = arena_alloc_raw(&arena, size);
        memset(dirty, 0xee, size);
        arena_free(&arena, dirty);
        ck_assert(all_equal(arena_alloc(&arena, size, 1), size, 0));
    }
}
END_TEST

START_TEST(blocks_do_not_overlap_and_keep_their_content)
{
    enum { BLOCKS = 200 };
    uint8_t *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = arena_alloc_raw(&arena, i + 1);
        memset(blocks[i], (int)i, i + 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 2) {
        arena_free(&arena, blocks[i]);
    }
    for (size_t i = 1; i < BLOCKS; i += 2) {
        blocks[i] = arena_resize(&arena, blocks[i], 3 * (i + 1));
        ck_assert(all_equal(blocks[i], i + 1, (uint8_t)i));
    }
}
END_TEST

START_TEST(blocks_can_hold_anything)
{
    for (size_t size = 1; size < 100; size++) {
        ck_assert_uint_eq((uintptr_t)arena_alloc(&arena, size, 1) % _Alignof(max_align_t), 0);
    }
}
END_TEST

START_TEST(resizing_nothing_allocates_and_shrinking_keeps_the_rest)
{
    uint8_t *block = arena_resize(&arena, NULL, 100);
    memset(block, 7, 100);
    block = arena_resize(&arena, block, 10);
    ck_assert(all_equal(block, 10, 7));
}
END_TEST

START_TEST(an_array_grows_by_doubling_and_only_when_it_must)
{
    size_t capacity = 0;
    uint64_t *numbers = NULL;
    size_t moves = 0;
    for (size_t count = 1; count <= 1000; count++) {
        size_t before = capacity;
        numbers = arena_grow(&arena, numbers, &capacity, count, sizeof *numbers);
        ck_assert_uint_ge(capacity, count);
        moves += capacity != before;
        numbers[count - 1] = count;
    }
    ck_assert_uint_le(moves, 8); /* 8, 16 ... 1024 */
    for (size_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(numbers[i], i + 1);
    }
    size_t enough = capacity;
    ck_assert_ptr_eq(arena_grow(&arena, numbers, &capacity, enough, sizeof *numbers), numbers);
    ck_assert_uint_eq(capacity, enough);
}
END_TEST

START_TEST(an_array_grows_at_once_as_far_as_it_must)
{
    size_t capacity = 0;
    (void)arena_grow(&arena, NULL, &capacity, 12345, 2);
    ck_assert_uint_eq(capacity, 12345);
}
END_TEST

START_TEST(freeing_nothing_is_allowed)
{
    arena_free(&arena, NULL);
}
END_TEST

START_TEST(a_dropped_arena_can_be_used_again)
{
    (void)arena_alloc(&arena, 10, 10);
    arena_drop(&arena);
    ck_assert_uint_eq(arena.live_count, 0);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 10, 10));
}
END_TEST

/* Is told of a block before anything stands in it: so what it writes there is overwritten. */
static void mark_large(void *block, size_t size_bytes)
{
    ck_assert_uint_ge(size_bytes, ARENA_LARGE_BYTES);
    memset(block, 7, size_bytes);
}

START_TEST(who_wants_to_know_is_told_of_large_blocks_and_of_no_others)
{
    enum { MORE = 100, NEARLY = ARENA_LARGE_BYTES - 1024 };
    arena.on_large = mark_large;
    uint8_t *raw = arena_alloc_raw(&arena, ARENA_LARGE_BYTES + MORE);
    ck_assert(all_equal(raw, ARENA_LARGE_BYTES + MORE, 7));
    ck_assert_uint_lt((uintptr_t)raw % ARENA_LARGE_BYTES, MORE);
    ck_assert(all_equal(arena_alloc(&arena, ARENA_LARGE_BYTES, 1), ARENA_LARGE_BYTES, 7));
    uint8_t *grown = arena_alloc(&arena, NEARLY, 1);
    ck_assert(all_equal(grown, NEARLY, 0));
    grown = arena_resize(&arena, grown, ARENA_LARGE_BYTES);
    ck_assert(all_equal(grown, ARENA_LARGE_BYTES, 7));
    raw = arena_resize(&arena, raw, NEARLY);
    memset(raw, 1, NEARLY);
    ck_assert_uint_eq(arena.live_count, 3);
    arena_free(&arena, raw);
}
END_TEST

/* A deferred call that writes down its letter, and uses the arena that is being dropped. */
struct ending {
    char *memory;
    char letter;
    struct ending *next; /* deferred by this one's end; NULL: none */
};

static char endings_seen[8];

static void end_and_note(void *argument)
{
    struct ending *ending = argument;
    size_t length = strlen(endings_seen);
    endings_seen[length] = ending->letter;
    (void)arena_alloc(&arena, 1, 100);
    arena_free(&arena, ending->memory);
    if (ending->next != NULL) {
        (void)arena_defer(&arena, end_and_note, ending->next);
    }
}

static struct ending *ending_new(char letter, struct ending *next)
{
    struct ending *ending = arena_alloc(&arena, 1, sizeof *ending);
    *ending = (struct ending){ .memory = arena_text(&arena, "x"), .letter = letter, .next = next };
    return ending;
}

START_TEST(deferred_calls_come_newest_first_while_the_blocks_still_live)
{
    memset(endings_seen, 0, sizeof endings_seen);
    (void)arena_defer(&arena, end_and_note, ending_new('a', NULL));
    (void)arena_defer(&arena, end_and_note, ending_new('b', ending_new('d', NULL)));
    (void)arena_defer(&arena, end_and_note, ending_new('c', NULL));
    arena_drop(&arena);
    ck_assert_str_eq(endings_seen, "cbda");
    ck_assert_uint_eq(arena.live_count, 0);
    arena_drop(&arena);
    ck_assert_str_eq(endings_seen, "cbda");
}
END_TEST

START_TEST(a_deferred_call_that_was_taken_back_does_not_come)
{
    memset(endings_seen, 0, sizeof endings_seen);
    struct arena_deferred *a = arena_defer(&arena, end_and_note, ending_new('a', NULL));
    struct arena_deferred *b = arena_defer(&arena, end_and_note, ending_new('b', NULL));
    (void)arena_defer(&arena, end_and_note, ending_new('c', NULL));
    (void)arena_defer(&arena, end_and_note, ending_new('d', NULL));
    arena_undefer(&arena, b);
    arena_undefer(&arena, a);
    arena_drop(&arena);
    ck_assert_str_eq(endings_seen, "dc");
}
END_TEST

START_TEST(taking_back_a_call_that_was_made_trips_a_check)
{
    struct arena_deferred *a = arena_defer(&arena, end_and_note, ending_new('a', NULL));
    arena_drop(&arena);
    arena_undefer(&arena, a);
}
END_TEST

START_TEST(texts_are_copied_and_formatted)
{
    char text[] = "abc";
    char *copy = arena_text(&arena, text);
    text[0] = 'x';
    ck_assert_str_eq(copy, "abc");
    ck_assert_str_eq(arena_format(&arena, "%s-%d", "chk", 17), "chk-17");
    ck_assert_str_eq(arena_format(&arena, "%s", ""), "");
    ck_assert_uint_eq(strlen(arena_format(&arena, "%5000d", 1)), 5000);
}
END_TEST

START_TEST(a_buffer_holds_what_was_appended_in_order)
{
    struct buffer buffer;
    buffer_init(&buffer, &arena);
    buffer_append(&buffer, (struct bytes){ 0 });
    ck_assert_uint_eq(buffer_bytes(&buffer).size, 0);
    buffer_append_text(&buffer, "one ");
    buffer_append_format(&buffer, "%d %s", 2, "three");
    memcpy(buffer_extend(&buffer, 5), " four", 5);
    ck_assert(bytes_equal(buffer_bytes(&buffer), bytes_of_text("one 2 three four")));
    buffer_reset(&buffer);
    ck_assert_uint_eq(buffer.size, 0);
    ck_assert_uint_gt(buffer.capacity, 0);
    buffer_append_text(&buffer, "again");
    ck_assert(bytes_equal(buffer_bytes(&buffer), bytes_of_text("again")));
    buffer_free(&buffer);
    ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(bytes_are_equal_by_content_and_size)
{
    ck_assert(bytes_equal((struct bytes){ 0 }, bytes_of_text("")));
    ck_assert(!bytes_equal(bytes_of_text("ab"), bytes_of_text("abc")));
    ck_assert(!bytes_equal(bytes_of_text("abd"), bytes_of_text("abc")));
    struct bytes copy = bytes_copy(&arena, bytes_of_text("abc"));
    ck_assert(bytes_equal(copy, bytes_of_text("abc")));
    ck_assert_uint_eq(bytes_copy(&arena, (struct bytes){ 0 }).size, 0);
}
END_TEST

START_TEST(a_size_that_overflows_trips_a_check)
{
    (void)arena_alloc(&arena, SIZE_MAX / 2, 3);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("arena");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, allocated_memory_is_zeroed);
    tcase_add_test(tcase, blocks_do_not_overlap_and_keep_their_content);
    tcase_add_test(tcase, blocks_can_hold_anything);
    tcase_add_test(tcase, resizing_nothing_allocates_and_shrinking_keeps_the_rest);
    tcase_add_test(tcase, an_array_grows_by_doubling_and_only_when_it_must);
    tcase_add_test(tcase, an_array_grows_at_once_as_far_as_it_must);
    tcase_add_test(tcase, freeing_nothing_is_allowed);
    tcase_add_test(tcase, who_wants_to_know_is_told_of_large_blocks_and_of_no_others);
    tcase_add_test(tcase, a_dropped_arena_can_be_used_again);
    tcase_add_test(tcase, deferred_calls_come_newest_first_while_the_blocks_still_live);
    tcase_add_test(tcase, a_deferred_call_that_was_taken_back_does_not_come);
    tcase_add_test_raise_signal(tcase, taking_back_a_call_that_was_made_trips_a_check, SIGABRT);
    tcase_add_test(tcase, texts_are_copied_and_formatted);
    tcase_add_test(tcase, a_buffer_holds_what_was_appended_in_order);
    tcase_add_test(tcase, bytes_are_equal_by_content_and_size);
    tcase_add_test_raise_signal(tcase, a_size_that_overflows_trips_a_check, SIGABRT);
    Suite *suite = suite_create("arena");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
