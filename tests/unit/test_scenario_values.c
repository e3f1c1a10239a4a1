#include <string.h>

#include "sim/scenario/scenario_nearest.h"
#include "sim/scenario/scenario_values.h"
#include "tests/support/runner.h"
#include "tests/support/scenarios.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_drop(&arena);
}

static const struct spelling {
    const char *text;
    enum value_unit unit;
    uint64_t value;
    const char *written; /* NULL: as `text` */
} spellings[] = {
    { "0s", VALUE_DURATION, 0, NULL },
    { "0h", VALUE_DURATION, 0, "0s" },
    { "1ns", VALUE_DURATION, 1, NULL },
    { "1000ns", VALUE_DURATION, 1000, "1us" },
    { "250ms", VALUE_DURATION, 250000000, NULL },
    { "6.5s", VALUE_DURATION, UINT64_C(6500000000), "6500ms" },
    { "0.000000001s", VALUE_DURATION, 1, "1ns" },
    { "60s", VALUE_DURATION, UINT64_C(60000000000), "1min" },
    { "90min", VALUE_DURATION, UINT64_C(5400000000000), NULL },
    { "24h", VALUE_DURATION, UINT64_C(86400000000000), NULL },
    { "18446744073709551615ns", VALUE_DURATION, UINT64_MAX, NULL },
    { "64KiB", VALUE_SIZE, 65536, NULL },
    { "1.5MiB", VALUE_SIZE, 1572864, "1536KiB" },
    { "0GiB", VALUE_SIZE, 0, "0B" },
    { "1024GiB/s", VALUE_BANDWIDTH, UINT64_C(1) << 40, NULL },
    { "100/s", VALUE_RATE, 100, NULL },
    { "1.5k/s", VALUE_RATE, 1500, "1500/s" },
    { "1000k/s", VALUE_RATE, 1000000, "1M/s" },
    { "007", VALUE_COUNT, 7, "7" },
    { "18446744073709551615", VALUE_COUNT, UINT64_MAX, NULL },
};

START_TEST(quantities_are_read_and_written_in_the_largest_exact_unit)
{
    const struct spelling *row = &spellings[_i];
    uint64_t value = 12345;
    ck_assert_int_eq(value_parse(bytes_of_text(row->text), row->unit, &value), VALUE_OK);
    ck_assert_uint_eq(value, row->value);
    struct buffer out;
    buffer_init(&out, &arena);
    value_format(value, row->unit, &out);
    ck_assert_str_eq(text_of(&out, &arena), row->written != NULL ? row->written : row->text);
}
END_TEST

static const struct misspelling {
    const char *text;
    enum value_unit unit;
    enum value_result result;
} misspellings[] = {
    { "", VALUE_DURATION, VALUE_MALFORMED },
    { "s", VALUE_DURATION, VALUE_MALFORMED },
    { "5", VALUE_DURATION, VALUE_MALFORMED },
    { "5 s", VALUE_DURATION, VALUE_MALFORMED },
    { " 5s", VALUE_DURATION, VALUE_MALFORMED },
    { "5s ", VALUE_DURATION, VALUE_MALFORMED },
    { ".5s", VALUE_DURATION, VALUE_MALFORMED },
    { "5.s", VALUE_DURATION, VALUE_MALFORMED },
    { "1.2.3s", VALUE_DURATION, VALUE_MALFORMED },
    { "1e3s", VALUE_DURATION, VALUE_MALFORMED },
    { "0x5s", VALUE_DURATION, VALUE_MALFORMED },
    { "--5s", VALUE_DURATION, VALUE_MALFORMED },
    { "+5s", VALUE_DURATION, VALUE_MALFORMED },
    { "5S", VALUE_DURATION, VALUE_MALFORMED },
    { "-5s", VALUE_DURATION, VALUE_NEGATIVE },
    { "-0s", VALUE_DURATION, VALUE_NEGATIVE },
    { "0.5ns", VALUE_DURATION, VALUE_TOO_FINE },
    { "0.0000000000000000000001s", VALUE_DURATION, VALUE_TOO_FINE },
    { "18446744073709551616ns", VALUE_DURATION, VALUE_TOO_LARGE },
    { "5124096h", VALUE_DURATION, VALUE_TOO_LARGE },
    { "99999999999999999999999999999999999999999s", VALUE_DURATION, VALUE_TOO_LARGE },
    { "64KB", VALUE_SIZE, VALUE_MALFORMED },
    { "64kiB", VALUE_SIZE, VALUE_MALFORMED },
    { "1GiB", VALUE_BANDWIDTH, VALUE_MALFORMED },
    { "1GiB/s", VALUE_SIZE, VALUE_MALFORMED },
    { "50K/s", VALUE_RATE, VALUE_MALFORMED },
    { "1.5", VALUE_COUNT, VALUE_TOO_FINE },
};

START_TEST(misspelt_quantities_are_refused_and_change_nothing)
{
    const struct misspelling *row = &misspellings[_i];
    uint64_t value = 12345;
    ck_assert_int_eq(value_parse(bytes_of_text(row->text), row->unit, &value), row->result);
    ck_assert_uint_eq(value, 12345);
}
END_TEST

START_TEST(a_range_has_two_ordered_ends)
{
    uint64_t low = 9;
    uint64_t high = 9;
    ck_assert_int_eq(value_parse_range(bytes_of_text("1.5us..2ms"), VALUE_DURATION, &low, &high),
                     VALUE_OK);
    ck_assert_uint_eq(low, 1500);
    ck_assert_uint_eq(high, 2000000);
    struct buffer out;
    buffer_init(&out, &arena);
    value_format_range(low, high, VALUE_DURATION, &out);
    ck_assert_str_eq(text_of(&out, &arena), "1500ns..2ms");
    ck_assert_int_eq(value_parse_range(bytes_of_text("7"), VALUE_COUNT, &low, &high), VALUE_OK);
    ck_assert_uint_eq(low, 7);
    ck_assert_uint_eq(high, 7);
    ck_assert_int_eq(value_parse_range(bytes_of_text("2s..1s"), VALUE_DURATION, &low, &high),
                     VALUE_UNORDERED);
    static const char *const bad[] = { "1..", "..1", "..", "1...2", "1..2..3", "1.2", "a..b" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_ne(value_parse_range(bytes_of_text(bad[i]), VALUE_COUNT, &low, &high),
                         VALUE_OK);
    }
}
END_TEST

static const struct {
    const char *text;
    uint64_t ppm;
    const char *written;
} fractions[] = {
    { "0", 0, "0" },
    { "1", 1000000, "1" },
    { "0.1", 100000, "0.1" },
    { "1.5", 1500000, "1.5" },
    { "0.000001", 1, "0.000001" },
    { "1/1000", 1000, "0.001" },
    { "1/3", 333333, "0.333333" },
    { "2/3", 666667, "0.666667" },
    { "10.50", 10500000, "10.5" },
};

START_TEST(fractions_are_millionths)
{
    uint64_t ppm = 77;
    ck_assert_int_eq(value_parse_ppm(bytes_of_text(fractions[_i].text), &ppm), VALUE_OK);
    ck_assert_uint_eq(ppm, fractions[_i].ppm);
    struct buffer out;
    buffer_init(&out, &arena);
    value_format_ppm(ppm, &out);
    ck_assert_str_eq(text_of(&out, &arena), fractions[_i].written);
}
END_TEST

START_TEST(what_is_no_fraction_is_refused)
{
    static const char *const bad[] = { "",     "x",  "1/0",  "1/",    "/2",        "1/2/3",
                                       "1 /2", "-1", "1/-2", "0.1/2", "0.0000001", "1e-3" };
    uint64_t ppm = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(value_parse_ppm(bytes_of_text(bad[i]), &ppm) != VALUE_OK, "%s", bad[i]);
        ck_assert_uint_eq(ppm, 77);
    }
}
END_TEST

static const struct {
    const char *text;
    struct bound bound;
    const char *written;
} bounds[] = {
    { ">= 5", { BOUND_AT_LEAST, 5 }, ">= 5" }, { "<3", { BOUND_LESS, 3 }, "< 3" },
    { "<=  3", { BOUND_AT_MOST, 3 }, "<= 3" }, { "> 0", { BOUND_MORE, 0 }, "> 0" },
    { "== 4", { BOUND_EQUAL, 4 }, "= 4" },     { "= 4", { BOUND_EQUAL, 4 }, "= 4" },
    { "4", { BOUND_EQUAL, 4 }, "= 4" },
};

START_TEST(bounds_are_an_operator_and_a_quantity)
{
    struct bound bound = { 0 };
    ck_assert_int_eq(value_parse_bound(bytes_of_text(bounds[_i].text), VALUE_COUNT, &bound),
                     VALUE_OK);
    ck_assert_int_eq(bound.kind, bounds[_i].bound.kind);
    ck_assert_uint_eq(bound.value, bounds[_i].bound.value);
    struct buffer out;
    buffer_init(&out, &arena);
    value_format_bound(bound, VALUE_COUNT, &out);
    ck_assert_str_eq(text_of(&out, &arena), bounds[_i].written);
}
END_TEST

START_TEST(distances_count_slips)
{
    static const struct {
        const char *a;
        const char *b;
        uint32_t distance;
    } rows[] = {
        { "", "", 0 },           { "", "abc", 3 },   { "abc", "abc", 0 },
        { "abc", "abd", 1 },     { "abc", "ab", 1 }, { "abc", "acb", 1 },
        { "cuont", "count", 1 }, { "ca", "abc", 3 }, { "kitten", "sitting", 3 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes a = bytes_of_text(rows[i].a);
        struct bytes b = bytes_of_text(rows[i].b);
        ck_assert_uint_eq(text_distance(a, b), rows[i].distance);
        ck_assert_uint_eq(text_distance(b, a), rows[i].distance);
    }
    char longer[100] = { 0 };
    memset(longer, 'a', sizeof longer - 1);
    ck_assert_uint_eq(text_distance(bytes_of_text(longer), bytes_of_text("a")), UINT32_MAX);
}
END_TEST

START_TEST(the_nearest_word_is_suggested_and_none_that_is_far)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text("intervall"));
    nearest_offer(&nearest, bytes_of_text("internal"), "internal");
    nearest_offer(&nearest, bytes_of_text("interval"), "interval");
    nearest_offer(&nearest, bytes_of_text("intervals"), "intervals");
    ck_assert_str_eq(nearest.answer, "interval");
    nearest_init(&nearest, bytes_of_text("zookeeper"));
    nearest_offer(&nearest, bytes_of_text("backend"), "backend");
    ck_assert_ptr_null(nearest.answer);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("scenario values");
    TCase *tests = tcase_create("scenario values");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, quantities_are_read_and_written_in_the_largest_exact_unit, 0,
                        sizeof spellings / sizeof spellings[0]);
    tcase_add_loop_test(tests, misspelt_quantities_are_refused_and_change_nothing, 0,
                        sizeof misspellings / sizeof misspellings[0]);
    tcase_add_test(tests, a_range_has_two_ordered_ends);
    tcase_add_loop_test(tests, fractions_are_millionths, 0, sizeof fractions / sizeof fractions[0]);
    tcase_add_test(tests, what_is_no_fraction_is_refused);
    tcase_add_loop_test(tests, bounds_are_an_operator_and_a_quantity, 0,
                        sizeof bounds / sizeof bounds[0]);
    tcase_add_test(tests, distances_count_slips);
    tcase_add_test(tests, the_nearest_word_is_suggested_and_none_that_is_far);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
