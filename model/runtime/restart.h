/* restart.h - Flink's restart strategies as a pure machine: may the job restart, and when?
 *
 * Source of rules and defaults: Flink's RestartStrategyOptions and its BackoffTimeStrategies. */
#ifndef FAULTLINE_RUNTIME_RESTART_H
#define FAULTLINE_RUNTIME_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum restart_strategy {
    RESTART_NONE,
    RESTART_FIXED_DELAY,
    RESTART_EXPONENTIAL_DELAY,
    RESTART_FAILURE_RATE,
};

struct restart_options {
    enum restart_strategy strategy;
    uint32_t attempts;         /* fixed_delay: how many restarts; exponential_delay: how many
                                * between two resets; UINT32_MAX: no limit */
    uint64_t delay_ns;         /* fixed_delay, failure_rate */
    uint64_t initial_delay_ns; /* exponential_delay from here on */
    uint64_t max_delay_ns;
    uint32_t multiplier_ppm;     /* 1500000: each delay is 1.5 times the one before */
    uint64_t reset_threshold_ns; /* so long without a failure since the last restart: begin again
                                  * with the initial delay and all attempts */
    uint32_t jitter_ppm;         /* each delay is drawn from [delay - jitter, delay + jitter],
                                  * then brought into [initial_delay, max_delay] */
    uint32_t max_failures;       /* failure_rate: so many restarts per interval, 1.. */
    uint64_t failure_interval_ns;
};

/* Flink's defaults: exponential_delay, 1 s to 1 min, x 1.5, reset after 1 h, jitter 0.1; the fields
 * of the other strategies are set as well. */
struct restart_options restart_default_options(void);

enum { RESTART_FAILURES_REMEMBERED = 64 }; /* the largest max_failures */

struct restart {
    struct restart_options options;
    uint32_t restarts;         /* allowed so far; exponential_delay: since the last reset */
    uint64_t current_delay_ns; /* exponential_delay: the next delay, without jitter and cap */
    uint64_t next_restart_ns;  /* exponential_delay: when the last failure's delay ends */
    uint64_t failures_ns[RESTART_FAILURES_REMEMBERED]; /* failure_rate: the last max_failures */
    uint32_t failure_count;
    uint32_t failure_next; /* the oldest of `failures_ns`, or where the next one goes */
};

/* Options that contradict themselves (initial above maximum delay, a multiplier below 1, a jitter
 * above 1, max_failures outside 1..RESTART_FAILURES_REMEMBERED) are programming errors. */
void restart_init(struct restart *restart, const struct restart_options *options);

/* A failure happened at `now_ns`. True if the job may restart: then `*delay_ns` is how long to
 * wait. `random` gives the jitter. With exponential_delay a failure during the wait for a restart
 * costs no attempt, and the delay is what is left of that wait. */
bool restart_on_failure(struct restart *restart, uint64_t now_ns, uint64_t random,
                        uint64_t *delay_ns);

#endif
