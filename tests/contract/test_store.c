#include "model/checkpoint/store.h"

#include <string.h>

#include "model/base/hash.h"
#include "model/checkpoint/carried.h"
#include "model/checkpoint/manifest.h"
#include "model/checkpoint/store_files.h"
#include "tests/support/disk_host.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* What every checkpoint store promises (store.h). Loop tests run once for each kind. */

static struct arena arena;
static struct disk *disk;
static struct disk_host machine;
static struct host *host;
static struct store *store;

static void setup(void)
{
    arena_init(&arena);
    disk = disk_create(&arena);
    disk_host_init(&machine, disk, 0);
    host = &machine.host;
    store = NULL;
}

static void teardown(void)
{
    disk_host_free(&machine);
    disk_destroy(disk);
    arena_drop(&arena);
}

static void open_store(int kind)
{
    ck_assert_int_eq(store_open(host, (enum store_kind)kind, &store), STATUS_OK);
}

/* A new process on the same disk. */
static void restart(int kind)
{
    disk_host_free(&machine);
    disk_host_init(&machine, disk, 0);
    host = &machine.host;
    open_store(kind);
}

/* A part of a checkpoint, wherever such a store has it from. */
static void add_part(int kind, const char *path, uint64_t id, const char *content)
{
    file_id file;
    if (store_kind_carries((enum store_kind)kind)) {
        store_put(store, id, bytes_of_text(path), bytes_of_text(content));
        return;
    }
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, path, HOST_TRUNCATE, &file), STATUS_OK);
    ck_assert_int_eq(host_file_write(host, file, 0, bytes_of_text(content)), STATUS_OK);
    ck_assert_int_eq(store_files_seal(host, path, file), STATUS_OK);
    host_file_close(host, file);
}

static void add_own(int kind, uint64_t id, const char *name, const char *content)
{
    char path[STORE_PATH_SIZE];
    store_file(path, id, name);
    add_part(kind, path, id, content);
}

static void add_shared(int kind, uint64_t id, const char *name, const char *content)
{
    char path[STORE_PATH_SIZE];
    store_shared_file(path, id, name);
    add_part(kind, path, id, content);
}

/* A whole checkpoint: one part of its own, two shared ones. */
static void take(int kind, uint64_t id)
{
    ck_assert_int_eq(store_begin(store, id, true), STATUS_OK);
    add_own(kind, id, "count-0", "own");
    add_shared(kind, id, "count-0", "first");
    add_shared(kind, id, "count-1", "second");
    ck_assert_int_eq(store_commit(store, id, 1, bytes_of_text("manifest")), STATUS_OK);
}

static void assert_listed(size_t expected_count, const uint64_t *expected)
{
    uint64_t *ids;
    size_t count;
    ck_assert_int_eq(store_list(store, &arena, &ids, &count), STATUS_OK);
    ck_assert_uint_eq(count, expected_count);
    ck_assert(count == 0 || memcmp(ids, expected, count * sizeof *ids) == 0);
}

/* NULL: there is nothing. */
static void assert_lies(const char *path, const char *expected)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_append_text(&out, "x");
    enum status status = store_read(store, path, &out);
    if (expected == NULL) {
        ck_assert_int_eq(status, STATUS_NOT_FOUND);
        ck_assert_uint_eq(out.size, 1);
    } else {
        ck_assert_int_eq(status, STATUS_OK);
        ck_assert_uint_eq(out.size, 1 + strlen(expected));
        ck_assert(memcmp(out.data + 1, expected, strlen(expected)) == 0);
    }
}

START_TEST(s1_a_checkpoint_is_listed_when_it_is_committed)
{
    open_store(_i);
    assert_listed(0, NULL);
    ck_assert_int_eq(store_begin(store, 7, false), STATUS_OK);
    add_own(_i, 7, "count-0", "state");
    assert_listed(0, NULL);
    ck_assert_int_eq(store_commit(store, 7, 1, bytes_of_text("manifest")), STATUS_OK);
    assert_listed(1, (uint64_t[]){ 7 });
}
END_TEST

START_TEST(s2_a_committed_checkpoint_can_be_read)
{
    open_store(_i);
    take(_i, 3);
    assert_lies("checkpoints/chk-3/_metadata", "manifest");
    assert_lies("checkpoints/chk-3/count-0", "own");
    assert_lies("checkpoints/shared/chk-3/count-0", "first");
    assert_lies("checkpoints/shared/chk-3/count-1", "second");
    assert_lies("checkpoints/chk-3/count-1", NULL);
    assert_lies("checkpoints/chk-4/_metadata", NULL);
}
END_TEST

START_TEST(empty_parts_are_parts)
{
    open_store(_i);
    ck_assert_int_eq(store_begin(store, 1, false), STATUS_OK);
    add_own(_i, 1, "count-0", "");
    ck_assert_int_eq(store_commit(store, 1, 1, bytes_of_text("m")), STATUS_OK);
    assert_lies("checkpoints/chk-1/count-0", "");
}
END_TEST

START_TEST(checkpoints_are_listed_in_rising_order)
{
    static const uint64_t ids[] = { 9, 10, 100, 11, 2 };
    open_store(_i);
    for (size_t i = 0; i < 5; i++) {
        take(_i, ids[i]);
    }
    assert_listed(5, (uint64_t[]){ 2, 9, 10, 11, 100 });
}
END_TEST

START_TEST(two_checkpoints_at_once_do_not_mix)
{
    open_store(_i);
    ck_assert_int_eq(store_begin(store, 1, false), STATUS_OK);
    ck_assert_int_eq(store_begin(store, 2, false), STATUS_OK);
    add_own(_i, 1, "count-0", "one");
    add_own(_i, 2, "count-0", "two");
    ck_assert_int_eq(store_commit(store, 2, 1, bytes_of_text("m")), STATUS_OK);
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    assert_lies("checkpoints/chk-2/count-0", "two");
    assert_lies("checkpoints/chk-1/count-0", NULL);
    assert_listed(1, (uint64_t[]){ 2 });
}
END_TEST

START_TEST(s3_a_discard_leaves_nothing_of_its_own_and_everything_else)
{
    open_store(_i);
    take(_i, 1);
    take(_i, 10);
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    assert_listed(1, (uint64_t[]){ 10 });
    assert_lies("checkpoints/chk-1/_metadata", NULL);
    assert_lies("checkpoints/chk-1/count-0", NULL);
    assert_lies("checkpoints/shared/chk-1/count-0", "first");
    assert_lies("checkpoints/chk-10/count-0", "own");
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    ck_assert_int_eq(store_discard(store, 5), STATUS_OK);
}
END_TEST

START_TEST(what_was_put_for_an_aborted_checkpoint_never_comes_back)
{
    open_store(_i);
    ck_assert_int_eq(store_begin(store, 1, true), STATUS_OK);
    add_own(_i, 1, "count-0", "aborted");
    add_shared(_i, 1, "count-0", "aborted");
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    ck_assert_int_eq(store_discard_shared(store, 1), STATUS_OK);
    take(_i, 2);
    assert_lies("checkpoints/chk-1/count-0", NULL);
    assert_lies("checkpoints/shared/chk-1/count-0", NULL);
}
END_TEST

START_TEST(shared_parts_go_one_by_one_or_together)
{
    static const struct shared_garbage garbage[] = { { .creator = 1, .name = "count-1" },
                                                     { .creator = 2, .name = "count-0" },
                                                     { .creator = 9, .name = "count-0" } };
    open_store(_i);
    take(_i, 1);
    take(_i, 2);
    take(_i, 3);
    ck_assert_int_eq(store_remove_shared(store, garbage, 3), STATUS_OK);
    assert_lies("checkpoints/shared/chk-1/count-0", "first");
    assert_lies("checkpoints/shared/chk-1/count-1", NULL);
    assert_lies("checkpoints/shared/chk-2/count-0", NULL);
    assert_lies("checkpoints/shared/chk-2/count-1", "second");
    ck_assert_int_eq(store_remove_shared(store, NULL, 0), STATUS_OK);
    ck_assert_int_eq(store_discard_shared(store, 3), STATUS_OK);
    assert_lies("checkpoints/shared/chk-3/count-0", NULL);
    assert_lies("checkpoints/chk-3/count-0", "own");
    ck_assert_int_eq(store_discard_shared(store, 3), STATUS_OK);
}
END_TEST

/* Only count-0 of checkpoint 1; checkpoint 4 is being taken. */
static bool is_needed(void *context, uint64_t id, const char *name)
{
    (void)context;
    return name[0] == '\0' ? id == 4 : id == 1 && strcmp(name, "count-0") == 0;
}

START_TEST(i5_a_sweep_leaves_what_is_needed_and_nothing_else)
{
    uint64_t removed;
    open_store(_i);
    for (uint64_t id = 1; id <= 4; id++) {
        take(_i, id);
    }
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 5);
    assert_lies("checkpoints/shared/chk-1/count-0", "first");
    assert_lies("checkpoints/shared/chk-1/count-1", NULL);
    assert_lies("checkpoints/shared/chk-2/count-0", NULL);
    assert_lies("checkpoints/shared/chk-4/count-1", "second");
    assert_lies("checkpoints/chk-2/count-0", "own");
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 0);
}
END_TEST

START_TEST(t4_memory_ends_with_the_process_and_nothing_else_does)
{
    open_store(_i);
    take(_i, 3);
    ck_assert_int_eq(store_begin(store, 4, false), STATUS_OK);
    add_own(_i, 4, "count-0", "half");
    restart(_i);
    ck_assert_int_eq(store_discard_incomplete(store), STATUS_OK);
    assert_lies("checkpoints/chk-4/count-0", NULL);
    assert_listed(_i == STORE_MEMORY ? 0 : 1, (uint64_t[]){ 3 });
    assert_lies("checkpoints/shared/chk-3/count-1", _i == STORE_MEMORY ? NULL : "second");
}
END_TEST

START_TEST(a_commit_that_fails_at_any_call_can_be_repeated)
{
    static const enum status errors[] = { STATUS_IO, STATUS_NO_SPACE };
    for (size_t i = 0; i < 2; i++) {
        enum status status = STATUS_IO;
        open_store(_i);
        for (uint64_t call = 1; status != STATUS_OK; call++) {
            uint64_t id = 1000 * (i + 1) + call;
            ck_assert_int_eq(store_begin(store, id, false), STATUS_OK);
            add_own(_i, id, "count-0", "state");
            disk_host_fail_at(&machine, call, errors[i]);
            status = store_commit(store, id, 1, bytes_of_text("manifest"));
            disk_host_fail_at(&machine, 100000, STATUS_IO);
            ck_assert(status == STATUS_OK || status == errors[i]);
            if (status != STATUS_OK) {
                ck_assert_int_eq(store_commit(store, id, 1, bytes_of_text("manifest")), STATUS_OK);
            }
            char path[STORE_PATH_SIZE];
            store_file(path, id, "count-0");
            assert_lies(path, "state");
            ck_assert_int_eq(store_discard(store, id), STATUS_OK);
            assert_listed(0, NULL);
        }
    }
}
END_TEST

START_TEST(a_discard_that_fails_at_any_call_can_be_repeated)
{
    enum status status = STATUS_IO;
    open_store(_i);
    for (uint64_t call = 1; status != STATUS_OK; call++) {
        take(_i, 1);
        disk_host_fail_at(&machine, call, STATUS_IO);
        status = store_discard(store, 1);
        status = status == STATUS_OK ? store_discard_shared(store, 1) : status;
        disk_host_fail_at(&machine, 100000, STATUS_IO);
        ck_assert(status == STATUS_OK || status == STATUS_IO);
        ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
        ck_assert_int_eq(store_discard_shared(store, 1), STATUS_OK);
        assert_listed(0, NULL);
        assert_lies("checkpoints/chk-1/count-0", NULL);
        assert_lies("checkpoints/shared/chk-1/count-1", NULL);
    }
}
END_TEST

START_TEST(a_dead_process_gets_halted_from_every_call)
{
    static const struct shared_garbage garbage = { .creator = 1, .name = "count-1" };
    uint64_t *ids;
    size_t count;
    uint64_t removed;
    struct buffer out;
    if (_i == STORE_MEMORY) {
        return; /* it makes no call that could notice */
    }
    buffer_init(&out, &arena);
    open_store(_i);
    take(_i, 1);
    machine.is_halted = true;
    ck_assert_int_eq(store_commit(store, 1, 1, bytes_of_text("m")), STATUS_HALTED);
    ck_assert_int_eq(store_list(store, &arena, &ids, &count), STATUS_HALTED);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(store_read(store, "checkpoints/chk-1/_metadata", &out), STATUS_HALTED);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_int_eq(store_discard(store, 1), STATUS_HALTED);
    ck_assert_int_eq(store_discard_shared(store, 1), STATUS_HALTED);
    ck_assert_int_eq(store_remove_shared(store, &garbage, 1), STATUS_HALTED);
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_HALTED);
    ck_assert_int_eq(store_open(host, (enum store_kind)_i, &store), STATUS_HALTED);
    machine.is_halted = false;
}
END_TEST

/* More than SQLite keeps in memory: to find the pages of what it removes it must read them. */
START_TEST(t3_a_discard_asks_the_volume_seldom)
{
    enum { STATE_BYTES = 6 * 1024 * 1024 };
    open_store(STORE_SQLITE);
    ck_assert_int_eq(store_begin(store, 1, false), STATUS_OK);
    struct bytes path = bytes_of_text("checkpoints/chk-1/count-0");
    uint8_t *state = arena_alloc(&arena, STATE_BYTES, 1);
    store_put(store, 1, path, (struct bytes){ .data = state, .size = STATE_BYTES });
    ck_assert_int_eq(store_commit(store, 1, 1, bytes_of_text("manifest")), STATUS_OK);
    uint64_t before = machine.call_count;
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    ck_assert_uint_lt(machine.call_count - before, 500);
}
END_TEST

/* Every bit of a database with two checkpoints, in steps, which are longer where it is empty: what
 * is read is what was written, or there is an error, or nothing. */
START_TEST(t5_a_damaged_database_never_gives_another_state)
{
    struct bytes file;
    open_store(STORE_SQLITE);
    take(STORE_SQLITE, 1);
    take(STORE_SQLITE, 2);
    struct bytes state = bytes_of_text("second");
    struct state_handle handle = { .kind = HANDLE_FILE,
                                   .size_bytes = state.size,
                                   .checksum = hash_bytes(state),
                                   .location = bytes_of_text("checkpoints/shared/chk-2/count-1") };
    ck_assert(disk_peek(disk, STORE_DATABASE, &file));
    for (uint64_t bit = 0; bit < 8 * file.size; bit += 131) {
        ck_assert(disk_peek(disk, STORE_DATABASE, &file));
        if (file.data[bit / 8] == 0 && bit % (64 * 131) != 0) {
            continue;
        }
        uint64_t *ids;
        size_t count = 0;
        struct buffer out;
        struct buffer carried;
        disk_host_free(&machine);
        ck_assert(disk_corrupt(disk, STORE_DATABASE, bit));
        disk_host_init(&machine, disk, 0);
        host = &machine.host;
        buffer_init(&out, &arena);
        buffer_init(&carried, &arena);
        enum status status = store_open(host, STORE_SQLITE, &store);
        if (status == STATUS_OK) {
            status = store_list(store, &arena, &ids, &count);
        }
        if (status == STATUS_OK) {
            status = store_read(store, "checkpoints/shared/chk-2/count-1", &out);
        }
        if (status == STATUS_OK) {
            carried_add(&carried, handle.location, buffer_bytes(&out));
            buffer_reset(&out);
            status = read_part(host, buffer_bytes(&carried), &handle, &out);
            ck_assert(status == STATUS_CORRUPT || bytes_equal(buffer_bytes(&out), state));
        } else {
            ck_assert(status == STATUS_CORRUPT || status == STATUS_NOT_FOUND);
        }
        ck_assert(disk_corrupt(disk, STORE_DATABASE, bit));
    }
}
END_TEST

/* The list of free pages is damaged, which nobody reads who only reads. */
START_TEST(t5_a_commit_that_meets_damage_says_so_and_the_rest_can_be_read)
{
    enum { STATE_BYTES = 256 * 1024, FREE_LIST_BIT = 8 * 32 };
    uint8_t *state = arena_alloc(&arena, STATE_BYTES, 1);
    struct bytes large = { .data = state, .size = STATE_BYTES };
    open_store(STORE_SQLITE);
    store_put(store, 1, bytes_of_text("checkpoints/chk-1/count-0"), large);
    ck_assert_int_eq(store_commit(store, 1, 1, bytes_of_text("manifest")), STATUS_OK);
    take(STORE_SQLITE, 2);
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    ck_assert(disk_corrupt(disk, STORE_DATABASE, FREE_LIST_BIT));
    restart(STORE_SQLITE);
    store_put(store, 3, bytes_of_text("checkpoints/chk-3/count-0"), large);
    ck_assert_int_eq(store_commit(store, 3, 1, bytes_of_text("manifest")), STATUS_CORRUPT);
    assert_listed(1, (uint64_t[]){ 2 });
}
END_TEST

START_TEST(t2_a_commit_is_reported_before_and_behind_its_transaction)
{
    open_store(_i);
    ck_assert_int_eq(store_begin(store, 3, false), STATUS_OK);
    ck_assert_int_eq(store_commit(store, 3, 8, bytes_of_text("manifest")), STATUS_OK);
    size_t written = _i == STORE_MEMORY ? 1 : 0; /* which shows the manifest first */
    ck_assert_uint_eq(machine.fact_count, _i == STORE_SQLITE ? 2 : 3);
    ck_assert_uint_eq(disk_host_facts(&machine, FACT_BLOB_PUT), written);
    ck_assert_int_eq(machine.facts[written].kind, FACT_MANIFEST_WRITTEN);
    ck_assert_uint_eq(machine.facts[written].values[0], 8);
    ck_assert_int_eq(machine.facts[written + 1].kind, FACT_MANIFEST_SYNCED);
    ck_assert_uint_eq(machine.facts[written + 1].checkpoint, 3);
    ck_assert_uint_eq(machine.facts[written + 1].attempt, 8);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("store");
    TCase *tests = tcase_create("contract");
    tcase_add_checked_fixture(tests, setup, teardown);
    const TTest *const promises[] = {
        s1_a_checkpoint_is_listed_when_it_is_committed,
        s2_a_committed_checkpoint_can_be_read,
        empty_parts_are_parts,
        checkpoints_are_listed_in_rising_order,
        two_checkpoints_at_once_do_not_mix,
        s3_a_discard_leaves_nothing_of_its_own_and_everything_else,
        what_was_put_for_an_aborted_checkpoint_never_comes_back,
        shared_parts_go_one_by_one_or_together,
        i5_a_sweep_leaves_what_is_needed_and_nothing_else,
        t4_memory_ends_with_the_process_and_nothing_else_does,
        a_commit_that_fails_at_any_call_can_be_repeated,
        a_discard_that_fails_at_any_call_can_be_repeated,
        a_dead_process_gets_halted_from_every_call,
        t2_a_commit_is_reported_before_and_behind_its_transaction,
    };
    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++) {
        tcase_add_loop_test(tests, promises[i], 0, STORE_KIND_COUNT);
    }
    tcase_add_test(tests, t3_a_discard_asks_the_volume_seldom);
    tcase_add_test(tests, t5_a_damaged_database_never_gives_another_state);
    tcase_add_test(tests, t5_a_commit_that_meets_damage_says_so_and_the_rest_can_be_read);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
