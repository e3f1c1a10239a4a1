/* Of the checkpoint stores, variants that leave out one of the rules S2 to S5, or commit in two
 * transactions: the judge of test_store.c must find the error of each. */
#include <string.h>

#include "tests/support/runner.h"
#include "tests/support/store_trial.h"

static enum status commit_steps(struct host *host, uint64_t id, struct bytes manifest,
                                const char *first_name, bool sync_file, bool sync_directory)
{
    char directory[STORE_PATH_SIZE];
    char first[STORE_PATH_SIZE];
    char path[STORE_PATH_SIZE];
    file_id file;
    store_directory(directory, id);
    store_file(first, id, first_name);
    store_file(path, id, STORE_MANIFEST);
    enum status status = host_file_open(host, HOST_SHARED, first, HOST_TRUNCATE, &file);
    if (status == STATUS_OK) {
        status = host_file_write(host, file, 0, manifest);
    }
    if (status == STATUS_OK && sync_file) {
        status = host_file_sync(host, file);
    }
    if (status == STATUS_OK) {
        host_file_close(host, file);
        status = host_rename(host, HOST_SHARED, first, path);
    }
    if (status == STATUS_OK && sync_directory) {
        status = host_sync_dir(host, HOST_SHARED, directory);
    }
    return status;
}

static enum status commit_all_steps(struct store *store, uint64_t id, uint64_t attempt,
                                    struct bytes manifest)
{
    (void)attempt;
    return commit_steps(store->host, id, manifest, "part", true, true);
}

static enum status commit_without_file_sync(struct store *store, uint64_t id, uint64_t attempt,
                                            struct bytes manifest)
{
    (void)attempt;
    return commit_steps(store->host, id, manifest, "part", false, true);
}

static enum status commit_without_directory_sync(struct store *store, uint64_t id, uint64_t attempt,
                                                 struct bytes manifest)
{
    (void)attempt;
    return commit_steps(store->host, id, manifest, "part", true, false);
}

static enum status commit_under_the_final_name(struct store *store, uint64_t id, uint64_t attempt,
                                               struct bytes manifest)
{
    (void)attempt;
    return commit_steps(store->host, id, manifest, STORE_MANIFEST, true, true);
}

static enum status seal_without_directory_sync(struct host *host, const char *path, file_id file)
{
    (void)path;
    return host_file_sync(host, file);
}

static enum status seal_without_file_sync(struct host *host, const char *path, file_id file)
{
    char directory[STORE_PATH_SIZE];
    const char *end = strrchr(path, '/');
    (void)file;
    memcpy(directory, path, (size_t)(end - path));
    directory[end - path] = '\0';
    return host_sync_dir(host, HOST_SHARED, directory);
}

static enum status adopt_without_directory_sync(struct host *host, const char *draft,
                                                const char *path)
{
    return host_rename(host, HOST_SHARED, draft, path);
}

/* Files first, manifest last; or the manifest first, but without a sync behind it. */
static enum status discard_steps(struct store *store, uint64_t id, bool manifest_first)
{
    struct host *host = store->host;
    char path[STORE_PATH_SIZE];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i <= SUBTASKS && status != STATUS_HALTED; i++) {
        char name[16] = STORE_MANIFEST;
        if (i != (manifest_first ? 0 : SUBTASKS)) {
            trial_state_name(name, manifest_first ? i - 1 : i);
        }
        store_file(path, id, name);
        status = host_remove(host, HOST_SHARED, path);
    }
    if (status != STATUS_HALTED) {
        store_directory(path, id);
        status = host_remove_dir(host, HOST_SHARED, path);
    }
    return status == STATUS_HALTED ? status : host_sync_dir(host, HOST_SHARED, STORE_ROOT);
}

static enum status discard_files_first(struct store *store, uint64_t id)
{
    return discard_steps(store, id, false);
}

static enum status discard_without_manifest_sync(struct store *store, uint64_t id)
{
    return discard_steps(store, id, true);
}

static enum status discard_without_last_sync(struct store *store, uint64_t id)
{
    char path[STORE_PATH_SIZE];
    store_file(path, id, STORE_MANIFEST);
    enum status status = host_remove(store->host, HOST_SHARED, path);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What store_list would be if it only looked. */
static enum status list_without_sync(struct store *store, struct arena *arena, uint64_t **ids,
                                     size_t *count)
{
    struct host *host = store->host;
    *ids = arena_alloc(arena, ID_MAX, sizeof **ids);
    *count = 0;
    for (uint64_t id = 1; id < ID_MAX; id++) {
        char path[STORE_PATH_SIZE];
        file_id file;
        store_file(path, id, STORE_MANIFEST);
        enum status status = host_file_open(host, HOST_SHARED, path, HOST_READ, &file);
        if (status == STATUS_OK) {
            host_file_close(host, file);
            (*ids)[(*count)++] = id;
        } else if (status != STATUS_NOT_FOUND) {
            return status;
        }
    }
    return STATUS_OK;
}

static void assert_caught(enum store_kind kind, struct store_calls calls, const char *expected)
{
    struct cut cut;
    const char *wrong = trial_everything(kind, &calls, &cut);
    ck_assert_msg(wrong == expected, "found: %s", wrong != NULL ? wrong : "nothing");
}

START_TEST(a_right_commit_in_the_place_of_the_variants_is_not_blamed)
{
    struct store_calls calls = right_calls;
    struct cut cut;
    calls.commit = commit_all_steps;
    ck_assert_ptr_null(trial_everything(STORE_FILES, &calls, &cut));
}
END_TEST

START_TEST(a_commit_without_the_sync_before_the_rename_is_caught)
{
    struct store_calls calls = right_calls;
    calls.commit = commit_without_file_sync;
    assert_caught(STORE_FILES, calls, manifest_damaged);
}
END_TEST

START_TEST(a_commit_without_the_directory_sync_is_caught)
{
    struct store_calls calls = right_calls;
    calls.commit = commit_without_directory_sync;
    assert_caught(STORE_FILES, calls, manifest_missing);
}
END_TEST

START_TEST(a_commit_under_the_final_name_is_caught)
{
    struct store_calls calls = right_calls;
    calls.commit = commit_under_the_final_name;
    assert_caught(STORE_FILES, calls, manifest_damaged);
}
END_TEST

START_TEST(a_state_file_without_the_directory_sync_is_caught)
{
    struct store_calls calls = right_calls;
    calls.seal = seal_without_directory_sync;
    assert_caught(STORE_FILES, calls, state_damaged);
}
END_TEST

START_TEST(a_draft_adopted_without_the_directory_sync_is_caught)
{
    struct store_calls calls = right_calls;
    calls.adopt = adopt_without_directory_sync;
    assert_caught(STORE_FILES, calls, state_damaged);
}
END_TEST

START_TEST(a_state_file_without_the_file_sync_is_caught)
{
    struct store_calls calls = right_calls;
    calls.seal = seal_without_file_sync;
    assert_caught(STORE_FILES, calls, state_damaged);
}
END_TEST

START_TEST(a_discard_that_removes_the_files_first_is_caught)
{
    struct store_calls calls = right_calls;
    calls.discard = discard_files_first;
    assert_caught(STORE_FILES, calls, state_damaged);
}
END_TEST

START_TEST(a_discard_that_does_not_sync_the_manifest_away_is_caught)
{
    struct store_calls calls = right_calls;
    calls.discard = discard_without_manifest_sync;
    assert_caught(STORE_FILES, calls, state_damaged);
}
END_TEST

START_TEST(a_discard_that_is_not_durable_is_caught)
{
    struct store_calls calls = right_calls;
    calls.discard = discard_without_last_sync;
    assert_caught(STORE_FILES, calls, comes_back);
}
END_TEST

START_TEST(a_list_that_does_not_make_durable_what_it_answers_is_caught)
{
    struct store_calls calls = right_calls;
    calls.list = list_without_sync;
    assert_caught(STORE_FILES, calls, list_forgets);
}
END_TEST

/* The parts were put already; what is put now is committed behind the manifest. */
static enum status commit_manifest_first(struct store *store, uint64_t id, uint64_t attempt,
                                         struct bytes manifest)
{
    enum status status = store_discard(store, id);
    if (status == STATUS_OK) {
        status = store_commit(store, id, attempt, manifest);
    }
    for (uint32_t i = 0; i < SUBTASKS; i++) {
        trial_carry_state(store, id, i);
    }
    return status == STATUS_OK ? store_commit(store, id, attempt, manifest) : status;
}

START_TEST(a_commit_in_two_transactions_is_caught)
{
    struct store_calls calls = right_calls;
    calls.commit = commit_manifest_first;
    assert_caught(STORE_SQLITE, calls, state_damaged);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("store variants");
    TCase *tests = tcase_create("variants");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_right_commit_in_the_place_of_the_variants_is_not_blamed);
    tcase_add_test(tests, a_commit_without_the_sync_before_the_rename_is_caught);
    tcase_add_test(tests, a_commit_without_the_directory_sync_is_caught);
    tcase_add_test(tests, a_commit_under_the_final_name_is_caught);
    tcase_add_test(tests, a_state_file_without_the_directory_sync_is_caught);
    tcase_add_test(tests, a_draft_adopted_without_the_directory_sync_is_caught);
    tcase_add_test(tests, a_state_file_without_the_file_sync_is_caught);
    tcase_add_test(tests, a_discard_that_removes_the_files_first_is_caught);
    tcase_add_test(tests, a_discard_that_does_not_sync_the_manifest_away_is_caught);
    tcase_add_test(tests, a_discard_that_is_not_durable_is_caught);
    tcase_add_test(tests, a_list_that_does_not_make_durable_what_it_answers_is_caught);
    tcase_add_test(tests, a_commit_in_two_transactions_is_caught);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
