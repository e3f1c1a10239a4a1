#include "model/stream/generator.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "model/base/prng.h"
#include "tests/support/runner.h"

enum { DRAWS = 400000, KEYS_MAX = 2000 };

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void count_keys(const struct generator *generator, uint64_t keys, uint64_t *counts)
{
    memset(counts, 0, keys * sizeof *counts);
    for (uint64_t n = 0; n < DRAWS; n++) {
        uint64_t key = generator_key(generator, n);
        ck_assert_uint_lt(key, keys);
        counts[key]++;
    }
}

/* Every key comes up as often as 1 / (key + 1)^skew demands, within five standard deviations. */
static void assert_zipf(uint64_t keys, uint32_t skew_ppm)
{
    uint64_t *counts = arena_alloc(&arena, keys, sizeof *counts);
    count_keys(generator_create(&arena, keys, skew_ppm, 17), keys, counts);
    double sum = 0;
    for (uint64_t key = 0; key < keys; key++) {
        sum += pow((double)(key + 1), -(double)skew_ppm / 1e6);
    }
    double chi_square = 0;
    double cells = 0;
    for (uint64_t key = 0; key < keys; key++) {
        double share = pow((double)(key + 1), -(double)skew_ppm / 1e6) / sum;
        double expected = DRAWS * share;
        double off = (double)counts[key] - expected;
        ck_assert_msg(fabs(off) <= 5 * sqrt(expected * (1 - share)) + 1,
                      "skew %u: key %llu came up %llu times instead of %.1f", skew_ppm,
                      (unsigned long long)key, (unsigned long long)counts[key], expected);
        if (expected >= 5) {
            chi_square += off * off / expected;
            cells++;
        }
    }
    /* Mean `cells`, variance 2 * `cells`: many small errors in one direction add up here. */
    ck_assert_msg(chi_square <= cells + 5 * sqrt(2 * cells), "skew %u: chi square %.1f of %.0f",
                  skew_ppm, chi_square, cells);
}

START_TEST(keys_are_drawn_as_zipf_says)
{
    assert_zipf(10, 1000000);
    assert_zipf(1000, 500000);
    assert_zipf(1000, 900000);
    assert_zipf(KEYS_MAX, 1000000);
    assert_zipf(100, 2000000);
    assert_zipf(KEYS_MAX, 4000000);
    assert_zipf(7, 1);
}
END_TEST

START_TEST(without_skew_keys_are_uniform)
{
    assert_zipf(1, 0);
    assert_zipf(2, 0);
    assert_zipf(3, 0);
    assert_zipf(1000, 0);
}
END_TEST

START_TEST(three_keys_of_skew_one_have_six_three_and_two_elevenths)
{
    uint64_t counts[3];
    count_keys(generator_create(&arena, 3, 1000000, 5), 3, counts);
    static const uint64_t expected[] = { DRAWS * 6 / 11, DRAWS * 3 / 11, DRAWS * 2 / 11 };
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_gt(counts[i], expected[i] - 1600);
        ck_assert_uint_lt(counts[i], expected[i] + 1600);
    }
}
END_TEST

START_TEST(a_record_has_the_same_key_whatever_was_asked_before)
{
    enum { NUMBERS = 10000 };
    static const uint32_t skews[] = { 0, 900000 };
    for (size_t i = 0; i < 2; i++) {
        const struct generator *one = generator_create(&arena, 1000, skews[i], 3);
        const struct generator *other = generator_create(&arena, 1000, skews[i], 3);
        struct prng prng = { .state = 1 };
        uint64_t keys[NUMBERS];
        for (uint64_t n = 0; n < NUMBERS; n++) {
            keys[n] = generator_key(one, n);
        }
        for (int j = 0; j < 3 * NUMBERS; j++) {
            uint64_t n = prng_below(&prng, NUMBERS);
            ck_assert_uint_eq(generator_key(other, n), keys[n]);
            ck_assert_uint_eq(generator_key(one, n), keys[n]);
        }
    }
}
END_TEST

START_TEST(a_remembered_key_is_the_one_that_would_be_computed)
{
    static const struct generator_range range = { .first = 90, .end = 110, .key = 7 };
    for (uint32_t skew = 0; skew <= 900000; skew += 900000) {
        struct generator *one = generator_create(&arena, 1000, skew, 3);
        const struct generator *other = generator_create(&arena, 1000, skew, 3);
        generator_remember(one, &arena, 100);
        for (uint64_t n = 0; n < 200; n++) {
            ck_assert_uint_eq(generator_key(one, n), generator_key(other, n));
        }
        generator_set_ranges(one, &range, 1);
        for (uint64_t n = 0; n < 200; n++) {
            ck_assert_uint_eq(generator_key(one, n),
                              n >= 90 && n < 110 ? 7 : generator_key(other, n));
        }
    }
}
END_TEST

START_TEST(another_seed_gives_other_keys)
{
    const struct generator *one = generator_create(&arena, 1000, 0, 1);
    const struct generator *other = generator_create(&arena, 1000, 0, 2);
    int equal = 0;
    for (uint64_t n = 0; n < 10000; n++) {
        equal += generator_key(one, n) == generator_key(other, n);
    }
    ck_assert_int_lt(equal, 50); /* 10 by chance */
}
END_TEST

START_TEST(one_key_is_the_only_key)
{
    static const uint32_t skews[] = { 0, 1, 1000000, 4000000 };
    for (size_t i = 0; i < sizeof skews / sizeof *skews; i++) {
        const struct generator *generator = generator_create(&arena, 1, skews[i], 1);
        for (uint64_t n = 0; n < 1000; n++) {
            ck_assert_uint_eq(generator_key(generator, n * n), 0);
        }
    }
}
END_TEST

START_TEST(every_key_lies_below_the_number_of_keys)
{
    static const uint64_t sizes[] = { 1, 2, 3, 127, 128, 129, 65537, 1000003 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t skew = 0; skew <= 4000000; skew += 800000) {
            const struct generator *generator = generator_create(&arena, sizes[i], skew, i);
            for (uint64_t n = 0; n < 3000; n++) {
                ck_assert_uint_lt(generator_key(generator, n << n % 40), sizes[i]);
            }
        }
    }
    const struct generator *huge = generator_create(&arena, UINT32_MAX, 0, 1);
    bool high = false;
    for (uint64_t n = 0; n < 1000; n++) {
        ck_assert_uint_lt(generator_key(huge, n), UINT32_MAX);
        high = high || generator_key(huge, n) > UINT32_MAX / 2;
    }
    ck_assert(high);
}
END_TEST

START_TEST(no_keys_trip_a_check)
{
    (void)generator_create(&arena, 0, 0, 1);
}
END_TEST

START_TEST(too_much_skew_trips_a_check)
{
    (void)generator_create(&arena, 10, 4000001, 1);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("generator");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, keys_are_drawn_as_zipf_says);
    tcase_add_test(tcase, without_skew_keys_are_uniform);
    tcase_add_test(tcase, three_keys_of_skew_one_have_six_three_and_two_elevenths);
    tcase_add_test(tcase, a_record_has_the_same_key_whatever_was_asked_before);
    tcase_add_test(tcase, a_remembered_key_is_the_one_that_would_be_computed);
    tcase_add_test(tcase, another_seed_gives_other_keys);
    tcase_add_test(tcase, one_key_is_the_only_key);
    tcase_add_test(tcase, every_key_lies_below_the_number_of_keys);
    tcase_add_test_raise_signal(tcase, no_keys_trip_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, too_much_skew_trips_a_check, SIGABRT);
    Suite *suite = suite_create("generator");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
