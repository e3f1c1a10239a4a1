#include <check.h>

#include "model/base/prng.h"
#include "model/state/heap_table.h"
#include "tests/support/runner.h"

enum { STATES = 3, WORDS_MAX = 32 };

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

/* Adds the entries of `count` numbers from `first` on at once. */
static bool add_words(struct heap_table *table, struct arena *arena, uint64_t first, uint32_t count,
                      uint16_t state)
{
    struct heap_words words[WORDS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = first + i;
        words[i] = (struct heap_words){ .key = number,
                                        .value = number,
                                        .hash = heap_word_hash(number, sizeof number),
                                        .state = state };
    }
    return heap_table_add_words(table, arena, 1, words, count);
}

START_TEST(words_are_added_at_once_as_they_are_one_by_one)
{
    enum { FREED = 100 };
    struct arena arena;
    struct heap_table tables[2] = { 0 };
    arena_init(&arena);
    for (int i = 0; i < 2; i++) {
        for (uint64_t number = 0; number < FREED; number++) {
            ck_assert(add(&tables[i], &arena, number, 0));
        }
        for (uint64_t number = 0; number < FREED; number += 3) { /* their places are taken first */
            struct heap_key key = key_of(&number);
            heap_table_erase(&tables[i], &arena, heap_table_find(&tables[i], &key, 0));
        }
    }
    for (uint64_t first = 1000; first < 4000; first += WORDS_MAX) {
        for (uint16_t state = 0; state < STATES; state++) {
            ck_assert(add_words(&tables[0], &arena, first, WORDS_MAX, state));
            for (uint64_t number = first; number < first + WORDS_MAX; number++) {
                ck_assert(add(&tables[1], &arena, number, state));
            }
        }
    }
    heap_table_check(&tables[0]);
    ck_assert_uint_eq(tables[0].live_count, tables[1].live_count);
    ck_assert_uint_eq(tables[0].entry_count, tables[1].entry_count);
    ck_assert_mem_eq(tables[0].entries, tables[1].entries,
                     tables[0].entry_count * sizeof(struct heap_entry));
    arena_drop(&arena);
}
END_TEST

START_TEST(of_words_added_at_once_none_may_be_there)
{
    struct arena arena;
    struct heap_table table = { 0 };
    struct prng prng = { .state = 6 };
    arena_init(&arena);
    for (uint64_t first = 0; first < 3000; first += WORDS_MAX) {
        for (uint16_t state = 0; state < STATES; state++) {
            ck_assert(add_words(&table, &arena, first, WORDS_MAX, state));
            ck_assert(!add_words(&table, &arena, prng_below(&prng, first + WORDS_MAX), 1, state));
        }
    }
    ck_assert_uint_ge(table.live_count, 3000 * STATES);
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
    tcase_add_test(tcase, words_are_added_at_once_as_they_are_one_by_one);
    tcase_add_test(tcase, of_words_added_at_once_none_may_be_there);
    Suite *suite = suite_create("heap_table");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
