#include "sim/campaign/enumerate_points.h"

#include "model/base/check.h"

void point_learner_init(struct point_learner *learner, struct arena *arena, bool waits_for_fault)
{
    *learner = (struct point_learner){ .seen = { .arena = arena },
                                       .waits_for_fault = waits_for_fault,
                                       .fired = !waits_for_fault };
}

static void list_add(struct point_list *list, struct point point)
{
    list->points = arena_grow(list->arena, list->points, &list->capacity, list->count + 1,
                              sizeof *list->points);
    list->points[list->count++] = point;
}

static bool is_alike(const struct point *a, const struct point *b)
{
    return a->fact == b->fact && a->vertex == b->vertex && a->subtask == b->subtask &&
           a->checkpoint == b->checkpoint;
}

/* What says nothing about the protocol's steps is no point. */
static bool is_step(enum fact_kind fact)
{
    return fact != FACT_MARK && fact != FACT_SOURCE_PROGRESS && fact != FACT_RECORD_SKIPPED;
}

static void note_fact(void *context, const struct fact_event *event)
{
    struct point_learner *learner = context;
    const struct fact *fact = &event->fact;
    if (!is_step(fact->kind)) {
        return;
    }
    bool of_task = fact->vertex != FACT_NO_TASK;
    struct point point = { .fact = fact->kind,
                           .vertex = fact->vertex,
                           .subtask = of_task ? fact->subtask : FACT_NO_TASK,
                           .checkpoint = fact->checkpoint,
                           .occurrence = 1 };
    const struct point_list *seen = &learner->seen;
    for (size_t i = seen->count; i > 0; i--) {
        if (is_alike(&seen->points[i - 1], &point)) {
            point.occurrence = seen->points[i - 1].occurrence + 1;
            break;
        }
    }
    list_add(&learner->seen, point);
}

static void note_fired(void *context, const struct fault_record *record)
{
    struct point_learner *learner = context;
    CHECK(record->fired);
    if (!learner->fired && record->fault->verb != FAULT_RESCALE) {
        learner->fired = true;
        learner->first = learner->seen.count;
    }
}

struct run_observer point_learner_observer(struct point_learner *learner)
{
    CHECK(learner->seen.count == 0);
    return (
        struct run_observer){ .on_fact = note_fact, .on_fired = note_fired, .context = learner };
}

struct point_list points_select(const struct point_learner *learner, uint64_t checkpoint_max,
                                uint32_t occurrence_max, size_t count_max, struct arena *arena)
{
    CHECK(occurrence_max > 0);
    struct point_list selected = { .arena = arena };
    uint64_t last = 0;
    for (size_t i = 0; i < learner->seen.count; i++) {
        uint64_t checkpoint = learner->seen.points[i].checkpoint;
        last = checkpoint > last ? checkpoint : last;
    }
    size_t end = learner->fired ? learner->seen.count : 0;
    for (size_t i = learner->first; i < end && selected.count < count_max; i++) {
        const struct point *point = &learner->seen.points[i];
        bool near = learner->waits_for_fault || point->checkpoint <= checkpoint_max ||
                    point->checkpoint == last;
        uint32_t surplus = point->occurrence;
        if (learner->waits_for_fault) {
            surplus = 1; /* the fault before makes it another situation */
        }
        if (near && surplus <= occurrence_max) {
            list_add(&selected, *point);
        }
    }
    return selected;
}

/* The participant dies; the JobManager dies; and each as a process or with its machine, whose
 * unsynced data is lost or torn. At a fact of the job the JobManager is the participant, and the
 * first subtask of the last vertex stands for the others. */
enum { WAY_COUNT = 6, WAYS_OF_ONE = 3 };

uint32_t point_way_count(const struct point *point)
{
    CHECK(point->occurrence > 0);
    return WAY_COUNT;
}

bool point_way_is_process(const struct point *point, uint32_t way)
{
    CHECK(way < point_way_count(point));
    return way % WAYS_OF_ONE == 0;
}

struct fault point_fault(const struct point *point, uint32_t way, uint64_t for_ns)
{
    CHECK(way < point_way_count(point));
    CHECK(for_ns > 0);
    static const enum disk_survival survivals[WAYS_OF_ONE] = { DISK_KEEP, DISK_LOSE, DISK_TEAR };
    bool of_task = point->vertex != FACT_NO_TASK;
    struct fault fault = { .verb = FAULT_CRASH, .for_ns = for_ns };
    fault.trigger = (struct fault_trigger){ .kind = TRIGGER_WHEN,
                                            .fact = point->fact,
                                            .checkpoint = point->checkpoint,
                                            .vertex = point->vertex,
                                            .subtask = point->subtask,
                                            .occurrence = point->occurrence };
    fault.object.kind = way < WAYS_OF_ONE ? OBJECT_JOB_MANAGER : OBJECT_TASK;
    if (fault.object.kind == OBJECT_TASK) {
        fault.object.vertex = of_task ? point->vertex : 1;
        fault.object.index = of_task ? point->subtask : 0;
    }
    fault.object.machine = way % WAYS_OF_ONE != 0;
    fault.unsynced = survivals[way % WAYS_OF_ONE];
    return fault;
}
