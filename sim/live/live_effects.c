#include "sim/live/live_effects.h"

#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/base/text.h"
#include "model/runtime/process.h"
#include "sim/fault/fault_effects.h"

/* ---- messages -------------------------------------------------------------------------------- */

static uint64_t until_ns(const struct live_effect *effect)
{
    const struct fault *fault = effect->fault;
    return fault->for_ever ? LIVE_FOR_GOOD : effect->now_ns + fault->for_ns;
}

/* Every process that receives gets its equal share of what all of them have together. */
static uint64_t share_of(const struct live_effect *effect, struct process_range to)
{
    const struct fault *fault = effect->fault;
    uint64_t receivers = to.last - to.first + 1;
    if (fault->object.kind == OBJECT_LINK) {
        receivers = effect->process_count - PROCESS_FIRST_TASK_MANAGER;
    }
    CHECK(receivers > 0);
    uint64_t share = fault->bandwidth_bytes_per_s / receivers;
    return share > 0 ? share : 1;
}

static void add_rule(const struct live_effect *effect, enum live_rule_kind kind,
                     struct process_range from, struct process_range to)
{
    const struct fault *fault = effect->fault;
    struct live_rule rule = {
        .kind = kind,
        .until_ns = until_ns(effect),
        .from_first = from.first,
        .from_last = from.last,
        .to_first = to.first,
        .to_last = to.last,
        .stream = LIVE_ALL_STREAMS,
        .group_of_process = fault->groups != NULL ? fault->groups->of_process : NULL,
        .by_ns = fault->by_ns,
        .jitter_ns = fault->jitter_ns,
        .bandwidth_bytes_per_s = kind == LIVE_THROTTLE ? share_of(effect, to) : 0,
    };
    if (fault->object.kind == OBJECT_LINK) {
        int32_t edge =
            pipeline_edge(effect->pipeline, fault->object.vertex, fault->object.vertex_to);
        CHECK(edge >= 0);
        rule.stream = (uint32_t)edge + 1;
    }
    live_cluster_add_rule(effect->cluster, &rule);
}

static bool apply_rules(const struct live_effect *effect, enum live_rule_kind kind)
{
    if (fault_goes_out(effect->fault)) {
        add_rule(effect, kind, effect->target.one, effect->target.other);
    }
    if (fault_comes_in(effect->fault)) {
        add_rule(effect, kind, effect->target.other, effect->target.one);
    }
    return true;
}

static bool apply_storage(const struct live_effect *effect, enum live_rule_kind kind)
{
    const struct fault_object *object = &effect->fault->object;
    struct live_rule rule = {
        .kind = kind,
        .until_ns = until_ns(effect),
        .to_first = effect->target.one.first,
        .to_last = effect->target.one.last,
        .volume = object->part == PART_DISK ? HOST_LOCAL : HOST_SHARED,
        .glob = object->kind == OBJECT_FILE ? object->glob : NULL,
        .calls = effect->fault->calls,
        .left = effect->fault->count,
        .number = effect->number,
    };
    live_cluster_add_rule(effect->cluster, &rule);
    return true;
}

static bool apply_reset(const struct live_effect *effect)
{
    bool done = false;
    for (uint32_t i = 0; i < effect->process_count; i++) {
        for (uint32_t k = i + 1; k < effect->process_count; k++) {
            done = (process_ranges_join(effect->target.one, effect->target.other, i, k) &&
                    live_cluster_reset(effect->cluster, i, k)) ||
                   done;
        }
    }
    return done;
}

bool live_effect_apply(const struct live_effect *effect)
{
    switch (effect->fault->verb) {
    case FAULT_DELAY: return apply_rules(effect, LIVE_DELAY);
    case FAULT_THROTTLE: return apply_rules(effect, LIVE_THROTTLE);
    case FAULT_CLOG:
    case FAULT_PARTITION: return apply_rules(effect, LIVE_HOLD);
    case FAULT_DUPLICATE: return apply_rules(effect, LIVE_DUPLICATE);
    case FAULT_RESET: return apply_reset(effect);
    case FAULT_FULL: return apply_storage(effect, LIVE_FULL);
    case FAULT_IO_ERROR: return apply_storage(effect, LIVE_ERROR);
    case FAULT_AMBIGUOUS: return apply_storage(effect, LIVE_AMBIGUOUS);
    case FAULT_STALL: return apply_storage(effect, LIVE_STALL);
    default: break;
    }
    CHECK_UNREACHABLE("a verb for messages or a volume");
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The same bit that the simulator flips. */
static bool flip_bit(int file, uint64_t size_bytes)
{
    uint64_t bit = size_bytes / 2;
    uint8_t byte;
    if (size_bytes == 0 || pread(file, &byte, 1, (off_t)(bit / 8)) != 1) {
        return false;
    }
    byte = (uint8_t)(byte ^ 1u << bit % 8);
    bool flipped = pwrite(file, &byte, 1, (off_t)(bit / 8)) == 1;
    /* The system notes times of change less finely than they follow each other. */
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return futimens(file, (struct timespec[]){ now, now }) == 0 && flipped;
}

static bool damage_file(const struct fault *fault, const char *path, const struct stat *info)
{
    uint64_t size_bytes = (uint64_t)info->st_size;
    if (fault->verb == FAULT_REMOVE) {
        return unlink(path) == 0;
    }
    if (fault->verb == FAULT_TRUNCATE) {
        return size_bytes > fault->size_bytes && truncate(path, (off_t)fault->size_bytes) == 0;
    }
    CHECK(fault->verb == FAULT_CORRUPT);
    int file = open(path, O_RDWR | O_CLOEXEC);
    bool flipped = file >= 0 && flip_bit(file, size_bytes);
    if (file >= 0) {
        (void)close(file);
    }
    return flipped;
}

bool live_effect_damage(const struct fault *fault, const char *folder, struct fault_hooks hooks)
{
    char *roots[] = { (char *)(uintptr_t)folder, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool fired = false;
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info != FTS_F) {
            continue;
        }
        const char *path = entry->fts_path + strlen(folder) + 1;
        if (text_matches(fault->object.glob, path) &&
            damage_file(fault, entry->fts_path, entry->fts_statp)) {
            hooks.on_damage(hooks.context, path);
            fired = true;
        }
    }
    if (tree != NULL) {
        (void)fts_close(tree);
    }
    return fired;
}
