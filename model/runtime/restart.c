#include "model/runtime/restart.h"

#include "model/base/check.h"
#include "model/base/prng.h"

enum { PPM = 1000000 };

#define SECOND_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)

/* The exponential delay is capped only after the jitter (Flink's order), so it grows beyond
 * max_delay_ns; here it stops growing, where a jitter of 100 % can still be added. */
#define DELAY_NS_LIMIT (UINT64_MAX / 4)

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply_ppm(uint64_t value_ns, uint32_t ppm)
{
    prng_wide product = (prng_wide)value_ns * ppm / PPM;
    return product > DELAY_NS_LIMIT ? DELAY_NS_LIMIT : (uint64_t)product;
}

struct restart_options restart_default_options(void)
{
    return (struct restart_options){
        .strategy = RESTART_EXPONENTIAL_DELAY,
        .attempts = UINT32_MAX,
        .delay_ns = SECOND_NS,
        .initial_delay_ns = SECOND_NS,
        .max_delay_ns = MINUTE_NS,
        .multiplier_ppm = 1500000,
        .reset_threshold_ns = 60 * MINUTE_NS,
        .jitter_ppm = 100000,
        .max_failures = 1,
        .failure_interval_ns = MINUTE_NS,
    };
}

static void restart_check(const struct restart *restart)
{
    const struct restart_options *options = &restart->options;
    CHECK(restart->failure_count <= RESTART_FAILURES_REMEMBERED);
    if (options->strategy == RESTART_EXPONENTIAL_DELAY) {
        CHECK(restart->current_delay_ns >= options->initial_delay_ns);
        CHECK(restart->current_delay_ns <= DELAY_NS_LIMIT);
    }
}

void restart_init(struct restart *restart, const struct restart_options *options)
{
    switch (options->strategy) {
    case RESTART_NONE:
    case RESTART_FIXED_DELAY: break;
    case RESTART_EXPONENTIAL_DELAY:
        CHECK(options->initial_delay_ns <= options->max_delay_ns);
        CHECK(options->max_delay_ns <= DELAY_NS_LIMIT);
        CHECK(options->multiplier_ppm >= PPM);
        CHECK(options->jitter_ppm <= PPM);
        break;
    case RESTART_FAILURE_RATE:
        CHECK(options->max_failures > 0);
        CHECK(options->max_failures <= RESTART_FAILURES_REMEMBERED);
        break;
    }
    *restart = (struct restart){
        .options = *options,
        .current_delay_ns = options->initial_delay_ns,
    };
    restart_check(restart);
}

/* Uniform in [delay - jitter, delay + jitter], then within [initial, max]. */
static uint64_t jittered_delay_ns(const struct restart *restart, uint64_t random)
{
    const struct restart_options *options = &restart->options;
    uint64_t jitter_ns = multiply_ppm(restart->current_delay_ns, options->jitter_ppm);
    CHECK(jitter_ns <= restart->current_delay_ns);
    uint64_t offset_ns = (uint64_t)((random * ((prng_wide)2 * jitter_ns + 1)) >> 64);
    uint64_t delay_ns = restart->current_delay_ns - jitter_ns + offset_ns;
    if (delay_ns < options->initial_delay_ns) {
        return options->initial_delay_ns;
    }
    return delay_ns < options->max_delay_ns ? delay_ns : options->max_delay_ns;
}

static bool on_failure_exponential(struct restart *restart, uint64_t now_ns, uint64_t random,
                                   uint64_t *delay_ns)
{
    const struct restart_options *options = &restart->options;
    bool is_waiting = restart->restarts > 0 && now_ns <= restart->next_restart_ns;
    if (is_waiting) {
        /* The restart is still to come: it repairs this failure, too. */
        *delay_ns = restart->next_restart_ns - now_ns;
        return true;
    }
    if (restart->restarts > 0 && now_ns - restart->next_restart_ns >= options->reset_threshold_ns) {
        restart->restarts = 0;
        restart->current_delay_ns = options->initial_delay_ns;
    }
    if (options->attempts != UINT32_MAX && restart->restarts >= options->attempts) {
        return false;
    }
    restart->restarts += restart->restarts < UINT32_MAX;
    *delay_ns = jittered_delay_ns(restart, random);
    restart->next_restart_ns = add_saturating(now_ns, *delay_ns);
    restart->current_delay_ns = multiply_ppm(restart->current_delay_ns, options->multiplier_ppm);
    return true;
}

static bool on_failure_fixed(struct restart *restart, uint64_t *delay_ns)
{
    uint32_t attempts = restart->options.attempts;
    if (attempts != UINT32_MAX && restart->restarts >= attempts) {
        return false;
    }
    restart->restarts += restart->restarts < UINT32_MAX;
    *delay_ns = restart->options.delay_ns;
    return true;
}

/* Refuses if `max_failures` earlier failures lie within the interval that ends now. */
static bool on_failure_rate(struct restart *restart, uint64_t now_ns, uint64_t *delay_ns)
{
    uint32_t max_failures = restart->options.max_failures;
    CHECK(restart->failure_count <= max_failures);
    bool is_full = restart->failure_count == max_failures;
    uint64_t oldest_ns = restart->failures_ns[restart->failure_next];
    restart->failures_ns[restart->failure_next] = now_ns;
    restart->failure_next = (restart->failure_next + 1) % max_failures;
    restart->failure_count += !is_full;
    if (is_full && now_ns <= add_saturating(oldest_ns, restart->options.failure_interval_ns)) {
        return false;
    }
    restart->restarts += restart->restarts < UINT32_MAX;
    *delay_ns = restart->options.delay_ns;
    return true;
}

bool restart_on_failure(struct restart *restart, uint64_t now_ns, uint64_t random,
                        uint64_t *delay_ns)
{
    bool may_restart = false;
    *delay_ns = 0;
    switch (restart->options.strategy) {
    case RESTART_NONE: break;
    case RESTART_FIXED_DELAY: may_restart = on_failure_fixed(restart, delay_ns); break;
    case RESTART_EXPONENTIAL_DELAY:
        may_restart = on_failure_exponential(restart, now_ns, random, delay_ns);
        break;
    case RESTART_FAILURE_RATE: may_restart = on_failure_rate(restart, now_ns, delay_ns); break;
    }
    restart_check(restart);
    return may_restart;
}
