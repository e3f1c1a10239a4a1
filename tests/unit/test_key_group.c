#include <check.h>
#include <signal.h>

#include "model/state/key_group.h"
#include "tests/support/runner.h"

START_TEST(java_hashes_are_reproduced)
{
    ck_assert_int_eq(key_hash_i64(0), 0);
    ck_assert_int_eq(key_hash_i64(42), 42);
    ck_assert_int_eq(key_hash_i64(-1), 0);
    ck_assert_int_eq(key_hash_i64(INT64_C(1) << 32), 1);
    ck_assert_int_eq(key_hash_i64(INT64_MIN), INT32_MIN);
    ck_assert_int_eq(key_hash_i64(INT64_C(0x123456789abcdef0)), (int32_t)0x88888888);
    ck_assert_int_eq(key_hash_text(bytes_of_text("")), 0);
    ck_assert_int_eq(key_hash_text(bytes_of_text("a")), 97);
    ck_assert_int_eq(key_hash_text(bytes_of_text("hello")), 99162322);
    /* A text whose hash overflows into the sign. */
    ck_assert_int_eq(key_hash_text(bytes_of_text("polygenelubricants")), INT32_MIN);
}
END_TEST

START_TEST(the_murmur_hash_equals_flinks)
{
    static const struct {
        int32_t hash;
        int32_t expected;
    } vectors[] = {
        { 0, 593689054 },   { 1, 68075478 },           { 42, 1134849565 },
        { -1, 1982413648 }, { INT32_MIN, 1718298732 }, { 99162322, 1715862179 },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        ck_assert_int_eq(key_group_murmur(vectors[i].hash), vectors[i].expected);
    }
}
END_TEST

START_TEST(the_murmur_hash_is_never_negative)
{
    for (int32_t hash = -50000; hash < 50000; hash++) {
        ck_assert_int_ge(key_group_murmur(hash * 42947), 0);
    }
}
END_TEST

START_TEST(numbers_fall_into_flinks_key_groups)
{
    static const uint32_t expected[] = { 94, 86, 127, 113, 7, 126 };
    for (int32_t key = 0; key < 6; key++) {
        ck_assert_uint_eq(key_group_of(key_hash_i64(key), 128), expected[key]);
    }
    ck_assert_uint_eq(key_group_of(key_hash_i64(1000), 128), 7);
}
END_TEST

START_TEST(texts_fall_into_flinks_key_groups)
{
    static const struct {
        const char *key;
        uint32_t expected;
    } vectors[] = {
        { "a", 81 }, { "b", 22 }, { "hello", 35 }, { "user-1", 121 }, { "user-2", 22 },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        int32_t hash = key_hash_text(bytes_of_text(vectors[i].key));
        ck_assert_uint_eq(key_group_of(hash, 128), vectors[i].expected);
    }
}
END_TEST

static void ranges_are(uint32_t parallelism, const uint32_t *lasts)
{
    uint32_t first = 0;
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        struct key_group_range range = key_group_range_of(subtask, 128, parallelism);
        ck_assert_uint_eq(range.first, first);
        ck_assert_uint_eq(range.last, lasts[subtask]);
        first = range.last + 1;
    }
    ck_assert_uint_eq(first, 128);
}

START_TEST(the_ranges_of_128_key_groups_are_flinks)
{
    ranges_are(1, (const uint32_t[]){ 127 });
    ranges_are(3, (const uint32_t[]){ 42, 85, 127 });
    ranges_are(5, (const uint32_t[]){ 25, 51, 76, 102, 127 });
    ranges_are(7, (const uint32_t[]){ 18, 36, 54, 73, 91, 109, 127 });
}
END_TEST

START_TEST(a_key_group_belongs_to_the_subtask_whose_range_holds_it)
{
    static const uint32_t max_parallelisms[] = { 1, 2, 7, 128, 130, 1000, 32768 };
    for (size_t m = 0; m < sizeof max_parallelisms / sizeof max_parallelisms[0]; m++) {
        uint32_t max = max_parallelisms[m];
        uint32_t step = max > 200 ? max / 5 : 1;
        for (uint32_t parallelism = 1; parallelism <= max; parallelism += step) {
            uint32_t next = 0;
            for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
                struct key_group_range range = key_group_range_of(subtask, max, parallelism);
                ck_assert_uint_eq(range.first, next);
                ck_assert_uint_eq(key_group_subtask(range.first, max, parallelism), subtask);
                ck_assert_uint_eq(key_group_subtask(range.last, max, parallelism), subtask);
                next = range.last + 1;
            }
            ck_assert_uint_eq(next, max);
        }
    }
}
END_TEST

START_TEST(more_subtasks_than_key_groups_trip_a_check)
{
    (void)key_group_range_of(0, 128, 129);
}
END_TEST

START_TEST(a_max_parallelism_beyond_the_bound_trips_a_check)
{
    (void)key_group_of(0, KEY_GROUP_COUNT_MAX + 1);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("key_group");
    tcase_add_test(tcase, java_hashes_are_reproduced);
    tcase_add_test(tcase, the_murmur_hash_equals_flinks);
    tcase_add_test(tcase, the_murmur_hash_is_never_negative);
    tcase_add_test(tcase, numbers_fall_into_flinks_key_groups);
    tcase_add_test(tcase, texts_fall_into_flinks_key_groups);
    tcase_add_test(tcase, the_ranges_of_128_key_groups_are_flinks);
    tcase_add_test(tcase, a_key_group_belongs_to_the_subtask_whose_range_holds_it);
    tcase_add_test_raise_signal(tcase, more_subtasks_than_key_groups_trip_a_check, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_max_parallelism_beyond_the_bound_trips_a_check, SIGABRT);
    Suite *suite = suite_create("key_group");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
