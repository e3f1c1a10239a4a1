#include "model/live/live_rules.h"

#include <stdlib.h>

#include "tests/support/runner.h"

enum { MS = 1000000, MESSAGE_BYTES = 936, ON_THE_WIRE = 1000 };

static struct arena arena;
static struct live_rules rules;
static struct message *message;

static void setup(void)
{
    arena_init(&arena);
    rules = (struct live_rules){ .count = 0 };
    message = arena_alloc(&arena, 1, sizeof *message);
    message->size = MESSAGE_BYTES;
}

static void teardown(void)
{
    arena_drop(&arena);
}

/* From process 1 to process 2, until 100 ms. */
static struct live_rule rule_of(enum live_rule_kind kind)
{
    return (struct live_rule){ .kind = kind,
                               .until_ns = 100 * MS,
                               .from_first = 1,
                               .from_last = 1,
                               .to_first = 2,
                               .to_last = 2,
                               .stream = LIVE_ALL_STREAMS };
}

static uint64_t arrival_ns(uint32_t from, uint32_t to, uint32_t stream, uint64_t now_ns)
{
    message->from = actor_address(from, 1, HOST_MAIN_ACTOR);
    message->to = actor_address(to, 1, HOST_MAIN_ACTOR);
    message->stream = stream;
    return live_rules_arrival_ns(&rules, message, now_ns);
}

START_TEST(messages_share_the_bandwidth_of_a_throttle)
{
    struct live_rule throttle = rule_of(LIVE_THROTTLE);
    throttle.bandwidth_bytes_per_s = ON_THE_WIRE * 100; /* one takes 10 ms */
    live_rules_add(&rules, &arena, &throttle);
    ck_assert_uint_eq(arrival_ns(1, 2, 0, 0), 10 * MS);
    ck_assert_uint_eq(arrival_ns(1, 2, 1, 5 * MS), 20 * MS);
    ck_assert_uint_eq(arrival_ns(1, 2, 1, 50 * MS), 60 * MS);
    ck_assert_uint_eq(arrival_ns(2, 1, 1, 50 * MS), 50 * MS);
    ck_assert_uint_eq(arrival_ns(1, 2, 1, 100 * MS), 100 * MS);
}
END_TEST

START_TEST(a_hold_lets_go_at_its_end_and_one_for_good_never)
{
    struct live_rule hold = rule_of(LIVE_HOLD);
    live_rules_add(&rules, &arena, &hold);
    ck_assert_uint_eq(arrival_ns(1, 2, 0, 30 * MS), 100 * MS);
    hold.until_ns = 200 * MS;
    live_rules_add(&rules, &arena, &hold);
    ck_assert_uint_eq(arrival_ns(1, 2, 0, 30 * MS), 200 * MS);
    hold.until_ns = LIVE_FOR_GOOD;
    live_rules_add(&rules, &arena, &hold);
    ck_assert(arrival_ns(1, 2, 0, 30 * MS) == LIVE_FOR_GOOD);
}
END_TEST

START_TEST(a_partition_holds_only_what_passes_between_its_groups)
{
    static const uint8_t groups[] = { 0, 0, 1 };
    struct live_rule hold = rule_of(LIVE_HOLD);
    hold.from_first = 0;
    hold.from_last = 2;
    hold.to_first = 0;
    hold.group_of_process = groups;
    live_rules_add(&rules, &arena, &hold);
    ck_assert_uint_eq(arrival_ns(0, 1, 0, 0), 0);
    ck_assert_uint_eq(arrival_ns(0, 2, 0, 0), 100 * MS);
    ck_assert_uint_eq(arrival_ns(2, 1, 3, 0), 100 * MS);
}
END_TEST

START_TEST(a_link_is_one_stream_also_within_a_process_and_all_streams_are_not)
{
    struct live_rule delay = rule_of(LIVE_DELAY);
    delay.by_ns = 7 * MS;
    delay.from_last = 2;
    live_rules_add(&rules, &arena, &delay);
    ck_assert_uint_eq(arrival_ns(2, 2, 1, 0), 0);
    delay.stream = 1;
    live_rules_add(&rules, &arena, &delay);
    ck_assert_uint_eq(arrival_ns(2, 2, 1, 0), 7 * MS);
    ck_assert_uint_eq(arrival_ns(2, 2, 2, 0), 0);
    ck_assert_uint_eq(arrival_ns(1, 2, 1, 0), 14 * MS);
}
END_TEST

START_TEST(jitter_is_drawn_for_each_message_and_bounded)
{
    struct live_rule delay = rule_of(LIVE_DELAY);
    delay.by_ns = 10 * MS;
    delay.jitter_ns = 5 * MS;
    live_rules_add(&rules, &arena, &delay);
    uint64_t first_ns = arrival_ns(1, 2, 0, 0);
    bool differs = false;
    for (int i = 0; i < 20; i++) {
        uint64_t next_ns = arrival_ns(1, 2, 0, 0);
        ck_assert_uint_ge(next_ns, 10 * MS);
        ck_assert_uint_le(next_ns, 15 * MS);
        differs = differs || next_ns != first_ns;
    }
    ck_assert(differs);
}
END_TEST

START_TEST(only_control_messages_come_twice)
{
    struct live_rule twice = rule_of(LIVE_DUPLICATE);
    uint64_t by_ns = 0;
    twice.by_ns = 3 * MS;
    live_rules_add(&rules, &arena, &twice);
    ck_assert_uint_eq(arrival_ns(1, 2, 0, 0), 0);
    ck_assert(live_rules_duplicate(&rules, message, 0, &by_ns));
    ck_assert_uint_eq(by_ns, 3 * MS);
    ck_assert(!live_rules_duplicate(&rules, message, 100 * MS, &by_ns));
    (void)arrival_ns(1, 2, 1, 0);
    ck_assert(!live_rules_duplicate(&rules, message, 0, &by_ns));
}
END_TEST

static struct live_storage_verdict judge(uint32_t process, enum host_volume volume,
                                         enum host_storage_call call, uint64_t now_ns)
{
    return live_rules_judge(&rules,
                            &(struct live_storage){ .process = process,
                                                    .volume = volume,
                                                    .path = "checkpoints/3/manifest",
                                                    .call = call,
                                                    .needs_space = call == HOST_STORAGE_WRITE,
                                                    .now_ns = now_ns });
}

static void assert_judged(struct live_storage_verdict verdict, enum status status,
                          uint64_t not_before_ns, uint32_t struck_count)
{
    ck_assert_int_eq(verdict.status, status);
    ck_assert(verdict.takes_effect == (status == STATUS_OK));
    ck_assert_uint_eq(verdict.not_before_ns, not_before_ns);
    ck_assert_uint_eq(verdict.struck_count, struck_count);
}

START_TEST(a_full_volume_is_full_for_those_named_and_told_once)
{
    struct live_rule full = rule_of(LIVE_FULL);
    full.volume = HOST_SHARED;
    full.number = 4;
    live_rules_add(&rules, &arena, &full);
    assert_judged(judge(1, HOST_SHARED, HOST_STORAGE_WRITE, 0), STATUS_OK, 0, 0);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_WRITE, 0), STATUS_OK, 0, 0);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_READ, 0), STATUS_OK, 0, 0);
    struct live_storage_verdict first = judge(2, HOST_SHARED, HOST_STORAGE_WRITE, 0);
    assert_judged(first, STATUS_NO_SPACE, 0, 1);
    ck_assert_uint_eq(first.struck[0], 4);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_WRITE, 99 * MS), STATUS_NO_SPACE, 0, 0);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_WRITE, 100 * MS), STATUS_OK, 0, 0);
}
END_TEST

START_TEST(errors_strike_the_calls_that_are_named_and_as_many_as_are_asked_for)
{
    struct live_rule error = rule_of(LIVE_ERROR);
    error.volume = HOST_LOCAL;
    error.calls = HOST_STORAGE_SYNC | HOST_STORAGE_RENAME;
    error.left = 2;
    live_rules_add(&rules, &arena, &error);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_WRITE, 0), STATUS_OK, 0, 0);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_SYNC, 0), STATUS_IO, 0, 1);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_RENAME, 0), STATUS_IO, 0, 0);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_SYNC, 0), STATUS_OK, 0, 0);
}
END_TEST

START_TEST(an_ambiguous_call_is_made_and_said_to_have_failed)
{
    struct live_rule ambiguous = rule_of(LIVE_AMBIGUOUS);
    ambiguous.calls = HOST_STORAGE_RENAME;
    ambiguous.left = 1;
    live_rules_add(&rules, &arena, &ambiguous);
    struct live_storage_verdict struck = judge(2, HOST_LOCAL, HOST_STORAGE_RENAME, 0);
    ck_assert_int_eq(struck.status, STATUS_IO);
    ck_assert(struck.takes_effect);
    ck_assert_uint_eq(struck.struck_count, 1);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_RENAME, 0), STATUS_OK, 0, 0);
}
END_TEST

START_TEST(a_rule_for_files_strikes_only_calls_about_these)
{
    struct live_rule error = rule_of(LIVE_ERROR);
    struct live_rule stall = rule_of(LIVE_STALL);
    error.calls = HOST_STORAGE_ANY;
    error.glob = "output/*";
    stall.calls = HOST_STORAGE_ANY;
    stall.glob = "checkpoints/*/manifest";
    live_rules_add(&rules, &arena, &error);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_OPEN, 0), STATUS_OK, 0, 0);
    live_rules_add(&rules, &arena, &stall);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_OPEN, 0), STATUS_OK, 100 * MS, 1);
}
END_TEST

START_TEST(of_several_rules_the_newest_answers)
{
    struct live_rule rule = rule_of(LIVE_AMBIGUOUS);
    rule.calls = HOST_STORAGE_ANY;
    live_rules_add(&rules, &arena, &rule);
    rule.kind = LIVE_ERROR;
    live_rules_add(&rules, &arena, &rule);
    assert_judged(judge(2, HOST_LOCAL, HOST_STORAGE_SYNC, 0), STATUS_IO, 0, 1);
}
END_TEST

START_TEST(a_stalled_call_waits_for_the_end_and_may_fail_then)
{
    struct live_rule stall = rule_of(LIVE_STALL);
    struct live_rule error = rule_of(LIVE_ERROR);
    stall.volume = HOST_SHARED;
    stall.calls = HOST_STORAGE_READ;
    error.volume = HOST_SHARED;
    error.calls = HOST_STORAGE_READ | HOST_STORAGE_OPEN;
    live_rules_add(&rules, &arena, &stall);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_OPEN, 0), STATUS_OK, 0, 0);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_READ, 0), STATUS_OK, 100 * MS, 1);
    live_rules_add(&rules, &arena, &error);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_READ, 0), STATUS_IO, 100 * MS, 1);
    assert_judged(judge(2, HOST_SHARED, HOST_STORAGE_READ, 100 * MS), STATUS_OK, 0, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("live rules");
    TCase *tcase = tcase_create("live rules");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, messages_share_the_bandwidth_of_a_throttle);
    tcase_add_test(tcase, a_hold_lets_go_at_its_end_and_one_for_good_never);
    tcase_add_test(tcase, a_partition_holds_only_what_passes_between_its_groups);
    tcase_add_test(tcase, a_link_is_one_stream_also_within_a_process_and_all_streams_are_not);
    tcase_add_test(tcase, jitter_is_drawn_for_each_message_and_bounded);
    tcase_add_test(tcase, only_control_messages_come_twice);
    tcase_add_test(tcase, a_full_volume_is_full_for_those_named_and_told_once);
    tcase_add_test(tcase, errors_strike_the_calls_that_are_named_and_as_many_as_are_asked_for);
    tcase_add_test(tcase, an_ambiguous_call_is_made_and_said_to_have_failed);
    tcase_add_test(tcase, a_rule_for_files_strikes_only_calls_about_these);
    tcase_add_test(tcase, of_several_rules_the_newest_answers);
    tcase_add_test(tcase, a_stalled_call_waits_for_the_end_and_may_fail_then);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
