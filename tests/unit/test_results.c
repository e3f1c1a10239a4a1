#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/results_bed.h"
#include "tests/support/runner.h"

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
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    results_close(results);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_str_eq(results_bed_read(&bed, rows[i].sql), rows[i].value);
    }
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(runs_of_several_openings_add_up)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    for (int i = 0; i < 3; i++) {
        struct results *results = results_bed_open(&bed);
        results_bed_add(&bed, results);
        results_bed_add(&bed, results);
        results_close(results);
    }
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "6");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(DISTINCT run_id) FROM recovery"), "6");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM pragma_foreign_key_check"), "0");
    ck_assert_str_eq(results_bed_read(&bed, "PRAGMA integrity_check"), "ok");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_seed_beyond_63_bits_is_kept_exactly)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    struct results_run run = results_bed_run;
    run.seed = UINT64_MAX;
    ck_assert_int_eq((int)results_add(results, &run, &bed.summary, NULL, 0, NULL, 0, &bed.error),
                     STATUS_OK);
    results_close(results);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT seed FROM run"), "18446744073709551615");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_finished_run_is_found_by_scenario_and_build)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
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
        ck_assert_int_eq(
            (int)results_contain(results, rows[i].scenario, rows[i].build, &contained, &bed.error),
            STATUS_OK);
        ck_assert_int_eq(contained, rows[i].contained);
    }
    results_close(results);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_comparison_takes_the_place_of_the_one_before)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
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
    buffer_init(&error, &bed.arena);
    ck_assert_int_eq(results_keep_comparison(results, &head, rows, 2, &error), STATUS_OK);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(simulated) || ' ' || sum(live)"
                                            " FROM comparison"),
                     "1 16");
    ck_assert_int_eq(results_keep_comparison(results, &head, &rows[1], 1, &error), STATUS_OK);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) || ' ' || sum(live) FROM comparison"),
                     "1 9");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT costs ->> '$.\"cluster.cpu.record\"' || ' ' ||"
                                            " is_recalibrated FROM comparison"),
                     "3ns 1");
    results_close(results);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_run_is_claimed_as_a_cell_only_once_it_is_there)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    struct results_cell cell = { .sweep = "grid", .coordinates = "{\"seed\": 1}" };
    int exit_code = 77;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(results_claim_cell(results, results_bed_run.scenario_json,
                                            results_bed_run.build, &cell, &exit_code, &bed.error),
                         STATUS_OK);
        ck_assert_int_eq(exit_code, i == 0 ? -1 : results_bed_run.exit_code);
        if (i == 0) {
            results_bed_add(&bed, results);
        }
    }
    results_close(results);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM sweep_cell"), "1");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT coordinates FROM sweep_cell"), "{\"seed\": 1}");
    results_bed_tear_down(&bed);
}
END_TEST

/* ---- others who have the file open ------------------------------------------------------------
 */

START_TEST(a_reader_in_the_middle_of_a_query_does_not_stop_a_writer)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    sqlite3 *reader = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(bed.path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(reader, "SELECT checkpoint_id FROM checkpoint", -1, &statement, NULL),
        SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    results_bed_add(&bed, results);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE); /* as it was when the query began */
    (void)sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "2");
    results_close(results);
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(several_processes_create_and_fill_one_file_at_once)
{
    enum { PROCESSES = 6, RUNS = 10 };
    struct results_bed bed;
    results_bed_set_up(&bed);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0) {
            struct results *results = NULL;
            int failed = results_open(&results, &bed.arena, bed.path, &bed.error) != 0;
            for (int run = 0; !failed && run < RUNS; run++) {
                failed = results_add(results, &results_bed_run, &bed.summary, results_bed_faults, 2,
                                     results_bed_violations, 1, &bed.error) != STATUS_OK;
            }
            if (failed) {
                (void)fprintf(stderr, "%s\n", results_bed_error(&bed));
            }
            _exit(failed);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "60");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM checkpoint"), "120");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_process_that_is_killed_loses_no_added_run)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct results *results = NULL;
        if (results_open(&results, &bed.arena, bed.path, &bed.error) != STATUS_OK ||
            results_add(results, &results_bed_run, &bed.summary, NULL, 0, NULL, 0, &bed.error) !=
                STATUS_OK) {
            _exit(1);
        }
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    struct results *results = results_bed_open(&bed);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "1");
    results_close(results);
    results_bed_tear_down(&bed);
}
END_TEST

/* ---- errors -----------------------------------------------------------------------------------
 */

START_TEST(a_write_that_fails_leaves_nothing_of_the_run)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    results_bed_add(&bed, results);
    /* A file that may not grow stands for a full disk. */
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { .rlim_cur = 1024, .rlim_max = before.rlim_max };
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = results_add(results, &results_bed_run, &bed.summary, results_bed_faults, 2,
                                     results_bed_violations, 1, &bed.error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(status == STATUS_IO || status == STATUS_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(results_bed_error(&bed), bed.path));
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "1");
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM checkpoint"), "2");
    results_bed_add(&bed, results);
    results_close(results);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "2");
    results_bed_tear_down(&bed);
}
END_TEST

START_TEST(a_run_that_is_refused_leaves_nothing_and_the_next_is_added)
{
    struct results_bed bed;
    results_bed_set_up(&bed);
    struct results *results = results_bed_open(&bed);
    uint64_t id = bed.summary.checkpoints[1].id;
    bed.summary.checkpoints[1].id = bed.summary.checkpoints[0].id; /* one id, two rows */
    ck_assert_int_eq(
        (int)results_add(results, &results_bed_run, &bed.summary, NULL, 0, NULL, 0, &bed.error),
        STATUS_IO);
    ck_assert_ptr_nonnull(strstr(results_bed_error(&bed), "cannot add a run"));
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "0");
    bed.summary.checkpoints[1].id = id;
    results_bed_add(&bed, results);
    results_close(results);
    ck_assert_str_eq(results_bed_read(&bed, "SELECT count(*) FROM run"), "1");
    results_bed_tear_down(&bed);
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
    tcase_add_test(rows, a_comparison_takes_the_place_of_the_one_before);
    tcase_add_test(rows, a_run_is_claimed_as_a_cell_only_once_it_is_there);
    suite_add_tcase(suite, rows);
    TCase *others = tcase_create("others");
    tcase_set_timeout(others, 30);
    tcase_add_test(others, a_reader_in_the_middle_of_a_query_does_not_stop_a_writer);
    tcase_add_test(others, several_processes_create_and_fill_one_file_at_once);
    tcase_add_test(others, a_process_that_is_killed_loses_no_added_run);
    suite_add_tcase(suite, others);
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, a_write_that_fails_leaves_nothing_of_the_run);
    tcase_add_test(errors, a_run_that_is_refused_leaves_nothing_and_the_next_is_added);
    suite_add_tcase(suite, errors);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
