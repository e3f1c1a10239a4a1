#include "model/state/sqlite_vfs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "model/state/sqlite_database.h"
#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

static struct arena arena; /* of the world */
static struct disk *disk;
static struct disk_host host;

static void setup(void)
{
    arena_init(&arena);
    disk = disk_create(&arena);
    disk_host_init(&host, disk, 0);
}

/* Under the address sanitizer what SQLite still holds is reported as a leak. */
static void teardown(void)
{
    disk_host_free(&host);
    disk_check(disk);
    disk_destroy(disk);
    ck_assert_ptr_null(arena.blocks);
}

static void restart(uint32_t client)
{
    disk_host_free(&host);
    disk_host_init(&host, disk, client);
}

static const struct sqlite_database_options durable = { .volume = HOST_SHARED,
                                                        .path = "store.db",
                                                        .durability = DATABASE_DURABLE,
                                                        .page_bytes = 4096,
                                                        .cache_bytes = 1 << 20 };

static const struct sqlite_database_options disposable = { .volume = HOST_LOCAL,
                                                           .path = "state.db",
                                                           .durability = DATABASE_DISPOSABLE,
                                                           .page_bytes = 4096,
                                                           .cache_bytes = 1 << 20 };

static struct sqlite_database *open_database(const struct sqlite_database_options *options)
{
    struct sqlite_database *database;
    ck_assert_int_eq(sqlite_database_open(&host.host, options, &database), STATUS_OK);
    return database;
}

static void run(struct sqlite_database *database, const char *sql)
{
    ck_assert_msg(sqlite_database_run(database, sql) == STATUS_OK, "%s", sql);
}

static sqlite3_stmt *prepare(struct sqlite_database *database, const char *sql)
{
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite_database_prepare(database, sql, &statement), STATUS_OK);
    return statement;
}

/* The first column of the only row of `sql` is `expected`. */
static void expect(struct sqlite_database *database, const char *sql, const char *expected)
{
    bool has_row;
    sqlite3_stmt *statement = prepare(database, sql);
    ck_assert_int_eq(sqlite_database_step(database, statement, &has_row), STATUS_OK);
    ck_assert_msg(has_row, "no row: %s", sql);
    struct bytes got = sqlite_column_bytes(statement, 0);
    ck_assert_msg(bytes_equal(got, bytes_of_text(expected)), "%s: %.*s instead of %s", sql,
                  (int)got.size, (const char *)got.data, expected);
    ck_assert_int_eq(sqlite_database_step(database, statement, &has_row), STATUS_OK);
    ck_assert(!has_row);
}

static void expect_sound(struct sqlite_database *database)
{
    expect(database, "PRAGMA integrity_check", "ok");
}

static bool is_there(const char *path)
{
    struct bytes content;
    return disk_peek(disk, path, &content);
}

START_TEST(what_was_written_is_there_after_closing_and_opening)
{
    struct sqlite_database *database = open_database(&durable);
    run(database, "CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT); CREATE INDEX i ON t(v);");
    run(database, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<5000) "
                  "INSERT INTO t SELECT x, 'value ' || (x * 7919 % 5000) FROM n;");
    run(database, "DELETE FROM t WHERE k % 3 = 0; UPDATE t SET v = 'even' WHERE k % 2 = 0;");
    expect_sound(database);
    sqlite_database_close(database);
    ck_assert(is_there("store.db"));
    database = open_database(&durable);
    expect_sound(database);
    expect(database, "SELECT count(*) FROM t", "3334");
    expect(database, "SELECT v FROM t WHERE k = 7", "value 433");
    expect(database, "SELECT count(*) FROM t WHERE v = 'even'", "1667");
    expect(database, "SELECT v FROM t ORDER BY v DESC, random() LIMIT 1", "value 999");
    sqlite_database_close(database);
}
END_TEST

static void fill(uint8_t *at, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(i * 31 + i / 251 + seed);
    }
}

START_TEST(large_values_come_back_whole)
{
    enum { SIZE = 5 * 1024 * 1024 + 17 };
    struct sqlite_database *database = open_database(&durable);
    uint8_t *blob = arena_alloc_raw(&arena, SIZE);
    bool has_row;
    run(database, "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)");
    sqlite3_stmt *insert = prepare(database, "INSERT INTO t(v) VALUES(?)");
    for (unsigned i = 0; i < 3; i++) {
        fill(blob, SIZE, i);
        sqlite_bind_bytes(insert, 1, (struct bytes){ blob, i == 2 ? 0 : SIZE });
        ck_assert_int_eq(sqlite_database_execute(database, insert), STATUS_OK);
    }
    sqlite_database_close(database);
    database = open_database(&durable);
    sqlite3_stmt *select = prepare(database, "SELECT v FROM t ORDER BY k");
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(sqlite_database_step(database, select, &has_row), STATUS_OK);
        fill(blob, SIZE, i);
        struct bytes got = sqlite_column_bytes(select, 0);
        ck_assert(bytes_equal(got, (struct bytes){ blob, i == 2 ? 0 : SIZE }));
        ck_assert_ptr_nonnull(got.data);
    }
    arena_free(&arena, blob);
    sqlite_database_close(database);
}
END_TEST

START_TEST(a_transaction_that_was_rolled_back_left_nothing)
{
    struct sqlite_database *database = open_database(&durable);
    /* The first transaction of all: the file was empty before it. */
    run(database, "PRAGMA cache_size=2; BEGIN; CREATE TABLE early(v);"
                  "INSERT INTO early VALUES(zeroblob(500000)); ROLLBACK;");
    expect(database, "SELECT count(*) FROM sqlite_schema", "0");
    run(database, "CREATE TABLE t(v); INSERT INTO t VALUES(zeroblob(30000));");
    /* The cache is too small for it, so it is in the file before it is rolled back. */
    run(database, "BEGIN; INSERT INTO t VALUES(zeroblob(700000)); DELETE FROM t WHERE rowid = 1;"
                  "ROLLBACK;");
    expect_sound(database);
    expect(database, "SELECT group_concat(length(v)) FROM t", "30000");
    run(database, "INSERT INTO t VALUES(zeroblob(100000));");
    sqlite_database_close(database);
    database = open_database(&durable);
    expect_sound(database);
    expect(database, "SELECT group_concat(length(v)) FROM t", "30000,100000");
    sqlite_database_close(database);
}
END_TEST

START_TEST(every_journal_mode_of_one_connection_works)
{
    static const char *const modes[] = { "DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL" };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char sql[64];
        struct sqlite_database *database = open_database(&durable);
        (void)snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", modes[i]);
        run(database, "PRAGMA locking_mode=NORMAL; SELECT 1 FROM sqlite_schema");
        run(database, "PRAGMA locking_mode=EXCLUSIVE; SELECT 1 FROM sqlite_schema");
        run(database, sql);
        run(database, "CREATE TABLE IF NOT EXISTS t(v); INSERT INTO t VALUES(zeroblob(20000))");
        expect_sound(database);
        sqlite_database_close(database);
    }
    struct sqlite_database *database = open_database(&durable);
    expect(database, "SELECT count(*) FROM t", "5");
    sqlite_database_close(database);
}
END_TEST

START_TEST(a_disposable_database_is_empty_when_it_is_opened)
{
    struct sqlite_database *database = open_database(&disposable);
    run(database, "CREATE TABLE t(v); INSERT INTO t VALUES(1)");
    restart(0); /* without closing it */
    database = open_database(&disposable);
    expect(database, "SELECT count(*) FROM sqlite_schema", "0");
    run(database, "CREATE TABLE t(v); INSERT INTO t VALUES(1)");
    sqlite_database_close(database);
    ck_assert(!is_there("state.db-journal"));
}
END_TEST

START_TEST(several_databases_of_one_actor_do_not_meet)
{
    struct sqlite_database_options other = durable;
    other.path = "other.db";
    struct sqlite_database *a = open_database(&durable);
    struct sqlite_database *b = open_database(&other);
    run(a, "BEGIN; CREATE TABLE a(v)");
    run(b, "BEGIN; CREATE TABLE b(v)");
    run(a, "COMMIT");
    run(b, "COMMIT");
    expect(a, "SELECT name FROM sqlite_schema", "a");
    expect(b, "SELECT name FROM sqlite_schema", "b");
    sqlite_database_close(a);
    expect_sound(b);
    sqlite_database_close(b);
}
END_TEST

START_TEST(the_memory_of_sqlite_goes_with_the_arena)
{
    sqlite3_int64 before = sqlite3_memory_used();
    struct sqlite_database *database = open_database(&durable);
    bool has_row;
    run(database, "CREATE TABLE t(v); INSERT INTO t VALUES(1), (2)");
    sqlite3_stmt *reading = prepare(database, "SELECT v FROM t");
    ck_assert_int_eq(sqlite_database_step(database, reading, &has_row), STATUS_OK);
    run(database, "BEGIN; INSERT INTO t VALUES(3)");
    ck_assert_int_gt(sqlite3_memory_used(), before);
    restart(0);
    ck_assert_int_eq(sqlite3_memory_used(), before);
    database = open_database(&durable);
    expect(database, "SELECT count(*) FROM t", "2");
}
END_TEST

START_TEST(no_vfs_stays_in_the_list_of_sqlite)
{
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    struct sqlite_database *database = open_database(&durable);
    ck_assert_ptr_eq(sqlite3_vfs_find(NULL), usual);
    for (const sqlite3_vfs *vfs = usual; vfs != NULL; vfs = vfs->pNext) {
        ck_assert_ptr_null(strstr(vfs->zName, "host"));
    }
    sqlite_database_close(database);
}
END_TEST

/* Runs a few transactions and answers a copy of all that is on the disk. */
static struct bytes everything_on_disk(uint64_t seed)
{
    struct bytes content;
    struct buffer all;
    buffer_init(&all, &arena);
    restart(0);
    ck_assert_int_ne(host_remove(&host.host, HOST_SHARED, "store.db"), STATUS_HALTED);
    ck_assert_int_ne(host_remove(&host.host, HOST_SHARED, "store.db-wal"), STATUS_HALTED);
    host.random.state = seed;
    struct sqlite_database *database = open_database(&durable);
    run(database, "PRAGMA journal_mode=WAL; CREATE TABLE t(v); INSERT INTO t VALUES(random())");
    run(database, "INSERT INTO t SELECT julianday() FROM t");
    ck_assert(disk_peek(disk, "store.db", &content));
    buffer_append(&all, content);
    ck_assert(disk_peek(disk, "store.db-wal", &content));
    buffer_append(&all, content);
    return buffer_bytes(&all);
}

START_TEST(the_bytes_on_disk_depend_on_the_host_alone)
{
    struct bytes first = everything_on_disk(1);
    struct bytes second = everything_on_disk(1);
    struct bytes other = everything_on_disk(2);
    ck_assert(bytes_equal(first, second));
    ck_assert(!bytes_equal(first, other));
    arena_free(&arena, (void *)(uintptr_t)first.data);
    arena_free(&arena, (void *)(uintptr_t)second.data);
    arena_free(&arena, (void *)(uintptr_t)other.data);
}
END_TEST

START_TEST(what_fails_answers_why)
{
    struct sqlite_database_options options = durable;
    struct sqlite_database *database;
    options.path = "nowhere/store.db";
    ck_assert_int_eq(sqlite_database_open(&host.host, &options, &database), STATUS_NOT_FOUND);
    options.durability = DATABASE_DISPOSABLE;
    ck_assert_int_eq(sqlite_database_open(&host.host, &options, &database), STATUS_NOT_FOUND);

    disk_add_input(disk, "noise.db",
                   bytes_of_text("This is no database, and long enough that "
                                 "SQLite looks at its header: it has more than "
                                 "one hundred bytes in it."));
    options = durable;
    options.path = "noise.db";
    ck_assert_int_eq(sqlite_database_open(&host.host, &options, &database), STATUS_CORRUPT);

    database = open_database(&durable);
    run(database, "CREATE TABLE t(v UNIQUE); INSERT INTO t VALUES(1)");
    ck_assert_int_eq(sqlite_database_run(database, "INSERT INTO t VALUES(1)"), STATUS_EXISTS);
    run(database, "INSERT INTO t VALUES(2)");
    disk_host_fail_at(&host, 1, STATUS_NO_SPACE);
    ck_assert_int_eq(sqlite_database_run(database, "INSERT INTO t VALUES(3)"), STATUS_NO_SPACE);
    sqlite_database_close(database);
    database = open_database(&durable);
    disk_host_fail_at(&host, 2, STATUS_IO);
    ck_assert_int_eq(sqlite_database_run(database, "INSERT INTO t VALUES(4)"), STATUS_IO);
    sqlite_database_close(database);
    database = open_database(&durable);
    expect(database, "SELECT group_concat(v) FROM t", "1,2");
    disk_host_halt_at(&host, 2, true);
    ck_assert_int_eq(sqlite_database_run(database, "INSERT INTO t VALUES(5)"), STATUS_HALTED);
    ck_assert_int_eq(sqlite_database_run(database, "SELECT 1"), STATUS_HALTED);
    uint64_t calls = host.call_count;
    sqlite_database_close(database);
    ck_assert_uint_eq(host.call_count, calls);
}
END_TEST

START_TEST(damaged_pages_are_found)
{
    struct sqlite_database *database = open_database(&durable);
    run(database, "CREATE TABLE t(v); INSERT INTO t VALUES(zeroblob(100000))");
    sqlite_database_close(database);
    /* The pointer from the table's first overflow page to the next. */
    ck_assert(disk_corrupt(disk, "store.db", 2 * 4096 * 8 + 5));
    database = open_database(&durable);
    ck_assert_int_eq(sqlite_database_run(database, "SELECT sum(length(hex(v))) FROM t"),
                     STATUS_CORRUPT);
    sqlite_database_close(database);
    ck_assert(disk_truncate(disk, "store.db", 50000));
    ck_assert_int_eq(sqlite_database_open(&host.host, &durable, &database), STATUS_CORRUPT);
}
END_TEST

START_TEST(an_abandoned_vfs_calls_nobody)
{
    struct sqlite_vfs *vfs = arena_alloc(&arena, 1, sizeof *vfs);
    sqlite3 *db;
    sqlite_vfs_init(vfs, &host.host, HOST_LOCAL);
    ck_assert_int_eq(sqlite_vfs_connect(vfs, "a.db", &db), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_exec(db, "CREATE TABLE t(v); BEGIN; INSERT INTO t VALUES(1)", NULL, NULL, NULL),
        SQLITE_OK);
    vfs->host = NULL; /* any call would crash */
    sqlite_vfs_abandon(vfs);
    ck_assert_int_eq(sqlite_vfs_status(vfs), STATUS_HALTED);
    sqlite_vfs_forget(vfs);
    ck_assert_int_eq(sqlite_vfs_status(vfs), STATUS_HALTED);
    ck_assert_int_ne(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    arena_free(&arena, vfs);
}
END_TEST

static uint64_t two_seconds(struct host *base)
{
    (void)base;
    return UINT64_C(2000000000);
}

START_TEST(the_clock_is_that_of_the_host)
{
    struct host_ops ops = *host.host.ops;
    ops.now_ns = two_seconds;
    host.host.ops = &ops;
    struct sqlite_database *database = open_database(&durable);
    expect(database, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "1970-01-01 00:00:02.000");
    sqlite_database_close(database);
}
END_TEST

/* A file of a VFS, opened without SQLite. */
static struct sqlite_vfs bare;
static uint64_t bare_memory[128];
static sqlite3_file *const bare_file = (sqlite3_file *)(void *)bare_memory;

static int open_bare(const char *path, int flags)
{
    ck_assert_int_le(bare.base.szOsFile, (int)sizeof bare_memory);
    return bare.base.xOpen(&bare.base, path, bare_file, flags, NULL);
}

START_TEST(files_answer_as_sqlite_expects)
{
    const int create = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    char data[8];
    sqlite3_int64 size;
    sqlite_vfs_init(&bare, &host.host, HOST_SHARED);
    ck_assert_int_eq(open_bare("f", SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL), SQLITE_CANTOPEN);
    ck_assert_ptr_null(bare_file->pMethods);
    ck_assert(!is_there("f"));
    ck_assert_int_eq(open_bare("f", SQLITE_OPEN_READONLY | SQLITE_OPEN_WAL), SQLITE_CANTOPEN);
    ck_assert_int_eq(open_bare(NULL, create), SQLITE_CANTOPEN);
    ck_assert_int_eq(sqlite_vfs_status(&bare), STATUS_OK);
    ck_assert_int_eq(open_bare("f", create), SQLITE_OK);
    const sqlite3_io_methods *methods = bare_file->pMethods;
    ck_assert_int_eq(methods->xWrite(bare_file, "abcdef", 6, 2), SQLITE_OK);
    ck_assert_int_eq(methods->xFileSize(bare_file, &size), SQLITE_OK);
    ck_assert_int_eq((int)size, 8);
    memset(data, 'x', sizeof data);
    ck_assert_int_eq(methods->xRead(bare_file, data, 8, 0), SQLITE_OK);
    ck_assert_mem_eq(data, "\0\0abcdef", 8);
    ck_assert_int_eq(methods->xRead(bare_file, data, 8, 5), SQLITE_IOERR_SHORT_READ);
    ck_assert_mem_eq(data, "def\0\0\0\0\0", 8);
    ck_assert_int_eq(methods->xTruncate(bare_file, 0), SQLITE_OK);
    ck_assert_int_eq(methods->xFileSize(bare_file, &size), SQLITE_OK);
    ck_assert_int_eq((int)size, 0);
    ck_assert_ptr_nonnull(host.files[0]);
    ck_assert_ptr_null(host.files[1]);
    ck_assert_int_eq(methods->xClose(bare_file), SQLITE_OK);
    ck_assert_ptr_null(host.files[0]);
}
END_TEST

START_TEST(names_answer_as_sqlite_expects)
{
    int is_found;
    file_id id;
    sqlite_vfs_init(&bare, &host.host, HOST_SHARED);
    ck_assert_int_eq(bare.base.xDelete(&bare.base, "f", 0), SQLITE_IOERR_DELETE_NOENT);
    ck_assert_int_eq(bare.base.xAccess(&bare.base, "f", SQLITE_ACCESS_EXISTS, &is_found),
                     SQLITE_OK);
    ck_assert_int_eq(is_found, 0);
    ck_assert_int_eq(host_file_open(&host.host, HOST_SHARED, "f", HOST_CREATE, &id), STATUS_OK);
    ck_assert_int_eq(bare.base.xAccess(&bare.base, "f", SQLITE_ACCESS_EXISTS, &is_found),
                     SQLITE_OK);
    ck_assert_int_eq(is_found, 0); /* empty */
    ck_assert_int_eq(host_file_write(&host.host, id, 0, bytes_of_text("x")), STATUS_OK);
    ck_assert_int_eq(bare.base.xAccess(&bare.base, "f", SQLITE_ACCESS_EXISTS, &is_found),
                     SQLITE_OK);
    ck_assert_int_eq(is_found, 1);
    ck_assert_int_eq(bare.base.xDelete(&bare.base, "f", 1), SQLITE_OK);
    ck_assert(!is_there("f"));
}
END_TEST

START_TEST(every_failure_has_its_code)
{
    static const struct {
        enum status status;
        int write_code;
    } cases[] = { { STATUS_IO, SQLITE_IOERR_WRITE }, { STATUS_NO_SPACE, SQLITE_FULL } };
    const int create = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    char data[1];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum status status = cases[i].status;
        sqlite_vfs_init(&bare, &host.host, HOST_SHARED);
        disk_host_fail_at(&host, 1, status);
        ck_assert_int_ne(open_bare("f", create), SQLITE_OK);
        ck_assert_int_eq(sqlite_vfs_status(&bare), status);
        sqlite_vfs_forget(&bare);
        ck_assert_int_eq(sqlite_vfs_status(&bare), STATUS_OK);
        ck_assert_int_eq(open_bare("f", create), SQLITE_OK);
        const sqlite3_io_methods *methods = bare_file->pMethods;
        disk_host_fail_at(&host, 1, status);
        ck_assert_int_eq(methods->xWrite(bare_file, "a", 1, 0), cases[i].write_code);
        disk_host_fail_at(&host, 1, STATUS_IO);
        ck_assert_int_eq(methods->xSync(bare_file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        disk_host_fail_at(&host, 2, STATUS_IO);
        ck_assert_int_eq(methods->xSync(bare_file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        ck_assert_int_eq(methods->xWrite(bare_file, "a", 1, 0), SQLITE_OK);
        disk_host_fail_at(&host, 1, STATUS_IO);
        ck_assert_int_eq(methods->xRead(bare_file, data, 1, 0), SQLITE_IOERR_READ);
        ck_assert_int_eq(sqlite_vfs_status(&bare), status); /* the first one */
        ck_assert_int_eq(methods->xClose(bare_file), SQLITE_OK);
    }
}
END_TEST

START_TEST(sql_that_does_not_compile_trips_a_check)
{
    struct sqlite_database *database = open_database(&disposable);
    (void)(sqlite_database_run(database, "SELECT nothing FROM nowhere") == STATUS_OK);
}
END_TEST

START_TEST(a_table_that_a_durable_database_lacks_is_damage)
{
    struct sqlite_database *database = open_database(&durable);
    ck_assert_int_eq(sqlite_database_run(database, "SELECT nothing FROM nowhere"), STATUS_CORRUPT);
    sqlite_database_close(database);
}
END_TEST

static Suite *suite(void)
{
    TCase *tests = tcase_create("sqlite_vfs");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, what_was_written_is_there_after_closing_and_opening);
    tcase_add_test(tests, large_values_come_back_whole);
    tcase_add_test(tests, a_transaction_that_was_rolled_back_left_nothing);
    tcase_add_test(tests, every_journal_mode_of_one_connection_works);
    tcase_add_test(tests, a_disposable_database_is_empty_when_it_is_opened);
    tcase_add_test(tests, several_databases_of_one_actor_do_not_meet);
    tcase_add_test(tests, the_memory_of_sqlite_goes_with_the_arena);
    tcase_add_test(tests, no_vfs_stays_in_the_list_of_sqlite);
    tcase_add_test(tests, the_bytes_on_disk_depend_on_the_host_alone);
    tcase_add_test(tests, what_fails_answers_why);
    tcase_add_test(tests, damaged_pages_are_found);
    tcase_add_test(tests, an_abandoned_vfs_calls_nobody);
    tcase_add_test(tests, the_clock_is_that_of_the_host);
    tcase_add_test(tests, files_answer_as_sqlite_expects);
    tcase_add_test(tests, names_answer_as_sqlite_expects);
    tcase_add_test(tests, every_failure_has_its_code);
    tcase_add_test(tests, a_table_that_a_durable_database_lacks_is_damage);
    tcase_add_test_raise_signal(tests, sql_that_does_not_compile_trips_a_check, SIGABRT);
    Suite *all = suite_create("sqlite_vfs");
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
