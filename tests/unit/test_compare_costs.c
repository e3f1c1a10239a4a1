#include "sim/command/compare_private.h"

#include "model/live/live_cluster.h"
#include "tests/support/runner.h"

/* Three cells, run twice: a look before the first of the six live runs, and one after each. */
enum { CELLS = 3, REPEATS = 2, LOOKS = CELLS * REPEATS + 1 };

static struct arena arena;
static struct buffer error;
static struct options options;
static struct compared_cell cells[CELLS];
static struct probe looks[LOOKS];
static struct comparison comparison;

/* In a look all calls take the same. */
static const uint64_t took_ns[LOOKS] = { 40, 10, 30, 15, 20, 60, 5 };

static void fill(struct probe *look, uint64_t call_ns)
{
    probe_init(look, &arena);
    sample_add(&look->passing_ns, 0);
    for (uint32_t i = 0; i < 16; i++) {
        struct live_call call = { .kind = LIVE_CALL_NAME, .process = i % 2, .took_ns = call_ns };
        call_times_add(&look->calls, &call);
    }
}

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&error, &arena);
    options = (struct options){ .repeats = REPEATS, .recalibrate = true };
    for (int i = 0; i < CELLS; i++) {
        scenario_init(&cells[i].scenario);
        cells[i].scenario.cluster.store.latency_ns = 7;
        cells[i].scenario.cluster.cpu.record_ns = 8;
    }
    for (int i = 0; i < LOOKS; i++) {
        fill(&looks[i], took_ns[i]);
    }
    comparison = (struct comparison){ .options = &options,
                                      .arena = &arena,
                                      .cells = cells,
                                      .cell_count = CELLS,
                                      .place = { .command = "test", .error = &error },
                                      .looks = looks,
                                      .error = &error };
}

static void teardown(void)
{
    arena_drop(&arena);
}

START_TEST(a_cell_has_the_costs_seen_before_and_after_each_of_its_own_live_runs)
{
    ck_assert_int_eq(compare_recalibrate(&comparison, &cells[0]), STATUS_OK);
    ck_assert_int_eq(compare_recalibrate(&comparison, &cells[1]), STATUS_OK);
    /* The upper median of 40, 10, 15, 20 and of 10, 30, 20, 60. */
    ck_assert_uint_eq(cells[0].scenario.cluster.store.latency_ns, 20);
    ck_assert_uint_eq(cells[1].scenario.cluster.store.latency_ns, 30);
    ck_assert_uint_eq(cells[0].scenario.cluster.cpu.record_ns, 8);
}
END_TEST

START_TEST(who_does_not_ask_for_it_keeps_the_costs_that_were_given)
{
    options.recalibrate = false;
    ck_assert_int_eq(compare_look(&comparison, 0), STATUS_OK);
    ck_assert_int_eq(compare_recalibrate(&comparison, &cells[0]), STATUS_OK);
    ck_assert_uint_eq(cells[0].scenario.cluster.store.latency_ns, 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare costs");
    TCase *tcase = tcase_create("compare costs");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_cell_has_the_costs_seen_before_and_after_each_of_its_own_live_runs);
    tcase_add_test(tcase, who_does_not_ask_for_it_keeps_the_costs_that_were_given);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
