#include <check.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "model/base/hash.h"
#include "model/base/prng.h"
#include "model/state/backend.h"
#include "model/state/snapshot.h"
#include "model/state/state.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/runner.h"

/* Every test runs once for each kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

/* The id of a snapshot that no other builds on. */
enum { LAST_SNAPSHOT = 1000000 };

static struct bytes text(const char *at)
{
    return bytes_of_text(at);
}

static bool holds(struct backend *backend, state_id state, const char *expected)
{
    struct bytes value = backend_get(backend, state);
    return value.data != NULL && bytes_equal(value, text(expected));
}

static enum status restore_whole(struct backend *backend, struct bytes part)
{
    return backend_restore(backend, 1, &part, 1);
}

static struct bytes snapshot_now(struct backend *backend, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, LAST_SNAPSHOT, 0);
    struct bytes bytes = finish_snapshot(snapshot, &out, 1000);
    backend_snapshot_end(snapshot);
    return bytes;
}

START_TEST(b1_values_belong_to_the_current_key_and_state)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id first = backend_declare_value(backend, "first");
    state_id second = backend_declare_value(backend, "second");
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(backend_declare_value(backend, "first"), first);
    backend_set_key(backend, 5, text("apple"));
    ck_assert_ptr_null(backend_get(backend, first).data);
    backend_put(backend, first, text("1"));
    ck_assert(holds(backend, first, "1"));
    ck_assert_ptr_null(backend_get(backend, second).data);
    backend_put(backend, second, text("2"));
    ck_assert(holds(backend, first, "1"));
    ck_assert(holds(backend, second, "2"));
    backend_set_key(backend, 5, text("pear"));
    ck_assert_ptr_null(backend_get(backend, first).data);
    ck_assert_ptr_null(backend_get(backend, second).data);
    backend_put(backend, first, text("3"));
    backend_set_key(backend, 5, text("apple"));
    ck_assert(holds(backend, first, "1"));
    backend_put(backend, first, text("a longer text than before"));
    ck_assert(holds(backend, first, "a longer text than before"));
    backend_put(backend, first, text("a longer text than ever before, by far"));
    ck_assert(holds(backend, first, "a longer text than ever before, by far"));
    backend_put(backend, first, text("short"));
    ck_assert(holds(backend, first, "short"));
    ck_assert(holds(backend, second, "2"));
    ck_assert_uint_eq(backend_entry_count(backend), 3);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_foreseeing_keys_changes_neither_the_current_key_nor_any_answer)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    struct bytes keys[] = { text("8 bytes!"), text("k"), text("8 others"), text("a longer key") };
    struct backend_key foreseen[] = { { .bytes = &keys[0], .key_group = 4 },
                                      { .bytes = &keys[1], .key_group = 3 },
                                      { .bytes = &keys[2], .key_group = 4 },
                                      { .bytes = &keys[3], .key_group = 5 } };
    backend_foresee(backend, foreseen, 4); /* nothing is there yet */
    backend_set_key(backend, 4, keys[0]);
    backend_put(backend, state, text("v"));
    backend_foresee(backend, foreseen, 4);
    ck_assert(holds(backend, state, "v"));
    backend_put(backend, state, text("w"));
    ck_assert(holds(backend, state, "w"));
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    for (int i = 0; i < 4; i++) {
        backend_set_foreseen(backend, &foreseen[i]);
        ck_assert(i == 0 ? holds(backend, state, "w") : backend_get(backend, state).data == NULL);
        backend_put(backend, state, keys[i]);
    }
    for (int i = 0; i < 4; i++) {
        backend_set_key(backend, foreseen[i].key_group, keys[i]);
        ck_assert(bytes_equal(backend_get(backend, state), keys[i]));
    }
    ck_assert_uint_eq(backend_entry_count(backend), 4);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* Keys that the heap's smallest index files in its first bucket, which has room for eight. */
static void fill_bucket(uint64_t *numbers, int count)
{
    uint64_t number = 0;
    for (int i = 0; i < count; i++) {
        while ((hash_mix(number + sizeof number) & 1) != 0) {
            number++;
        }
        numbers[i] = number++;
    }
}

START_TEST(b1_a_foreseen_key_may_go_and_come_back_before_it_is_current)
{
    enum { FOREIGN = 8, LAST, COUNT };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    uint64_t numbers[COUNT];
    struct bytes keys[COUNT];
    fill_bucket(numbers, COUNT);
    for (int i = 0; i < COUNT; i++) {
        keys[i] = (struct bytes){ (const uint8_t *)&numbers[i], sizeof numbers[i] };
    }
    keys[FOREIGN] = text("foreign");
    for (int i = 0; i < LAST; i++) {
        backend_set_key(backend, 1, keys[i]);
        backend_put(backend, state, text("old"));
    }
    struct backend_key foreseen = { .bytes = &keys[0], .key_group = 1 };
    backend_foresee(backend, &foreseen, 1);
    const int gone[] = { 0, FOREIGN };
    for (int i = 0; i < 2; i++) {
        backend_set_key(backend, 1, keys[gone[i]]);
        backend_remove(backend, state);
    }
    const int come[] = { LAST, 0 }; /* the last takes the place in the bucket */
    for (int i = 0; i < 2; i++) {
        backend_set_key(backend, 1, keys[come[i]]);
        backend_put(backend, state, text("new"));
    }
    backend_set_foreseen(backend, &foreseen);
    ck_assert(holds(backend, state, "new"));
    backend_remove(backend, state);
    ck_assert_ptr_null(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_entry_count(backend), LAST - 1);
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_keys_that_differ_in_size_only_are_different)
{
    static const uint8_t zeros[20] = { 0 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "size");
    for (uint8_t size = 0; size < sizeof zeros; size++) {
        backend_set_key(backend, 0, (struct bytes){ .data = zeros, .size = size });
        ck_assert_ptr_null(backend_get(backend, state).data);
        backend_put(backend, state, (struct bytes){ .data = &size, .size = 1 });
    }
    for (uint8_t size = 0; size < sizeof zeros; size++) {
        backend_set_key(backend, 0, (struct bytes){ .data = zeros, .size = size });
        ck_assert_uint_eq(*backend_get(backend, state).data, size);
    }
    backend_set_key(backend, 0, (struct bytes){ 0 }); /* no bytes need no address */
    ck_assert_uint_eq(*backend_get(backend, state).data, 0);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_an_empty_value_is_present_and_a_removed_one_absent)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "s");
    backend_set_key(backend, 127, text("k"));
    backend_remove(backend, state);
    ck_assert_uint_eq(backend_entry_count(backend), 0);
    backend_put(backend, state, (struct bytes){ 0 });
    ck_assert_ptr_nonnull(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_get(backend, state).size, 0);
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    backend_remove(backend, state);
    ck_assert_ptr_null(backend_get(backend, state).data);
    ck_assert_uint_eq(backend_entry_count(backend), 0);
    backend_put(backend, state, text("again"));
    ck_assert(holds(backend, state, "again"));
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b1_many_states_of_one_key_keep_apart_while_entries_come_and_go)
{
    enum { STATE_COUNT = 40 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id states[STATE_COUNT];
    for (int i = 0; i < STATE_COUNT; i++) {
        char name[2] = { (char)('0' + i), 0 };
        states[i] = backend_declare_value(backend, name);
    }
    backend_set_key(backend, 9, text("one key"));
    for (uint8_t i = 0; i < STATE_COUNT; i++) {
        for (uint8_t j = 0; j < STATE_COUNT; j++) {
            ck_assert((backend_get(backend, states[j]).data != NULL) == (j < i));
        }
        backend_put(backend, states[i], (struct bytes){ .data = &i, .size = 1 });
    }
    for (uint8_t i = 0; i < STATE_COUNT; i += 2) {
        backend_remove(backend, states[i]);
        for (uint8_t j = 0; j < STATE_COUNT; j++) {
            struct bytes value = backend_get(backend, states[j]);
            bool is_present = j > i || j % 2 == 1;
            ck_assert((value.data != NULL) == is_present);
            ck_assert(!is_present || *value.data == j);
        }
    }
    backend_kinds[_i].check(backend);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b2_a_snapshot_holds_the_state_at_its_beginning)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    put_number(backend, state, 1, 10);
    put_number(backend, state, 2, 20);
    put_number(backend, state, 3, 30);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    state_id late = backend_declare_value(backend, "declared later");
    put_number(backend, state, 1, 11);      /* overwritten */
    put_number(backend, state, 1, 12);      /* twice */
    remove_number(backend, state, 2);       /* removed */
    put_number(backend, state, 2 + 128, 5); /* created, perhaps where the removed one was */
    put_number(backend, late, 3, 6);
    remove_number(backend, state, 3); /* removed and created again */
    put_number(backend, state, 3, 31);
    struct buffer out;
    buffer_init(&out, &arena);
    struct bytes bytes = finish_snapshot(snapshot, &out, 1);
    backend_snapshot_end(snapshot);
    ck_assert_uint_eq(get_number(backend, state, 1), 12);
    ck_assert_uint_eq(get_number(backend, state, 2), UINT64_MAX);
    ck_assert_uint_eq(get_number(backend, state, 2 + 128), 5);
    ck_assert_uint_eq(get_number(backend, state, 3), 31);
    struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    ck_assert_int_eq(restore_whole(restored, bytes), STATUS_OK);
    state = backend_declare_value(restored, "n");
    ck_assert_uint_eq(backend_entry_count(restored), 3);
    ck_assert_uint_eq(get_number(restored, state, 1), 10);
    ck_assert_uint_eq(get_number(restored, state, 2), 20);
    ck_assert_uint_eq(get_number(restored, state, 3), 30);
    struct snapshot_reader reader;
    snapshot_reader_init(&reader, bytes);
    ck_assert_uint_eq(reader.state_count, 1);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b2_overlapping_snapshots_each_hold_their_own_moment)
{
    enum { SNAPSHOT_COUNT = 6 };
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    struct backend_snapshot *snapshots[SNAPSHOT_COUNT];
    for (uint64_t i = 0; i < SNAPSHOT_COUNT; i++) {
        put_number(backend, state, 77, i);
        put_number(backend, state, 1000 + i, i);
        snapshots[i] = backend_snapshot_begin(backend, i + 1, 0);
    }
    remove_number(backend, state, 77);
    backend_kinds[_i].check(backend);
    /* Ended from the middle outwards, one of them without being written. */
    static const uint64_t order[] = { 3, 1, 4, 0, 5, 2 };
    for (size_t i = 0; i < SNAPSHOT_COUNT; i++) {
        uint64_t which = order[i];
        struct buffer out;
        buffer_init(&out, &arena);
        if (which != 4) {
            struct bytes bytes = finish_snapshot(snapshots[which], &out, 20);
            struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
            ck_assert_int_eq(restore_whole(restored, bytes), STATUS_OK);
            ck_assert_uint_eq(backend_entry_count(restored), which + 2);
            ck_assert_uint_eq(get_number(restored, backend_declare_value(restored, "n"), 77),
                              which);
            backend_destroy(restored);
        }
        backend_snapshot_end(snapshots[which]);
        backend_kinds[_i].check(backend);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The shortest of several times that beginning a snapshot of the keys 0..key_count-1 takes. */
static uint64_t begin_ns(int kind, uint64_t key_count)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[kind].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < key_count; key++) {
        put_number(backend, state, key, key);
    }
    uint64_t best_ns = UINT64_MAX;
    for (uint64_t round = 0; round < 20; round++) {
        uint64_t start_ns = now_ns();
        struct backend_snapshot *snapshot = backend_snapshot_begin(backend, round + 1, 0);
        uint64_t took_ns = now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        backend_snapshot_end(snapshot);
    }
    backend_destroy(backend);
    arena_drop(&arena);
    return best_ns;
}

START_TEST(b2_beginning_a_snapshot_does_not_take_longer_for_more_state)
{
    /* A visit of each entry would take a thousand times as long, not twenty times. */
    ck_assert_uint_lt(begin_ns(_i, 20000), 20 * begin_ns(_i, 20) + 20000);
}
END_TEST

START_TEST(a_step_writes_whole_entries_up_to_about_the_limit)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 1000; key++) {
        put_number(backend, state, key, key);
    }
    enum { ENTRY_BYTES = 28, TRAILER_BYTES = 10 };
    struct buffer out;
    buffer_init(&out, &arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    ck_assert(backend_snapshot_step(snapshot, &out, 0)); /* the header and one entry */
    size_t header_bytes = out.size - ENTRY_BYTES;
    uint64_t step_count = 1;
    size_t before = out.size;
    while (backend_snapshot_step(snapshot, &out, 280)) {
        ck_assert_uint_eq((out.size - header_bytes) % ENTRY_BYTES, 0);
        ck_assert_uint_gt(out.size, before);
        ck_assert_uint_le(out.size - before, 280 + ENTRY_BYTES);
        before = out.size;
        step_count++;
    }
    ck_assert_uint_ge(step_count, 90);
    ck_assert_uint_eq(out.size, header_bytes + 1000 * ENTRY_BYTES + TRAILER_BYTES);
    backend_snapshot_end(snapshot);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

/* The bytes of a backend after a fixed run of puts and removes; with `disturb`, memory lies
 * elsewhere and other snapshots are begun, written and ended on the way. */
static struct bytes bytes_after_a_run(int kind, bool disturb, struct arena *arena)
{
    struct arena own;
    arena_init(&own);
    struct backend *backend = backend_kinds[kind].create(&own, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    struct prng prng = { .state = 3 };
    struct backend_snapshot *open = NULL;
    struct buffer out;
    buffer_init(&out, &own);
    for (uint64_t i = 0; i < 6000; i++) {
        uint64_t key = prng_below(&prng, 3000);
        if (prng_chance(&prng, 400000)) {
            remove_number(backend, state, key);
        } else {
            put_number(backend, state, key, i);
        }
        if (disturb && i % 1000 == 0) {
            open = backend_snapshot_begin(backend, i + 1, 0);
        } else if (disturb && i % 1000 == 500) {
            (void)backend_snapshot_step(open, &out, 20000);
        } else if (disturb && i % 1000 == 900) {
            backend_snapshot_end(open);
            (void)arena_alloc(&own, 1 + (size_t)i, 7);
        }
    }
    struct bytes bytes = snapshot_now(backend, arena);
    backend_destroy(backend);
    arena_drop(&own);
    return bytes;
}

START_TEST(b3_the_bytes_depend_on_puts_and_removes_only)
{
    struct arena arena;
    arena_init(&arena);
    struct bytes calm = bytes_after_a_run(_i, false, &arena);
    struct bytes disturbed = bytes_after_a_run(_i, true, &arena);
    ck_assert_uint_gt(calm.size, 1000 * 28);
    ck_assert(bytes_equal(calm, disturbed));
    arena_drop(&arena);
}
END_TEST

START_TEST(b4_states_are_found_by_name_whatever_their_order)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id a = backend_declare_value(backend, "a");
    state_id b = backend_declare_value(backend, "b");
    put_number(backend, a, 4, 40);
    put_number(backend, b, 4, 44);
    struct bytes bytes = snapshot_now(backend, &arena);
    struct backend *restored = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id c = backend_declare_value(restored, "c");
    b = backend_declare_value(restored, "b");
    ck_assert_int_eq(restore_whole(restored, bytes), STATUS_OK);
    a = backend_declare_value(restored, "a");
    ck_assert_uint_eq(get_number(restored, a, 4), 40);
    ck_assert_uint_eq(get_number(restored, b, 4), 44);
    ck_assert_uint_eq(get_number(restored, c, 4), UINT64_MAX);
    backend_destroy(restored);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(b4_a_changed_parallelism_hands_each_key_group_to_its_new_owner)
{
    enum { KEY_COUNT = 2000, OLD = 2, NEW = 3 };
    struct arena arena;
    arena_init(&arena);
    struct bytes snapshots[OLD];
    for (uint32_t i = 0; i < OLD; i++) {
        struct key_group_range range = key_group_range_of(i, 128, OLD);
        struct backend *old = backend_kinds[_i].create(&arena, range, PARTS_MAX);
        state_id state = backend_declare_value(old, "n");
        for (uint64_t key = 0; key < KEY_COUNT; key++) {
            if (key % 128 >= range.first && key % 128 <= range.last) {
                put_number(old, state, key, key * 3);
            }
        }
        snapshots[i] = snapshot_now(old, &arena);
        backend_destroy(old);
    }
    uint64_t entry_count = 0;
    for (uint32_t i = 0; i < NEW; i++) {
        struct key_group_range range = key_group_range_of(i, 128, NEW);
        struct backend *new = backend_kinds[_i].create(&arena, range, PARTS_MAX);
        for (int j = 0; j < OLD; j++) {
            ck_assert_int_eq(restore_whole(new, snapshots[j]), STATUS_OK);
        }
        state_id state = backend_declare_value(new, "n");
        for (uint64_t key = 0; key < KEY_COUNT; key++) {
            if (key % 128 >= range.first && key % 128 <= range.last) {
                ck_assert_uint_eq(get_number(new, state, key), key * 3);
            }
        }
        entry_count += backend_entry_count(new);
        backend_destroy(new);
    }
    ck_assert_uint_eq(entry_count, KEY_COUNT);
    arena_drop(&arena);
}
END_TEST

static enum status restore_status(int kind, struct bytes bytes)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[kind].create(
        &arena, (struct key_group_range){ .first = 2, .last = 90 }, PARTS_MAX);
    (void)backend_declare_value(backend, "already declared");
    enum status status = restore_whole(backend, bytes);
    backend_destroy(backend);
    ck_assert_ptr_null(arena.blocks);
    return status;
}

START_TEST(damaged_snapshots_are_refused_or_read_but_never_do_harm)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id first = backend_declare_value(backend, "first");
    state_id second = backend_declare_value(backend, "second");
    for (uint64_t key = 0; key < 12; key++) {
        put_number(backend, first, key * 9, key);
        set_number_key(backend, &(uint64_t){ key * 9 }); /* that of put_number was borrowed */
        backend_put(backend, second, text("more than eight bytes"));
    }
    struct bytes bytes = snapshot_now(backend, &arena);
    ck_assert_int_eq(restore_status(_i, bytes), STATUS_OK);
    for (size_t size = 0; size < bytes.size; size += backend_kinds[_i].slowness) {
        struct bytes part = bytes_copy(&arena, (struct bytes){ .data = bytes.data, .size = size });
        ck_assert_int_eq(restore_status(_i, part), STATUS_CORRUPT);
    }
    struct prng prng = { .state = 5 };
    uint32_t round_count = 2000 / backend_kinds[_i].slowness;
    for (uint32_t round = 0; round < round_count; round++) {
        struct bytes copy = bytes_copy(&arena, bytes);
        uint8_t *data = (uint8_t *)copy.data;
        for (uint64_t changes = prng_between(&prng, 1, 4); changes > 0; changes--) {
            data[prng_below(&prng, copy.size)] = (uint8_t)prng_below(&prng, 40);
        }
        enum status status = restore_status(_i, copy);
        ck_assert(status == STATUS_OK || status == STATUS_CORRUPT);
        arena_free(&arena, data);
    }
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

struct two_states {
    struct state_descriptor of[2];
};

static struct two_states two_states(const char *first, const char *second)
{
    return (struct two_states){ { state_of_bytes(first), state_of_bytes(second) } };
}

START_TEST(a_snapshot_with_an_entry_or_a_name_twice_is_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer out;
    buffer_init(&out, &arena);
    snapshot_write_header(&out, 1, 0, two_states("a", "b").of, 2);
    snapshot_write_entry(&out, 4, 0, text("k"), text("1"));
    snapshot_write_entry(&out, 4, 1, text("k"), text("2"));
    snapshot_write_trailer(&out, 2);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_OK);
    buffer_reset(&out);
    snapshot_write_header(&out, 1, 0, two_states("a", "b").of, 2);
    snapshot_write_entry(&out, 4, 0, text("k"), text("1"));
    snapshot_write_entry(&out, 4, 0, text("k"), text("1"));
    snapshot_write_trailer(&out, 2);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_CORRUPT);
    buffer_reset(&out);
    snapshot_write_header(&out, 1, 0, two_states("a", "a").of, 2);
    snapshot_write_trailer(&out, 0);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_CORRUPT);
    arena_drop(&arena);
}
END_TEST

START_TEST(more_states_than_a_backend_can_have_are_corrupt)
{
    struct arena arena;
    arena_init(&arena);
    struct state_descriptor states[SNAPSHOT_STATE_COUNT_MAX];
    for (uint32_t i = 0; i < SNAPSHOT_STATE_COUNT_MAX; i++) {
        states[i] = state_of_bytes(arena_format(&arena, "state %u", i));
    }
    struct buffer out;
    buffer_init(&out, &arena);
    snapshot_write_header(&out, 1, 0, states, SNAPSHOT_STATE_COUNT_MAX);
    snapshot_write_trailer(&out, 0);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_CORRUPT);
    states[1] = state_of_bytes("already declared");
    buffer_reset(&out);
    snapshot_write_header(&out, 1, 0, states, SNAPSHOT_STATE_COUNT_MAX);
    snapshot_write_trailer(&out, 0);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_OK);
    arena_drop(&arena);
}
END_TEST

START_TEST(destroying_a_backend_frees_it_and_its_open_snapshots)
{
    struct arena arena;
    struct arena other;
    arena_init(&arena);
    arena_init(&other);
    struct buffer out;
    buffer_init(&out, &other);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    state_id state = backend_declare_value(backend, "n");
    for (uint64_t key = 0; key < 500; key++) {
        put_number(backend, state, key, key);
        backend_put(backend, state, text("a value of more than eight bytes"));
    }
    struct backend_snapshot *first = backend_snapshot_begin(backend, 1, 0);
    (void)backend_snapshot_step(first, &out, 3000);
    (void)backend_snapshot_begin(backend, 2, 0);
    for (uint64_t key = 0; key < 500; key += 3) {
        put_number(backend, state, key, 0);
        remove_number(backend, state, key + 1);
    }
    backend_destroy(backend);
    ck_assert_ptr_null(arena.blocks);
    arena_drop(&other);
}
END_TEST

START_TEST(a_value_state_keeps_a_number_for_each_key)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    struct value_state count;
    value_state_open(&count, backend, "count");
    int64_t value = 5;
    backend_set_key(backend, 1, text("k"));
    ck_assert(!value_state_get(&count, &value));
    ck_assert_int_eq(value, 0);
    value_state_put(&count, INT64_MIN);
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, INT64_MIN);
    backend_set_key(backend, 1, text("l"));
    value_state_put(&count, -1);
    backend_set_key(backend, 1, text("k"));
    value_state_clear(&count);
    ck_assert(!value_state_get(&count, &value));
    backend_set_key(backend, 1, text("l"));
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, -1);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(adding_is_a_get_and_a_put_also_while_a_snapshot_is_written)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    struct buffer part;
    buffer_init(&part, &arena);
    struct value_state count;
    value_state_open(&count, backend, "count");
    backend_set_key(backend, 1, text("k"));
    ck_assert_int_eq(value_state_add(&count, 5), 5);
    ck_assert_int_eq(value_state_add(&count, -7), -2);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, 1, 0);
    ck_assert_int_eq(value_state_add(&count, 10), 8);
    ck_assert_int_eq(value_state_add(&count, INT64_MAX), INT64_MIN + 7);
    backend_set_key(backend, 1, text("l"));
    ck_assert_int_eq(value_state_add(&count, 1), 1);
    while (backend_snapshot_step(snapshot, &part, 100) != BACKEND_DONE) {
    }
    backend_snapshot_end(snapshot);
    int64_t value;
    backend_set_key(backend, 1, text("k"));
    ck_assert(value_state_get(&count, &value));
    ck_assert_int_eq(value, INT64_MIN + 7);
    backend_destroy(backend);

    struct bytes parts[] = { buffer_bytes(&part) };
    backend = backend_kinds[_i].create(&arena, all_groups, PARTS_MAX);
    value_state_open(&count, backend, "count");
    ck_assert_int_eq(backend_restore(backend, 1, parts, 1), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(backend), 1);
    backend_set_key(backend, 1, text("k"));
    ck_assert_int_eq(value_state_add(&count, 1), -1);
    backend_destroy(backend);
    arena_drop(&arena);
}
END_TEST

START_TEST(a_key_group_outside_the_range_trips_a_check)
{
    struct arena arena;
    arena_init(&arena);
    struct backend *backend = backend_kinds[_i].create(
        &arena, (struct key_group_range){ .first = 3, .last = 9 }, PARTS_MAX);
    backend_set_key(backend, 10, text("k"));
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("backend");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, b1_values_belong_to_the_current_key_and_state, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b1_foreseeing_keys_changes_neither_the_current_key_nor_any_answer, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_a_foreseen_key_may_go_and_come_back_before_it_is_current, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_keys_that_differ_in_size_only_are_different, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b1_an_empty_value_is_present_and_a_removed_one_absent, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b1_many_states_of_one_key_keep_apart_while_entries_come_and_go, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, b2_a_snapshot_holds_the_state_at_its_beginning, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b2_overlapping_snapshots_each_hold_their_own_moment, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b2_beginning_a_snapshot_does_not_take_longer_for_more_state, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, a_step_writes_whole_entries_up_to_about_the_limit, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b3_the_bytes_depend_on_puts_and_removes_only, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b4_states_are_found_by_name_whatever_their_order, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, b4_a_changed_parallelism_hands_each_key_group_to_its_new_owner, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, damaged_snapshots_are_refused_or_read_but_never_do_harm, 0,
                        KIND_COUNT);
    tcase_add_loop_test(tcase, a_snapshot_with_an_entry_or_a_name_twice_is_corrupt, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, more_states_than_a_backend_can_have_are_corrupt, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, destroying_a_backend_frees_it_and_its_open_snapshots, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, a_value_state_keeps_a_number_for_each_key, 0, KIND_COUNT);
    tcase_add_loop_test(tcase, adding_is_a_get_and_a_put_also_while_a_snapshot_is_written, 0,
                        KIND_COUNT);
    tcase_add_loop_test_raise_signal(tcase, a_key_group_outside_the_range_trips_a_check, SIGABRT, 0,
                                     KIND_COUNT);
    Suite *suite = suite_create("backend");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
