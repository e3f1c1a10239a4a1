#include <math.h>
#include <sqlite3.h>

#include "model/base/check.h"
#include "reports/figure_choice.h"
#include "reports/figure_run.h"

/* What is being read, and where a failure is told. */
struct reading {
    struct story *story;
    struct arena *arena;
    sqlite3 *db;
    const char *path;
    struct buffer *error;
    bool failed;
};

static sqlite3_stmt *prepare(struct reading *reading, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL);
    int parameters = code == SQLITE_OK ? sqlite3_bind_parameter_count(statement) : 0;
    if (code == SQLITE_OK && parameters >= 1) {
        code = sqlite3_bind_int64(statement, 1, reading->story->run_id);
    }
    if (code == SQLITE_OK && parameters >= 2) {
        code = sqlite3_bind_double(statement, 2, reading->story->from_s * 1e9);
    }
    if (code == SQLITE_OK && parameters >= 3) {
        code = sqlite3_bind_double(statement, 3, reading->story->to_s * 1e9);
    }
    if (code != SQLITE_OK && !reading->failed) {
        buffer_append_format(reading->error, "%s: cannot read: %s", reading->path,
                             sqlite3_errmsg(reading->db));
        reading->failed = true;
    }
    return statement;
}

static bool next_row(struct reading *reading, sqlite3_stmt *row)
{
    int code = row == NULL || reading->failed ? SQLITE_DONE : sqlite3_step(row);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        buffer_append_format(reading->error, "%s: cannot read: %s", reading->path,
                             sqlite3_errmsg(reading->db));
        reading->failed = true;
    }
    return code == SQLITE_ROW;
}

static double number_at(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? NAN
                                                           : sqlite3_column_double(row, column);
}

static const char *text_at(struct reading *reading, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return arena_text(reading->arena, text == NULL ? "" : text);
}

/* ---- which run, and which part of it --------------------------------------------------------- */

static void choose_run(struct reading *reading)
{
    struct story *story = reading->story;
    sqlite3_stmt *row =
        prepare(reading, "SELECT id, name, seed, parallelism, tasks / parallelism,"
                         " json_extract(scenario_json, '$.job.name'), interval_ns / 1e9,"
                         " simulated_ns / 1e9 FROM run WHERE recoveries > 0 AND tasks <= 24"
                         " ORDER BY json_extract(scenario_json, '$.job.input.rate') = 'unlimited',"
                         " (SELECT count(DISTINCT fired_ns) FROM fault WHERE run_id = id)"
                         " DESC, tasks DESC, id DESC LIMIT 1");
    _Static_assert(STORY_TASKS_MAX == 24, "the query's limit");
    if (next_row(reading, row)) {
        story->found = true;
        story->run_id = sqlite3_column_int64(row, 0);
        story->name = text_at(reading, row, 1);
        story->seed = text_at(reading, row, 2);
        story->parallelism = (uint32_t)sqlite3_column_int(row, 3);
        story->vertex_count = (uint32_t)sqlite3_column_int(row, 4);
        story->job = text_at(reading, row, 5);
        story->from_s = number_at(row, 6); /* for the while: the interval */
        story->to_s = number_at(row, 7);
    }
    (void)sqlite3_finalize(row);
}

static void read_plots(struct reading *reading)
{
    sqlite3_stmt *row =
        prepare(reading, "SELECT json_extract(chosen.value, '$.y'),"
                         " json_extract(chosen.value, '$.x') FROM run,"
                         " json_each(scenario_json, '$.plot') chosen WHERE run.id = ?1");
    while (next_row(reading, row)) {
        enum figure_choice choice;
        if (figure_choice_find(text_at(reading, row, 0), text_at(reading, row, 1), &choice)) {
            reading->story->plots |= 1u << choice;
        }
    }
    (void)sqlite3_finalize(row);
}

/* From two intervals before the first failure to one after the last that begins in time for at
 * most STORY_CHECKPOINTS_MAX checkpoints. */
static void choose_window(struct reading *reading)
{
    struct story *story = reading->story;
    double interval_s = story->from_s > 0 ? story->from_s : story->to_s / STORY_CHECKPOINTS_MAX;
    double end_s = story->to_s;
    sqlite3_stmt *row = prepare(reading, "SELECT failed_ns / 1e9, caught_up_ns / 1e9 FROM recovery"
                                         " WHERE run_id = ? ORDER BY number");
    bool is_first = true;
    while (next_row(reading, row)) {
        double failed_s = number_at(row, 0);
        double caught_up_s = number_at(row, 1);
        if (is_first) {
            story->from_s = failed_s > 2 * interval_s ? failed_s - 2 * interval_s : 0;
            story->to_s = failed_s;
        }
        double until_s = isfinite(caught_up_s) ? caught_up_s : end_s;
        bool fits = until_s - story->from_s <= (STORY_CHECKPOINTS_MAX - 2) * interval_s;
        if (is_first || fits) {
            story->to_s = until_s + interval_s;
        }
        is_first = false;
    }
    story->to_s = story->to_s < end_s ? story->to_s : end_s;
    (void)sqlite3_finalize(row);
    CHECK(story->from_s <= story->to_s);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void read_checkpoints(struct reading *reading)
{
    struct story *story = reading->story;
    sqlite3_stmt *row =
        prepare(reading, "SELECT checkpoint_id, triggered_ns / 1e9, ended_ns / 1e9,"
                         " fate = 'completed' FROM checkpoint WHERE run_id = ?1"
                         " AND triggered_ns >= ?2 AND triggered_ns <= ?3 ORDER BY triggered_ns");
    size_t capacity = 0;
    while (next_row(reading, row)) {
        story->checkpoints = arena_grow(reading->arena, story->checkpoints, &capacity,
                                        story->checkpoint_count + 1, sizeof *story->checkpoints);
        story->checkpoints[story->checkpoint_count++] =
            (struct story_checkpoint){ .id = number_at(row, 0),
                                       .triggered_s = number_at(row, 1),
                                       .ended_s = number_at(row, 2),
                                       .completed = sqlite3_column_int(row, 3) != 0 };
    }
    (void)sqlite3_finalize(row);
}

static void read_parts(struct reading *reading)
{
    struct story *story = reading->story;
    sqlite3_stmt *row = prepare(
        reading, "SELECT vertex, subtask, (triggered_ns + start_delay_ns) / 1e9,"
                 " alignment_ns / 1e9, sync_ns / 1e9, async_ns / 1e9 FROM task_checkpoint t"
                 " JOIN checkpoint c ON c.run_id = t.run_id AND c.checkpoint_id = t.checkpoint_id"
                 " WHERE t.run_id = ?1 AND triggered_ns >= ?2 AND triggered_ns <= ?3"
                 " ORDER BY triggered_ns, vertex, subtask");
    size_t capacity = 0;
    while (next_row(reading, row)) {
        story->parts = arena_grow(reading->arena, story->parts, &capacity, story->part_count + 1,
                                  sizeof *story->parts);
        struct story_part *part = &story->parts[story->part_count++];
        part->vertex = (uint32_t)sqlite3_column_int(row, 0);
        part->subtask = (uint32_t)sqlite3_column_int(row, 1);
        part->first_barrier_s = number_at(row, 2);
        part->aligned_s = part->first_barrier_s + number_at(row, 3);
        part->frozen_s = part->aligned_s + number_at(row, 4);
        part->written_s = part->frozen_s + number_at(row, 5);
    }
    (void)sqlite3_finalize(row);
}

/* Rows of: from, to, until, text. */
static void read_spans(struct reading *reading, const char *sql, struct story_span **spans,
                       size_t *count)
{
    sqlite3_stmt *row = prepare(reading, sql);
    size_t capacity = 0;
    while (next_row(reading, row)) {
        *spans = arena_grow(reading->arena, *spans, &capacity, *count + 1, sizeof **spans);
        (*spans)[(*count)++] = (struct story_span){ .from_s = number_at(row, 0),
                                                    .to_s = number_at(row, 1),
                                                    .until_s = number_at(row, 2),
                                                    .text = text_at(reading, row, 3) };
    }
    (void)sqlite3_finalize(row);
}

static void read_points(struct reading *reading)
{
    struct story *story = reading->story;
    sqlite3_stmt *row = prepare(reading, "SELECT time_ns / 1e9, records, lag_ns / 1e9 FROM progress"
                                         " WHERE run_id = ?1 ORDER BY time_ns");
    size_t capacity = 0;
    while (next_row(reading, row)) {
        story->points = arena_grow(reading->arena, story->points, &capacity, story->point_count + 1,
                                   sizeof *story->points);
        story->points[story->point_count++] = (struct story_point){ .time_s = number_at(row, 0),
                                                                    .records = number_at(row, 1),
                                                                    .lag_s = number_at(row, 2) };
    }
    (void)sqlite3_finalize(row);
}

enum status story_read(struct story *story, struct arena *arena, struct sqlite3 *db,
                       const char *path, struct buffer *error)
{
    CHECK(db != NULL);
    *story = (struct story){ 0 };
    struct reading reading = { story, arena, db, path, error, false };
    choose_run(&reading);
    if (story->found && !reading.failed) {
        read_plots(&reading);
        choose_window(&reading);
        read_checkpoints(&reading);
        read_parts(&reading);
        read_spans(&reading,
                   "SELECT fired_ns / 1e9, coalesce(ended_ns, fired_ns) / 1e9, NULL, text"
                   " FROM fault WHERE run_id = ?1 AND fired_ns IS NOT NULL ORDER BY fired_ns",
                   &story->faults, &story->fault_count);
        read_spans(&reading,
                   "SELECT failed_ns / 1e9, running_ns / 1e9, caught_up_ns / 1e9, cause"
                   " FROM recovery WHERE run_id = ?1 ORDER BY number",
                   &story->recoveries, &story->recovery_count);
        read_points(&reading);
    }
    return reading.failed ? STATUS_IO : STATUS_OK;
}
