#include "reports/figure_run.h"

#include <inttypes.h>
#include <math.h>

#include "model/base/check.h"

/* ---- what both figures share ----------------------------------------------------------------- */

static void append_pair(struct buffer *out, double a, double b)
{
    plot_append_number(out, a);
    buffer_append_text(out, " ");
    plot_append_number(out, b);
}

static void append_x_range(struct buffer *body, double from_s, double to_s)
{
    buffer_append_text(body, "set xrange [");
    plot_append_number(body, from_s);
    buffer_append_text(body, ":");
    plot_append_number(body, to_s > from_s ? to_s : from_s + 1);
    buffer_append_text(body, "]\n");
}

static double clip(double value, double low, double high)
{
    return !(value >= low) ? low : value > high ? high : value;
}

static void append_shade(struct buffer *body, double from_s, double to_s, const char *colour)
{
    if (!(from_s < to_s)) {
        return;
    }
    buffer_append_text(body, "set object rectangle from ");
    plot_append_number(body, from_s);
    buffer_append_text(body, ", graph 0 to ");
    plot_append_number(body, to_s);
    buffer_append_format(body, ", graph 1 fc rgb '%s' fs solid 1.0 noborder behind\n", colour);
}

/* Down in grey, catching up in light grey, as far as the window shows it. */
static void append_recoveries(struct buffer *body, const struct story *story, double from_s,
                              double to_s)
{
    for (size_t i = 0; i < story->recovery_count; i++) {
        const struct story_span *recovery = &story->recoveries[i];
        double running_s = isfinite(recovery->to_s) ? recovery->to_s : to_s;
        double caught_up_s = isfinite(recovery->until_s) ? recovery->until_s : to_s;
        append_shade(body, clip(recovery->from_s, from_s, to_s), clip(running_s, from_s, to_s),
                     PLOT_DOWN);
        append_shade(body, clip(running_s, from_s, to_s), clip(caught_up_s, from_s, to_s),
                     PLOT_LIGHT);
    }
}

static void append_fault_lines(struct buffer *body, const struct story *story)
{
    for (size_t i = 0; i < story->fault_count; i++) {
        buffer_append_text(body, "set arrow from ");
        plot_append_number(body, story->faults[i].from_s);
        buffer_append_text(body, ", graph 0 to ");
        plot_append_number(body, story->faults[i].from_s);
        buffer_append_text(body,
                           ", graph 1 nohead dt (6,4) lw 1.4 lc rgb '" PLOT_FAULT "' front\n");
    }
}

/* ---- the timeline ---------------------------------------------------------------------------- */

/* Rows from the top: faults, JobManager, then each subtask. */
static uint32_t row_count(const struct story *story)
{
    return 2 + story->vertex_count * story->parallelism;
}

static uint32_t row_of(const struct story *story, uint32_t vertex, uint32_t subtask)
{
    CHECK(vertex < story->vertex_count && subtask < story->parallelism);
    return 2 + vertex * story->parallelism + subtask;
}

/* The first vertex reads; the last one gives the job its name. */
static const char *task_name(const struct story *story, struct arena *arena, uint32_t vertex,
                             uint32_t subtask)
{
    if (vertex == 0) {
        return arena_format(arena, "source[%" PRIu32 "]", subtask);
    }
    if (vertex + 1 == story->vertex_count) {
        return arena_format(arena, "%s[%" PRIu32 "]", story->job, subtask);
    }
    return arena_format(arena, "vertex %" PRIu32 "[%" PRIu32 "]", vertex, subtask);
}

/* Columns for boxxyerror: middle, row, from, to, and the upper and lower edge. */
static void append_bar(struct buffer *out, uint32_t row, double from_s, double to_s, double half)
{
    if (!isfinite(from_s) || !(to_s >= from_s)) {
        return;
    }
    append_pair(out, (from_s + to_s) / 2, row);
    buffer_append_text(out, " ");
    append_pair(out, from_s, to_s);
    buffer_append_text(out, " ");
    append_pair(out, row - half, row + half);
    buffer_append_text(out, "\n");
}

/* gnuplot complains of a block without a row: one far below the picture is always there. */
static void end_block(struct buffer *out)
{
    buffer_append_text(out, "-1 -9 -2 -1 -9.1 -9\nEOD\n");
}

static void append_timeline_data(struct report_figure *figure, const struct story *story)
{
    struct buffer *out = &figure->data;
    buffer_append_text(out, "$checkpoints << EOD\n");
    for (size_t i = 0; i < story->checkpoint_count; i++) {
        const struct story_checkpoint *checkpoint = &story->checkpoints[i];
        double ended_s = isfinite(checkpoint->ended_s) ? checkpoint->ended_s : story->to_s;
        append_bar(out, 1, checkpoint->triggered_s, ended_s, 0.2);
    }
    end_block(out);
    static const char *const blocks[] = { "aligning", "frozen", "writing" };
    for (size_t block = 0; block < sizeof blocks / sizeof *blocks; block++) {
        buffer_append_format(out, "$%s << EOD\n", blocks[block]);
        for (size_t i = 0; i < story->part_count; i++) {
            const struct story_part *part = &story->parts[i];
            const double edges[] = { part->first_barrier_s, part->aligned_s, part->frozen_s,
                                     part->written_s };
            if (edges[block + 1] > edges[block]) {
                append_bar(out, row_of(story, part->vertex, part->subtask), edges[block],
                           edges[block + 1], 0.36);
            }
        }
        end_block(out);
    }
    buffer_append_text(out, "$faults << EOD\n");
    for (size_t i = 0; i < story->fault_count; i++) {
        append_bar(out, 0, story->faults[i].from_s, story->faults[i].to_s, 0.36);
    }
    end_block(out);
}

static void append_rows(struct buffer *body, struct arena *arena, const struct story *story)
{
    buffer_append_format(body,
                         "set yrange [%" PRIu32 ".6:-0.6]\nset ytics ('faults' 0, "
                         "'checkpoints' 1",
                         row_count(story) - 1);
    for (uint32_t vertex = 0; vertex < story->vertex_count; vertex++) {
        for (uint32_t subtask = 0; subtask < story->parallelism; subtask++) {
            buffer_append_text(body, ", ");
            plot_append_text(body, task_name(story, arena, vertex, subtask));
            buffer_append_format(body, " %" PRIu32, row_of(story, vertex, subtask));
        }
    }
    buffer_append_text(body, ")\n");
}

static void append_bars(struct buffer *body, const char *block, const char *colour,
                        const char *title)
{
    buffer_append_format(body,
                         "$%s using 1:2:3:4:5:6 with boxxyerror fs solid 1.0 border lc rgb '%s'"
                         " lc rgb '%s' lw 0.8 title '%s'",
                         block, colour, colour, title);
}

static void add_timeline_panel(struct report_figure *figure, struct arena *arena,
                               const struct story *story, double from_s, double to_s, bool detail)
{
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = detail ? "one checkpoint" : "around the failure",
                              .x = "simulated time (s)",
                              .y = "",
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "unset grid\n");
    append_x_range(&body, from_s, to_s);
    append_rows(&body, arena, story);
    append_recoveries(&body, story, from_s, to_s);
    buffer_append_text(&body, "plot ");
    append_bars(&body, "checkpoints", PLOT_FIFTH, "checkpoint, trigger to end");
    buffer_append_text(&body, ", \\\n    ");
    append_bars(&body, "aligning", "#f2b27a", "aligns");
    buffer_append_text(&body, ", \\\n    ");
    append_bars(&body, "frozen", PLOT_SECOND, "stands still (sync)");
    buffer_append_text(&body, ", \\\n    ");
    append_bars(&body, "writing", PLOT_MAIN, "writes to the store");
    if (!detail) {
        buffer_append_text(&body, ", \\\n    ");
        append_bars(&body, "faults", PLOT_FAULT, "fault");
        buffer_append_text(&body, ", \\\n    keyentry with boxes fc rgb '" PLOT_DOWN
                                  "' title 'down', \\\n    keyentry with boxes fc rgb '" PLOT_LIGHT
                                  "' title 'catching up'");
    }
    buffer_append_text(&body, "\n");
    figure_add_panel(figure, detail ? "timeline-detail" : "timeline-overview",
                     detail ? "one checkpoint: subtasks as rows, phases as spans"
                            : "subtasks as rows: alignment, snapshot, store, restart; faults",
                     &body);
}

/* The first completed checkpoint of the window; NULL: none. */
static const struct story_checkpoint *first_completed(const struct story *story)
{
    for (size_t i = 0; i < story->checkpoint_count; i++) {
        if (story->checkpoints[i].completed &&
            story->checkpoints[i].ended_s > story->checkpoints[i].triggered_s) {
            return &story->checkpoints[i];
        }
    }
    return NULL;
}

static void fill_timeline_table(struct report_figure *figure, struct arena *arena,
                                const struct story *story)
{
    static const char *const columns[] = { "subtask", "first barrier (s)", "aligned (s)",
                                           "frozen (s)", "written (s)" };
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Phases of each subtask", columns, 5);
    for (size_t i = 0; i < story->part_count; i++) {
        const struct story_part *part = &story->parts[i];
        table_add(figure->table, task_name(story, arena, part->vertex, part->subtask));
        table_add_number(figure->table, part->first_barrier_s);
        table_add_number(figure->table, part->aligned_s);
        table_add_number(figure->table, part->frozen_s);
        table_add_number(figure->table, part->written_s);
    }
}

static void append_which_run(struct report_figure *figure, const struct story *story)
{
    buffer_append_format(&figure->caption, "Run %" PRId64 ", %s, seed %s. ", story->run_id,
                         story->name, story->seed);
}

static void describe_recovery(struct report_figure *figure, struct arena *arena,
                              const struct story *story)
{
    CHECK(story->recovery_count > 0);
    const struct story_span *recovery = &story->recoveries[0];
    buffer_append_format(&figure->caption, "At %s: %s.", text_seconds(arena, recovery->from_s),
                         recovery->text);
    if (isfinite(recovery->to_s)) {
        buffer_append_format(&figure->caption, " The job runs again %s later",
                             text_seconds(arena, recovery->to_s - recovery->from_s));
        if (isfinite(recovery->until_s)) {
            buffer_append_format(&figure->caption, ", and has caught up after another %s",
                                 text_seconds(arena, recovery->until_s - recovery->to_s));
        }
        buffer_append_text(&figure->caption, ".");
    }
}

void figure_timeline(struct report_figure *figure, struct arena *arena, const struct story *story)
{
    CHECK(story->found);
    figure_init(figure, arena, "timeline", "One run, subtask by subtask");
    figure->wide = true;
    figure->columns = 1;
    uint32_t rows = row_count(story);
    figure->height = 0.17 + 0.024 * rows;
    append_timeline_data(figure, story);
    add_timeline_panel(figure, arena, story, story->from_s, story->to_s, false);
    const struct story_checkpoint *checkpoint = first_completed(story);
    append_which_run(figure, story);
    describe_recovery(figure, arena, story);
    if (checkpoint != NULL) {
        double took_s = checkpoint->ended_s - checkpoint->triggered_s;
        add_timeline_panel(figure, arena, story, checkpoint->triggered_s - took_s / 20,
                           checkpoint->ended_s + took_s / 20, true);
        buffer_append_format(&figure->caption,
                             " Below, checkpoint %.0f alone: %s from its trigger to its end.",
                             checkpoint->id, text_seconds(arena, took_s));
    }
    fill_timeline_table(figure, arena, story);
}

/* ---- throughput and lag ---------------------------------------------------------------------- */

/* Columns: time, records per second since the point before, lag. After a restore the sources
 * stand further back: that is no throughput. */
static void append_failure_data(struct report_figure *figure, const struct story *story)
{
    buffer_append_text(&figure->data, "$rate << EOD\n");
    for (size_t i = 1; i < story->point_count; i++) {
        const struct story_point *point = &story->points[i];
        const struct story_point *before = &story->points[i - 1];
        double rate = (point->records - before->records) / (point->time_s - before->time_s);
        rate = rate >= 0 ? rate : NAN;
        append_pair(&figure->data, point->time_s, rate);
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, point->lag_s);
        buffer_append_text(&figure->data, "\n");
        table_add_number(figure->table, point->time_s);
        table_add_number(figure->table, point->records);
        table_add_number(figure->table, rate);
        table_add_number(figure->table, point->lag_s);
    }
    buffer_append_text(&figure->data, "\n-1 0 0\nEOD\n"); /* never without a row */
}

static void add_failure_panel(struct report_figure *figure, struct arena *arena,
                              const struct story *story, bool lag)
{
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = lag ? "latency: the largest lag of a source"
                                           : "throughput of all sources",
                              .x = "simulated time (s)",
                              .y = lag ? "lag (s)" : "records/s",
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    double end_s = story->points[story->point_count - 1].time_s;
    append_x_range(&body, 0, end_s);
    append_recoveries(&body, story, 0, end_s);
    append_fault_lines(&body, story);
    buffer_append_format(&body,
                         "set yrange [0:1e-3<*]\nplot $rate using 1:%d with %s lw 1.8 lc rgb '%s'"
                         " title '%s', \\\n    keyentry with lines dt (6,4) lw 1.4 lc rgb"
                         " '" PLOT_FAULT "' title 'fault', \\\n    keyentry with boxes fc rgb"
                         " '" PLOT_DOWN "' title 'down', \\\n    keyentry with boxes fc rgb"
                         " '" PLOT_LIGHT "' title 'catching up'\n",
                         lag ? 3 : 2, lag ? "lines" : "steps", lag ? PLOT_SECOND : PLOT_MAIN,
                         lag ? "lag" : "throughput");
    figure_add_panel(figure, lag ? "failure-lag" : "failure-throughput", axes.title, &body);
}

void figure_failure(struct report_figure *figure, struct arena *arena, const struct story *story)
{
    static const char *const columns[] = { "time (s)", "records", "throughput (1/s)", "lag (s)" };
    CHECK(story->found);
    figure_init(figure, arena, "failure", "Throughput and latency around a failure");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Progress of the sources", columns, 4);
    if (story->point_count < 2) {
        return;
    }
    append_failure_data(figure, story);
    add_failure_panel(figure, arena, story, false);
    add_failure_panel(figure, arena, story, true);
    double lag_s = 0;
    for (size_t i = 0; i < story->point_count; i++) {
        lag_s = story->points[i].lag_s > lag_s ? story->points[i].lag_s : lag_s;
    }
    append_which_run(figure, story);
    describe_recovery(figure, arena, story);
    buffer_append_format(&figure->caption,
                         " The lag of the sources grows to %s: the downtime and what must be read "
                         "again.",
                         text_seconds(arena, lag_s));
}
