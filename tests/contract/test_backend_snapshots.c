/* What every backend must keep of its snapshots: what they hold, which bytes they are, and who can
 * restore them (B2 to B4). */
#include <check.h>
#include <time.h>

#include "model/base/prng.h"
#include "model/state/backend.h"
#include "model/state/snapshot.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* Every test runs once for each kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4 };

/* The id of a snapshot that no other builds on. */
enum { LAST_SNAPSHOT = 1000000 };

static enum status restore_whole(struct backend *backend, struct bytes part)
{
    return restore_parts(backend, 1, &part, 1);
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
    ck_assert(snapshot_reader_init(&reader, bytes, false));
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
        backend_put(backend, second, bytes_of_text("more than eight bytes"));
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
    snapshot_write_entry(&out, 4, 0, bytes_of_text("k"), bytes_of_text("1"));
    snapshot_write_entry(&out, 4, 1, bytes_of_text("k"), bytes_of_text("2"));
    snapshot_write_trailer(&out, 2);
    ck_assert_int_eq(restore_status(_i, buffer_bytes(&out)), STATUS_OK);
    buffer_reset(&out);
    snapshot_write_header(&out, 1, 0, two_states("a", "b").of, 2);
    snapshot_write_entry(&out, 4, 0, bytes_of_text("k"), bytes_of_text("1"));
    snapshot_write_entry(&out, 4, 0, bytes_of_text("k"), bytes_of_text("1"));
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

static Suite *suite(void)
{
    TCase *tcase = tcase_create("snapshots");
    tcase_set_timeout(tcase, 120);
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
    Suite *suite = suite_create("backend: snapshots");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
