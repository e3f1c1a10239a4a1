/* Stops a process, or cuts the power of its machine, at every storage call of a database's life,
 * opens the database on what the disk kept, and judges: each transaction that was committed is
 * there, whole, and nothing of any other. The same judge must find the error of variants that lack
 * one of the syncs that a power cut makes necessary. */
#include "model/state/sqlite_database.h"

#include <stdio.h>
#include <string.h>

#include "model/state/sqlite_vfs.h"
#include "tests/support/disk_host.h"
#include "tests/support/runner.h"

enum {
    PAGE_BYTES = 1024,
    CACHE_BYTES = 16 * 1024, /* less than a transaction: pages are written before its end, too */
    TRANSACTIONS = 4,        /* of the first life */
    TRANSACTIONS_AFTER = 1,  /* of a later one */
    KEPT = 2,                /* so many values are kept, older ones deleted */
    VALUE_BYTES_MIN = 300,
    VALUE_BYTES_STEP = 8001,
    TEAR_SEEDS = 2,
    CALLS_MAX = 4000, /* more than any life has */
};

static const char cannot_open[] = "the database does not open";
static const char is_damaged[] = "the database is damaged";
static const char lost[] = "a committed transaction is gone";
static const char unknown[] = "a transaction is there that was not begun";
static const char mixed[] = "the values are those of no transaction";
static const char fails[] = "a call failed without a cause";

/* How the database is opened, and which syncs are left out. */
struct variant {
    const char *pragmas; /* besides the usual ones; NULL: none */
    bool lies_about_files;
    bool lies_about_names;
    bool lies_while_opening; /* settles nothing */
};

struct trial {
    const struct variant *variant;
    struct arena arena;
    struct disk *disk;
    struct prng prng;
    uint64_t begun; /* transactions are numbered from 1 */
    uint64_t committed;
    uint64_t lives;
};

enum scene {
    CRASH,          /* the process dies, another goes on */
    CUT,            /* its machine loses its power */
    CRASH_THEN_CUT, /* it dies; when another machine has seen the database, its own is cut */
    SCENES
};

struct accident {
    enum scene scene;
    uint64_t call;
    bool has_effect;
    enum disk_survival survival;
    uint64_t seed;
    enum status failure; /* the call fails instead, and the process lives on */
};

static enum status lie_about_file(struct host *host, file_id file)
{
    uint64_t size_bytes;
    return host_file_size(host, file, &size_bytes); /* counts as a call, and changes nothing */
}

static void ignore_name(void *context, const char *name)
{
    (void)context;
    (void)name;
}

static enum status lie_about_names(struct host *host, enum host_volume volume, const char *path)
{
    return host_list(host, volume, path, ignore_name, NULL);
}

static enum status open_database(struct trial *trial, struct disk_host *host,
                                 struct sqlite_database **database)
{
    static const struct sqlite_database_options options = { .volume = HOST_SHARED,
                                                            .path = "store.db",
                                                            .durability = DATABASE_DURABLE,
                                                            .page_bytes = PAGE_BYTES,
                                                            .cache_bytes = CACHE_BYTES };
    const struct variant *variant = trial->variant;
    const struct host_ops *honest = host->host.ops;
    struct host_ops *ops = arena_alloc_raw(&host->arena, sizeof *ops);
    *ops = *honest;
    ops->file_sync = variant->lies_about_files ? lie_about_file : ops->file_sync;
    ops->sync_dir = variant->lies_about_names ? lie_about_names : ops->sync_dir;
    struct host_ops *opening = arena_alloc_raw(&host->arena, sizeof *ops);
    *opening = *ops;
    opening->file_sync = variant->lies_while_opening ? lie_about_file : ops->file_sync;
    opening->sync_dir = variant->lies_while_opening ? lie_about_names : ops->sync_dir;
    host->host.ops = opening;
    enum status status = sqlite_database_open(&host->host, &options, database);
    host->host.ops = ops;
    if (status == STATUS_OK && variant->pragmas != NULL) {
        status = sqlite_database_run(*database, variant->pragmas);
        if (status != STATUS_OK) {
            sqlite_database_close(*database);
        }
    }
    return status;
}

/* ---- what a life does ------------------------------------------------------------------------ */

static size_t value_size(uint64_t number)
{
    return VALUE_BYTES_MIN + number * 7 % 4 * VALUE_BYTES_STEP;
}

static void fill(uint8_t *at, uint64_t number)
{
    for (size_t i = 0; i < value_size(number); i++) {
        at[i] = (uint8_t)(i * 7 + i / 256 + number * 31);
    }
}

/* Transaction `number` puts a value, removes an old one, and counts in a row that all share. */
static enum status transact(struct trial *trial, struct sqlite_database *database,
                            sqlite3_stmt *insert)
{
    char sql[128];
    uint8_t value[VALUE_BYTES_MIN + 3 * VALUE_BYTES_STEP];
    uint64_t number = trial->committed + 1;
    trial->begun = number;
    fill(value, number);
    enum status status = sqlite_database_run(database, "BEGIN");
    if (status == STATUS_OK) {
        (void)sqlite3_bind_int64(insert, 1, (sqlite3_int64)number);
        sqlite_bind_bytes(insert, 2, (struct bytes){ value, value_size(number) });
        status = sqlite_database_execute(database, insert);
    }
    if (status == STATUS_OK) {
        (void)snprintf(sql, sizeof sql,
                       "DELETE FROM value WHERE number <= %d; UPDATE total SET number = %d",
                       (int)number - KEPT, (int)number);
        status = sqlite_database_run(database, sql);
    }
    if (status == STATUS_OK) {
        status = sqlite_database_run(database, "COMMIT");
    }
    trial->committed += status == STATUS_OK;
    return status;
}

static enum status work(struct trial *trial, struct sqlite_database *database)
{
    sqlite3_stmt *insert;
    enum status status = sqlite_database_run(
        database, "BEGIN;"
                  "CREATE TABLE IF NOT EXISTS value(number INTEGER PRIMARY KEY, bytes BLOB);"
                  "CREATE TABLE IF NOT EXISTS total(one INTEGER PRIMARY KEY, number INTEGER);"
                  "INSERT OR IGNORE INTO total VALUES(1, 0);"
                  "COMMIT;");
    if (status == STATUS_OK) {
        status = sqlite_database_prepare(database, "INSERT INTO value VALUES(?, ?)", &insert);
    }
    unsigned count = trial->lives == 1 ? TRANSACTIONS : TRANSACTIONS_AFTER;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        status = transact(trial, database, insert);
    }
    return status;
}

/* ---- the judge ------------------------------------------------------------------------------- */

static enum status read_number(struct sqlite_database *database, const char *sql, uint64_t *number)
{
    sqlite3_stmt *statement;
    bool has_row = false;
    *number = 0;
    enum status status = sqlite_database_prepare(database, sql, &statement);
    if (status == STATUS_OK) {
        status = sqlite_database_step(database, statement, &has_row);
        *number = has_row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
        (void)sqlite3_finalize(statement);
    }
    return status;
}

static enum status check_integrity(struct sqlite_database *database, bool *is_sound)
{
    sqlite3_stmt *statement;
    bool has_row = false;
    *is_sound = false;
    enum status status = sqlite_database_prepare(database, "PRAGMA integrity_check", &statement);
    if (status == STATUS_OK) {
        status = sqlite_database_step(database, statement, &has_row);
        *is_sound = has_row && bytes_equal(sqlite_column_bytes(statement, 0), bytes_of_text("ok"));
        (void)sqlite3_finalize(statement);
    }
    return status;
}

/* Are the rows exactly those that `number` transactions leave? */
static enum status check_values(struct sqlite_database *database, uint64_t number, bool *are_right)
{
    uint8_t expected[VALUE_BYTES_MIN + 3 * VALUE_BYTES_STEP];
    sqlite3_stmt *statement;
    bool has_row = true;
    *are_right = true;
    enum status status = sqlite_database_prepare(
        database, "SELECT number, bytes FROM value ORDER BY number", &statement);
    uint64_t next = number > KEPT ? number - KEPT + 1 : 1;
    while (status == STATUS_OK && has_row && *are_right) {
        status = sqlite_database_step(database, statement, &has_row);
        if (status == STATUS_OK && has_row) {
            fill(expected, next);
            *are_right = next <= number && (uint64_t)sqlite3_column_int64(statement, 0) == next &&
                         bytes_equal(sqlite_column_bytes(statement, 1),
                                     (struct bytes){ expected, value_size(next) });
            next++;
        }
    }
    *are_right &= status != STATUS_OK || next == number + 1;
    (void)sqlite3_finalize(statement);
    return status;
}

/* NULL, or what is wrong; `*status` is not OK if the host failed meanwhile. What is seen counts as
 * committed from then on. */
static const char *judge(struct trial *trial, struct sqlite_database *database, enum status *status)
{
    bool is_right;
    uint64_t tables;
    uint64_t number = 0;
    *status = check_integrity(database, &is_right);
    if (*status == STATUS_OK && !is_right) {
        return is_damaged;
    }
    if (*status == STATUS_OK) {
        *status = read_number(database, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (*status == STATUS_OK && tables == 0) {
        return trial->committed > 0 ? lost : NULL;
    }
    if (*status == STATUS_OK) {
        *status = read_number(database, "SELECT number FROM total", &number);
    }
    if (*status == STATUS_OK) {
        *status = check_values(database, number, &is_right);
    }
    if (*status != STATUS_OK) {
        return *status == STATUS_CORRUPT ? is_damaged : NULL;
    }
    if (number < trial->committed) {
        return lost;
    }
    trial->committed = number;
    return number > trial->begun ? unknown : is_right ? NULL : mixed;
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void trial_init(struct trial *trial, const struct variant *variant, uint64_t seed)
{
    *trial = (struct trial){ .variant = variant, .prng = { .state = seed } };
    arena_init(&trial->arena);
    trial->disk = disk_create(&trial->arena);
}

static void trial_free(struct trial *trial)
{
    disk_check(trial->disk);
    disk_destroy(trial->disk);
    ck_assert_uint_eq(trial->arena.live_count, 0);
}

static void start(struct trial *trial, struct disk_host *host, uint32_t client)
{
    disk_host_init(host, trial->disk, client);
    host->random.state = ++trial->lives;
}

/* Opens, judges, works. NULL, or what is wrong; HALTED and a planned failure are not. */
static const char *live(struct trial *trial, struct disk_host *host,
                        struct sqlite_database **database, enum status *status)
{
    const char *wrong = NULL;
    *database = NULL;
    *status = open_database(trial, host, database);
    if (*status == STATUS_OK) {
        wrong = judge(trial, *database, status);
    }
    if (wrong == NULL && *status == STATUS_OK) {
        *status = work(trial, *database);
    }
    return wrong;
}

/* A life that nothing disturbs. */
static const char *live_well(struct trial *trial, struct disk_host *host)
{
    struct sqlite_database *database;
    enum status status;
    const char *wrong = live(trial, host, &database, &status);
    if (wrong == NULL && status != STATUS_OK) {
        wrong = database == NULL ? cannot_open : status == STATUS_CORRUPT ? is_damaged : fails;
    }
    return wrong; /* the database dies with the host's arena */
}

static bool is_expected(const struct accident *accident, enum status status)
{
    return status == STATUS_OK || status == STATUS_HALTED || status == accident->failure;
}

/* Plans the accident at the host's call number `call`. */
static void plan(struct disk_host *host, const struct accident *accident)
{
    if (accident->failure != STATUS_OK) {
        disk_host_fail_at(host, accident->call, accident->failure);
        host->fail_has_effect = accident->has_effect;
    } else {
        disk_host_halt_at(host, accident->call, accident->has_effect);
    }
}

/* One life that ends by the accident, then a second one that goes on; then the power goes, and a
 * third one looks. */
static const char *try_accident(const struct variant *variant, const struct accident *accident,
                                bool *has_happened)
{
    struct trial trial;
    struct disk_host first;
    struct disk_host next;
    struct sqlite_database *database;
    enum status status;
    trial_init(&trial, variant, accident->seed);
    start(&trial, &first, 0);
    plan(&first, accident);
    const char *wrong = live(&trial, &first, &database, &status);
    *has_happened = first.call_count >= accident->call;
    wrong = wrong == NULL && !is_expected(accident, status) ? fails : wrong;
    if (accident->failure != STATUS_OK && database != NULL && status != STATUS_OK) {
        sqlite_database_close(database);
    }
    disk_host_free(&first);
    if (accident->scene == CUT) {
        disk_cut(trial.disk, 0, accident->survival, &trial.prng);
    }
    start(&trial, &next, accident->scene == CRASH_THEN_CUT ? 1 : 0);
    if (wrong == NULL && accident->scene == CRASH_THEN_CUT) {
        status = open_database(&trial, &next, &database);
        wrong = status == STATUS_OK ? judge(&trial, database, &status) : cannot_open;
        disk_cut(trial.disk, 0, accident->survival, &trial.prng);
        if (wrong == NULL && trial.prng.state % 2 == 0) {
            wrong = work(&trial, database) == STATUS_OK ? NULL : fails;
        }
    } else if (wrong == NULL) {
        wrong = live_well(&trial, &next);
    }
    disk_host_cut(&next, accident->survival, &trial.prng);
    start(&trial, &next, 2);
    wrong = wrong == NULL ? live_well(&trial, &next) : wrong;
    disk_host_free(&next);
    trial_free(&trial);
    return wrong;
}

/* The accident at call `first`, `first` + `step` ... until a life has no more calls. */
static const char *try_all_calls(const struct variant *variant, struct accident *accident,
                                 uint64_t first, uint64_t step)
{
    bool has_happened = true;
    for (accident->call = first; has_happened; accident->call += step) {
        ck_assert_uint_lt(accident->call, CALLS_MAX);
        const char *wrong = try_accident(variant, accident, &has_happened);
        if (wrong != NULL) {
            return wrong;
        }
    }
    ck_assert_uint_gt(accident->call, 40);
    return NULL;
}

static const char *try_everything(const struct variant *variant, struct accident *accident,
                                  uint64_t step)
{
    for (unsigned scene = 0; scene < SCENES; scene++) {
        for (unsigned seed = 0; seed < 2 + TEAR_SEEDS; seed++) {
            if (scene == CRASH && seed > 2) {
                continue; /* there the seed matters only at the end */
            }
            /* A process that stops before a call learns how the last one ended: the harder case. */
            *accident = (struct accident){ .scene = (enum scene)scene, .seed = seed };
            accident->has_effect = scene == CUT && seed % 2 == 1;
            accident->survival = seed == 0 ? DISK_KEEP : seed == 1 ? DISK_LOSE : DISK_TEAR;
            /* The worst that can happen to what is not synced, happens at each call. The other
             * fates share the calls out. */
            bool is_lost = accident->survival == DISK_LOSE && scene != CRASH;
            const char *wrong = is_lost ? try_all_calls(variant, accident, 1, step)
                                        : try_all_calls(variant, accident, 1 + seed, 3 * step);
            if (wrong != NULL) {
                return wrong;
            }
        }
    }
    return NULL;
}

static void assert_safe(const struct variant *variant, uint64_t step)
{
    struct accident accident;
    const char *wrong = try_everything(variant, &accident, step);
    ck_assert_msg(wrong == NULL, "%s: scene %d, call %d, effect %d, survival %d, seed %d", wrong,
                  (int)accident.scene, (int)accident.call, accident.has_effect,
                  (int)accident.survival, (int)accident.seed);
}

static void assert_caught(const struct variant *variant)
{
    struct accident accident;
    const char *wrong = try_everything(variant, &accident, 1);
    ck_assert_msg(wrong != NULL && wrong != fails, "found: %s", wrong != NULL ? wrong : "nothing");
}

static const struct variant usual = { 0 };

START_TEST(no_crash_and_no_cut_loses_a_transaction)
{
    assert_safe(&usual, 1);
}
END_TEST

START_TEST(no_crash_and_no_cut_loses_a_transaction_in_other_journal_modes)
{
    static const struct variant variants[] = {
        { .pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "PRAGMA wal_autocheckpoint=20" },
        { .pragmas = "PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=DELETE;"
                     "SELECT count(*) FROM sqlite_schema" },
        { .pragmas = "PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=TRUNCATE;"
                     "SELECT count(*) FROM sqlite_schema" },
    };
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        assert_safe(&variants[i], 5);
    }
}
END_TEST

/* A second accident at a call of the life that recovers from the first. */
static const char *try_two(uint64_t call, uint64_t again, enum disk_survival survival,
                           bool *has_happened)
{
    struct trial trial;
    struct disk_host host;
    struct sqlite_database *database;
    enum status status;
    const char *wrong = NULL;
    const uint64_t calls[] = { call, again };
    trial_init(&trial, &usual, call * 1000 + again);
    for (unsigned i = 0; i < 2 && wrong == NULL; i++) {
        start(&trial, &host, 0);
        disk_host_halt_at(&host, calls[i], true);
        wrong = live(&trial, &host, &database, &status);
        has_happened[i] = host.is_halted;
        disk_host_cut(&host, survival, &trial.prng);
    }
    start(&trial, &host, 0);
    wrong = wrong == NULL ? live_well(&trial, &host) : wrong;
    disk_host_free(&host);
    trial_free(&trial);
    return wrong;
}

START_TEST(no_cut_of_a_recovery_loses_a_transaction)
{
    enum { RECOVERY_CALLS = 80 };
    bool has_happened[2] = { true, true };
    for (uint64_t call = 5; has_happened[0]; call += 23) {
        for (uint64_t again = 1; again < RECOVERY_CALLS; again++) {
            const char *wrong =
                try_two(call, again, again % 2 == 0 ? DISK_LOSE : DISK_TEAR, has_happened);
            ck_assert_msg(wrong == NULL, "%s: calls %d and %d", wrong, (int)call, (int)again);
        }
    }
}
END_TEST

START_TEST(a_failing_call_is_answered_and_breaks_nothing)
{
    static const struct accident accidents[] = {
        { .failure = STATUS_NO_SPACE },
        { .failure = STATUS_IO },
        { .failure = STATUS_IO, .has_effect = true },
    };
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        struct accident accident = accidents[i];
        accident.scene = i % 2 == 0 ? CRASH : CUT;
        accident.survival = DISK_LOSE;
        const char *wrong = try_all_calls(&usual, &accident, 1, 1);
        ck_assert_msg(wrong == NULL, "%s: call %d fails with %s, effect %d", wrong,
                      (int)accident.call, status_text(accident.failure), accident.has_effect);
    }
}
END_TEST

START_TEST(a_missing_sync_of_files_is_caught)
{
    assert_caught(&(struct variant){ .lies_about_files = true });
}
END_TEST

START_TEST(a_missing_sync_of_names_is_caught)
{
    assert_caught(&(struct variant){ .lies_about_names = true });
}
END_TEST

START_TEST(opening_without_making_durable_what_is_found_is_caught)
{
    assert_caught(&(struct variant){ .lies_while_opening = true });
}
END_TEST

START_TEST(a_journal_that_is_deleted_without_a_sync_is_caught)
{
    assert_caught(&(struct variant){ .pragmas = "PRAGMA locking_mode=NORMAL;"
                                                "PRAGMA journal_mode=DELETE;"
                                                "PRAGMA synchronous=FULL;"
                                                "SELECT count(*) FROM sqlite_schema" });
}
END_TEST

START_TEST(a_log_that_is_not_synced_at_each_commit_is_caught)
{
    assert_caught(&(struct variant){ .pragmas = "PRAGMA journal_mode=WAL;"
                                                "PRAGMA synchronous=NORMAL" });
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("sqlite crashes");
    TCase *tests = tcase_create("accidents");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, no_crash_and_no_cut_loses_a_transaction);
    tcase_add_test(tests, no_crash_and_no_cut_loses_a_transaction_in_other_journal_modes);
    tcase_add_test(tests, no_cut_of_a_recovery_loses_a_transaction);
    tcase_add_test(tests, a_failing_call_is_answered_and_breaks_nothing);
    tcase_add_test(tests, a_missing_sync_of_files_is_caught);
    tcase_add_test(tests, a_missing_sync_of_names_is_caught);
    tcase_add_test(tests, opening_without_making_durable_what_is_found_is_caught);
    tcase_add_test(tests, a_journal_that_is_deleted_without_a_sync_is_caught);
    tcase_add_test(tests, a_log_that_is_not_synced_at_each_commit_is_caught);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
