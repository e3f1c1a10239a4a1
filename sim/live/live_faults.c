#include "sim/live/live_faults.h"

#include "model/base/check.h"
#include "model/runtime/process.h"

#define NOWHERE UINT32_MAX
#define NEVER   UINT64_MAX

/* What is to be done at a time. */
enum duty_kind { DUTY_STRIKE, DUTY_START, DUTY_RESUME };
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
    case FAULT_POISON: return NULL;
    case FAULT_WIPE: return "the power of a machine cannot be cut";
    case FAULT_FULL: return "there is no quota to be had for a folder";
    case FAULT_SLOW:
    case FAULT_LATE:
    case FAULT_CLOCK: return "all processes share the clock and the processors of one machine";
    case FAULT_STALL:
    case FAULT_IO_ERROR:
    case FAULT_AMBIGUOUS:
    case FAULT_LIE:
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE: return "the file system is a real one";
    case FAULT_DELAY:
        return fault->object.kind == OBJECT_LINK && fault->jitter_ns == 0
                   ? NULL
                   : "only a whole link can be delayed, and always by the same time";
    case FAULT_THROTTLE:
    case FAULT_CLOG:
    case FAULT_PARTITION:
    case FAULT_SWIZZLE:
    case FAULT_RESET:
    case FAULT_DUPLICATE: return "the sockets between the processes are real ones";
    case FAULT_THROW: return "user code runs as it is";
    case FAULT_RESCALE: return "nobody can ask a live JobManager for another parallelism yet";
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
                                       const struct pipeline *pipeline, struct fault_hooks hooks)
{
    struct live_faults *faults = arena_alloc(arena, 1, sizeof *faults);
    *faults = (struct live_faults){
        .arena = arena, .scenario = scenario, .pipeline = pipeline, .hooks = hooks
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
    size_t index = (size_t)vertex * faults->scenario->job.parallelism + subtask;
    return index < faults->location_count ? faults->location[index] : NOWHERE;
}

/* The processes first..last that a fault is about; false: nobody knows where the subtask runs. */
static bool find_range(const struct live_faults *faults, const struct fault_object *object,
                       uint32_t *first, uint32_t *last)
{
    *first = PROCESS_JOB_MANAGER;
    *last = *first;
    switch (object->kind) {
    case OBJECT_JOB_MANAGER: break;
    case OBJECT_TASK_MANAGER: *first = PROCESS_FIRST_TASK_MANAGER + object->index; break;
    case OBJECT_TASK: *first = process_of_task(faults, object->vertex, object->index); break;
    case OBJECT_ALL_TASK_MANAGERS:
        *first = PROCESS_FIRST_TASK_MANAGER;
        *last = faults->process_count - 1;
        return *first <= *last;
    default: CHECK_UNREACHABLE("an object of crash or pause");
    }
    *last = *first;
    return *first < faults->process_count;
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

static bool strike(struct live_faults *faults, const struct fault *fault, uint64_t now_ns)
{
    uint32_t first;
    uint32_t last;
    bool fired = false;
    if (fault->object.kind == OBJECT_INPUT) {
        return true; /* the input is made like that: fault_input.h */
    }
    if (fault->verb == FAULT_DELAY && live_fault_refusal(fault) == NULL) {
        int32_t edge =
            pipeline_edge(faults->pipeline, fault->object.vertex, fault->object.vertex_to);
        CHECK(edge >= 0);
        live_cluster_delay(faults->cluster, (uint32_t)edge + 1, fault->by_ns,
                           fault->for_ever ? NEVER : now_ns + fault->for_ns);
        return true;
    }
    if (live_fault_refusal(fault) != NULL || !find_range(faults, &fault->object, &first, &last)) {
        return false;
    }
    for (uint32_t i = first; i <= last; i++) {
        fired = strike_process(faults, fault, i, now_ns) || fired;
    }
    return fired;
}

static void fire(struct live_faults *faults, uint32_t number)
{
    struct fault_record *record = &faults->records[number];
    uint64_t now_ns = live_cluster_now_ns(faults->cluster);
    if (record->armed || !strike(faults, record->fault, now_ns)) {
        return;
    }
    record->armed = true;
    record->fired = true;
    record->armed_ns = now_ns;
    record->fired_ns = now_ns;
    record->ended_ns = now_ns + (record->fault->for_ever ? 0 : record->fault->for_ns);
    if (record->ended_ns > faults->last_ns) {
        faults->last_ns = record->ended_ns;
    }
    faults->hooks.on_fired(faults->hooks.context, record);
}

/* ---- triggers -------------------------------------------------------------------------------- */

static void note_location(struct live_faults *faults, const struct fact_event *event)
{
    size_t index =
        (size_t)event->fact.vertex * faults->scenario->job.parallelism + event->fact.subtask;
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
