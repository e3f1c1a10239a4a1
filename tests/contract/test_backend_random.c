#include <check.h>
#include <string.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/state/backend.h"
#include "model/state/ttl.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* A backend and plain arrays do the same random operations on states of every kind: with
 * namespaces, subkeys, lists, times to live, snapshots with and without a base, restores of all or
 * half of the key groups. Every test runs once for each kind of backend; _i is its number.
 * FAULTLINE_RANDOM_OPERATIONS=1000000 makes a long run of it (a few minutes). */
enum {
    KEYS = 24,
    SPACES = 3,
    SUBKEYS = 12,
    VALUE_BYTES_MAX = 80,
    TTL_NS = 1000,
    PARTS_MAX = 4,
    PARTS_HELD_MAX = 64,
    OPEN_MAX = 4,
    CELLS_MAX = 4096,
    OPERATIONS = 10000,
    COMPARED_OPERATIONS = 4000, /* from one look at everything to the next */
};

static const struct key_group_range groups = { .first = 10, .last = 17 };

static const struct state_descriptor states[] = {
    { .name = "value", .kind = STATE_VALUE, .value = { .name = "bytes" } },
    { .name = "value per window",
      .kind = STATE_REDUCING,
      .value = { .name = "bytes" },
      .has_namespace = true },
    { .name = "list", .kind = STATE_LIST, .value = { .name = "bytes" } },
    { .name = "list per window",
      .kind = STATE_LIST,
      .value = { .name = "bytes" },
      .has_namespace = true },
    { .name = "map",
      .kind = STATE_MAP,
      .value = { .name = "bytes" },
      .subkey = { .name = "bytes" } },
    { .name = "map per window",
      .kind = STATE_MAP,
      .value = { .name = "bytes" },
      .subkey = { .name = "bytes" },
      .has_namespace = true },
    { .name = "mortal value", .kind = STATE_VALUE, .value = { .name = "bytes" }, .ttl_ns = TTL_NS },
    { .name = "mortal list", .kind = STATE_LIST, .value = { .name = "bytes" }, .ttl_ns = TTL_NS },
    { .name = "mortal map",
      .kind = STATE_MAP,
      .value = { .name = "bytes" },
      .subkey = { .name = "bytes" },
      .ttl_ns = TTL_NS },
};

enum { STATES = sizeof states / sizeof states[0] };

struct cell {
    bool is_there;
    uint8_t size;
    uint8_t data[VALUE_BYTES_MAX];
};

struct reference {
    struct cell cells[CELLS_MAX];
};

struct parts {
    uint64_t id;
    struct bytes items[PARTS_HELD_MAX];
    uint32_t count;
    struct reference *reference;
};

struct open_snapshot {
    struct backend_snapshot *snapshot;
    struct parts parts;
    struct buffer out;
};

struct property {
    int kind;
    struct arena arena;
    struct prng prng;
    struct bytes keys[KEYS];
    uint32_t key_groups[KEYS];
    struct bytes spaces[SPACES];
    struct bytes subkeys[SUBKEYS]; /* in the order of their bytes */
    struct backend *backend;
    struct backend_key foreseen[KEYS];
    bool has_foreseen;
    struct reference *now;
    struct open_snapshot open[OPEN_MAX];
    uint32_t open_count;
    uint64_t next_id;
    struct parts base;
    uint32_t compared_count;
    uint32_t incremental_count;
    uint32_t restored_count;
    uint32_t iterated_count;
    uint32_t expired_count;
};

struct place {
    uint32_t state;
    uint32_t key;
    uint32_t space;
    uint32_t subkey;
};

static uint32_t space_count(uint32_t state)
{
    return states[state].has_namespace ? SPACES : 1;
}

static uint32_t subkey_count(uint32_t state)
{
    return state_has_subkey(&states[state]) ? SUBKEYS : 1;
}

static struct cell *cell_at(struct reference *reference, struct place place)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < place.state; i++) {
        number += KEYS * space_count(i) * subkey_count(i);
    }
    number += (place.key * space_count(place.state) + place.space) * subkey_count(place.state);
    ck_assert_uint_lt(number + place.subkey, CELLS_MAX);
    return &reference->cells[number + place.subkey];
}

static struct bytes cell_bytes(const struct cell *cell)
{
    return cell->is_there ? (struct bytes){ .data = cell->data, .size = cell->size }
                          : (struct bytes){ 0 };
}

static void set_cell(struct cell *cell, struct bytes value)
{
    ck_assert_uint_le(value.size, VALUE_BYTES_MAX);
    cell->is_there = value.data != NULL;
    cell->size = (uint8_t)value.size;
    if (value.size > 0) {
        memcpy(cell->data, value.data, value.size);
    }
}

static void go_within(struct property *property, struct backend *backend, struct place place)
{
    if (states[place.state].has_namespace) {
        backend_set_namespace(backend, property->spaces[place.space]);
    }
    if (state_has_subkey(&states[place.state])) {
        backend_set_subkey(backend, property->subkeys[place.subkey]);
    }
}

static void go_to(struct property *property, struct backend *backend, struct place place)
{
    backend_set_key(backend, property->key_groups[place.key], property->keys[place.key]);
    go_within(property, backend, place);
}

/* The same, perhaps by a key that was foreseen before other operations. */
static void go_ahead(struct property *property, struct place place)
{
    if (!property->has_foreseen || prng_chance(&property->prng, 100000)) {
        for (uint32_t i = 0; i < KEYS; i++) {
            property->foreseen[i] = (struct backend_key){ .bytes = &property->keys[i],
                                                          .key_group = property->key_groups[i] };
        }
        backend_foresee(property->backend, property->foreseen, KEYS);
        property->has_foreseen = true;
    }
    if (prng_chance(&property->prng, 500000)) {
        backend_set_foreseen(property->backend, &property->foreseen[place.key]);
        go_within(property, property->backend, place);
    } else {
        go_to(property, property->backend, place);
    }
}

/* What is left of a value when what has expired is taken away; data == NULL: nothing. */
static struct bytes alive(const struct property *property, uint32_t state, struct bytes value,
                          struct buffer *scratch)
{
    if (value.data == NULL || states[state].ttl_ns == 0) {
        return value;
    }
    buffer_reset(scratch);
    switch (ttl_judge(&states[state], value, property->backend->now_ns, scratch)) {
    case TTL_KEEP: return value;
    case TTL_SHRINK: return buffer_bytes(scratch);
    case TTL_DROP: break;
    }
    return (struct bytes){ 0 };
}

/* Is what a backend holds what the reference does, but for what may have vanished? */
static bool agrees(struct property *property, uint32_t state, const struct cell *expected,
                   struct bytes value)
{
    struct buffer scratch[2];
    buffer_init(&scratch[0], &property->arena);
    buffer_init(&scratch[1], &property->arena);
    struct bytes wanted = alive(property, state, cell_bytes(expected), &scratch[0]);
    struct bytes found = alive(property, state, value, &scratch[1]);
    bool is_same = (wanted.data == NULL) == (found.data == NULL) && bytes_equal(wanted, found) &&
                   value.size <= expected->size && (value.data == NULL || expected->is_there);
    buffer_free(&scratch[0]);
    buffer_free(&scratch[1]);
    return is_same;
}

/* Reads the current entry, and lets the reference forget what has vanished. */
static struct bytes read_cell(struct property *property, uint32_t state, struct cell *cell)
{
    struct bytes value = backend_get(property->backend, (state_id)state);
    ck_assert(agrees(property, state, cell, value));
    if (states[state].ttl_ns > 0) {
        property->expired_count += cell->is_there && value.data == NULL;
        set_cell(cell, value);
    }
    return value;
}

/* Compares every entry of the key groups first..last, read one by one and gone through. */
static void compare_all(struct property *property, struct backend *backend,
                        struct reference *reference, struct key_group_range range)
{
    uint64_t count_min = 0;
    uint64_t count_max = 0;
    for (uint32_t state = 0; state < STATES; state++) {
        struct place at = { .state = state };
        for (at.key = 0; at.key < KEYS; at.key++) {
            if (property->key_groups[at.key] < range.first ||
                property->key_groups[at.key] > range.last) {
                continue;
            }
            for (at.space = 0; at.space < space_count(state); at.space++) {
                for (at.subkey = 0; at.subkey < subkey_count(state); at.subkey++) {
                    const struct cell *cell = cell_at(reference, at);
                    go_to(property, backend, at);
                    struct bytes value = backend_get(backend, (state_id)state);
                    ck_assert(agrees(property, state, cell, value));
                    count_min += cell->is_there && states[state].ttl_ns == 0;
                    count_max += cell->is_there;
                }
            }
        }
    }
    ck_assert_uint_ge(backend_entry_count(backend), count_min);
    ck_assert_uint_le(backend_entry_count(backend), count_max);
    backend_kinds[property->kind].check(backend);
}

static uint32_t index_of(const struct bytes *names, uint32_t count, struct bytes name)
{
    uint32_t i = 0;
    while (i < count && !bytes_equal(names[i], name)) {
        i++;
    }
    ck_assert_uint_lt(i, count);
    return i;
}

/* All entries of one state, whatever their key, each once. */
static void compare_scan(struct property *property, uint32_t state)
{
    uint32_t expected_count = 0;
    uint32_t found_count = 0;
    struct place at = { .state = state };
    for (at.key = 0; at.key < KEYS; at.key++) {
        for (at.space = 0; at.space < space_count(state); at.space++) {
            for (at.subkey = 0; at.subkey < subkey_count(state); at.subkey++) {
                go_to(property, property->backend, at);
                struct cell *cell = cell_at(property->now, at);
                expected_count += read_cell(property, state, cell).data != NULL;
            }
        }
    }
    struct backend_entry entry;
    uint32_t key_group = 0;
    backend_iterate(property->backend, (state_id)state, SCOPE_STATE);
    while (backend_next(property->backend, (state_id)state, &entry)) {
        at.key = index_of(property->keys, KEYS, entry.at.key);
        at.space = states[state].has_namespace
                       ? index_of(property->spaces, SPACES, entry.at.name_space)
                       : 0;
        at.subkey = state_has_subkey(&states[state])
                        ? index_of(property->subkeys, SUBKEYS, entry.at.subkey)
                        : 0;
        ck_assert_uint_eq(entry.key_group, property->key_groups[at.key]);
        ck_assert_uint_ge(entry.key_group, key_group);
        key_group = entry.key_group;
        ck_assert(bytes_equal(entry.value, cell_bytes(cell_at(property->now, at))));
        found_count++;
    }
    ck_assert_uint_eq(found_count, expected_count);
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct place any_place(struct property *property)
{
    struct prng *prng = &property->prng;
    uint32_t state = (uint32_t)prng_below(prng, STATES);
    return (struct place){ .state = state,
                           .key = (uint32_t)prng_below(prng, KEYS),
                           .space = (uint32_t)prng_below(prng, space_count(state)),
                           .subkey = (uint32_t)prng_below(prng, subkey_count(state)) };
}

/* A new value, or element of a list, in `out`. */
static void make_value(struct property *property, uint32_t state, struct buffer *out)
{
    struct prng *prng = &property->prng;
    bool is_list = states[state].kind == STATE_LIST;
    uint64_t content = prng_below(prng, is_list ? 12 : 30);
    if (is_list) {
        encode_u32(out, (uint32_t)(content + (states[state].ttl_ns > 0 ? TTL_STAMP_BYTES : 0)));
    }
    if (states[state].ttl_ns > 0) {
        encode_u64(out, property->backend->now_ns);
    }
    memset(buffer_extend(out, content), (int)prng_below(prng, 256), content);
    buffer_reserve(out, 1); /* so that no bytes have an address */
}

/* Puts, appends, removes, or only reads. */
static void change(struct property *property, struct place place, struct buffer *scratch)
{
    struct cell *cell = cell_at(property->now, place);
    state_id state = (state_id)place.state;
    if (prng_chance(&property->prng, 500000)) {
        (void)read_cell(property, place.state, cell);
    }
    uint64_t what = prng_below(&property->prng, 10);
    if (what < 2) {
        backend_remove(property->backend, state);
        cell->is_there = false;
        cell->size = 0;
        return;
    }
    buffer_reset(scratch);
    make_value(property, place.state, scratch);
    bool is_list = states[place.state].kind == STATE_LIST;
    if (is_list && what < 9 && cell->size + scratch->size <= VALUE_BYTES_MAX) {
        (void)read_cell(property, place.state, cell); /* the reference appends to what is left */
        backend_append(property->backend, state, buffer_bytes(scratch));
        memcpy(cell->data + cell->size, scratch->data, scratch->size);
        cell->is_there = true;
        cell->size = (uint8_t)(cell->size + scratch->size);
    } else if (what < 9) {
        backend_put(property->backend, state, buffer_bytes(scratch));
        set_cell(cell, buffer_bytes(scratch));
    }
}

/* Goes through a map, whose entries come in order, and changes some of them on the way. */
static void go_through(struct property *property, struct place place, struct buffer *scratch)
{
    struct backend_entry entry;
    state_id state = (state_id)place.state;
    uint32_t next = 0;
    backend_iterate(property->backend, state, SCOPE_MAP);
    while (backend_next(property->backend, state, &entry)) {
        place.subkey = index_of(property->subkeys, SUBKEYS, entry.at.subkey);
        ck_assert_uint_ge(place.subkey, next);
        for (; next < place.subkey; next++) { /* those that were passed over are not there */
            struct place gap = { place.state, place.key, place.space, next };
            ck_assert(
                agrees(property, place.state, cell_at(property->now, gap), (struct bytes){ 0 }));
        }
        next = place.subkey + 1;
        ck_assert(agrees(property, place.state, cell_at(property->now, place), entry.value));
        ck_assert(bytes_equal(entry.at.key, property->keys[place.key]));
        ck_assert_uint_eq(entry.key_group, property->key_groups[place.key]);
        if (prng_chance(&property->prng, 200000)) {
            backend_set_subkey(property->backend, entry.at.subkey);
            change(property, place, scratch);
        }
        if (prng_chance(&property->prng, 20000)) {
            return; /* given up */
        }
    }
    property->iterated_count++;
}

static void operate(struct property *property, struct buffer *scratch)
{
    struct prng *prng = &property->prng;
    struct place place = any_place(property);
    go_ahead(property, place);
    if (state_has_subkey(&states[place.state]) && prng_chance(prng, 50000)) {
        go_through(property, place, scratch);
    } else {
        change(property, place, scratch);
    }
    if (prng_chance(prng, 100000)) {
        backend_set_time(property->backend, property->backend->now_ns + prng_below(prng, 20));
        backend_expire(property->backend, (uint32_t)prng_below(prng, 4));
    }
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static struct backend *create(struct property *property, struct arena *arena,
                              struct key_group_range range)
{
    struct backend *backend = backend_kinds[property->kind].create(arena, range, PARTS_MAX);
    for (uint32_t i = 0; i < STATES; i++) {
        ck_assert_uint_eq(backend_declare(backend, &states[i]), i);
    }
    return backend;
}

static void begin_snapshot(struct property *property)
{
    struct open_snapshot *open = &property->open[property->open_count++];
    static const struct parts none = { 0 };
    const struct parts *base = prng_chance(&property->prng, 150000) ? &none : &property->base;
    uint64_t id = property->next_id++;
    open->snapshot = backend_snapshot_begin(property->backend, id, base->id);
    open->parts = (struct parts){ .id = id };
    for (uint32_t i = 0; i < base->count; i++) {
        if (backend_snapshot_keeps(open->snapshot, i)) {
            open->parts.items[open->parts.count++] = base->items[i];
        }
    }
    property->incremental_count += open->parts.count > 0;
    open->parts.reference = arena_alloc_raw(&property->arena, sizeof *property->now);
    memcpy(open->parts.reference, property->now, sizeof *property->now);
    buffer_init(&open->out, &property->arena);
}

static void end_snapshot(struct property *property, uint32_t number)
{
    struct open_snapshot *open = &property->open[number];
    backend_snapshot_end(open->snapshot);
    buffer_free(&open->out);
    if (open->parts.reference != property->base.reference) {
        arena_free(&property->arena, open->parts.reference);
    }
    *open = property->open[--property->open_count];
}

/* Restores all of the key groups, or one half. */
static void compare_restored(struct property *property, const struct parts *parts)
{
    struct arena arena;
    arena_init(&arena);
    uint32_t middle = (groups.first + groups.last) / 2;
    struct key_group_range ranges[] = { groups,
                                        { groups.first, middle },
                                        { middle + 1, groups.last } };
    struct key_group_range range = ranges[prng_below(&property->prng, 3)];
    struct backend *restored = create(property, &arena, range);
    ck_assert_int_eq(restore_parts(restored, parts->id, parts->items, parts->count), STATUS_OK);
    compare_all(property, restored, parts->reference, range);
    backend_destroy(restored);
    arena_drop(&arena);
    property->compared_count++;
}

static void restart(struct property *property)
{
    while (property->open_count > 0) {
        end_snapshot(property, 0);
    }
    uint64_t now_ns = property->backend->now_ns;
    backend_destroy(property->backend);
    property->backend = create(property, &property->arena, groups);
    property->has_foreseen = false;
    backend_set_time(property->backend, now_ns);
    const struct parts *base = &property->base;
    ck_assert_int_eq(restore_parts(property->backend, base->id, base->items, base->count),
                     STATUS_OK);
    memcpy(property->now, base->reference, sizeof *property->now);
    compare_all(property, property->backend, property->now, groups);
    property->restored_count++;
}

/* Writes on; true when the snapshot is complete. */
static bool write_on(struct property *property, struct open_snapshot *open)
{
    size_t limit_bytes = prng_below(&property->prng, 20000);
    enum backend_step left = backend_snapshot_step(open->snapshot, &open->out, limit_bytes);
    if (left != BACKEND_MORE && open->out.size > 0) {
        ck_assert_uint_lt(open->parts.count, PARTS_HELD_MAX);
        open->parts.items[open->parts.count++] =
            bytes_copy(&property->arena, buffer_bytes(&open->out));
        buffer_reset(&open->out);
    }
    return left == BACKEND_DONE;
}

static void move_snapshots(struct property *property)
{
    struct prng *prng = &property->prng;
    if (property->open_count < OPEN_MAX && prng_chance(prng, 2000)) {
        begin_snapshot(property);
    }
    if (property->open_count == 0 || !prng_chance(prng, 40000)) {
        return;
    }
    uint32_t number = (uint32_t)prng_below(prng, property->open_count);
    struct open_snapshot *open = &property->open[number];
    if (prng_chance(prng, 3000)) {
        end_snapshot(property, number);
    } else if (write_on(property, open)) {
        compare_restored(property, &open->parts);
        if (open->parts.id > property->base.id && prng_chance(prng, 700000)) {
            arena_free(&property->arena, property->base.reference);
            property->base = open->parts;
        }
        end_snapshot(property, number);
    }
    if (property->base.id > 0 && prng_chance(prng, 3000)) {
        restart(property);
    }
}

/* ---- the test -------------------------------------------------------------------------------- */

static struct bytes repeat(struct property *property, uint8_t byte, size_t size)
{
    uint8_t *data = arena_alloc_raw(&property->arena, size + 1);
    memset(data, byte, size);
    return (struct bytes){ .data = data, .size = size };
}

/* Names of all lengths; some the beginning of others. */
static void make_names(struct property *property)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        static const size_t sizes[] = { 8, 3, 20, 300 };
        property->keys[i] =
            i == 0 ? repeat(property, 0, 0) : repeat(property, (uint8_t)i, sizes[i % 4]);
        property->key_groups[i] =
            (uint32_t)prng_between(&property->prng, groups.first, groups.last);
    }
    property->spaces[0] = repeat(property, 0, 0); /* Flink's VoidNamespace */
    property->spaces[1] = repeat(property, 7, 16);
    property->spaces[2] = repeat(property, 7, 260);
    for (uint32_t i = 0; i < SUBKEYS; i++) {
        /* Nothing, then 5, 5 5, 5 5 5 ..., then 200, 200 200 ... */
        property->subkeys[i] = i < SUBKEYS / 2 ? repeat(property, 5, i)
                                               : repeat(property, 200, (i - SUBKEYS / 2 + 1) * 3);
    }
}

static void finish(struct property *property, uint64_t operations)
{
    while (property->open_count > 0) {
        end_snapshot(property, 0);
    }
    compare_all(property, property->backend, property->now, groups);
    ck_assert_uint_ge(property->compared_count, operations / 2000);
    ck_assert_uint_ge(property->incremental_count, operations / 5000);
    ck_assert_uint_ge(property->restored_count, operations / 20000);
    ck_assert_uint_ge(property->iterated_count, operations / 100);
    ck_assert_uint_ge(property->expired_count, operations / 1000);
    backend_destroy(property->backend);
}

START_TEST(states_of_every_kind_agree_with_plain_arrays_whatever_is_done)
{
    struct property property = { .kind = _i, .prng = { .state = 29 }, .next_id = 1 };
    struct buffer scratch;
    arena_init(&property.arena);
    buffer_init(&scratch, &property.arena);
    make_names(&property);
    property.backend = create(&property, &property.arena, groups);
    property.now = arena_alloc(&property.arena, 1, sizeof *property.now);
    uint64_t operations = random_operations(OPERATIONS);
    for (uint64_t i = 0; i < operations; i++) {
        operate(&property, &scratch);
        move_snapshots(&property);
        if (i % COMPARED_OPERATIONS == 0) {
            compare_all(&property, property.backend, property.now, groups);
            compare_scan(&property, (uint32_t)(i / COMPARED_OPERATIONS % STATES));
        }
    }
    finish(&property, operations);
    arena_drop(&property.arena);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend random");
    tcase_set_timeout(tcase, 3600); /* of a long run */
    tcase_add_loop_test(tcase, states_of_every_kind_agree_with_plain_arrays_whatever_is_done, 0,
                        BACKEND_KIND_COUNT);
    Suite *suite = suite_create("backend_random");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
