/* What the oracle computes and reads for itself: the reference, the table of keys, the differences
 * it names, and checkpoints decoded from their bytes. */
#include "sim/oracle/reference.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/base/prng.h"
#include "model/base/text.h"
#include "model/state/snapshot.h"
#include "sim/oracle/checkpoint_history.h"
#include "sim/oracle/checkpoint_reader.h"
#include "sim/oracle/differences.h"
#include "tests/support/keyed.h"
#include "tests/support/runner.h"

static struct arena arena;
static struct reference reference;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void over_file(const char *text, uint32_t splits)
{
    struct input_config config = { .kind = INPUT_FILE };
    reference_init(&reference, &arena, &config, splits, bytes_of_text(text));
}

static int64_t count_of(int64_t key)
{
    const struct key_entry *entry = key_table_find(&reference.table, key);
    return entry == NULL ? 0 : entry->folded;
}

/* ---- the fold -------------------------------------------------------------------------------- */

START_TEST(lines_end_with_lf_or_crlf_or_the_file)
{
    over_file("1\n1\r\n2\n1", 1);
    reference_finish(&reference);
    ck_assert_int_eq(count_of(1), 3);
    ck_assert_int_eq(count_of(2), 1);
    ck_assert_uint_eq(reference.splits[0].records, 4);
    ck_assert_uint_eq(reference.splits[0].position, 8);
}
END_TEST

START_TEST(what_is_no_integer_is_bad_and_left_out)
{
    over_file("\nx\n 1\n1 \n1\r\r\n--1\n+\n9223372036854775808\n7\n+7\n007\n-9223372036854775808\n",
              1);
    reference_finish(&reference);
    ck_assert_uint_eq(reference.splits[0].bad, 8);
    ck_assert_uint_eq(reference.splits[0].records, 4);
    ck_assert_int_eq(count_of(7), 3);
    ck_assert_int_eq(count_of(INT64_MIN), 1);
}
END_TEST

START_TEST(integers_are_read_as_the_model_reads_them)
{
    static const char alphabet[] = "0123456789-+ x";
    struct prng prng = { .state = 7 };
    for (int i = 0; i < 200000; i++) {
        uint8_t text[24];
        struct bytes bytes = { .data = text, .size = prng_below(&prng, sizeof text) };
        bool digits = prng_chance(&prng, 700000);
        for (size_t j = 0; j < bytes.size; j++) {
            text[j] = (uint8_t)alphabet[prng_below(&prng, digits ? 10 : sizeof alphabet - 1)];
        }
        if (digits && bytes.size > 0 && prng_chance(&prng, 500000)) {
            text[0] = (uint8_t)(prng_chance(&prng, 500000) ? '-' : '+');
        }
        int64_t mine = 5;
        int64_t theirs = 5;
        bool is_mine = reference_parse(bytes, &mine);
        ck_assert_int_eq(is_mine, text_parse_i64(bytes, &theirs));
        ck_assert_int_eq(mine, theirs);
    }
}
END_TEST

START_TEST(the_largest_integers_are_read)
{
    static const struct {
        const char *text;
        bool is_number;
        int64_t value;
    } cases[] = {
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "0009223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999", false, 0 },
        { "-0", true, 0 },
        { "", false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 0;
        ck_assert_int_eq(reference_parse(bytes_of_text(cases[i].text), &value), cases[i].is_number);
        ck_assert_int_eq(value, cases[i].value);
    }
}
END_TEST

/* Every split count of every prefix of a text with lines of many lengths: each line belongs to
 * exactly one split, the one in whose range it starts. */
START_TEST(every_line_belongs_to_the_split_in_which_it_starts)
{
    static const char text[] = "1\n22\n\n333333333\r\n4\n5555\n666666\n7\n88888888888888888\n9";
    for (size_t size = 0; size <= strlen(text); size++) {
        for (uint32_t splits = 1; splits <= 9; splits++) {
            struct input_config config = { .kind = INPUT_FILE };
            struct bytes input = { .data = (const uint8_t *)text, .size = size };
            reference_init(&reference, &arena, &config, splits, input);
            uint64_t lines[9] = { 0 };
            for (size_t at = 0; at < size; at++) {
                uint32_t owner = 0;
                while ((owner + 1) * size / splits <= at) {
                    owner++;
                }
                lines[owner] += at == 0 || text[at - 1] == '\n';
            }
            for (uint32_t i = 0; i < splits; i++) {
                reference_advance_to_end(&reference, i);
                ck_assert_uint_eq(reference.splits[i].records + reference.splits[i].bad, lines[i]);
            }
            arena_drop(&arena);
        }
    }
}
END_TEST

START_TEST(a_fold_can_be_advanced_line_by_line)
{
    over_file("10\n20\n10\n30\n", 2); /* ranges 0..6 and 6..12 */
    ck_assert_int_eq(reference_advance(&reference, 0, 0), REFERENCE_OK);
    ck_assert_int_eq(count_of(10), 0);
    ck_assert_int_eq(reference_advance(&reference, 0, 3), REFERENCE_OK);
    ck_assert_int_eq(count_of(10), 1);
    ck_assert_int_eq(reference_advance(&reference, 1, 9), REFERENCE_OK);
    ck_assert_int_eq(count_of(10), 2);
    ck_assert_int_eq(reference_advance(&reference, 0, 6), REFERENCE_OK);
    ck_assert_int_eq(count_of(20), 1);
    ck_assert(!reference_is_past(&reference, 0, 6));
    ck_assert(reference_is_past(&reference, 0, 3));
    ck_assert_int_eq(reference_advance(&reference, 0, 3), REFERENCE_BACKWARDS);
    ck_assert_int_eq(reference_advance(&reference, 0, 9), REFERENCE_OUTSIDE);
    ck_assert_int_eq(reference_advance(&reference, 1, 3), REFERENCE_OUTSIDE);
    ck_assert_int_eq(reference_advance(&reference, 1, 10), REFERENCE_IN_A_RECORD);
}
END_TEST

START_TEST(both_names_of_an_edge_of_a_split_are_known)
{
    over_file("1\n5555555\n7\n8\n", 3); /* ranges 0..4, 4..9 and 9..14; lines at 0, 2, 10, 12 */
    ck_assert_int_eq(reference_advance(&reference, 0, 4), REFERENCE_OK);
    ck_assert_uint_eq(reference.splits[0].records, 2);
    ck_assert_int_eq(reference_advance(&reference, 0, 10), REFERENCE_OK);
    ck_assert(!reference_is_past(&reference, 0, 7));
    ck_assert_int_eq(reference_advance(&reference, 1, 4), REFERENCE_OK);
    ck_assert_int_eq(reference_advance(&reference, 1, 10), REFERENCE_OK);
    ck_assert_uint_eq(reference.splits[1].records, 0);
    ck_assert_int_eq(reference_advance(&reference, 2, 9), REFERENCE_OK);
    ck_assert_int_eq(reference_advance(&reference, 2, 10), REFERENCE_OK);
    ck_assert_uint_eq(reference.splits[2].records, 0);
    ck_assert_int_eq(reference_advance(&reference, 2, 14), REFERENCE_OK);
    ck_assert_uint_eq(reference.splits[2].records, 2);
}
END_TEST

START_TEST(generated_records_are_dealt_out_in_turn)
{
    struct input_config config = { .kind = INPUT_GENERATOR, .records = 11, .keys = 5, .seed = 3 };
    reference_init(&reference, &arena, &config, 3, (struct bytes){ 0 });
    ck_assert_int_eq(reference_advance(&reference, 1, 2), REFERENCE_OK); /* records 1 and 4 */
    struct generator *generator = generator_create(&arena, 5, 0, 3);
    int64_t expected[5] = { 0 };
    expected[generator_key(generator, 1)]++;
    expected[generator_key(generator, 4)]++;
    for (int64_t key = 0; key < 5; key++) {
        ck_assert_int_eq(count_of(key), expected[key]);
    }
    ck_assert_int_eq(reference_advance(&reference, 2, 4), REFERENCE_OUTSIDE);
    ck_assert_int_eq(reference_advance(&reference, 1, 1), REFERENCE_BACKWARDS);
    reference_finish(&reference);
    ck_assert_uint_eq(reference.splits[0].records, 4);
    ck_assert_uint_eq(reference.splits[1].records, 4);
    ck_assert_uint_eq(reference.splits[2].records, 3);
    reference_rewind(&reference);
    ck_assert_int_eq(reference_advance(&reference, 1, 2), REFERENCE_OK);
    for (int64_t key = 0; key < 5; key++) {
        ck_assert_int_eq(count_of(key), expected[key]);
    }
}
END_TEST

START_TEST(a_split_without_records_is_empty)
{
    struct input_config config = { .kind = INPUT_GENERATOR, .records = 2, .keys = 1 };
    reference_init(&reference, &arena, &config, 4, (struct bytes){ 0 });
    ck_assert_int_eq(reference_advance(&reference, 3, 0), REFERENCE_OK);
    ck_assert_int_eq(reference_advance(&reference, 3, 1), REFERENCE_OUTSIDE);
    reference_finish(&reference);
    ck_assert_int_eq(count_of(0), 2);
}
END_TEST

/* ---- the table ------------------------------------------------------------------------------- */

START_TEST(the_table_finds_every_key_it_was_given)
{
    struct key_table table;
    key_table_init(&table, &arena);
    for (int64_t i = 0; i < 20000; i++) {
        key_table_at(&table, (i - 10000) * 4096)->folded = i;
        key_table_at(&table, (i - 10000) * 4096)->state++;
    }
    ck_assert_uint_eq(table.count, 20000);
    for (int64_t i = 0; i < 20000; i++) {
        const struct key_entry *entry = key_table_find(&table, (i - 10000) * 4096);
        ck_assert_ptr_nonnull(entry);
        ck_assert_int_eq(entry->folded, i);
        ck_assert_int_eq(entry->state, 1);
        ck_assert_ptr_null(key_table_find(&table, (i - 10000) * 4096 + 1));
    }
}
END_TEST

START_TEST(room_that_was_reserved_is_filled_without_growing)
{
    struct key_table table;
    key_table_init(&table, &arena);
    key_table_at(&table, 7)->folded = 3;
    key_table_reserve(&table, 1000);
    size_t capacity = table.capacity;
    ck_assert_uint_lt(capacity, 4000);
    for (int64_t i = 0; i < 1000; i++) {
        key_table_at(&table, i)->state = i;
    }
    ck_assert_uint_eq(table.capacity, capacity);
    ck_assert_int_eq(key_table_find(&table, 7)->folded, 3);
    key_table_reserve(&table, 10);
    ck_assert_uint_eq(table.capacity, capacity);
    key_table_check(&table);
}
END_TEST

START_TEST(the_smallest_differing_keys_are_shown)
{
    struct differences differences = { 0 };
    for (int64_t i = 0; i < 100; i++) {
        differences_add(&differences, i * 37 % 101, 0, i + 1);
    }
    ck_assert_uint_eq(differences.count, 100);
    for (int64_t i = 0; i < DIFFERENCES_SHOWN; i++) {
        ck_assert_int_eq(differences.shown[i].key, i);
    }
    const char *text = differences_text(&differences, &arena);
    ck_assert_ptr_eq(strstr(text, "100 keys differ: key 0: expected nothing, found 1; key 1: "),
                     text);
    ck_assert_ptr_nonnull(strstr(text, "; ..."));
}
END_TEST

START_TEST(history_is_kept_by_rising_id)
{
    struct checkpoint_history history;
    checkpoint_history_init(&history, &arena);
    static const uint64_t ids[] = { 3, 9, 5, 12, 1 };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct checkpoint_record *record = checkpoint_history_at(&history, ids[i]);
        record->completed = ids[i] != 12;
        record->attempt = ids[i] < 6 ? 1 : 2;
    }
    ck_assert_uint_eq(history.count, 5);
    ck_assert_ptr_null(checkpoint_history_find(&history, 4));
    ck_assert_uint_eq(checkpoint_history_newest(&history), 9);
    ck_assert_uint_eq(checkpoint_history_newest_of(&history, 1), 5);
    const struct checkpoint_record *five = checkpoint_history_find(&history, 5);
    ck_assert(!checkpoint_history_is_allowed(&history, five, 1));
    ck_assert(checkpoint_history_is_allowed(&history, five, 2));
    checkpoint_history_find(&history, 9)->lost = true;
    ck_assert(checkpoint_history_is_allowed(&history, five, 1));
    checkpoint_history_find(&history, 9)->lost = false;
    checkpoint_history_at(&history, 9)->superseded = true;
    five = checkpoint_history_find(&history, 5);
    ck_assert(checkpoint_history_is_allowed(&history, five, 1));
    ck_assert(checkpoint_history_is_allowed(&history, checkpoint_history_find(&history, 9), 1));
}
END_TEST

/* ---- checkpoints ----------------------------------------------------------------------------- */

static struct bytes encode_example(void)
{
    struct buffer encoded;
    struct subtask_state sources[2] = { { .operators = bytes_of_text("ab") },
                                        { .finished = true } };
    const struct state_handle parts[] = { { .kind = HANDLE_FILE,
                                            .size_bytes = 11,
                                            .checksum = 12,
                                            .location = bytes_of_text("some/path") },
                                          { .kind = HANDLE_INLINE,
                                            .size_bytes = 2,
                                            .location = bytes_of_text("in") } };
    struct subtask_state counts[1] = { { .keyed = keyed_of(&arena, parts, 2) } };
    struct manifest_vertex vertices[2] = {
        { .name = bytes_of_text("source"), .parallelism = 2, .subtasks = sources },
        { .name = bytes_of_text("count"), .parallelism = 1, .subtasks = counts },
    };
    struct manifest manifest = { .job = bytes_of_text("count"),
                                 .checkpoint = 5,
                                 .attempt = 6,
                                 .triggered_ns = 7,
                                 .max_parallelism = 8,
                                 .vertex_count = 2,
                                 .vertices = vertices };
    buffer_init(&encoded, &arena);
    manifest_encode(&encoded, &manifest);
    return buffer_bytes(&encoded);
}

START_TEST(a_manifest_is_read_as_it_was_written)
{
    struct checkpoint_reader reader;
    struct checkpoint_subtask subtask;
    ck_assert(checkpoint_reader_open(&reader, encode_example()));
    ck_assert(bytes_equal(reader.job, bytes_of_text("count")));
    ck_assert_uint_eq(reader.checkpoint, 5);
    ck_assert_uint_eq(reader.attempt, 6);
    ck_assert_uint_eq(reader.triggered_ns, 7);
    ck_assert_uint_eq(reader.max_parallelism, 8);
    ck_assert(checkpoint_reader_next(&reader, &subtask));
    ck_assert(bytes_equal(subtask.state.operators, bytes_of_text("ab")));
    ck_assert(!subtask.state.finished);
    ck_assert(checkpoint_reader_next(&reader, &subtask));
    ck_assert_uint_eq(subtask.subtask, 1);
    ck_assert_uint_eq(subtask.parallelism, 2);
    ck_assert(subtask.state.finished);
    ck_assert(checkpoint_reader_next(&reader, &subtask));
    ck_assert_uint_eq(subtask.vertex, 1);
    ck_assert_uint_eq(subtask.subtask, 0);
    struct part_reader parts;
    struct state_handle part;
    part_reader_open(&parts, &subtask);
    ck_assert(part_reader_next(&parts, &part));
    ck_assert_int_eq(part.kind, HANDLE_FILE);
    ck_assert_uint_eq(part.size_bytes, 11);
    ck_assert_uint_eq(part.checksum, 12);
    ck_assert(bytes_equal(part.location, bytes_of_text("some/path")));
    ck_assert(part_reader_next(&parts, &part));
    ck_assert_int_eq(part.kind, HANDLE_INLINE);
    ck_assert(bytes_equal(part.location, bytes_of_text("in")));
    ck_assert(!part_reader_next(&parts, &part));
    ck_assert_uint_eq(subtask.state.keyed.size_bytes, 13);
    ck_assert(!checkpoint_reader_next(&reader, &subtask));
    ck_assert_ptr_null(reader.error);
}
END_TEST

START_TEST(a_damaged_manifest_is_never_sound)
{
    struct bytes right = encode_example();
    ck_assert(checkpoint_is_sound(right));
    uint8_t *copy = arena_alloc(&arena, right.size, 1);
    for (size_t bit = 0; bit < right.size * 8; bit++) {
        memcpy(copy, right.data, right.size);
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1u << bit % 8);
        ck_assert(!checkpoint_is_sound((struct bytes){ .data = copy, .size = right.size }));
    }
    for (size_t size = 0; size < right.size; size++) {
        ck_assert(!checkpoint_is_sound((struct bytes){ .data = right.data, .size = size }));
    }
}
END_TEST

/* Under a right checksum: what a wrong writer could leave must end in an error or in an end. */
START_TEST(a_wrong_manifest_never_leads_the_reader_astray)
{
    struct bytes right = encode_example();
    struct prng prng = { .state = 11 };
    for (int i = 0; i < 20000; i++) {
        size_t size = right.size - 8 - prng_below(&prng, 4);
        uint8_t *copy = arena_alloc_raw(&arena, size + 8);
        memcpy(copy, right.data, size);
        for (uint64_t j = prng_below(&prng, 4); j > 0; j--) {
            copy[prng_below(&prng, size)] = (uint8_t)prng_below(&prng, 256);
        }
        uint64_t checksum = hash_bytes((struct bytes){ .data = copy, .size = size });
        memcpy(copy + size, &checksum, sizeof checksum);
        (void)checkpoint_is_sound((struct bytes){ .data = copy, .size = size + 8 });
        arena_free(&arena, copy);
    }
}
END_TEST

START_TEST(an_operator_s_state_is_found_by_its_number)
{
    struct buffer operators;
    struct bytes state;
    buffer_init(&operators, &arena);
    encode_u16(&operators, 2);
    encode_bytes(&operators, bytes_of_text("one"));
    encode_bytes(&operators, bytes_of_text("two"));
    ck_assert(checkpoint_operator_state(buffer_bytes(&operators), 1, &state));
    ck_assert(bytes_equal(state, bytes_of_text("two")));
    ck_assert(!checkpoint_operator_state(buffer_bytes(&operators), 2, &state));
    operators.size--;
    ck_assert(!checkpoint_operator_state(buffer_bytes(&operators), 0, &state));
    ck_assert(!checkpoint_operator_state((struct bytes){ 0 }, 0, &state));
}
END_TEST

/* Three entries; `group` is that of the last. */
static void encode_counts(struct buffer *out, uint16_t group, uint64_t entries)
{
    const struct state_descriptor states[] = { state_of_bytes("other"), state_of_bytes("count") };
    buffer_init(out, &arena);
    snapshot_write_header(out, 1, 0, states, 2);
    for (int64_t key = 0; key < 3; key++) {
        int64_t count = key + 10;
        snapshot_write_entry(out, key == 2 ? group : 4, 1,
                             (struct bytes){ .data = (const uint8_t *)&key, .size = 8 },
                             (struct bytes){ .data = (const uint8_t *)&count, .size = 8 });
    }
    snapshot_write_trailer(out, entries);
}

/* Reads all; the number of entries, or -1 after an error. */
static int read_counts(struct bytes snapshot, const char *name)
{
    struct counts_reader reader;
    struct count_entry entry;
    int count = 0;
    (void)counts_reader_open(&reader, snapshot, name);
    while (counts_reader_next(&reader, &entry)) {
        ck_assert_int_eq(entry.count, entry.key + 10);
        count++;
    }
    return reader.error == NULL ? count : -1;
}

START_TEST(counts_are_read_as_they_were_written)
{
    struct buffer out;
    encode_counts(&out, 9, 3);
    ck_assert_int_eq(read_counts(buffer_bytes(&out), "count"), 3);
}
END_TEST

START_TEST(counts_that_are_not_as_they_must_be_are_refused)
{
    struct buffer out;
    encode_counts(&out, 9, 3);
    ck_assert_int_eq(read_counts(buffer_bytes(&out), "other"), -1);
    for (size_t size = 0; size < out.size; size++) {
        ck_assert_int_eq(read_counts((struct bytes){ .data = out.data, .size = size }, "count"),
                         -1);
    }
    encode_u8(&out, 0);
    ck_assert_int_eq(read_counts(buffer_bytes(&out), "count"), -1);
    encode_counts(&out, 3, 3);
    ck_assert_int_eq(read_counts(buffer_bytes(&out), "count"), -1);
    encode_counts(&out, 9, 4);
    ck_assert_int_eq(read_counts(buffer_bytes(&out), "count"), -1);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("oracle: reference");
    TCase *tests = tcase_create("reference");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lines_end_with_lf_or_crlf_or_the_file);
    tcase_add_test(tests, what_is_no_integer_is_bad_and_left_out);
    tcase_add_test(tests, integers_are_read_as_the_model_reads_them);
    tcase_add_test(tests, the_largest_integers_are_read);
    tcase_add_test(tests, every_line_belongs_to_the_split_in_which_it_starts);
    tcase_add_test(tests, a_fold_can_be_advanced_line_by_line);
    tcase_add_test(tests, both_names_of_an_edge_of_a_split_are_known);
    tcase_add_test(tests, generated_records_are_dealt_out_in_turn);
    tcase_add_test(tests, a_split_without_records_is_empty);
    tcase_add_test(tests, the_table_finds_every_key_it_was_given);
    tcase_add_test(tests, room_that_was_reserved_is_filled_without_growing);
    tcase_add_test(tests, the_smallest_differing_keys_are_shown);
    tcase_add_test(tests, history_is_kept_by_rising_id);
    tcase_add_test(tests, a_manifest_is_read_as_it_was_written);
    tcase_add_test(tests, a_damaged_manifest_is_never_sound);
    tcase_add_test(tests, a_wrong_manifest_never_leads_the_reader_astray);
    tcase_add_test(tests, an_operator_s_state_is_found_by_its_number);
    tcase_add_test(tests, counts_are_read_as_they_were_written);
    tcase_add_test(tests, counts_that_are_not_as_they_must_be_are_refused);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
