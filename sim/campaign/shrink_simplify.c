/* Simpler faults: the number of them stays, each becomes easier to understand. A crash is simpler
 * than everything else that can be done, a step without numbers simpler than one with them. */
#include "model/base/check.h"
#include "sim/campaign/shrink_private.h"
#include "sim/scenario/scenario_short.h"

static const uint64_t ms_ns = UINT64_C(1000000);
static const uint64_t second_ns = UINT64_C(1000000000);

/* ---- verbs and objects ----------------------------------------------------------------------- */

enum { SIMPLE_PROCESS, SIMPLE_MACHINE, SIMPLE_ELSE };

/* The lower, the simpler. */
static int rank_of(const struct fault *fault)
{
    if (fault->verb != FAULT_CRASH) {
        return SIMPLE_ELSE;
    }
    return fault->object.machine ? SIMPLE_MACHINE : SIMPLE_PROCESS;
}

/* The processes that a fault has to do with: its object, the ends of its connection; of what has no
 * process, such as the store, any. */
static uint32_t processes_of(const struct fault *fault, struct fault_object objects[2])
{
    const struct fault_object *object = &fault->object;
    switch (object->kind) {
    case OBJECT_JOB_MANAGER:
    case OBJECT_TASK_MANAGER:
    case OBJECT_ALL_TASK_MANAGERS:
    case OBJECT_TASK:
        objects[0] = (struct fault_object){ .kind = object->kind,
                                            .index = object->index,
                                            .vertex = object->vertex };
        return 1;
    case OBJECT_CONNECTION:
        objects[0] = (struct fault_object){ .kind = object->first.kind,
                                            .index = object->first.index,
                                            .vertex = object->first.vertex };
        objects[1] = (struct fault_object){ .kind = object->other.kind,
                                            .index = object->other.index,
                                            .vertex = object->other.vertex };
        return 2;
    case OBJECT_LINK:
    case OBJECT_FILE:
    case OBJECT_NETWORK:
    case OBJECT_STORE:
    case OBJECT_JOB:
    case OBJECT_INPUT: break;
    }
    objects[0] = (struct fault_object){ .kind = OBJECT_JOB_MANAGER };
    objects[1] = (struct fault_object){ .kind = OBJECT_TASK_MANAGER };
    return 2;
}

static bool simplify_verb(struct shrinker *shrinker, uint32_t number)
{
    struct fault fault = shrinker->best.faults[number];
    struct fault_object objects[2];
    uint32_t count = processes_of(&fault, objects);
    shrinker_clear(shrinker);
    for (int rank = SIMPLE_PROCESS; rank < rank_of(&fault); rank++) {
        for (uint32_t i = 0; i < count; i++) {
            struct fault crash = { .trigger = fault.trigger,
                                   .verb = FAULT_CRASH,
                                   .object = objects[i],
                                   .for_ns = fault.for_ns > 0 ? fault.for_ns : second_ns };
            crash.object.machine = rank == SIMPLE_MACHINE;
            crash.unsynced = rank == SIMPLE_MACHINE ? DISK_LOSE : DISK_KEEP;
            shrinker_add(shrinker)->faults[number] = crash;
        }
    }
    return shrinker_try(shrinker, "a simpler fault");
}

/* Fewer words for the same process, or one process instead of all. */
static bool simplify_object(struct shrinker *shrinker, uint32_t number)
{
    struct fault_object object = shrinker->best.faults[number].object;
    bool is_one = object.kind == OBJECT_TASK || object.kind == OBJECT_TASK_MANAGER;
    shrinker_clear(shrinker);
    if (object.kind == OBJECT_ALL_TASK_MANAGERS || (is_one && object.index > 0)) {
        struct fault_object first = object;
        first.index = 0;
        if (object.kind == OBJECT_ALL_TASK_MANAGERS) {
            first.kind = OBJECT_TASK_MANAGER;
        }
        shrinker_add(shrinker)->faults[number].object = first;
    }
    return shrinker_try(shrinker, "a simpler object");
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* `*value` to each of the smaller ones among `choices`. `value` points into the fault `number` of
 * the best, at the same place of each candidate. */
static void add_choices(struct shrinker *shrinker, uint32_t number, size_t offset, size_t size,
                        const uint64_t *choices, size_t count)
{
    CHECK(size == sizeof(uint32_t) || size == sizeof(uint64_t));
    const uint8_t *from = (const uint8_t *)&shrinker->best.faults[number] + offset;
    uint64_t value = size == sizeof(uint32_t) ? *(const uint32_t *)from : *(const uint64_t *)from;
    for (size_t i = 0; i < count && choices[i] < value; i++) {
        uint8_t *to = (uint8_t *)&shrinker_add(shrinker)->faults[number] + offset;
        if (size == sizeof(uint32_t)) {
            *(uint32_t *)to = (uint32_t)choices[i];
        } else {
            *(uint64_t *)to = choices[i];
        }
    }
}

#define ADD_CHOICES(shrinker, number, member, choices)                                             \
    add_choices(shrinker, number, offsetof(struct fault, member),                                  \
                sizeof(((struct fault *)0)->member), choices,                                      \
                sizeof(choices) / sizeof(choices)[0])

/* What a power cut does: everything lost, before it is torn or drawn. */
static void add_unsynced(struct shrinker *shrinker, uint32_t number)
{
    static const enum disk_survival order[] = { DISK_LOSE, DISK_KEEP, DISK_TEAR };
    const struct fault *fault = &shrinker->best.faults[number];
    if (fault->verb != FAULT_CRASH || !fault->object.machine) {
        return;
    }
    for (size_t i = 0; i < sizeof order / sizeof *order && order[i] != fault->unsynced; i++) {
        shrinker_add(shrinker)->faults[number].unsynced = order[i];
    }
}

/* One kind of call instead of many. */
static void add_calls(struct shrinker *shrinker, uint32_t number)
{
    uint32_t calls = shrinker->best.faults[number].calls;
    for (uint32_t call = 1; (calls & (calls - 1)) != 0 && call <= HOST_STORAGE_ANY; call *= 2) {
        if ((calls & call) != 0) {
            shrinker_add(shrinker)->faults[number].calls = call;
        }
    }
}

static bool simplify_parameters(struct shrinker *shrinker, uint32_t number)
{
    static const uint64_t counts[] = { 1, 2 };
    static const uint64_t factors[] = { 2000000, 10000000 };
    static const uint64_t none[] = { 0 };
    const struct fault *fault = &shrinker->best.faults[number];
    shrinker_clear(shrinker);
    add_unsynced(shrinker, number);
    add_calls(shrinker, number);
    ADD_CHOICES(shrinker, number, jitter_ns, none);
    if (fault->count > 0) {
        ADD_CHOICES(shrinker, number, count, counts);
    }
    if (fault->factor_ppm > 0) {
        ADD_CHOICES(shrinker, number, factor_ppm, factors);
    }
    return shrinker_try(shrinker, "a simpler parameter");
}

/* ---- triggers -------------------------------------------------------------------------------- */

static uint32_t word_count(const struct fault_trigger *trigger)
{
    return (trigger->checkpoint > 0 ? 1u : 0u) + (trigger->subtask != FACT_NO_TASK ? 1u : 0u) +
           (trigger->occurrence > 1 ? 1u : 0u);
}

/* Fewer words, then lower numbers. */
static bool simplify_trigger(struct shrinker *shrinker, uint32_t number)
{
    enum { LOWER_MAX = 3 };
    struct fault_trigger trigger = shrinker->best.faults[number].trigger;
    if (trigger.kind != TRIGGER_WHEN) {
        return false;
    }
    shrinker_clear(shrinker);
    for (unsigned without = 7; without > 0; without--) {
        struct fault_trigger fewer = trigger;
        if ((without & 1) != 0) {
            fewer.occurrence = 1;
        }
        if ((without & 2) != 0) {
            fewer.checkpoint = 0;
        }
        if ((without & 4) != 0) {
            fewer.vertex = FACT_NO_TASK;
            fewer.subtask = FACT_NO_TASK;
        }
        if (word_count(&fewer) < word_count(&trigger)) {
            shrinker_add(shrinker)->faults[number].trigger = fewer;
        }
    }
    for (uint32_t lower = 1; lower < trigger.occurrence && lower <= LOWER_MAX; lower++) {
        shrinker_add(shrinker)->faults[number].trigger.occurrence = lower;
    }
    for (uint64_t lower = 1; lower < trigger.checkpoint && lower <= LOWER_MAX; lower++) {
        shrinker_add(shrinker)->faults[number].trigger.checkpoint = lower;
    }
    return shrinker_try(shrinker, "a simpler step");
}

bool shrink_simplify_faults(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < shrinker->best.fault_count && shrinker_goes_on(shrinker); i++) {
        helped = simplify_verb(shrinker, i) || helped;
        helped = simplify_object(shrinker, i) || helped;
        helped = simplify_parameters(shrinker, i) || helped;
        helped = simplify_trigger(shrinker, i) || helped;
    }
    return helped;
}

/* ---- times ----------------------------------------------------------------------------------- */

enum fault_time { TIME_AFTER, TIME_FOR, TIME_BY, TIME_AT, FAULT_TIME_COUNT };

static uint64_t *fault_time(struct fault *fault, enum fault_time which)
{
    switch (which) {
    case TIME_AT: return &fault->trigger.at_ns;
    case TIME_AFTER: return &fault->trigger.after_ns;
    case TIME_FOR: return &fault->for_ns;
    case TIME_BY: return &fault->by_ns;
    case FAULT_TIME_COUNT: break;
    }
    CHECK_UNREACHABLE("a time of a fault");
}

/* 1 ms, 10 ms, 100 ms, 1 s: nothing is gained by another one of these. */
static bool is_canonical(uint64_t value_ns)
{
    uint64_t power_ns = ms_ns;
    while (power_ns < value_ns && power_ns < second_ns) {
        power_ns *= 10;
    }
    return power_ns == value_ns;
}

static void add_time(struct shrinker *shrinker, uint32_t number, enum fault_time which,
                     uint64_t value_ns)
{
    *fault_time(&shrinker_add(shrinker)->faults[number], which) = value_ns;
}

/* A length may become a shorter or longer one that everybody would have chosen; a moment only an
 * earlier one with fewer digits. */
static bool round_time(struct shrinker *shrinker, uint32_t number, enum fault_time which)
{
    uint64_t value_ns = *fault_time(&shrinker->best.faults[number], which);
    if (value_ns == 0 || (which != TIME_AT && is_canonical(value_ns))) {
        return false;
    }
    shrinker_clear(shrinker);
    if (which == TIME_AFTER) {
        add_time(shrinker, number, which, 0);
    }
    for (uint64_t power_ns = second_ns; which != TIME_AT && power_ns >= ms_ns; power_ns /= 10) {
        add_time(shrinker, number, which, power_ns);
    }
    for (uint32_t digits = 1; digits <= 3; digits++) {
        uint64_t rounded_ns = round_to_digits(value_ns, digits);
        if (rounded_ns < value_ns) {
            add_time(shrinker, number, which, rounded_ns);
        }
    }
    return shrinker_try(shrinker, "a rounder time");
}

bool shrink_round_times(struct shrinker *shrinker)
{
    bool helped = false;
    for (uint32_t i = 0; i < shrinker->best.fault_count; i++) {
        for (int which = 0; which < FAULT_TIME_COUNT; which++) {
            helped = round_time(shrinker, i, (enum fault_time)which) || helped;
        }
    }
    return helped;
}
