/* pending.h - the checkpoints that a coordinator has triggered and that have not ended: who has
 * yet to ack.
 *
 * A part of the coordinator. It keeps one byte per subtask and checkpoint, so an ack costs O(1)
 * whatever the number of subtasks. */
#ifndef FAULTLINE_CHECKPOINT_PENDING_H
#define FAULTLINE_CHECKPOINT_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

/* COLLECTING -> ACKED -> COMMITTING -> ENDED, and from the first two to ENDED by an abort. */
enum pending_state {
    PENDING_COLLECTING, /* some subtask has yet to ack */
    PENDING_ACKED,      /* complete but for the commit, which waits for another one's */
    PENDING_COMMITTING, /* the store has been asked */
    PENDING_ENDED,      /* completed or aborted */
};

/* What a pending checkpoint knows of a subtask; one byte each. */
enum task_mark {
    TASK_WAITING,
    TASK_ACKED,
    TASK_FINISHED,
};

struct pending {
    uint64_t id;
    uint64_t expires_ns;
    enum pending_state state;
    bool final;       /* triggered when all data had ended */
    uint32_t waiting; /* how many of `marks` are TASK_WAITING */
    uint8_t *marks;   /* enum task_mark of every subtask; owned by the list */
};

struct pending_list {
    struct arena *arena;
    uint32_t task_count;
    struct pending *items; /* rising ids */
    size_t count;
    size_t capacity;
};

void pending_list_init(struct pending_list *list, struct arena *arena, uint32_t task_count);
void pending_list_free(struct pending_list *list);

/* Asserts what must hold between two events. */
void pending_list_check(const struct pending_list *list);

/* Adds a collecting checkpoint with the largest id so far; `finished` holds TASK_FINISHED or
 * TASK_WAITING for every subtask and is copied. Borrowed until the next change of the list. */
struct pending *pending_add(struct pending_list *list, uint64_t id, uint64_t expires_ns,
                            const uint8_t *finished);

/* NULL if `id` is not pending. Borrowed until the next change of the list. */
struct pending *pending_find(const struct pending_list *list, uint64_t id);

/* A step of the life cycle; any other than those above trips a check. */
void pending_move(struct pending *pending, enum pending_state to);

/* Subtask `task`, which was waited for, acked or finished. The last one moves to ACKED. */
void pending_mark(struct pending *pending, uint32_t task, enum task_mark mark);

/* Ends `pending`, a member of `list`, and removes it. */
void pending_end(struct pending_list *list, struct pending *pending);

#endif
