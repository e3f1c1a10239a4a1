#include "sim/live/live_faults.h"

#include "model/base/check.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "sim/live/live_effects.h"

#define NOWHERE UINT32_MAX
#define NEVER   UINT64_MAX

enum { ASK_AGAIN_NS = 200 * 1000 * 1000 };

/* What is to be done at a time. */
enum duty_kind { DUTY_STRIKE, DUTY_START, DUTY_RESUME, DUTY_ASK };
struct duty {
    uint64_t due_ns;
    enum duty_kind kind;
    uint32_t number; /* of the fault, or of the process */
    bool is_done;
};

struct live_faults {
    struct arena *arena;
    const struct scenario *scenario;
    const struct pipeline *pipeline;
    const char *shared;
    uint32_t parallelism_max;
    struct live_cluster *cluster;
    struct fault_hooks hooks;
    struct fault_record *records; /* by fault */
    uint32_t *location; /* by global index of a subtask: the process that ran it last; NOWHERE */
    size_t location_count;
    size_t location_capacity;
    uint64_t *paused_until_ns; /* by process */
    uint32_t process_count;
    struct duty *duties;
    size_t duty_count;
    size_t duty_capacity;
    uint64_t last_ns;
};

const char *live_fault_refusal(const struct fault *fault)
{
    switch (fault->verb) {
    case FAULT_CRASH:
    case FAULT_PAUSE:
    case FAULT_HOT_KEY:
    case FAULT_BURST:
    case FAULT_POISON:
    case FAULT_DELAY:
    case FAULT_THROTTLE:
    case FAULT_CLOG:
    case FAULT_PARTITION:
    case FAULT_SWIZZLE:
    case FAULT_DUPLICATE:
    case FAULT_STALL:
    case FAULT_FULL:
    case FAULT_IO_ERROR:
    case FAULT_AMBIGUOUS:
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE:
    case FAULT_RESCALE: return NULL;
    case FAULT_WIPE: return "the power of a machine cannot be cut";
    case FAULT_LIE: return "only a power cut would tell, and power cannot be cut";
    case FAULT_SLOW:
    case FAULT_LATE:
    case FAULT_CLOCK: return "all processes share the clock and the processors of one machine";
    case FAULT_RESET:
        return fault->object.kind != OBJECT_LINK
                   ? NULL
                   : "all links between two processes share one connection, which can be named";
    case FAULT_THROW: return "user code runs as it is";
    case FAULT_VERB_COUNT: break;
    }
    CHECK_UNREACHABLE("a verb");
}

static void add_duty(struct live_faults *faults, uint64_t due_ns, enum duty_kind kind,
                     uint32_t number)
{
    faults->duties = arena_grow(faults->arena, faults->duties, &faults->duty_capacity,
                                faults->duty_count + 1, sizeof *faults->duties);
    faults->duties[faults->duty_count++] =
        (struct duty){ .due_ns = due_ns, .kind = kind, .number = number };
}

struct live_faults *live_faults_create(struct arena *arena, const struct scenario *scenario,
                                       const struct pipeline *pipeline, const char *shared,
                                       struct fault_hooks hooks)
{
    struct live_faults *faults = arena_alloc(arena, 1, sizeof *faults);
    *faults = (struct live_faults){
        .arena = arena,
        .scenario = scenario,
        .pipeline = pipeline,
        .shared = shared,
        .parallelism_max = scenario_parallelism_max(scenario),
        .hooks = hooks,
    };
    faults->process_count = PROCESS_FIRST_TASK_MANAGER + scenario->job.task_managers;
    faults->records = arena_alloc(arena, scenario->fault_count, sizeof *faults->records);
    faults->paused_until_ns =
        arena_alloc(arena, faults->process_count, sizeof *faults->paused_until_ns);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        faults->records[i].fault = &scenario->faults[i];
        if (scenario->faults[i].trigger.kind == TRIGGER_AT) {
            add_duty(faults, scenario->faults[i].trigger.at_ns, DUTY_STRIKE, i);
        }
    }
    return faults;
}

uint64_t live_faults_waits(const struct live_faults *faults)
{
    uint64_t waits = 0;
    for (uint32_t i = 0; i < faults->scenario->fault_count; i++) {
        const struct fault_trigger *trigger = &faults->scenario->faults[i].trigger;
        if (trigger->kind == TRIGGER_WHEN) {
            waits |= UINT64_C(1) << trigger->fact;
        }
    }
    return waits;
}

void live_faults_attach(struct live_faults *faults, struct live_cluster *cluster)
{
    CHECK(faults->cluster == NULL);
    faults->cluster = cluster;
}

/* ---- striking -------------------------------------------------------------------------------- */

static uint32_t process_of_task(const struct live_faults *faults, uint32_t vertex, uint32_t subtask)
{
    size_t index = (size_t)vertex * faults->parallelism_max + subtask;
    return index < faults->location_count ? faults->location[index] : NOWHERE;
}

/* The processes that a process object names, or all; false: nobody knows where the subtask runs. */
static bool find_range(const struct live_faults *faults, enum fault_object_kind kind,
                       uint32_t index, uint32_t vertex, struct process_range *range)
{
    uint32_t last = faults->process_count - 1;
    uint32_t process = PROCESS_JOB_MANAGER;
    switch (kind) {
    case OBJECT_JOB_MANAGER: break;
    case OBJECT_TASK_MANAGER: process = PROCESS_FIRST_TASK_MANAGER + index; break;
    case OBJECT_TASK: process = process_of_task(faults, vertex, index); break;
    case OBJECT_ALL_TASK_MANAGERS:
        *range = (struct process_range){ PROCESS_FIRST_TASK_MANAGER, last };
        return last >= PROCESS_FIRST_TASK_MANAGER;
    default: *range = (struct process_range){ 0, last }; return true;
    }
    *range = (struct process_range){ process, process };
    return process <= last;
}

static bool find_ranges(const struct live_faults *faults, const struct fault_object *object,
                        struct live_effect *effect)
{
    if (object->kind == OBJECT_CONNECTION) {
        const struct fault_peer *first = &object->first;
        const struct fault_peer *other = &object->other;
        return find_range(faults, first->kind, first->index, first->vertex, &effect->one) &&
               find_range(faults, other->kind, other->index, other->vertex, &effect->other);
    }
    return find_range(faults, object->kind, object->index, object->vertex, &effect->one) &&
           find_range(faults, OBJECT_NETWORK, 0, 0, &effect->other);
}

static bool strike_process(struct live_faults *faults, const struct fault *fault, uint32_t process,
                           uint64_t now_ns)
{
    uint64_t end_ns = now_ns + fault->for_ns;
    if (fault->verb == FAULT_CRASH) {
        bool was_alive = live_cluster_kill(faults->cluster, process);
        if (was_alive && !fault->for_ever) {
            add_duty(faults, end_ns, DUTY_START, process);
        }
        return was_alive;
    }
    bool was_alive = live_cluster_pause(faults->cluster, process);
    if (was_alive && end_ns > faults->paused_until_ns[process]) {
        faults->paused_until_ns[process] = end_ns;
        add_duty(faults, end_ns, DUTY_RESUME, process);
    }
    return was_alive;
}

static bool strike_processes(struct live_faults *faults, const struct live_effect *effect)
{
    bool fired = false;
    for (uint32_t i = effect->one.first; i <= effect->one.last; i++) {
        fired = strike_process(faults, effect->fault, i, effect->now_ns) || fired;
    }
    return fired;
}

static bool strike(struct live_faults *faults, uint32_t number, uint64_t now_ns)
{
    const struct fault *fault = &faults->scenario->faults[number];
    struct live_effect effect = { .cluster = faults->cluster,
                                  .pipeline = faults->pipeline,
                                  .process_count = faults->process_count,
                                  .now_ns = now_ns,
                                  .fault = fault,
                                  .number = number };
    if (!find_ranges(faults, &fault->object, &effect)) {
        return false;
    }
    switch (fault->verb) {
    case FAULT_CRASH:
    case FAULT_PAUSE: return strike_processes(faults, &effect);
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE: return live_effect_damage(fault, faults->shared, faults->hooks);
    case FAULT_HOT_KEY: /* the input is made like that: fault_input.h */
    case FAULT_BURST:
    case FAULT_POISON: return true;
    case FAULT_RESCALE: add_duty(faults, now_ns, DUTY_ASK, number); return true;
    default: return live_effect_apply(&effect);
    }
}

/* The fault had an effect, at `now_ns`, the first of it. */
static void note_effect(struct live_faults *faults, struct fault_record *record, uint64_t now_ns)
{
    const struct fault *fault = record->fault;
    if (record->fired) {
        return;
    }
    uint64_t end_ns = record->armed_ns + (fault->for_ever ? 0 : fault->for_ns);
    record->fired = true;
    record->fired_ns = now_ns;
    record->ended_ns = end_ns > now_ns ? end_ns : now_ns;
    if (record->ended_ns > faults->last_ns) {
        faults->last_ns = record->ended_ns;
    }
    faults->hooks.on_fired(faults->hooks.context, record);
}

static void fire(struct live_faults *faults, uint32_t number)
{
    struct fault_record *record = &faults->records[number];
    uint64_t now_ns = live_cluster_now_ns(faults->cluster);
    if (record->armed || !strike(faults, number, now_ns)) {
        return;
    }
    record->armed = true;
    record->armed_ns = now_ns;
    if (!fault_waits_for_a_hit(record->fault)) {
        note_effect(faults, record, now_ns);
    }
}

void live_faults_on_struck(struct live_faults *faults, const struct live_struck *struck)
{
    CHECK(struck->number < faults->scenario->fault_count);
    note_effect(faults, &faults->records[struck->number], struck->time_ns);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The rescale that was asked for first and is not answered; NULL: there is none. */
static struct fault_record *asked(struct live_faults *faults)
{
    struct fault_record *first = NULL;
    for (uint32_t i = 0; i < faults->scenario->fault_count; i++) {
        struct fault_record *record = &faults->records[i];
        bool is_open = record->fault->verb == FAULT_RESCALE && record->armed && !record->fired;
        if (is_open && (first == NULL || record->armed_ns < first->armed_ns)) {
            first = record;
        }
    }
    return first;
}

/* Whoever asked waits for an answer, and asks again if the JobManager is dead or in trouble. */
static void ask(struct live_faults *faults, uint32_t number)
{
    const struct fault_record *record = &faults->records[number];
    if (record->fired) {
        return;
    }
    if (asked(faults) == record) {
        struct rescale_request request = { .parallelism = record->fault->parallelism,
                                           .max_parallelism = record->fault->max_parallelism };
        struct buffer bytes;
        buffer_init(&bytes, faults->arena);
        rescale_request_encode(&bytes, &request);
        (void)live_cluster_tell(faults->cluster, PROCESS_JOB_MANAGER, MESSAGE_RESCALE,
                                buffer_bytes(&bytes));
        buffer_free(&bytes);
    }
    add_duty(faults, live_cluster_now_ns(faults->cluster) + ASK_AGAIN_NS, DUTY_ASK, number);
}

/* Requests are made one after the other: an answer is that to the first. */
static void note_answer(struct live_faults *faults, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    if (fact->kind != FACT_RESCALE_ACCEPTED && fact->kind != FACT_RESCALE_REFUSED) {
        return;
    }
    struct fault_record *record = asked(faults);
    if (record != NULL && record->fault->parallelism == fact->values[0]) {
        note_effect(faults, record, event->time_ns);
    }
}

/* ---- triggers -------------------------------------------------------------------------------- */

static void note_location(struct live_faults *faults, const struct fact_event *event)
{
    size_t index = (size_t)event->fact.vertex * faults->parallelism_max + event->fact.subtask;
    faults->location = arena_grow(faults->arena, faults->location, &faults->location_capacity,
                                  index + 1, sizeof *faults->location);
    while (faults->location_count <= index) {
        faults->location[faults->location_count++] = NOWHERE;
    }
    faults->location[index] = actor_process(event->actor);
}

void live_faults_on_fact(struct live_faults *faults, const struct fact_event *event)
{
    if (event->fact.kind == FACT_TASK_STARTED) {
        note_location(faults, event);
    }
    note_answer(faults, event);
    for (uint32_t i = 0; i < faults->scenario->fault_count; i++) {
        struct fault_record *record = &faults->records[i];
        const struct fault_trigger *trigger = &record->fault->trigger;
        if (record->armed || !fault_trigger_matches(trigger, &event->fact) ||
            ++record->matches != trigger->occurrence) {
            continue;
        }
        if (trigger->after_ns > 0) {
            add_duty(faults, event->time_ns + trigger->after_ns, DUTY_STRIKE, i);
        } else {
            fire(faults, i);
        }
    }
}

static bool do_duty(struct live_faults *faults, const struct duty *duty)
{
    switch (duty->kind) {
    case DUTY_STRIKE: fire(faults, duty->number); return true;
    case DUTY_RESUME:
        if (duty->due_ns >= faults->paused_until_ns[duty->number]) {
            (void)live_cluster_resume(faults->cluster, duty->number);
        }
        return true;
    case DUTY_ASK: ask(faults, duty->number); return true;
    case DUTY_START:
        return live_cluster_is_alive(faults->cluster, duty->number) ||
               live_cluster_start(faults->cluster, duty->number);
    }
    CHECK_UNREACHABLE("a duty");
}

uint64_t live_faults_work(struct live_faults *faults, bool *started)
{
    uint64_t next_ns = NEVER;
    *started = true;
    for (size_t i = 0; i < faults->duty_count; i++) { /* doing one may add others */
        struct duty duty = faults->duties[i];
        if (!duty.is_done && duty.due_ns <= live_cluster_now_ns(faults->cluster)) {
            faults->duties[i].is_done = true;
            *started = do_duty(faults, &duty) && *started;
        } else if (!duty.is_done && duty.due_ns < next_ns) {
            next_ns = duty.due_ns;
        }
    }
    return next_ns;
}

const struct fault_record *live_faults_records(const struct live_faults *faults)
{
    return faults->records;
}

uint64_t live_faults_last_ns(const struct live_faults *faults)
{
    return faults->last_ns;
}
