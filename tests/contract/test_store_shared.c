#include "model/checkpoint/store_files.h"

#include <string.h>

#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

/* Files that several checkpoints need: S4 and S6, and the power cut at every call. And those that
 * are written ahead: S7. */

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
}

static void teardown(void)
{
    disk_host_free(&machine);
    disk_destroy(disk);
    arena_drop(&arena);
}

static enum status write_durable(const char *path, const char *name)
{
    file_id file;
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_TRUNCATE, &file);
    if (status != STATUS_OK) {
        return status;
    }
    status = host_file_write(host, file, 0, bytes_of_text(name));
    if (status == STATUS_OK) {
        status = store_files_seal(host, path, file);
    }
    host_file_close(host, file);
    return status;
}

/* A file of checkpoint `id`, durable, as an uploader writes it. */
static enum status write_shared(uint64_t id, const char *name)
{
    char path[STORE_PATH_SIZE];
    store_shared_file(path, id, name);
    return write_durable(path, name);
}

static enum status write_draft(uint64_t attempt, const char *name)
{
    char path[STORE_PATH_SIZE];
    store_draft_file(path, attempt, name);
    return write_durable(path, name);
}

/* A draft becomes a part of the same name. */
static enum status adopt(uint64_t attempt, uint64_t id, const char *name)
{
    char draft[STORE_PATH_SIZE];
    char path[STORE_PATH_SIZE];
    store_draft_file(draft, attempt, name);
    store_shared_file(path, id, name);
    return store_files_adopt(host, draft, path);
}

static void append_path(void *context, const char *path)
{
    const char *below = path + strlen(STORE_ROOT "/");
    bool is_shared = strncmp(path, STORE_SHARED, strlen(STORE_SHARED)) == 0;
    strcat(strcat(context, below + (is_shared ? strlen("shared/") : 0)), " ");
}

static void assert_files(const char *expected)
{
    char paths[512] = "";
    disk_each_file(disk, append_path, paths);
    ck_assert_str_eq(paths, expected);
}

static void count_name(void *context, const char *name)
{
    (void)name;
    ++*(uint32_t *)context;
}

static uint32_t folder_count(void)
{
    uint32_t count = 0;
    ck_assert_int_eq(host_list(host, HOST_SHARED, STORE_SHARED, count_name, &count), STATUS_OK);
    return count;
}

START_TEST(paths_are_made_and_read_back)
{
    char path[STORE_PATH_SIZE];
    uint64_t id;
    struct bytes name;
    store_shared_file(path, 20, "count-1");
    ck_assert_str_eq(path, "checkpoints/shared/chk-20/count-1");
    ck_assert(store_parse_shared(bytes_of_text(path), &id, &name));
    ck_assert_uint_eq(id, 20);
    ck_assert(bytes_equal(name, bytes_of_text("count-1")));
    static const char *const others[] = { "",
                                          "checkpoints/chk-20/count-1",
                                          "checkpoints/shared",
                                          "checkpoints/shared/chk-20",
                                          "checkpoints/shared/chk-20/",
                                          "checkpoints/shared/chk-020/a",
                                          "checkpoints/shared/chk-0/a",
                                          "checkpoints/shared/chk-/a",
                                          "checkpoints/shared/x/a" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert(!store_parse_shared(bytes_of_text(others[i]), &id, &name));
    }
}
END_TEST

START_TEST(s6_who_writes_late_finds_no_folder)
{
    char path[STORE_PATH_SIZE];
    file_id file;
    ck_assert_int_eq(store_files_open(host, &store), STATUS_OK);
    ck_assert_int_eq(write_shared(3, "count-0"), STATUS_NOT_FOUND);
    ck_assert_int_eq(store_begin(store, 3, true), STATUS_OK);
    ck_assert_int_eq(store_begin(store, 3, true), STATUS_EXISTS);
    ck_assert_int_eq(write_shared(3, "count-0"), STATUS_OK);
    store_shared_file(path, 3, "count-1");
    ck_assert_int_eq(host_file_open(host, HOST_SHARED, path, HOST_TRUNCATE, &file), STATUS_OK);
    ck_assert_int_eq(store_discard_shared(store, 3), STATUS_OK);
    ck_assert_int_eq(host_file_write(host, file, 0, bytes_of_text("late")), STATUS_OK);
    ck_assert_int_eq(store_files_seal(host, path, file), STATUS_NOT_FOUND);
    host_file_close(host, file);
    ck_assert_int_eq(write_shared(3, "count-2"), STATUS_NOT_FOUND);
    assert_files("");
    ck_assert_uint_eq(folder_count(), 0);
    ck_assert_int_eq(store_discard_shared(store, 3), STATUS_OK);
    struct shared_garbage garbage = { .creator = 3, .name = "count-0" };
    ck_assert_int_eq(store_remove_shared(store, &garbage, 1), STATUS_OK);
}
END_TEST

/* Only count-0 of checkpoint 1; checkpoint 4 is being taken. */
static bool is_needed(void *context, uint64_t id, const char *name)
{
    (void)context;
    return name[0] == '\0' ? id == 4 : id == 1 && strcmp(name, "count-0") == 0;
}

static enum status make_files(void)
{
    enum status status = store_files_open(host, &store);
    for (uint64_t id = 1; id <= 4 && status == STATUS_OK; id++) {
        status = store_begin(store, id, true);
        status = status == STATUS_OK ? write_shared(id, "count-0") : status;
        status = status == STATUS_OK ? write_shared(id, "count-1") : status;
    }
    return status;
}

START_TEST(a_sweep_leaves_what_is_needed_and_nothing_else)
{
    uint64_t removed;
    ck_assert_int_eq(make_files(), STATUS_OK);
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 5);
    assert_files("chk-1/count-0 chk-4/count-0 chk-4/count-1 ");
    ck_assert_uint_eq(folder_count(), 2);
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 0);
}
END_TEST

START_TEST(a_sweep_that_fails_can_be_repeated)
{
    for (uint64_t call = 1, failures = 1; failures > 0; call++) {
        uint64_t removed;
        ck_assert_int_eq(make_files(), call == 1 ? STATUS_OK : STATUS_EXISTS);
        if (call > 1) {
            ck_assert_int_eq(write_shared(1, "count-1"), STATUS_OK);
            ck_assert_int_eq(store_discard(store, 2), STATUS_OK);
            ck_assert_int_eq(store_begin(store, 2, true), STATUS_OK);
            ck_assert_int_eq(write_shared(2, "count-1"), STATUS_OK);
        }
        disk_host_fail_at(&machine, call, STATUS_IO);
        failures = store_sweep_shared(store, is_needed, NULL, &removed) != STATUS_OK;
        disk_host_fail_at(&machine, 1000, STATUS_IO);
        ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
        assert_files("chk-1/count-0 chk-4/count-0 chk-4/count-1 ");
    }
}
END_TEST

/* What a JobManager does with files that nobody needs any more. */
static enum status remove_some(void)
{
    enum status status = store_discard_shared(store, 4);
    struct shared_garbage garbage = { .creator = 1, .name = "count-1" };
    status = status == STATUS_OK ? store_remove_shared(store, &garbage, 1) : status;
    return status == STATUS_OK ? store_discard_shared(store, 2) : status;
}

/* The power is cut at one call; false if there are not so many. Then everything is swept. */
static bool try_cut(uint64_t call, bool has_effect, enum disk_survival survival)
{
    struct prng prng = { .state = call };
    uint64_t removed;
    setup();
    ck_assert_int_eq(make_files(), STATUS_OK);
    disk_host_halt_at(&machine, call, has_effect);
    bool was_cut = remove_some() == STATUS_HALTED;
    disk_host_cut(&machine, survival, &prng);
    disk_host_init(&machine, disk, 1);
    ck_assert_int_eq(store_files_open(host, &store), STATUS_OK);
    char path[STORE_PATH_SIZE];
    struct buffer out;
    buffer_init(&out, &arena);
    store_shared_file(path, 1, "count-0");
    ck_assert_int_eq(store_read(store, path, &out), STATUS_OK); /* it was sealed */
    ck_assert(bytes_equal(buffer_bytes(&out), bytes_of_text("count-0")));
    store_shared_file(path, 3, "count-1");
    ck_assert_int_eq(store_read(store, path, &out), STATUS_OK);
    ck_assert_int_eq(store_discard_shared(store, 4), STATUS_OK);
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_OK);
    assert_files("chk-1/count-0 ");
    ck_assert_uint_eq(folder_count(), 1);
    buffer_free(&out);
    teardown();
    return was_cut;
}

START_TEST(i5_after_a_power_cut_at_any_call_a_sweep_leaves_what_is_needed)
{
    static const enum disk_survival survivals[] = { DISK_KEEP, DISK_LOSE, DISK_TEAR };
    teardown();
    for (size_t i = 0; i < 3; i++) {
        for (int has_effect = 0; has_effect < 2; has_effect++) {
            uint64_t call = 1;
            while (try_cut(call, has_effect != 0, survivals[i])) {
                call++;
            }
            ck_assert_uint_gt(call, 10);
        }
    }
    setup();
}
END_TEST

START_TEST(a_dead_process_gets_halted_from_every_call)
{
    uint64_t removed;
    ck_assert_int_eq(make_files(), STATUS_OK);
    machine.is_halted = true;
    ck_assert_int_eq(store_begin(store, 9, true), STATUS_HALTED);
    ck_assert_int_eq(store_discard_shared(store, 1), STATUS_HALTED);
    struct shared_garbage garbage = { .creator = 1, .name = "count-0" };
    ck_assert_int_eq(store_remove_shared(store, &garbage, 1), STATUS_HALTED);
    ck_assert_int_eq(store_sweep_shared(store, is_needed, NULL, &removed), STATUS_HALTED);
    ck_assert_int_eq(store_begin_attempt(store, 7), STATUS_HALTED);
    ck_assert_int_eq(store_end_attempts(store, 7, &removed), STATUS_HALTED);
    ck_assert_int_eq(adopt(7, 3, "a"), STATUS_HALTED);
    machine.is_halted = false;
}
END_TEST

START_TEST(s7_a_draft_becomes_a_part_or_goes_with_its_attempt)
{
    uint64_t removed;
    ck_assert_int_eq(make_files(), STATUS_OK);
    ck_assert_int_eq(remove_some(), STATUS_OK);
    ck_assert_int_eq(write_draft(7, "a"), STATUS_NOT_FOUND);
    ck_assert_int_eq(store_end_attempts(store, 0, &removed), STATUS_OK); /* there was none */
    ck_assert_int_eq(store_begin_attempt(store, 7), STATUS_OK);
    ck_assert_int_eq(store_begin_attempt(store, 7), STATUS_OK);
    ck_assert_int_eq(write_draft(7, "a"), STATUS_OK);
    ck_assert_int_eq(write_draft(7, "b"), STATUS_OK);
    ck_assert_int_eq(adopt(7, 3, "a"), STATUS_OK);
    ck_assert_int_eq(adopt(7, 4, "b"), STATUS_NOT_FOUND); /* that checkpoint is gone */
    assert_files("drafts/att-7/b chk-1/count-0 chk-3/a chk-3/count-0 chk-3/count-1 ");
    ck_assert_int_eq(store_begin_attempt(store, 8), STATUS_OK);
    ck_assert_int_eq(write_draft(8, "c"), STATUS_OK);
    ck_assert_int_eq(store_end_attempts(store, 8, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 1);
    ck_assert_int_eq(write_draft(7, "late"), STATUS_NOT_FOUND);
    ck_assert_int_eq(adopt(7, 3, "b"), STATUS_NOT_FOUND);
    assert_files("drafts/att-8/c chk-1/count-0 chk-3/a chk-3/count-0 chk-3/count-1 ");
    ck_assert_int_eq(store_end_attempts(store, 0, &removed), STATUS_OK);
    ck_assert_uint_eq(removed, 1);
    assert_files("chk-1/count-0 chk-3/a chk-3/count-0 chk-3/count-1 ");
}
END_TEST

START_TEST(s7_what_fails_can_be_repeated)
{
    for (uint64_t call = 1, failures = 1; failures > 0; call++) {
        uint64_t removed;
        uint64_t attempt = call + 1;
        ck_assert_int_eq(make_files(), call == 1 ? STATUS_OK : STATUS_EXISTS);
        disk_host_fail_at(&machine, call, STATUS_IO);
        failures = store_begin_attempt(store, attempt) != STATUS_OK;
        failures += store_end_attempts(store, attempt, &removed) != STATUS_OK;
        disk_host_fail_at(&machine, 1000, STATUS_IO);
        ck_assert_int_eq(store_begin_attempt(store, attempt), STATUS_OK);
        ck_assert_int_eq(store_end_attempts(store, attempt, &removed), STATUS_OK);
        ck_assert_int_eq(write_draft(attempt - 1, "late"), STATUS_NOT_FOUND);
        ck_assert_int_eq(write_draft(attempt, "a"), STATUS_OK);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("store_shared");
    TCase *tests = tcase_create("shared");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, paths_are_made_and_read_back);
    tcase_add_test(tests, s6_who_writes_late_finds_no_folder);
    tcase_add_test(tests, a_sweep_leaves_what_is_needed_and_nothing_else);
    tcase_add_test(tests, a_sweep_that_fails_can_be_repeated);
    tcase_add_test(tests, i5_after_a_power_cut_at_any_call_a_sweep_leaves_what_is_needed);
    tcase_add_test(tests, s7_a_draft_becomes_a_part_or_goes_with_its_attempt);
    tcase_add_test(tests, s7_what_fails_can_be_repeated);
    tcase_add_test(tests, a_dead_process_gets_halted_from_every_call);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
