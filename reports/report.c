#include "reports/report.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "reports/figure_choice.h"
#include "reports/figure_compare.h"
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

/* Nothing is written, and a campaign may write meanwhile. Yet who opens it only to read leaves
 * SQLite's files `-wal` and `-shm` behind. */
static enum status open_database(sqlite3 **db, const char *path, struct buffer *error)
{
    enum { BUSY_TIMEOUT_MS = 10000 };
    *db = NULL;
    struct stat info;
    if (stat(path, &info) != 0) {
        buffer_append_format(error, "%s: there is no results database; run a scenario first", path);
        return STATUS_NOT_FOUND;
    }
    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        buffer_append_format(error, "%s: cannot open: %s", path, sqlite3_errmsg(*db));
        return STATUS_IO;
    }
    (void)sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
    int64_t application = pragma(*db, "PRAGMA application_id");
    if (application < 0) {
        int code = sqlite3_errcode(*db) & 0xff;
        buffer_append_format(error, "%s: cannot read: %s", path, sqlite3_errmsg(*db));
        return code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? STATUS_CORRUPT : STATUS_IO;
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

typedef void (*cost_figure)(struct report_figure *figure, struct arena *arena,
                            const struct cost_regime *regimes, uint32_t count);

/* Of the regimes those that want it. */
static void add_cost_figure(struct report *report, const struct cost_regime *regimes,
                            uint32_t count, enum figure_choice choice, cost_figure make)
{
    struct cost_regime chosen[COST_REGIMES_MAX];
    uint32_t chosen_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (figure_is_chosen(regimes[i].cells[0].plots, FIGURES_OF_SWEEP, choice)) {
            chosen[chosen_count++] = regimes[i];
        }
    }
    if (chosen_count > 0) {
        make(&report->figures[report->figure_count], report->arena, chosen, chosen_count);
        keep_figure(report);
    }
}

static void add_cost_figures(struct report *report)
{
    struct cost_regime regimes[COST_REGIMES_MAX];
    uint32_t count = cost_find_regimes(&report->data, regimes);
    add_cost_figure(report, regimes, count, CHOICE_TIME_BY_PRODUCT, figure_time_by_product);
    add_cost_figure(report, regimes, count, CHOICE_TIME_BY_TASKS, figure_time_by_tasks);
    add_cost_figure(report, regimes, count, CHOICE_TIME_BY_INTERVAL, figure_time_by_interval);
    add_cost_figure(report, regimes, count, CHOICE_ALIGNMENT, figure_alignment);
    add_cost_figure(report, regimes, count, CHOICE_PHASES, figure_phases);
}

/* A view of the data: the cells and recoveries of the sweeps that want the figure. */
static struct report_data chosen_data(const struct report *report, enum figure_choice choice)
{
    struct report_data data = report->data;
    data.cells = arena_alloc(report->arena, data.cell_count + 1, sizeof *data.cells);
    data.recoveries = arena_alloc(report->arena, data.recovery_count + 1, sizeof *data.recoveries);
    data.cell_count = 0;
    data.recovery_count = 0;
    for (size_t i = 0; i < report->data.cell_count; i++) {
        const struct report_cell *cell = &report->data.cells[i];
        if (figure_is_chosen(cell->plots, FIGURES_OF_SWEEP, choice)) {
            data.cells[data.cell_count++] = *cell;
        }
    }
    for (size_t i = 0; i < report->data.recovery_count; i++) {
        const struct report_recovery *recovery = &report->data.recoveries[i];
        if (figure_is_chosen(recovery->cell->plots, FIGURES_OF_SWEEP, choice)) {
            data.recoveries[data.recovery_count++] = *recovery;
        }
    }
    return data;
}

static void add_other_figures(struct report *report)
{
    struct report_data data = chosen_data(report, CHOICE_RECOVERY);
    figure_recovery(&report->figures[report->figure_count], report->arena, &data);
    keep_figure(report);
    data = chosen_data(report, CHOICE_USEFUL_WORK);
    figure_interval(&report->figures[report->figure_count], report->arena, &data);
    keep_figure(report);
}

static void add_story(struct report *report, const struct story *story)
{
    if (story->found && figure_is_chosen(story->plots, FIGURES_OF_STORY, CHOICE_PROGRESS)) {
        figure_failure(&report->figures[report->figure_count], report->arena, story);
        keep_figure(report);
    }
    if (story->found && figure_is_chosen(story->plots, FIGURES_OF_STORY, CHOICE_TIMELINE)) {
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
        add_other_figures(report);
        figure_compare(&report->figures[report->figure_count], arena, &report->data);
        keep_figure(report);
        add_story(report, &story);
    }
    int code = sqlite3_close(db);
    CHECK(code == SQLITE_OK);
    return status;
}
