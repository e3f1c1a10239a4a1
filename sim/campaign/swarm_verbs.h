/* swarm_verbs.h - the table of what a swarm does to whom, with what. Used by swarm.c only.
 *
 * To add a verb, add a row. Every row must be survivable: its effect ends by itself, or is allowed
 * to end in a refusal (fault_consequences.h). */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWARM_VERBS_H
#define FAULTLINE_SIM_CAMPAIGN_SWARM_VERBS_H

#include <stdint.h>

#include "sim/scenario/scenario.h"

enum swarm_parameter_kind {
    DRAW_NONE,
    DRAW_DURATION,
    DRAW_NUMBER,
    DRAW_BANDWIDTH,
    DRAW_CHOICE,      /* one of `choices` */
    DRAW_PARALLELISM, /* what the slots and key groups of the run allow */
};

struct swarm_parameter {
    const char *key;
    enum swarm_parameter_kind kind;
    uint64_t low; /* uniform over the orders of magnitude between these */
    uint64_t high;
    const char *const *choices; /* ends with NULL */
};

enum { SWARM_PARAMETER_MAX = 3 };

/* What a row needs, as bits. */
enum {
    ROW_AT_A_TIME = 1,     /* its trigger is `at` */
    ROW_RATED_INPUT = 2,   /* generated records with a rate */
    ROW_SKIPS_RECORDS = 4, /* job.bad_records is "skip" */
    ROW_AT_A_STEP = 8      /* it matters only while something is written, or read */
};

/* A verb may have several rows, each with a weight of its own. In an object, "@task" is a vertex of
 * the job, "@link" an edge. An object that stands there twice is drawn twice as often. */
struct swarm_row {
    enum fault_verb verb;
    uint32_t needs;
    const char *const *objects; /* ends with NULL */
    struct swarm_parameter parameters[SWARM_PARAMETER_MAX];
};

extern const struct swarm_row swarm_rows[];
enum { SWARM_ROW_COUNT_MAX = 64 };
extern const uint32_t swarm_row_count;

#endif
