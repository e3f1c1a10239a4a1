#include "sim/live/sample.h"

#include "tests/support/runner.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

START_TEST(the_median_is_the_upper_of_two_and_leaves_the_order_as_it_came)
{
    struct sample sample = sample_in(&arena);
    ck_assert_uint_eq(sample_median(&sample), 0);
    sample_add(&sample, 40);
    sample_add(&sample, 10);
    sample_add(&sample, 30);
    ck_assert_uint_eq(sample_median(&sample), 30);
    sample_add(&sample, 20);
    ck_assert_uint_eq(sample_median(&sample), 30);
    ck_assert_uint_eq(sample.values[0], 40);
    ck_assert_uint_eq(sample.values[3], 20);
}
END_TEST

START_TEST(what_is_joined_comes_behind_what_is_there_and_stays_where_it_was)
{
    struct sample one = sample_in(&arena);
    struct sample two = sample_in(&arena);
    sample_add(&one, 1);
    sample_add(&two, 2);
    sample_add(&two, 3);
    sample_join(&one, &two);
    ck_assert_uint_eq(one.count, 3);
    ck_assert_uint_eq(one.values[1], 2);
    ck_assert_uint_eq(one.values[2], 3);
    ck_assert_uint_eq(two.count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sample");
    TCase *tcase = tcase_create("sample");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_median_is_the_upper_of_two_and_leaves_the_order_as_it_came);
    tcase_add_test(tcase, what_is_joined_comes_behind_what_is_there_and_stays_where_it_was);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
