#include <check.h>

#include "model/state/changelog_backend.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* B10 of backend.h, with the rules L1 to L6 of changelog_backend.h: what is written ahead is what a
 * snapshot would have written, or is not used. */

enum { PARTS_MAX = 6, PERSIST_BYTES = 1000, KEYS = 300 };

#define INTERVAL_NS UINT64_C(1000)

static struct arena arena;
static struct backend *backend;
static state_id state;
static struct buffer drafts[BACKEND_DRAFT_COUNT]; /* as their owner keeps them */
static struct bytes parts[PARTS_MAX];             /* of the snapshot taken last */
static uint32_t part_count;

static struct backend *create(void)
{
    struct changelog_options options = { .parts_max = PARTS_MAX,
                                         .interval_ns = INTERVAL_NS,
                                         .persist_bytes = PERSIST_BYTES };
    return changelog_backend_create(&arena, backend_heap_create(&arena, all_groups, 1), &options);
}

static void put_all(uint64_t value)
{
    for (uint64_t key = 0; key < KEYS; key++) {
        put_number(backend, state, key, value + key);
    }
}

/* Writes all that is due of a draft. */
static void write_ahead(enum backend_draft draft)
{
    ck_assert(backend_draft_is_due(backend, draft));
    while (backend_draft_is_due(backend, draft)) {
        struct buffer piece;
        buffer_init(&piece, &arena);
        if (backend_draft_step(backend, draft, &piece, 500) == DRAFT_BEGUN) {
            buffer_reset(&drafts[draft]);
        }
        buffer_append(&drafts[draft], buffer_bytes(&piece));
        changelog_backend_check(backend);
    }
}

static void keep(enum backend_draft draft)
{
    write_ahead(draft);
    backend_draft_kept(backend, draft);
}

/* Takes snapshot `id` on `base`, whose parts are `parts`. Returns the bytes that it wrote itself.
 */
static size_t take(uint64_t id, uint64_t base)
{
    struct buffer out;
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, id, base);
    uint32_t kept = 0;
    for (uint32_t i = 0; base != 0 && i < part_count; i++) {
        if (backend_snapshot_keeps(snapshot, i)) {
            parts[kept++] = parts[i];
        }
    }
    if (backend_snapshot_takes(snapshot, DRAFT_STATE)) {
        parts[kept++] = bytes_copy(&arena, buffer_bytes(&drafts[DRAFT_STATE]));
    }
    buffer_init(&out, &arena);
    if (backend_snapshot_takes(snapshot, DRAFT_LOG)) {
        buffer_append(&out, buffer_bytes(&drafts[DRAFT_LOG]));
    }
    size_t before = out.size;
    put_all(id * 1000000); /* B2: what comes later is not in it */
    struct bytes part = finish_snapshot(snapshot, &out, 500);
    backend_snapshot_end(snapshot);
    if (part.size > 0) {
        ck_assert_uint_lt(kept, PARTS_MAX);
        parts[kept++] = part;
    }
    part_count = kept;
    changelog_backend_check(backend);
    return part.size - before;
}

/* The parts are those of a state in which each key has its number more than `value`. */
static void assert_restored(uint64_t id, uint64_t value)
{
    struct backend *restored = create();
    state_id same = backend_declare_value(restored, "n");
    ck_assert_int_eq(restore_parts(restored, id, parts, part_count), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(restored), KEYS);
    for (uint64_t key = 0; key < KEYS; key++) {
        ck_assert_uint_eq(get_number(restored, same, key), value + key);
    }
    backend_destroy(restored);
}

/* A backend with snapshot 1, which is a whole one. */
static void setup(void)
{
    arena_init(&arena);
    backend = create();
    state = backend_declare_value(backend, "n");
    part_count = 0;
    for (int i = 0; i < BACKEND_DRAFT_COUNT; i++) {
        buffer_init(&drafts[i], &arena);
    }
    put_all(1);
    ck_assert(!backend_draft_is_due(backend, DRAFT_LOG)); /* there is nothing to go on from */
    ck_assert(!backend_draft_is_due(backend, DRAFT_STATE));
    take(1, 0);
    ck_assert_uint_eq(part_count, 1);
    assert_restored(1, 1);
}

static void teardown(void)
{
    backend_destroy(backend);
    arena_drop(&arena);
}

START_TEST(l5_a_snapshot_writes_what_its_draft_of_the_log_does_not_hold)
{
    put_all(2);
    keep(DRAFT_LOG);
    put_number(backend, state, 7, 9); /* too little to be written ahead */
    ck_assert(!backend_draft_is_due(backend, DRAFT_LOG));
    put_number(backend, state, 7, 9);
    ck_assert_uint_lt(take(2, 1), 200);
    ck_assert_uint_eq(part_count, 2);
    put_number(backend, state, 7, 2000007);
    take(3, 2);
    ck_assert_uint_eq(part_count, 3);
    assert_restored(3, 2000000);
}
END_TEST

START_TEST(l5_a_draft_that_nobody_keeps_is_not_taken)
{
    put_all(2);
    write_ahead(DRAFT_LOG);
    ck_assert_uint_gt(take(2, 1), PERSIST_BYTES);
    assert_restored(2, 2);
}
END_TEST

START_TEST(l5_a_draft_that_is_lost_is_begun_anew_when_the_log_has_grown)
{
    put_all(2);
    keep(DRAFT_LOG);
    backend_draft_lost(backend, DRAFT_LOG);
    ck_assert(!backend_draft_is_due(backend, DRAFT_LOG));
    put_all(3);
    keep(DRAFT_LOG);
    ck_assert_uint_lt(take(2, 1), 200);
    assert_restored(2, 3);
}
END_TEST

START_TEST(l5_a_draft_behind_a_snapshot_that_was_lost_is_not_taken)
{
    struct bytes first = parts[0];
    put_all(2);
    take(2, 1);
    keep(DRAFT_LOG); /* since snapshot 2 */
    parts[0] = first;
    part_count = 1;
    ck_assert_uint_gt(take(3, 1), PERSIST_BYTES);
    assert_restored(3, 2000000);
}
END_TEST

START_TEST(l5_who_hears_of_a_lost_snapshot_writes_its_log_ahead_again)
{
    struct bytes first = parts[0];
    put_all(2);
    take(2, 1);
    backend_snapshot_lost(backend, 2);
    keep(DRAFT_LOG); /* since snapshot 1 */
    parts[0] = first;
    part_count = 1;
    ck_assert_uint_lt(take(3, 1), 200);
    assert_restored(3, 2000000);
}
END_TEST

START_TEST(l4_a_materialisation_is_taken_with_the_log_since_it_began)
{
    put_all(2);
    backend_set_time(backend, INTERVAL_NS);
    keep(DRAFT_STATE);
    put_all(3);
    keep(DRAFT_LOG); /* since the materialisation */
    ck_assert_uint_lt(take(2, 1), 200);
    ck_assert_uint_eq(part_count, 2);
    ck_assert_ptr_ne(parts[0].data, NULL);
    assert_restored(2, 3);
}
END_TEST

START_TEST(l4_what_changes_while_the_state_is_written_is_in_the_log)
{
    put_all(2);
    backend_set_time(backend, INTERVAL_NS);
    struct buffer *draft = &drafts[DRAFT_STATE];
    ck_assert_int_eq(backend_draft_step(backend, DRAFT_STATE, draft, 500), DRAFT_BEGUN);
    put_all(3);
    while (backend_draft_is_due(backend, DRAFT_STATE)) {
        ck_assert_int_eq(backend_draft_step(backend, DRAFT_STATE, draft, 500), DRAFT_MORE);
    }
    backend_draft_kept(backend, DRAFT_STATE);
    take(2, 1);
    ck_assert_uint_eq(part_count, 2);
    assert_restored(2, 3);
}
END_TEST

START_TEST(l4_until_it_is_durable_snapshots_go_on_without_it)
{
    put_all(2);
    backend_set_time(backend, INTERVAL_NS);
    write_ahead(DRAFT_STATE);
    struct bytes first = parts[0];
    take(2, 1);
    ck_assert_uint_eq(part_count, 2);
    ck_assert(parts[0].data == first.data);
    assert_restored(2, 2);
    backend_draft_kept(backend, DRAFT_STATE);
    take(3, 2);
    ck_assert_uint_eq(part_count, 2);
    ck_assert(parts[0].data != first.data);
    assert_restored(3, 2000000);
}
END_TEST

START_TEST(l4_one_that_is_lost_is_repeated_after_the_interval_and_nothing_is_missing)
{
    put_all(2);
    backend_set_time(backend, INTERVAL_NS);
    write_ahead(DRAFT_STATE);
    backend_draft_lost(backend, DRAFT_STATE);
    ck_assert(!backend_draft_is_due(backend, DRAFT_STATE));
    take(2, 1);
    assert_restored(2, 2);
    backend_set_time(backend, 2 * INTERVAL_NS);
    keep(DRAFT_STATE);
    take(3, 2);
    assert_restored(3, 2000000);
}
END_TEST

START_TEST(l3_l4_without_time_the_state_is_materialised_before_the_chain_is_full)
{
    uint64_t id = 2;
    while (!backend_draft_is_due(backend, DRAFT_STATE)) {
        put_number(backend, state, 1, id);
        take(id, id - 1);
        id++;
    }
    ck_assert_uint_gt(part_count, 1);
    ck_assert_uint_lt(part_count, PARTS_MAX);
    write_ahead(DRAFT_STATE);
    backend_draft_lost(backend, DRAFT_STATE);
    ck_assert(!backend_draft_is_due(backend, DRAFT_STATE));
    take(id, id - 1);
    ck_assert(backend_draft_is_due(backend, DRAFT_STATE)); /* again, after a snapshot */
    keep(DRAFT_STATE);
    take(id + 1, id);
    ck_assert_uint_eq(part_count, 1); /* nothing was changed since */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backend_drafts");
    TCase *tests = tcase_create("changelog");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, l5_a_snapshot_writes_what_its_draft_of_the_log_does_not_hold);
    tcase_add_test(tests, l5_a_draft_that_nobody_keeps_is_not_taken);
    tcase_add_test(tests, l5_a_draft_that_is_lost_is_begun_anew_when_the_log_has_grown);
    tcase_add_test(tests, l5_a_draft_behind_a_snapshot_that_was_lost_is_not_taken);
    tcase_add_test(tests, l5_who_hears_of_a_lost_snapshot_writes_its_log_ahead_again);
    tcase_add_test(tests, l4_a_materialisation_is_taken_with_the_log_since_it_began);
    tcase_add_test(tests, l4_what_changes_while_the_state_is_written_is_in_the_log);
    tcase_add_test(tests, l4_until_it_is_durable_snapshots_go_on_without_it);
    tcase_add_test(tests,
                   l4_one_that_is_lost_is_repeated_after_the_interval_and_nothing_is_missing);
    tcase_add_test(tests, l3_l4_without_time_the_state_is_materialised_before_the_chain_is_full);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
