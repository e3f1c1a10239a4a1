#include "model/stream/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/base/text.h"
#include "model/stream/operator_state.h"
#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

enum { PARALLELISM_MAX = 16, SECOND_NS = 1000000000 };

static const char path[] = "in/numbers.txt";

static struct arena arena;
static struct disk *disk;

static void setup(void)
{
    arena_init(&arena);
    disk = disk_create(&arena);
}

static void teardown(void)
{
    disk_destroy(disk);
    arena_drop(&arena);
}

/* One subtask's source with everything around it. */
struct reader {
    struct disk_host machine;
    struct input_config input;
    struct operator_context context;
    struct collector out;
    struct source *source;
    struct buffer lines; /* what it emitted, each with a line feed behind */
    uint64_t count;
    const char *bad; /* the record to complain of; NULL: none */
};

static void collect(void *target, const struct record *record)
{
    struct reader *reader = target;
    buffer_append(&reader->lines, record->value);
    buffer_append_text(&reader->lines, "\n");
    reader->count++;
    if (reader->bad != NULL && bytes_equal(record->value, bytes_of_text(reader->bad))) {
        operator_bad_record(&reader->context, record, "is bad");
    }
}

/* Opens the source of a subtask; restores it from `state` (no bytes: from its beginning). */
static void reader_open(struct reader *reader, const struct input_config *input, uint32_t subtask,
                        uint32_t parallelism, struct bytes state)
{
    CHECK(subtask < parallelism);
    *reader = (struct reader){ .input = *input, .bad = reader->bad };
    disk_host_init(&reader->machine, disk, 0);
    reader->out = (struct collector){ .emit = collect, .target = reader };
    reader->context = (struct operator_context){ .host = &reader->machine.host,
                                                 .input = &reader->input,
                                                 .vertex = 0,
                                                 .subtask = subtask,
                                                 .parallelism = parallelism,
                                                 .split_count = parallelism,
                                                 .attempt = 1 };
    buffer_init(&reader->context.failure, &reader->machine.arena);
    buffer_init(&reader->lines, &reader->machine.arena);
    reader->source = source_operator.open(&reader->context, NULL, &reader->out);
    ck_assert_ptr_eq(reader->context.source, reader->source);
    if (reader->context.failure.size == 0) {
        ck_assert_int_eq(source_operator.restore(reader->source, state), STATUS_OK);
    }
}

static void reader_close(struct reader *reader)
{
    disk_host_free(&reader->machine);
}

static struct bytes reader_snapshot(struct reader *reader)
{
    struct buffer state;
    buffer_init(&state, &arena);
    source_operator.snapshot(reader->source, 1, &state);
    return buffer_bytes(&state);
}

/* What the last split's state says, in its last number. */
static uint64_t records_skipped(struct reader *reader)
{
    struct bytes state = reader_snapshot(reader);
    return load_u64(state.data + state.size - sizeof(uint64_t));
}

static uint64_t read_to_end(struct reader *reader, uint32_t limit)
{
    enum source_state state = SOURCE_MORE;
    uint64_t count = 0;
    while (state == SOURCE_MORE && reader->context.failure.size == 0) {
        uint32_t got = source_pull(reader->source, limit, 0, &state);
        ck_assert_uint_le(got, limit);
        ck_assert(got > 0 || state != SOURCE_MORE || reader->context.failure.size > 0);
        count += got;
    }
    return count;
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

static struct input_config file_input(struct bytes content)
{
    disk_destroy(disk);
    disk = disk_create(&arena);
    disk_add_input(disk, path, content);
    return (struct input_config){ .kind = INPUT_FILE, .file = path, .label = "numbers.txt" };
}

static struct input_config text_input(const char *content)
{
    return file_input(bytes_of_text(content));
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
    struct input_config input = file_input(content);
    struct buffer expected;
    struct buffer got;
    buffer_init(&expected, &arena);
    buffer_init(&got, &arena);
    append_lines(&expected, content);
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct reader reader = { 0 };
        reader_open(&reader, &input, subtask, parallelism, (struct bytes){ 0 });
        ck_assert_uint_eq(read_to_end(&reader, 7), reader.count);
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
    buffer_init(&content, &arena);
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
        buffer_init(&content, &arena);
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
    reader_open(&first, input, subtask, parallelism, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(first.source, count, 0, &state), count);
    for (uint32_t i = 0; i < count / 3; i++) {
        source_note_skipped(first.source);
    }
    struct bytes snapshot = reader_snapshot(&first);
    struct reader second = { 0 };
    reader_open(&second, input, subtask, parallelism, snapshot);
    ck_assert_uint_eq(source_records(second.source), count);
    ck_assert_uint_eq(records_skipped(&second), count / 3);
    (void)read_to_end(&second, 5);
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
        reader_open(&reader, input, subtask, parallelism, (struct bytes){ 0 });
        uint64_t count = read_to_end(&reader, 100);
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
        struct input_config input = file_input(draw_file(&prng, 25, 8));
        assert_restore_everywhere(&input, 1);
        assert_restore_everywhere(&input, 3);
        assert_restore_everywhere(&input, 7);
    }
}
END_TEST

static struct input_config generated_input(uint64_t records, uint64_t rate_per_s)
{
    return (struct input_config){ .kind = INPUT_GENERATOR,
                                  .records = records,
                                  .keys = 1000,
                                  .generator = generator_create(&arena, 1000, 0, 1),
                                  .rate_per_s = rate_per_s };
}

START_TEST(a_generating_source_restored_anywhere_goes_on_exactly_there)
{
    struct input_config input = generated_input(50, 0);
    assert_restore_everywhere(&input, 1);
    assert_restore_everywhere(&input, 4);
}
END_TEST

START_TEST(generated_records_are_shared_out_in_turn)
{
    for (uint64_t records = 0; records < 40; records += 1 + records / 7) {
        struct input_config input = generated_input(records, 0);
        for (uint32_t parallelism = 1; parallelism <= PARALLELISM_MAX; parallelism++) {
            for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
                struct reader reader = { 0 };
                struct buffer expected;
                buffer_init(&expected, &arena);
                reader_open(&reader, &input, subtask, parallelism, (struct bytes){ 0 });
                (void)read_to_end(&reader, 3);
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
        buffer_init(&expected, &arena);
        reader_open(&reader, &input, subtask, 3, (struct bytes){ 0 });
        (void)read_to_end(&reader, 5);
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
    struct input_config inputs[] = { text_input("1\n2\n3\n"), generated_input(10, 0) };
    for (size_t i = 0; i < 2; i++) {
        struct reader reader = { 0 };
        enum source_state state;
        reader_open(&reader, &inputs[i], 0, 1, (struct bytes){ 0 });
        source_skip_to_end(reader.source);
        ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
        ck_assert_int_eq(state, SOURCE_END);
        reader_close(&reader);
    }
}
END_TEST

/* The state of one split of a source, as source.h says. */
static struct bytes state_of_split(uint32_t split, uint64_t records)
{
    struct operator_states *states = operator_states_create(&arena);
    struct buffer item;
    struct buffer state;
    buffer_init(&item, &arena);
    buffer_init(&state, &arena);
    encode_u32(&item, split);
    encode_u64(&item, records); /* the position */
    encode_u64(&item, records);
    encode_u64(&item, 0); /* bad records */
    operator_state_add(operator_states_declare(states, "splits", STATE_SPLIT), buffer_bytes(&item));
    operator_states_snapshot(states, &state);
    return buffer_bytes(&state);
}

START_TEST(a_state_of_the_wrong_size_is_corrupt)
{
    struct input_config input = text_input("1\n");
    struct bytes state = state_of_split(0, 0);
    for (size_t size = 1; size < state.size; size++) {
        struct reader reader = { 0 };
        struct bytes cut = { .data = state.data, .size = size };
        reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
        ck_assert_int_eq(source_operator.restore(reader.source, cut), STATUS_CORRUPT);
        reader_close(&reader);
    }
}
END_TEST

START_TEST(a_split_that_the_input_does_not_have_is_corrupt)
{
    struct input_config input = text_input("1\n");
    struct reader reader = { 0 };
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_int_eq(source_operator.restore(reader.source, state_of_split(1, 0)), STATUS_CORRUPT);
    reader_close(&reader);
}
END_TEST

/* ---- another parallelism --------------------------------------------------------------------- */

/* Opens a source that is one of `parallelism` for an input of `splits`. */
static void open_of(struct reader *reader, const struct input_config *input, uint32_t subtask,
                    uint32_t parallelism, uint32_t splits, struct bytes state)
{
    *reader = (struct reader){ 0 };
    reader_open(reader, input, subtask, parallelism, state_of_split(0, 0));
    reader->context.split_count = splits;
    reader->source = source_operator.open(&reader->context, NULL, &reader->out);
    ck_assert_int_eq(source_operator.restore(reader->source, state), STATUS_OK);
}

/* The numbers that were emitted, each as often as it was. */
static void count_numbers(const struct reader *reader, uint32_t *counts, uint32_t limit)
{
    const char *at = (const char *)reader->lines.data;
    const char *end = at + reader->lines.size;
    while (at < end) {
        char *after;
        unsigned long number = strtoul(at, &after, 10);
        ck_assert_uint_lt(number, limit);
        counts[number]++;
        at = after + 1;
    }
}

enum { NUMBERS = 60 };

/* Reads a part of the input with `before` subtasks, deals their states to `after` ones, and reads
 * the rest: each number once. */
static void assert_rescaled(const struct input_config *input, uint32_t splits, uint32_t before,
                            uint32_t after)
{
    uint32_t counts[NUMBERS] = { 0 };
    struct bytes states[PARALLELISM_MAX];
    struct buffer parts[PARALLELISM_MAX];
    enum source_state pulled;
    for (uint32_t i = 0; i < before; i++) {
        struct reader reader;
        open_of(&reader, input, i, before, splits, (struct bytes){ 0 });
        (void)source_pull(reader.source, 3 * i, 0, &pulled); /* each gets further */
        states[i] = reader_snapshot(&reader);
        count_numbers(&reader, counts, NUMBERS);
        reader_close(&reader);
    }
    for (uint32_t i = 0; i < after; i++) {
        buffer_init(&parts[i], &arena);
    }
    ck_assert_int_eq(operator_states_redistribute(states, before, parts, after), STATUS_OK);
    for (uint32_t i = 0; i < after; i++) {
        struct reader reader;
        open_of(&reader, input, i, after, splits, buffer_bytes(&parts[i]));
        (void)read_to_end(&reader, 4);
        count_numbers(&reader, counts, NUMBERS);
        reader_close(&reader);
    }
    for (uint32_t i = 0; i < NUMBERS; i++) {
        ck_assert_msg(counts[i] == 1, "number %u came %u times (%u splits, %u to %u)", i, counts[i],
                      splits, before, after);
    }
}

START_TEST(after_a_change_of_parallelism_each_record_is_read_once)
{
    struct buffer text;
    buffer_init(&text, &arena);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        buffer_append_format(&text, "%u\n", i);
    }
    *buffer_extend(&text, 1) = '\0';
    struct input_config file = text_input((const char *)text.data);
    for (uint32_t splits = 1; splits <= 5; splits++) {
        for (uint32_t before = 1; before <= 5; before++) {
            for (uint32_t after = 1; after <= 5; after++) {
                assert_rescaled(&file, splits, before, after);
            }
        }
    }
}
END_TEST

START_TEST(splits_that_stand_at_different_places_come_together_again)
{
    struct input_config input = generated_input(40, 1000);
    struct reader reader;
    struct bytes states[] = { state_of_split(0, 15), state_of_split(1, 3) };
    struct buffer part;
    enum source_state pulled;
    buffer_init(&part, &arena);
    ck_assert_int_eq(operator_states_redistribute(states, 2, &part, 1), STATUS_OK);
    open_of(&reader, &input, 0, 1, 2, buffer_bytes(&part));
    ck_assert_uint_eq(source_records(reader.source), 18);
    ck_assert_uint_eq(source_due_ns(reader.source), 7 * (SECOND_NS / 1000));
    /* Number 29 of split 1 is the last one below number 30, where split 0 stands. */
    ck_assert_uint_eq(source_pull(reader.source, 40, 29 * (SECOND_NS / 1000), &pulled), 12);
    ck_assert_int_eq(pulled, SOURCE_WAIT);
    ck_assert_uint_eq(source_due_ns(reader.source), 30 * (SECOND_NS / 1000));
    ck_assert_uint_eq(source_pull(reader.source, 40, SECOND_NS, &pulled), 10);
    ck_assert_int_eq(pulled, SOURCE_END);
    reader_close(&reader);
}
END_TEST

START_TEST(a_source_without_a_split_is_at_its_end)
{
    struct input_config input = generated_input(40, 1000);
    struct reader reader;
    enum source_state pulled;
    open_of(&reader, &input, 2, 3, 2, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(reader.source, 10, SECOND_NS, &pulled), 0);
    ck_assert_int_eq(pulled, SOURCE_END);
    reader_close(&reader);
}
END_TEST

/* ---- rate ------------------------------------------------------------------------------------ */

/* How many records of a subtask are due by definition: number n at n / rate seconds. */
static uint64_t due_by_definition(uint64_t now_ns, uint64_t rate, uint32_t subtask,
                                  uint32_t parallelism)
{
    uint64_t count = 0;
    for (uint64_t n = subtask; (prng_wide)n * SECOND_NS <= (prng_wide)now_ns * rate;
         n += parallelism) {
        count++;
    }
    return count;
}

static void assert_rate(const struct input_config *input, uint32_t subtask, uint32_t parallelism)
{
    struct prng prng = { .state = subtask + 1 };
    struct reader reader = { 0 };
    reader_open(&reader, input, subtask, parallelism, (struct bytes){ 0 });
    uint64_t now_ns = 0;
    enum source_state state = SOURCE_MORE;
    while (state != SOURCE_END) {
        (void)source_pull(reader.source, 1000, now_ns, &state);
        uint64_t due = due_by_definition(now_ns, input->rate_per_s, subtask, parallelism);
        if (state == SOURCE_WAIT) {
            ck_assert_uint_eq(reader.count, due); /* not one too early, none left behind */
            uint64_t due_ns = source_due_ns(reader.source);
            ck_assert_uint_gt(due_ns, now_ns);
            ck_assert_uint_eq(
                due_by_definition(due_ns - 1, input->rate_per_s, subtask, parallelism), due);
            ck_assert_uint_gt(due_by_definition(due_ns, input->rate_per_s, subtask, parallelism),
                              due);
            /* On time, or late after a pause. */
            now_ns = due_ns + (prng_chance(&prng, 300000) ? prng_below(&prng, SECOND_NS / 20) : 0);
        } else {
            ck_assert_uint_le(reader.count, due);
        }
    }
    reader_close(&reader);
}

START_TEST(no_record_is_early_and_none_is_left_behind_after_a_pause)
{
    static const uint64_t rates[] = { 1, 3, 7, 1000, 999983, 1000000000, UINT64_C(3000000000) };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct input_config input = generated_input(200, rates[i]);
        assert_rate(&input, 0, 1);
        assert_rate(&input, 0, 3);
        assert_rate(&input, 2, 3);
    }
}
END_TEST

/* Where number times nanoseconds, or time times rate, is more than 64 bits hold. */
START_TEST(records_far_into_a_long_run_are_due_in_their_turn)
{
    struct input_config input = generated_input(UINT64_C(100000000000), UINT64_C(1000000000));
    struct bytes state = state_of_split(1, UINT64_C(30000000001));
    struct reader reader = { 0 };
    enum source_state pulled;
    reader_open(&reader, &input, 1, 2, state);
    ck_assert_uint_eq(source_due_ns(reader.source), UINT64_C(60000000003));
    ck_assert_uint_eq(source_pull(reader.source, 10, UINT64_C(60000000002), &pulled), 0);
    ck_assert_int_eq(pulled, SOURCE_WAIT);
    ck_assert_uint_eq(source_pull(reader.source, 10, UINT64_C(60000000006), &pulled), 2);
    ck_assert_int_eq(pulled, SOURCE_WAIT);
    reader_close(&reader);
}
END_TEST

START_TEST(the_lines_of_a_file_are_due_in_turn_over_the_subtasks)
{
    struct input_config input = text_input("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    input.rate_per_s = 3;
    for (uint32_t subtask = 0; subtask < 3; subtask++) {
        assert_rate(&input, subtask, 3);
    }
}
END_TEST

START_TEST(a_limit_stops_a_source_that_is_behind)
{
    struct input_config input = generated_input(100, 1000);
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(reader.source, 10, SECOND_NS / 50, &state), 10);
    ck_assert_int_eq(state, SOURCE_MORE); /* 21 are due */
    ck_assert_uint_eq(source_pull(reader.source, 20, SECOND_NS / 50, &state), 11);
    ck_assert_int_eq(state, SOURCE_WAIT);
    ck_assert_uint_eq(source_pull(reader.source, 1000, SECOND_NS, &state), 79);
    ck_assert_int_eq(state, SOURCE_END);
    reader_close(&reader);
}
END_TEST

START_TEST(without_a_rate_nothing_waits)
{
    struct input_config input = generated_input(100, 0);
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(source_due_ns(reader.source), 0);
    ck_assert_uint_eq(source_pull(reader.source, 99, 0, &state), 99);
    ck_assert_int_eq(state, SOURCE_MORE);
    reader_close(&reader);
}
END_TEST

/* ---- errors ---------------------------------------------------------------------------------- */

/* The one line `bad` among `lines` lines is named right, whatever split it falls into. */
static void assert_place(uint32_t line, uint32_t lines, uint32_t parallelism, const char *end)
{
    struct buffer content;
    char expected[64];
    buffer_init(&content, &arena);
    for (uint32_t i = 1; i <= lines; i++) {
        buffer_append_format(&content, "%s%s", i == line ? "bad" : i % 2 == 0 ? "" : "1", end);
    }
    struct input_config input = file_input(buffer_bytes(&content));
    (void)snprintf(expected, sizeof expected, "numbers.txt:%u: is bad: \"bad\"", line);
    uint32_t failures = 0;
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct reader reader = { .bad = "bad" };
        reader_open(&reader, &input, subtask, parallelism, (struct bytes){ 0 });
        (void)read_to_end(&reader, 1000);
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
    buffer_init(&content, &arena);
    for (int i = 0; i < 100000; i++) {
        buffer_append_text(&content, "12345\n");
    }
    buffer_append_text(&content, "bad");
    struct input_config input = file_input(buffer_bytes(&content));
    struct reader reader = { .bad = "bad" };
    reader_open(&reader, &input, 3, 4, (struct bytes){ 0 });
    (void)read_to_end(&reader, 1000);
    ck_assert(failed_with(&reader, "numbers.txt:100001: is bad: \"bad\""));
    reader_close(&reader);
}
END_TEST

START_TEST(a_failure_stops_the_source_behind_the_record_that_caused_it)
{
    struct input_config input = text_input("1\nbad\n3\nbad\n");
    struct reader reader = { .bad = "bad" };
    enum source_state state;
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 2);
    ck_assert(failed_with(&reader, "numbers.txt:2: is bad: \"bad\""));
    reader_close(&reader);
}
END_TEST

START_TEST(a_bad_generated_record_is_named_by_its_number)
{
    struct input_config input = generated_input(10, 0);
    char key[32];
    char expected[64];
    (void)snprintf(key, sizeof key, "%llu", (unsigned long long)generator_key(input.generator, 5));
    (void)snprintf(expected, sizeof expected, "record 5: is bad: \"%s\"", key);
    struct reader reader = { .bad = key };
    reader_open(&reader, &input, 1, 2, (struct bytes){ 0 });
    (void)read_to_end(&reader, 10);
    ck_assert(failed_with(&reader, expected));
    reader_close(&reader);
}
END_TEST

START_TEST(a_record_is_shown_short_and_printable)
{
    struct input_config input = text_input("\"\t\xff"
                                           "0123456789012345678901234567890123456789\n");
    struct reader reader = { .bad = "\"\t\xff"
                                    "0123456789012345678901234567890123456789" };
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    (void)read_to_end(&reader, 10);
    ck_assert(failed_with(&reader, "numbers.txt:1: is bad: "
                                   "\"???0123456789012345678901234567890123456...\""));
    reader_close(&reader);
}
END_TEST

START_TEST(bad_lines_can_be_skipped_and_are_counted)
{
    struct input_config input = text_input("bad\n2\nbad\n");
    input.skip_bad_records = true;
    struct reader reader = { .bad = "bad" };
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(read_to_end(&reader, 10), 3);
    ck_assert_uint_eq(reader.context.failure.size, 0);
    ck_assert_uint_eq(records_skipped(&reader), 2);
    ck_assert_uint_eq(disk_host_facts(&reader.machine, FACT_RECORD_SKIPPED), 2);
    reader_close(&reader);
}
END_TEST

START_TEST(a_missing_file_is_a_final_failure_that_names_it)
{
    struct input_config input = text_input("1\n");
    input.file = "in/other.txt";
    input.label = "other.txt";
    struct reader reader = { 0 };
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    ck_assert(reader.context.failure_is_final);
    ck_assert(failed_with(&reader, "other.txt: the input file is not there"));
    reader_close(&reader);
}
END_TEST

START_TEST(a_read_that_fails_is_a_failure_that_a_restart_may_cure)
{
    struct input_config input = text_input("1\n2\n");
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    disk_host_fail_at(&reader.machine, 1, STATUS_IO);
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
    ck_assert_uint_gt(reader.context.failure.size, 0);
    ck_assert(!reader.context.failure_is_final);
    reader_close(&reader);
}
END_TEST

START_TEST(a_dead_process_reads_nothing_and_blames_nobody)
{
    struct input_config input = text_input("1\n2\n");
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    disk_host_halt_at(&reader.machine, 1, false);
    ck_assert_uint_eq(source_pull(reader.source, 10, 0, &state), 0);
    ck_assert_uint_eq(reader.count, 0);
    ck_assert_uint_eq(reader.context.failure.size, 0);
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

START_TEST(a_file_that_grows_is_read_by_whole_lines_until_it_is_whole)
{
    struct reader reader = { 0 };
    struct reader later = { 0 };
    const struct input_config input = { .kind = INPUT_FILE, .file = "n", .grows_until = "whole" };
    disk_host_init(&reader.machine, disk, 0);
    grow(&reader, "n", "");
    reader_open(&reader, &input, 0, 1, (struct bytes){ 0 });
    assert_grown(&reader, "", SOURCE_WAIT);
    grow(&reader, "n", "1\n2\n3\n4");
    assert_grown(&reader, "1\n2\n3\n", SOURCE_WAIT);
    grow(&reader, "n", "5");
    assert_grown(&reader, "", SOURCE_WAIT);
    reader_open(&later, &input, 0, 1, reader_snapshot(&reader));
    grow(&reader, "n", "6\n7");
    assert_grown(&reader, "456\n", SOURCE_WAIT);
    grow(&reader, "whole", "");
    assert_grown(&reader, "7\n", SOURCE_END);
    assert_grown(&later, "456\n7\n", SOURCE_END);
    reader_close(&reader);
    reader_close(&later);
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
    tcase_add_test(tcase, a_source_of_events_restored_anywhere_goes_on_exactly_there);
    tcase_add_test(tcase, events_are_shared_out_in_turn_in_the_order_of_their_places);
    tcase_add_test(tcase, a_source_skipped_to_its_end_emits_nothing);
    tcase_add_test(tcase, a_state_of_the_wrong_size_is_corrupt);
    tcase_add_test(tcase, a_split_that_the_input_does_not_have_is_corrupt);
    tcase_add_test(tcase, after_a_change_of_parallelism_each_record_is_read_once);
    tcase_add_test(tcase, splits_that_stand_at_different_places_come_together_again);
    tcase_add_test(tcase, a_source_without_a_split_is_at_its_end);
    tcase_add_test(tcase, no_record_is_early_and_none_is_left_behind_after_a_pause);
    tcase_add_test(tcase, records_far_into_a_long_run_are_due_in_their_turn);
    tcase_add_test(tcase, the_lines_of_a_file_are_due_in_turn_over_the_subtasks);
    tcase_add_test(tcase, a_limit_stops_a_source_that_is_behind);
    tcase_add_test(tcase, without_a_rate_nothing_waits);
    tcase_add_test(tcase, a_bad_line_is_named_by_file_and_line);
    tcase_add_test(tcase, a_bad_line_far_into_a_large_file_is_named_right);
    tcase_add_test(tcase, a_failure_stops_the_source_behind_the_record_that_caused_it);
    tcase_add_test(tcase, a_bad_generated_record_is_named_by_its_number);
    tcase_add_test(tcase, a_record_is_shown_short_and_printable);
    tcase_add_test(tcase, bad_lines_can_be_skipped_and_are_counted);
    tcase_add_test(tcase, a_missing_file_is_a_final_failure_that_names_it);
    tcase_add_test(tcase, a_read_that_fails_is_a_failure_that_a_restart_may_cure);
    tcase_add_test(tcase, a_dead_process_reads_nothing_and_blames_nobody);
    tcase_add_test(tcase, a_file_that_grows_is_read_by_whole_lines_until_it_is_whole);
    Suite *suite = suite_create("source");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
