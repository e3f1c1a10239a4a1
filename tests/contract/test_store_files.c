#include "model/checkpoint/store_files.h"

#include <stdio.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/checkpoint/manifest.h"
#include "tests/support/disk_host.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

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
    ck_assert_int_eq(store_files_open(host, &store), STATUS_OK);
}

static void teardown(void)
{
    disk_host_free(&machine);
    disk_destroy(disk);
    arena_drop(&arena);
}

static void commit(uint64_t id, const char *manifest)
{
    ck_assert_int_eq(store_begin(store, id, false), STATUS_OK);
    ck_assert_int_eq(store_commit(store, id, 1, bytes_of_text(manifest)), STATUS_OK);
}

static void write_file(const char *path, const char *text)
{
    file_id file;
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, path, HOST_TRUNCATE, &file), STATUS_OK);
    ck_assert_int_eq(host_file_write(host, file, 0, bytes_of_text(text)), STATUS_OK);
    host_file_close(host, file);
}

static void append_path(void *context, const char *path)
{
    strcat(strcat(context, path), " ");
}

static void assert_files(const char *expected)
{
    char paths[512] = "";
    disk_each_file(disk, append_path, paths);
    ck_assert_str_eq(paths, expected);
}

static void assert_listed(size_t expected_count, const uint64_t *expected)
{
    uint64_t *ids;
    size_t count;
    ck_assert_int_eq(store_list(store, &arena, &ids, &count), STATUS_OK);
    ck_assert_uint_eq(count, expected_count);
    ck_assert(count == 0 || memcmp(ids, expected, count * sizeof *ids) == 0);
}

START_TEST(paths_are_as_documented)
{
    char path[STORE_PATH_SIZE];
    store_directory(path, 1);
    ck_assert_str_eq(path, "checkpoints/chk-1");
    store_directory(path, UINT64_MAX);
    ck_assert_str_eq(path, "checkpoints/chk-18446744073709551615");
    store_file(path, 20, STORE_MANIFEST);
    ck_assert_str_eq(path, "checkpoints/chk-20/_metadata");
}
END_TEST

START_TEST(init_can_be_repeated_and_keeps_checkpoints)
{
    commit(4, "m");
    ck_assert_int_eq(store_files_open(host, &store), STATUS_OK);
    assert_listed(1, (uint64_t[]){ 4 });
}
END_TEST

START_TEST(an_empty_or_absent_store_lists_nothing)
{
    assert_listed(0, NULL);
    disk_destroy(disk);
    disk = disk_create(&arena);
    machine.disk = disk;
    assert_listed(0, NULL);
}
END_TEST

START_TEST(a_checkpoint_begins_once)
{
    ck_assert_int_eq(store_begin(store, 7, false), STATUS_OK);
    ck_assert_int_eq(store_begin(store, 7, false), STATUS_EXISTS);
}
END_TEST

/* S1 */
START_TEST(a_begun_checkpoint_is_not_listed)
{
    ck_assert_int_eq(store_begin(store, 7, false), STATUS_OK);
    write_file("checkpoints/chk-7/state", "abc");
    write_file("checkpoints/chk-7/_metadata.part", "half");
    assert_listed(0, NULL);
}
END_TEST

START_TEST(committed_checkpoints_are_listed_in_rising_order)
{
    commit(9, "m");
    commit(10, "m");
    commit(100, "m");
    commit(11, "m");
    commit(2, "m");
    assert_listed(5, (uint64_t[]){ 2, 9, 10, 11, 100 });
}
END_TEST

START_TEST(only_names_of_the_right_form_are_checkpoints)
{
    static const char *const names[] = {
        "chk-", "chk-0", "chk-01", "chk-+1", "chk-1x", "chk--1", "chk-99999999999999999999", "other"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "checkpoints/%s", names[i]);
        ck_assert_int_eq(host_make_dir(host, HOST_SHARED, path), STATUS_OK);
        (void)snprintf(path, sizeof path, "checkpoints/%s/_metadata", names[i]);
        write_file(path, "m");
    }
    assert_listed(0, NULL);
    ck_assert_int_eq(store_discard_incomplete(store), STATUS_OK);
    struct bytes content;
    ck_assert(disk_peek(disk, "checkpoints/chk-01/_metadata", &content));
}
END_TEST

/* S2 */
START_TEST(a_commit_is_written_synced_renamed_and_reported_in_this_order)
{
    struct bytes content;
    ck_assert_int_eq(store_begin(store, 3, false), STATUS_OK);
    ck_assert_int_eq(store_commit(store, 3, 8, bytes_of_text("manifest")), STATUS_OK);
    ck_assert_uint_eq(machine.fact_count, 3);
    ck_assert_int_eq(machine.facts[0].kind, FACT_MANIFEST_WRITTEN);
    ck_assert_uint_eq(machine.facts[0].values[0], 8);
    ck_assert_int_eq(machine.facts[1].kind, FACT_MANIFEST_SYNCED);
    ck_assert_int_eq(machine.facts[2].kind, FACT_MANIFEST_RENAMED);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(machine.facts[i].checkpoint, 3);
        ck_assert_uint_eq(machine.facts[i].attempt, 8);
        ck_assert_uint_eq(machine.facts[i].vertex, FACT_NO_TASK);
    }
    ck_assert(disk_peek(disk, "checkpoints/chk-3/_metadata", &content));
    ck_assert(bytes_equal(content, bytes_of_text("manifest")));
    assert_files("checkpoints/chk-3/_metadata ");
}
END_TEST

START_TEST(a_commit_that_fails_can_be_repeated)
{
    for (uint64_t call = 1;; call++) {
        ck_assert_int_eq(store_begin(store, call, false), STATUS_OK);
        disk_host_fail_at(&machine, call, STATUS_NO_SPACE);
        enum status status = store_commit(store, call, 1, bytes_of_text("manifest"));
        disk_host_fail_at(&machine, 1000, STATUS_NO_SPACE);
        if (status == STATUS_OK) {
            ck_assert_uint_eq(call, 6); /* open, write, sync, rename, sync of the directory */
            break;
        }
        ck_assert_int_eq(status, STATUS_NO_SPACE);
        ck_assert_int_eq(store_commit(store, call, 1, bytes_of_text("manifest")), STATUS_OK);
    }
    assert_listed(6, (uint64_t[]){ 1, 2, 3, 4, 5, 6 });
}
END_TEST

START_TEST(a_commit_without_begin_is_not_found)
{
    ck_assert_int_eq(store_commit(store, 3, 1, bytes_of_text("m")), STATUS_NOT_FOUND);
    ck_assert_uint_eq(machine.fact_count, 0);
}
END_TEST

START_TEST(a_file_is_read_whole_behind_what_the_buffer_holds)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_append_text(&out, "before ");
    write_file("checkpoints/x", "content");
    write_file("checkpoints/empty", "");
    ck_assert_int_eq(store_read(store, "checkpoints/x", &out), STATUS_OK);
    ck_assert_int_eq(store_read(store, "checkpoints/empty", &out), STATUS_OK);
    ck_assert_int_eq(store_read(store, "checkpoints/none", &out), STATUS_NOT_FOUND);
    ck_assert(bytes_equal(buffer_bytes(&out), bytes_of_text("before content")));
}
END_TEST

START_TEST(a_failed_read_leaves_the_buffer_and_closes_the_file)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_append_text(&out, "before");
    write_file("checkpoints/x", "content");
    for (uint64_t call = 1; call <= 3; call++) {
        disk_host_fail_at(&machine, call, STATUS_IO);
        ck_assert_int_eq(store_read(store, "checkpoints/x", &out), STATUS_IO);
        ck_assert_uint_eq(out.size, 6);
        ck_assert_ptr_null(machine.files[0]);
    }
}
END_TEST

static enum status read_state(enum handle_kind kind, const char *location, const char *state)
{
    struct buffer out;
    struct bytes expected = bytes_of_text(state);
    struct state_handle handle = { .kind = kind,
                                   .size_bytes = expected.size,
                                   .checksum = hash_bytes(expected),
                                   .location = bytes_of_text(location) };
    buffer_init(&out, &arena);
    buffer_append_text(&out, "before");
    enum status status = read_part(host, (struct bytes){ 0 }, &handle, &out);
    ck_assert_uint_eq(out.size, 6 + (status == STATUS_OK ? expected.size : 0));
    ck_assert(status != STATUS_OK || memcmp(out.data + 6, expected.data, expected.size) == 0);
    return status;
}

START_TEST(state_is_verified_wherever_it_lies)
{
    write_file("checkpoints/x", "content");
    ck_assert_int_eq(read_state(HANDLE_INLINE, "content", "content"), STATUS_OK);
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "content"), STATUS_OK);
    ck_assert_int_eq(read_state(HANDLE_INLINE, "content", "contens"), STATUS_CORRUPT);
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "contens"), STATUS_CORRUPT);
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "conten"), STATUS_CORRUPT);
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "content."), STATUS_CORRUPT);
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/y", "content"), STATUS_NOT_FOUND);
}
END_TEST

START_TEST(a_path_that_no_store_writes_is_damage)
{
    char path[STORE_PATH_SIZE + 1];
    memset(path, 'x', STORE_PATH_SIZE);
    path[STORE_PATH_SIZE] = '\0';
    ck_assert_int_eq(read_state(HANDLE_FILE, path, "content"), STATUS_CORRUPT);
}
END_TEST

START_TEST(every_flipped_bit_of_a_state_file_is_found)
{
    write_file("checkpoints/x", "content");
    for (uint64_t bit = 0; bit < 7 * 8; bit++) {
        ck_assert(disk_corrupt(disk, "checkpoints/x", bit));
        ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "content"), STATUS_CORRUPT);
        ck_assert(disk_corrupt(disk, "checkpoints/x", bit));
    }
    ck_assert_int_eq(read_state(HANDLE_FILE, "checkpoints/x", "content"), STATUS_OK);
}
END_TEST

/* The state is large enough to be read in several pieces. */
START_TEST(a_large_state_file_is_read_in_pieces_and_judged_by_all_of_them)
{
    enum { SIZE = 2500 * 1000, CALLS = 5 /* open, size, and three pieces */ };
    struct buffer out;
    buffer_init(&out, &arena);
    uint8_t *content = buffer_extend(&out, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        content[i] = (uint8_t)hash_mix(i);
    }
    file_id file;
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, "x", HOST_TRUNCATE, &file), STATUS_OK);
    ck_assert_int_eq(host_file_write(host, file, 0, buffer_bytes(&out)), STATUS_OK);
    host_file_close(host, file);
    struct state_handle handle = { .kind = HANDLE_FILE,
                                   .size_bytes = SIZE,
                                   .checksum = hash_bytes(buffer_bytes(&out)),
                                   .location = bytes_of_text("x") };
    struct buffer read;
    buffer_init(&read, &arena);
    uint64_t calls_before = machine.call_count;
    ck_assert_int_eq(read_part(host, (struct bytes){ 0 }, &handle, &read), STATUS_OK);
    ck_assert_uint_eq(machine.call_count - calls_before, CALLS);
    ck_assert(bytes_equal(buffer_bytes(&read), buffer_bytes(&out)));
    for (uint64_t call = 1; call <= CALLS; call++) {
        disk_host_fail_at(&machine, call, STATUS_IO);
        ck_assert_int_eq(read_part(host, (struct bytes){ 0 }, &handle, &read), STATUS_IO);
        ck_assert_ptr_null(machine.files[0]);
    }
    for (uint64_t bit = 0; bit < SIZE * UINT64_C(8); bit += SIZE * UINT64_C(8) / 10 + 1) {
        ck_assert(disk_corrupt(disk, "x", bit));
        ck_assert_int_eq(read_part(host, (struct bytes){ 0 }, &handle, &read), STATUS_CORRUPT);
        ck_assert(disk_corrupt(disk, "x", bit));
    }
    struct store_part part;
    size_t blocks_before = machine.arena.live_count;
    ck_assert_int_eq(store_part_open(&part, host, (struct bytes){ 0 }, &handle), STATUS_OK);
    store_part_close(&part); /* read to its end or not */
    ck_assert_uint_eq(machine.arena.live_count, blocks_before);
    ck_assert_ptr_null(machine.files[0]);
    ck_assert_uint_eq(read.size, SIZE);
}
END_TEST

START_TEST(a_discard_leaves_nothing_of_the_checkpoint_and_everything_else)
{
    commit(1, "m");
    commit(2, "m");
    write_file("checkpoints/chk-1/state-0", "a");
    write_file("checkpoints/chk-1/state-1", "a");
    write_file("checkpoints/chk-2/state-0", "a");
    write_file("checkpoints/shared/x", "a");
    ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
    assert_files("checkpoints/chk-2/_metadata checkpoints/chk-2/state-0 checkpoints/shared/x ");
    assert_listed(1, (uint64_t[]){ 2 });
    ck_assert_int_eq(store_begin(store, 1, false), STATUS_OK);
}
END_TEST

START_TEST(discarding_what_is_not_there_is_fine)
{
    ck_assert_int_eq(store_discard(store, 5), STATUS_OK);
    commit(5, "m");
    ck_assert_int_eq(store_discard(store, 5), STATUS_OK);
    ck_assert_int_eq(store_discard(store, 5), STATUS_OK);
}
END_TEST

START_TEST(a_discard_that_fails_can_be_repeated)
{
    for (uint64_t call = 1, failures = 1; failures > 0; call++) {
        commit(1, "m");
        write_file("checkpoints/chk-1/state-0", "a");
        disk_host_fail_at(&machine, call, STATUS_IO);
        failures = store_discard(store, 1) != STATUS_OK;
        disk_host_fail_at(&machine, 1000, STATUS_IO);
        ck_assert_int_eq(store_discard(store, 1), STATUS_OK);
        assert_files("");
    }
}
END_TEST

START_TEST(incomplete_checkpoints_are_discarded_and_complete_ones_stay)
{
    commit(1, "m");
    write_file("checkpoints/chk-1/state", "a");
    ck_assert_int_eq(store_begin(store, 2, false), STATUS_OK);
    write_file("checkpoints/chk-2/state", "a");
    write_file("checkpoints/chk-2/_metadata.part", "a");
    ck_assert_int_eq(store_begin(store, 3, false), STATUS_OK);
    write_file("checkpoints/shared/x", "a");
    ck_assert_int_eq(store_discard_incomplete(store), STATUS_OK);
    assert_files("checkpoints/chk-1/_metadata checkpoints/chk-1/state checkpoints/shared/x ");
    ck_assert_int_eq(store_begin(store, 2, false), STATUS_OK);
    ck_assert_int_eq(store_begin(store, 3, false), STATUS_OK);
}
END_TEST

START_TEST(a_dead_process_gets_halted_from_every_call)
{
    uint64_t *ids;
    size_t count;
    struct buffer out;
    buffer_init(&out, &arena);
    commit(1, "m");
    machine.is_halted = true;
    ck_assert_int_eq(store_files_open(host, &store), STATUS_HALTED);
    ck_assert_int_eq(store_begin(store, 2, false), STATUS_HALTED);
    ck_assert_int_eq(store_files_seal(host, "checkpoints/chk-2/x", 1), STATUS_HALTED);
    ck_assert_int_eq(store_commit(store, 2, 1, bytes_of_text("m")), STATUS_HALTED);
    ck_assert_int_eq(store_list(store, &arena, &ids, &count), STATUS_HALTED);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(store_read(store, "checkpoints/chk-1/_metadata", &out), STATUS_HALTED);
    ck_assert_int_eq(store_discard(store, 1), STATUS_HALTED);
    ck_assert_int_eq(store_discard_incomplete(store), STATUS_HALTED);
    machine.is_halted = false;
    assert_listed(1, (uint64_t[]){ 1 });
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("store_files");
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, paths_are_as_documented);
    tcase_add_test(tests, init_can_be_repeated_and_keeps_checkpoints);
    tcase_add_test(tests, an_empty_or_absent_store_lists_nothing);
    tcase_add_test(tests, a_checkpoint_begins_once);
    tcase_add_test(tests, a_begun_checkpoint_is_not_listed);
    tcase_add_test(tests, committed_checkpoints_are_listed_in_rising_order);
    tcase_add_test(tests, only_names_of_the_right_form_are_checkpoints);
    tcase_add_test(tests, a_commit_is_written_synced_renamed_and_reported_in_this_order);
    tcase_add_test(tests, a_commit_that_fails_can_be_repeated);
    tcase_add_test(tests, a_commit_without_begin_is_not_found);
    tcase_add_test(tests, a_file_is_read_whole_behind_what_the_buffer_holds);
    tcase_add_test(tests, a_failed_read_leaves_the_buffer_and_closes_the_file);
    tcase_add_test(tests, state_is_verified_wherever_it_lies);
    tcase_add_test(tests, a_path_that_no_store_writes_is_damage);
    tcase_add_test(tests, every_flipped_bit_of_a_state_file_is_found);
    tcase_add_test(tests, a_large_state_file_is_read_in_pieces_and_judged_by_all_of_them);
    tcase_add_test(tests, a_discard_leaves_nothing_of_the_checkpoint_and_everything_else);
    tcase_add_test(tests, discarding_what_is_not_there_is_fine);
    tcase_add_test(tests, a_discard_that_fails_can_be_repeated);
    tcase_add_test(tests, incomplete_checkpoints_are_discarded_and_complete_ones_stay);
    tcase_add_test(tests, a_dead_process_gets_halted_from_every_call);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
