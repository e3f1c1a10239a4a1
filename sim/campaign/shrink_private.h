/* shrink_private.h - what the parts of shrinking share: a list of candidates and the first of them
 * that still fails. Used by shrink*.c only. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SHRINK_PRIVATE_H
#define FAULTLINE_SIM_CAMPAIGN_SHRINK_PRIVATE_H

#include "sim/campaign/progress.h"
#include "sim/campaign/shrink.h"

struct shrinker {
    struct arena *arena;
    struct scenario best; /* the smallest so far */
    struct bytes input;
    const struct finding *finding;
    const struct shrink_options *options;
    struct shrink_result *result;
    struct progress progress;
    struct scenario *candidates;
    size_t candidate_count;
    size_t candidate_capacity;
    bool failed; /* no processes */
};

/* Begins an empty list of candidates. */
void shrinker_clear(struct shrinker *shrinker);

/* Adds a copy of the best so far, with faults of its own, to be changed by the caller until the
 * next call. */
struct scenario *shrinker_add(struct shrinker *shrinker);

/* Takes the last candidate back: it could not be changed. */
void shrinker_drop_last(struct shrinker *shrinker);

/* The first candidate that fails in the same way becomes the best; `what` says what it is. False if
 * there is none. */
bool shrinker_try(struct shrinker *shrinker, const char *what);

/* Is there time left, and a reason to go on? */
bool shrinker_goes_on(const struct shrinker *shrinker);

/* Replaces faults at a time by ones at the nearest step before (shrink_steps.c). True if one was.
 */
bool shrink_times_to_steps(struct shrinker *shrinker);

#endif
