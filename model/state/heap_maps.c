#include "model/state/heap_maps.h"

#include "model/state/entry_key.h"

/* What an anchor's word holds. Places are numbered below 2^31. */
struct anchor {
    uint32_t first; /* number + 1 */
    uint32_t last;
    bool is_unsorted;
};

enum { UNSORTED_SHIFT = 31, LAST_SHIFT = 32, LIST_COUNT = 32 };

static struct anchor anchor_of(const struct heap_entry *entry)
{
    CHECK(entry->value_size == HEAP_CELL_INLINE_MAX);
    uint64_t word = entry->value.word;
    return (struct anchor){ .first = (uint32_t)word & ~(UINT32_C(1) << UNSORTED_SHIFT),
                            .last = (uint32_t)(word >> LAST_SHIFT),
                            .is_unsorted = (word >> UNSORTED_SHIFT & 1) != 0 };
}

static void set_anchor(struct heap_entry *entry, struct anchor anchor)
{
    CHECK(anchor.first < UINT32_C(1) << UNSORTED_SHIFT);
    entry->value.word = (uint64_t)anchor.last << LAST_SHIFT |
                        (uint64_t)anchor.is_unsorted << UNSORTED_SHIFT | anchor.first;
    entry->value_size = HEAP_CELL_INLINE_MAX;
}

static struct bytes key_at(const struct heap_table *table, uint32_t number)
{
    CHECK(number < table->entry_count);
    const struct heap_entry *entry = &table->entries[number];
    return heap_cell_bytes(&entry->key, entry->key_size);
}

/* The keys share the prefix: so this is the order of the subkeys. */
static bool is_before(const struct heap_table *table, uint32_t a, uint32_t b)
{
    return entry_key_compare(key_at(table, a), key_at(table, b)) < 0;
}

static void make_room(struct heap_maps *maps, struct arena *arena, uint32_t number)
{
    maps->links =
        arena_grow(arena, maps->links, &maps->capacity, (size_t)number + 1, sizeof *maps->links);
}

void heap_maps_link(struct heap_maps *maps, struct arena *arena, const struct heap_map *map,
                    uint32_t number)
{
    make_room(maps, arena, number);
    struct heap_place place = heap_table_find(&maps->anchors, map->prefix, map->state);
    struct anchor anchor = { 0 };
    if (place.entry == 0) {
        heap_table_insert(&maps->anchors, arena, map->prefix, map->state, &place);
        heap_table_set_version(&maps->anchors, place.entry - 1, 0);
        anchor.first = number + 1;
    } else {
        anchor = anchor_of(&maps->anchors.entries[place.entry - 1]);
        maps->links[anchor.last - 1].next = number + 1;
        anchor.is_unsorted |= !is_before(map->table, anchor.last - 1, number);
    }
    maps->links[number] = (struct heap_link){ .previous = anchor.last };
    anchor.last = number + 1;
    set_anchor(&maps->anchors.entries[place.entry - 1], anchor);
}

/* The entry is one of its map's ends: the anchor changes, or goes with the last one. */
static void move_end(struct heap_maps *maps, struct arena *arena, const struct heap_map *map,
                     struct heap_link link)
{
    struct heap_place place = heap_table_find(&maps->anchors, map->prefix, map->state);
    CHECK(place.entry != 0);
    if (link.next == 0 && link.previous == 0) {
        heap_table_erase(&maps->anchors, arena, place);
        return;
    }
    struct heap_entry *entry = &maps->anchors.entries[place.entry - 1];
    struct anchor anchor = anchor_of(entry);
    if (link.previous == 0) {
        anchor.first = link.next;
    } else {
        anchor.last = link.previous;
    }
    anchor.is_unsorted &= anchor.first != anchor.last;
    set_anchor(entry, anchor);
}

uint32_t heap_maps_unlink(struct heap_maps *maps, struct arena *arena, const struct heap_map *map,
                          uint32_t number)
{
    CHECK(number < maps->capacity);
    struct heap_link link = maps->links[number];
    if (link.next != 0) {
        maps->links[link.next - 1].previous = link.previous;
    }
    if (link.previous != 0) {
        maps->links[link.previous - 1].next = link.next;
    }
    if (link.next == 0 || link.previous == 0) {
        move_end(maps, arena, map, link);
    }
    return link.next;
}

/* Merges two lists of places, linked by `next` alone, each in order. */
static uint32_t merge(struct heap_maps *maps, const struct heap_table *table, uint32_t a,
                      uint32_t b)
{
    uint32_t first = 0;
    uint32_t *link = &first;
    while (a != 0 && b != 0) {
        uint32_t *smaller = is_before(table, a - 1, b - 1) ? &a : &b;
        *link = *smaller;
        link = &maps->links[*smaller - 1].next;
        *smaller = *link;
    }
    *link = a != 0 ? a : b;
    return first;
}

/* Merge sort: lists[i] has 2^i places, or none. */
static uint32_t sort(struct heap_maps *maps, const struct heap_table *table, uint32_t first)
{
    uint32_t lists[LIST_COUNT] = { 0 };
    for (uint32_t at = first; at != 0;) {
        uint32_t next = maps->links[at - 1].next;
        maps->links[at - 1].next = 0;
        uint32_t i = 0;
        for (; lists[i] != 0; i++) {
            at = merge(maps, table, lists[i], at);
            lists[i] = 0;
        }
        CHECK(i < LIST_COUNT);
        lists[i] = at;
        at = next;
    }
    uint32_t sorted = 0;
    for (uint32_t i = 0; i < LIST_COUNT; i++) {
        sorted = merge(maps, table, lists[i], sorted);
    }
    return sorted;
}

uint32_t heap_maps_first(struct heap_maps *maps, const struct heap_map *map)
{
    struct heap_place place = heap_table_find(&maps->anchors, map->prefix, map->state);
    if (place.entry == 0) {
        return 0;
    }
    struct heap_entry *entry = &maps->anchors.entries[place.entry - 1];
    struct anchor anchor = anchor_of(entry);
    if (!anchor.is_unsorted) {
        return anchor.first;
    }
    anchor.first = sort(maps, map->table, anchor.first);
    anchor.last = 0;
    for (uint32_t at = anchor.first; at != 0; at = maps->links[at - 1].next) {
        maps->links[at - 1].previous = anchor.last;
        anchor.last = at;
    }
    anchor.is_unsorted = false;
    set_anchor(entry, anchor);
    return anchor.first;
}

void heap_maps_free(struct heap_maps *maps, struct arena *arena)
{
    heap_table_free(&maps->anchors, arena);
    arena_free(arena, maps->links);
    *maps = (struct heap_maps){ 0 };
}

uint64_t heap_maps_check(const struct heap_maps *maps, const struct heap_table *table)
{
    heap_table_check(&maps->anchors);
    uint64_t count = 0;
    for (uint32_t i = 0; i < maps->anchors.entry_count; i++) {
        if (maps->anchors.entries[i].value_size == HEAP_CELL_ABSENT) {
            continue; /* a free place */
        }
        struct anchor anchor = anchor_of(&maps->anchors.entries[i]);
        uint32_t previous = 0;
        for (uint32_t at = anchor.first; at != 0; at = maps->links[at - 1].next) {
            CHECK(maps->links[at - 1].previous == previous);
            CHECK(table->entries[at - 1].state == maps->anchors.entries[i].state);
            CHECK(anchor.is_unsorted || previous == 0 || is_before(table, previous - 1, at - 1));
            previous = at;
            count++;
        }
        CHECK(anchor.last == previous);
    }
    return count;
}
