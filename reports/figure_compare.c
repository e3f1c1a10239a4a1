#include "reports/figure_compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"

enum { COMPARISONS_MAX = 3, TASKS_MAX = 8, RATIO_PANELS = 2 };

/* Each comparison has its panels: the times, then the ratios. */
_Static_assert(COMPARISONS_MAX *(2 + RATIO_PANELS) <= REPORT_PANELS_MAX, "they fit");

/* The rows of one scenario. */
struct group {
    const char *name;
    const struct report_comparison *rows;
    size_t count;
};

static bool is_grid(const struct group *group)
{
    return strcmp(group->rows[0].coordinates, group->rows[group->count - 1].coordinates) != 0;
}

static uint32_t find_groups(const struct report_data *data, struct group groups[COMPARISONS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < data->comparison_count && count < COMPARISONS_MAX;) {
        struct group group = { .name = data->comparisons[i].name, .rows = &data->comparisons[i] };
        while (i < data->comparison_count && strcmp(data->comparisons[i].name, group.name) == 0) {
            group.count++;
            i++;
        }
        if (is_grid(&group)) {
            groups[count++] = group;
        }
    }
    return count;
}

static double ratio_of(const struct report_comparison *row)
{
    return row->live > 0 ? row->simulated / row->live : NAN;
}

static bool has_ratio(const struct report_comparison *row, const char *quantity)
{
    return strcmp(row->quantity, quantity) == 0 && isfinite(ratio_of(row));
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of all cells that have one, rising. */
static const double *ratios_of(const struct group *group, const char *quantity, struct arena *arena,
                               size_t *count)
{
    double *ratios = arena_alloc(arena, group->count, sizeof *ratios);
    *count = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (has_ratio(&group->rows[i], quantity)) {
            ratios[(*count)++] = ratio_of(&group->rows[i]);
        }
    }
    if (*count > 0) {
        qsort(ratios, *count, sizeof *ratios, compare_numbers);
    }
    return ratios;
}

/* ---- panels ---------------------------------------------------------------------------------- */

/* The different numbers of tasks, rising, as the rows are; of many, the first. */
static uint32_t tasks_of(const struct group *group, const char *quantity, double tasks[TASKS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < group->count && count < TASKS_MAX; i++) {
        const struct report_comparison *row = &group->rows[i];
        if (has_ratio(row, quantity) && (count == 0 || tasks[count - 1] != row->tasks)) {
            tasks[count++] = row->tasks;
        }
    }
    return count;
}

/* A unit in which the numbers of a quantity are short. */
struct unit {
    const char *name;
    double ns;
};

static struct unit unit_of(const struct group *group, const char *quantity)
{
    static const struct unit short_one = { "milliseconds", 1e6 };
    static const struct unit long_one = { "seconds", 1e9 };
    double most_ns = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (has_ratio(&group->rows[i], quantity)) {
            most_ns = fmax(most_ns, fmax(group->rows[i].simulated, group->rows[i].live));
        }
    }
    return most_ns < 2e9 ? short_one : long_one;
}

/* Columns: T N, simulated, live, ratio; one block for each N. */
static void append_data(struct report_figure *figure, const char *block, const struct group *group,
                        const char *quantity, const double *tasks, uint32_t task_count)
{
    double unit_ns = unit_of(group, quantity).ns;
    for (uint32_t k = 0; k < task_count; k++) {
        buffer_append_format(&figure->data, "$%s_%" PRIu32 " << EOD\n", block, k);
        for (size_t i = 0; i < group->count; i++) {
            const struct report_comparison *row = &group->rows[i];
            if (!has_ratio(row, quantity) || row->tasks != tasks[k]) {
                continue;
            }
            const double columns[] = { row->interval_s * row->tasks, row->simulated / unit_ns,
                                       row->live / unit_ns, ratio_of(row) };
            for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
                plot_append_number(&figure->data, columns[j]);
                buffer_append_text(&figure->data, j < 3 ? " " : "\n");
            }
        }
        buffer_append_text(&figure->data, "EOD\n");
    }
}

/* Simulated as a line of each N, what was measured as points. */
static void append_times(struct buffer *body, const char *block, const double *tasks,
                         uint32_t task_count)
{
    buffer_append_text(body, "set yrange [0:*]\nplot NaN with lines lw 1.6 lc rgb '" PLOT_INK
                             "' title 'simulated'");
    for (uint32_t k = 0; k < task_count; k++) {
        buffer_append_format(body,
                             ", \\\n    $%s_%" PRIu32 " using 1:2 with lines lw 1.6 lc rgb '%s'"
                             " notitle, \\\n"
                             "    $%s_%" PRIu32 " using 1:3 with points pt %" PRIu32
                             " ps 0.9 lw 1.4 lc rgb '%s' title 'live, N = %g'",
                             block, k, plot_colour(k), block, k, plot_shape(k), plot_colour(k),
                             tasks[k]);
    }
    buffer_append_text(body, "\n");
}

/* With the band that counts as agreement: a quarter more or less. */
static void append_ratios(struct buffer *body, const char *block, const double *tasks,
                          uint32_t task_count, double median)
{
    buffer_append_text(body, "set yrange [0.2:5]\nset ytics (0.2, 0.5, 0.8, 1, 1.25, 2, 5)\n"
                             "set object 1 rectangle from graph 0, first 0.8 to graph 1, first 1.25"
                             " behind fillcolor rgb '" PLOT_LIGHT "' fillstyle solid noborder\n"
                             "plot 1 with lines dt (10,6) lw 1.2 lc rgb '" PLOT_INK "' notitle");
    buffer_append_format(
        body, ", \\\n    %.4f with lines lw 2.4 lc rgb '" PLOT_INK "' title 'median %.2f'", median,
        median);
    for (uint32_t k = 0; k < task_count; k++) {
        buffer_append_format(body,
                             ", \\\n    $%s_%" PRIu32 " using 1:4 with points pt %" PRIu32
                             " ps 0.9 lw 1.4 lc rgb '%s' title 'N = %g'",
                             block, k, plot_shape(k), plot_colour(k), tasks[k]);
    }
    buffer_append_text(body, "\n");
}

/* Two panels of a quantity that is a time. */
static void add_panels(struct report_figure *figure, struct arena *arena, uint32_t index,
                       const struct group *group, const char *quantity, const char *what)
{
    double tasks[TASKS_MAX];
    uint32_t task_count = tasks_of(group, quantity, tasks);
    const char *block = arena_format(arena, "%s%" PRIu32, quantity, index);
    if (task_count == 0) {
        return;
    }
    size_t count;
    const double *ratios = ratios_of(group, quantity, arena, &count);
    append_data(figure, block, group, quantity, tasks, task_count);
    for (int is_ratio = 0; is_ratio < 2; is_ratio++) {
        struct buffer body;
        buffer_init(&body, arena);
        struct plot_axes axes = { .title = arena_format(arena, "%s: %s", group->name, what),
                                  .x = "interval × tasks, T × N (s)",
                                  .y =
                                      is_ratio ? "simulated / live" : unit_of(group, quantity).name,
                                  .log_x = true,
                                  .log_y = is_ratio,
                                  .key = "below center horizontal Left reverse width 1" };
        plot_begin(&body, &axes);
        if (is_ratio) {
            append_ratios(&body, block, tasks, task_count, ratios[count / 2]);
        } else {
            append_times(&body, block, tasks, task_count);
        }
        figure_add_panel(figure,
                         arena_format(arena, "%s-%s-%s%s", figure->name, group->name, quantity,
                                      is_ratio ? "-ratio" : ""),
                         arena_format(arena, "%s of %s over T times N, %s", what, group->name,
                                      is_ratio ? "simulated over live" : "simulated and live"),
                         &body);
    }
}

/* ---- words and table ------------------------------------------------------------------------- */

static void describe(struct report_figure *figure, struct arena *arena, const struct group *group,
                     const char *quantity, const char *what)
{
    size_t count;
    const double *ratios = ratios_of(group, quantity, arena, &count);
    if (count == 0) {
        return;
    }
    buffer_append_format(&figure->caption,
                         " The %s that was simulated is %.2f times the live one in the median of "
                         "%zu cells, from %.2f to %.2f.",
                         what, ratios[count / 2], count, ratios[0], ratios[count - 1]);
}

static void add_rows(struct report_table *table, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct report_comparison *row = &group->rows[i];
        table_add(table, row->name);
        table_add(table, row->coordinates);
        table_add_number(table, row->tasks);
        table_add_number(table, row->interval_s);
        table_add(table, row->is_equal ? "equal" : "not equal");
        table_add(table, row->quantity);
        table_add_number(table, row->simulated);
        table_add_number(table, row->live);
        table_add_number(table, ratio_of(row));
    }
}

void figure_compare(struct report_figure *figure, struct arena *arena,
                    const struct report_data *data)
{
    static const char *const columns[] = { "scenario",  "cell",   "N (tasks)",
                                           "T (s)",     "result", "quantity",
                                           "simulated", "live",   "simulated / live" };
    static const char time[] = "checkpoint_time_ns";
    static const char recovery[] = "recovery_time_ns";
    struct group groups[COMPARISONS_MAX];
    uint32_t count = find_groups(data, groups);
    figure_init(figure, arena, "simulated-live", "Simulated against live");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Simulated and live, cell by cell", columns,
               sizeof columns / sizeof *columns);
    for (uint32_t i = 0; i < count; i++) {
        const struct group *group = &groups[i];
        add_panels(figure, arena, i, group, time, "checkpoint time");
        add_panels(figure, arena, i, group, recovery, "failure until caught up");
        buffer_append_format(&figure->caption,
                             "%s%s: lines are simulated, points were run for real (%s, the median "
                             "of %.0f). The band is a quarter more or less.",
                             i > 0 ? "\n\n" : "", group->name, group->rows[0].live_kind,
                             group->rows[0].live_runs);
        describe(figure, arena, group, time, "checkpoint time");
        describe(figure, arena, group, recovery, "time until caught up");
        add_rows(figure->table, group);
    }
}
