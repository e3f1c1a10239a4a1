#include "model/live/live_rules.h"

#include "model/base/check.h"
#include "model/base/text.h"

enum { FRAME_BYTES = 64, NS_PER_S = 1000000000 }; /* a message's own headers travel, too */

struct live_rule_state {
    struct live_rule rule;
    uint64_t free_ns; /* LIVE_THROTTLE: when all that came so far has passed */
    bool has_struck;  /* of storage */
};

void live_rules_add(struct live_rules *rules, struct arena *arena, const struct live_rule *rule)
{
    CHECK(rule->kind != LIVE_THROTTLE || rule->bandwidth_bytes_per_s > 0);
    CHECK(rule->to_first <= rule->to_last);
    rules->states =
        arena_grow(arena, rules->states, &rules->capacity, rules->count + 1, sizeof *rules->states);
    rules->states[rules->count++] = (struct live_rule_state){ .rule = *rule };
}

static bool matches(const struct live_rule *rule, enum live_rule_kind kind,
                    const struct message *message, uint64_t now_ns)
{
    uint32_t from = actor_process(message->from);
    uint32_t to = actor_process(message->to);
    if (rule->kind != kind || now_ns >= rule->until_ns) {
        return false;
    }
    if (rule->stream == LIVE_ALL_STREAMS ? from == to : rule->stream != message->stream) {
        return false;
    }
    return from >= rule->from_first && from <= rule->from_last && to >= rule->to_first &&
           to <= rule->to_last &&
           (rule->group_of_process == NULL ||
            rule->group_of_process[from] != rule->group_of_process[to]);
}

/* One hold may end in another. */
static uint64_t release_ns(const struct live_rules *rules, const struct message *message,
                           uint64_t now_ns)
{
    for (size_t i = 0; i < rules->count;) {
        const struct live_rule *rule = &rules->states[i].rule;
        if (matches(rule, LIVE_HOLD, message, now_ns)) {
            now_ns = rule->until_ns;
            i = 0;
        } else {
            i++;
        }
    }
    return now_ns;
}

static uint64_t pass_throttle(struct live_rule_state *state, const struct message *message,
                              uint64_t now_ns)
{
    uint64_t bandwidth = state->rule.bandwidth_bytes_per_s;
    uint64_t size_bytes = (uint64_t)message->size + FRAME_BYTES;
    CHECK(size_bytes <= UINT64_MAX / NS_PER_S - 1);
    uint64_t from_ns = state->free_ns > now_ns ? state->free_ns : now_ns;
    state->free_ns = from_ns + (size_bytes * NS_PER_S + bandwidth - 1) / bandwidth;
    return state->free_ns - now_ns;
}

uint64_t live_rules_arrival_ns(struct live_rules *rules, const struct message *message,
                               uint64_t now_ns)
{
    uint64_t arrival_ns = release_ns(rules, message, now_ns);
    if (arrival_ns == LIVE_FOR_GOOD) {
        return LIVE_FOR_GOOD;
    }
    for (size_t i = 0; i < rules->count; i++) {
        struct live_rule_state *state = &rules->states[i];
        const struct live_rule *rule = &state->rule;
        if (matches(rule, LIVE_DELAY, message, now_ns)) {
            arrival_ns += rule->by_ns + prng_between(&rules->prng, 0, rule->jitter_ns);
        } else if (matches(rule, LIVE_THROTTLE, message, now_ns)) {
            arrival_ns += pass_throttle(state, message, now_ns);
        }
    }
    CHECK(arrival_ns >= now_ns);
    return arrival_ns;
}

bool live_rules_duplicate(const struct live_rules *rules, const struct message *message,
                          uint64_t now_ns, uint64_t *by_ns)
{
    for (size_t i = 0; i < rules->count && message->stream == 0; i++) {
        if (matches(&rules->states[i].rule, LIVE_DUPLICATE, message, now_ns)) {
            *by_ns = rules->states[i].rule.by_ns;
            return true;
        }
    }
    return false;
}

static bool strikes(const struct live_rule *rule, const struct live_storage *storage)
{
    return live_rule_is_of_storage(rule) && storage->volume == rule->volume &&
           storage->now_ns < rule->until_ns && storage->process >= rule->to_first &&
           storage->process <= rule->to_last &&
           (rule->kind == LIVE_FULL ? storage->needs_space : (rule->calls & storage->call) != 0) &&
           (rule->glob == NULL || text_matches(rule->glob, storage->path));
}

/* Lets a rule that strikes a call speak. */
static void apply(const struct live_rule *rule, struct live_storage_verdict *verdict)
{
    if (rule->kind != LIVE_STALL) {
        verdict->status = rule->kind == LIVE_FULL ? STATUS_NO_SPACE : STATUS_IO;
        verdict->takes_effect = rule->kind == LIVE_AMBIGUOUS;
    } else if (rule->until_ns > verdict->not_before_ns) {
        verdict->not_before_ns = rule->until_ns;
    }
}

struct live_storage_verdict live_rules_judge(struct live_rules *rules,
                                             const struct live_storage *storage)
{
    CHECK(storage->path != NULL);
    struct live_storage_verdict verdict = { .status = STATUS_OK, .takes_effect = true };
    for (size_t i = rules->count; i-- > 0;) {
        struct live_rule_state *state = &rules->states[i];
        struct live_rule *rule = &state->rule;
        bool is_answered = verdict.status != STATUS_OK && rule->kind != LIVE_STALL;
        if (is_answered || !strikes(rule, storage)) {
            continue;
        }
        apply(rule, &verdict);
        if (!state->has_struck && verdict.struck_count < LIVE_FIRST_STRUCK_MAX) {
            state->has_struck = true;
            verdict.struck[verdict.struck_count++] = rule->number;
        }
        if (rule->left > 0 && --rule->left == 0) {
            rule->until_ns = 0; /* used up */
        }
    }
    return verdict;
}
