#include "sim/fault/fault_script.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/base/text.h"
#include "model/runtime/process.h"
#include "sim/fault/fault_effects.h"

struct fault_script {
    struct arena *arena;
    struct world *world;
    struct fault_book book;
};

/* ---- what a fault does ----------------------------------------------------------------------- */

struct file_search {
    struct fault_script *script;
    const char *glob;
    struct buffer paths; /* one after the other, each with its zero */
};

static void note_file(void *context, const char *path)
{
    struct file_search *search = context;
    if (text_matches(search->glob, path)) {
        buffer_append(&search->paths, (struct bytes){ .data = (const uint8_t *)path,
                                                      .size = strlen(path) + 1 });
    }
}

static bool remove_file(struct fault_script *script, const char *path)
{
    struct disk *disk = world_shared_disk(script->world);
    char *parent = arena_text(script->arena, path);
    char *slash = strrchr(parent, '/');
    *(slash != NULL ? slash : parent) = '\0';
    bool removed = disk_remove(disk, PROCESS_JOB_MANAGER, path) == STATUS_OK &&
                   disk_sync_dir(disk, parent) == STATUS_OK;
    arena_free(script->arena, parent);
    return removed;
}

static bool corrupt_file(struct fault_script *script, const char *path)
{
    struct disk *disk = world_shared_disk(script->world);
    struct bytes content;
    return disk_peek(disk, path, &content) && disk_corrupt(disk, path, content.size / 2);
}

static bool truncate_file(struct fault_script *script, const char *path, uint64_t size_bytes)
{
    struct bytes content;
    struct disk *disk = world_shared_disk(script->world);
    return disk_peek(disk, path, &content) && content.size > size_bytes &&
           disk_truncate(disk, path, size_bytes);
}

static bool damage_file(struct fault_script *script, const struct fault *fault, const char *path)
{
    switch (fault->verb) {
    case FAULT_REMOVE: return remove_file(script, path);
    case FAULT_CORRUPT: return corrupt_file(script, path);
    case FAULT_TRUNCATE: return truncate_file(script, path, fault->size_bytes);
    default: break;
    }
    CHECK_UNREACHABLE("a verb for files");
}

static bool strike_files(struct fault_script *script, const struct fault *fault)
{
    struct file_search search = { .script = script, .glob = fault->object.glob };
    buffer_init(&search.paths, script->arena);
    disk_each_file(world_shared_disk(script->world), note_file, &search);
    bool fired = false;
    for (size_t at = 0; at < search.paths.size;) {
        const char *path = (const char *)search.paths.data + at;
        at += strlen(path) + 1;
        if (damage_file(script, fault, path)) {
            fired = true;
            script->book.hooks.on_damage(script->book.hooks.context, path);
        }
    }
    buffer_free(&search.paths);
    return fired;
}

/* ---- power cuts after a sync that lied ------------------------------------------------------- */

struct file_image {
    char *path;
    uint64_t hash;
};

struct volume_image {
    struct fault_script *script;
    struct file_image *files;
    size_t count;
    size_t capacity;
};

static uint64_t hash_file(const struct fault_script *script, const char *path)
{
    struct bytes content;
    return disk_peek(world_shared_disk(script->world), path, &content) ? hash_bytes(content) : 0;
}

static void note_image(void *context, const char *path)
{
    struct volume_image *image = context;
    struct arena *arena = image->script->arena;
    image->files = arena_grow(arena, image->files, &image->capacity, image->count + 1,
                              sizeof *image->files);
    image->files[image->count++] = (struct file_image){ .path = arena_text(arena, path),
                                                        .hash = hash_file(image->script, path) };
}

/* What a power cut takes although its owner was told that it is durable is damage like any other:
 * done behind the model's back. */
static void cut_power(struct fault_script *script, const struct fault *fault, uint32_t process,
                      uint64_t for_ns, bool *done)
{
    struct volume_image image = { .script = script };
    bool has_lied = world_has_lied(script->world);
    if (has_lied) {
        disk_each_file(world_shared_disk(script->world), note_image, &image);
    }
    *done = fault->verb == FAULT_WIPE
                ? world_wipe(script->world, process, for_ns)
                : world_cut(script->world, process, for_ns, fault->unsynced);
    for (size_t i = 0; i < image.count; i++) {
        if (hash_file(script, image.files[i].path) != image.files[i].hash) {
            script->book.hooks.on_damage(script->book.hooks.context, image.files[i].path);
        }
        arena_free(script->arena, image.files[i].path);
    }
    arena_free(script->arena, image.files);
}

/* ---- striking -------------------------------------------------------------------------------- */

static bool strike_process(struct fault_script *script, const struct fault *fault,
                           uint32_t process)
{
    uint64_t for_ns = fault->for_ever ? WORLD_FOR_EVER : fault->for_ns;
    bool done = false;
    if (fault->verb == FAULT_PAUSE) {
        return world_pause(script->world, process, fault->for_ns);
    }
    if (fault->verb == FAULT_WIPE || fault->object.machine) {
        cut_power(script, fault, process, for_ns, &done);
        return done;
    }
    return world_crash(script->world, process, for_ns);
}

static bool strike_processes(struct fault_script *script, const struct fault *fault,
                             struct process_range range)
{
    bool fired = false;
    for (uint32_t i = range.first; i <= range.last; i++) {
        fired = strike_process(script, fault, i) || fired;
    }
    return fired;
}

static bool strike(void *context, uint32_t number, const struct fault_target *target)
{
    struct fault_script *script = context;
    const struct fault *fault = script->book.records[number].fault;
    switch (fault->verb) {
    case FAULT_CRASH:
    case FAULT_PAUSE:
    case FAULT_WIPE: return strike_processes(script, fault, target->one);
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE: return strike_files(script, fault);
    case FAULT_RESCALE: return true;
    default:
        return fault_effect_apply(&(struct fault_effect){ .world = script->world,
                                                          .fault = fault,
                                                          .number = number,
                                                          .one = target->one,
                                                          .other = target->other });
    }
}

/* ---- the stage ------------------------------------------------------------------------------- */

static uint64_t now_ns(void *context)
{
    return world_now_ns(((struct fault_script *)context)->world);
}

static void on_fire(void *context, uint32_t number)
{
    fault_book_do(&((struct fault_script *)context)->book, FAULT_DUTY_FIRE, number);
}

static void on_ask(void *context, uint32_t number)
{
    fault_book_do(&((struct fault_script *)context)->book, FAULT_DUTY_ASK, number);
}

static void call_at(void *context, uint64_t due_ns, enum fault_duty duty, uint32_t number)
{
    struct fault_script *script = context;
    world_call_at(script->world, due_ns, duty == FAULT_DUTY_FIRE ? on_fire : on_ask, script,
                  number);
}

static void tell(void *context, uint32_t kind, struct bytes data)
{
    world_tell(((struct fault_script *)context)->world, PROCESS_JOB_MANAGER, kind, data);
}

/* A storage call or a call of user code was struck. */
static void on_hit(void *context, uint32_t number, uint64_t hit_ns)
{
    fault_book_on_hit(&((struct fault_script *)context)->book, number, hit_ns);
}

static void on_fact(void *context, const struct fact_event *event)
{
    fault_book_on_fact(&((struct fault_script *)context)->book, event);
}

/* Most runs know only the old faults; they are not made to ask about others at every call. */
static bool needs_faults(const struct fault *fault)
{
    return fault->verb != FAULT_RESCALE &&
           (fault_waits_for_a_hit(fault) || fault->verb == FAULT_RESET);
}

struct fault_script *fault_script_create(struct arena *arena, const struct scenario *scenario,
                                         struct world *world, struct fault_hooks hooks)
{
    struct fault_script *script = arena_alloc(arena, 1, sizeof *script);
    *script = (struct fault_script){ .arena = arena, .world = world };
    struct fault_stage stage = {
        .now_ns = now_ns, .strike = strike, .call_at = call_at, .tell = tell, .context = script
    };
    fault_book_init(&script->book, arena, scenario, stage, hooks);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        if (needs_faults(&scenario->faults[i])) {
            (void)world_faults(world, on_hit, script);
        }
    }
    world_add_listener(world, (struct world_listener){ .on_fact = on_fact, .context = script });
    return script;
}

const struct fault_record *fault_script_records(const struct fault_script *script)
{
    return script->book.records;
}

uint64_t fault_script_last_ns(const struct fault_script *script)
{
    return script->book.last_ns;
}
