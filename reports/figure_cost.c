#include "reports/figure_cost.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/cost_law.h"

enum { SERIES_MAX = 6 };

/* ---- regimes --------------------------------------------------------------------------------- */

/* The order in which the textbook would tell them. */
static uint32_t rank(const char *name)
{
    static const char *const names[] = { "own-disks", "shared-store", "incremental", "backpressure",
                                         "one-at-a-time" };
    uint32_t i = 0;
    while (i < sizeof names / sizeof *names && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

/* Different N, different T, all with checkpoints and without failures? */
static bool is_regime(const struct cost_regime *regime)
{
    bool tasks = false;
    bool intervals = false;
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        if (cell->recoveries != 0 || cell->interval_s == 0 || !isfinite(cell->duration_s)) {
            return false;
        }
        tasks = tasks || cell->tasks != regime->cells[0].tasks;
        intervals = intervals || cell->interval_s != regime->cells[0].interval_s;
    }
    return tasks && intervals;
}

static void insert(struct cost_regime *regimes, uint32_t count, struct cost_regime regime)
{
    uint32_t at = count;
    while (at > 0 && rank(regimes[at - 1].name) > rank(regime.name)) {
        regimes[at] = regimes[at - 1];
        at--;
    }
    regimes[at] = regime;
}

uint32_t cost_find_regimes(const struct report_data *data,
                           struct cost_regime regimes[COST_REGIMES_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < data->cell_count && count < COST_REGIMES_MAX;) {
        struct cost_regime regime = { .name = data->cells[i].sweep, .cells = &data->cells[i] };
        while (i < data->cell_count && strcmp(data->cells[i].sweep, regime.name) == 0) {
            regime.cell_count++;
            i++;
        }
        if (is_regime(&regime)) {
            insert(regimes, count++, regime);
        }
    }
    return count;
}

/* The different values of N or T in a regime, rising; of many, some. */
struct values {
    double values[SERIES_MAX];
    uint32_t count;
};

static double value_of(const struct report_cell *cell, bool tasks)
{
    return tasks ? cell->tasks : cell->interval_s;
}

static struct values find_values(const struct cost_regime *regime, bool tasks)
{
    struct values found = { .count = 0 };
    double last = -INFINITY;
    for (;;) {
        double next = INFINITY;
        for (size_t i = 0; i < regime->cell_count; i++) {
            double value = value_of(&regime->cells[i], tasks);
            next = value > last && value < next ? value : next;
        }
        if (next == INFINITY) {
            return found;
        }
        last = next;
        if (found.count == SERIES_MAX) {
            found.values[SERIES_MAX - 1] = next; /* the ends matter most */
        } else {
            found.values[found.count++] = next;
        }
    }
}

static const char *panel_name(struct arena *arena, const char *figure,
                              const struct cost_regime *regime)
{
    return arena_format(arena, "%s-%s", figure, regime->name);
}

/* ---- time over T x N ------------------------------------------------------------------------- */

/* Columns: T N, measured, own law; one block for each N. */
static void append_product_data(struct report_figure *figure, uint32_t index,
                                const struct cost_regime *regime,
                                const struct cost_analysis *analysis, const struct values *tasks)
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

static void append_product_plot(struct buffer *body, uint32_t index,
                                const struct cost_analysis *analysis, const struct values *tasks)
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

static void add_product_panel(struct report_figure *figure, struct arena *arena, uint32_t index,
                              const struct cost_regime *regime)
{
    struct cost_analysis analysis;
    if (!cost_analyse(&analysis, arena, regime)) {
        return;
    }
    struct values tasks = find_values(regime, true);
    append_product_data(figure, index, regime, &analysis, &tasks);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = regime->name,
                              .x = "interval × tasks, T × N (s)",
                              .y = "checkpoint time (s)",
                              .log_x = true,
                              .log_y = true,
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set samples 400\nset xrange [");
    plot_append_number(&body, analysis.interval_min_s * analysis.tasks_min / 1.4);
    buffer_append_text(&body, ":");
    plot_append_number(&body, analysis.interval_max_s * analysis.tasks_max * 1.4);
    buffer_append_text(&body, "]\n");
    append_product_plot(&body, index, &analysis, &tasks);
    const char *label = arena_format(
        arena,
        "%s: checkpoint time over T times N. R squared of the best line %s, of the own law %s",
        regime->name, text_r2(arena, analysis.line.r2), text_r2(arena, analysis.own.r2));
    figure_add_panel(figure, panel_name(arena, figure->name, regime), label, &body);
    buffer_append_text(&figure->caption, figure->panel_count > 1 ? "\n\n" : "");
    cost_describe(&analysis, regime, arena, &figure->caption);
    add_product_rows(figure->table, regime, &analysis);
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
    for (uint32_t i = 0; i < count; i++) {
        add_product_panel(figure, arena, i, &regimes[i]);
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
    struct values across = find_values(regime, by_tasks);
    struct values series = find_values(regime, !by_tasks);
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
static void append_value_tics(struct buffer *body, const struct values *values)
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
    struct values across = find_values(regime, by_tasks);
    struct values series = find_values(regime, !by_tasks);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = regime->name,
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
    figure_add_panel(figure, panel_name(arena, figure->name, regime), label, &body);
}

/* By what factor the time grows from the smallest to the largest N (or T), over all series. */
static void describe_cross(struct report_figure *figure, struct arena *arena,
                           const struct cost_regime *regime, bool by_tasks)
{
    struct values across = find_values(regime, by_tasks);
    struct values series = find_values(regime, !by_tasks);
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

/* ---- alignment ------------------------------------------------------------------------------- */

static double mean_alignment_s(const struct cost_regime *regime, double tasks)
{
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        if (cell->tasks == tasks && isfinite(cell->alignment_s)) {
            sum += cell->alignment_s;
            count++;
        }
    }
    return count == 0 ? NAN : sum / count;
}

static double parallelism_of(const struct cost_regime *regime, double tasks)
{
    for (size_t i = 0; i < regime->cell_count; i++) {
        if (regime->cells[i].tasks == tasks) {
            return regime->cells[i].parallelism;
        }
    }
    return NAN;
}

static void append_alignment_data(struct report_figure *figure, uint32_t index,
                                  const struct cost_regime *regime)
{
    struct values tasks = find_values(regime, true);
    buffer_append_format(&figure->data, "$alignment%" PRIu32 " << EOD\n", index);
    for (uint32_t k = 0; k < tasks.count; k++) {
        double mean_s = mean_alignment_s(regime, tasks.values[k]);
        double parallelism = parallelism_of(regime, tasks.values[k]);
        plot_append_number(&figure->data, parallelism);
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, mean_s > 0 ? mean_s * 1e3 : NAN); /* a log axis */
        buffer_append_text(&figure->data, "\n");
        table_add(figure->table, regime->name);
        table_add_number(figure->table, parallelism);
        table_add_number(figure->table, mean_s);
    }
    buffer_append_text(&figure->data, "EOD\n");
}

void figure_alignment(struct report_figure *figure, struct arena *arena,
                      const struct cost_regime *regimes, uint32_t count)
{
    static const char *const columns[] = { "regime", "parallelism p",
                                           "mean of the longest alignments (s)" };
    CHECK(count > 0 && count <= COST_REGIMES_MAX);
    figure_init(figure, arena, "alignment", "Alignment time against parallelism");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, figure->title, columns, 3);
    figure->wide = true;
    figure->height = 0.42;
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = "the longest alignment of a checkpoint",
                              .x = "parallelism p",
                              .y = "alignment (ms)",
                              .log_x = true,
                              .log_y = true,
                              .key = "outside right top Left reverse" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set xrange [0.8:*]\nplot ");
    buffer_append_text(&figure->caption,
                       "From its first barrier to its last a task holds records back. Means, "
                       "smallest to largest parallelism:");
    for (uint32_t i = 0; i < count; i++) {
        append_alignment_data(figure, i, &regimes[i]);
        buffer_append_format(&body,
                             "%s$alignment%" PRIu32 " using 1:2 with linespoints pt %" PRIu32
                             " ps 0.9 lw 1.4 dt %" PRIu32 " lc rgb '%s' title '%s'",
                             i == 0 ? "" : ", \\\n    ", i, plot_shape(i), i + 1, plot_colour(i),
                             regimes[i].name);
        struct values tasks = find_values(&regimes[i], true);
        buffer_append_format(
            &figure->caption, "%s %s %s to %s", i == 0 ? "" : ",", regimes[i].name,
            text_seconds(arena, mean_alignment_s(&regimes[i], tasks.values[0])),
            text_seconds(arena, mean_alignment_s(&regimes[i], tasks.values[tasks.count - 1])));
    }
    buffer_append_text(&figure->caption,
                       ". Without backpressure it is a matter of network delays; with it, of full "
                       "buffers. A task with one input never aligns.");
    buffer_append_text(&body, "\n");
    figure_add_panel(figure, "alignment-all", "alignment time over parallelism, one line a regime",
                     &body);
}

/* ---- phases ---------------------------------------------------------------------------------- */

static const char *const phase_names[PHASE_COUNT] = { "waits for a barrier", "aligns",
                                                      "stands still (sync)", "writes (async)",
                                                      "acknowledges, manifest" };

/* Means over all runs with this N. */
static void mean_phases(const struct cost_regime *regime, double tasks,
                        double phases_s[PHASE_COUNT])
{
    double count = 0;
    for (int j = 0; j < PHASE_COUNT; j++) {
        phases_s[j] = 0;
    }
    for (size_t i = 0; i < regime->cell_count; i++) {
        if (regime->cells[i].tasks != tasks || !isfinite(regime->cells[i].phases_s[0])) {
            continue;
        }
        count++;
        for (int j = 0; j < PHASE_COUNT; j++) {
            double phase_s = regime->cells[i].phases_s[j];
            phases_s[j] += phase_s > 0 ? phase_s : 0;
        }
    }
    for (int j = 0; j < PHASE_COUNT; j++) {
        phases_s[j] /= count;
    }
}

static void append_phase_data(struct report_figure *figure, uint32_t index,
                              const struct cost_regime *regime)
{
    struct values tasks = find_values(regime, true);
    buffer_append_format(&figure->data, "$phases%" PRIu32 " << EOD\n", index);
    for (uint32_t k = 0; k < tasks.count; k++) {
        double phases_s[PHASE_COUNT];
        mean_phases(regime, tasks.values[k], phases_s);
        buffer_append_format(&figure->data, "%g", tasks.values[k]);
        table_add(figure->table, regime->name);
        table_add_number(figure->table, tasks.values[k]);
        for (int j = 0; j < PHASE_COUNT; j++) {
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, phases_s[j] * 1e3);
            table_add_number(figure->table, phases_s[j]);
        }
        buffer_append_text(&figure->data, "\n");
    }
    buffer_append_text(&figure->data, "EOD\n");
}

static void add_phase_panel(struct report_figure *figure, struct arena *arena, uint32_t index,
                            const struct cost_regime *regime)
{
    /* From light to dark, so that a print without colour keeps them apart. */
    static const char *const fills[PHASE_COUNT] = { "#e3e8ee", "#f2b27a", "#d1660a", "#6b9bc9",
                                                    "#004c99" };
    append_phase_data(figure, index, regime);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = regime->name,
                              .x = "tasks N",
                              .y = "time (ms)",
                              .key = "below center horizontal Left reverse width 1 maxrows 3" };
    plot_begin(&body, &axes);
    buffer_append_text(&body,
                       "set style data histogram\nset style histogram rowstacked\n"
                       "set boxwidth 0.7\nset style fill solid 1.0 border lc rgb '" PLOT_INK "'\n"
                       "set yrange [0:*]\nplot ");
    for (int j = 0; j < PHASE_COUNT; j++) {
        buffer_append_format(&body, "%s$phases%" PRIu32 " using %d%s lc rgb '%s' lw 0.5 title '%s'",
                             j == 0 ? "" : ", \\\n    ", index, j + 2, j == 0 ? ":xtic(1)" : "",
                             fills[j], phase_names[j]);
    }
    buffer_append_text(&body, "\n");
    const char *label =
        arena_format(arena, "%s: the phases of a checkpoint, stacked, for each N", regime->name);
    figure_add_panel(figure, panel_name(arena, figure->name, regime), label, &body);
}

static void describe_phases(struct report_figure *figure, struct arena *arena,
                            const struct cost_regime *regime)
{
    struct values tasks = find_values(regime, true);
    double phases_s[PHASE_COUNT];
    mean_phases(regime, tasks.values[tasks.count - 1], phases_s);
    double sum_s = 0;
    int largest = 0;
    for (int j = 0; j < PHASE_COUNT; j++) {
        sum_s += phases_s[j];
        largest = phases_s[j] > phases_s[largest] ? j : largest;
    }
    buffer_append_format(&figure->caption, " In %s with N = %s, %s %% of the time it %s.",
                         regime->name, text_number(arena, tasks.values[tasks.count - 1]),
                         text_number(arena, 100 * phases_s[largest] / sum_s), phase_names[largest]);
}

void figure_phases(struct report_figure *figure, struct arena *arena,
                   const struct cost_regime *regimes, uint32_t count)
{
    static const char *const columns[] = { "regime",   "N (tasks)", "start delay (s)", "align (s)",
                                           "sync (s)", "async (s)", "rest (s)" };
    CHECK(count > 0 && count <= COST_REGIMES_MAX);
    figure_init(figure, arena, "phases", "Where the time of a checkpoint goes");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, figure->title, columns, 2 + PHASE_COUNT);
    buffer_append_text(&figure->caption,
                       "The phases of the subtask that acknowledged last, means over all T and "
                       "seeds.");
    for (uint32_t i = 0; i < count; i++) {
        add_phase_panel(figure, arena, i, &regimes[i]);
        describe_phases(figure, arena, &regimes[i]);
    }
}
