#include "model/checkpoint/pending.h"

#include <string.h>

#include "model/base/check.h"

/* Which states may follow, as bits. */
static const uint8_t pending_moves[] = {
    [PENDING_COLLECTING] = 1u << PENDING_ACKED | 1u << PENDING_ENDED,
    [PENDING_ACKED] = 1u << PENDING_COMMITTING | 1u << PENDING_ENDED,
    [PENDING_COMMITTING] = 1u << PENDING_ENDED,
    [PENDING_ENDED] = 0,
};

void pending_list_init(struct pending_list *list, struct arena *arena, uint32_t task_count)
{
    CHECK(task_count > 0);
    *list = (struct pending_list){ .arena = arena, .task_count = task_count };
}

void pending_list_free(struct pending_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        arena_free(list->arena, list->items[i].marks);
    }
    arena_free(list->arena, list->items);
    *list = (struct pending_list){ 0 };
}

void pending_list_check(const struct pending_list *list)
{
    uint32_t committing_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct pending *pending = &list->items[i];
        CHECK(i == 0 || pending[-1].id < pending->id);
        CHECK((pending->waiting > 0) == (pending->state == PENDING_COLLECTING));
        CHECK(pending->waiting <= list->task_count);
        CHECK(pending->state != PENDING_ENDED);
        committing_count += pending->state == PENDING_COMMITTING;
    }
    CHECK(committing_count <= 1);
}

struct pending *pending_add(struct pending_list *list, uint64_t id, uint64_t expires_ns,
                            const uint8_t *finished)
{
    CHECK(list->count == 0 || list->items[list->count - 1].id < id);
    list->items =
        arena_grow(list->arena, list->items, &list->capacity, list->count + 1, sizeof *list->items);
    struct pending *pending = &list->items[list->count++];
    *pending = (struct pending){
        .id = id,
        .expires_ns = expires_ns,
        .state = PENDING_COLLECTING,
        .marks = arena_alloc_raw(list->arena, list->task_count),
    };
    for (uint32_t task = 0; task < list->task_count; task++) {
        pending->marks[task] = finished[task];
        pending->waiting += finished[task] == TASK_WAITING;
    }
    CHECK(pending->waiting > 0);
    return pending;
}

struct pending *pending_find(const struct pending_list *list, uint64_t id)
{
    /* There are at most max_concurrent, and most acks are for the newest. */
    for (size_t i = list->count; i > 0; i--) {
        if (list->items[i - 1].id == id) {
            return &list->items[i - 1];
        }
    }
    return NULL;
}

void pending_move(struct pending *pending, enum pending_state to)
{
    CHECK(pending_moves[pending->state] >> to & 1u);
    CHECK(to != PENDING_ACKED || pending->waiting == 0);
    pending->state = to;
}

void pending_mark(struct pending *pending, uint32_t task, enum task_mark mark)
{
    CHECK(mark != TASK_WAITING);
    CHECK(pending->state == PENDING_COLLECTING);
    CHECK(pending->marks[task] == TASK_WAITING);
    CHECK(pending->waiting > 0);
    pending->marks[task] = (uint8_t)mark;
    pending->waiting--;
    if (pending->waiting == 0) {
        pending_move(pending, PENDING_ACKED);
    }
}

void pending_end(struct pending_list *list, struct pending *pending)
{
    pending_move(pending, PENDING_ENDED);
    size_t index = (size_t)(pending - list->items);
    CHECK(index < list->count);
    arena_free(list->arena, pending->marks);
    list->count--;
    memmove(pending, pending + 1, (list->count - index) * sizeof *pending);
}
