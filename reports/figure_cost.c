#include "reports/figure_cost.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/cost_law.h"

/* ---- time over T x N ------------------------------------------------------------------------- */

/* Columns: T N, measured, own law; one block for each N. */
static void append_product_data(struct report_figure *figure, uint32_t index,
                                const struct cost_regime *regime,
                                const struct cost_analysis *analysis,
                                const struct cost_values *tasks)
{
    for (uint32_t k = 0; k < tasks->count; k++) {
        buffer_append_format(&figure->data, "$product%" PRIu32 "_%" PRIu32 " << EOD\n", index, k);
        for (size_t i = 0; i < regime->cell_count; i++) {
            if (regime->cells[i].tasks != tasks->values[k]) {
                continue;
            }
            plot_append_number(&figure->data, analysis->product_s[i]);
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, analysis->duration_s[i]);
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, analysis->law_s[i]);
            buffer_append_text(&figure->data, "\n");
        }
        buffer_append_text(&figure->data, "EOD\n");
    }
}

/* How well each of the three explains the points, where no point is: on the left, far above. */
static void append_fits(struct buffer *body, struct arena *arena,
                        const struct cost_analysis *analysis)
{
    const struct {
        const char *name;
        double r2;
    } fits[] = { { "T × N", analysis->formula_r2 },
                 { "best a·T·N + b", analysis->line.r2 },
                 { "own law", analysis->own.r2 } };
    for (uint32_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        buffer_append_format(body,
                             "set label %" PRIu32 " 'R² of %s: %s' at graph 0.03,%.2f"
                             " textcolor rgb '" PLOT_INK "' noenhanced\n",
                             i + 1, fits[i].name, text_r2(arena, fits[i].r2), 0.94 - 0.09 * i);
    }
}

static void append_product_plot(struct buffer *body, uint32_t index,
                                const struct cost_analysis *analysis,
                                const struct cost_values *tasks)
{
    buffer_append_text(body, "plot x with lines dt (10,6) lw 1.6 lc rgb '" PLOT_INK
                             "' title 'T × N', \\\n    ");
    plot_append_number(body, analysis->line.slope);
    buffer_append_text(body, "*x + ");
    plot_append_number(body, analysis->line.intercept);
    buffer_append_text(body, " with lines dt (2,4) lw 2 lc rgb '" PLOT_SECOND "'"
                             " title 'best a·T·N + b'");
    for (uint32_t k = 0; k < tasks->count; k++) {
        buffer_append_format(body,
                             ", \\\n    $product%" PRIu32 "_%" PRIu32
                             " using 1:3 with lines lw 1.2 lc rgb '" PLOT_FIFTH "' %s",
                             index, k, k == 0 ? "title 'own law'" : "notitle");
    }
    for (uint32_t k = 0; k < tasks->count; k++) {
        buffer_append_format(body,
                             ", \\\n    $product%" PRIu32 "_%" PRIu32
                             " using 1:2 with points pt %" PRIu32
                             " ps 0.8 lw 1.4 lc rgb '%s' title 'N = %g'",
                             index, k, plot_shape(k), plot_colour(k), tasks->values[k]);
    }
    buffer_append_text(body, "\n");
}

static void add_product_rows(struct report_table *table, const struct cost_regime *regime,
                             const struct cost_analysis *analysis)
{
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        table_add(table, regime->name);
        table_add_number(table, cell->tasks);
        table_add_number(table, cell->interval_s);
        table_add_number(table, cell->seed);
        table_add_number(table, cell->checkpoints);
        table_add_number(table, cell->duration_s);
        table_add_number(table, analysis->product_s[i]);
        table_add_number(table,
                         analysis->line.slope * analysis->product_s[i] + analysis->line.intercept);
        table_add_number(table, analysis->law_s[i]);
        table_add_number(table, cell->bytes);
    }
}

/* All panels have the same y axis, whole decades, so that they can be compared. */
struct decades {
    double low, high;
};

static struct decades find_decades(const struct cost_regime *regimes, uint32_t count)
{
    double low = INFINITY;
    double high = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < regimes[i].cell_count; j++) {
            const struct report_cell *cell = &regimes[i].cells[j];
            low = fmin(low, fmin(cell->duration_s, cell->interval_s * cell->tasks));
            high = fmax(high, fmax(cell->duration_s, cell->interval_s * cell->tasks));
        }
    }
    return (struct decades){ pow(10, floor(log10(low))), pow(10, ceil(log10(high))) };
}

static void append_ranges(struct buffer *body, const struct cost_analysis *analysis,
                          struct decades decades)
{
    buffer_append_text(body, "set samples 100\nset xrange [");
    plot_append_number(body, analysis->interval_min_s * analysis->tasks_min / 1.4);
    buffer_append_text(body, ":");
    plot_append_number(body, analysis->interval_max_s * analysis->tasks_max * 1.4);
    buffer_append_text(body, "]\nset yrange [");
    plot_append_number(body, decades.low);
    buffer_append_text(body, ":");
    plot_append_number(body, decades.high);
    buffer_append_text(body, "]\n");
}

static void add_product_panel(struct report_figure *figure, struct arena *arena, uint32_t index,
                              const struct cost_regime *regime,
                              const struct cost_analysis *analysis, struct decades decades)
{
    struct cost_values tasks = cost_values_of(regime, true);
    append_product_data(figure, index, regime, analysis, &tasks);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = cost_regime_title(regime),
                              .x = "interval × tasks, T × N (s)",
                              .y = "checkpoint time (s)",
                              .log_x = true,
                              .log_y = true,
                              .key = "below center vertical maxrows 4 Left reverse width 1" };
    plot_begin(&body, &axes);
    append_ranges(&body, analysis, decades);
    append_fits(&body, arena, analysis);
    append_product_plot(&body, index, analysis, &tasks);
    const char *label =
        arena_format(arena,
                     "%s: checkpoint time over T times N. R squared of T times N %s, of the best "
                     "line %s, of the "
                     "own law %s",
                     cost_regime_title(regime), text_r2(arena, analysis->formula_r2),
                     text_r2(arena, analysis->line.r2), text_r2(arena, analysis->own.r2));
    figure_add_panel(figure, cost_panel_name(arena, figure->name, regime), label, &body);
    buffer_append_text(&figure->caption, "\n\n");
    cost_describe(analysis, regime, arena, &figure->caption);
    add_product_rows(figure->table, regime, analysis);
}

/* How well each of the three explains each regime, as bars; what is worse than the mean has none.
 */
static void add_fit_panel(struct report_figure *figure, struct arena *arena,
                          const struct cost_regime *regimes, const struct cost_analysis *analyses,
                          uint32_t count)
{
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = "what explains the time",
                              .x = "",
                              .y = "R²",
                              .key = "below center vertical maxrows 3 Left reverse width 1" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set xtics rotate by -20 offset 0,0.3 noenhanced (");
    buffer_append_text(&figure->data, "$fits << EOD\n");
    for (uint32_t i = 0; i < count; i++) {
        const double r2[] = { analyses[i].formula_r2, analyses[i].line.r2, analyses[i].own.r2 };
        for (int j = 0; j < 3; j++) {
            plot_append_number(&figure->data, r2[j] > 0 ? r2[j] : 0);
            buffer_append_text(&figure->data, j < 2 ? " " : "\n");
        }
        buffer_append_text(&body, i == 0 ? "" : ", ");
        plot_append_text(&body, regimes[i].name);
        buffer_append_format(&body, " %" PRIu32, i);
    }
    buffer_append_text(&figure->data, "EOD\n");
    buffer_append_text(
        &body, ")\nset style data histogram\nset style histogram clustered gap 1\n"
               "set style fill solid 1.0 border lc rgb '" PLOT_INK "'\nset yrange [0:1.05]\n"
               "plot $fits using 1 lc rgb '" PLOT_INK "' lw 0.5 title 'T × N', \\\n"
               "    $fits using 2 lc rgb '#f2b27a' lw 0.5 title 'best a·T·N + b', \\\n"
               "    $fits using 3 lc rgb '#e3e8ee' lw 0.5 title 'own law'\n");
    figure_add_panel(figure, arena_format(arena, "%s-r2", figure->name),
                     "R squared of T times N, of the best line and of the own law, by regime",
                     &body);
}

void figure_time_by_product(struct report_figure *figure, struct arena *arena,
                            const struct cost_regime *regimes, uint32_t count)
{
    static const char *const columns[] = { "regime",      "N (tasks)",
                                           "T (s)",       "seed",
                                           "checkpoints", "median time (s)",
                                           "T x N (s)",   "best a T N + b (s)",
                                           "own law (s)", "mean size (bytes)" };
    CHECK(count > 0 && count <= COST_REGIMES_MAX);
    figure_init(figure, arena, "checkpoint-time", "Checkpoint time against T × N");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Checkpoint time, formula and law", columns,
               sizeof columns / sizeof *columns);
    buffer_append_text(&figure->caption,
                       "R² is the share of the variance that a formula explains: 1 is all of it, "
                       "0 no more than the mean does, and below 0 it is worse than the mean.");
    struct decades decades = find_decades(regimes, count);
    struct cost_regime drawn[COST_REGIMES_MAX];
    struct cost_analysis analyses[COST_REGIMES_MAX];
    uint32_t drawn_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cost_analysis *analysis = &analyses[drawn_count];
        if (cost_analyse(analysis, arena, &regimes[i])) {
            add_product_panel(figure, arena, i, &regimes[i], analysis, decades);
            drawn[drawn_count++] = regimes[i];
        }
    }
    if (drawn_count > 1) {
        add_fit_panel(figure, arena, drawn, analyses, drawn_count);
    }
}

/* ---- time over N, and over T ----------------------------------------------------------------- */

/* Mean over the seeds; NAN where there is none. */
static double mean_duration_s(const struct cost_regime *regime, double tasks, double interval_s)
{
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        if (cell->tasks == tasks && cell->interval_s == interval_s) {
            sum += cell->duration_s;
            count++;
        }
    }
    return count == 0 ? NAN : sum / count;
}

/* Columns: N (or T), and the durations for each T (or N). */
static void append_cross_data(struct report_figure *figure, uint32_t index,
                              const struct cost_regime *regime, bool by_tasks)
{
    struct cost_values across = cost_values_of(regime, by_tasks);
    struct cost_values series = cost_values_of(regime, !by_tasks);
    buffer_append_format(&figure->data, "$%s%" PRIu32 " << EOD\n", by_tasks ? "tasks" : "interval",
                         index);
    for (uint32_t i = 0; i < across.count; i++) {
        plot_append_number(&figure->data, across.values[i]);
        for (uint32_t k = 0; k < series.count; k++) {
            double mean_s = by_tasks ? mean_duration_s(regime, across.values[i], series.values[k])
                                     : mean_duration_s(regime, series.values[k], across.values[i]);
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, mean_s);
            table_add(figure->table, regime->name);
            table_add_number(figure->table, across.values[i]);
            table_add_number(figure->table, series.values[k]);
            table_add_number(figure->table, mean_s);
        }
        buffer_append_text(&figure->data, "\n");
    }
    buffer_append_text(&figure->data, "EOD\n");
}

/* A mark at each value, and a little room at both ends of the logarithmic axis. */
static void append_value_tics(struct buffer *body, const struct cost_values *values)
{
    CHECK(values->count > 0);
    buffer_append_text(body, "set xrange [");
    plot_append_number(body, values->values[0] / 1.25);
    buffer_append_text(body, ":");
    plot_append_number(body, values->values[values->count - 1] * 1.25);
    buffer_append_text(body, "]\nset xtics (");
    for (uint32_t i = 0; i < values->count; i++) {
        buffer_append_format(body, "%s'%g' ", i == 0 ? "" : ", ", values->values[i]);
        plot_append_number(body, values->values[i]);
    }
    buffer_append_text(body, ")\n");
}

static void add_cross_panel(struct report_figure *figure, struct arena *arena, uint32_t index,
                            const struct cost_regime *regime, bool by_tasks)
{
    append_cross_data(figure, index, regime, by_tasks);
    struct cost_values across = cost_values_of(regime, by_tasks);
    struct cost_values series = cost_values_of(regime, !by_tasks);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = cost_regime_title(regime),
                              .x = by_tasks ? "tasks N" : "interval T (s)",
                              .y = "checkpoint time (s)",
                              .log_x = true,
                              .log_y = true,
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    append_value_tics(&body, &across);
    buffer_append_text(&body, "plot ");
    for (uint32_t k = 0; k < series.count; k++) {
        buffer_append_format(&body,
                             "%s$%s%" PRIu32 " using 1:%" PRIu32 " with linespoints pt %" PRIu32
                             " ps 0.9 lw 1.4 dt %" PRIu32 " lc rgb '%s' title '%s %s'",
                             k == 0 ? "" : ", \\\n    ", by_tasks ? "tasks" : "interval", index,
                             k + 2, plot_shape(k), k + 1, plot_colour(k), by_tasks ? "T =" : "N =",
                             by_tasks ? text_seconds(arena, series.values[k])
                                      : text_number(arena, series.values[k]));
    }
    buffer_append_text(&body, "\n");
    const char *label = arena_format(arena, "%s: checkpoint time over %s", regime->name,
                                     by_tasks ? "the number of tasks" : "the interval");
    figure_add_panel(figure, cost_panel_name(arena, figure->name, regime), label, &body);
}

/* By what factor the time grows from the smallest to the largest N (or T), over all series. */
static void describe_cross(struct report_figure *figure, struct arena *arena,
                           const struct cost_regime *regime, bool by_tasks)
{
    struct cost_values across = cost_values_of(regime, by_tasks);
    struct cost_values series = cost_values_of(regime, !by_tasks);
    double low = INFINITY;
    double high = -INFINITY;
    for (uint32_t k = 0; k < series.count; k++) {
        double first = across.values[0];
        double last = across.values[across.count - 1];
        double ratio = by_tasks ? mean_duration_s(regime, last, series.values[k]) /
                                      mean_duration_s(regime, first, series.values[k])
                                : mean_duration_s(regime, series.values[k], last) /
                                      mean_duration_s(regime, series.values[k], first);
        low = ratio < low ? ratio : low;
        high = ratio > high ? ratio : high;
    }
    buffer_append_format(&figure->caption, "%s%s: %s to %s times.",
                         figure->panel_count > 1 ? " " : "", regime->name, text_number(arena, low),
                         text_number(arena, high));
}

static void make_cross(struct report_figure *figure, struct arena *arena,
                       const struct cost_regime *regimes, uint32_t count, bool by_tasks)
{
    static const char *const tasks_columns[] = { "regime", "N (tasks)", "T (s)",
                                                 "mean of the medians (s)" };
    static const char *const interval_columns[] = { "regime", "T (s)", "N (tasks)",
                                                    "mean of the medians (s)" };
    CHECK(count > 0 && count <= COST_REGIMES_MAX);
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, figure->title,
               by_tasks ? tasks_columns : interval_columns, 4);
    buffer_append_format(&figure->caption,
                         "Points are means over the seeds, one line for each %s. From the smallest "
                         "%s to the largest the time grows, in ",
                         by_tasks ? "interval T" : "number of tasks N", by_tasks ? "N" : "T");
    for (uint32_t i = 0; i < count; i++) {
        add_cross_panel(figure, arena, i, &regimes[i], by_tasks);
        describe_cross(figure, arena, &regimes[i], by_tasks);
    }
}

void figure_time_by_tasks(struct report_figure *figure, struct arena *arena,
                          const struct cost_regime *regimes, uint32_t count)
{
    figure_init(figure, arena, "time-by-tasks", "Checkpoint time against N, at fixed T");
    make_cross(figure, arena, regimes, count, true);
}

void figure_time_by_interval(struct report_figure *figure, struct arena *arena,
                             const struct cost_regime *regimes, uint32_t count)
{
    figure_init(figure, arena, "time-by-interval", "Checkpoint time against T, at fixed N");
    make_cross(figure, arena, regimes, count, false);
}
