#include "sim/campaign/coverage.h"

#include <stddef.h>
#include <string.h>

#include "model/base/check.h"

void coverage_init(struct coverage *coverage)
{
    memset(coverage, 0, sizeof *coverage);
    coverage->last = FACT_KIND_COUNT;
}

static void note_fact(void *context, const struct fact_event *event)
{
    struct coverage *coverage = context;
    enum fact_kind kind = event->fact.kind;
    CHECK((unsigned)kind < FACT_KIND_COUNT);
    coverage->facts[kind] = 1;
    if (kind == FACT_MARK) {
        CHECK(event->fact.values[0] < MARK_COUNT);
        coverage->marks[event->fact.values[0]] = 1;
        return; /* no step of the protocol */
    }
    coverage->last = kind;
}

static void note_fired(void *context, const struct fault_record *record)
{
    struct coverage *coverage = context;
    enum fault_verb verb = record->fault->verb;
    CHECK((unsigned)verb < FAULT_VERB_COUNT);
    coverage->fired[verb]++;
    if (coverage->last < FACT_KIND_COUNT) {
        coverage->pairs[verb][coverage->last] = 1;
    }
}

struct run_observer coverage_observer(struct coverage *coverage)
{
    CHECK(coverage->last == FACT_KIND_COUNT);
    return (
        struct run_observer){ .on_fact = note_fact, .on_fired = note_fired, .context = coverage };
}

/* Where the arrays begin in the one of all counters. */
enum {
    FACTS_AT = 0,
    MARKS_AT = FACTS_AT + FACT_KIND_COUNT,
    PAIRS_AT = MARKS_AT + MARK_COUNT,
    FIRED_AT = PAIRS_AT + FAULT_VERB_COUNT * FACT_KIND_COUNT,
};
_Static_assert(offsetof(struct coverage, fired) == FIRED_AT * sizeof(uint64_t),
               "the arrays stand in this order, one behind the other");

static uint32_t count_between(const struct coverage *coverage, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++) {
        count += coverage->counters[i] > 0;
    }
    return count;
}

uint32_t coverage_fact_count(const struct coverage *coverage)
{
    return count_between(coverage, FACTS_AT, MARKS_AT);
}

uint32_t coverage_mark_count(const struct coverage *coverage)
{
    return count_between(coverage, MARKS_AT, PAIRS_AT);
}

uint32_t coverage_pair_count(const struct coverage *coverage)
{
    return count_between(coverage, PAIRS_AT, FIRED_AT);
}

void coverage_encode(const struct coverage *coverage, struct buffer *out)
{
    encode_u32(out, count_between(coverage, 0, COVERAGE_COUNTERS));
    for (uint32_t i = 0; i < COVERAGE_COUNTERS; i++) {
        if (coverage->counters[i] > 0) {
            encode_u16(out, (uint16_t)i);
            encode_u32(out, (uint32_t)coverage->counters[i]);
        }
    }
}

void coverage_decode_add(struct decoder *decoder, struct coverage *coverage)
{
    uint32_t count = decode_u32(decoder);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t number = decode_u16(decoder);
        uint32_t amount = decode_u32(decoder);
        CHECK(!decoder->failed && number < COVERAGE_COUNTERS);
        coverage->counters[number] += amount;
    }
}
