#include "model/runtime/watermark_valve.h"

#include "model/base/prng.h"
#include "tests/support/runner.h"

enum { CHANNELS_MAX = 9 };

static struct arena arena;
static struct watermark_valve valve;

static void setup(void)
{
    arena_init(&arena);
    watermark_valve_init(&valve, &arena, 3);
}

static void teardown(void)
{
    arena_drop(&arena);
}

static bool advance(uint32_t channel, int64_t ms)
{
    return watermark_valve_on_watermark(&valve, channel, (struct watermark){ .ms = ms });
}

static bool become_idle(uint32_t channel)
{
    return watermark_valve_on_watermark(
        &valve, channel, (struct watermark){ .ms = valve.watermarks[channel], .is_idle = true });
}

/* V1 */
START_TEST(the_slowest_channel_holds_the_others)
{
    ck_assert(!advance(0, 10));
    ck_assert(!advance(1, 20));
    ck_assert(advance(2, 5));
    ck_assert_int_eq(valve.output.ms, 5);
    ck_assert(!advance(1, 30));
    ck_assert(advance(2, 40));
    ck_assert_int_eq(valve.output.ms, 10);
    ck_assert(advance(0, 35));
    ck_assert_int_eq(valve.output.ms, 30);
}
END_TEST

START_TEST(one_channel_alone_passes_its_watermarks_on)
{
    watermark_valve_init(&valve, &arena, 1);
    ck_assert(advance(0, -7));
    ck_assert_int_eq(valve.output.ms, -7);
    ck_assert(!advance(0, -7));
    ck_assert(watermark_valve_on_end(&valve, 0));
    ck_assert_int_eq(valve.output.ms, WATERMARK_MAX);
}
END_TEST

/* V2 */
START_TEST(a_channel_that_has_ended_holds_nobody)
{
    ck_assert(!advance(0, 10));
    ck_assert(!advance(1, 20));
    ck_assert(watermark_valve_on_end(&valve, 2));
    ck_assert_int_eq(valve.output.ms, 10);
    ck_assert(watermark_valve_on_end(&valve, 0));
    ck_assert_int_eq(valve.output.ms, 20);
    ck_assert(watermark_valve_on_end(&valve, 1)); /* V3 */
    ck_assert_int_eq(valve.output.ms, WATERMARK_MAX);
}
END_TEST

/* V2 */
START_TEST(an_idle_channel_holds_nobody_and_counts_again_once_it_has_caught_up)
{
    ck_assert(!advance(0, 10));
    ck_assert(!advance(1, 20));
    ck_assert(become_idle(2));
    ck_assert_int_eq(valve.output.ms, 10);
    ck_assert(!advance(2, 5)); /* active again, but behind */
    ck_assert(advance(0, 15));
    ck_assert_int_eq(valve.output.ms, 15);
    ck_assert(!advance(2, 16)); /* caught up */
    ck_assert(advance(0, 30));
    ck_assert_int_eq(valve.output.ms, 16);
}
END_TEST

/* V3 */
START_TEST(when_all_channels_are_idle_the_subtask_is)
{
    ck_assert(!advance(0, 10));
    ck_assert(!advance(1, 20));
    ck_assert(become_idle(2));
    ck_assert(become_idle(0));
    ck_assert_int_eq(valve.output.ms, 20);
    ck_assert(!valve.output.is_idle);
    ck_assert(become_idle(1));
    ck_assert(valve.output.is_idle);
    ck_assert_int_eq(valve.output.ms, 20);
    ck_assert(advance(0, 25));
    ck_assert(!valve.output.is_idle);
    ck_assert_int_eq(valve.output.ms, 25);
}
END_TEST

START_TEST(a_channel_that_wakes_up_behind_ends_the_idleness_and_not_more)
{
    ck_assert(!advance(0, 10));
    ck_assert(!become_idle(1));
    ck_assert(become_idle(2));
    ck_assert(become_idle(0));
    ck_assert(valve.output.is_idle);
    ck_assert(advance(1, 4));
    ck_assert(!valve.output.is_idle);
    ck_assert_int_eq(valve.output.ms, 10);
}
END_TEST

/* Any order of events, against the definition. */
START_TEST(it_is_the_minimum_of_the_channels_that_count)
{
    struct prng prng = { .state = 7 };
    uint32_t changes = 0;
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t count = 1 + round % CHANNELS_MAX;
        watermark_valve_init(&valve, &arena, count);
        int64_t last[CHANNELS_MAX];
        bool ended[CHANNELS_MAX] = { false };
        for (uint32_t i = 0; i < count; i++) {
            last[i] = WATERMARK_MIN;
        }
        int64_t before_ms = WATERMARK_MIN;
        for (int i = 0; i < 200; i++) {
            uint32_t channel = (uint32_t)prng_below(&prng, count);
            if (ended[channel]) {
                continue;
            }
            bool changed;
            if (prng_below(&prng, 100) == 0) {
                ended[channel] = true;
                changed = watermark_valve_on_end(&valve, channel);
            } else {
                int64_t from_ms = last[channel] == WATERMARK_MIN ? -50 : last[channel];
                last[channel] = from_ms + (int64_t)prng_below(&prng, 20);
                changed = advance(channel, last[channel]);
            }
            int64_t least_ms = WATERMARK_MAX;
            for (uint32_t k = 0; k < count; k++) {
                least_ms = !ended[k] && last[k] < least_ms ? last[k] : least_ms;
            }
            ck_assert_int_eq(valve.output.ms, least_ms);
            ck_assert_int_eq(changed, least_ms != before_ms);
            changes += changed;
            before_ms = least_ms;
        }
    }
    ck_assert_uint_gt(changes, 1000);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("watermark_valve");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_slowest_channel_holds_the_others);
    tcase_add_test(tcase, one_channel_alone_passes_its_watermarks_on);
    tcase_add_test(tcase, a_channel_that_has_ended_holds_nobody);
    tcase_add_test(tcase, an_idle_channel_holds_nobody_and_counts_again_once_it_has_caught_up);
    tcase_add_test(tcase, when_all_channels_are_idle_the_subtask_is);
    tcase_add_test(tcase, a_channel_that_wakes_up_behind_ends_the_idleness_and_not_more);
    tcase_add_test(tcase, it_is_the_minimum_of_the_channels_that_count);
    Suite *suite = suite_create("watermark_valve");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
