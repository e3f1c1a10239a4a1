#include "reports/report_data.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/figure_choice.h"

/* A query being read, and where a failure is told. */
struct reading {
    struct report_data *data;
    sqlite3 *db;
    const char *path;
    struct buffer *error;
    bool failed;
};

static void note_failure(struct reading *reading)
{
    if (!reading->failed) {
        buffer_append_format(reading->error, "%s: cannot read: %s", reading->path,
                             sqlite3_errmsg(reading->db));
    }
    reading->failed = true;
}

static sqlite3_stmt *prepare(struct reading *reading, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (!reading->failed &&
        sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        note_failure(reading);
    }
    return reading->failed ? NULL : statement;
}

static bool next_row(struct reading *reading, sqlite3_stmt *statement)
{
    int code = statement == NULL ? SQLITE_DONE : sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        note_failure(reading);
    }
    return code == SQLITE_ROW;
}

static const char *text_at(struct reading *reading, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return arena_text(reading->data->arena, text == NULL ? "" : text);
}

/* NAN where there is nothing. */
static double number_at(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(statement, column);
}

/* ---- quantities ------------------------------------------------------------------------------ */

double report_quantity(const char *text, double otherwise)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = {
        { "ns", 1e-9 },       { "us", 1e-6 },          { "ms", 1e-3 }, { "s", 1 },
        { "min", 60 },        { "h", 3600 },           { "B", 1 },     { "KiB", 1024 },
        { "MiB", 1048576 },   { "GiB", 1073741824 },   { "B/s", 1 },   { "KiB/s", 1024 },
        { "MiB/s", 1048576 }, { "GiB/s", 1073741824 }, { "/s", 1 },    { "k/s", 1e3 },
        { "M/s", 1e6 },       { "G/s", 1e9 },          { "", 1 },
    };
    char *end = NULL;
    double number = text == NULL ? 0 : strtod(text, &end);
    for (size_t i = 0; text != NULL && end != text && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) == 0) {
            return number * units[i].factor;
        }
    }
    return otherwise;
}

static double quantity_at(sqlite3_stmt *statement, int column, double otherwise)
{
    return report_quantity((const char *)sqlite3_column_text(statement, column), otherwise);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void read_totals(struct reading *reading)
{
    sqlite3_stmt *statement = prepare(reading, "SELECT count(*), total(verdict = 'pass') FROM run");
    if (next_row(reading, statement)) {
        reading->data->run_total = sqlite3_column_int64(statement, 0);
        reading->data->passed_total = sqlite3_column_int64(statement, 1);
    }
    (void)sqlite3_finalize(statement);
}

static void read_run(struct reading *reading, sqlite3_stmt *row, struct report_run *run)
{
    int column = 0;
    run->id = sqlite3_column_int64(row, column++);
    run->name = text_at(reading, row, column++);
    run->seed = text_at(reading, row, column++);
    run->verdict = text_at(reading, row, column++);
    run->first_violation = text_at(reading, row, column++);
    run->build = text_at(reading, row, column++);
    run->sweep = text_at(reading, row, column++);
    run->coordinates = text_at(reading, row, column++);
    run->scenario_json = text_at(reading, row, column++);
    run->exit_code = sqlite3_column_int64(row, column++);
    run->tasks = number_at(row, column++);
    run->interval_s = number_at(row, column++);
    run->simulated_s = number_at(row, column++);
    run->wall_s = number_at(row, column++);
    run->checkpoints = number_at(row, column++);
    run->checkpoints_failed = number_at(row, column++);
    run->recoveries = number_at(row, column++);
    CHECK(column == sqlite3_column_count(row));
}

static void read_runs(struct reading *reading)
{
    sqlite3_stmt *statement = prepare(
        reading, "SELECT id, name, seed, verdict,"
                 " (SELECT property || ': ' || message FROM violation WHERE run_id = id"
                 "  ORDER BY number LIMIT 1),"
                 " build, (SELECT sweep FROM sweep_cell WHERE run_id = id LIMIT 1),"
                 " (SELECT coordinates FROM sweep_cell WHERE run_id = id LIMIT 1), scenario_json,"
                 " exit_code, tasks, interval_ns / 1e9, simulated_ns / 1e9, wall_ns / 1e9,"
                 " checkpoints_completed, checkpoints_failed, recoveries"
                 " FROM run ORDER BY exit_code = 0, id DESC LIMIT 2000");
    _Static_assert(REPORT_RUNS_MAX == 2000, "the query's limit");
    struct report_data *data = reading->data;
    size_t capacity = 0;
    while (next_row(reading, statement)) {
        data->runs =
            arena_grow(data->arena, data->runs, &capacity, data->run_count + 1, sizeof *data->runs);
        read_run(reading, statement, &data->runs[data->run_count++]);
    }
    (void)sqlite3_finalize(statement);
}

/* ---- cells ----------------------------------------------------------------------------------- */

static const char cells_sql[] =
    "SELECT run.id, sweep, tasks, parallelism, interval_ns / 1e9, seed, simulated_ns / 1e9,"
    " records, recoveries, exit_code = 0,"
    " json_extract(scenario_json, '$.job.input.keys'),"
    " json_extract(scenario_json, '$.job.input.rate'),"
    " json_extract(scenario_json, '$.cluster.cpu.record'),"
    " json_extract(scenario_json, '$.cluster.store.write'),"
    " json_extract(scenario_json, '$.cluster.store.client_write'),"
    " json_extract(scenario_json, '$.cluster.store.writers'),"
    " json_extract(scenario_json, '$.cluster.heartbeat.timeout'),"
    " json_extract(scenario_json, '$.state.incremental')"
    " FROM sweep_cell JOIN run ON run.id = run_id"
    " ORDER BY sweep, tasks, interval_ns, seed, run.id";

static void read_cell(struct reading *reading, sqlite3_stmt *row, struct report_cell *cell)
{
    int column = 0;
    cell->run_id = sqlite3_column_int64(row, column++);
    cell->sweep = text_at(reading, row, column++);
    cell->tasks = number_at(row, column++);
    cell->parallelism = number_at(row, column++);
    cell->interval_s = number_at(row, column++);
    cell->seed = number_at(row, column++);
    cell->simulated_s = number_at(row, column++);
    cell->records = number_at(row, column++);
    cell->recoveries = number_at(row, column++);
    cell->passed = sqlite3_column_int(row, column++) != 0;
    cell->keys = number_at(row, column++);
    cell->rate = quantity_at(row, column++, INFINITY);
    cell->record_s = quantity_at(row, column++, 0);
    cell->store_rate = quantity_at(row, column++, INFINITY);
    cell->client_rate = quantity_at(row, column++, INFINITY);
    cell->writers = quantity_at(row, column++, INFINITY);
    cell->heartbeat_timeout_s = quantity_at(row, column++, NAN);
    cell->incremental = sqlite3_column_int(row, column++) != 0;
    CHECK(column == sqlite3_column_count(row));
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a;
    double other = *(const double *)b;
    return one < other ? -1 : one > other;
}

static double median(double *values, size_t count)
{
    CHECK(count > 0);
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Which checkpoints of a run count; ?2 false: all. */
#define COUNTING                                                                                   \
    " FROM checkpoint c WHERE run_id = ?1 AND fate = 'completed' AND (NOT ?2 OR (triggered_ns >="  \
    " (SELECT simulated_ns / 2 FROM run WHERE id = ?1) AND checkpoint_id <"                        \
    " (SELECT max(checkpoint_id) FROM checkpoint WHERE run_id = ?1)))"

static const char durations_sql[] = "SELECT (ended_ns - triggered_ns) / 1e9, bytes" COUNTING;

/* One row a checkpoint: SQLite takes the other columns from the row of the maximum. */
static const char phases_sql[] =
    "SELECT avg(start), avg(alignment), avg(sync), avg(wait), avg(async), avg(duration - own),"
    " avg(alignment_max), avg(sync_max), avg(bytes_max), avg(written) FROM ("
    " SELECT max(t.acked_ns), t.start_delay_ns / 1e9 AS start, t.alignment_ns / 1e9 AS alignment,"
    "  t.sync_ns / 1e9 AS sync, t.store_wait_ns / 1e9 AS wait,"
    "  (t.async_ns - t.store_wait_ns) / 1e9 AS async,"
    "  (t.start_delay_ns + t.alignment_ns + t.sync_ns + t.async_ns) / 1e9 AS own,"
    "  chosen.duration,"
    "  (SELECT max(alignment_ns) / 1e9 FROM task_checkpoint m WHERE m.run_id = ?1"
    "   AND m.checkpoint_id = t.checkpoint_id) AS alignment_max,"
    "  (SELECT max(sync_ns) / 1e9 FROM task_checkpoint m WHERE m.run_id = ?1"
    "   AND m.checkpoint_id = t.checkpoint_id) AS sync_max,"
    "  (SELECT max(written_bytes) FROM task_checkpoint m WHERE m.run_id = ?1"
    "   AND m.checkpoint_id = t.checkpoint_id) AS bytes_max,"
    "  (SELECT total(written_bytes) FROM task_checkpoint m WHERE m.run_id = ?1"
    "   AND m.checkpoint_id = t.checkpoint_id) AS written"
    " FROM task_checkpoint t JOIN (SELECT checkpoint_id, (ended_ns - triggered_ns) / 1e9"
    "  AS duration" COUNTING ") chosen"
    " ON chosen.checkpoint_id = t.checkpoint_id"
    " WHERE t.run_id = ?1 GROUP BY t.checkpoint_id)";

static sqlite3_stmt *bind_run(sqlite3_stmt *statement, int64_t run_id, bool strict)
{
    if (statement != NULL) {
        int code = sqlite3_reset(statement);
        code = code == SQLITE_OK ? sqlite3_bind_int64(statement, 1, run_id) : code;
        code = code == SQLITE_OK ? sqlite3_bind_int(statement, 2, strict) : code;
        CHECK(code == SQLITE_OK);
    }
    return statement;
}

static void measure_durations(struct reading *reading, sqlite3_stmt *statement,
                              struct report_cell *cell, bool strict)
{
    double *durations = NULL;
    size_t capacity = 0;
    size_t count = 0;
    double bytes = 0;
    (void)bind_run(statement, cell->run_id, strict);
    while (next_row(reading, statement)) {
        durations =
            arena_grow(reading->data->arena, durations, &capacity, count + 1, sizeof *durations);
        durations[count++] = number_at(statement, 0);
        bytes += number_at(statement, 1);
    }
    cell->checkpoints = (double)count;
    cell->duration_s = count == 0 ? NAN : median(durations, count);
    cell->bytes = count == 0 ? NAN : bytes / (double)count;
    arena_free(reading->data->arena, durations);
}

static void measure_phases(struct reading *reading, sqlite3_stmt *statement,
                           struct report_cell *cell, bool strict)
{
    (void)bind_run(statement, cell->run_id, strict);
    if (next_row(reading, statement)) {
        for (int i = 0; i < PHASE_COUNT; i++) {
            cell->phases_s[i] = number_at(statement, i);
        }
        cell->alignment_s = number_at(statement, PHASE_COUNT);
        cell->stop_s = number_at(statement, PHASE_COUNT + 1);
        cell->task_bytes = number_at(statement, PHASE_COUNT + 2);
        cell->written_bytes = number_at(statement, PHASE_COUNT + 3);
    }
}

static void read_cells(struct reading *reading)
{
    struct report_data *data = reading->data;
    sqlite3_stmt *statement = prepare(reading, cells_sql);
    sqlite3_stmt *durations = prepare(reading, durations_sql);
    sqlite3_stmt *phases = prepare(reading, phases_sql);
    size_t capacity = 0;
    while (next_row(reading, statement)) {
        data->cells = arena_grow(data->arena, data->cells, &capacity, data->cell_count + 1,
                                 sizeof *data->cells);
        struct report_cell *cell = &data->cells[data->cell_count++];
        *cell = (struct report_cell){ 0 };
        read_cell(reading, statement, cell);
        bool strict = true;
        measure_durations(reading, durations, cell, strict);
        if (cell->checkpoints == 0) {
            strict = false;
            measure_durations(reading, durations, cell, strict);
        }
        measure_phases(reading, phases, cell, strict);
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_finalize(durations);
    (void)sqlite3_finalize(phases);
}

/* What "plot" of a sweep's scenario names; an unknown name is of another build, and is passed
 * over. */
static const char plots_sql[] =
    "SELECT DISTINCT sweep, json_extract(chosen.value, '$.y'), json_extract(chosen.value, '$.x')"
    " FROM sweep_cell JOIN run ON run.id = run_id, json_each(scenario_json, '$.plot') chosen";

static void read_plots(struct reading *reading)
{
    struct report_data *data = reading->data;
    sqlite3_stmt *row = prepare(reading, plots_sql);
    while (next_row(reading, row)) {
        const char *sweep = text_at(reading, row, 0);
        enum figure_choice choice;
        if (!figure_choice_find(text_at(reading, row, 1), text_at(reading, row, 2), &choice)) {
            continue;
        }
        for (size_t i = 0; i < data->cell_count; i++) {
            if (strcmp(data->cells[i].sweep, sweep) == 0) {
                data->cells[i].plots |= 1u << choice;
            }
        }
    }
    (void)sqlite3_finalize(row);
}

/* ---- recoveries ------------------------------------------------------------------------------ */

static const char recoveries_sql[] =
    "SELECT (failed_ns - coalesce((SELECT triggered_ns FROM checkpoint c WHERE c.run_id = ?1"
    "   AND checkpoint_id = restored_from), 0)) / 1e9,"
    " (detected_ns - failed_ns) / 1e9, (chosen_ns - detected_ns) / 1e9,"
    " (running_ns - chosen_ns) / 1e9, (caught_up_ns - running_ns) / 1e9,"
    " (running_ns - failed_ns) / 1e9, (caught_up_ns - failed_ns) / 1e9, records_replayed"
    " FROM recovery WHERE run_id = ?1 ORDER BY number";

static void read_recoveries(struct reading *reading)
{
    struct report_data *data = reading->data;
    sqlite3_stmt *row = prepare(reading, recoveries_sql);
    size_t capacity = 0;
    for (size_t i = 0; i < data->cell_count && row != NULL; i++) {
        if (data->cells[i].recoveries == 0) {
            continue;
        }
        int code = sqlite3_reset(row);
        code = code == SQLITE_OK ? sqlite3_bind_int64(row, 1, data->cells[i].run_id) : code;
        CHECK(code == SQLITE_OK);
        while (next_row(reading, row)) {
            data->recoveries = arena_grow(data->arena, data->recoveries, &capacity,
                                          data->recovery_count + 1, sizeof *data->recoveries);
            data->recoveries[data->recovery_count++] = (struct report_recovery){
                .cell = &data->cells[i],
                .age_s = number_at(row, 0),
                .detection_s = number_at(row, 1),
                .restart_s = number_at(row, 2),
                .restore_s = number_at(row, 3),
                .catch_up_s = number_at(row, 4),
                .down_s = number_at(row, 5),
                .total_s = number_at(row, 6),
                .replayed = number_at(row, 7),
            };
        }
    }
    (void)sqlite3_finalize(row);
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static void read_comparisons(struct reading *reading)
{
    struct report_data *data = reading->data;
    size_t capacity = 0;
    sqlite3_stmt *row = prepare(
        reading, "SELECT name, coordinates, quantity, live_kind, tasks, interval_ns / 1e9,"
                 " simulated, live, live_runs, is_equal FROM comparison"
                 " ORDER BY name, tasks, interval_ns, coordinates, quantity");
    while (next_row(reading, row)) {
        data->comparisons = arena_grow(data->arena, data->comparisons, &capacity,
                                       data->comparison_count + 1, sizeof *data->comparisons);
        data->comparisons[data->comparison_count++] = (struct report_comparison){
            .name = text_at(reading, row, 0),
            .coordinates = text_at(reading, row, 1),
            .quantity = text_at(reading, row, 2),
            .live_kind = text_at(reading, row, 3),
            .tasks = number_at(row, 4),
            .interval_s = number_at(row, 5),
            .simulated = number_at(row, 6),
            .live = number_at(row, 7),
            .live_runs = number_at(row, 8),
            .is_equal = sqlite3_column_int(row, 9) != 0,
        };
    }
    (void)sqlite3_finalize(row);
}

enum status report_data_read(struct report_data *data, struct arena *arena, struct sqlite3 *db,
                             const char *path, struct buffer *error)
{
    CHECK(db != NULL);
    *data = (struct report_data){ .arena = arena };
    struct reading reading = { .data = data, .db = db, .path = path, .error = error };
    read_totals(&reading);
    read_runs(&reading);
    read_cells(&reading);
    read_plots(&reading);
    read_recoveries(&reading);
    read_comparisons(&reading);
    return reading.failed ? STATUS_IO : STATUS_OK;
}
