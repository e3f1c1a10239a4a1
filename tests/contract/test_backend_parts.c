#include <check.h>
#include <string.h>

#include "model/base/prng.h"
#include "model/state/backend.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* Snapshots as lists of parts. Every test runs once for each kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

/* Writes snapshot `id` on `base`, whose parts are `parts`, and sets them to its own; returns the
 * bytes of the new part. */
static size_t snapshot_on(struct backend *backend, struct arena *arena, uint64_t id, uint64_t base,
                          struct bytes *parts, uint32_t *part_count)
{
    struct buffer out;
    buffer_init(&out, arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, id, base);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *part_count; i++) {
        if (base != 0 && backend_snapshot_keeps(snapshot, i)) {
            parts[kept++] = parts[i];
        }
    }
    struct bytes new_part = finish_snapshot(snapshot, &out, 1000);
    backend_snapshot_end(snapshot);
    if (new_part.size > 0) {
        parts[kept++] = new_part;
    }
    *part_count = kept;
    return new_part.size;
}

START_TEST(b6_a_snapshot_on_a_base_holds_what_was_put_added_and_removed_since)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 5000; key++) {
        put_number(backend, state, key, key);
    }
    size_t whole_bytes = snapshot_on(backend, &arena, 1, 0, parts, &count);
    struct bytes first = parts[0];
    put_number(backend, state, 7, 70); /* changed */
    put_number(backend, state, 7, 71); /* twice */
    remove_number(backend, state, 8);  /* removed */
    remove_number(backend, state, 9);  /* removed and put again */
    put_number(backend, state, 9, 90);
    put_number(backend, state, 9999, 1); /* new, then removed */
    remove_number(backend, state, 9999);
    put_number(backend, state, 9998, 2); /* new */
    static const uint64_t sum_key = 10;
    set_number_key(backend, &sum_key);
    ck_assert_uint_eq(backend_add(backend, state, 90), 100);
    size_t new_bytes = snapshot_on(backend, &arena, 2, 1, parts, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(parts[0].data == first.data);
    ck_assert_uint_lt(new_bytes * 50, whole_bytes);
    struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state = backend_declare_value(restored, "n");
    ck_assert_int_eq(restore_parts(restored, 2, parts, count), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(restored), 5000);
    ck_assert_uint_eq(get_number(restored, state, 6), 6);
    ck_assert_uint_eq(get_number(restored, state, 7), 71);
    ck_assert_uint_eq(get_number(restored, state, 8), UINT64_MAX);
    ck_assert_uint_eq(get_number(restored, state, 9), 90);
    ck_assert_uint_eq(get_number(restored, state, 10), 100);
    ck_assert_uint_eq(get_number(restored, state, 9999), UINT64_MAX);
    ck_assert_uint_eq(get_number(restored, state, 9998), 2);
    /* What was restored is a base, too. */
    put_number(restored, state, 1, 11);
    ck_assert_uint_lt(snapshot_on(restored, &arena, 3, 2, parts, &count) * 50, whole_bytes);
    ck_assert_uint_eq(count, 3);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b6_without_a_change_there_is_no_new_part)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    put_number(backend, state, 1, 1);
    (void)snapshot_on(backend, &arena, 1, 0, parts, &count);
    for (uint64_t id = 2; id < 20; id++) {
        ck_assert_uint_eq(snapshot_on(backend, &arena, id, id - 1, parts, &count), 0);
        ck_assert_uint_eq(count, 1);
    }
    put_number(backend, state, 1, 2);
    ck_assert_uint_gt(snapshot_on(backend, &arena, 20, 19, parts, &count), 0);
    ck_assert_int_eq(
        restore_parts(backend_kinds[_i].create(&arena, all_groups, PARTS_MAX), 20, parts, count),
        STATUS_OK);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b6_two_open_snapshots_on_one_base_each_hold_their_own_moment)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes base[PARTS_MAX];
    uint32_t base_count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 300; key++) {
        put_number(backend, state, key, key);
    }
    (void)snapshot_on(backend, &arena, 1, 0, base, &base_count);
    remove_number(backend, state, 5);
    struct backend_snapshot *early = backend_snapshot_begin(backend, 2, 1);
    put_number(backend, state, 5, 50);
    remove_number(backend, state, 6);
    struct backend_snapshot *late = backend_snapshot_begin(backend, 3, 1);
    put_number(backend, state, 6, 60);
    for (int i = 0; i < 2; i++) {
        struct buffer out;
        buffer_init(&out, &arena);
        struct bytes parts[] = { base[0], finish_snapshot(i == 0 ? late : early, &out, 10) };
        struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
        ck_assert_int_eq(restore_parts(restored, 3 - (uint64_t)i, parts, 2), STATUS_OK);
        state_id same = backend_declare_value(restored, "n");
        ck_assert_uint_eq(get_number(restored, same, 5), i == 0 ? 50 : UINT64_MAX);
        ck_assert_uint_eq(get_number(restored, same, 6), i == 0 ? UINT64_MAX : 6);
        backend_destroy(restored);
        backend_snapshot_end(i == 0 ? late : early);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* More rows change than a backend drops at once when a snapshot ends. */
START_TEST(b2_what_earlier_snapshots_have_kept_is_in_no_later_one)
{
    enum { KEYS = 1500, ROUNDS = 4, STEP_BYTES = 4096 };
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, 1);
    state_id state = backend_declare_value(backend, "n");
    struct backend_snapshot *open[ROUNDS];
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint64_t key = round; key < KEYS + round; key++) {
            put_number(backend, state, key, round);
        }
        if (round > 0) {
            remove_number(backend, state, round - 1);
        }
        open[round] = backend_snapshot_begin(backend, round + 1, 0);
        if (round == 1) {
            backend_snapshot_end(open[0]); /* not written, while the next one is open */
        }
    }
    for (uint64_t round = 1; round < ROUNDS; round++) {
        buffer_reset(&out);
        struct bytes bytes = finish_snapshot(open[round], &out, STEP_BYTES);
        backend_snapshot_end(open[round]);
        struct backend *restored = backend_kinds[_i].create(&arena, all_groups, 1);
        ck_assert_int_eq(restore_parts(restored, round + 1, &bytes, 1), STATUS_OK);
        state = backend_declare_value(restored, "n");
        ck_assert_uint_eq(backend_entry_count(restored), KEYS);
        for (uint64_t key = 0; key < KEYS + round; key++) {
            ck_assert_uint_eq(get_number(restored, state, key), key < round ? UINT64_MAX : round);
        }
        backend_destroy(restored);
    }
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* Puts KEYS values that are too long to lie in the entries of a heap. */
static void put_texts(struct backend *backend, state_id state, uint64_t keys)
{
    static const uint8_t text[100];
    for (uint64_t key = 0; key < keys; key++) {
        set_number_key(backend, &key);
        backend_put(backend, state, (struct bytes){ .data = text, .size = sizeof text });
    }
}

START_TEST(what_an_abandoned_snapshot_of_the_heap_kept_is_dropped_a_little_in_each_later_step)
{
    enum { KEYS = 2000, STEP_BYTES = 4096, DROPPED_MAX = 100 };
    struct arena arena;
    struct arena other;
    struct buffer out;
    arena_init(&arena);
    arena_init(&other);
    buffer_init(&out, &other);
    struct backend *backend = backend_heap_create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    put_texts(backend, state, KEYS);
    size_t before = arena.live_count;
    struct backend_snapshot *abandoned = backend_snapshot_begin(backend, 1, 0);
    put_texts(backend, state, KEYS);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 2, 0);
    (void)finish_snapshot(snapshot, &out, STEP_BYTES);
    backend_snapshot_end(snapshot); /* and the next one passes over all that it has seen */
    size_t kept = arena.live_count;
    ck_assert_uint_gt(kept, before + KEYS);
    backend_snapshot_end(abandoned);
    ck_assert_uint_ge(arena.live_count + 1, kept); /* only itself */
    backend_heap_check(backend);
    snapshot = backend_snapshot_begin(backend, 3, 2);
    enum backend_step left = BACKEND_MORE;
    while (left == BACKEND_MORE) {
        kept = arena.live_count;
        left = backend_snapshot_step(snapshot, &out, STEP_BYTES);
        ck_assert_uint_ge(arena.live_count + DROPPED_MAX, kept);
    }
    backend_snapshot_end(snapshot);
    ck_assert_uint_lt(arena.live_count, before + KEYS / 2);
    backend_heap_check(backend);
    arena_drop(&arena);
    arena_drop(&other);
}
END_TEST

START_TEST(b6_parts_stay_few_and_hold_little_that_is_dead)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    uint32_t kept_often = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t id = 1; id < 100; id++) {
        for (uint64_t key = 0; key < 200; key++) { /* new keys, then the same ones */
            put_number(backend, state, id < 50 ? id * 200 + key : key, id);
        }
        size_t new_bytes = snapshot_on(backend, &arena, id, id - 1, parts, &count);
        ck_assert_uint_le(count, PARTS_MAX);
        size_t all_bytes = 0;
        for (uint32_t i = 0; i < count; i++) {
            all_bytes += parts[i].size;
        }
        ck_assert_uint_le(all_bytes - new_bytes, backend_entry_count(backend) * 28 * 2 + 1000);
        kept_often += count > 2;
    }
    ck_assert_uint_ge(kept_often, 20);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b6_a_base_that_a_backend_does_not_know_means_a_whole_snapshot)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 10; key++) {
        put_number(backend, state, key, key);
    }
    (void)snapshot_on(backend, &arena, 1, 0, parts, &count);
    /* So many removals that remembering them would cost more than the state. */
    for (uint64_t i = 0; i < 5000; i++) {
        put_number(backend, state, 1000 + i % 7, i);
        remove_number(backend, state, 1000 + i % 7);
    }
    remove_number(backend, state, 5); /* of the base, and not remembered either */
    backend_kinds[_i].check(backend);
    (void)snapshot_on(backend, &arena, 2, 1, parts, &count);
    ck_assert_int_eq(
        restore_parts(backend_kinds[_i].create(&arena, all_groups, PARTS_MAX), 2, parts, count),
        STATUS_OK);
    put_number(backend, state, 3, 33);
    ck_assert_uint_gt(snapshot_on(backend, &arena, 3, 2, parts, &count), 0);
    struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    ck_assert_int_eq(restore_parts(restored, 3, parts, count), STATUS_OK);
    state = backend_declare_value(restored, "n");
    ck_assert_uint_eq(get_number(restored, state, 3), 33);
    ck_assert_uint_eq(get_number(restored, state, 5), UINT64_MAX);
    ck_assert_uint_eq(backend_entry_count(restored), 9);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(parts_that_do_not_belong_together_are_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t id = 1; id <= 3; id++) {
        for (uint64_t key = 0; key < 50; key++) {
            put_number(backend, state, id * 100 + key, id);
        }
        (void)snapshot_on(backend, &arena, id, id - 1, parts, &count);
    }
    ck_assert_uint_eq(count, 3);
    static const struct {
        uint32_t count;
        uint32_t which[3];
    } wrong[] = { { 0, { 0 } },       { 1, { 1 } },       { 2, { 0, 2 } },
                  { 2, { 1, 2 } },    { 2, { 0, 0 } },    { 3, { 0, 2, 1 } },
                  { 3, { 0, 1, 1 } }, { 3, { 1, 0, 2 } }, { 3, { 0, 1, 0 } } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bytes mixed[3];
        for (uint32_t j = 0; j < wrong[i].count; j++) {
            mixed[j] = parts[wrong[i].which[j]];
        }
        struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
        ck_assert_int_eq(restore_parts(restored, 3, mixed, wrong[i].count), STATUS_CORRUPT);
        backend_destroy(restored);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* Key groups 0..127 hold one of the keys 0..127 each. */
START_TEST(an_entry_that_is_there_already_makes_a_snapshot_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes parts[PARTS_MAX];
    uint32_t count = 0;
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 40; key < 60; key++) {
        put_number(backend, state, key, key);
    }
    (void)snapshot_on(backend, &arena, 1, 0, parts, &count);
    ck_assert_uint_eq(count, 1);
    for (uint64_t key = 0; key < 100; key++) {
        struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
        state = backend_declare_value(restored, "n");
        put_number(restored, state, key, 1);
        bool is_twice = key >= 40 && key < 60;
        ck_assert_int_eq(restore_parts(restored, 1, parts, 1),
                         is_twice ? STATUS_CORRUPT : STATUS_OK);
        if (!is_twice) {
            ck_assert_uint_eq(backend_entry_count(restored), 21);
            ck_assert_uint_eq(get_number(restored, state, key), 1);
            ck_assert_uint_eq(get_number(restored, state, 40), 40);
            ck_assert_int_eq(restore_parts(restored, 1, parts, 1), STATUS_CORRUPT);
        }
        backend_destroy(restored);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* The property test: a backend and a plain array do the same random operations. With
 * FAULTLINE_RANDOM_OPERATIONS=1000000 in the environment it is a long one. */
enum {
    KEY_COUNT = 400,
    KEY_SIZE_MAX = 40,
    VALUE_SIZE_MAX = 100,
    STATE_COUNT = 3,
    OPEN_COUNT_MAX = 5,
    OPERATION_COUNT = 8000,
    PHASE_OPERATIONS = 1000,
    CHECK_OPERATIONS = 2500,
};

static const struct key_group_range property_groups = { .first = 10, .last = 17 };
static const char *const state_names[STATE_COUNT] = { "count", "sum", "last" };

struct reference_value {
    bool is_present;
    uint8_t size;
    uint8_t data[VALUE_SIZE_MAX];
};

struct reference {
    struct reference_value values[KEY_COUNT][STATE_COUNT];
};

/* The parts of a snapshot, in the test's arena, and what they must hold. */
struct parts {
    uint64_t id;
    struct bytes items[PARTS_MAX];
    uint32_t count;
    struct reference *reference;
};

struct property {
    int kind;
    struct arena arena;
    struct prng prng;
    struct bytes keys[KEY_COUNT];
    uint32_t key_groups[KEY_COUNT];
    struct backend *backend;
    struct reference *now;
    struct open_snapshot {
        struct backend_snapshot *snapshot;
        struct parts parts; /* that it keeps of its base */
        struct buffer out;
    } open[OPEN_COUNT_MAX];
    uint32_t open_count;
    uint64_t next_id;
    struct parts base; /* the newest that was confirmed; id 0: none */
    uint32_t compared_count;
    uint32_t incremental_count;
    uint32_t restored_count;
};

static void make_keys(struct property *property)
{
    for (uint32_t i = 0; i < KEY_COUNT; i++) {
        uint8_t data[KEY_SIZE_MAX];
        bool is_new;
        do {
            size_t size = prng_between(&property->prng, 0, KEY_SIZE_MAX);
            for (size_t j = 0; j < size; j++) {
                data[j] = (uint8_t)prng_below(&property->prng, 250);
            }
            property->keys[i] = (struct bytes){ .data = data, .size = size };
            is_new = true;
            for (uint32_t j = 0; j < i && is_new; j++) {
                is_new = !bytes_equal(property->keys[j], property->keys[i]);
            }
        } while (!is_new);
        property->keys[i] = bytes_copy(&property->arena, property->keys[i]);
        property->key_groups[i] =
            (uint32_t)prng_between(&property->prng, property_groups.first, property_groups.last);
    }
}

static struct bytes reference_bytes(const struct reference_value *value)
{
    return value->is_present ? (struct bytes){ .data = value->data, .size = value->size }
                             : (struct bytes){ 0 };
}

static void compare_value(struct backend *backend, state_id state,
                          const struct reference_value *expected)
{
    struct bytes value = backend_get(backend, state);
    if ((value.data != NULL) != expected->is_present ||
        !bytes_equal(value, reference_bytes(expected))) {
        ck_abort_msg("another value than the reference's");
    }
}

/* Compares every value and their number. */
static void compare_all(const struct property *property, struct backend *backend,
                        const struct reference *reference)
{
    state_id states[STATE_COUNT];
    for (uint32_t state = 0; state < STATE_COUNT; state++) {
        states[state] = backend_declare_value(backend, state_names[state]);
    }
    uint64_t present_count = 0;
    for (uint32_t key = 0; key < KEY_COUNT; key++) {
        backend_set_key(backend, property->key_groups[key], property->keys[key]);
        for (int state = 0; state < STATE_COUNT; state++) {
            compare_value(backend, states[state], &reference->values[key][state]);
            present_count += reference->values[key][state].is_present;
        }
    }
    ck_assert_uint_eq(backend_entry_count(backend), present_count);
    backend_kinds[property->kind].check(backend);
}

static void change_value(struct property *property, uint32_t put_ppm)
{
    struct prng *prng = &property->prng;
    /* Half of the operations go to a tenth of the keys. */
    uint64_t bound = prng_chance(prng, 500000) ? KEY_COUNT / 10 : KEY_COUNT;
    uint64_t key = prng_below(prng, bound);
    backend_set_key(property->backend, property->key_groups[key], property->keys[key]);
    for (uint64_t i = prng_between(prng, 1, 4); i > 0; i--) {
        uint64_t state = prng_below(prng, STATE_COUNT);
        struct reference_value *value = &property->now->values[key][state];
        compare_value(property->backend, (state_id)state, value);
        if (prng_chance(prng, 300000)) {
            continue;
        }
        value->is_present = prng_chance(prng, put_ppm);
        if (!value->is_present) {
            backend_remove(property->backend, (state_id)state);
            continue;
        }
        value->size = (uint8_t)(prng_chance(prng, 500000) ? prng_between(prng, 0, 9)
                                                          : prng_between(prng, 0, VALUE_SIZE_MAX));
        memset(value->data, (int)prng_below(prng, 256), value->size);
        backend_put(property->backend, (state_id)state, reference_bytes(value));
    }
}

/* What is kept of the parts of `base` by `snapshot`. */
static struct parts kept_parts(const struct backend_snapshot *snapshot, const struct parts *base)
{
    struct parts kept = { .id = base->id };
    for (uint32_t i = 0; i < base->count; i++) {
        if (backend_snapshot_keeps(snapshot, i)) {
            kept.items[kept.count++] = base->items[i];
        }
    }
    return kept;
}

static void begin_snapshot(struct property *property)
{
    struct open_snapshot *open = &property->open[property->open_count++];
    static const struct parts none = { 0 };
    const struct parts *base = prng_chance(&property->prng, 100000) ? &none : &property->base;
    uint64_t id = property->next_id++;
    open->snapshot = backend_snapshot_begin(property->backend, id, base->id);
    open->parts = kept_parts(open->snapshot, base);
    open->parts.id = id;
    open->parts.reference = arena_alloc_raw(&property->arena, sizeof *property->now);
    memcpy(open->parts.reference, property->now, sizeof *property->now);
    buffer_init(&open->out, &property->arena);
}

static void end_snapshot(struct property *property, uint32_t number)
{
    struct open_snapshot *open = &property->open[number];
    backend_snapshot_end(open->snapshot);
    buffer_free(&open->out);
    *open = property->open[--property->open_count];
}

static void compare_restored(struct property *property, struct open_snapshot *open)
{
    struct parts *parts = &open->parts;
    property->incremental_count += parts->count > 0;
    if (open->out.size > 0) {
        ck_assert_uint_lt(parts->count, PARTS_MAX);
        parts->items[parts->count++] = bytes_copy(&property->arena, buffer_bytes(&open->out));
    }
    struct arena arena;
    arena_init(&arena);
    struct backend *restored =
        backend_kinds[property->kind].create(&arena, property_groups, PARTS_MAX);
    ck_assert_int_eq(restore_parts(restored, parts->id, parts->items, parts->count), STATUS_OK);
    compare_all(property, restored, parts->reference);
    backend_destroy(restored);
    arena_drop(&arena);
    property->compared_count++;
}

/* All that is in memory is lost: the confirmed snapshot is what there is. */
static void restart(struct property *property)
{
    while (property->open_count > 0) {
        end_snapshot(property, 0);
    }
    backend_destroy(property->backend);
    property->backend =
        backend_kinds[property->kind].create(&property->arena, property_groups, PARTS_MAX);
    for (uint32_t state = 0; state < STATE_COUNT; state++) {
        (void)backend_declare_value(property->backend, state_names[state]);
    }
    const struct parts *base = &property->base;
    ck_assert_int_eq(restore_parts(property->backend, base->id, base->items, base->count),
                     STATUS_OK);
    memcpy(property->now, base->reference, sizeof *property->now);
    compare_all(property, property->backend, property->now);
    property->restored_count++;
}

/* Begins, steps or ends a snapshot now and then. Most that are written out are confirmed, unless a
 * newer one was: the others are those of checkpoints that were aborted. */
static void move_snapshots(struct property *property)
{
    struct prng *prng = &property->prng;
    if (property->open_count < OPEN_COUNT_MAX && prng_chance(prng, 6000)) {
        begin_snapshot(property);
    }
    if (property->open_count == 0 || !prng_chance(prng, 160000)) {
        return;
    }
    uint32_t number = (uint32_t)prng_below(prng, property->open_count);
    struct open_snapshot *open = &property->open[number];
    if (prng_chance(prng, 3000)) {
        end_snapshot(property, number); /* given up half-way */
    } else if (backend_snapshot_step(open->snapshot, &open->out, prng_below(prng, 4000)) ==
               BACKEND_DONE) {
        compare_restored(property, open);
        if (open->parts.id > property->base.id && prng_chance(prng, 700000)) {
            property->base = open->parts;
        }
        end_snapshot(property, number);
    }
    if (property->base.id > 0 && prng_chance(prng, 3000)) {
        restart(property);
    }
}

START_TEST(a_backend_and_its_snapshots_agree_with_a_plain_array_at_every_step)
{
    struct property property = { .kind = _i, .prng = { .state = 17 }, .next_id = 1 };
    arena_init(&property.arena);
    make_keys(&property);
    property.backend = backend_kinds[_i].create(&property.arena, property_groups, PARTS_MAX);
    property.now = arena_alloc(&property.arena, 1, sizeof *property.now);
    for (uint32_t state = 0; state < STATE_COUNT; state++) {
        ck_assert_uint_eq(backend_declare_value(property.backend, state_names[state]), state);
    }
    uint64_t operations = random_operations(OPERATION_COUNT);
    for (uint64_t i = 0; i < operations; i++) {
        change_value(&property, i / PHASE_OPERATIONS % 2 == 0 ? 800000 : 250000);
        move_snapshots(&property);
        if (i % CHECK_OPERATIONS == 0) {
            compare_all(&property, property.backend, property.now);
        }
    }
    while (property.open_count > 0) {
        end_snapshot(&property, 0);
    }
    compare_all(&property, property.backend, property.now);
    ck_assert_uint_ge(property.compared_count, operations / 600);
    ck_assert_uint_ge(property.incremental_count, operations / 2000);
    ck_assert_uint_ge(property.restored_count, operations / 12000);
    backend_destroy(property.backend);
    arena_drop(&property.arena);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend parts");
    tcase_set_timeout(tcase, 3600); /* of a long run */
    tcase_add_loop_test(tcase, b6_a_snapshot_on_a_base_holds_what_was_put_added_and_removed_since,
                        0, KIND_COUNT);
    tcase_add_loop_test(tcase, b6_without_a_change_there_is_no_new_part, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b6_two_open_snapshots_on_one_base_each_hold_their_own_moment, 0,
                        KIND_COUNT);
    tcase_add_test(
        tcase, what_an_abandoned_snapshot_of_the_heap_kept_is_dropped_a_little_in_each_later_step);
    tcase_add_loop_test(tcase, b2_what_earlier_snapshots_have_kept_is_in_no_later_one, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b6_parts_stay_few_and_hold_little_that_is_dead, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b6_a_base_that_a_backend_does_not_know_means_a_whole_snapshot, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, parts_that_do_not_belong_together_are_corrupt, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, an_entry_that_is_there_already_makes_a_snapshot_corrupt, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, a_backend_and_its_snapshots_agree_with_a_plain_array_at_every_step,
                        0, KIND_COUNT);
    Suite *suite = suite_create("backend_parts");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
