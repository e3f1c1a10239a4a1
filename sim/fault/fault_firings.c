#include "sim/fault/fault_firings.h"

#include "model/base/check.h"

enum { FRACTION_BITS = 32, NS_PER_S = 1000000000 };

/* ln 2 with FRACTION_BITS fractional bits. */
static const uint64_t ln2_fixed = UINT64_C(2977044472);

/* -log2(x / 2^64) with FRACTION_BITS fractional bits, for x > 0: each squaring of the mantissa
 * yields one more bit. */
static uint64_t minus_log2(uint64_t x)
{
    CHECK(x > 0);
    uint32_t shift = (uint32_t)__builtin_clzll(x);
    uint64_t mantissa = x << shift; /* in [1, 2), 63 fractional bits */
    uint64_t log2 = 0;              /* of the mantissa */
    for (int i = 0; i < FRACTION_BITS; i++) {
        prng_wide square = (prng_wide)mantissa * mantissa >> 63;
        uint64_t bit = (uint64_t)(square >> 64);
        mantissa = (uint64_t)(bit != 0 ? square >> 1 : square);
        log2 = log2 << 1 | bit;
    }
    return ((uint64_t)shift + 1) * (UINT64_C(1) << FRACTION_BITS) - log2;
}

/* An exponentially distributed duration with this mean, from integers only. */
static uint64_t fault_exponential_ns(struct prng *prng, uint64_t mean_ns)
{
    uint64_t exponent = minus_log2(prng_next(prng) | 1);
    prng_wide natural = (prng_wide)exponent * ln2_fixed >> FRACTION_BITS;
    return (uint64_t)(natural * mean_ns >> FRACTION_BITS);
}

static uint64_t draw_gap_ns(struct fault_firings *firings)
{
    if (firings->rate_per_s > 0) {
        return fault_exponential_ns(&firings->prng, NS_PER_S / firings->rate_per_s);
    }
    uint64_t low_ns = firings->gap_max_ns > 0 ? firings->gap_min_ns : firings->spacing_min_ns;
    uint64_t high_ns = firings->gap_max_ns > 0 ? firings->gap_max_ns : firings->spacing_max_ns;
    return low_ns < high_ns ? prng_between(&firings->prng, low_ns, high_ns) : low_ns;
}

bool fault_firings_next(struct fault_firings *firings, const struct fault_trigger *given,
                        struct fault_trigger *next)
{
    CHECK(firings->times > 0);
    CHECK(firings->rolling_count > 0);
    if (firings->done == (uint64_t)firings->times * firings->rolling_count) {
        return false;
    }
    bool waits_first = firings->gap_max_ns > 0 || firings->rate_per_s > 0;
    bool repeats = waits_first || firings->spacing_max_ns > 0;
    if (waits_first || (repeats && firings->done > 0)) {
        firings->elapsed_ns += draw_gap_ns(firings);
    }
    *next = *given;
    if (given->kind == TRIGGER_AT) {
        next->at_ns += firings->elapsed_ns;
    } else if (repeats) {
        next->after_ns += firings->elapsed_ns;
    } else {
        next->occurrence += firings->done;
    }
    firings->done++;
    return true;
}

struct fault *fault_swizzle(struct arena *arena, const struct fault *swizzle,
                            uint32_t task_managers, struct prng *prng, uint32_t *count)
{
    CHECK(swizzle->verb == FAULT_SWIZZLE);
    CHECK(task_managers > 0);
    uint32_t processes = task_managers + 1;
    *count = (processes + 1) / 2;
    uint32_t *order = arena_alloc(arena, processes, sizeof *order);
    for (uint32_t i = 0; i < processes; i++) {
        order[i] = i;
    }
    struct fault *clogs = arena_alloc(arena, *count, sizeof *clogs);
    uint64_t half_ns = swizzle->for_ns / 2;
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t k = (uint32_t)prng_between(prng, i, processes - 1);
        uint32_t process = order[k];
        order[k] = order[i];
        uint64_t start_ns = prng_between(prng, 0, half_ns);
        uint64_t end_ns = swizzle->for_ever ? 0 : prng_between(prng, half_ns + 1, 2 * half_ns + 1);
        struct fault *clog = &clogs[i];
        *clog = *swizzle;
        clog->verb = FAULT_CLOG;
        clog->object =
            (struct fault_object){ .kind = process == 0 ? OBJECT_JOB_MANAGER : OBJECT_TASK_MANAGER,
                                   .index = process == 0 ? 0 : process - 1,
                                   .part = PART_NETWORK };
        clog->for_ns = swizzle->for_ever ? 0 : end_ns - start_ns;
        if (clog->trigger.kind == TRIGGER_AT) {
            clog->trigger.at_ns += start_ns;
        } else {
            clog->trigger.after_ns += start_ns;
        }
    }
    arena_free(arena, order);
    return clogs;
}
