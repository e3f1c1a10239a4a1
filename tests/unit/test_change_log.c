#include <check.h>
#include <signal.h>

#include "model/state/change_log.h"
#include "model/state/snapshot.h"
#include "tests/support/runner.h"

static struct bytes text(const char *text)
{
    return bytes_of_text(text);
}

/* Ten changes: puts, appends and removals of sizes of their own. */
static void add_ten(struct change_log *log)
{
    for (uint16_t i = 0; i < 10; i++) {
        static const char *const words[] = { "", "one", "a longer one than the others are" };
        change_log_add(log, (enum change_kind)(i % 3), i, 0, text(words[i % 2]),
                       text(words[(i + 1u) % 3]));
    }
}

START_TEST(a_piece_of_the_log_is_a_part_whatever_the_steps_it_is_copied_in)
{
    struct arena arena;
    arena_init(&arena);
    struct change_log log;
    change_log_init(&log, &arena);
    add_ten(&log);
    struct log_position from = log.end;
    add_ten(&log);
    struct log_position to = log.end;
    add_ten(&log);
    ck_assert_uint_eq(to.changes - from.changes, 10);
    size_t whole_bytes = 0;
    for (size_t limit_bytes = 0; limit_bytes < 400; limit_bytes += 7) {
        struct buffer out;
        buffer_init(&out, &arena);
        struct state_descriptor state = state_of_bytes("n");
        snapshot_write_header(&out, 2, 1, &state, 1);
        for (struct log_position at = from; at.bytes < to.bytes;) {
            change_log_copy(&log, &at, to, &out, limit_bytes);
        }
        snapshot_write_trailer(&out, 10);
        ck_assert(whole_bytes == 0 || out.size == whole_bytes);
        whole_bytes = out.size;
        struct snapshot_reader reader;
        struct snapshot_entry entry;
        ck_assert(snapshot_reader_init(&reader, buffer_bytes(&out), false));
        for (uint16_t i = 0; snapshot_reader_next(&reader, &entry); i++) {
            ck_assert_uint_eq(entry.key_group, i);
            ck_assert_int_eq(entry.is_append, i % 3 == CHANGE_APPEND);
            ck_assert_int_eq(entry.value.data == NULL, i % 3 == CHANGE_REMOVE);
        }
        ck_assert_int_eq(reader.status, STATUS_OK);
        buffer_free(&out);
    }
    change_log_free(&log);
    arena_drop(&arena);
}
END_TEST

START_TEST(what_lies_behind_the_position_outlives_a_trim)
{
    struct arena arena;
    arena_init(&arena);
    struct change_log log;
    change_log_init(&log, &arena);
    struct buffer before;
    struct buffer after;
    buffer_init(&before, &arena);
    buffer_init(&after, &arena);
    for (int i = 0; i < 50; i++) {
        add_ten(&log);
    }
    struct log_position wanted = log.end;
    add_ten(&log);
    struct log_position at = wanted;
    change_log_copy(&log, &at, log.end, &before, SIZE_MAX);
    size_t held_bytes = log.bytes.size;
    change_log_trim(&log, wanted);
    change_log_trim(&log, (struct log_position){ 0 }); /* which is gone already */
    ck_assert_uint_lt(log.bytes.size, held_bytes / 10);
    ck_assert_uint_eq(log.start.changes, wanted.changes);
    at = wanted;
    change_log_copy(&log, &at, log.end, &after, SIZE_MAX);
    ck_assert(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    ck_assert_uint_eq(at.bytes, log.end.bytes);
    arena_drop(&arena);
}
END_TEST

START_TEST(to_read_what_was_trimmed_trips_a_check)
{
    struct arena arena;
    arena_init(&arena);
    struct change_log log;
    change_log_init(&log, &arena);
    struct buffer out;
    buffer_init(&out, &arena);
    add_ten(&log);
    struct log_position at = log.start;
    change_log_trim(&log, log.end);
    change_log_copy(&log, &at, log.end, &out, 1);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("change log");
    tcase_add_test(tcase, a_piece_of_the_log_is_a_part_whatever_the_steps_it_is_copied_in);
    tcase_add_test(tcase, what_lies_behind_the_position_outlives_a_trim);
    tcase_add_test_raise_signal(tcase, to_read_what_was_trimmed_trips_a_check, SIGABRT);
    Suite *suite = suite_create("change_log");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
