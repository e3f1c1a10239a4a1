#include "sim/campaign/enumerate_points.h"

#include "model/base/check.h"
#include "model/host.h"
#include "model/runtime/process.h"

#define NOWHERE UINT32_MAX

void point_learner_init(struct point_learner *learner, struct arena *arena)
{
    *learner = (struct point_learner){ .seen = { .arena = arena },
                                       .done = { .arena = arena },
                                       .tasks = { .arena = arena } };
}

static uint64_t *table_at(struct process_table *table, size_t index)
{
    table->values =
        arena_grow(table->arena, table->values, &table->capacity, index + 1, sizeof *table->values);
    while (table->count <= index) {
        table->values[table->count++] = 0;
    }
    return &table->values[index];
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

/* The JobManager is the participant of a fact of the job, and the first subtask of the last vertex
 * stands for the others. */
static struct fault_object participant_of(const struct point *point)
{
    bool of_task = point->vertex != FACT_NO_TASK;
    return (struct fault_object){ .kind = OBJECT_TASK,
                                  .vertex = of_task ? point->vertex : 1,
                                  .index = of_task ? point->subtask : 0 };
}

/* Where a task's place in the table of tasks is. */
static size_t task_index(uint32_t vertex, uint32_t subtask)
{
    CHECK(vertex < PIPELINE_VERTEX_COUNT_MAX);
    return (size_t)subtask * PIPELINE_VERTEX_COUNT_MAX + vertex;
}

static void note_moments(struct point_learner *learner, struct point *point)
{
    struct fault_object participant = participant_of(point);
    uint64_t place = *table_at(&learner->tasks, task_index(participant.vertex, participant.index));
    struct moment *moments = point->moments;
    moments[VICTIM_JOB_MANAGER] =
        (struct moment){ PROCESS_JOB_MANAGER, *table_at(&learner->done, PROCESS_JOB_MANAGER) };
    moments[VICTIM_PARTICIPANT] = (struct moment){ NOWHERE, 0 };
    if (place > 0) {
        uint32_t process = (uint32_t)place - 1;
        moments[VICTIM_PARTICIPANT] =
            (struct moment){ process, *table_at(&learner->done, process) };
    }
}

/* What a failure leads to is over when the job runs again and has completed a checkpoint. */
static void note_recovery(struct point_learner *learner, enum fact_kind fact)
{
    if (!learner->fired || learner->recovered) {
        return;
    }
    learner->running =
        fact == FACT_JOB_RUNNING || (learner->running && fact != FACT_FAILURE_DETECTED);
    if (learner->running && fact == FACT_CHECKPOINT_COMPLETED) {
        learner->recovered = true;
        learner->end = learner->seen.count;
    }
}

static void note_fact(void *context, const struct fact_event *event)
{
    struct point_learner *learner = context;
    const struct fact *fact = &event->fact;
    uint32_t process = actor_process(event->actor);
    ++*table_at(&learner->done, process);
    if (fact->kind == FACT_TASK_STARTED) {
        *table_at(&learner->tasks, task_index(fact->vertex, fact->subtask)) = process + 1;
    }
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
    note_moments(learner, &point);
    list_add(&learner->seen, point);
    note_recovery(learner, fact->kind);
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

/* A message that arrives is something done by both its ends: had its sender died before, it would
 * have been lost. */
static void note_event(void *context, const struct world *world)
{
    struct point_learner *learner = context;
    struct world_event_note note = world_last_event(world);
    bool is_message = note.from != 0;
    if (is_message) {
        ++*table_at(&learner->done, actor_process(note.from));
    }
    if (is_message || actor_incarnation(note.to) != HOST_INCARNATION_ANY) {
        ++*table_at(&learner->done, actor_process(note.to));
    }
}

struct run_observer point_learner_observer(struct point_learner *learner)
{
    CHECK(learner->seen.count == 0);
    return (struct run_observer){
        .on_fact = note_fact, .on_fired = note_fired, .on_event = note_event, .context = learner
    };
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
    for (size_t i = 0; i < learner->seen.count && selected.count < count_max; i++) {
        const struct point *point = &learner->seen.points[i];
        bool near = point->checkpoint <= checkpoint_max || point->checkpoint == last;
        if (near && point->occurrence <= occurrence_max) {
            list_add(&selected, *point);
        }
    }
    return selected;
}

/* Each victim dies as a process, or with its machine, whose unsynced data is lost or torn. */
enum { WAYS_OF_ONE = 3, WAY_COUNT = VICTIM_COUNT * WAYS_OF_ONE };

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

struct fault strike_fault(const struct strike *strike, uint64_t for_ns)
{
    const struct point *point = &strike->point;
    uint32_t way = strike->way;
    CHECK(way < point_way_count(point));
    CHECK(for_ns > 0);
    static const enum disk_survival survivals[WAYS_OF_ONE] = { DISK_KEEP, DISK_LOSE, DISK_TEAR };
    struct fault fault = { .verb = FAULT_CRASH, .for_ns = for_ns };
    fault.trigger = (struct fault_trigger){ .kind = TRIGGER_WHEN,
                                            .fact = point->fact,
                                            .checkpoint = point->checkpoint,
                                            .vertex = point->vertex,
                                            .subtask = point->subtask,
                                            .occurrence = point->occurrence };
    fault.object = way / WAYS_OF_ONE == VICTIM_PARTICIPANT
                       ? participant_of(point)
                       : (struct fault_object){ .kind = OBJECT_JOB_MANAGER };
    fault.object.machine = way % WAYS_OF_ONE != 0;
    fault.unsynced = survivals[way % WAYS_OF_ONE];
    return fault;
}

bool strike_is_new(struct process_table *struck, const struct strike *strike)
{
    CHECK(point_way_is_process(&strike->point, strike->way));
    struct moment moment = strike->point.moments[strike->way / WAYS_OF_ONE];
    if (moment.process == NOWHERE) {
        return false; /* there is nobody to strike */
    }
    uint64_t *last = table_at(struck, moment.process);
    CHECK(moment.done + 1 >= *last);
    bool is_new = moment.done + 1 > *last;
    *last = moment.done + 1;
    return is_new;
}

struct strike_list strikes_after(const struct point_learner *learner, const struct strike *first,
                                 uint32_t step_max, struct arena *arena)
{
    struct strike_list list = { .arena = arena };
    struct process_table struck = { .arena = arena };
    (void)strike_is_new(&struck, first); /* whoever is dead need not be struck */
    size_t begin = learner->fired ? learner->first : learner->seen.count;
    size_t end = learner->recovered ? learner->end : learner->seen.count;
    for (size_t i = begin; i < end && i - begin < step_max; i++) {
        struct strike strike = { .point = learner->seen.points[i],
                                 .step = (uint32_t)(i - begin) + 1 };
        for (strike.way = 0; strike.way < WAY_COUNT; strike.way += WAYS_OF_ONE) {
            if (strike_is_new(&struck, &strike)) {
                list.strikes = arena_grow(arena, list.strikes, &list.capacity, list.count + 1,
                                          sizeof *list.strikes);
                list.strikes[list.count++] = strike;
            }
        }
    }
    return list;
}
