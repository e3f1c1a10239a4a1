#include <stdio.h>

#include "model/base/codec.h"
#include "model/stream/operator_state.h"
#include "tests/support/oracle_world.h"
#include "tests/support/runner.h"

/* State that belongs to no key, of the job `rules`: every subtask has the greatest rule of each
 * group as broadcast state, and its share of the events as its item of a union list. Of the digits
 * 0 is a rule of group 0, the others are events. */

enum { VERTEX_MATCH = 1, GROUP = 0, RULE = 0, SPLIT_SHARE = 3 };

static struct oracle_world world;

static void setup(void)
{
    oracle_world_init(&world);
    world.scenario.job.job = "rules";
}

static void teardown(void)
{
    oracle_world_free(&world);
}

/* What one subtask of `match` holds. */
struct held {
    uint64_t rule;
    bool has_rule;
    bool has_other;     /* a rule of another group, too */
    uint64_t shares[3]; /* items of the union list ... */
    uint32_t owners[3]; /* ... and whose they are */
    uint32_t share_count;
    bool is_wordless;              /* no state is there at all */
    enum operator_state_mode mode; /* of the list */
};

static void put_rule(struct operator_state *rules, uint64_t group, uint64_t rule)
{
    uint8_t key[sizeof group];
    uint8_t value[sizeof rule];
    store_u64(key, group);
    store_u64(value, rule);
    operator_state_put(rules, (struct bytes){ key, sizeof key },
                       (struct bytes){ value, sizeof value });
}

/* As the operators of the chain put it into a checkpoint: match, and a sink without state. */
static struct bytes encode(const struct held *held)
{
    struct operator_states *states = operator_states_create(&world.arena);
    struct buffer *out = arena_alloc(&world.arena, 1, sizeof *out);
    struct buffer match;
    buffer_init(out, &world.arena);
    buffer_init(&match, &world.arena);
    if (!held->is_wordless) {
        struct operator_state *rules = operator_states_declare(states, "rules", STATE_BROADCAST);
        struct operator_state *shares = operator_states_declare(states, "shares", held->mode);
        if (held->has_rule) {
            put_rule(rules, GROUP, held->rule);
        }
        if (held->has_other) {
            put_rule(rules, GROUP + 1, 10);
        }
        for (uint32_t i = 0; i < held->share_count; i++) {
            uint8_t item[sizeof(uint32_t) + sizeof(uint64_t)];
            store_u32(item, held->owners[i]);
            store_u64(item + sizeof(uint32_t), held->shares[i]);
            operator_state_add(shares, (struct bytes){ item, sizeof item });
        }
        operator_states_snapshot(states, &match);
    }
    encode_u16(out, 2);
    encode_bytes(out, buffer_bytes(&match));
    encode_bytes(out, (struct bytes){ 0 });
    return buffer_bytes(out);
}

static struct held right(uint32_t subtask, const struct oracle_cut *cut)
{
    uint64_t events = 0;
    for (int64_t digit = 1; digit < ORACLE_KEYS; digit++) {
        events += (uint64_t)cut->counts[digit];
    }
    return (struct held){ .rule = RULE,
                          .has_rule = true,
                          .shares = { subtask == 0 ? SPLIT_SHARE : events - SPLIT_SHARE },
                          .owners = { subtask },
                          .share_count = 1,
                          .mode = STATE_UNION };
}

/* Checkpoint 1, of which subtask 1 holds what `spoil` makes of what is right, and the keyed state
 * so many keys that nobody counted. */
static void checkpoint_of(void (*spoil)(struct held *held), int64_t extra_keys)
{
    oracle_world_start(&world);
    struct oracle_cut cut = oracle_cut_at(&world, 10, 10);
    cut.extra_key = extra_keys > 0 ? 1000 : 0;
    cut.extra_more = extra_keys > 0 ? extra_keys - 1 : 0;
    ck_assert_int_gt(cut.counts[RULE], 0);
    struct held held[] = { right(0, &cut), right(1, &cut) };
    if (spoil != NULL) {
        spoil(&held[1]);
    }
    cut.counts[RULE] = 0; /* it is no event */
    cut.operators[0] = encode(&held[0]);
    cut.operators[1] = encode(&held[1]);
    oracle_trigger(&world, 1);
    oracle_write_checkpoint(&world, 1, &cut);
    oracle_complete(&world, 1);
}

static void checkpoint_with(void (*spoil)(struct held *held))
{
    checkpoint_of(spoil, 0);
}

static void forget_rule(struct held *held)
{
    held->has_rule = false;
}

static void change_rule(struct held *held)
{
    held->rule = 10;
}

static void make_rule_up(struct held *held)
{
    held->has_other = true;
}

static void lose_an_event(struct held *held)
{
    held->shares[0]--;
}

static void take_share_of_other(struct held *held)
{
    held->shares[1] = SPLIT_SHARE;
    held->share_count = 2;
}

static void say_nothing(struct held *held)
{
    held->is_wordless = true;
}

static const struct {
    void (*spoil)(struct held *held);
    const char *says;
} forged[] = {
    { forget_rule, "the operator state \"rules\" of match[1]: it lacks a key" },
    { change_rule, "the operator state \"rules\" of match[1]: of a key it holds another value" },
    { make_rule_up, "the operator state \"rules\" of match[1]: it holds a key that nobody" },
    { lose_an_event, "the items of \"shares\" of all match add up to" },
    { take_share_of_other, "the items of \"shares\" of all match add up to" },
    { say_nothing, "the operator state \"shares\" of match[1]: it is not there" },
};

START_TEST(right_broadcast_and_union_state_is_a_consistent_cut)
{
    checkpoint_with(NULL);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
    ck_assert_uint_eq(oracle_totals(world.oracle).checkpoints_verified, 1);
}
END_TEST

/* However many entries are looked at together. */
START_TEST(every_key_of_a_state_is_compared)
{
    char differ[32];
    checkpoint_of(NULL, _i);
    (void)snprintf(differ, sizeof differ, ": %d differ;", _i);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, differ));
}
END_TEST

START_TEST(forged_broadcast_and_union_state_is_no_consistent_cut)
{
    checkpoint_with(forged[_i].spoil);
    ck_assert(oracle_says(&world, PROPERTY_CONSISTENT_CUT, forged[_i].says));
}
END_TEST

START_TEST(at_least_once_a_copy_may_know_a_newer_rule_but_not_an_older_one)
{
    world.scenario.job.checkpoint.mode = MODE_AT_LEAST_ONCE;
    checkpoint_with(_i == 0 ? change_rule : forget_rule);
    ck_assert_uint_eq(oracle_found(&world, PROPERTY_CONSISTENT_CUT), (uint32_t)_i);
}
END_TEST

/* ---- at a restore ---------------------------------------------------------------------------- */

static void tell_restored(uint32_t vertex, uint32_t subtask, struct bytes content)
{
    oracle_on_fact(world.oracle, &(struct fact_event){ .time_ns = world.now_ns,
                                                       .fact = { .kind = FACT_TASK_RESTORED,
                                                                 .vertex = vertex,
                                                                 .subtask = subtask,
                                                                 .attempt = world.attempt,
                                                                 .checkpoint = 1,
                                                                 .content = content } });
}

/* Restores checkpoint 1, of which match[1] is given `held`. */
static void restore_with(const struct held *held)
{
    checkpoint_with(NULL);
    oracle_tell(&world, FACT_FAILURE_DETECTED, 0);
    oracle_tell(&world, FACT_JOB_CANCELLED, 0);
    oracle_tell(&world, FACT_RESTART_SCHEDULED, 0);
    world.attempt++;
    oracle_tell(&world, FACT_RESTORE_CHOSEN, 1);
    oracle_tell(&world, FACT_JOB_DEPLOYED, 1);
    tell_restored(VERTEX_MATCH, 1, encode(held));
}

/* What match[1] is to be given: its own copy, and the items of all. */
static struct held right_again(void)
{
    struct held held = right(1, &(struct oracle_cut){ 0 });
    struct oracle_cut cut = oracle_cut_at(&world, 10, 10);
    held.shares[0] = right(0, &cut).shares[0];
    held.owners[0] = 0;
    held.shares[1] = right(1, &cut).shares[0];
    held.owners[1] = 1;
    held.share_count = 2;
    return held;
}

static void give_own_item_only(struct held *held)
{
    held->shares[0] = held->shares[1];
    held->owners[0] = 1;
    held->share_count = 1;
}

static void give_an_item_twice(struct held *held)
{
    held->shares[2] = held->shares[1];
    held->owners[2] = 1;
    held->share_count = 3;
}

static void give_as_split_state(struct held *held)
{
    held->mode = STATE_SPLIT;
}

static const struct {
    void (*spoil)(struct held *held);
    const char *says;
} misgiven[] = {
    { give_own_item_only, "match[1] was restored from checkpoint 1, but its operator state "
                          "\"shares\" is not the union of what all subtasks had" },
    { give_an_item_twice, "\"shares\" is not the union of what all subtasks had" },
    { give_as_split_state, "\"shares\" is not there" },
    { forget_rule, "\"rules\" is not what any subtask had" },
    { change_rule, "\"rules\" is not what any subtask had" },
    { say_nothing, "\"rules\" is not there" },
};

START_TEST(who_gets_the_union_and_a_copy_is_restored)
{
    struct held held = right_again();
    restore_with(&held);
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

START_TEST(who_gets_less_or_more_than_the_union_or_another_copy_is_not_restored)
{
    struct held held = right_again();
    misgiven[_i].spoil(&held);
    restore_with(&held);
    ck_assert(oracle_says(&world, PROPERTY_DEPLOYMENT, misgiven[_i].says));
    ck_assert_uint_eq(oracle_found_any(&world), 1);
}
END_TEST

START_TEST(what_is_not_shown_is_not_judged)
{
    checkpoint_with(NULL);
    oracle_restart(&world, 1); /* as in a live run */
    ck_assert_uint_eq(oracle_found_any(&world), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oracle: operator state");
    TCase *tcase = tcase_create("rules");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, right_broadcast_and_union_state_is_a_consistent_cut);
    tcase_add_loop_test(tcase, every_key_of_a_state_is_compared, 1, 50);
    tcase_add_loop_test(tcase, forged_broadcast_and_union_state_is_no_consistent_cut, 0,
                        (int)(sizeof forged / sizeof *forged));
    tcase_add_loop_test(tcase, at_least_once_a_copy_may_know_a_newer_rule_but_not_an_older_one, 0,
                        2);
    tcase_add_test(tcase, who_gets_the_union_and_a_copy_is_restored);
    tcase_add_loop_test(tcase, who_gets_less_or_more_than_the_union_or_another_copy_is_not_restored,
                        0, (int)(sizeof misgiven / sizeof *misgiven));
    tcase_add_test(tcase, what_is_not_shown_is_not_judged);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
