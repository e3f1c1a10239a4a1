#include "sim/live/live_faults.h"

#include "model/base/check.h"
#include "model/runtime/process.h"
#include "sim/live/live_effects.h"

#define NEVER UINT64_MAX

/* What is to be done at a time. */
enum duty_kind { DUTY_FIRE, DUTY_ASK, DUTY_START, DUTY_RESUME };
struct duty {
    uint64_t due_ns;
    enum duty_kind kind;
    uint32_t number; /* of the fault, or of the process */
    bool is_done;
};

struct live_faults {
    struct arena *arena;
    struct fault_book book;
    const struct pipeline *pipeline;
    const char *shared;
    struct live_cluster *cluster;
    uint64_t *paused_until_ns; /* by process */
    struct duty *duties;
    size_t duty_count;
    size_t duty_capacity;
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

uint64_t live_faults_waits(const struct live_faults *faults)
{
    uint64_t waits = 0;
    for (uint32_t i = 0; i < faults->book.scenario->fault_count; i++) {
        const struct fault_trigger *trigger = &faults->book.scenario->faults[i].trigger;
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

static bool strike_process(struct live_faults *faults, const struct fault *fault, uint32_t process)
{
    uint64_t end_ns = live_cluster_now_ns(faults->cluster) + fault->for_ns;
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

static bool strike_processes(struct live_faults *faults, const struct fault *fault,
                             struct process_range range)
{
    bool fired = false;
    for (uint32_t i = range.first; i <= range.last; i++) {
        fired = strike_process(faults, fault, i) || fired;
    }
    return fired;
}

static bool strike(void *context, uint32_t number, const struct fault_target *target)
{
    struct live_faults *faults = context;
    const struct fault *fault = faults->book.records[number].fault;
    switch (fault->verb) {
    case FAULT_CRASH:
    case FAULT_PAUSE: return strike_processes(faults, fault, target->one);
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE: return live_effect_damage(fault, faults->shared, faults->book.hooks);
    case FAULT_HOT_KEY: /* the input is made like that: fault_input.h */
    case FAULT_BURST:
    case FAULT_POISON:
    case FAULT_RESCALE: return true;
    default: break;
    }
    return live_effect_apply(&(struct live_effect){ .cluster = faults->cluster,
                                                    .pipeline = faults->pipeline,
                                                    .process_count = faults->book.process_count,
                                                    .now_ns = live_cluster_now_ns(faults->cluster),
                                                    .fault = fault,
                                                    .number = number,
                                                    .target = *target });
}

/* ---- the stage ------------------------------------------------------------------------------- */

static uint64_t now_ns(void *context)
{
    return live_cluster_now_ns(((struct live_faults *)context)->cluster);
}

static void call_at(void *context, uint64_t due_ns, enum fault_duty duty, uint32_t number)
{
    add_duty(context, due_ns, duty == FAULT_DUTY_FIRE ? DUTY_FIRE : DUTY_ASK, number);
}

static void tell(void *context, uint32_t kind, struct bytes data)
{
    (void)live_cluster_tell(((struct live_faults *)context)->cluster, PROCESS_JOB_MANAGER, kind,
                            data);
}

struct live_faults *live_faults_create(struct arena *arena, const struct scenario *scenario,
                                       const struct pipeline *pipeline, const char *shared,
                                       struct fault_hooks hooks)
{
    struct live_faults *faults = arena_alloc(arena, 1, sizeof *faults);
    *faults = (struct live_faults){ .arena = arena, .pipeline = pipeline, .shared = shared };
    struct fault_stage stage = {
        .now_ns = now_ns, .strike = strike, .call_at = call_at, .tell = tell, .context = faults
    };
    fault_book_init(&faults->book, arena, scenario, stage, hooks);
    faults->paused_until_ns =
        arena_alloc(arena, faults->book.process_count, sizeof *faults->paused_until_ns);
    return faults;
}

void live_faults_on_fact(struct live_faults *faults, const struct fact_event *event)
{
    fault_book_on_fact(&faults->book, event);
}

void live_faults_on_struck(struct live_faults *faults, const struct live_struck *struck)
{
    fault_book_on_hit(&faults->book, struck->number, struck->time_ns);
}

static bool do_duty(struct live_faults *faults, const struct duty *duty)
{
    switch (duty->kind) {
    case DUTY_FIRE: fault_book_do(&faults->book, FAULT_DUTY_FIRE, duty->number); return true;
    case DUTY_ASK: fault_book_do(&faults->book, FAULT_DUTY_ASK, duty->number); return true;
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
    return faults->book.records;
}

uint64_t live_faults_last_ns(const struct live_faults *faults)
{
    return faults->book.last_ns;
}
