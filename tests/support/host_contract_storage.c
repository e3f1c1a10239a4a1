/* The part of the host contract about storage, and about what a dead process can still do. */
#include "tests/support/contract_actor.h"

#include <string.h>

#include "model/state/sqlite_database.h"

/* ---- storage --------------------------------------------------------------------------------- */

static void must(enum status status)
{
    CHECK(status == STATUS_OK);
}

static void write_file(struct host *host, enum host_volume volume, const char *path,
                       const char *text, bool synced)
{
    file_id file;
    must(host_file_open(host, volume, path, HOST_TRUNCATE, &file));
    CHECK(file != 0);
    must(host_file_write(host, file, 0, bytes_of_text(text)));
    if (synced) {
        must(host_file_sync(host, file));
    }
    host_file_close(host, file);
}

/* Does the file hold exactly `text`? */
static bool holds(struct host *host, enum host_volume volume, const char *path, const char *text)
{
    file_id file;
    char data[64];
    size_t got = 0;
    uint64_t size = 0;
    if (host_file_open(host, volume, path, HOST_READ, &file) != STATUS_OK) {
        return false;
    }
    must(host_file_size(host, file, &size));
    must(host_file_read(host, file, 0, data, sizeof data, &got));
    host_file_close(host, file);
    return size == strlen(text) && got == size && memcmp(data, text, got) == 0;
}

static bool exists(struct host *host, enum host_volume volume, const char *path)
{
    file_id file;
    if (host_file_open(host, volume, path, HOST_READ, &file) != STATUS_OK) {
        return false;
    }
    host_file_close(host, file);
    return true;
}

/* Reports the number of the step whose promise is broken. */
static void expect(struct contract_actor *actor, bool is_kept)
{
    actor->count++;
    if (!is_kept) {
        contract_report(actor, ANSWER, actor->count);
    }
}

static void call_on_files(struct contract_actor *actor, enum host_volume volume)
{
    struct host *host = actor->host;
    file_id file;
    uint8_t data[8];
    size_t got = 0;
    uint64_t size = 0;
    expect(actor, host_file_open(host, volume, "a", HOST_READ, &file) == STATUS_NOT_FOUND);
    expect(actor, host_file_open(host, volume, "d/a", HOST_CREATE, &file) == STATUS_NOT_FOUND);
    expect(actor, host_make_dir(host, volume, "d") == STATUS_OK);
    expect(actor, host_file_open(host, volume, "d/a", HOST_CREATE, &file) == STATUS_OK);
    expect(actor, host_file_write(host, file, 4, bytes_of_text("wxyz")) == STATUS_OK);
    expect(actor, host_file_size(host, file, &size) == STATUS_OK && size == 8);
    expect(actor, host_file_read(host, file, 2, data, 4, &got) == STATUS_OK && got == 4);
    expect(actor, memcmp(data, "\0\0wx", 4) == 0);
    expect(actor, host_file_read(host, file, 6, data, 8, &got) == STATUS_OK && got == 2);
    expect(actor, host_file_read(host, file, 100, data, 8, &got) == STATUS_OK && got == 0);
    expect(actor, host_file_sync(host, file) == STATUS_OK);
    host_file_close(host, file);
}

static void call_on_names(struct contract_actor *actor, enum host_volume volume)
{
    struct host *host = actor->host;
    expect(actor, host_make_dir(host, volume, "d") == STATUS_EXISTS);
    expect(actor, host_make_dir(host, volume, "e/f") == STATUS_NOT_FOUND);
    expect(actor, host_sync_dir(host, volume, "d") == STATUS_OK);
    expect(actor, host_sync_dir(host, volume, "e") == STATUS_NOT_FOUND);
    expect(actor, host_rename(host, volume, "d/b", "d/c") == STATUS_NOT_FOUND);
    expect(actor, host_rename(host, volume, "d/a", "d/c") == STATUS_OK);
    expect(actor, host_remove_dir(host, volume, "d") == STATUS_EXISTS);
    expect(actor, host_remove(host, volume, "d/a") == STATUS_NOT_FOUND);
    expect(actor, host_remove(host, volume, "d/c") == STATUS_OK);
    expect(actor, host_remove_dir(host, volume, "d") == STATUS_OK);
    expect(actor, host_remove_dir(host, volume, "d") == STATUS_NOT_FOUND);
}

/* A host may treat what is large in another way. Memory beside that of a read stays as it was. */
static void call_on_large_file(struct contract_actor *actor, enum host_volume volume)
{
    enum { FILE_BYTES = 5 << 20, BESIDE_BYTES = 4096, BESIDE = 0xa5 };
    enum { ALL_BYTES = FILE_BYTES + 2 * BESIDE_BYTES };
    struct host *host = actor->host;
    file_id file;
    size_t got = 0;
    uint8_t *all = arena_alloc_raw(host->arena, ALL_BYTES);
    uint8_t *content = arena_alloc_raw(host->arena, FILE_BYTES);
    for (uint32_t i = 0; i < FILE_BYTES; i++) {
        content[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    }
    (void)memset(all, BESIDE, ALL_BYTES);
    struct bytes written = { .data = content, .size = FILE_BYTES };
    expect(actor, host_file_open(host, volume, "large", HOST_TRUNCATE, &file) == STATUS_OK);
    expect(actor, host_file_write(host, file, 0, written) == STATUS_OK);
    expect(actor, host_file_read(host, file, 0, all + BESIDE_BYTES, FILE_BYTES, &got) == STATUS_OK);
    expect(actor, got == FILE_BYTES && memcmp(all + BESIDE_BYTES, content, FILE_BYTES) == 0);
    bool is_kept = true;
    for (uint32_t i = 0; i < BESIDE_BYTES; i++) {
        is_kept = is_kept && all[i] == BESIDE && all[ALL_BYTES - 1 - i] == BESIDE;
    }
    expect(actor, is_kept);
    host_file_close(host, file);
    expect(actor, host_remove(host, volume, "large") == STATUS_OK);
    arena_free(host->arena, content);
    arena_free(host->arena, all);
}

static void calls_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    call_on_files(actor, HOST_LOCAL);
    call_on_names(actor, HOST_LOCAL);
    call_on_large_file(actor, HOST_LOCAL);
    call_on_files(actor, HOST_SHARED);
    call_on_names(actor, HOST_SHARED);
    call_on_large_file(actor, HOST_SHARED);
    contract_report(actor, STARTED, actor->count);
}

START_TEST(storage_calls_answer_as_they_promise)
{
    contract_start(1, (struct contract_script){ calls_start, NULL, NULL });
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 0, NULL);
    contract_assert(STARTED, 1, (uint64_t[]){ 2 * 28 });
}
END_TEST

static void modes_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    struct host *host = actor->host;
    file_id file;
    write_file(host, HOST_SHARED, "a", "old content", false);
    must(host_file_open(host, HOST_SHARED, "a", HOST_CREATE, &file));
    must(host_file_write(host, file, 0, bytes_of_text("new")));
    host_file_close(host, file);
    contract_report(actor, ANSWER, holds(host, HOST_SHARED, "a", "new content"));
    write_file(host, HOST_SHARED, "b", "other", false);
    must(host_rename(host, HOST_SHARED, "a", "b"));
    contract_report(actor, ANSWER, holds(host, HOST_SHARED, "b", "new content"));
    contract_report(actor, ANSWER, exists(host, HOST_SHARED, "a"));
    write_file(host, HOST_SHARED, "b", "short", false);
    contract_report(actor, ANSWER, holds(host, HOST_SHARED, "b", "short"));
    contract_report(actor, ANSWER, exists(host, HOST_LOCAL, "b")); /* another volume */
}

START_TEST(files_are_kept_emptied_and_replaced)
{
    contract_start(1, (struct contract_script){ modes_start, NULL, NULL });
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 5, (uint64_t[]){ true, true, false, true, false });
}
END_TEST

static void note_name(void *context, const char *name)
{
    contract_report(context, LISTED, (unsigned char)name[0]);
}

static void list_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    static const char *const names[] = { "d/m", "d/b", "d/Z", "d/a", "d/\xc3\xa4" };
    must(host_make_dir(actor->host, HOST_SHARED, "d"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_file(actor->host, HOST_SHARED, names[i], "", false);
    }
    must(host_make_dir(actor->host, HOST_SHARED, "d/c"));
    must(host_list(actor->host, HOST_SHARED, "d", note_name, actor));
    contract_report(actor, ANSWER,
                    host_list(actor->host, HOST_SHARED, "e", note_name, actor) == STATUS_NOT_FOUND);
}

START_TEST(names_are_listed_sorted_by_bytes)
{
    contract_start(1, (struct contract_script){ list_start, NULL, NULL });
    contract_run(1000 * (uint64_t)MS);
    contract_assert(LISTED, 6, (uint64_t[]){ 'Z', 'a', 'b', 'c', 'm', 0xc3 });
    contract_assert(ANSWER, 1, (uint64_t[]){ true });
}
END_TEST

/* Process 0 writes at once, process 1 looks 500 ms later. */
static void volumes_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        write_file(actor->host, HOST_LOCAL, "file", "mine", false);
        write_file(actor->host, HOST_SHARED, "file", "ours", false);
    } else {
        (void)host_timer_set(actor->host, 500 * MS, 0);
    }
}

static void volumes_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    (void)tag;
    contract_report(actor, ANSWER, exists(actor->host, HOST_LOCAL, "file"));
    contract_report(actor, ANSWER, holds(actor->host, HOST_SHARED, "file", "ours"));
}

START_TEST(every_machine_sees_the_shared_volume_and_only_its_own_local_one)
{
    contract_start(2, (struct contract_script){ volumes_start, NULL, volumes_timer });
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 2, (uint64_t[]){ false, true });
}
END_TEST

/* The first incarnation of process 0 leaves files of every durability; the second looks. */
static void durability_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    struct host *host = actor->host;
    if (contract_process(actor) != 0) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        enum host_volume volume = i == 0 ? HOST_LOCAL : HOST_SHARED;
        if (actor_incarnation(host->self) == 1) {
            write_file(host, volume, "synced", "content", true);
            must(host_sync_dir(host, volume, ""));
            write_file(host, volume, "unsynced-name", "content", true);
            file_id file;
            must(host_file_open(host, volume, "synced", HOST_CREATE, &file));
            must(host_file_write(host, file, 0, bytes_of_text("CONTENT")));
            host_file_close(host, file);
        } else {
            contract_report(actor, ANSWER, holds(host, volume, "synced", "content"));
            contract_report(actor, ANSWER, holds(host, volume, "synced", "CONTENT"));
            contract_report(actor, ANSWER, holds(host, volume, "unsynced-name", "content"));
        }
    }
}

/* H4 */
START_TEST(the_crash_of_a_process_loses_nothing_that_was_written)
{
    contract_start(1, (struct contract_script){ durability_start, NULL, NULL });
    contract_run(500 * MS);
    contract.host->crash(contract.cluster, 0, MS);
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 6, (uint64_t[]){ false, true, true, false, true, true });
}
END_TEST

/* H4 */
START_TEST(the_crash_of_a_machine_may_lose_all_that_was_not_synced)
{
    contract_start(1, (struct contract_script){ durability_start, NULL, NULL });
    contract_run(500 * MS);
    contract.host->cut(contract.cluster, 0, MS, DISK_LOSE);
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 6, (uint64_t[]){ true, false, false, true, false, false });
}
END_TEST

/* H4 */
START_TEST(the_crash_of_a_machine_may_keep_all_that_was_not_synced)
{
    contract_start(1, (struct contract_script){ durability_start, NULL, NULL });
    contract_run(500 * MS);
    contract.host->cut(contract.cluster, 0, MS, DISK_KEEP);
    contract_run(1000 * (uint64_t)MS);
    contract_assert(ANSWER, 6, (uint64_t[]){ false, true, true, false, true, true });
}
END_TEST

static void cost_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    uint64_t before_ns = host_now_ns(actor->host);
    write_file(actor->host, HOST_SHARED, "file", "content", true);
    contract_report(actor, CLOCK, host_now_ns(actor->host) > before_ns);
    before_ns = host_now_ns(actor->host);
    host_charge(actor->host, HOST_WORK_RECORDS, 1000);
    host_charge(actor->host, HOST_WORK_SNAPSHOT_BYTES, 1000);
    contract_report(actor, CLOCK, host_now_ns(actor->host) >= before_ns);
}

/* H2 */
START_TEST(storage_takes_time)
{
    contract_start(1, (struct contract_script){ cost_start, NULL, NULL });
    contract_run(1000 * (uint64_t)MS);
    contract_assert(CLOCK, 2, (uint64_t[]){ true, true });
}
END_TEST

/* ---- H3: the black hole ---------------------------------------------------------------------- */

enum { STORAGE_CALLS = 11, HOLE_TAG = 100 };

/* The answers of a process that may be dead: shared with the test. */
static enum status answers[STORAGE_CALLS];
static bool hole_was_left;
static uint64_t reads_after_death;

static void count_name(void *context, const char *name)
{
    (void)name;
    ++*(uint64_t *)context;
}

/* Every kind of storage call once, on a file that is open already. */
static void call_all(struct contract_actor *actor, file_id file)
{
    struct host *host = actor->host;
    uint8_t data[8];
    size_t got = 0;
    uint64_t size = 0;
    file_id other = 0;
    uint64_t names = 0;
    answers[0] = host_file_open(host, HOST_SHARED, "opened", HOST_CREATE, &other);
    answers[1] = host_file_size(host, file, &size);
    answers[2] = host_file_read(host, file, 0, data, sizeof data, &got);
    answers[3] = host_file_write(host, file, 0, bytes_of_text("OVER"));
    answers[4] = host_file_sync(host, file);
    answers[5] = host_rename(host, HOST_SHARED, "from", "to");
    answers[6] = host_remove(host, HOST_SHARED, "removed");
    answers[7] = host_make_dir(host, HOST_SHARED, "made");
    answers[8] = host_remove_dir(host, HOST_SHARED, "gone");
    answers[9] = host_sync_dir(host, HOST_SHARED, "");
    answers[10] = host_list(host, HOST_SHARED, "", count_name, &names);
    reads_after_death = answers[10] == STATUS_HALTED ? names : 0;
    host_file_close(host, file);
}

static void hole_effects(struct contract_actor *actor)
{
    contract_report(actor, ANSWER, 1);
    contract_send(actor, contract_main_of(1), 0, 1);
    struct message *message = host_message_new(actor->host, 100);
    memset(message->data, 1, 100);
    host_message_free(actor->host, message);
    timer_id timer = host_timer_set(actor->host, host_now_ns(actor->host) + MS, 1);
    (void)host_timer_set(actor->host, host_now_ns(actor->host), 2);
    host_timer_cancel(actor->host, timer);
    host_watch(actor->host, contract_main_of(1));
    (void)host_random(actor->host);
    host_charge(actor->host, HOST_WORK_RECORDS, 1);
    actor_id child = host_spawn(actor->host, CHILD, &contract_actor_ops, (struct bytes){ 0 });
    host_stop(actor->host, child);
    actor->count = host_now_ns(actor->host); /* its memory is still there */
    CHECK(arena_alloc(actor->host->arena, 10, 10) != NULL);
    hole_was_left = true;
}

static void hole_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) != 0 || !contract_is_main(actor)) {
        contract_report(actor, STARTED, actor_index(actor->host->self));
        return;
    }
    if (actor_incarnation(actor->host->self) > 1) {
        return;
    }
    struct host *host = actor->host;
    file_id file;
    write_file(host, HOST_SHARED, "file", "content", true);
    write_file(host, HOST_SHARED, "from", "content", true);
    write_file(host, HOST_SHARED, "removed", "content", true);
    must(host_make_dir(host, HOST_SHARED, "gone"));
    must(host_sync_dir(host, HOST_SHARED, ""));
    must(host_file_open(host, HOST_SHARED, "file", HOST_CREATE, &file));
    (void)host_timer_set(host, 500 * MS, HOLE_TAG + file);
}

static void hole_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    if (contract_process(actor) == 1) { /* looks at what the dead one left */
        struct host *host = actor->host;
        contract_report(actor, TIMER, exists(host, HOST_SHARED, "opened"));
        contract_report(actor, TIMER, holds(host, HOST_SHARED, "file", "content"));
        contract_report(actor, TIMER, exists(host, HOST_SHARED, "to"));
        contract_report(actor, TIMER, exists(host, HOST_SHARED, "removed"));
        return;
    }
    if (tag < HOLE_TAG) {
        contract_report(actor, SENT, tag); /* a timer of the dead */
        return;
    }
    call_all(actor, (file_id)(tag - HOLE_TAG));
    hole_effects(actor);
}

static void hole_look(struct contract_actor *actor, struct bytes argument)
{
    hole_start(actor, argument);
    if (contract_process(actor) == 1) {
        (void)host_timer_set(actor->host, 800 * MS, 0);
    }
}

/* Process 0 loses its power at one call, and with it what was not synced. */
static void assert_black_hole(uint64_t call)
{
    contract_start(2, (struct contract_script){ hole_look, contract_note_message, hole_timer });
    contract_run(499 * MS);
    contract.host->cut_at_call(contract.cluster, 0, call, FOR_EVER);
    contract_run(1000 * (uint64_t)MS);
    ck_assert(hole_was_left);
    for (uint64_t i = 1; i <= STORAGE_CALLS; i++) {
        ck_assert_msg((answers[i - 1] == STATUS_HALTED) == (i >= call),
                      "cut at call %llu: call %llu answered %d", (unsigned long long)call,
                      (unsigned long long)i, (int)answers[i - 1]);
    }
    ck_assert_uint_eq(reads_after_death, 0);
    ck_assert_uint_eq(contract_count(ANSWER), 0);                 /* no fact, */
    ck_assert_uint_eq(contract_count(ARRIVED), 0);                /* no message, */
    ck_assert_uint_eq(contract_count(SENT), 0);                   /* no timer */
    contract_assert(STARTED, 1, (uint64_t[]){ HOST_MAIN_ACTOR }); /* and no actor of the dead */
    /* Unsynced effects are lost with the power; those of calls after the death never were. */
    bool synced_data = call > 5;
    bool synced_names = call > 10;
    contract_assert(TIMER, 4,
                    (uint64_t[]){ synced_names, !synced_data, synced_names, !synced_names });
}

START_TEST(a_power_cut_inside_a_storage_call_makes_a_black_hole)
{
    assert_black_hole((uint64_t)_i);
}
END_TEST

static void traced_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    if (contract_process(actor) == 0 && tag >= HOLE_TAG) {
        contract_report(actor, CLOCK, 0); /* the process dies here */
    }
    hole_timer(actor, timer, tag);
}

START_TEST(a_crash_inside_a_reported_fact_makes_a_black_hole)
{
    contract_start(2, (struct contract_script){ hole_look, contract_note_message, traced_timer });
    contract.crash_at = 2; /* process 1 starts; then the timer */
    contract_run(1000 * (uint64_t)MS);
    ck_assert(hole_was_left);
    for (size_t i = 0; i < STORAGE_CALLS; i++) {
        ck_assert_int_eq(answers[i], STATUS_HALTED);
    }
    ck_assert_uint_eq(contract_count(ANSWER) + contract_count(ARRIVED) + contract_count(SENT), 0);
    contract_assert(TIMER, 4, (uint64_t[]){ false, true, false, true });
}
END_TEST

/* ---- a database ------------------------------------------------------------------------------ */

enum { DATABASE_CALLS = 85 }; /* of the storage: a few more than one life makes */

static void database_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    if (contract_process(actor) == 0) {
        (void)host_timer_set(actor->host, 500 * MS, 0);
    }
}

static enum status count_up(struct contract_actor *actor, struct sqlite_database *database)
{
    sqlite3_stmt *total;
    bool has_row;
    enum status status = sqlite_database_run(database, "CREATE TABLE IF NOT EXISTS t(n)");
    if (status == STATUS_OK) {
        status = sqlite_database_prepare(database, "SELECT count(*) FROM t", &total);
    }
    if (status == STATUS_OK) {
        status = sqlite_database_step(database, total, &has_row);
    }
    if (status == STATUS_OK) {
        contract_report(actor, ANSWER, (uint64_t)sqlite3_column_int64(total, 0));
        (void)sqlite3_reset(total);
    }
    for (uint64_t i = 1; i <= 3 && status == STATUS_OK; i++) {
        status = sqlite_database_run(database, "INSERT INTO t VALUES(zeroblob(9000))");
        if (status == STATUS_OK) {
            contract_report(actor, SENT, i);
        }
    }
    return status;
}

/* The database is never closed: what SQLite holds must go with the actor's memory. */
static void database_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    const struct sqlite_database_options options = { .volume = HOST_SHARED,
                                                     .path = "counts.db",
                                                     .durability = DATABASE_DURABLE,
                                                     .page_bytes = 4096,
                                                     .cache_bytes = 1 << 20 };
    struct sqlite_database *database;
    (void)timer;
    (void)tag;
    enum status status = sqlite_database_open(actor->host, &options, &database);
    if (status == STATUS_OK) {
        status = count_up(actor, database);
    }
    ck_assert(status == STATUS_OK || status == STATUS_HALTED);
}

START_TEST(a_database_keeps_what_it_committed_before_a_power_cut)
{
    contract_start(
        2, (struct contract_script){ database_start, contract_note_message, database_timer });
    contract_run(499 * MS);
    contract.host->cut_at_call(contract.cluster, 0, (uint64_t)_i, 100 * MS);
    contract_run(5000 * (uint64_t)MS);
    size_t lives = contract_count(ANSWER);
    size_t commits = contract_count(SENT);
    ck_assert_uint_ge(lives, 1);
    ck_assert_uint_ge(commits, 3);
    const struct contract_entry *last = contract_entry(ANSWER, lives - 1);
    size_t before = commits - 3; /* of the life that was cut */
    ck_assert_uint_ge(last->value, before);
    ck_assert_uint_le(last->value, before + 1); /* one may have been committed and not reported */
}
END_TEST

TCase *contract_storage_tests(const struct contract_host *host)
{
    TCase *tcase = tcase_create("storage");
    tcase_add_checked_fixture(tcase, contract_setup, contract_teardown);
    tcase_add_test(tcase, storage_calls_answer_as_they_promise);
    tcase_add_test(tcase, files_are_kept_emptied_and_replaced);
    tcase_add_test(tcase, names_are_listed_sorted_by_bytes);
    tcase_add_test(tcase, every_machine_sees_the_shared_volume_and_only_its_own_local_one);
    tcase_add_test(tcase, the_crash_of_a_process_loses_nothing_that_was_written);
    tcase_add_test(tcase, storage_takes_time);
    if (!host->apart) {
        tcase_add_test(tcase, a_crash_inside_a_reported_fact_makes_a_black_hole);
    }
    if (host->simulated) {
        tcase_add_test(tcase, the_crash_of_a_machine_may_lose_all_that_was_not_synced);
        tcase_add_test(tcase, the_crash_of_a_machine_may_keep_all_that_was_not_synced);
        tcase_add_loop_test(tcase, a_power_cut_inside_a_storage_call_makes_a_black_hole, 1,
                            STORAGE_CALLS + 1);
        tcase_add_loop_test(tcase, a_database_keeps_what_it_committed_before_a_power_cut, 1,
                            DATABASE_CALLS + 1);
    }
    return tcase;
}
