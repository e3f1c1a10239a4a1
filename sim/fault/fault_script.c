#include "sim/fault/fault_script.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "model/base/text.h"
#include "model/host.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"
#include "sim/fault/fault_effects.h"

#define NOWHERE UINT32_MAX

enum { ASK_AGAIN_NS = 200 * 1000 * 1000 };

struct fault_script {
    struct arena *arena;
    const struct scenario *scenario;
    struct world *world;
    struct fault_hooks hooks;
    struct fault_record *records; /* by fault */
    uint32_t parallelism_max;
    uint32_t *location; /* by vertex and subtask: the process that ran it last; NOWHERE */
    uint64_t last_ns;
    size_t location_count;
    size_t location_capacity;
};

/* ---- what a fault does ----------------------------------------------------------------------- */

static uint32_t process_of_task(const struct fault_script *script, uint32_t vertex,
                                uint32_t subtask)
{
    size_t index = (size_t)vertex * script->parallelism_max + subtask;
    return index < script->location_count ? script->location[index] : NOWHERE;
}

/* The processes that a process object names; false: nobody knows where the subtask runs. */
static bool find_range(const struct fault_script *script, enum fault_object_kind kind,
                       uint32_t index, uint32_t vertex, struct process_range *range)
{
    uint32_t last = world_process_count(script->world) - 1;
    uint32_t process = PROCESS_JOB_MANAGER;
    switch (kind) {
    case OBJECT_JOB_MANAGER: break;
    case OBJECT_TASK_MANAGER: process = PROCESS_FIRST_TASK_MANAGER + index; break;
    case OBJECT_TASK: process = process_of_task(script, vertex, index); break;
    case OBJECT_ALL_TASK_MANAGERS:
        *range = (struct process_range){ PROCESS_FIRST_TASK_MANAGER, last };
        return last >= PROCESS_FIRST_TASK_MANAGER;
    default: *range = (struct process_range){ 0, last }; return true;
    }
    *range = (struct process_range){ process, process };
    return process <= last;
}

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
            script->hooks.on_damage(script->hooks.context, path);
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
            script->hooks.on_damage(script->hooks.context, image.files[i].path);
        }
        arena_free(script->arena, image.files[i].path);
    }
    arena_free(script->arena, image.files);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The rescale that was asked for first and is not answered; NULL: there is none. */
static struct fault_record *asked(struct fault_script *script)
{
    struct fault_record *first = NULL;
    for (uint32_t i = 0; i < script->scenario->fault_count; i++) {
        struct fault_record *record = &script->records[i];
        bool is_open = record->fault->verb == FAULT_RESCALE && record->armed && !record->fired;
        if (is_open && (first == NULL || record->armed_ns < first->armed_ns)) {
            first = record;
        }
    }
    return first;
}

static void ask(struct fault_script *script, const struct fault *fault)
{
    struct rescale_request request = { .parallelism = fault->parallelism,
                                       .max_parallelism = fault->max_parallelism };
    struct buffer bytes;
    buffer_init(&bytes, script->arena);
    rescale_request_encode(&bytes, &request);
    world_tell(script->world, PROCESS_JOB_MANAGER, MESSAGE_RESCALE, buffer_bytes(&bytes));
    buffer_free(&bytes);
}

/* Whoever asked waits for an answer, and asks again if the JobManager is dead or in trouble. */
static void on_ask(void *context, uint32_t number)
{
    struct fault_script *script = context;
    const struct fault_record *record = &script->records[number];
    if (record->fired) {
        return;
    }
    if (asked(script) == record) {
        ask(script, record->fault);
    }
    world_call_at(script->world, world_now_ns(script->world) + ASK_AGAIN_NS, on_ask, script,
                  number);
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

static bool strike(struct fault_script *script, const struct fault *fault, uint32_t number)
{
    const struct fault_object *object = &fault->object;
    struct fault_effect effect = { .world = script->world, .fault = fault, .number = number };
    bool known = true;
    if (object->kind == OBJECT_CONNECTION) {
        known = find_range(script, object->first.kind, object->first.index, object->first.vertex,
                           &effect.one) &&
                find_range(script, object->other.kind, object->other.index, object->other.vertex,
                           &effect.other);
    } else if (fault->verb != FAULT_THROW) {
        known = find_range(script, object->kind, object->index, object->vertex, &effect.one) &&
                find_range(script, OBJECT_NETWORK, 0, 0, &effect.other);
    }
    if (!known) {
        return false;
    }
    switch (fault->verb) {
    case FAULT_CRASH:
    case FAULT_PAUSE:
    case FAULT_WIPE: return strike_processes(script, fault, effect.one);
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_TRUNCATE: return strike_files(script, fault);
    case FAULT_RESCALE: return true;
    default: return fault_effect_apply(&effect);
    }
}

/* The fault had an effect, at `now_ns`, and has it for `for_ns` more. */
static void note_effect(struct fault_script *script, struct fault_record *record, uint64_t now_ns,
                        uint64_t for_ns)
{
    bool is_first = !record->fired;
    if (is_first) {
        record->fired = true;
        record->fired_ns = now_ns;
    }
    if (record->ended_ns < now_ns + for_ns) {
        record->ended_ns = now_ns + for_ns;
    }
    if (record->ended_ns > script->last_ns) {
        script->last_ns = record->ended_ns;
    }
    if (is_first) {
        script->hooks.on_fired(script->hooks.context, record);
    }
}

/* A storage call or a call of user code was struck. */
static void on_hit(void *context, uint32_t number, uint64_t now_ns)
{
    struct fault_script *script = context;
    CHECK(number < script->scenario->fault_count);
    struct fault_record *record = &script->records[number];
    const struct fault *fault = record->fault;
    uint64_t end_ns = record->armed_ns + fault->for_ns;
    bool lasts = !fault->for_ever && fault->for_ns > 0 && end_ns > now_ns;
    note_effect(script, record, now_ns, lasts ? end_ns - now_ns : 0);
}

/* A clock that jumps back stands still until time has caught up with it. */
static uint64_t effect_length_ns(const struct fault *fault)
{
    if (fault->verb == FAULT_CLOCK && fault->backwards) {
        return fault->by_ns;
    }
    return fault->for_ever ? 0 : fault->for_ns;
}

static void fire(struct fault_script *script, struct fault_record *record, uint64_t now_ns)
{
    const struct fault *fault = record->fault;
    if (record->armed) {
        return;
    }
    uint32_t number = (uint32_t)(record - script->records);
    record->armed_ns = now_ns;
    if (!strike(script, fault, number)) {
        return;
    }
    record->armed = true;
    if (fault->verb == FAULT_RESCALE) {
        on_ask(script, number);
    }
    if (!fault_waits_for_a_hit(fault)) {
        note_effect(script, record, now_ns, effect_length_ns(fault));
    }
}

/* ---- triggers -------------------------------------------------------------------------------- */

static void on_time(void *context, uint32_t number)
{
    struct fault_script *script = context;
    fire(script, &script->records[number], world_now_ns(script->world));
}

bool fault_trigger_matches(const struct fault_trigger *trigger, const struct fact *fact)
{
    return trigger->kind == TRIGGER_WHEN && trigger->fact == fact->kind &&
           (trigger->checkpoint == 0 || trigger->checkpoint == fact->checkpoint) &&
           (trigger->vertex == FACT_NO_TASK || trigger->vertex == fact->vertex) &&
           (trigger->subtask == FACT_NO_TASK || trigger->subtask == fact->subtask);
}

static void note_location(struct fault_script *script, const struct fact_event *event)
{
    size_t index = (size_t)event->fact.vertex * script->parallelism_max + event->fact.subtask;
    size_t old_count = script->location_count;
    if (index >= old_count) {
        script->location = arena_grow(script->arena, script->location,
                                      &script->location_capacity, index + 1,
                                      sizeof *script->location);
        script->location_count = index + 1;
        for (size_t i = old_count; i <= index; i++) {
            script->location[i] = NOWHERE;
        }
    }
    script->location[index] = actor_process(event->actor);
}

/* Requests are made one after the other: an answer is that to the first. */
static void note_answer(struct fault_script *script, const struct fact_event *event)
{
    const struct fact *fact = &event->fact;
    if (fact->kind != FACT_RESCALE_ACCEPTED && fact->kind != FACT_RESCALE_REFUSED) {
        return;
    }
    struct fault_record *record = asked(script);
    if (record != NULL && record->fault->parallelism == fact->values[0]) {
        note_effect(script, record, event->time_ns, 0);
    }
}

static void on_fact(void *context, const struct fact_event *event)
{
    struct fault_script *script = context;
    if (event->fact.kind == FACT_TASK_STARTED) {
        note_location(script, event);
    }
    note_answer(script, event);
    for (uint32_t i = 0; i < script->scenario->fault_count; i++) {
        struct fault_record *record = &script->records[i];
        const struct fault_trigger *trigger = &record->fault->trigger;
        if (record->armed || !fault_trigger_matches(trigger, &event->fact) ||
            ++record->matches != trigger->occurrence) {
            continue;
        }
        if (trigger->after_ns > 0) {
            world_call_at(script->world, event->time_ns + trigger->after_ns, on_time, script, i);
        } else {
            fire(script, record, event->time_ns);
        }
    }
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
    *script = (struct fault_script){
        .arena = arena,
        .scenario = scenario,
        .world = world,
        .hooks = hooks,
        .parallelism_max = scenario_parallelism_max(scenario),
    };
    script->records = arena_alloc(arena, scenario->fault_count, sizeof *script->records);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        script->records[i].fault = fault;
        if (needs_faults(fault)) {
            (void)world_faults(world, on_hit, script);
        }
        if (fault->trigger.kind == TRIGGER_AT) {
            world_call_at(world, fault->trigger.at_ns, on_time, script, i);
        }
    }
    world_add_listener(world, (struct world_listener){ .on_fact = on_fact, .context = script });
    return script;
}

const struct fault_record *fault_script_records(const struct fault_script *script)
{
    return script->records;
}

uint64_t fault_script_last_ns(const struct fault_script *script)
{
    return script->last_ns;
}
