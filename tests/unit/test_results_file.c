/* The file of the results database: where it may lie, what else may lie there, and what earlier
 * versions of the program have left in it. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/results_schema.h"
#include "tests/support/results_bed.h"
#include "tests/support/runner.h"

enum { NOBODY = 65534 };

static void execute(struct results_bed *bed, const char *sql)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(bed->path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* Opening must fail with `status` and a sentence that has the path and `words` in it. */
static void expect_refusal(struct results_bed *bed, enum status status, const char *words)
{
    struct results *results = NULL;
    ck_assert_int_eq((int)results_open(&results, &bed->arena, bed->path, &bed->error), (int)status);
    ck_assert_ptr_null(results);
    const char *text = results_bed_error(bed);
    ck_assert_msg(strncmp(text, bed->path, strlen(bed->path)) == 0, "%s", text);
    ck_assert_msg(strstr(text, words) != NULL, "%s", text);
}

/* ---- errors -----------------------------------------------------------------------------------
 */

START_TEST(missing_folders_are_made)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    (void)snprintf(bed.path, sizeof(bed.path), "%s/a/b/c/results.db", bed.folder.path);
    results_close(results_bed_open(&bed));
    ck_assert_int_eq(access(bed.path, R_OK), 0);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    (void)snprintf(bed.path, sizeof(bed.path), "/proc/faultline/results.db");
    expect_refusal(&bed, STATUS_IO, "cannot create the folder /proc/faultline");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_refused)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    ck_assert_int_eq(mkdir(bed.path, 0777), 0);
    expect_refusal(&bed, STATUS_IO, "cannot be opened");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_folder_or_file_that_may_not_be_written_is_refused)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    results_close(results_bed_open(&bed));
    ck_assert_int_eq(chmod(bed.path, 0444), 0);
    ck_assert_int_eq(chmod(bed.folder.path, 0555), 0);
    bool is_root = geteuid() == 0; /* who may write everywhere */
    if (is_root) {
        ck_assert_int_eq(seteuid(NOBODY), 0);
    }
    expect_refusal(&bed, STATUS_IO, "");
    buffer_reset(&bed.error);
    (void)snprintf(bed.path, sizeof(bed.path), "%s/other.db", bed.folder.path);
    expect_refusal(&bed, STATUS_IO, "cannot be opened for writing");
    if (is_root) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_int_eq(chmod(bed.folder.path, 0755), 0);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    FILE *file = fopen(bed.path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_gt(fprintf(file, "this is a text, not a database\n"), 0);
    }
    ck_assert_int_eq(fclose(file), 0);
    expect_refusal(&bed, STATUS_CORRUPT, "not a SQLite database");
    struct stat what;
    ck_assert_int_eq(stat(bed.path, &what), 0);
    ck_assert_int_eq(what.st_size, 200 * 31);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_database_of_another_program_is_refused_and_left_alone)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    execute(&bed, "CREATE TABLE run (id INTEGER)");
    expect_refusal(&bed, STATUS_INVALID, "another program");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM sqlite_master"), "1");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA journal_mode"), "delete");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(another_schema_is_refused_with_both_versions)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    results_close(results_bed_open(&bed));
    execute(&bed, "PRAGMA user_version = 7");
    expect_refusal(&bed, STATUS_INVALID, "schema 7, this build writes schema 5");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_file_of_schema_1_is_brought_up_to_date_and_keeps_its_runs)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    results_close(results);
    execute(&bed, "DROP TABLE sweep_cell; DROP TABLE progress; DROP TABLE comparison;"
                  "ALTER TABLE task_checkpoint DROP COLUMN store_wait_ns;"
                  "ALTER TABLE task_checkpoint DROP COLUMN written_bytes;"
                  "PRAGMA user_version = 1");
    results_close(results_bed_open(&bed));
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "1");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM sweep_cell"), "0");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT store_wait_ns || ' ' || written_bytes"
                                            " FROM task_checkpoint"),
                     "0 950");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA user_version"), "5");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_file_of_schema_2_gets_the_columns_that_it_lacks)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    results_close(results);
    execute(&bed, "DROP TABLE comparison;"
                  "ALTER TABLE task_checkpoint DROP COLUMN store_wait_ns;"
                  "ALTER TABLE task_checkpoint DROP COLUMN written_bytes;"
                  "PRAGMA user_version = 2");
    results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    results_close(results);
    ck_assert_str_eq(results_bed_read(&bed,
                                      "SELECT group_concat(store_wait_ns || ' ' || written_bytes)"
                                      " FROM task_checkpoint"),
                     "0 950,30 0");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA user_version"), "5");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_file_of_schema_3_gets_the_table_that_it_lacks)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    results_close(results_bed_open(&bed));
    execute(&bed, "DROP TABLE comparison; PRAGMA user_version = 3");
    results_close(results_bed_open(&bed));
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM comparison"), "0");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA user_version"), "5");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_file_of_schema_4_gets_the_columns_of_a_comparison_that_it_lacks)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    results_close(results_bed_open(&bed));
    execute(&bed,
            "ALTER TABLE comparison DROP COLUMN costs;"
            "ALTER TABLE comparison DROP COLUMN is_recalibrated;"
            "INSERT INTO comparison VALUES ('old', '{}', 'bytes', '', '', 2, 1, 1, 8, 9, '', 1);"
            "PRAGMA user_version = 4");
    results_close(results_bed_open(&bed));
    ck_assert_str_eq(
        results_bed_read(&bed, "SELECT name || costs || is_recalibrated FROM comparison"),
        "old{}0");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA user_version"), "5");
    results_bed_tear_down(&bed);
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
    struct results_bed bed;
    results_bed_set_up(&bed);
    results_close(results_bed_open(&bed));
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open(bed.path, &db), SQLITE_OK);
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
    results_bed_tear_down(&bed);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("results file");
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
