/* What a source reads: splits, generated records, a file that grows; and that it goes on exactly
 * where a snapshot of it was taken. */
#include "model/stream/source.h"

#include <string.h>

#include "model/base/prng.h"
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

/* The lines of a whole file, one after the other, cut by code of the test's own. */
static void append_lines(struct buffer *out, struct bytes content)
{
    size_t start = 0;
    for (size_t i = 0; i <= content.size; i++) {
        bool at_end = i == content.size;
        if (at_end ? start < i : content.data[i] == '\n') {
            size_t end = i > start && content.data[i - 1] == '\r' ? i - 1 : i;
            buffer_append(out, (struct bytes){ content.data + start, end - start });
            buffer_append_text(out, "\n");
            start = i + 1;
        }
    }
}

/* All subtasks together emit each line once, and in the order of the file. */
static void assert_splits(struct bytes content, uint32_t parallelism)
{
    struct input_config input = source_bed_file(&bed, content);
    struct buffer expected;
    struct buffer got;
    buffer_init(&expected, &bed.arena);
    buffer_init(&got, &bed.arena);
    append_lines(&expected, content);
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct reader reader = { 0 };
        reader_open(&reader, &bed, &input, subtask, parallelism, (struct bytes){ 0 });
        ck_assert_uint_eq(reader_to_end(&reader, 7), reader.count);
        ck_assert_uint_eq(source_records(reader.source), reader.count);
        ck_assert_uint_eq(reader.context.failure.size, 0);
        buffer_append(&got, buffer_bytes(&reader.lines));
        reader_close(&reader);
    }
    ck_assert_msg(bytes_equal(buffer_bytes(&got), buffer_bytes(&expected)),
                  "%zu bytes in %u splits give %zu bytes instead of %zu", content.size, parallelism,
                  got.size, expected.size);
    buffer_free(&expected);
    buffer_free(&got);
}

/* A random file: short and empty lines, LF and CRLF, with and without a last line end. */
static struct bytes draw_file(struct prng *prng, uint32_t lines, uint32_t size_max)
{
    struct buffer content;
    buffer_init(&content, &bed.arena);
    for (uint32_t i = 0; i < lines; i++) {
        uint64_t size = prng_chance(prng, 200000) ? 0 : prng_below(prng, size_max + 1);
        for (uint64_t j = 0; j < size; j++) {
            *buffer_extend(&content, 1) = (uint8_t)('0' + prng_below(prng, 10));
        }
        bool is_last = i + 1 == lines;
        if (!is_last || prng_chance(prng, 500000)) {
            buffer_append_text(&content, prng_chance(prng, 300000) ? "\r\n" : "\n");
        }
    }
    return buffer_bytes(&content);
}

START_TEST(the_splits_of_any_file_give_each_line_once)
{
    struct prng prng = { .state = 1 };
    for (int i = 0; i < 300; i++) {
        struct bytes content =
            draw_file(&prng, (uint32_t)prng_below(&prng, 30), (uint32_t)prng_below(&prng, 12));
        for (uint32_t parallelism = 1; parallelism <= PARALLELISM_MAX; parallelism++) {
            assert_splits(content, parallelism);
        }
    }
}
END_TEST

START_TEST(odd_files_are_split_as_well)
{
    static const char *const files[] = {
        "",       "\n",    "\n\n\n", "\r\n",  "\r",
        "1",      "1\n",   "1\r\n",  "1\r",   "\r\r\n",
        "a\rb\n", "12\n3", "\n1",    "1\n\n", "0123456789abcdefghijklmnopqrstuvwxyz",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (uint32_t parallelism = 1; parallelism <= PARALLELISM_MAX; parallelism++) {
            assert_splits(bytes_of_text(files[i]), parallelism);
        }
    }
}
END_TEST

/* The source reads the file in pieces of 256 KiB. */
START_TEST(lines_longer_than_what_one_read_brings_are_whole)
{
    struct prng prng = { .state = 2 };
    static const size_t sizes[] = { 10, 262143, 262144, 262145, 524287, 524288, 800000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer content;
        buffer_init(&content, &bed.arena);
        buffer_append_text(&content, "before\n");
        memset(buffer_extend(&content, sizes[i]), 'x', sizes[i]);
        buffer_append_text(&content, "\r\nbetween\n");
        memset(buffer_extend(&content, sizes[i]), 'y', sizes[i]);
        buffer_append_text(&content, i % 2 == 0 ? "\nafter\n" : "");
        assert_splits(buffer_bytes(&content), 1);
        assert_splits(buffer_bytes(&content), 2);
        assert_splits(buffer_bytes(&content), 5);
        assert_splits(buffer_bytes(&content), 16);
        buffer_free(&content);
    }
    assert_splits(draw_file(&prng, 300, 5000), 3); /* lines across the ends of what is read */
}
END_TEST

/* Stops after `count` records, restores another source there, and reads on. */
static void assert_restore(const struct input_config *input, uint32_t subtask, uint32_t parallelism,
                           uint32_t count, struct bytes expected)
{
    enum source_state state;
    struct reader first = { 0 };
    reader_open(&first, &bed, input, subtask, parallelism, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(first.source, count, 0, &state), count);
    for (uint32_t i = 0; i < count / 3; i++) {
        source_note_skipped(first.source);
    }
    struct bytes snapshot = reader_snapshot(&first, &bed);
    struct reader second = { 0 };
    reader_open(&second, &bed, input, subtask, parallelism, snapshot);
    ck_assert_uint_eq(source_records(second.source), count);
    ck_assert_uint_eq(reader_skipped(&second, &bed), count / 3);
    (void)reader_to_end(&second, 5);
    buffer_append(&first.lines, buffer_bytes(&second.lines));
    ck_assert(bytes_equal(buffer_bytes(&first.lines), expected));
    ck_assert_uint_eq(source_records(second.source), first.count + second.count);
    reader_close(&first);
    reader_close(&second);
}

static void assert_restore_everywhere(const struct input_config *input, uint32_t parallelism)
{
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct reader reader = { 0 };
        reader_open(&reader, &bed, input, subtask, parallelism, (struct bytes){ 0 });
        uint64_t count = reader_to_end(&reader, 100);
        for (uint32_t i = 0; i <= count; i++) {
            assert_restore(input, subtask, parallelism, i, buffer_bytes(&reader.lines));
        }
        reader_close(&reader);
    }
}

START_TEST(a_source_restored_anywhere_goes_on_exactly_there)
{
    struct prng prng = { .state = 3 };
    for (int i = 0; i < 20; i++) {
        struct input_config input = source_bed_file(&bed, draw_file(&prng, 25, 8));
        assert_restore_everywhere(&input, 1);
        assert_restore_everywhere(&input, 3);
        assert_restore_everywhere(&input, 7);
    }
}
END_TEST

START_TEST(a_generating_source_restored_anywhere_goes_on_exactly_there)
{
    struct input_config input = source_bed_generated(&bed, 50, 0);
    assert_restore_everywhere(&input, 1);
    assert_restore_everywhere(&input, 4);
}
END_TEST

START_TEST(generated_records_are_shared_out_in_turn)
{
    for (uint64_t records = 0; records < 40; records += 1 + records / 7) {
        struct input_config input = source_bed_generated(&bed, records, 0);
        for (uint32_t parallelism = 1; parallelism <= PARALLELISM_MAX; parallelism++) {
            for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
                struct reader reader = { 0 };
                struct buffer expected;
                buffer_init(&expected, &bed.arena);
                reader_open(&reader, &bed, &input, subtask, parallelism, (struct bytes){ 0 });
                (void)reader_to_end(&reader, 3);
                for (uint64_t n = subtask; n < records; n += parallelism) {
                    buffer_append_format(&expected, "%llu\n",
                                         (unsigned long long)generator_key(input.generator, n));
                }
                ck_assert(bytes_equal(buffer_bytes(&expected), buffer_bytes(&reader.lines)));
                buffer_free(&expected);
                reader_close(&reader);
            }
        }
    }
}
END_TEST

START_TEST(a_source_of_numbers_gives_as_lines_only_those_that_are_none)
{
    static const struct generator_range bad = { .first = 5, .end = 7, .key = GENERATOR_BAD_KEY };
    struct input_config input = source_bed_generated(&bed, 20, 0);
    struct generator *generator = generator_create(&bed.arena, input.keys, 0, 1);
    generator_set_ranges(generator, &bad, 1);
    input.generator = generator;
    struct reader lines = { 0 };
    struct reader numbers = { .parameters = { .gives_numbers = true } };
    reader_open(&lines, &bed, &input, 0, 1, (struct bytes){ 0 });
    reader_open(&numbers, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(reader_to_end(&lines, 20), 20);
    ck_assert_uint_eq(reader_to_end(&numbers, 20), 20);
    ck_assert(bytes_equal(buffer_bytes(&lines.lines), buffer_bytes(&numbers.lines)));
    ck_assert_uint_eq(lines.number_count, 0);
    ck_assert_uint_eq(numbers.number_count, 18);
    reader_close(&lines);
    reader_close(&numbers);

    input = source_bed_text(&bed, "1\n2\n");
    reader_open(&numbers, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(reader_to_end(&numbers, 20), 2);
    ck_assert_uint_eq(numbers.number_count, 0);
    reader_close(&numbers);
}
END_TEST

START_TEST(numbers_that_come_at_once_are_those_that_come_one_by_one)
{
    static const struct generator_range bad = { 100, 102, GENERATOR_BAD_KEY };
    enum { RECORDS = 1000, SHARE = RECORDS / 2, STOP = 150, LIMIT = 90 };
    struct input_config input = source_bed_generated(&bed, RECORDS, 0);
    struct generator *generator = generator_create(&bed.arena, input.keys, 0, 1);
    generator_set_ranges(generator, &bad, 1);
    input.generator = generator;
    struct reader single = { .parameters = { .gives_numbers = true } };
    struct reader many = { .parameters = { .gives_numbers = true }, .takes_numbers = true };
    for (uint64_t start = 0; start <= STOP; start += STOP) {
        struct bytes state = source_bed_split(&bed, 1, start);
        reader_open(&single, &bed, &input, 1, 2, state);
        reader_open(&many, &bed, &input, 1, 2, state);
        ck_assert_uint_eq(reader_to_end(&single, LIMIT), SHARE - start);
        ck_assert_uint_eq(reader_to_end(&many, LIMIT), SHARE - start);
        ck_assert(bytes_equal(buffer_bytes(&single.lines), buffer_bytes(&many.lines)));
        ck_assert_uint_eq(single.number_count, many.number_count);
        ck_assert_uint_eq(single.at_once_max, 0);
        ck_assert_uint_eq(many.at_once_max, NUMBERS_AT_ONCE);
        ck_assert(bytes_equal(reader_snapshot(&single, &bed), reader_snapshot(&many, &bed)));
        reader_close(&single);
        reader_close(&many);
    }
}
END_TEST

static struct input_config events_input(uint64_t events)
{
    struct input_config input = { .kind = INPUT_NEXMARK,
                                  .records = events,
                                  .nexmark = nexmark_default_config() };
    input.nexmark.out_of_order = 10;
    return input;
}

START_TEST(a_source_of_events_restored_anywhere_goes_on_exactly_there)
{
    struct input_config input = events_input(60);
    assert_restore_everywhere(&input, 1);
    assert_restore_everywhere(&input, 4);
}
END_TEST

START_TEST(events_are_shared_out_in_turn_in_the_order_of_their_places)
{
    struct input_config input = events_input(57);
    for (uint32_t subtask = 0; subtask < 3; subtask++) {
        struct reader reader = { 0 };
        struct buffer expected;
        buffer_init(&expected, &bed.arena);
        reader_open(&reader, &bed, &input, subtask, 3, (struct bytes){ 0 });
        (void)reader_to_end(&reader, 5);
        for (uint64_t n = subtask; n < 57; n += 3) {
            struct nexmark_event event;
            uint8_t line[NEXMARK_LINE_SIZE_MAX];
            nexmark_event_of(&input.nexmark, nexmark_event_id(&input.nexmark, n), &event);
            size_t size = nexmark_format(&input.nexmark, &event, line);
            buffer_append(&expected, (struct bytes){ .data = line, .size = size });
            buffer_append_text(&expected, "\n");
        }
        ck_assert(bytes_equal(buffer_bytes(&expected), buffer_bytes(&reader.lines)));
        reader_close(&reader);
    }
}
END_TEST

START_TEST(a_source_skipped_to_its_end_emits_nothing)
{
    struct input_config inputs[] = { source_bed_text(&bed, "1\n2\n3\n"),
                                     source_bed_generated(&bed, 10, 0) };
    for (size_t i = 0; i < 2; i++) {
        struct reader reader = { 0 };
        enum source_state state;
        reader_open(&reader, &bed, &inputs[i], 0, 1, (struct bytes){ 0 });
        source_skip_to_end(reader.source);
        ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
        ck_assert_int_eq(state, SOURCE_END);
        reader_close(&reader);
    }
}
END_TEST

START_TEST(a_state_of_the_wrong_size_is_corrupt)
{
    struct input_config input = source_bed_text(&bed, "1\n");
    struct bytes state = source_bed_split(&bed, 0, 0);
    for (size_t size = 1; size < state.size; size++) {
        struct reader reader = { 0 };
        struct bytes cut = { .data = state.data, .size = size };
        reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
        ck_assert_int_eq(source_operator.restore(reader.source, cut), STATUS_CORRUPT);
        reader_close(&reader);
    }
}
END_TEST

START_TEST(a_split_that_the_input_does_not_have_is_corrupt)
{
    struct input_config input = source_bed_text(&bed, "1\n");
    struct reader reader = { 0 };
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_int_eq(source_operator.restore(reader.source, source_bed_split(&bed, 1, 0)),
                     STATUS_CORRUPT);
    reader_close(&reader);
}
END_TEST

/* Adds to a file; "" makes it. */
static void grow(struct reader *reader, const char *name, const char *more)
{
    struct host *host = &reader->machine.host;
    uint64_t size;
    file_id file;
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, name, HOST_CREATE, &file), STATUS_OK);
    ck_assert_int_eq(host_file_size(host, file, &size), STATUS_OK);
    ck_assert_int_eq(host_file_write(host, file, size, bytes_of_text(more)), STATUS_OK);
    host_file_close(host, file);
}

static void assert_grown(struct reader *reader, const char *lines, enum source_state end)
{
    enum source_state state = SOURCE_MORE;
    for (reader->lines.size = 0; state == SOURCE_MORE;) {
        (void)source_pull(reader->source, 2, 0, &state);
    }
    ck_assert_int_eq(state, end);
    ck_assert(bytes_equal(buffer_bytes(&reader->lines), bytes_of_text(lines)));
}

/* Begins to read an input that is open: the file "n", which holds `text`, until there is
 * "whole". */
static void open_input(struct reader *reader, struct input_config input, const char *text)
{
    input.file = "n";
    input.open_until = "whole";
    disk_host_init(&reader->machine, bed.disk, 0);
    grow(reader, "n", text);
    reader_open(reader, &bed, &input, 0, 1, (struct bytes){ 0 });
}

START_TEST(a_file_that_grows_is_read_by_whole_lines_until_it_is_whole)
{
    struct reader reader = { 0 };
    struct reader later = { 0 };
    open_input(&reader, (struct input_config){ .kind = INPUT_FILE, .grows = true }, "");
    assert_grown(&reader, "", SOURCE_WAIT);
    grow(&reader, "n", "1\n2\n3\n4");
    assert_grown(&reader, "1\n2\n3\n", SOURCE_WAIT);
    grow(&reader, "n", "5");
    assert_grown(&reader, "", SOURCE_WAIT);
    reader_open(&later, &bed, &reader.input, 0, 1, reader_snapshot(&reader, &bed));
    grow(&reader, "n", "6\n7");
    assert_grown(&reader, "456\n", SOURCE_WAIT);
    grow(&reader, "whole", "");
    assert_grown(&reader, "7\n", SOURCE_END);
    assert_grown(&later, "456\n7\n", SOURCE_END);
    reader_close(&reader);
    reader_close(&later);
}
END_TEST

/* 0: a file that does not grow; 1: what is generated. */
START_TEST(an_input_that_is_open_has_an_end_only_when_it_is_whole)
{
    struct reader reader = { 0 };
    struct reader later = { 0 };
    const struct input_config inputs[] = {
        { .kind = INPUT_FILE },
        { .kind = INPUT_NEXMARK, .records = 2, .nexmark = nexmark_default_config() },
    };
    open_input(&reader, inputs[_i], "1\n2");
    for (uint32_t i = 0; i < 3; i++) {
        enum source_state state;
        ck_assert_uint_eq(source_pull(reader.source, 9, 0, &state), i == 0 ? 2 : 0);
        ck_assert_int_eq(state, SOURCE_WAIT);
    }
    reader_open(&later, &bed, &reader.input, 0, 1, reader_snapshot(&reader, &bed));
    reader.lines.size = 0;
    assert_grown(&later, "", SOURCE_WAIT);
    grow(&reader, "whole", "");
    assert_grown(&reader, "", SOURCE_END);
    assert_grown(&later, "", SOURCE_END);
    reader_close(&reader);
    reader_close(&later);
}
END_TEST

START_TEST(who_has_finished_does_not_wait_for_the_end_of_an_input_that_is_open)
{
    struct reader reader = { 0 };
    open_input(&reader, (struct input_config){ .kind = INPUT_FILE }, "1\n2");
    source_skip_to_end(reader.source);
    assert_grown(&reader, "", SOURCE_END);
    reader_close(&reader);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("source");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, the_splits_of_any_file_give_each_line_once);
    tcase_add_test(tcase, odd_files_are_split_as_well);
    tcase_add_test(tcase, lines_longer_than_what_one_read_brings_are_whole);
    tcase_add_test(tcase, a_source_restored_anywhere_goes_on_exactly_there);
    tcase_add_test(tcase, a_generating_source_restored_anywhere_goes_on_exactly_there);
    tcase_add_test(tcase, generated_records_are_shared_out_in_turn);
    tcase_add_test(tcase, a_source_of_numbers_gives_as_lines_only_those_that_are_none);
    tcase_add_test(tcase, numbers_that_come_at_once_are_those_that_come_one_by_one);
    tcase_add_test(tcase, a_source_of_events_restored_anywhere_goes_on_exactly_there);
    tcase_add_test(tcase, events_are_shared_out_in_turn_in_the_order_of_their_places);
    tcase_add_test(tcase, a_source_skipped_to_its_end_emits_nothing);
    tcase_add_test(tcase, a_state_of_the_wrong_size_is_corrupt);
    tcase_add_test(tcase, a_split_that_the_input_does_not_have_is_corrupt);
    tcase_add_test(tcase, a_file_that_grows_is_read_by_whole_lines_until_it_is_whole);
    tcase_add_loop_test(tcase, an_input_that_is_open_has_an_end_only_when_it_is_whole, 0, 2);
    tcase_add_test(tcase, who_has_finished_does_not_wait_for_the_end_of_an_input_that_is_open);
    Suite *suite = suite_create("source");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
