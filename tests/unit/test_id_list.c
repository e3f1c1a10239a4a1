#include "model/base/id_list.h"

#include <signal.h>

#include "tests/support/runner.h"

static struct arena arena;
static struct id_list list;

static void setup(void)
{
    arena_init(&arena);
    list = (struct id_list){ 0 };
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void add_all(size_t count, const uint64_t *ids)
{
    for (size_t i = 0; i < count; i++) {
        id_list_add(&list, &arena, ids[i]);
    }
}

static void assert_list(size_t count, const uint64_t *ids)
{
    ck_assert_uint_eq(list.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(list.ids[i], ids[i]);
        ck_assert(id_list_has(&list, ids[i]));
    }
}

START_TEST(ids_rise_and_are_there_once_in_whatever_order_they_come)
{
    add_all(6, (uint64_t[]){ 5, 9, 7, 5, 1, 9 });
    assert_list(4, (uint64_t[]){ 1, 5, 7, 9 });
    ck_assert(!id_list_has(&list, 6));
    ck_assert(!id_list_has(&list, 10));
}
END_TEST

START_TEST(what_is_removed_is_gone_and_nothing_else)
{
    ck_assert(!id_list_remove(&list, 1));
    add_all(4, (uint64_t[]){ 1, 5, 7, 9 });
    ck_assert(id_list_remove(&list, 5));
    ck_assert(!id_list_remove(&list, 5));
    ck_assert(!id_list_remove(&list, 8));
    assert_list(3, (uint64_t[]){ 1, 7, 9 });
    ck_assert(id_list_remove(&list, 9));
    ck_assert(!id_list_has(&list, 9));
    assert_list(2, (uint64_t[]){ 1, 7 });
}
END_TEST

START_TEST(the_first_ones_are_dropped)
{
    add_all(4, (uint64_t[]){ 1, 5, 7, 9 });
    id_list_drop_first(&list, 0);
    id_list_drop_first(&list, 3);
    assert_list(1, (uint64_t[]){ 9 });
}
END_TEST

START_TEST(dropping_more_than_there_are_trips_a_check)
{
    id_list_add(&list, &arena, 1);
    id_list_drop_first(&list, 2);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("id_list");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, ids_rise_and_are_there_once_in_whatever_order_they_come);
    tcase_add_test(tcase, what_is_removed_is_gone_and_nothing_else);
    tcase_add_test(tcase, the_first_ones_are_dropped);
    tcase_add_test_raise_signal(tcase, dropping_more_than_there_are_trips_a_check, SIGABRT);
    Suite *suite = suite_create("id_list");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
