/* heap_maps.h - the maps of one key group of the heap backend: which entries belong to one.
 *
 * The entries of a map, the same key and namespace in one state, are a list linked by their places
 * in the slab. An anchor knows its two ends. The list is put in order (B7) only when somebody goes
 * through it: entries that come in order, as times and sequence numbers do, keep it so, and nothing
 * needs to be sorted then. Nothing of this is in a snapshot: a restore builds it anew. */
#ifndef FAULTLINE_STATE_HEAP_MAPS_H
#define FAULTLINE_STATE_HEAP_MAPS_H

#include "model/base/check.h"
#include "model/state/heap_table.h"

struct heap_link {
    uint32_t next; /* number + 1 of an entry, or 0 */
    uint32_t previous;
};

struct heap_maps {
    struct heap_table anchors; /* by the prefix of the entries' keys; the value is an anchor */
    struct heap_link *links;   /* by number of the entry */
    size_t capacity;
};

/* Where a map is: `prefix` is the beginning of its entries' keys. */
struct heap_map {
    const struct heap_table *table; /* of the entries */
    const struct heap_key *prefix;
    uint16_t state;
};

/* Adds the entry `number`, which is in the table, to its map. */
void heap_maps_link(struct heap_maps *maps, struct arena *arena, const struct heap_map *map,
                    uint32_t number);

/* Takes the entry `number`, which is still in the table, out of its map. Returns the next one's
 * number + 1, or 0. */
uint32_t heap_maps_unlink(struct heap_maps *maps, struct arena *arena, const struct heap_map *map,
                          uint32_t number);

/* The map's first entry in the order of subkeys, its number + 1; 0: the map is empty. The rest
 * follows by heap_maps_next. */
uint32_t heap_maps_first(struct heap_maps *maps, const struct heap_map *map);

static inline uint32_t heap_maps_next(const struct heap_maps *maps, uint32_t number)
{
    CHECK(number < maps->capacity);
    return maps->links[number].next;
}

void heap_maps_free(struct heap_maps *maps, struct arena *arena);

/* Asserts that anchors and links agree; returns the number of entries in all maps. */
uint64_t heap_maps_check(const struct heap_maps *maps, const struct heap_table *table);

#endif
