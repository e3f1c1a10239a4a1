/* enumerate_points.h - the moments of a run at which something can be broken, and the faults that
 * break it there. Used by enumerate.c only. */
#ifndef FAULTLINE_SIM_CAMPAIGN_ENUMERATE_POINTS_H
#define FAULTLINE_SIM_CAMPAIGN_ENUMERATE_POINTS_H

#include "model/base/arena.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario.h"

/* A fact about one participant, in one checkpoint, for the n-th time. */
struct point {
    enum fact_kind fact;
    uint32_t vertex; /* FACT_NO_TASK: of the job */
    uint32_t subtask;
    uint64_t checkpoint; /* 0: none */
    uint32_t occurrence; /* from 1 */
};

struct point_list {
    struct arena *arena;
    struct point *points;
    size_t count;
    size_t capacity;
};

/* Gathers the points of a run. */
struct point_learner {
    struct point_list seen; /* every point, in order */
    bool waits_for_fault;   /* only what comes after the first fault took effect is gathered ... */
    size_t first;           /* ... from this one on */
    bool fired;
};

void point_learner_init(struct point_learner *learner, struct arena *arena, bool waits_for_fault);
struct run_observer point_learner_observer(struct point_learner *learner);

/* Of the points seen, those of the first `checkpoint_max` checkpoints, of the last one and of none,
 * at most `occurrence_max` of each kind; and at most `count_max` in all. */
struct point_list points_select(const struct point_learner *learner, uint64_t checkpoint_max,
                                uint32_t occurrence_max, size_t count_max, struct arena *arena);

/* What can be done at a point: so many ways, and the fault of way number `way`. */
uint32_t point_way_count(const struct point *point);
struct fault point_fault(const struct point *point, uint32_t way, uint64_t for_ns);

/* The ways that kill one process each; the others cut power. */
bool point_way_is_process(const struct point *point, uint32_t way);

#endif
