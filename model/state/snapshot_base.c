#include "model/state/snapshot_base.h"

#include <string.h>

#include "model/base/check.h"

struct snapshot_base *snapshot_bases_find(const struct snapshot_bases *bases, uint64_t id)
{
    for (uint32_t i = bases->count; i > 0; i--) {
        if (bases->items[i - 1].id == id) {
            return &bases->items[i - 1];
        }
    }
    return NULL;
}

void snapshot_bases_add(struct snapshot_bases *bases, struct arena *arena,
                        struct snapshot_base base)
{
    CHECK(bases->count == 0 || bases->items[bases->count - 1].id < base.id);
    CHECK(bases->count == 0 || bases->items[bases->count - 1].epoch < base.epoch);
    bases->items = arena_grow(arena, bases->items, &bases->capacity, (size_t)bases->count + 1,
                              sizeof *bases->items);
    bases->items[bases->count++] = base;
}

static void remove_some(struct snapshot_bases *bases, uint32_t first, uint32_t count)
{
    CHECK(first + count <= bases->count);
    bases->count -= count;
    if (bases->count > first) {
        memmove(bases->items + first, bases->items + first + count,
                (bases->count - first) * sizeof *bases->items);
    }
}

void snapshot_bases_forget(struct snapshot_bases *bases, uint64_t id)
{
    const struct snapshot_base *base = snapshot_bases_find(bases, id);
    if (base != NULL) {
        remove_some(bases, (uint32_t)(base - bases->items), 1);
    }
}

void snapshot_bases_forget_below(struct snapshot_bases *bases, uint64_t id)
{
    uint32_t count = 0;
    while (count < bases->count && bases->items[count].id < id) {
        count++;
    }
    remove_some(bases, 0, count);
}

void snapshot_bases_forget_all(struct snapshot_bases *bases)
{
    bases->count = 0;
}

struct snapshot_base snapshot_bases_choose(struct snapshot_bases *bases, uint64_t id,
                                           uint32_t parts_max, uint64_t entry_count)
{
    snapshot_bases_forget_below(bases, id);
    const struct snapshot_base *base = id == 0 ? NULL : snapshot_bases_find(bases, id);
    bool is_worth_it = base != NULL && base->part_count > 0 && base->part_count < parts_max &&
                       base->entry_count / 2 <= entry_count;
    return is_worth_it ? *base : (struct snapshot_base){ 0 };
}

void snapshot_bases_complete(const struct snapshot_bases *bases, uint64_t id,
                             const struct snapshot_base *built_on, bool has_part,
                             uint64_t written_count)
{
    struct snapshot_base *base = snapshot_bases_find(bases, id);
    if (base != NULL) {
        CHECK(base->part_count == 0);
        base->part_count = built_on->part_count + has_part;
        base->last_part = has_part ? id : built_on->last_part;
        base->entry_count = built_on->entry_count + written_count;
    }
}

uint32_t snapshot_bases_oldest(const struct snapshot_bases *bases)
{
    return bases->count == 0 ? UINT32_MAX : bases->items[0].epoch;
}
