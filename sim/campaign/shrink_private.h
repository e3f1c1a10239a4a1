/* shrink_private.h - what the parts of shrinking share: a list of candidates and the first of them
 * that still fails. Used by shrink*.c only.
 *
 * A part makes candidates, the simplest first, and lets them be tried. The first in the list that
 * fails is taken, however many run at once: the same failure shrinks to the same bytes. Every part
 * makes only what is simpler by its own measure, so that it comes to an end. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SHRINK_PRIVATE_H
#define FAULTLINE_SIM_CAMPAIGN_SHRINK_PRIVATE_H

#include "sim/campaign/progress.h"
#include "sim/campaign/shrink.h"

enum { SHRINK_RUN_SECONDS_MAX = 60 };

struct shrink_candidate {
    struct scenario scenario;
    struct bytes input;
};

struct shrinker {
    struct arena *arena;
    struct scenario best; /* the smallest so far */
    struct bytes input;   /* of the best */
    const struct finding *finding;
    const struct shrink_options *options;
    struct shrink_result *result;
    struct progress progress;
    struct shrink_candidate *candidates;
    size_t candidate_count;
    size_t candidate_capacity;
    uint32_t unmoved_count; /* moving did not help with so many faults ... */
    uint32_t unmoved_tries; /* ... so often */
    bool failed;            /* no processes */
};

/* ---- candidates ------------------------------------------------------------------------------ */

/* Begins an empty list of candidates. */
void shrinker_clear(struct shrinker *shrinker);

/* Adds a copy of the best so far, with faults of its own, to be changed by the caller until the
 * next call. */
struct scenario *shrinker_add(struct shrinker *shrinker);

/* The same with another input. */
struct scenario *shrinker_add_input(struct shrinker *shrinker, struct bytes input);

/* Takes the last candidate back: it could not be changed. */
void shrinker_drop_last(struct shrinker *shrinker);

/* The first candidate that fails in the same way becomes the best; `what` says what it is. False if
 * there is none. */
bool shrinker_try(struct shrinker *shrinker, const char *what);

/* Are there time and runs left, and a reason to go on? */
bool shrinker_goes_on(const struct shrinker *shrinker);

/* ---- the steps of a run (shrink_steps.c) ----------------------------------------------------- */

/* A step of the protocol, as a trigger can name it. */
struct step {
    enum fact_kind kind;
    uint32_t vertex;
    uint32_t subtask;
    uint64_t checkpoint;
};

/* When a fault took effect, and how many steps came before. */
struct firing {
    uint32_t fault; /* its number */
    uint32_t step_count;
    uint64_t time_ns;
};

/* What a run did; if it crashed, until then. */
struct recording {
    struct step *steps;
    uint32_t step_count;
    struct firing *firings;
    uint32_t firing_count;
};

/* Runs `scenario` with the best's input in a child process. Memory from the shrinker's arena. */
struct recording shrink_record(struct shrinker *shrinker, const struct scenario *scenario);

/* The trigger that waits for step number `index`. */
struct fault_trigger shrink_step_trigger(const struct recording *recording, uint32_t index);

/* ---- the parts: each true if it helped ------------------------------------------------------- */

/* Fewer faults: by deletion; by deletion and a change of another; by a fault at another step. */
bool shrink_delete_faults(struct shrinker *shrinker);
bool shrink_join_faults(struct shrinker *shrinker);
bool shrink_move_faults(struct shrinker *shrinker);

/* Simpler faults: verbs, objects, parameters and triggers; steps instead of times; round times. */
bool shrink_simplify_faults(struct shrinker *shrinker);
bool shrink_times_to_steps(struct shrinker *shrinker);
bool shrink_round_times(struct shrinker *shrinker);

/* A smaller and plainer run: generated records instead of a file, or fewer lines of it; fewer
 * records, keys, subtasks and TaskManagers; settings at their defaults or rounder; the seed 1. */
bool shrink_input(struct shrinker *shrinker);
bool shrink_quantities(struct shrinker *shrinker);
bool shrink_settings(struct shrinker *shrinker);

#endif
