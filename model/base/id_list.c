#include "model/base/id_list.h"

#include "model/base/check.h"

/* How many are below `id`. */
static size_t place_of(const struct id_list *list, uint64_t id)
{
    size_t at = list->count;
    while (at > 0 && list->ids[at - 1] >= id) {
        at--;
    }
    return at;
}

bool id_list_has(const struct id_list *list, uint64_t id)
{
    size_t at = place_of(list, id);
    return at < list->count && list->ids[at] == id;
}

void id_list_add(struct id_list *list, struct arena *arena, uint64_t id)
{
    size_t at = place_of(list, id);
    if (at < list->count && list->ids[at] == id) {
        return;
    }
    list->ids = arena_grow(arena, list->ids, &list->capacity, list->count + 1, sizeof *list->ids);
    for (size_t i = list->count++; i > at; i--) {
        list->ids[i] = list->ids[i - 1];
    }
    list->ids[at] = id;
}

bool id_list_remove(struct id_list *list, uint64_t id)
{
    size_t at = place_of(list, id);
    if (at == list->count || list->ids[at] != id) {
        return false;
    }
    for (list->count--; at < list->count; at++) {
        list->ids[at] = list->ids[at + 1];
    }
    return true;
}

void id_list_drop_first(struct id_list *list, size_t count)
{
    CHECK(count <= list->count);
    list->count -= count;
    for (size_t i = 0; i < list->count; i++) {
        list->ids[i] = list->ids[i + count];
    }
}
