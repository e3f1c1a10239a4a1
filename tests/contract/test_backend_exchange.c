#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/prng.h"
#include "model/state/backend.h"
#include "model/state/snapshot.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* What one kind of backend writes, every other restores. Every test runs once for each kind; _i is
 * its number. */
enum {
    PARTS_MAX = 8,
    SNAPSHOT_COUNT = 4,
    NEWEST = 2 * SNAPSHOT_COUNT, /* its id: those of even numbers build on each other */
    OPERATIONS_FIRST = 5000,     /* before the first snapshot */
    OPERATIONS = 200,            /* between two snapshots */
    ENTRIES_MAX = 4096,
    STATE_COUNT = 3,
};

static const struct state_descriptor descriptors[STATE_COUNT] = {
    { .name = "value", .kind = STATE_VALUE, .value = { .name = "bytes" } },
    { .name = "list", .kind = STATE_LIST, .value = { .name = "bytes" }, .has_namespace = true },
    { .name = "map",
      .kind = STATE_MAP,
      .value = { .name = "bytes" },
      .subkey = { .name = "bytes" } },
};

struct entries {
    struct snapshot_entry items[ENTRIES_MAX];
    uint32_t count;
};

static int compare_entries(const void *a, const void *b)
{
    const struct snapshot_entry *left = a;
    const struct snapshot_entry *right = b;
    if (left->key_group != right->key_group) {
        return left->key_group < right->key_group ? -1 : 1;
    }
    if (left->state != right->state) {
        return left->state < right->state ? -1 : 1;
    }
    return entry_key_compare(left->key, right->key);
}

/* The entries of a whole snapshot, in one order for all backends. */
static void read_entries(struct bytes part, struct entries *entries)
{
    struct snapshot_reader reader;
    ck_assert(snapshot_reader_init(&reader, part, false));
    entries->count = 0;
    while (snapshot_reader_next(&reader, &entries->items[entries->count])) {
        ck_assert_uint_lt(++entries->count, ENTRIES_MAX);
    }
    ck_assert_int_eq(reader.status, STATUS_OK);
    qsort(entries->items, entries->count, sizeof entries->items[0], compare_entries);
}

static void declare_states(struct backend *backend)
{
    for (state_id i = 0; i < STATE_COUNT; i++) {
        ck_assert_uint_eq(backend_declare(backend, &descriptors[i]), i);
    }
}

static struct bytes bytes_of(const uint64_t *number)
{
    return (struct bytes){ .data = (const uint8_t *)number, .size = sizeof *number };
}

/* The same operations for the same numbers. */
static void operate(struct backend *backend, struct prng *prng)
{
    uint8_t value[1500];
    uint64_t key = prng_below(prng, 200);
    uint64_t part = prng_below(prng, 6);
    state_id state = (state_id)prng_below(prng, STATE_COUNT);
    uint64_t what = prng_below(prng, 10);
    uint64_t size =
        prng_chance(prng, 50000) ? prng_below(prng, sizeof value) : prng_below(prng, 20);
    memset(value, (int)prng_below(prng, 256), sizeof value);
    struct bytes bytes = { .data = value, .size = (size_t)size };
    backend_set_key(backend, (uint32_t)(key % 128), bytes_of(&key));
    backend_set_namespace(backend, bytes_of(&part));
    backend_set_subkey(backend, bytes_of(&part));
    if (what < 3) {
        backend_remove(backend, state);
    } else if (state == 1 && what < 9) {
        backend_append(backend, state, bytes);
    } else {
        backend_put(backend, state, bytes);
    }
}

static struct bytes whole(struct backend *backend, struct arena *arena, uint64_t id)
{
    struct buffer out;
    buffer_init(&out, arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, id, 0);
    struct bytes bytes = finish_snapshot(snapshot, &out, 10000);
    backend_snapshot_end(snapshot);
    return bytes;
}

/* Does the operations, and fills `parts` with the newest of some snapshots, each built on the one
 * before; returns how many parts that are. `truth` is what the newest must hold. */
static uint32_t write_parts(struct backend *backend, struct arena *arena, struct bytes *parts,
                            struct entries *truth)
{
    struct prng prng = { .state = 17 };
    uint32_t count = 0;
    for (uint64_t id = 2; id <= NEWEST; id += 2) {
        for (int i = 0; i < (id == 2 ? OPERATIONS_FIRST : OPERATIONS); i++) {
            operate(backend, &prng);
        }
        read_entries(whole(backend, arena, id - 1), truth);
        struct buffer out;
        buffer_init(&out, arena);
        struct backend_snapshot *snapshot = backend_snapshot_begin(backend, id, id - 2);
        uint32_t kept = 0;
        while (kept < count && backend_snapshot_keeps(snapshot, kept)) {
            kept++;
        }
        struct prng meanwhile = { .state = id };
        while (backend_snapshot_step(snapshot, &out, 2000)) {
            operate(backend, &meanwhile);
        }
        backend_snapshot_end(snapshot);
        parts[kept] = buffer_bytes(&out);
        count = kept + (out.size > 0);
    }
    return count;
}

static void restore_into(int kind, struct arena *arena, const struct bytes *parts, uint32_t count,
                         struct entries *entries)
{
    struct backend *backend = backend_kinds[kind].create(arena, all_groups, PARTS_MAX);
    declare_states(backend);
    ck_assert_int_eq(restore_parts(backend, NEWEST, parts, count), STATUS_OK);
    backend_kinds[kind].check(backend);
    read_entries(whole(backend, arena, NEWEST + 1), entries);
    backend_destroy(backend);
}

static void expect_same(const struct entries *a, const struct entries *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        ck_assert_int_eq(compare_entries(&a->items[i], &b->items[i]), 0);
        ck_assert(bytes_equal(a->items[i].value, b->items[i].value));
    }
}

START_TEST(the_parts_that_one_backend_writes_are_restored_by_every_other)
{
    struct arena arena;
    struct bytes parts[SNAPSHOT_COUNT];
    arena_init(&arena);
    struct entries *expected = arena_alloc(&arena, 1, sizeof *expected);
    struct entries *got = arena_alloc(&arena, 1, sizeof *got);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    declare_states(backend);
    uint32_t count = write_parts(backend, &arena, parts, expected);
    ck_assert_uint_gt(count, 1);
    ck_assert_uint_gt(expected->count, 300);
    for (int reader = 0; reader < BACKEND_KIND_COUNT; reader++) {
        restore_into(reader, &arena, parts, count, got);
        expect_same(expected, got);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(after_the_same_operations_every_backend_holds_the_entries_of_the_first)
{
    int kinds[2] = { 0, _i };
    struct arena arena;
    arena_init(&arena);
    struct entries *entries = arena_alloc(&arena, 2, sizeof *entries);
    for (int i = 0; i < 2; i++) {
        struct prng prng = { .state = 23 };
        struct backend *backend = backend_kinds[kinds[i]].create(&arena, all_groups, PARTS_MAX);
        declare_states(backend);
        for (int j = 0; j < 2 * OPERATIONS_FIRST; j++) {
            operate(backend, &prng);
        }
        read_entries(whole(backend, &arena, 1), &entries[i]);
        ck_assert_uint_eq(backend_entry_count(backend), entries[i].count);
        backend_destroy(backend);
    }
    ck_assert_uint_gt(entries[0].count, 300);
    expect_same(&entries[0], &entries[1]);
    arena_drop(&arena);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend exchange");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, the_parts_that_one_backend_writes_are_restored_by_every_other, 0,
                        BACKEND_KIND_COUNT);
    tcase_add_loop_test(tcase,
                        after_the_same_operations_every_backend_holds_the_entries_of_the_first, 1,
                        BACKEND_KIND_COUNT);
    Suite *suite = suite_create("backend_exchange");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
