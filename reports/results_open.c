#include "reports/results_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "reports/results_schema.h"

enum {
    BUSY_TIMEOUT_MS = 60 * 1000, /* how long one writer waits for the others */
    WAL_TRIES = 200,             /* see use_wal */
    WAL_RETRY_MS = 10
};

static const char *const statements_sql[RESULTS_STATEMENT_COUNT] = {
    [INSERT_RUN] =
        "INSERT INTO run (name, path, seed, build, verdict, exit_code, trace_hash, records, tasks,"
        " parallelism, interval_ns, events, simulated_ns, wall_ns, checkpoints_triggered,"
        " checkpoints_completed, checkpoints_failed, recoveries, records_skipped, failure,"
        " scenario_hash, scenario_json)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_CHECKPOINT] =
        "INSERT INTO checkpoint (run_id, checkpoint_id, attempt, fate, reason, triggered_ns,"
        " all_acked_ns, ended_ns, bytes, acks) VALUES (?,?,?,?,?,?,?,?,?,?)",
    [INSERT_TASK_CHECKPOINT] =
        "INSERT INTO task_checkpoint (run_id, checkpoint_id, vertex, subtask, start_delay_ns,"
        " alignment_ns, sync_ns, async_ns, store_wait_ns, bytes, written_bytes, acked_ns)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_RECOVERY] =
        "INSERT INTO recovery (run_id, number, cause, failed_ns, detected_ns, cancelled_ns,"
        " chosen_ns, restored_from, running_ns, caught_up_ns, records_replayed)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_FAULT] = "INSERT INTO fault (run_id, number, text, verb, object, trigger, fired_ns,"
                     " ended_ns, fired_count) VALUES (?,?,?,?,?,?,?,?,?)",
    [INSERT_VIOLATION] = "INSERT INTO violation (run_id, number, property, time_ns, message)"
                         " VALUES (?,?,?,?,?)",
    [INSERT_PROGRESS] = "INSERT OR REPLACE INTO progress (run_id, time_ns, records, lag_ns)"
                        " VALUES (?,?,?,?)",
    [INSERT_SWEEP_CELL] = "INSERT OR REPLACE INTO sweep_cell (sweep, run_id, coordinates)"
                          " VALUES (?,?,?)",
    [DELETE_SWEEP] = "DELETE FROM sweep_cell WHERE sweep = ?",
    [DELETE_COMPARISON] = "DELETE FROM comparison WHERE name = ?",
    [INSERT_COMPARISON] =
        "INSERT OR REPLACE INTO comparison (name, coordinates, quantity, build, tasks,"
        " interval_ns, is_equal, simulated, live, live_kind, live_runs, costs, is_recalibrated)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [QUERY_CONTAIN] = "SELECT id, exit_code FROM run WHERE scenario_hash = ? AND build = ?"
                      " AND scenario_json = ? LIMIT 1",
};

/* ---- errors -----------------------------------------------------------------------------------
 */

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return STATUS_OK;
    case SQLITE_FULL: return STATUS_NO_SPACE;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return STATUS_CORRUPT;
    default: return STATUS_IO;
    }
}

enum status results_fail(const struct results *results, const char *doing, struct buffer *error)
{
    int code = sqlite3_errcode(results->db);
    const char *why = sqlite3_errmsg(results->db);
    switch (code & 0xff) {
    case SQLITE_FULL: why = "the disk is full"; break;
    case SQLITE_NOTADB: why = "it is not a SQLite database"; break;
    case SQLITE_CORRUPT: why = "the database is damaged"; break;
    case SQLITE_BUSY: why = "another process has locked it for a minute"; break;
    case SQLITE_READONLY: why = "it may not be written"; break;
    case SQLITE_CANTOPEN: why = "the file or its folder cannot be opened for writing"; break;
    default: break;
    }
    buffer_append_format(error, "%s: cannot %s: %s", results->path, doing, why);
    enum status status = status_of(code);
    return status == STATUS_OK ? STATUS_IO : status;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

/* Makes every folder above `path` that is missing. */
static enum status make_folders(struct arena *arena, const char *path, struct buffer *error)
{
    char *folder = arena_text(arena, path);
    enum status status = STATUS_OK;
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            /* A folder that exists may refuse for other reasons; opening the file will tell. */
            int why = errno;
            struct stat what;
            if (stat(folder, &what) != 0) {
                buffer_append_format(error, "%s: cannot create the folder %s: %s", path, folder,
                                     strerror(why));
                status = STATUS_IO;
                break;
            }
        }
        *slash = '/';
    }
    arena_free(arena, folder);
    return status;
}

static bool query_i64(struct results *results, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    if (sqlite3_prepare_v2(results->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        *value = sqlite3_column_int64(statement, 0);
        found = true;
    }
    (void)sqlite3_finalize(statement);
    return found;
}

bool results_execute(struct results *results, const char *sql)
{
    return sqlite3_exec(results->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

struct identity {
    int64_t application_id;
    int64_t version;
    int64_t objects; /* tables, indices, views */
};

/* Within a transaction: the answers must be of one moment, while another process may be creating
 * the tables. */
static bool read_identity(struct results *results, struct identity *identity)
{
    CHECK(sqlite3_get_autocommit(results->db) == 0);
    return query_i64(results, "PRAGMA application_id", &identity->application_id) &&
           query_i64(results, "PRAGMA user_version", &identity->version) &&
           query_i64(results, "SELECT count(*) FROM sqlite_master", &identity->objects);
}

static bool look_at_identity(struct results *results, struct identity *identity)
{
    return results_execute(results, "BEGIN") && read_identity(results, identity) &&
           results_execute(results, "COMMIT");
}

static bool is_empty(const struct identity *identity)
{
    return identity->application_id == 0 && identity->version == 0 && identity->objects == 0;
}

/* Refuses what is not ours before anything is written to it. */
static enum status check_identity(const struct results *results, const struct identity *identity,
                                  struct buffer *error)
{
    if (identity->application_id != RESULTS_APPLICATION_ID) {
        buffer_append_format(error, "%s: is a database of another program; name another file",
                             results->path);
        return STATUS_INVALID;
    }
    if (identity->version != RESULTS_SCHEMA_VERSION) {
        buffer_append_format(error,
                             "%s: has results schema %" PRId64 ", this build writes schema %d; "
                             "move the file away or name another",
                             results->path, identity->version, RESULTS_SCHEMA_VERSION);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Changing the journal mode does not wait for other processes as all else does: two campaigns that
 * create the file at the same time meet here. A file system without shared memory keeps its mode;
 * that is slower, not wrong. */
static bool use_wal(struct results *results)
{
    for (int i = 0; i < WAL_TRIES; i++) {
        if (results_execute(results, "PRAGMA journal_mode = WAL")) {
            return true;
        }
        if ((sqlite3_errcode(results->db) & 0xff) != SQLITE_BUSY) {
            return false;
        }
        (void)sqlite3_sleep(WAL_RETRY_MS);
    }
    return false;
}

static bool execute_all(struct results *results, const char *const *statements)
{
    for (size_t i = 0; statements[i] != NULL; i++) {
        if (!results_execute(results, statements[i])) {
            return false;
        }
    }
    return true;
}

static bool set_identity(struct results *results)
{
    char sql[96];
    (void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   RESULTS_APPLICATION_ID, RESULTS_SCHEMA_VERSION);
    return results_execute(results, sql);
}

static bool create_schema(struct results *results)
{
    return execute_all(results, results_schema) && set_identity(results);
}

static bool is_older(const struct identity *identity)
{
    return identity->application_id == RESULTS_APPLICATION_ID && identity->version >= 1 &&
           identity->version < RESULTS_SCHEMA_VERSION;
}

/* A file of an older schema lacks only tables and columns, which are added. */
static bool add_missing(struct results *results, int64_t version)
{
    if (version == 4) {
        return execute_all(results, results_schema_since_4);
    }
    return execute_all(results, version == 1 ? results_schema_since_1 : results_schema_since_3) &&
           (version > 2 || execute_all(results, results_schema_since_2));
}

static bool upgrade(struct results *results, struct identity *identity)
{
    return results_execute(results, "BEGIN IMMEDIATE") && read_identity(results, identity) &&
           (!is_older(identity) ||
            (add_missing(results, identity->version) && set_identity(results) &&
             read_identity(results, identity))) &&
           results_execute(results, "COMMIT");
}

/* Whoever comes first creates the schema; the others find it when the lock is theirs. */
static bool create_if_empty(struct results *results, struct identity *identity)
{
    if (!results_execute(results, "BEGIN IMMEDIATE")) {
        return false;
    }
    return read_identity(results, identity) &&
           (!is_empty(identity) || (create_schema(results) && read_identity(results, identity))) &&
           results_execute(results, "COMMIT");
}

static enum status prepare(struct results *results, struct buffer *error)
{
    struct identity identity = { 0 };
    if (!look_at_identity(results, &identity)) {
        return results_fail(results, "read", error);
    }
    if (sqlite3_db_readonly(results->db, "main") == 1) {
        buffer_append_format(error, "%s: may not be written", results->path);
        return STATUS_IO;
    }
    if (is_empty(&identity) && !(use_wal(results) && create_if_empty(results, &identity))) {
        return results_fail(results, "create the tables", error);
    }
    if (is_older(&identity) && !upgrade(results, &identity)) {
        return results_fail(results, "add tables and columns", error);
    }
    enum status status = check_identity(results, &identity, error);
    if (status != STATUS_OK) {
        return status;
    }
    /* In WAL mode NORMAL loses nothing when the program is killed; only the newest runs, and never
     * the file's integrity, when the machine loses its power. */
    if (!results_execute(results, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")) {
        return results_fail(results, "open", error);
    }
    for (size_t i = 0; i < RESULTS_STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(results->db, statements_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &results->statements[i], NULL) != SQLITE_OK) {
            return results_fail(results, "use the tables", error);
        }
    }
    return STATUS_OK;
}

enum status results_open(struct results **results, struct arena *arena, const char *path,
                         struct buffer *error)
{
    CHECK(path != NULL && path[0] != '\0');
    *results = NULL;
    enum status status = make_folders(arena, path, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct results *opened = arena_alloc(arena, 1, sizeof(*opened));
    opened->path = arena_text(arena, path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, &opened->db, flags, NULL);
    CHECK(opened->db != NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_busy_timeout(opened->db, BUSY_TIMEOUT_MS);
        status = prepare(opened, error);
    } else {
        status = results_fail(opened, "open", error);
    }
    if (status != STATUS_OK) {
        results_close(opened);
        return status;
    }
    *results = opened;
    return STATUS_OK;
}

void results_close(struct results *results)
{
    if (results == NULL) {
        return;
    }
    for (size_t i = 0; i < RESULTS_STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(results->statements[i]);
    }
    int code = sqlite3_close(results->db);
    CHECK(code == SQLITE_OK);
    results->db = NULL;
}
