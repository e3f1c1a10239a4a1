#include "sim/fault_script.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/text.h"
#include "model/host.h"
#include "model/runtime/process.h"

#define NOWHERE UINT32_MAX

struct fault_script {
    struct arena *arena;
    const struct scenario *scenario;
    struct world *world;
    struct fault_hooks hooks;
    struct fault_record *records; /* by fault */
    uint32_t *location; /* by global index of a subtask: the process that ran it last; NOWHERE */
    uint64_t last_ns;
    size_t location_count;
    size_t location_capacity;
};

/* ---- what a fault does ----------------------------------------------------------------------- */

static bool strike_process(struct fault_script *script, const struct fault *fault,
                           uint32_t process)
{
    if (process >= world_process_count(script->world)) {
        return false;
    }
    uint64_t for_ns = fault->for_ever ? WORLD_FOR_EVER : fault->for_ns;
    switch (fault->verb) {
    case FAULT_CRASH:
        return fault->object.machine
                   ? world_cut(script->world, process, for_ns, fault->unsynced)
                   : world_crash(script->world, process, for_ns);
    case FAULT_PAUSE:
        return world_pause(script->world, process, fault->for_ns);
    case FAULT_DELAY:
    case FAULT_CORRUPT:
    case FAULT_REMOVE:
    case FAULT_VERB_COUNT:
        break;
    }
    CHECK_UNREACHABLE("a verb for a process");
}

static bool strike_task_managers(struct fault_script *script, const struct fault *fault)
{
    bool fired = false;
    uint32_t count = world_process_count(script->world);
    for (uint32_t i = PROCESS_FIRST_TASK_MANAGER; i < count; i++) {
        fired = strike_process(script, fault, i) || fired;
    }
    return fired;
}

static uint32_t process_of_task(const struct fault_script *script,
                                const struct fault_object *object)
{
    size_t index = (size_t)object->vertex * script->scenario->job.parallelism + object->index;
    return index < script->location_count ? script->location[index] : NOWHERE;
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

static bool strike_files(struct fault_script *script, const struct fault *fault)
{
    struct file_search search = { .script = script, .glob = fault->object.glob };
    buffer_init(&search.paths, script->arena);
    disk_each_file(world_shared_disk(script->world), note_file, &search);
    bool fired = false;
    for (size_t at = 0; at < search.paths.size;) {
        const char *path = (const char *)search.paths.data + at;
        at += strlen(path) + 1;
        bool done = fault->verb == FAULT_REMOVE ? remove_file(script, path)
                                                : corrupt_file(script, path);
        if (done) {
            fired = true;
            script->hooks.on_damage(script->hooks.context, path);
        }
    }
    buffer_free(&search.paths);
    return fired;
}

static bool strike(struct fault_script *script, const struct fault *fault)
{
    const struct fault_object *object = &fault->object;
    switch (object->kind) {
    case OBJECT_JOB_MANAGER:
        return strike_process(script, fault, PROCESS_JOB_MANAGER);
    case OBJECT_TASK_MANAGER:
        return strike_process(script, fault, PROCESS_FIRST_TASK_MANAGER + object->index);
    case OBJECT_ALL_TASK_MANAGERS:
        return strike_task_managers(script, fault);
    case OBJECT_TASK:
        return strike_process(script, fault, process_of_task(script, object));
    case OBJECT_LINK:
        CHECK(object->vertex_to > 0);
        world_delay(script->world, object->vertex_to - 1,
                    fault->for_ever ? WORLD_FOR_EVER : fault->for_ns, fault->by_ns);
        return true;
    case OBJECT_FILE:
        return strike_files(script, fault);
    }
    CHECK_UNREACHABLE("an object");
}

static void fire(struct fault_script *script, struct fault_record *record, uint64_t now_ns)
{
    const struct fault *fault = record->fault;
    if (record->fired || !strike(script, fault)) {
        return;
    }
    bool lasts = fault->object.kind != OBJECT_FILE && !fault->for_ever;
    record->fired = true;
    record->fired_ns = now_ns;
    record->ended_ns = now_ns + (lasts ? fault->for_ns : 0);
    if (record->ended_ns > script->last_ns) {
        script->last_ns = record->ended_ns;
    }
    script->hooks.on_fired(script->hooks.context, record);
}

/* ---- triggers -------------------------------------------------------------------------------- */

static void on_time(void *context, uint32_t number)
{
    struct fault_script *script = context;
    fire(script, &script->records[number], world_now_ns(script->world));
}

static bool matches(const struct fault_trigger *trigger, const struct fact *fact)
{
    return trigger->kind == TRIGGER_WHEN && trigger->fact == fact->kind &&
           (trigger->checkpoint == 0 || trigger->checkpoint == fact->checkpoint) &&
           (trigger->vertex == FACT_NO_TASK || trigger->vertex == fact->vertex) &&
           (trigger->subtask == FACT_NO_TASK || trigger->subtask == fact->subtask);
}

static void note_location(struct fault_script *script, const struct fact_event *event)
{
    size_t index =
        (size_t)event->fact.vertex * script->scenario->job.parallelism + event->fact.subtask;
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

static void on_fact(void *context, const struct fact_event *event)
{
    struct fault_script *script = context;
    if (event->fact.kind == FACT_TASK_STARTED) {
        note_location(script, event);
    }
    for (uint32_t i = 0; i < script->scenario->fault_count; i++) {
        struct fault_record *record = &script->records[i];
        if (!record->fired && matches(&record->fault->trigger, &event->fact) &&
            ++record->matches == record->fault->trigger.occurrence) {
            fire(script, record, event->time_ns);
        }
    }
}

struct fault_script *fault_script_create(struct arena *arena, const struct scenario *scenario,
                                         struct world *world, struct fault_hooks hooks)
{
    struct fault_script *script = arena_alloc(arena, 1, sizeof *script);
    *script = (struct fault_script){
        .arena = arena, .scenario = scenario, .world = world, .hooks = hooks
    };
    script->records = arena_alloc(arena, scenario->fault_count, sizeof *script->records);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        script->records[i].fault = fault;
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
