#include "sim/oracle/checkpoint_history.h"

#include <string.h>

#include "model/base/check.h"

void checkpoint_history_init(struct checkpoint_history *history, struct arena *arena)
{
    CHECK(arena != NULL);
    *history = (struct checkpoint_history){ .arena = arena };
}

void checkpoint_history_check(const struct checkpoint_history *history)
{
    CHECK(history->count <= history->capacity);
    for (size_t i = 0; i < history->count; i++) {
        const struct checkpoint_record *record = &history->records[i];
        CHECK(record->id > (i == 0 ? 0 : history->records[i - 1].id));
    }
}

/* How many records have an id below `id`. Ids are nearly always asked for near the end. */
static size_t place_of(const struct checkpoint_history *history, uint64_t id)
{
    size_t at = history->count;
    while (at > 0 && history->records[at - 1].id >= id) {
        at--;
    }
    return at;
}

struct checkpoint_record *checkpoint_history_find(const struct checkpoint_history *history,
                                                  uint64_t id)
{
    size_t at = place_of(history, id);
    CHECK(at <= history->count);
    return at < history->count && history->records[at].id == id ? &history->records[at] : NULL;
}

struct checkpoint_record *checkpoint_history_at(struct checkpoint_history *history, uint64_t id)
{
    CHECK(id != 0);
    size_t at = place_of(history, id);
    if (at < history->count && history->records[at].id == id) {
        return &history->records[at];
    }
    history->records = arena_grow(history->arena, history->records, &history->capacity,
                                  history->count + 1, sizeof *history->records);
    memmove(history->records + at + 1, history->records + at,
            (history->count - at) * sizeof *history->records);
    history->records[at] = (struct checkpoint_record){ .id = id };
    history->count++;
    CHECK(at == 0 || history->records[at - 1].id < id);
    return &history->records[at];
}

uint64_t checkpoint_history_newest(const struct checkpoint_history *history)
{
    return checkpoint_history_newest_of(history, UINT64_MAX);
}

uint64_t checkpoint_history_newest_of(const struct checkpoint_history *history, uint64_t attempt)
{
    for (size_t i = history->count; i > 0; i--) {
        const struct checkpoint_record *record = &history->records[i - 1];
        if (record->completed && record->attempt <= attempt) {
            CHECK(record->id != 0);
            return record->id;
        }
    }
    return 0;
}

bool checkpoint_history_counts(const struct checkpoint_record *record)
{
    return record->completed && !record->superseded && !record->unsure;
}

bool checkpoint_history_is_allowed(const struct checkpoint_history *history,
                                   const struct checkpoint_record *record, uint32_t retained)
{
    CHECK(record >= history->records && record < history->records + history->count);
    uint32_t newer = 0;
    for (size_t i = history->count; i > 0 && history->records[i - 1].id > record->id; i--) {
        const struct checkpoint_record *other = &history->records[i - 1];
        newer += checkpoint_history_counts(other) && !other->lost;
    }
    return record->completed && (record->superseded || newer < retained);
}
