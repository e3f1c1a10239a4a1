#include "sim/fault/fault_effects.h"

#include "model/base/check.h"

/* When a fault that begins now ends; `never` if it does not. */
static uint64_t until_ns(const struct fault_effect *effect, uint64_t never)
{
    const struct fault *fault = effect->fault;
    return fault->for_ever ? never : world_moment_ns(effect->world) + fault->for_ns;
}

/* ---- the network ----------------------------------------------------------------------------- */

/* The ordering class of the messages of a link. */
static uint32_t stream_of_link(const struct fault_effect *effect)
{
    const struct fault_object *object = &effect->fault->object;
    return world_stream(effect->world, object->vertex, object->vertex_to);
}

static void add_rule(const struct fault_effect *effect, enum network_rule_kind kind,
                     struct process_range from, struct process_range to)
{
    const struct fault *fault = effect->fault;
    struct network_rule rule = {
        .kind = kind,
        .from_first = from.first,
        .from_last = from.last,
        .to_first = to.first,
        .to_last = to.last,
        .stream = NETWORK_ALL_STREAMS,
        .group_of_process = fault->groups != NULL ? fault->groups->of_process : NULL,
        .from_ns = world_moment_ns(effect->world),
        .until_ns = until_ns(effect, NETWORK_NEVER),
        .by_ns = fault->by_ns,
        .jitter_ns = fault->jitter_ns,
        .bandwidth_bytes_per_s = fault->bandwidth_bytes_per_s,
    };
    if (fault->object.kind == OBJECT_LINK) {
        rule.stream = stream_of_link(effect);
    } else if (kind == NETWORK_DUPLICATE) {
        rule.stream = 0;
    }
    world_add_network_rule(effect->world, &rule);
}

static bool apply_rules(const struct fault_effect *effect, enum network_rule_kind kind)
{
    if (fault_goes_out(effect->fault)) {
        add_rule(effect, kind, effect->one, effect->other);
    }
    if (fault_comes_in(effect->fault)) {
        add_rule(effect, kind, effect->other, effect->one);
    }
    return true;
}

static bool apply_reset(const struct fault_effect *effect)
{
    const struct fault_object *object = &effect->fault->object;
    world_reset(effect->world, effect->one, effect->other,
                object->kind == OBJECT_LINK ? stream_of_link(effect)
                                            : NETWORK_ALL_STREAMS);
    return true;
}

/* ---- storage --------------------------------------------------------------------------------- */

static bool is_of_storage(const struct fault_object *object)
{
    return object->kind == OBJECT_STORE || object->kind == OBJECT_FILE ||
           object->part == PART_STORE || object->part == PART_DISK;
}

static uint32_t calls_of(const struct fault *fault)
{
    switch (fault->verb) {
    case FAULT_SLOW: return HOST_STORAGE_ANY;
    case FAULT_FULL: return HOST_STORAGE_OPEN | HOST_STORAGE_WRITE | HOST_STORAGE_MAKE_DIR;
    case FAULT_LIE: return HOST_STORAGE_SYNC;
    default: break;
    }
    CHECK(fault->calls != 0);
    return fault->calls;
}

static bool apply_storage(const struct fault_effect *effect, enum storage_fault kind)
{
    const struct fault *fault = effect->fault;
    const struct fault_object *object = &fault->object;
    struct storage_rule rule = {
        .fault = kind,
        .volume = object->part == PART_DISK ? HOST_LOCAL : HOST_SHARED,
        .process = STORAGE_EVERY_PROCESS,
        .glob = object->kind == OBJECT_FILE ? object->glob : NULL,
        .calls = calls_of(fault),
        .from_ns = world_moment_ns(effect->world),
        .until_ns = until_ns(effect, STORAGE_FOR_GOOD),
        .factor_ppm = fault->factor_ppm,
        .left = fault->count,
        .number = effect->number,
    };
    struct sim_faults *faults = world_faults(effect->world, NULL, NULL);
    if (object->kind == OBJECT_STORE || object->kind == OBJECT_FILE) {
        storage_faults_add(&faults->storage, &rule, world_now_ns(effect->world));
        return true;
    }
    for (uint32_t i = effect->one.first; i <= effect->one.last; i++) {
        rule.process = i;
        storage_faults_add(&faults->storage, &rule, world_now_ns(effect->world));
    }
    return true;
}

/* ---- processes ------------------------------------------------------------------------------- */

static bool apply_process(const struct fault_effect *effect, uint32_t process)
{
    struct world *world = effect->world;
    const struct fault *fault = effect->fault;
    uint64_t end_ns = until_ns(effect, UINT64_MAX);
    switch (fault->verb) {
    case FAULT_WIPE: return world_wipe(world, process, fault->for_ever ? 0 : fault->for_ns);
    case FAULT_SLOW: return world_slow(world, process, end_ns, fault->factor_ppm);
    case FAULT_LATE: return world_late(world, process, end_ns, fault->by_ns);
    case FAULT_CLOCK:
        world_set_clock(world, process, fault->by_ns, fault->drift_ppm, fault->backwards);
        return true;
    default: break;
    }
    CHECK_UNREACHABLE("a verb for a process");
}

static bool apply_processes(const struct fault_effect *effect)
{
    bool done = false;
    for (uint32_t i = effect->one.first; i <= effect->one.last; i++) {
        done = apply_process(effect, i) || done;
    }
    return done;
}

static bool apply_throw(const struct fault_effect *effect)
{
    const struct fault *fault = effect->fault;
    CHECK(fault->object.kind == OBJECT_TASK);
    world_throw(effect->world, &(struct sim_throw){ .vertex = fault->object.vertex,
                                                    .subtask = fault->object.index,
                                                    .call = fault->in,
                                                    .left = fault->count,
                                                    .number = effect->number });
    return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

bool fault_waits_for_a_hit(const struct fault *fault)
{
    switch (fault->verb) {
    case FAULT_THROW:
    case FAULT_STALL:
    case FAULT_FULL:
    case FAULT_IO_ERROR:
    case FAULT_AMBIGUOUS:
    case FAULT_LIE:
    case FAULT_RESCALE: return true; /* for the answer */
    case FAULT_SLOW: return is_of_storage(&fault->object);
    default: return false;
    }
}

/* A link and a whole network have one way. */
static bool has_one_way(const struct fault *fault)
{
    return fault->object.kind == OBJECT_LINK || fault->object.kind == OBJECT_NETWORK;
}

bool fault_goes_out(const struct fault *fault)
{
    return has_one_way(fault) || fault->direction != DIRECTION_IN;
}

bool fault_comes_in(const struct fault *fault)
{
    return !has_one_way(fault) && fault->direction != DIRECTION_OUT;
}

bool fault_effect_apply(const struct fault_effect *effect)
{
    switch (effect->fault->verb) {
    case FAULT_DELAY: return apply_rules(effect, NETWORK_DELAY);
    case FAULT_THROTTLE: return apply_rules(effect, NETWORK_THROTTLE);
    case FAULT_CLOG:
    case FAULT_PARTITION: return apply_rules(effect, NETWORK_HOLD);
    case FAULT_DUPLICATE: return apply_rules(effect, NETWORK_DUPLICATE);
    case FAULT_RESET: return apply_reset(effect);
    case FAULT_THROW: return apply_throw(effect);
    case FAULT_STALL: return apply_storage(effect, STORAGE_STALL);
    case FAULT_FULL: return apply_storage(effect, STORAGE_FULL);
    case FAULT_IO_ERROR: return apply_storage(effect, STORAGE_ERROR);
    case FAULT_AMBIGUOUS: return apply_storage(effect, STORAGE_AMBIGUOUS);
    case FAULT_LIE: return apply_storage(effect, STORAGE_LIE);
    case FAULT_SLOW:
        return is_of_storage(&effect->fault->object) ? apply_storage(effect, STORAGE_SLOW)
                                                     : apply_processes(effect);
    case FAULT_WIPE:
    case FAULT_LATE:
    case FAULT_CLOCK: return apply_processes(effect);
    case FAULT_HOT_KEY:
    case FAULT_BURST:
    case FAULT_POISON: return true; /* the input is made like that: fault_input.h */
    case FAULT_CRASH:
    case FAULT_PAUSE:
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE:
    case FAULT_SWIZZLE:
    case FAULT_RESCALE:
    case FAULT_VERB_COUNT: break;
    }
    CHECK_UNREACHABLE("a verb that is applied elsewhere");
}
