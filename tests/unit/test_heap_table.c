#include <check.h>

#include "model/base/prng.h"
#include "model/state/heap_table.h"
#include "tests/support/runner.h"

enum { STATES = 3 };

static struct heap_key key_of(const uint64_t *number)
{
    struct heap_key key;
    heap_key_init(&key, (struct bytes){ .data = (const uint8_t *)number, .size = sizeof *number });
    return key;
}

/* Adds the entry of (`number`, `state`) with the value `number`, or finds that it is there. */
static bool add(struct heap_table *table, struct arena *arena, uint64_t number, uint16_t state)
{
    struct heap_key key = key_of(&number);
    uint32_t place;
    if (!heap_table_add(table, arena, &key, state, &place)) {
        return false;
    }
    heap_entry_assign(&table->entries[place], arena, key.bytes, number);
    heap_table_set_version(table, place, 1);
    return true;
}

START_TEST(what_was_reserved_is_room_enough)
{
    static const uint32_t counts[] = { 1, 6, 7, 12, 13, 384, 5000 };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct arena arena;
        struct heap_table table = { 0 };
        arena_init(&arena);
        for (uint64_t old = 0; old < 3; old++) {
            ck_assert(add(&table, &arena, old, 0));
        }
        heap_table_reserve(&table, &arena, counts[i]);
        const struct heap_entry *entries = table.entries;
        const struct heap_bucket *buckets = table.buckets;
        for (uint64_t more = 0; more < counts[i]; more++) {
            ck_assert(add(&table, &arena, 3 + more, 0));
        }
        ck_assert_ptr_eq(table.entries, entries);
        ck_assert_ptr_eq(table.buckets, buckets);
        ck_assert_uint_eq(table.live_count, 3 + counts[i]);
        heap_table_check(&table);
        heap_table_free(&table, &arena);
        ck_assert_uint_eq(arena.live_count, 0);
    }
}
END_TEST

START_TEST(nothing_reserved_takes_no_memory)
{
    struct arena arena;
    struct heap_table table = { 0 };
    arena_init(&arena);
    heap_table_reserve(&table, &arena, 0);
    ck_assert_uint_eq(arena.live_count, 0);
}
END_TEST

START_TEST(an_entry_is_added_only_once_for_each_state)
{
    struct arena arena;
    struct heap_table table = { 0 };
    struct prng prng = { .state = 5 };
    arena_init(&arena);
    for (uint64_t number = 0; number < 3000; number++) {
        for (uint16_t state = 0; state < STATES; state++) {
            ck_assert(add(&table, &arena, number, state));
            ck_assert(!add(&table, &arena, prng_below(&prng, number + 1), state));
        }
    }
    ck_assert_uint_eq(table.live_count, 3000 * STATES);
    heap_table_check(&table);
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("heap_table");
    tcase_add_test(tcase, what_was_reserved_is_room_enough);
    tcase_add_test(tcase, nothing_reserved_takes_no_memory);
    tcase_add_test(tcase, an_entry_is_added_only_once_for_each_state);
    Suite *suite = suite_create("heap_table");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
