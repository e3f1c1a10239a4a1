#include "sim/world/storage_faults.h"

#include "model/base/check.h"
#include "model/base/text.h"

static bool matches(const struct storage_rule *rule, const struct storage_call *call)
{
    return rule->volume == call->volume && (rule->calls & call->call) != 0 &&
           (rule->process == STORAGE_EVERY_PROCESS || rule->process == call->process) &&
           rule->from_ns <= call->now_ns && call->now_ns < rule->until_ns &&
           (rule->fault != STORAGE_FULL || call->needs_space) &&
           (rule->glob == NULL || text_matches(rule->glob, call->path));
}

/* Lets a rule speak. True if it changed the answer: then no other one may. */
static bool apply(const struct storage_rule *rule, bool answered, struct storage_verdict *verdict)
{
    switch (rule->fault) {
    case STORAGE_SLOW:
        if (rule->factor_ppm > verdict->factor_ppm) {
            verdict->factor_ppm = rule->factor_ppm;
        }
        return false;
    case STORAGE_STALL:
        if (rule->until_ns > verdict->not_before_ns) {
            verdict->not_before_ns = rule->until_ns;
        }
        return false;
    case STORAGE_FULL:
    case STORAGE_ERROR:
    case STORAGE_AMBIGUOUS:
    case STORAGE_LIE: break;
    }
    if (!answered) {
        verdict->status = rule->fault == STORAGE_FULL  ? STATUS_NO_SPACE
                          : rule->fault == STORAGE_LIE ? STATUS_OK
                                                       : STATUS_IO;
        verdict->takes_effect = rule->fault == STORAGE_AMBIGUOUS;
    }
    return !answered;
}

static bool answers(enum storage_fault fault)
{
    return fault != STORAGE_SLOW && fault != STORAGE_STALL;
}

struct storage_verdict storage_faults_judge(struct storage_faults *faults,
                                            const struct storage_call *call)
{
    CHECK(call->path != NULL);
    struct storage_verdict verdict = storage_verdict_plain();
    bool answered = false;
    struct storage_rule **link = &faults->rules;
    while (*link != NULL) {
        struct storage_rule *rule = *link;
        link = &rule->next;
        if (!matches(rule, call) || (answered && answers(rule->fault))) {
            continue;
        }
        answered = apply(rule, answered, &verdict) || answered;
        faults->has_lied = faults->has_lied || rule->fault == STORAGE_LIE;
        faults->on_hit(faults->context, rule->number, call->now_ns);
        if (rule->left > 0 && --rule->left == 0) {
            rule->until_ns = 0; /* used up; forgotten with the next one added */
        }
    }
    CHECK(verdict.factor_ppm >= 1000000);
    return verdict;
}

void storage_faults_add(struct storage_faults *faults, const struct storage_rule *rule,
                        uint64_t now_ns)
{
    CHECK(faults->on_hit != NULL);
    CHECK(rule->calls != 0);
    CHECK(rule->fault != STORAGE_SLOW || rule->factor_ppm >= 1000000);
    struct storage_rule **link = &faults->rules;
    while (*link != NULL) {
        struct storage_rule *old = *link;
        if (old->until_ns <= now_ns) {
            *link = old->next;
            arena_free(faults->arena, old);
        } else {
            link = &old->next;
        }
    }
    struct storage_rule *added = arena_alloc(faults->arena, 1, sizeof *added);
    *added = *rule;
    added->next = faults->rules;
    faults->rules = added;
}
