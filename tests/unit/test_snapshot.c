#include <check.h>
#include <signal.h>
#include <string.h>

#include "model/base/prng.h"
#include "model/state/key_group.h"
#include "model/state/snapshot.h"
#include "tests/support/runner.h"

static const struct state_descriptor states[] = {
    { .name = "count", .kind = STATE_VALUE, .value = { .name = "i64", .version = 3 } },
    { .name = "last seen", .kind = STATE_LIST, .value = { .name = "bytes" } },
};

static struct bytes text(const char *at)
{
    return bytes_of_text(at);
}

/* A snapshot of three entries in two key groups. */
static void write_sample(struct buffer *out)
{
    snapshot_write_header(out, 1, 0, states, 2);
    snapshot_write_entry(out, 3, 0, text("apple"), text("1"));
    snapshot_write_entry(out, 3, 1, text("apple"), text(""));
    snapshot_write_entry(out, 70, 0, text(""), text("a value of more than eight bytes"));
    snapshot_write_trailer(out, 3);
}

/* Reads to the end; the number of entries through `count`. */
static enum status read_all(struct bytes input, uint64_t *count)
{
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    ck_assert(snapshot_reader_init(&reader, input, false));
    while (snapshot_reader_next(&reader, &entry)) {
        ck_assert_uint_lt(entry.state, reader.state_count);
        ck_assert_uint_lt(entry.key_group, KEY_GROUP_COUNT_MAX);
        ck_assert_ptr_nonnull(entry.key.data);
        ck_assert(entry.value.data != NULL || reader.follows > 0);
    }
    ck_assert(!snapshot_reader_next(&reader, &entry));
    *count = reader.entries_read;
    return reader.status;
}

START_TEST(what_was_written_is_read_back)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    write_sample(&out);
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    ck_assert(snapshot_reader_init(&reader, buffer_bytes(&out), false));
    ck_assert_uint_eq(reader.state_count, 2);
    ck_assert(snapshot_reader_next(&reader, &entry));
    ck_assert_uint_eq(entry.key_group, 3);
    ck_assert_uint_eq(entry.state, 0);
    ck_assert(bytes_equal(entry.key, text("apple")));
    ck_assert(bytes_equal(entry.value, text("1")));
    ck_assert(snapshot_reader_next(&reader, &entry));
    ck_assert_uint_eq(entry.state, 1);
    ck_assert_uint_eq(entry.value.size, 0);
    for (uint16_t i = 0; i < 2; i++) {
        struct bytes name;
        struct bytes descriptor;
        struct state_descriptor state;
        snapshot_reader_state(&reader, i, &name, &descriptor);
        ck_assert(state_descriptor_decode(&arena, name, descriptor, &state));
        ck_assert_str_eq(state.name, states[i].name);
        ck_assert_int_eq(state.kind, states[i].kind);
        ck_assert_str_eq(state.value.name, states[i].value.name);
        ck_assert_uint_eq(state.value.version, states[i].value.version);
    }
    ck_assert(snapshot_reader_next(&reader, &entry));
    ck_assert_uint_eq(entry.key_group, 70);
    ck_assert_uint_eq(entry.key.size, 0);
    ck_assert(bytes_equal(entry.value, text("a value of more than eight bytes")));
    ck_assert(!snapshot_reader_next(&reader, &entry));
    ck_assert_int_eq(reader.status, STATUS_OK);
    ck_assert_uint_eq(reader.entries_read, 3);
    arena_drop(&arena);
}
END_TEST

START_TEST(the_bytes_of_the_format_are_fixed)
{
    static const uint8_t expected[] = {
        'F', 'L', 'K', 'S', 4,   0,   1,   0,                            /* header: */
        9,   0,   0,   0,   0,   0,   0,   0,                            /* id */
        8,   0,   0,   0,   0,   0,   0,   0,                            /* the part it follows */
        1,   0,   0,   0,   'n',                                         /* the name */
        13,  0,   0,   0,   1,   0,                                      /* a value, no flags */
        5,   0,   0,   0,   'b', 'y', 't', 'e', 's', 0,   0,             /* its type and version */
        1,   1,   0,   128, 1,   0,   0,   0,   'x',                     /* removal in group 257 */
        2,   1,   0,   0,   2,   0,   0,   0,   'k', 'y', 1, 0, 0, 0, 7, /* entry of group 258 */
        1,   0,   0,   64,  1,   0,   0,   0,   'z', 1,   0, 0, 0, 8,    /* append in group 1 */
        255, 255, 3,   0,   0,   0,   0,   0,   0,   0,                  /* trailer */
    };
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    struct state_descriptor state = state_of_bytes("n");
    snapshot_write_header(&out, 9, 8, &state, 1);
    snapshot_write_removal(&out, 257, 0, text("x"));
    snapshot_write_entry(&out, 258, 0, text("ky"), text("\a"));
    snapshot_write_append(&out, 1, 0, text("z"), text("\b"));
    snapshot_write_trailer(&out, 3);
    ck_assert_uint_eq(out.size, sizeof expected);
    ck_assert_mem_eq(out.data, expected, sizeof expected);
    arena_drop(&arena);
}
END_TEST

START_TEST(a_removal_is_read_back_and_stands_only_in_a_part_that_follows_another)
{
    struct arena arena;
    arena_init(&arena);
    for (uint64_t follows = 0; follows < 2; follows++) {
        struct buffer out;
        buffer_init(&out, &arena);
        snapshot_write_header(&out, 5, follows, states, 2);
        snapshot_write_removal(&out, 3, 1, text("apple"));
        snapshot_write_trailer(&out, 1);
        struct snapshot_reader reader;
        struct snapshot_entry entry;
        ck_assert(snapshot_reader_init(&reader, buffer_bytes(&out), false));
        ck_assert_uint_eq(reader.id, 5);
        ck_assert_uint_eq(reader.follows, follows);
        ck_assert(snapshot_reader_next(&reader, &entry) == (follows > 0));
        if (follows > 0) {
            ck_assert_uint_eq(entry.state, 1);
            ck_assert(bytes_equal(entry.key, text("apple")));
            ck_assert_ptr_null(entry.value.data);
            ck_assert(!snapshot_reader_next(&reader, &entry));
        }
        ck_assert_int_eq(reader.status, follows > 0 ? STATUS_OK : STATUS_CORRUPT);
    }
    arena_drop(&arena);
}
END_TEST

START_TEST(a_snapshot_without_states_and_entries_is_sound)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    snapshot_write_header(&out, 1, 0, states, 0);
    snapshot_write_trailer(&out, 0);
    uint64_t count;
    ck_assert_int_eq(read_all(buffer_bytes(&out), &count), STATUS_OK);
    ck_assert_uint_eq(count, 0);
    arena_drop(&arena);
}
END_TEST

/* Reads to the end what comes in two pieces, the first of `cut` bytes. */
static enum status read_cut(struct bytes input, size_t cut, uint64_t *count)
{
    struct snapshot_reader reader;
    struct snapshot_entry entry;
    bool is_cut = cut < input.size;
    while (!snapshot_reader_init(&reader, (struct bytes){ input.data, cut }, is_cut)) {
        ck_assert(is_cut);
        cut = input.size;
        is_cut = false;
    }
    while (!reader.ended) {
        if (!snapshot_reader_next(&reader, &entry) && !reader.ended) {
            struct bytes rest = snapshot_reader_rest(&reader);
            ck_assert(is_cut);
            ck_assert_uint_eq((size_t)(rest.data - input.data) + rest.size, cut);
            rest.size = input.size - (size_t)(rest.data - input.data);
            snapshot_reader_resume(&reader, rest, is_cut = false);
        }
    }
    *count = reader.entries_read;
    return reader.status;
}

START_TEST(where_a_part_is_cut_makes_no_difference)
{
    struct arena arena;
    arena_init(&arena);
    for (int is_damaged = 0; is_damaged < 3; is_damaged++) {
        struct buffer out;
        buffer_init(&out, &arena);
        write_sample(&out);
        if (is_damaged == 1) {
            out.data[out.size - 1]++; /* the number of entries */
        } else if (is_damaged == 2) {
            encode_u16(&out, 0); /* something behind the end */
        }
        uint64_t count;
        enum status status = read_all(buffer_bytes(&out), &count);
        for (size_t cut = 0; cut <= out.size; cut++) {
            uint64_t count_if_cut;
            ck_assert_int_eq(read_cut(buffer_bytes(&out), cut, &count_if_cut), status);
            ck_assert_uint_eq(count_if_cut, count);
        }
        ck_assert_int_eq(status, is_damaged == 0 ? STATUS_OK : STATUS_CORRUPT);
    }
    arena_drop(&arena);
}
END_TEST

START_TEST(every_shortened_snapshot_is_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    write_sample(&out);
    uint64_t count;
    for (size_t size = 0; size < out.size; size++) {
        /* A copy of exactly that size lets a sanitizer see any read beyond it. */
        struct bytes part = bytes_copy(&arena, (struct bytes){ .data = out.data, .size = size });
        ck_assert_int_eq(read_all(part, &count), STATUS_CORRUPT);
    }
    ck_assert_int_eq(read_all((struct bytes){ 0 }, &count), STATUS_CORRUPT);
    arena_drop(&arena);
}
END_TEST

START_TEST(bytes_behind_the_trailer_are_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    write_sample(&out);
    encode_u8(&out, 0);
    uint64_t count;
    ck_assert_int_eq(read_all(buffer_bytes(&out), &count), STATUS_CORRUPT);
    arena_drop(&arena);
}
END_TEST

/* The status of a snapshot of two states with the entries (first, 0), (second, state). */
static enum status status_of(uint16_t first, uint16_t second, uint16_t state, uint64_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    snapshot_write_header(&out, 1, 0, states, 2);
    snapshot_write_entry(&out, first, 0, text("k"), text("v"));
    encode_u16(&out, second); /* by hand: the writer would refuse */
    encode_u16(&out, state);
    encode_bytes(&out, text("l"));
    encode_bytes(&out, text("w"));
    snapshot_write_trailer(&out, count);
    uint64_t entries_read;
    enum status status = read_all(buffer_bytes(&out), &entries_read);
    arena_drop(&arena);
    return status;
}

START_TEST(order_range_states_and_count_are_checked)
{
    ck_assert_int_eq(status_of(3, 4, 1, 2), STATUS_OK);
    ck_assert_int_eq(status_of(3, 3, 1, 2), STATUS_OK);
    ck_assert_int_eq(status_of(3, 32767, 1, 2), STATUS_OK);
    ck_assert_int_eq(status_of(4, 3, 1, 2), STATUS_CORRUPT);
    ck_assert_int_eq(status_of(3, 32768, 1, 2), STATUS_CORRUPT);
    ck_assert_int_eq(status_of(3, 4, 2, 2), STATUS_CORRUPT);
    ck_assert_int_eq(status_of(3, 4, 1, 1), STATUS_CORRUPT);
    ck_assert_int_eq(status_of(3, 4, 1, 3), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_wrong_magic_version_or_name_is_corrupt)
{
    static const size_t offsets[] = { 0, 3, 4, 5, 28 };
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct arena arena;
        arena_init(&arena);
        struct buffer out;
        buffer_init(&out, &arena);
        write_sample(&out);
        out.data[offsets[i]] = offsets[i] == 28 ? 0 : 0x7f; /* 28: the first name */
        uint64_t count;
        ck_assert_int_eq(read_all(buffer_bytes(&out), &count), STATUS_CORRUPT);
        ck_assert_uint_eq(count, 0);
        arena_drop(&arena);
    }
}
END_TEST

START_TEST(any_bytes_are_read_without_harm)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    write_sample(&out);
    struct prng prng = { .state = 7 };
    for (int round = 0; round < 20000; round++) {
        struct bytes copy = bytes_copy(&arena, buffer_bytes(&out));
        uint8_t *data = (uint8_t *)copy.data;
        for (uint64_t changes = prng_between(&prng, 1, 3); changes > 0; changes--) {
            data[prng_below(&prng, copy.size)] = (uint8_t)prng_next(&prng);
        }
        uint64_t count;
        enum status status = read_all(copy, &count);
        ck_assert(status == STATUS_OK || status == STATUS_CORRUPT);
        if (status == STATUS_OK) {
            ck_assert_uint_eq(count, 3);
        }
        arena_free(&arena, data);
    }
    arena_drop(&arena);
}
END_TEST

START_TEST(a_key_group_beyond_the_last_trips_a_check_when_written)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    snapshot_write_entry(&out, SNAPSHOT_END, 0, text("k"), text("v"));
}
END_TEST

START_TEST(changes_stand_in_their_own_order_in_a_part_that_follows_another_and_only_there)
{
    for (uint64_t follows = 0; follows < 2; follows++) {
        struct arena arena;
        arena_init(&arena);
        struct buffer out;
        buffer_init(&out, &arena);
        struct state_descriptor state = state_of_bytes("n");
        snapshot_write_header(&out, 2, follows, &state, 1);
        snapshot_write_entry(&out, 7, 0, text("a"), text("1"));
        snapshot_write_entry(&out, 7, 0, text("a"), text("2"));
        size_t sorted_bytes = out.size;
        snapshot_write_append(&out, 7, 0, text("a"), text("3"));
        size_t appended_bytes = out.size;
        snapshot_write_entry(&out, 6, 0, text("b"), text("4"));
        snapshot_write_trailer(&out, 4);
        struct snapshot_reader reader;
        struct snapshot_entry entry;
        ck_assert(snapshot_reader_init(&reader, buffer_bytes(&out), false));
        for (int i = 1; i <= 4 && snapshot_reader_next(&reader, &entry); i++) {
            ck_assert_int_eq(entry.value.data[0], '0' + i);
            ck_assert_int_eq(entry.is_append, i == 3);
        }
        ck_assert(!snapshot_reader_next(&reader, &entry));
        ck_assert_int_eq(reader.status, follows == 0 ? STATUS_CORRUPT : STATUS_OK);
        ck_assert_uint_eq(reader.entries_read, follows == 0 ? 2 : 4);
        /* The same without the append: the order alone. */
        memmove(out.data + sorted_bytes, out.data + appended_bytes, out.size - appended_bytes);
        out.size -= appended_bytes - sorted_bytes;
        store_u64(out.data + out.size - sizeof(uint64_t), 3);
        uint64_t count;
        ck_assert_int_eq(read_all(buffer_bytes(&out), &count),
                         follows == 0 ? STATUS_CORRUPT : STATUS_OK);
        arena_drop(&arena);
    }
}
END_TEST

/* Groups 4 to 6, most entries alike in state and sizes, and some in one of them different. */
static void write_mixture(struct buffer *out, struct prng *prng, uint64_t entry_count)
{
    static const uint8_t bytes[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    snapshot_write_header(out, 1, 0, states, 2);
    for (uint64_t i = 0; i < entry_count; i++) {
        uint64_t differs = prng_below(prng, 8);
        snapshot_write_entry(
            out, (uint16_t)(4 + i * 3 / entry_count), differs == 0,
            (struct bytes){ .data = bytes, .size = differs == 1 ? prng_below(prng, 10) : 8 },
            (struct bytes){ .data = bytes, .size = differs == 2 ? prng_below(prng, 10) : 8 });
    }
    snapshot_write_trailer(out, entry_count);
}

/* Reads what is there of a part, entries of words in runs of up to `max` (0: none of them so). */
static void read_in_runs(struct bytes input, bool is_cut, uint32_t max,
                         struct snapshot_reader *reader, struct buffer *read)
{
    struct snapshot_words words;
    struct snapshot_entry entry;
    bool is_more = snapshot_reader_init(reader, input, is_cut);
    while (is_more) {
        while (snapshot_reader_words(reader, max, &words)) {
            ck_assert_uint_le(words.count, max);
            for (uint32_t i = 0; i < words.count; i++) {
                entry = snapshot_words_entry(&words, i);
                snapshot_write_entry(read, entry.key_group, entry.state, entry.key, entry.value);
            }
        }
        is_more = snapshot_reader_next(reader, &entry);
        if (is_more) {
            snapshot_write_entry(read, entry.key_group, entry.state, entry.key, entry.value);
        }
    }
}

START_TEST(words_read_in_runs_are_the_entries_that_are_read_one_by_one)
{
    struct prng prng = { .state = 9 };
    for (uint64_t round = 0; round < 20; round++) {
        struct arena arena;
        struct buffer out;
        arena_init(&arena);
        buffer_init(&out, &arena);
        write_mixture(&out, &prng, 1 + round);
        for (size_t size = 0; size <= out.size; size++) {
            struct snapshot_reader one;
            struct snapshot_reader runs;
            struct buffer read_by_one;
            struct buffer read_in;
            bool is_cut = size % 2 == 0;
            buffer_init(&read_by_one, &arena);
            buffer_init(&read_in, &arena);
            struct bytes input = bytes_copy(&arena, (struct bytes){ out.data, size });
            read_in_runs(input, is_cut, 0, &one, &read_by_one);
            read_in_runs(input, is_cut, 1 + (uint32_t)round % 5, &runs, &read_in);
            ck_assert(bytes_equal(buffer_bytes(&read_in), buffer_bytes(&read_by_one)));
            ck_assert_uint_eq(runs.entries_read, one.entries_read);
            ck_assert_int_eq(runs.status, one.status);
            ck_assert_int_eq(runs.ended, one.ended);
            ck_assert_uint_eq(runs.key_group, one.key_group);
            ck_assert(bytes_equal(snapshot_reader_rest(&runs), snapshot_reader_rest(&one)));
        }
        arena_drop(&arena);
    }
}
END_TEST

START_TEST(words_in_a_wrong_place_are_read_in_no_run)
{
    static const uint64_t word = 5;
    const struct bytes bytes = { .data = (const uint8_t *)&word, .size = sizeof word };
    static const struct {
        uint16_t key_group;
        uint16_t state;
        uint64_t follows;
        bool is_one;
    } cases[] = { { 7, 1, 0, true },
                  { 6, 1, 0, false }, /* not in order */
                  { 7, 2, 0, false }, /* no such state */
                  { 7, 1, 1, false } /* not a first part */ };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct buffer out;
        struct snapshot_reader reader;
        struct snapshot_entry entry;
        struct snapshot_words words;
        arena_init(&arena);
        buffer_init(&out, &arena);
        snapshot_write_header(&out, 2, cases[i].follows, states, 2);
        snapshot_write_entry(&out, 7, 0, text("a"), text("1"));
        snapshot_write_entry(&out, cases[i].key_group, cases[i].state, bytes, bytes);
        ck_assert(snapshot_reader_init(&reader, buffer_bytes(&out), true));
        ck_assert(snapshot_reader_next(&reader, &entry));
        ck_assert_int_eq(snapshot_reader_words(&reader, 1, &words), cases[i].is_one);
        arena_drop(&arena);
    }
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("snapshot");
    tcase_add_test(tcase, what_was_written_is_read_back);
    tcase_add_test(tcase, the_bytes_of_the_format_are_fixed);
    tcase_add_test(tcase, a_removal_is_read_back_and_stands_only_in_a_part_that_follows_another);
    tcase_add_test(tcase, a_snapshot_without_states_and_entries_is_sound);
    tcase_add_test(tcase, where_a_part_is_cut_makes_no_difference);
    tcase_add_test(tcase, every_shortened_snapshot_is_corrupt);
    tcase_add_test(tcase, bytes_behind_the_trailer_are_corrupt);
    tcase_add_test(tcase, order_range_states_and_count_are_checked);
    tcase_add_test(tcase,
                   changes_stand_in_their_own_order_in_a_part_that_follows_another_and_only_there);
    tcase_add_test(tcase, words_read_in_runs_are_the_entries_that_are_read_one_by_one);
    tcase_add_test(tcase, words_in_a_wrong_place_are_read_in_no_run);
    tcase_add_test(tcase, a_wrong_magic_version_or_name_is_corrupt);
    tcase_add_test(tcase, any_bytes_are_read_without_harm);
    tcase_add_test_raise_signal(tcase, a_key_group_beyond_the_last_trips_a_check_when_written,
                                SIGABRT);
    Suite *suite = suite_create("snapshot");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
