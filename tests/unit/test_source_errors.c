/* What a source says of a record that is bad, and of a file that cannot be read. */
#include <stdio.h>

#include "model/stream/source.h"
#include "tests/support/runner.h"
#include "tests/support/source_bed.h"

static struct source_bed bed;

static void setup(void)
{
    source_bed_init(&bed);
}

static void teardown(void)
{
    source_bed_free(&bed);
}

static bool failed_with(const struct reader *reader, const char *why)
{
    const struct buffer *failure = &reader->context.failure;
    struct bytes expected = bytes_of_text(why);
    if (failure->size > 0 && bytes_equal(buffer_bytes(failure), expected)) {
        return true;
    }
    (void)fprintf(stderr, "failed with: %.*s\n", (int)failure->size, (const char *)failure->data);
    return false;
}

/* The one line `bad` among `lines` lines is named right, whatever split it falls into. */
static void assert_place(uint32_t line, uint32_t lines, uint32_t parallelism, const char *end)
{
    struct buffer content;
    char expected[64];
    buffer_init(&content, &bed.arena);
    for (uint32_t i = 1; i <= lines; i++) {
        buffer_append_format(&content, "%s%s", i == line ? "bad" : i % 2 == 0 ? "" : "1", end);
    }
    struct input_config input = source_bed_file(&bed, buffer_bytes(&content));
    (void)snprintf(expected, sizeof expected, "numbers.txt:%u: is bad: \"bad\"", line);
    uint32_t failures = 0;
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct reader reader = { .bad = "bad" };
        reader_open(&reader, &bed, &input, subtask, parallelism, (struct bytes){ 0 });
        (void)reader_to_end(&reader, 1000);
        if (reader.context.failure.size > 0) {
            ck_assert(failed_with(&reader, expected));
            ck_assert(reader.context.failure_is_final);
            failures++;
        }
        reader_close(&reader);
    }
    ck_assert_uint_eq(failures, 1);
}

START_TEST(a_bad_line_is_named_by_file_and_line)
{
    static const uint32_t lines[] = { 1, 2, 50, 51, 99, 100 };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_place(lines[i], 100, 1, "\n");
        assert_place(lines[i], 100, 2, "\n");
        assert_place(lines[i], 100, 3, "\r\n");
        assert_place(lines[i], 100, 16, "\r\n");
    }
    assert_place(1, 1, 1, "");
    assert_place(1, 1, 4, "");
}
END_TEST

START_TEST(a_bad_line_far_into_a_large_file_is_named_right)
{
    struct buffer content;
    buffer_init(&content, &bed.arena);
    for (int i = 0; i < 100000; i++) {
        buffer_append_text(&content, "12345\n");
    }
    buffer_append_text(&content, "bad");
    struct input_config input = source_bed_file(&bed, buffer_bytes(&content));
    struct reader reader = { .bad = "bad" };
    reader_open(&reader, &bed, &input, 3, 4, (struct bytes){ 0 });
    (void)reader_to_end(&reader, 1000);
    ck_assert(failed_with(&reader, "numbers.txt:100001: is bad: \"bad\""));
    reader_close(&reader);
}
END_TEST

START_TEST(a_failure_stops_the_source_behind_the_record_that_caused_it)
{
    struct input_config input = source_bed_text(&bed, "1\nbad\n3\nbad\n");
    struct reader reader = { .bad = "bad" };
    enum source_state state;
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 2);
    ck_assert(failed_with(&reader, "numbers.txt:2: is bad: \"bad\""));
    reader_close(&reader);
}
END_TEST

START_TEST(a_bad_generated_record_is_named_by_its_number)
{
    struct input_config input = source_bed_generated(&bed, 10, 0);
    char key[32];
    char expected[64];
    (void)snprintf(key, sizeof key, "%llu", (unsigned long long)generator_key(input.generator, 5));
    (void)snprintf(expected, sizeof expected, "record 5: is bad: \"%s\"", key);
    struct reader reader = { .bad = key };
    reader_open(&reader, &bed, &input, 1, 2, (struct bytes){ 0 });
    (void)reader_to_end(&reader, 10);
    ck_assert(failed_with(&reader, expected));
    reader_close(&reader);
}
END_TEST

START_TEST(a_record_is_shown_short_and_printable)
{
    struct input_config input = source_bed_text(&bed, "\"\t\xff"
                                                      "0123456789012345678901234567890123456789\n");
    struct reader reader = { .bad = "\"\t\xff"
                                    "0123456789012345678901234567890123456789" };
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    (void)reader_to_end(&reader, 10);
    ck_assert(failed_with(&reader, "numbers.txt:1: is bad: "
                                   "\"???0123456789012345678901234567890123456...\""));
    reader_close(&reader);
}
END_TEST

START_TEST(bad_lines_can_be_skipped_and_are_counted)
{
    struct input_config input = source_bed_text(&bed, "bad\n2\nbad\n");
    input.skip_bad_records = true;
    struct reader reader = { .bad = "bad" };
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(reader_to_end(&reader, 10), 3);
    ck_assert_uint_eq(reader.context.failure.size, 0);
    ck_assert_uint_eq(reader_skipped(&reader, &bed), 2);
    ck_assert_uint_eq(disk_host_facts(&reader.machine, FACT_RECORD_SKIPPED), 2);
    reader_close(&reader);
}
END_TEST

START_TEST(a_missing_file_is_a_final_failure_that_names_it)
{
    struct input_config input = source_bed_text(&bed, "1\n");
    input.file = "in/other.txt";
    input.label = "other.txt";
    struct reader reader = { 0 };
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert(reader.context.failure_is_final);
    ck_assert(failed_with(&reader, "other.txt: the input file is not there"));
    reader_close(&reader);
}
END_TEST

START_TEST(a_read_that_fails_is_a_failure_that_a_restart_may_cure)
{
    struct input_config input = source_bed_text(&bed, "1\n2\n");
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    disk_host_fail_at(&reader.machine, 1, STATUS_IO);
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
    ck_assert_uint_gt(reader.context.failure.size, 0);
    ck_assert(!reader.context.failure_is_final);
    reader_close(&reader);
}
END_TEST

START_TEST(a_dead_process_reads_nothing_and_blames_nobody)
{
    struct input_config input = source_bed_text(&bed, "1\n2\n");
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    disk_host_halt_at(&reader.machine, 1, false);
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
    ck_assert_uint_eq(reader.count, 0);
    ck_assert_uint_eq(reader.context.failure.size, 0);
    reader_close(&reader);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("source: errors");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_bad_line_is_named_by_file_and_line);
    tcase_add_test(tcase, a_bad_line_far_into_a_large_file_is_named_right);
    tcase_add_test(tcase, a_failure_stops_the_source_behind_the_record_that_caused_it);
    tcase_add_test(tcase, a_bad_generated_record_is_named_by_its_number);
    tcase_add_test(tcase, a_record_is_shown_short_and_printable);
    tcase_add_test(tcase, bad_lines_can_be_skipped_and_are_counted);
    tcase_add_test(tcase, a_missing_file_is_a_final_failure_that_names_it);
    tcase_add_test(tcase, a_read_that_fails_is_a_failure_that_a_restart_may_cure);
    tcase_add_test(tcase, a_dead_process_reads_nothing_and_blames_nobody);
    Suite *suite = suite_create("source: errors");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
