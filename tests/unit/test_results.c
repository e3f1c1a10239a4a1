#include "reports/results.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/results_schema.h"
#include "tests/support/facts.h"
#include "tests/support/folder.h"
#include "tests/support/runner.h"

enum { NOBODY = 65534 };

struct world {
    struct arena arena;
    struct buffer error;
    struct folder folder;
    char path[128];
    struct summary summary;
};

static const struct results_run run_example = {
    .name = "crash",
    .path = "scenarios/crash.json",
    .seed = 42,
    .build = "build-1",
    .verdict = "pass",
    .exit_code = 0,
    .trace_hash = UINT64_C(0x00ab12),
    .records = 1000,
    .tasks = 4,
    .parallelism = 2,
    .interval_ns = 500,
    .events = 12345,
    .simulated_ns = 900,
    .wall_ns = 77,
    .scenario_json = "{\"name\": \"crash\"}",
};

static const struct results_fault faults_example[] = {
    { "crash job_manager at 6 s", "crash", "job_manager", "6s", 600, 650, 1 },
    { "pause task_manager[1] at 9 s", "pause", "task_manager[1]", "9s", 0, 0, 0 },
};

static const struct results_violation violations_example[] = {
    { "output", 801, "line 3 is there twice" },
};

static void hear(struct world *world, struct fact_event event)
{
    summary_on_fact(&world->summary, &event);
}

/* One completed checkpoint with one row, one given up, and one recovery. */
static void fill_summary(struct world *world)
{
    summary_init(&world->summary, &world->arena, 2, 2);
    hear(world, fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 1));
    hear(world, fact_values(fact_of_part(130, FACT_TASK_ALIGNED, 1, 1, 0), 20, 10));
    hear(world, fact_values(fact_of_part(176, FACT_TASK_ACKED, 1, 1, 0), 950, 30));
    hear(world, fact_of_checkpoint(180, FACT_CHECKPOINT_ALL_ACKED, 1));
    hear(world, fact_values(fact_of_checkpoint(200, FACT_CHECKPOINT_COMPLETED, 1), 1000, 100));
    hear(world, fact_of_checkpoint(300, FACT_CHECKPOINT_TRIGGERED, 2));
    hear(world, fact_text(fact_of_checkpoint(350, FACT_CHECKPOINT_ABORTED, 2), "expired"));
    summary_on_fault(&world->summary, 360, 360, "crash task_manager[0]", true);
    hear(world, fact_of_job(400, FACT_FAILURE_DETECTED));
    hear(world, fact_of_checkpoint(420, FACT_RESTORE_CHOSEN, 1));
    summary_on_end(&world->summary, 900);
}

static void set_up(struct world *world)
{
    arena_init(&world->arena);
    buffer_init(&world->error, &world->arena);
    world->folder = folder_make();
    (void)snprintf(world->path, sizeof(world->path), "%s/results.db", world->folder.path);
    fill_summary(world);
}

static void tear_down(struct world *world)
{
    folder_remove(&world->folder);
    arena_drop(&world->arena);
}

static const char *error_text(struct world *world)
{
    *buffer_extend(&world->error, 1) = '\0';
    return (const char *)world->error.data;
}

static struct results *open_results(struct world *world)
{
    struct results *results = NULL;
    enum status status = results_open(&results, &world->arena, world->path, &world->error);
    ck_assert_msg(status == STATUS_OK, "%s", error_text(world));
    return results;
}

static void add_example(struct world *world, struct results *results)
{
    enum status status = results_add(results, &run_example, &world->summary, faults_example, 2,
                                     violations_example, 1, &world->error);
    ck_assert_msg(status == STATUS_OK, "%s", error_text(world));
}

/* What a reader of its own sees: the first column of the first row. */
static char *read_text(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(world->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    char *copy = arena_text(&world->arena, text == NULL ? "NULL" : text);
    (void)sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return copy;
}

static void execute(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(world->path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* Opening must fail with `status` and a sentence that has the path and `words` in it. */
static void expect_refusal(struct world *world, enum status status, const char *words)
{
    struct results *results = NULL;
    ck_assert_int_eq((int)results_open(&results, &world->arena, world->path, &world->error),
                     (int)status);
    ck_assert_ptr_null(results);
    const char *text = error_text(world);
    ck_assert_msg(strncmp(text, world->path, strlen(world->path)) == 0, "%s", text);
    ck_assert_msg(strstr(text, words) != NULL, "%s", text);
}

/* ---- what is written --------------------------------------------------------------------------
 */

START_TEST(a_run_is_read_back_as_it_was_added)
{
    static const struct {
        const char *sql;
        const char *value;
    } rows[] = {
        { "SELECT name || path || seed || build || verdict || exit_code || trace_hash FROM run",
          "crashscenarios/crash.json42build-1pass0000000000000ab12" },
        { "SELECT records || ' ' || tasks || ' ' || parallelism || ' ' || interval_ns FROM run",
          "1000 4 2 500" },
        { "SELECT events || ' ' || simulated_ns || ' ' || wall_ns FROM run", "12345 900 77" },
        { "SELECT checkpoints_triggered || ' ' || checkpoints_completed || ' ' ||"
          " checkpoints_failed || ' ' || recoveries FROM run",
          "2 1 1 1" },
        { "SELECT failure FROM run", "NULL" },
        { "SELECT scenario_json FROM run", "{\"name\": \"crash\"}" },
        { "SELECT fate || triggered_ns || ' ' || all_acked_ns || ' ' || ended_ns || ' ' || bytes"
          " FROM checkpoint WHERE checkpoint_id = 1",
          "completed100 180 200 1000" },
        { "SELECT fate || reason || (all_acked_ns IS NULL) FROM checkpoint"
          " WHERE checkpoint_id = 2",
          "failedexpired1" },
        { "SELECT vertex || ' ' || subtask || ' ' || start_delay_ns || ' ' || alignment_ns ||"
          " ' ' || sync_ns || ' ' || async_ns || ' ' || store_wait_ns || ' ' || bytes || ' ' ||"
          " written_bytes || ' ' || acked_ns FROM task_checkpoint",
          "1 0 20 10 0 0 30 950 0 176" },
        { "SELECT cause || number || ' ' || failed_ns || ' ' || detected_ns || ' ' || chosen_ns ||"
          " ' ' || restored_from || (running_ns IS NULL) || (caught_up_ns IS NULL)"
          " FROM recovery",
          "crash task_manager[0]1 360 400 420 111" },
        { "SELECT text || verb || object || trigger || fired_ns || ' ' || ended_ns || fired_count"
          " FROM fault WHERE number = 0",
          "crash job_manager at 6 scrashjob_manager6s600 6501" },
        { "SELECT (fired_ns IS NULL) || fired_count FROM fault WHERE number = 1", "10" },
        { "SELECT property || time_ns || message FROM violation",
          "output801line 3 is there twice" },
        { "SELECT duration_ns FROM checkpoint_time", "100" },
        { "SELECT detection_ns || ' ' || restart_ns FROM recovery_time", "40 20" },
    };
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    results_close(results);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_str_eq(read_text(&world, rows[i].sql), rows[i].value);
    }
    tear_down(&world);
}
END_TEST

START_TEST(runs_of_several_openings_add_up)
{
    struct world world;
    set_up(&world);
    for (int i = 0; i < 3; i++) {
        struct results *results = open_results(&world);
        add_example(&world, results);
        add_example(&world, results);
        results_close(results);
    }
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "6");
    ck_assert_str_eq(read_text(&world, "SELECT count(DISTINCT run_id) FROM recovery"), "6");
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM pragma_foreign_key_check"), "0");
    ck_assert_str_eq(read_text(&world, "PRAGMA integrity_check"), "ok");
    tear_down(&world);
}
END_TEST

START_TEST(a_seed_beyond_63_bits_is_kept_exactly)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    struct results_run run = run_example;
    run.seed = UINT64_MAX;
    ck_assert_int_eq(
        (int)results_add(results, &run, &world.summary, NULL, 0, NULL, 0, &world.error), STATUS_OK);
    results_close(results);
    ck_assert_str_eq(read_text(&world, "SELECT seed FROM run"), "18446744073709551615");
    tear_down(&world);
}
END_TEST

START_TEST(a_finished_run_is_found_by_scenario_and_build)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    static const struct {
        const char *scenario;
        const char *build;
        bool contained;
    } rows[] = {
        { "{\"name\": \"crash\"}", "build-1", true },
        { "{\"name\": \"crash\"}", "build-2", false },
        { "{\"name\": \"other\"}", "build-1", false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool contained = !rows[i].contained;
        ck_assert_int_eq((int)results_contain(results, rows[i].scenario, rows[i].build, &contained,
                                              &world.error),
                         STATUS_OK);
        ck_assert_int_eq(contained, rows[i].contained);
    }
    results_close(results);
    tear_down(&world);
}
END_TEST

/* ---- others who have the file open ------------------------------------------------------------
 */

START_TEST(a_reader_in_the_middle_of_a_query_does_not_stop_a_writer)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    sqlite3 *reader = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(world.path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(reader, "SELECT checkpoint_id FROM checkpoint", -1, &statement, NULL),
        SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    add_example(&world, results);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE); /* as it was when the query began */
    (void)sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "2");
    results_close(results);
    tear_down(&world);
}
END_TEST

START_TEST(several_processes_create_and_fill_one_file_at_once)
{
    enum { PROCESSES = 6, RUNS = 10 };
    struct world world;
    set_up(&world);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0) {
            struct results *results = NULL;
            int failed = results_open(&results, &world.arena, world.path, &world.error) != 0;
            for (int run = 0; !failed && run < RUNS; run++) {
                failed = results_add(results, &run_example, &world.summary, faults_example, 2,
                                     violations_example, 1, &world.error) != STATUS_OK;
            }
            if (failed) {
                (void)fprintf(stderr, "%s\n", error_text(&world));
            }
            _exit(failed);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "60");
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM checkpoint"), "120");
    tear_down(&world);
}
END_TEST

START_TEST(a_process_that_is_killed_loses_no_added_run)
{
    struct world world;
    set_up(&world);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct results *results = NULL;
        if (results_open(&results, &world.arena, world.path, &world.error) != STATUS_OK ||
            results_add(results, &run_example, &world.summary, NULL, 0, NULL, 0, &world.error) !=
                STATUS_OK) {
            _exit(1);
        }
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    struct results *results = open_results(&world);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "1");
    results_close(results);
    tear_down(&world);
}
END_TEST

/* ---- errors -----------------------------------------------------------------------------------
 */

START_TEST(missing_folders_are_made)
{
    struct world world;
    set_up(&world);
    (void)snprintf(world.path, sizeof(world.path), "%s/a/b/c/results.db", world.folder.path);
    results_close(open_results(&world));
    ck_assert_int_eq(access(world.path, R_OK), 0);
    tear_down(&world);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    struct world world;
    set_up(&world);
    (void)snprintf(world.path, sizeof(world.path), "/proc/faultline/results.db");
    expect_refusal(&world, STATUS_IO, "cannot create the folder /proc/faultline");
    tear_down(&world);
}
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_refused)
{
    struct world world;
    set_up(&world);
    ck_assert_int_eq(mkdir(world.path, 0777), 0);
    expect_refusal(&world, STATUS_IO, "cannot be opened");
    tear_down(&world);
}
END_TEST

START_TEST(a_folder_or_file_that_may_not_be_written_is_refused)
{
    struct world world;
    set_up(&world);
    results_close(open_results(&world));
    ck_assert_int_eq(chmod(world.path, 0444), 0);
    ck_assert_int_eq(chmod(world.folder.path, 0555), 0);
    bool is_root = geteuid() == 0; /* who may write everywhere */
    if (is_root) {
        ck_assert_int_eq(seteuid(NOBODY), 0);
    }
    expect_refusal(&world, STATUS_IO, "");
    buffer_reset(&world.error);
    (void)snprintf(world.path, sizeof(world.path), "%s/other.db", world.folder.path);
    expect_refusal(&world, STATUS_IO, "cannot be opened for writing");
    if (is_root) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_int_eq(chmod(world.folder.path, 0755), 0);
    tear_down(&world);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
    struct world world;
    set_up(&world);
    FILE *file = fopen(world.path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_gt(fprintf(file, "this is a text, not a database\n"), 0);
    }
    ck_assert_int_eq(fclose(file), 0);
    expect_refusal(&world, STATUS_CORRUPT, "not a SQLite database");
    struct stat what;
    ck_assert_int_eq(stat(world.path, &what), 0);
    ck_assert_int_eq(what.st_size, 200 * 31);
    tear_down(&world);
}
END_TEST

START_TEST(a_database_of_another_program_is_refused_and_left_alone)
{
    struct world world;
    set_up(&world);
    execute(&world, "CREATE TABLE run (id INTEGER)");
    expect_refusal(&world, STATUS_INVALID, "another program");
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM sqlite_master"), "1");
    ck_assert_str_eq(read_text(&world, "PRAGMA journal_mode"), "delete");
    tear_down(&world);
}
END_TEST

START_TEST(another_schema_is_refused_with_both_versions)
{
    struct world world;
    set_up(&world);
    results_close(open_results(&world));
    execute(&world, "PRAGMA user_version = 7");
    expect_refusal(&world, STATUS_INVALID, "schema 7, this build writes schema 5");
    tear_down(&world);
}
END_TEST

START_TEST(a_file_of_schema_1_is_brought_up_to_date_and_keeps_its_runs)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    results_close(results);
    execute(&world, "DROP TABLE sweep_cell; DROP TABLE progress; DROP TABLE comparison;"
                    "ALTER TABLE task_checkpoint DROP COLUMN store_wait_ns;"
                    "ALTER TABLE task_checkpoint DROP COLUMN written_bytes;"
                    "PRAGMA user_version = 1");
    results_close(open_results(&world));
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "1");
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM sweep_cell"), "0");
    ck_assert_str_eq(read_text(&world, "SELECT store_wait_ns || ' ' || written_bytes"
                                       " FROM task_checkpoint"),
                     "0 950");
    ck_assert_str_eq(read_text(&world, "PRAGMA user_version"), "5");
    tear_down(&world);
}
END_TEST

START_TEST(a_file_of_schema_2_gets_the_columns_that_it_lacks)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    results_close(results);
    execute(&world, "DROP TABLE comparison;"
                    "ALTER TABLE task_checkpoint DROP COLUMN store_wait_ns;"
                    "ALTER TABLE task_checkpoint DROP COLUMN written_bytes;"
                    "PRAGMA user_version = 2");
    results = open_results(&world);
    add_example(&world, results);
    results_close(results);
    ck_assert_str_eq(read_text(&world, "SELECT group_concat(store_wait_ns || ' ' || written_bytes)"
                                       " FROM task_checkpoint"),
                     "0 950,30 0");
    ck_assert_str_eq(read_text(&world, "PRAGMA user_version"), "5");
    tear_down(&world);
}
END_TEST

START_TEST(a_file_of_schema_3_gets_the_table_that_it_lacks)
{
    struct world world;
    set_up(&world);
    results_close(open_results(&world));
    execute(&world, "DROP TABLE comparison; PRAGMA user_version = 3");
    results_close(open_results(&world));
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM comparison"), "0");
    ck_assert_str_eq(read_text(&world, "PRAGMA user_version"), "5");
    tear_down(&world);
}
END_TEST

START_TEST(a_file_of_schema_4_gets_the_columns_of_a_comparison_that_it_lacks)
{
    struct world world;
    set_up(&world);
    results_close(open_results(&world));
    execute(&world,
            "ALTER TABLE comparison DROP COLUMN costs;"
            "ALTER TABLE comparison DROP COLUMN is_recalibrated;"
            "INSERT INTO comparison VALUES ('old', '{}', 'bytes', '', '', 2, 1, 1, 8, 9, '', 1);"
            "PRAGMA user_version = 4");
    results_close(open_results(&world));
    ck_assert_str_eq(read_text(&world, "SELECT name || costs || is_recalibrated FROM comparison"),
                     "old{}0");
    ck_assert_str_eq(read_text(&world, "PRAGMA user_version"), "5");
    tear_down(&world);
}
END_TEST

START_TEST(a_comparison_takes_the_place_of_the_one_before)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    const struct results_comparison_head head = {
        .name = "grid", .build = "b", .live = "threads", .live_runs = 3, .is_recalibrated = true
    };
    const struct results_comparison rows[] = {
        { .coordinates = "{\"seed\":1}",
          .quantity = "time_ns",
          .costs = "{}",
          .simulated = 5,
          .live = 7 },
        { .coordinates = "{\"seed\":2}",
          .quantity = "time_ns",
          .costs = "{\"cluster.cpu.record\":\"3ns\"}",
          .live = 9 },
    };
    struct buffer error;
    buffer_init(&error, &world.arena);
    ck_assert_int_eq(results_keep_comparison(results, &head, rows, 2, &error), STATUS_OK);
    ck_assert_str_eq(read_text(&world, "SELECT count(simulated) || ' ' || sum(live)"
                                       " FROM comparison"),
                     "1 16");
    ck_assert_int_eq(results_keep_comparison(results, &head, &rows[1], 1, &error), STATUS_OK);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) || ' ' || sum(live) FROM comparison"),
                     "1 9");
    ck_assert_str_eq(read_text(&world, "SELECT costs ->> '$.\"cluster.cpu.record\"' || ' ' ||"
                                       " is_recalibrated FROM comparison"),
                     "3ns 1");
    results_close(results);
    tear_down(&world);
}
END_TEST

START_TEST(a_run_is_claimed_as_a_cell_only_once_it_is_there)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    struct results_cell cell = { .sweep = "grid", .coordinates = "{\"seed\": 1}" };
    int exit_code = 77;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(results_claim_cell(results, run_example.scenario_json, run_example.build,
                                            &cell, &exit_code, &world.error),
                         STATUS_OK);
        ck_assert_int_eq(exit_code, i == 0 ? -1 : run_example.exit_code);
        if (i == 0) {
            add_example(&world, results);
        }
    }
    results_close(results);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM sweep_cell"), "1");
    ck_assert_str_eq(read_text(&world, "SELECT coordinates FROM sweep_cell"), "{\"seed\": 1}");
    tear_down(&world);
}
END_TEST

START_TEST(a_write_that_fails_leaves_nothing_of_the_run)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    add_example(&world, results);
    /* A file that may not grow stands for a full disk. */
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { .rlim_cur = 1024, .rlim_max = before.rlim_max };
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = results_add(results, &run_example, &world.summary, faults_example, 2,
                                     violations_example, 1, &world.error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(status == STATUS_IO || status == STATUS_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(error_text(&world), world.path));
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "1");
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM checkpoint"), "2");
    add_example(&world, results);
    results_close(results);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "2");
    tear_down(&world);
}
END_TEST

START_TEST(a_run_that_is_refused_leaves_nothing_and_the_next_is_added)
{
    struct world world;
    set_up(&world);
    struct results *results = open_results(&world);
    uint64_t id = world.summary.checkpoints[1].id;
    world.summary.checkpoints[1].id = world.summary.checkpoints[0].id; /* one id, two rows */
    ck_assert_int_eq(
        (int)results_add(results, &run_example, &world.summary, NULL, 0, NULL, 0, &world.error),
        STATUS_IO);
    ck_assert_ptr_nonnull(strstr(error_text(&world), "cannot add a run"));
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "0");
    world.summary.checkpoints[1].id = id;
    add_example(&world, results);
    results_close(results);
    ck_assert_str_eq(read_text(&world, "SELECT count(*) FROM run"), "1");
    tear_down(&world);
}
END_TEST

/* ---- the schema -------------------------------------------------------------------------------
 */

START_TEST(schema_sql_is_what_the_program_carries)
{
    struct arena arena;
    struct buffer text;
    struct buffer file_text;
    arena_init(&arena);
    buffer_init(&text, &arena);
    buffer_init(&file_text, &arena);
    for (size_t i = 0; results_schema[i] != NULL; i++) {
        buffer_append_text(&text, results_schema[i]);
    }
    FILE *file = fopen("reports/schema.sql", "r");
    ck_assert_msg(file != NULL, "run the tests in the project's folder");
    for (int byte = fgetc(file); byte != EOF; byte = fgetc(file)) {
        *buffer_extend(&file_text, 1) = (uint8_t)byte;
    }
    (void)fclose(file);
    ck_assert_uint_gt(file_text.size, 1000);
    ck_assert(bytes_equal(buffer_bytes(&text), buffer_bytes(&file_text)));
    arena_drop(&arena);
}
END_TEST

START_TEST(runs_of_a_scenario_are_found_by_an_index)
{
    struct world world;
    set_up(&world);
    results_close(open_results(&world));
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open(world.path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db,
                                        "EXPLAIN QUERY PLAN SELECT 1 FROM run"
                                        " WHERE scenario_hash = 'x' AND build = 'y'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_ptr_nonnull(
        strstr((const char *)sqlite3_column_text(statement, 3), "run_by_scenario"));
    (void)sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    tear_down(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("results");
    TCase *rows = tcase_create("rows");
    tcase_add_test(rows, a_run_is_read_back_as_it_was_added);
    tcase_add_test(rows, runs_of_several_openings_add_up);
    tcase_add_test(rows, a_seed_beyond_63_bits_is_kept_exactly);
    tcase_add_test(rows, a_finished_run_is_found_by_scenario_and_build);
    suite_add_tcase(suite, rows);
    TCase *others = tcase_create("others");
    tcase_set_timeout(others, 30);
    tcase_add_test(others, a_reader_in_the_middle_of_a_query_does_not_stop_a_writer);
    tcase_add_test(others, several_processes_create_and_fill_one_file_at_once);
    tcase_add_test(others, a_process_that_is_killed_loses_no_added_run);
    suite_add_tcase(suite, others);
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, missing_folders_are_made);
    tcase_add_test(errors, a_folder_that_cannot_be_made_is_named);
    tcase_add_test(errors, a_folder_in_place_of_the_file_is_refused);
    tcase_add_test(errors, a_folder_or_file_that_may_not_be_written_is_refused);
    tcase_add_test(errors, a_file_that_is_no_database_is_refused_and_left_alone);
    tcase_add_test(errors, a_database_of_another_program_is_refused_and_left_alone);
    tcase_add_test(errors, another_schema_is_refused_with_both_versions);
    tcase_add_test(errors, a_file_of_schema_1_is_brought_up_to_date_and_keeps_its_runs);
    tcase_add_test(errors, a_file_of_schema_2_gets_the_columns_that_it_lacks);
    tcase_add_test(errors, a_file_of_schema_3_gets_the_table_that_it_lacks);
    tcase_add_test(errors, a_file_of_schema_4_gets_the_columns_of_a_comparison_that_it_lacks);
    tcase_add_test(errors, a_run_is_claimed_as_a_cell_only_once_it_is_there);
    tcase_add_test(errors, a_comparison_takes_the_place_of_the_one_before);
    tcase_add_test(errors, a_write_that_fails_leaves_nothing_of_the_run);
    tcase_add_test(errors, a_run_that_is_refused_leaves_nothing_and_the_next_is_added);
    suite_add_tcase(suite, errors);
    TCase *schema = tcase_create("schema");
    tcase_add_test(schema, schema_sql_is_what_the_program_carries);
    tcase_add_test(schema, runs_of_a_scenario_are_found_by_an_index);
    suite_add_tcase(suite, schema);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
