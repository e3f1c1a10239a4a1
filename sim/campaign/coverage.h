/* coverage.h - what a campaign has seen: facts, marks, and which fault struck after which step.
 *
 * A fault x step pair is a verb and the kind of fact that was reported last when the fault took
 * effect. One run's coverage is gathered by an observer of the run; coverages add up. */
#ifndef FAULTLINE_SIM_CAMPAIGN_COVERAGE_H
#define FAULTLINE_SIM_CAMPAIGN_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/trace.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario.h"

enum {
    COVERAGE_COUNTERS =
        FACT_KIND_COUNT + MARK_COUNT + FAULT_VERB_COUNT * FACT_KIND_COUNT + FAULT_VERB_COUNT
};

struct coverage {
    union {
        uint64_t counters[COVERAGE_COUNTERS]; /* all that follow */
        struct {
            uint64_t facts[FACT_KIND_COUNT]; /* how many runs saw it */
            uint64_t marks[MARK_COUNT];
            uint64_t pairs[FAULT_VERB_COUNT][FACT_KIND_COUNT];
            uint64_t fired[FAULT_VERB_COUNT]; /* how many faults took effect */
        };
    };
    enum fact_kind last; /* of the run that is observed; FACT_KIND_COUNT: none yet */
};

/* Nothing seen. */
void coverage_init(struct coverage *coverage);

/* An observer that notes one run in `coverage`, which must be empty. */
struct run_observer coverage_observer(struct coverage *coverage);

uint32_t coverage_fact_count(const struct coverage *coverage);
uint32_t coverage_mark_count(const struct coverage *coverage);
uint32_t coverage_pair_count(const struct coverage *coverage);

/* For the way from a child to its parent: only what is not zero. A decoded coverage is added. */
void coverage_encode(const struct coverage *coverage, struct buffer *out);
void coverage_decode_add(struct decoder *decoder, struct coverage *coverage);

#endif
