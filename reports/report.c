#include "reports/report.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "reports/figure_cost.h"
#include "reports/figure_interval.h"
#include "reports/figure_recovery.h"
#include "reports/figure_run.h"
#include "reports/results_schema.h"

/* ---- opening --------------------------------------------------------------------------------- */

static int64_t pragma(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

/* Read-only: a report may be made while a campaign writes. */
static enum status open_database(sqlite3 **db, const char *path, struct buffer *error)
{
    enum { BUSY_TIMEOUT_MS = 10000 };
    *db = NULL;
    struct stat info;
    if (stat(path, &info) != 0) {
        buffer_append_format(error, "%s: there is no results database; run a scenario first", path);
        return STATUS_NOT_FOUND;
    }
    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        buffer_append_format(error, "%s: cannot open: %s", path, sqlite3_errmsg(*db));
        return STATUS_IO;
    }
    (void)sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
    int64_t application = pragma(*db, "PRAGMA application_id");
    if (application < 0) {
        buffer_append_format(error, "%s: cannot read: %s", path, sqlite3_errmsg(*db));
        return STATUS_CORRUPT;
    }
    if (application != RESULTS_APPLICATION_ID) {
        buffer_append_format(error, "%s: is no results database", path);
        return STATUS_INVALID;
    }
    int64_t version = pragma(*db, "PRAGMA user_version");
    if (version != RESULTS_SCHEMA_VERSION) {
        buffer_append_format(error,
                             "%s: has results schema %lld, this build reads schema %d; a run or "
                             "sweep into it brings an older one up to date",
                             path, (long long)version, RESULTS_SCHEMA_VERSION);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* ---- figures --------------------------------------------------------------------------------- */

/* A figure without a panel had too few points. */
static void keep_figure(struct report *report)
{
    CHECK(report->figure_count < REPORT_FIGURES_MAX);
    if (report->figures[report->figure_count].panel_count > 0) {
        report->figure_count++;
    }
}

static void add_cost_figures(struct report *report)
{
    static void (*const makers[])(struct report_figure * figure, struct arena * arena,
                                  const struct cost_regime *regimes, uint32_t count) = {
        figure_time_by_product, figure_time_by_tasks, figure_time_by_interval,
        figure_alignment,       figure_phases,
    };
    struct cost_regime regimes[COST_REGIMES_MAX];
    uint32_t count = cost_find_regimes(&report->data, regimes);
    for (uint32_t i = 0; count > 0 && i < sizeof makers / sizeof *makers; i++) {
        makers[i](&report->figures[report->figure_count], report->arena, regimes, count);
        keep_figure(report);
    }
}

static void add_story(struct report *report, const struct story *story)
{
    if (story->found) {
        figure_failure(&report->figures[report->figure_count], report->arena, story);
        keep_figure(report);
        figure_timeline(&report->figures[report->figure_count], report->arena, story);
        keep_figure(report);
    }
}

enum status report_build(struct report *report, struct arena *arena, const char *path,
                         struct buffer *error)
{
    *report = (struct report){ .arena = arena, .database = path };
    sqlite3 *db = NULL;
    enum status status = open_database(&db, path, error);
    if (status == STATUS_OK) {
        status = report_data_read(&report->data, arena, db, path, error);
    }
    struct story story = { 0 };
    if (status == STATUS_OK) {
        status = story_read(&story, arena, db, path, error);
    }
    if (status == STATUS_OK) {
        add_cost_figures(report);
        figure_recovery(&report->figures[report->figure_count], arena, &report->data);
        keep_figure(report);
        figure_interval(&report->figures[report->figure_count], arena, &report->data);
        keep_figure(report);
        add_story(report, &story);
    }
    int code = sqlite3_close(db);
    CHECK(code == SQLITE_OK);
    return status;
}
