#include "sim/live/live_log.h"

#include <stdlib.h>

#include "model/base/check.h"
#include "sim/live/live_watch.h"

enum entry_kind { ENTRY_FACT, ENTRY_CHANGES, ENTRY_DAMAGE, ENTRY_PASSING, ENTRY_FIRED };

struct entry {
    uint64_t time_ns;
    uint64_t number; /* in the order in which they came, which decides between equal times */
    enum entry_kind kind;
    union {
        struct fact_event event;
        struct live_changes changes;
        const char *damaged; /* a path */
        struct live_passing passing;
        const struct fault_record *record;
    };
};

struct live_log {
    struct arena *arena;
    struct entry *entries;
    size_t count;
    size_t capacity;
    uint64_t fact_count;
};

struct live_log *live_log_create(struct arena *arena)
{
    struct live_log *log = arena_alloc(arena, 1, sizeof *log);
    log->arena = arena;
    return log;
}

static struct entry *add(struct live_log *log, enum entry_kind kind, uint64_t time_ns)
{
    log->entries =
        arena_grow(log->arena, log->entries, &log->capacity, log->count + 1, sizeof *log->entries);
    struct entry *entry = &log->entries[log->count];
    *entry = (struct entry){ .time_ns = time_ns, .number = log->count, .kind = kind };
    log->count++;
    return entry;
}

void live_log_add_fact(struct live_log *log, const struct fact_event *event)
{
    struct entry *entry = add(log, ENTRY_FACT, event->time_ns);
    entry->event = *event;
    entry->event.fact.text = bytes_copy(log->arena, event->fact.text);
    entry->event.fact.content = bytes_copy(log->arena, event->fact.content);
    log->fact_count++;
}

/* A fact comes a moment after its time; meanwhile a file may have been damaged. */
static void keep_order(struct live_log *log, uint64_t time_ns)
{
    for (size_t i = log->count; i > 0; i--) {
        struct entry *entry = &log->entries[i - 1];
        bool is_of_files = entry->kind == ENTRY_CHANGES || entry->kind == ENTRY_DAMAGE;
        if (is_of_files && entry->time_ns <= time_ns) {
            return;
        }
        entry->time_ns = is_of_files ? time_ns : entry->time_ns;
    }
}

void live_log_add_damage(struct live_log *log, uint64_t time_ns, const char *path)
{
    keep_order(log, time_ns);
    add(log, ENTRY_DAMAGE, time_ns)->damaged = arena_text(log->arena, path);
}

void live_log_add_changes(struct live_log *log, uint64_t time_ns, struct live_changes changes)
{
    keep_order(log, time_ns);
    if (changes.count > 0) {
        add(log, ENTRY_CHANGES, time_ns)->changes = changes;
    }
}

void live_log_add_passing(struct live_log *log, const struct live_passing *passing)
{
    add(log, ENTRY_PASSING, live_watch_time_ns(passing))->passing = *passing;
}

void live_log_add_fired(struct live_log *log, const struct fault_record *record)
{
    add(log, ENTRY_FIRED, record->fired_ns)->record = record;
}

uint64_t live_log_fact_count(const struct live_log *log)
{
    return log->fact_count;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->time_ns != right->time_ns) {
        return left->time_ns < right->time_ns ? -1 : 1;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

void live_log_tell(struct live_log *log, struct run *run, struct disk *disk)
{
    if (log->count > 0) {
        qsort(log->entries, log->count, sizeof *log->entries, compare_entries);
    }
    for (size_t i = 0; i < log->count; i++) {
        const struct entry *entry = &log->entries[i];
        switch (entry->kind) {
        case ENTRY_FACT: run_on_fact(run, &entry->event); break;
        case ENTRY_CHANGES: live_changes_apply(&entry->changes, disk); break;
        case ENTRY_DAMAGE: run_on_damage(run, entry->damaged); break;
        case ENTRY_PASSING: live_watch_tell(&entry->passing, run); break;
        case ENTRY_FIRED: run_on_fired(run, entry->record); break;
        }
    }
}
