#include "tests/support/results_bed.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>

#include "tests/support/facts.h"

const struct results_run results_bed_run = {
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

const struct results_fault results_bed_faults[RESULTS_BED_FAULTS] = {
    { "crash job_manager at 6 s", "crash", "job_manager", "6s", 600, 650, 1 },
    { "pause task_manager[1] at 9 s", "pause", "task_manager[1]", "9s", 0, 0, 0 },
};

const struct results_violation results_bed_violations[RESULTS_BED_VIOLATIONS] = {
    { "output", 801, "line 3 is there twice" },
};

static void hear(struct results_bed *bed, struct fact_event event)
{
    summary_on_fact(&bed->summary, &event);
}

static void fill_summary(struct results_bed *bed)
{
    summary_init(&bed->summary, &bed->arena, 2, 2);
    hear(bed, fact_of_checkpoint(100, FACT_CHECKPOINT_TRIGGERED, 1));
    hear(bed, fact_values(fact_of_part(130, FACT_TASK_ALIGNED, 1, 1, 0), 20, 10));
    hear(bed, fact_values(fact_of_part(176, FACT_TASK_ACKED, 1, 1, 0), 950, 30));
    hear(bed, fact_of_checkpoint(180, FACT_CHECKPOINT_ALL_ACKED, 1));
    hear(bed, fact_values(fact_of_checkpoint(200, FACT_CHECKPOINT_COMPLETED, 1), 1000, 100));
    hear(bed, fact_of_checkpoint(300, FACT_CHECKPOINT_TRIGGERED, 2));
    hear(bed, fact_text(fact_of_checkpoint(350, FACT_CHECKPOINT_ABORTED, 2), "expired"));
    summary_on_fault(&bed->summary, 360, 360, "crash task_manager[0]", true);
    hear(bed, fact_of_job(400, FACT_FAILURE_DETECTED));
    hear(bed, fact_of_checkpoint(420, FACT_RESTORE_CHOSEN, 1));
    summary_on_end(&bed->summary, 900);
}

void results_bed_set_up(struct results_bed *bed)
{
    arena_init(&bed->arena);
    buffer_init(&bed->error, &bed->arena);
    bed->folder = folder_make();
    (void)snprintf(bed->path, sizeof(bed->path), "%s/results.db", bed->folder.path);
    fill_summary(bed);
}

void results_bed_tear_down(struct results_bed *bed)
{
    folder_remove(&bed->folder);
    arena_drop(&bed->arena);
}

const char *results_bed_error(struct results_bed *bed)
{
    *buffer_extend(&bed->error, 1) = '\0';
    return (const char *)bed->error.data;
}

struct results *results_bed_open(struct results_bed *bed)
{
    struct results *results = NULL;
    enum status status = results_open(&results, &bed->arena, bed->path, &bed->error);
    ck_assert_msg(status == STATUS_OK, "%s", results_bed_error(bed));
    return results;
}

void results_bed_add(struct results_bed *bed, struct results *results)
{
    enum status status = results_add(results, &results_bed_run, &bed->summary, results_bed_faults,
                                     RESULTS_BED_FAULTS, results_bed_violations,
                                     RESULTS_BED_VIOLATIONS, &bed->error);
    ck_assert_msg(status == STATUS_OK, "%s", results_bed_error(bed));
}

char *results_bed_read(struct results_bed *bed, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(bed->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    char *copy = arena_text(&bed->arena, text == NULL ? "NULL" : text);
    (void)sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return copy;
}
