/* enumerate_points.h - the moments of a run at which something can be broken, and the faults that
 * break it there. Used by enumerate.c only.
 *
 * Two strikes at one process are alike if it did nothing between them: no event was its own, no
 * message reached it or came from it, and it reported nothing. Then the second differs from the
 * first only in that the process is away a little later. */
#ifndef FAULTLINE_SIM_CAMPAIGN_ENUMERATE_POINTS_H
#define FAULTLINE_SIM_CAMPAIGN_ENUMERATE_POINTS_H

#include "model/base/arena.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario.h"

/* What a process had done when something was reported: so many things. */
struct moment {
    uint32_t process; /* UINT32_MAX: it is not known which */
    uint64_t done;
};

/* Whom a strike at a point can hit. */
enum victim { VICTIM_JOB_MANAGER, VICTIM_PARTICIPANT, VICTIM_COUNT };

/* A fact about one participant, in one checkpoint, for the n-th time. */
struct point {
    enum fact_kind fact;
    uint32_t vertex; /* FACT_NO_TASK: of the job */
    uint32_t subtask;
    uint64_t checkpoint; /* 0: none */
    uint32_t occurrence; /* from 1 */
    struct moment moments[VICTIM_COUNT];
};

struct point_list {
    struct arena *arena;
    struct point *points;
    size_t count;
    size_t capacity;
};

/* A number for each process. */
struct process_table {
    struct arena *arena;
    uint64_t *values;
    size_t count;
    size_t capacity;
};

/* Gathers the points of a run, and where its first fault stands among them. */
struct point_learner {
    struct point_list seen;     /* every point, in order */
    struct process_table done;  /* by each process so far */
    struct process_table tasks; /* which process a subtask ran in last, + 1 */
    bool fired;
    size_t first; /* of the points after the first fault took effect */
    bool running; /* the job runs again since */
    bool recovered;
    size_t end; /* behind the first checkpoint that was completed since */
};

void point_learner_init(struct point_learner *learner, struct arena *arena);
struct run_observer point_learner_observer(struct point_learner *learner);

/* Of the points seen, those of the first `checkpoint_max` checkpoints, of the last one and of none,
 * at most `occurrence_max` of each kind; and at most `count_max` in all. */
struct point_list points_select(const struct point_learner *learner, uint64_t checkpoint_max,
                                uint32_t occurrence_max, size_t count_max, struct arena *arena);

/* Something done at a point; `step` points after another strike, 0: after none. */
struct strike {
    struct point point;
    uint32_t way;
    uint32_t step;
};

/* What can be done at a point: so many ways, and the fault of way number `way`. */
uint32_t point_way_count(const struct point *point);
struct fault strike_fault(const struct strike *strike, uint64_t for_ns);

/* The ways that kill one process each; the others cut power. */
bool point_way_is_process(const struct point *point, uint32_t way);

/* Is this strike, of a process, unlike every one that was asked about with the same table before?
 * They must come in the order of their points. */
bool strike_is_new(struct process_table *struck, const struct strike *strike);

struct strike_list {
    struct arena *arena;
    struct strike *strikes;
    size_t count;
    size_t capacity;
};

/* What can follow the fault of the run, of which `first` is known to be: each kill of a process at
 * one of the next `step_max` points, but for those like one before; and no more once the job runs
 * again and has completed a checkpoint. */
struct strike_list strikes_after(const struct point_learner *learner, const struct strike *first,
                                 uint32_t step_max, struct arena *arena);

#endif
