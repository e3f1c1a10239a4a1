/* fault_firings.h - when a fault that repeats fires: every draw is made here, before the run. */
#ifndef FAULTLINE_SIM_FAULT_FIRINGS_H
#define FAULTLINE_SIM_FAULT_FIRINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/prng.h"
#include "sim/scenario/scenario.h"

/* Of the four ways to repeat at most one is set:
 *
 *   gap_max_ns      every so often, the first time after one gap
 *   rate_per_s      at random, so many a second: the gaps are exponentially distributed
 *   spacing_max_ns  `times` in a row, the first at once
 *   none            once; or, with `when` and `times`, at each of the next matches of the step */
struct fault_firings {
    uint64_t gap_min_ns;
    uint64_t gap_max_ns;
    uint64_t rate_per_s;
    uint64_t spacing_min_ns;
    uint64_t spacing_max_ns;
    uint32_t times;
    bool rolling;
    uint32_t rolling_count; /* how many are one round; 1 if not rolling */
    uint64_t probability_ppm;
    struct prng prng;
    uint32_t done;       /* how many were given */
    uint64_t elapsed_ns; /* of all gaps so far */
};

/* The trigger of the next firing, made from that of the fault; false: there is none. */
bool fault_firings_next(struct fault_firings *firings, const struct fault_trigger *given,
                        struct fault_trigger *next);

/* What a swizzle stands for: a random half of all processes is clogged one after another in the
 * first half of the time, and freed in another order in the second half. Memory from `arena`. */
struct fault *fault_swizzle(struct arena *arena, const struct fault *swizzle,
                            uint32_t task_managers, struct prng *prng, uint32_t *count);

#endif
