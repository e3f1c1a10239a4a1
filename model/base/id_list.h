/* id_list.h - a few ids, such as those of checkpoints: rising, each once.
 *
 * They come nearly always in order, so that adding one costs nothing. A zeroed list is empty; its
 * memory is of the arena that is given with what is added. */
#ifndef FAULTLINE_BASE_ID_LIST_H
#define FAULTLINE_BASE_ID_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

struct id_list {
    uint64_t *ids;
    size_t count;
    size_t capacity;
};

/* Nothing happens if it is there. */
void id_list_add(struct id_list *list, struct arena *arena, uint64_t id);

/* False if it was not there. */
bool id_list_remove(struct id_list *list, uint64_t id);

void id_list_drop_first(struct id_list *list, size_t count);

bool id_list_has(const struct id_list *list, uint64_t id);

#endif
