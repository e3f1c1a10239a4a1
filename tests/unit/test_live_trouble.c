#include "sim/live/live_trouble.h"

#include <errno.h>
#include <string.h>

#include "tests/support/runner.h"

#define MS UINT64_C(1000000)

static struct arena arena;
static struct live_trouble trouble;

static void setup(void)
{
    arena_init(&arena);
    live_trouble_init(&trouble, &arena);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static void refuse(uint64_t time_ns, int error, const char *path)
{
    struct live_refused refused = { .time_ns = time_ns,
                                    .error = error,
                                    .path = bytes_of_text(path) };
    live_trouble_on_refused(&trouble, "volumes/shared", &refused);
}

static void complete_checkpoint(void)
{
    struct fact_event event = { .fact = { .kind = FACT_CHECKPOINT_COMPLETED } };
    live_trouble_on_fact(&trouble, &event);
}

START_TEST(refusals_last_when_one_comes_a_second_after_the_first)
{
    refuse(100 * MS, ENOSPC, "a");
    refuse(1099 * MS, ENOSPC, "a");
    ck_assert(trouble.is_there);
    ck_assert(!trouble.is_lasting);
    refuse(1100 * MS, ENOSPC, "a");
    ck_assert(trouble.is_lasting);
}
END_TEST

START_TEST(a_checkpoint_that_completes_ends_the_trouble)
{
    refuse(100 * MS, ENOSPC, "a");
    complete_checkpoint();
    ck_assert(!trouble.is_there);
    refuse(1500 * MS, ENOSPC, "a");
    ck_assert(!trouble.is_lasting);
    refuse(2500 * MS, ENOSPC, "a");
    ck_assert(trouble.is_lasting);
}
END_TEST

START_TEST(the_first_refusal_is_the_cause_that_is_told)
{
    struct buffer text;
    buffer_init(&text, &arena);
    refuse(100 * MS, EFBIG, "chk-1/count-0");
    refuse(200 * MS, ENOSPC, "b");
    live_trouble_describe(&trouble, &text);
    *buffer_extend(&text, 1) = '\0';
    ck_assert_str_eq((const char *)text.data, "volumes/shared/chk-1/count-0: File too large, which "
                                              "no fault of the scenario explains");
    ck_assert_int_eq(live_trouble_status(&trouble), STATUS_IO);
}
END_TEST

/* The root of a volume has the name "". */
START_TEST(no_space_is_told_apart_and_a_volume_itself_may_be_refused)
{
    struct buffer text;
    buffer_init(&text, &arena);
    refuse(100 * MS, EDQUOT, "");
    live_trouble_describe(&trouble, &text);
    *buffer_extend(&text, 1) = '\0';
    ck_assert_ptr_eq(strstr((const char *)text.data, "volumes/shared: "), text.data);
    ck_assert_int_eq(live_trouble_status(&trouble), STATUS_NO_SPACE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("live trouble");
    TCase *tcase = tcase_create("live trouble");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, refusals_last_when_one_comes_a_second_after_the_first);
    tcase_add_test(tcase, a_checkpoint_that_completes_ends_the_trouble);
    tcase_add_test(tcase, the_first_refusal_is_the_cause_that_is_told);
    tcase_add_test(tcase, no_space_is_told_apart_and_a_volume_itself_may_be_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
