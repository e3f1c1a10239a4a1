#include "sim/campaign/bisect.h"

#include <check.h>
#include <string.h>

#include "sim/scenario/scenario_json.h"
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

static struct scenario small_scenario(void)
{
    static const char json[] = "{ \"job\": { \"name\": \"count\", \"parallelism\": 2, \"input\":\n"
                               "    { \"records\": 60000, \"keys\": 100, \"rate\": \"10k/s\" } },\n"
                               "  \"cluster\": { \"network\": { \"buffer\": \"256B\" } },\n"
                               "  \"checkpoint\": { \"interval\": \"20ms\" } }";
    return scenario_from(&arena, json);
}

/* Something outside of the simulation has its hand in it: from `due_ns` on, runs go two ways. */
struct hidden_state {
    uint64_t due_ns;
    uint32_t runs;
    uint32_t every; /* each n-th run differs */
    struct world *world;
};

static void disturb(void *context, uint32_t number)
{
    struct hidden_state *state = context;
    (void)number;
    if (state->runs % state->every == 0) {
        (void)world_pause(state->world, 1, 30000000);
    }
}

static void arm(void *context, struct world *world)
{
    struct hidden_state *state = context;
    state->runs++;
    state->world = world;
    world_call_at(world, state->due_ns, disturb, state, 0);
}

START_TEST(equal_runs_are_equal)
{
    struct scenario scenario = small_scenario();
    struct bisect_result result;
    bisect(&scenario, (struct bytes){ 0 }, NULL, NULL, &result);
    ck_assert_int_eq(result.outcome, BISECT_EQUAL);
}
END_TEST

/* In the first window, and in a later one. */
START_TEST(the_first_differing_event_is_found)
{
    static const uint64_t dues_ns[] = { 100000000, 5000000000 };
    struct scenario scenario = small_scenario();
    struct hidden_state state = { .due_ns = dues_ns[_i], .every = 2 };
    struct bisect_result result;
    bisect(&scenario, (struct bytes){ 0 }, arm, &state, &result);
    ck_assert_int_eq(result.outcome, BISECT_FOUND);
    ck_assert_uint_gt(result.first.number, _i == 0 ? 0 : BISECT_WINDOW_EVENTS);
    ck_assert_uint_eq(result.first.number, result.second.number);
    ck_assert_uint_ne(result.first.hash, result.second.hash);
    /* Not before the hand moves, and not long after it. */
    ck_assert_uint_ge(result.first.time_ns, state.due_ns);
    ck_assert_uint_lt(result.first.time_ns, state.due_ns + 100000000);
    struct buffer text;
    buffer_init(&text, &arena);
    bisect_describe(&result, &text);
    ck_assert_ptr_nonnull(memmem(text.data, text.size, "the first event that differs", 28));
    ck_assert_ptr_nonnull(memmem(text.data, text.size, "one run: at ", 12));
    ck_assert_ptr_nonnull(memmem(text.data, text.size, "another: at ", 12));
}
END_TEST

START_TEST(a_rare_difference_is_found_too)
{
    struct scenario scenario = small_scenario();
    struct hidden_state state = { .due_ns = 700000000, .every = 5 };
    struct bisect_result result;
    bisect(&scenario, (struct bytes){ 0 }, arm, &state, &result);
    ck_assert_int_eq(result.outcome, BISECT_FOUND);
    ck_assert_uint_ge(result.runs, 6);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bisect");
    TCase *tc = tcase_create("bisect");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, equal_runs_are_equal);
    tcase_add_loop_test(tc, the_first_differing_event_is_found, 0, 2);
    tcase_add_test(tc, a_rare_difference_is_found_too);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
