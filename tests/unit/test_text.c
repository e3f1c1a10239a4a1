#include "model/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

struct accepted {
    const char *text;
    int64_t value;
};

START_TEST(whole_decimal_integers_are_read)
{
    static const struct accepted cases[] = {
        { "0", 0 },
        { "-0", 0 },
        { "+0", 0 },
        { "7", 7 },
        { "+7", 7 },
        { "-7", -7 },
        { "007", 7 },
        { "-000000000000000000000000000000042", -42 },
        { "00000000000000000000", 0 },
        { "9223372036854775807", INT64_MAX },
        { "+9223372036854775807", INT64_MAX },
        { "0009223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "-9223372036854775807", -INT64_MAX },
        { "1000000000000000000", INT64_C(1000000000000000000) },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 99;
        ck_assert_msg(text_parse_i64(bytes_of_text(cases[i].text), &value), "%s", cases[i].text);
        ck_assert_int_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(everything_else_is_refused_and_leaves_the_value_alone)
{
    static const char *const cases[] = {
        "",
        "+",
        "-",
        "+-1",
        "--1",
        "-+1",
        " 1",
        "1 ",
        "\t1",
        "1\r",
        "1\n",
        "1.0",
        "1e3",
        "0x1",
        "1,000",
        "a",
        "1a",
        "a1",
        "/",
        ":",
        "1/",
        "1:",
        "\xff",
        "1\xb2",
        "9223372036854775808",
        "-9223372036854775809",
        "9223372036854775817",
        "18446744073709551616",
        "-18446744073709551616",
        "18446744073709551615",
        "92233720368547758070",
        "99999999999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 99;
        ck_assert_msg(!text_parse_i64(bytes_of_text(cases[i]), &value), "%s", cases[i]);
        ck_assert_int_eq(value, 99);
    }
}
END_TEST

START_TEST(a_zero_byte_and_what_lies_behind_the_end_are_no_digits)
{
    int64_t value = 99;
    ck_assert(!text_parse_i64((struct bytes){ (const uint8_t *)"1\0", 2 }, &value));
    ck_assert(text_parse_i64((struct bytes){ (const uint8_t *)"123", 2 }, &value));
    ck_assert_int_eq(value, 12);
    ck_assert(!text_parse_i64((struct bytes){ 0 }, &value));
}
END_TEST

/* Any byte at any place of a short number. */
START_TEST(a_byte_that_is_no_digit_is_refused_wherever_it_stands)
{
    for (size_t size = 1; size <= 10; size++) {
        for (size_t at = 0; at < size; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                uint8_t text[] = "9876543210";
                text[at] = (uint8_t)byte;
                bool is_sign = at == 0 && size > 1 && (byte == '-' || byte == '+');
                bool is_number = is_sign || (byte >= '0' && byte <= '9');
                int64_t value = -5;
                ck_assert(text_parse_i64((struct bytes){ text, size }, &value) == is_number);
                text[size] = '\0';
                ck_assert_int_eq(value, is_number ? strtoll((const char *)text, NULL, 10) : -5);
            }
        }
    }
}
END_TEST

START_TEST(numbers_are_formatted_as_printf_does)
{
    static const int64_t cases[] = { 0,         1,         -1,        9,
                                     10,        -10,       99,        100,
                                     101,       999,       1000,      65535,
                                     123456789, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t text[TEXT_INTEGER_SIZE_MAX];
        char expected[32];
        size_t size = text_format_i64(text, cases[i]);
        (void)snprintf(expected, sizeof expected, "%" PRId64, cases[i]);
        ck_assert(bytes_equal((struct bytes){ text, size }, bytes_of_text(expected)));
        size = text_format_u64(text, (uint64_t)cases[i]);
        (void)snprintf(expected, sizeof expected, "%" PRIu64, (uint64_t)cases[i]);
        ck_assert(bytes_equal((struct bytes){ text, size }, bytes_of_text(expected)));
    }
}
END_TEST

START_TEST(what_was_formatted_is_read_back)
{
    struct prng prng = { .state = 1 };
    for (int i = 0; i < 100000; i++) {
        /* Every length comes up as often. */
        int64_t number = (int64_t)(prng_next(&prng) >> prng_below(&prng, 64));
        number = prng_chance(&prng, 500000) ? number : (int64_t)(0 - (uint64_t)number);
        uint8_t text[TEXT_INTEGER_SIZE_MAX];
        int64_t value;
        ck_assert(text_parse_i64((struct bytes){ text, text_format_i64(text, number) }, &value));
        ck_assert_int_eq(value, number);
    }
}
END_TEST

START_TEST(one_more_than_a_limit_overflows)
{
    /* Every text of 19 or 20 digits around both limits, against arithmetic in 128 bits. */
    for (int64_t off = -300; off <= 300; off++) {
        uint64_t magnitude = (uint64_t)INT64_MAX + (uint64_t)off;
        char text[32];
        int64_t value = 99;
        (void)snprintf(text, sizeof text, "%" PRIu64, magnitude);
        ck_assert_int_eq(text_parse_i64(bytes_of_text(text), &value), off <= 0);
        (void)snprintf(text, sizeof text, "-%" PRIu64, magnitude);
        ck_assert_int_eq(text_parse_i64(bytes_of_text(text), &value), off <= 1);
    }
}
END_TEST

START_TEST(patterns_match_within_one_path_component)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool expected;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "a", "", false },
        { "*", "", true },
        { "*", "abc", true },
        { "*", "a/b", false },
        { "*/*", "a/b", true },
        { "*/*", "a/b/c", false },
        { "?", "a", true },
        { "?", "", false },
        { "?", "/", false },
        { "a?c", "abc", true },
        { "a?c", "a/c", false },
        { "chk-*/_metadata", "chk-17/_metadata", true },
        { "chk-*/_metadata", "chk-17/x/_metadata", false },
        { "checkpoints/chk-3/*", "checkpoints/chk-3/count-0", true },
        { "checkpoints/chk-3/*", "checkpoints/chk-30/count-0", false },
        { "*a*b", "aabab", true },
        { "*a*b", "aaba", false },
        { "**", "a", true },
        { "a*", "b", false },
        { "*.tmp", "record.tmp.tmp", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(text_matches(cases[i].pattern, cases[i].name) == cases[i].expected,
                      "%s against %s", cases[i].pattern, cases[i].name);
    }
}
END_TEST

/* The definition, which may take exponential time. */
static bool matches_by_definition(const char *pattern, const char *name)
{
    if (*pattern == '\0') {
        return *name == '\0';
    }
    if (*pattern == '*') {
        return matches_by_definition(pattern + 1, name) ||
               (*name != '\0' && *name != '/' && matches_by_definition(pattern, name + 1));
    }
    return *name != '\0' && (*pattern == *name || (*pattern == '?' && *name != '/')) &&
           matches_by_definition(pattern + 1, name + 1);
}

static void draw(struct prng *prng, const char *alphabet, size_t size_max, char *text)
{
    size_t size = prng_below(prng, size_max + 1);
    for (size_t i = 0; i < size; i++) {
        text[i] = alphabet[prng_below(prng, strlen(alphabet))];
    }
    text[size] = '\0';
}

START_TEST(matching_agrees_with_its_definition)
{
    struct prng prng = { .state = 2 };
    int matched = 0;
    for (int i = 0; i < 300000; i++) {
        char pattern[8];
        char name[9];
        draw(&prng, "ab/*?*", sizeof pattern - 1, pattern);
        draw(&prng, "ab/", sizeof name - 1, name);
        bool expected = matches_by_definition(pattern, name);
        matched += expected;
        ck_assert_msg(text_matches(pattern, name) == expected, "%s against %s", pattern, name);
    }
    ck_assert_int_gt(matched, 1000);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("text");
    tcase_add_test(tcase, whole_decimal_integers_are_read);
    tcase_add_test(tcase, everything_else_is_refused_and_leaves_the_value_alone);
    tcase_add_test(tcase, a_zero_byte_and_what_lies_behind_the_end_are_no_digits);
    tcase_add_test(tcase, a_byte_that_is_no_digit_is_refused_wherever_it_stands);
    tcase_add_test(tcase, numbers_are_formatted_as_printf_does);
    tcase_add_test(tcase, what_was_formatted_is_read_back);
    tcase_add_test(tcase, one_more_than_a_limit_overflows);
    tcase_add_test(tcase, patterns_match_within_one_path_component);
    tcase_add_test(tcase, matching_agrees_with_its_definition);
    Suite *suite = suite_create("text");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
