/* When a source emits which record: its rate, and another parallelism. */
#include <stdlib.h>

#include "model/base/prng.h"
#include "model/stream/operator_state.h"
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

/* ---- another parallelism --------------------------------------------------------------------- */

/* Opens a source that is one of `parallelism` for an input of `splits`. */
static void open_of(struct reader *reader, const struct input_config *input, uint32_t subtask,
                    uint32_t parallelism, uint32_t splits, struct bytes state)
{
    *reader = (struct reader){ 0 };
    reader_open(reader, &bed, input, subtask, parallelism, source_bed_split(&bed, 0, 0));
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
        states[i] = reader_snapshot(&reader, &bed);
        count_numbers(&reader, counts, NUMBERS);
        reader_close(&reader);
    }
    for (uint32_t i = 0; i < after; i++) {
        buffer_init(&parts[i], &bed.arena);
    }
    ck_assert_int_eq(operator_states_redistribute(states, before, parts, after), STATUS_OK);
    for (uint32_t i = 0; i < after; i++) {
        struct reader reader;
        open_of(&reader, input, i, after, splits, buffer_bytes(&parts[i]));
        (void)reader_to_end(&reader, 4);
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
    buffer_init(&text, &bed.arena);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        buffer_append_format(&text, "%u\n", i);
    }
    *buffer_extend(&text, 1) = '\0';
    struct input_config file = source_bed_text(&bed, (const char *)text.data);
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
    struct input_config input = source_bed_generated(&bed, 40, 1000);
    struct reader reader;
    struct bytes states[] = { source_bed_split(&bed, 0, 15), source_bed_split(&bed, 1, 3) };
    struct buffer part;
    enum source_state pulled;
    buffer_init(&part, &bed.arena);
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
    struct input_config input = source_bed_generated(&bed, 40, 1000);
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
    reader_open(&reader, &bed, input, subtask, parallelism, (struct bytes){ 0 });
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
        struct input_config input = source_bed_generated(&bed, 200, rates[i]);
        assert_rate(&input, 0, 1);
        assert_rate(&input, 0, 3);
        assert_rate(&input, 2, 3);
    }
}
END_TEST

/* Where number times nanoseconds, or time times rate, is more than 64 bits hold. */
START_TEST(records_far_into_a_long_run_are_due_in_their_turn)
{
    struct input_config input =
        source_bed_generated(&bed, UINT64_C(100000000000), UINT64_C(1000000000));
    struct bytes state = source_bed_split(&bed, 1, UINT64_C(30000000001));
    struct reader reader = { 0 };
    enum source_state pulled;
    reader_open(&reader, &bed, &input, 1, 2, state);
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
    struct input_config input = source_bed_text(&bed, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    input.rate_per_s = 3;
    for (uint32_t subtask = 0; subtask < 3; subtask++) {
        assert_rate(&input, subtask, 3);
    }
}
END_TEST

START_TEST(a_limit_stops_a_source_that_is_behind)
{
    struct input_config input = source_bed_generated(&bed, 100, 1000);
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
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
    struct input_config input = source_bed_generated(&bed, 100, 0);
    struct reader reader = { 0 };
    enum source_state state;
    reader_open(&reader, &bed, &input, 0, 1, (struct bytes){ 0 });
    ck_assert_uint_eq(source_due_ns(reader.source), 0);
    ck_assert_uint_eq(source_pull(reader.source, 99, 0, &state), 99);
    ck_assert_int_eq(state, SOURCE_MORE);
    reader_close(&reader);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("source: pace");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, after_a_change_of_parallelism_each_record_is_read_once);
    tcase_add_test(tcase, splits_that_stand_at_different_places_come_together_again);
    tcase_add_test(tcase, a_source_without_a_split_is_at_its_end);
    tcase_add_test(tcase, no_record_is_early_and_none_is_left_behind_after_a_pause);
    tcase_add_test(tcase, records_far_into_a_long_run_are_due_in_their_turn);
    tcase_add_test(tcase, the_lines_of_a_file_are_due_in_turn_over_the_subtasks);
    tcase_add_test(tcase, a_limit_stops_a_source_that_is_behind);
    tcase_add_test(tcase, without_a_rate_nothing_waits);
    Suite *suite = suite_create("source: pace");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
