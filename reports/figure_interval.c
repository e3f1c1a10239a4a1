#include "reports/figure_interval.h"

#include <math.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/models_interval.h"

/* A sweep's cells, and what they have in common. */
struct interval_sweep {
    const char *name;
    const struct report_cell *cells;
    size_t cell_count;
    double baseline_s; /* of a run without checkpoints and failures */
    double cost_s;     /* C: the work stands still for one checkpoint */
    double restart_s;  /* R */
    double mtbf_s;     /* M: of all runs with failures together */
    double lag_s;      /* L: from the end of the stop until the checkpoint is complete */
    double interval_min_s, interval_max_s;
};

static bool is_baseline(const struct report_cell *cell)
{
    return cell->interval_s == 0 && cell->recoveries == 0;
}

/* A checkpoint stops a subtask while it aligns and while it stands still. */
static double stop_s(const struct report_cell *cell)
{
    return cell->alignment_s + cell->stop_s;
}

/* Means over the cells; false: there is too little of something. */
static bool measure(struct interval_sweep *sweep)
{
    double baselines = 0;
    double running_s = 0;
    double failures = 0;
    double count = 0;
    sweep->interval_min_s = INFINITY;
    for (size_t i = 0; i < sweep->cell_count; i++) {
        const struct report_cell *cell = &sweep->cells[i];
        if (is_baseline(cell)) {
            baselines++;
            sweep->baseline_s += cell->simulated_s;
        } else if (cell->recoveries > 0 && isfinite(stop_s(cell))) {
            count++;
            running_s += cell->simulated_s;
            failures += cell->recoveries;
            sweep->cost_s += stop_s(cell);
            sweep->lag_s += cell->duration_s - stop_s(cell);
            sweep->interval_min_s = fmin(sweep->interval_min_s, cell->interval_s);
            sweep->interval_max_s = fmax(sweep->interval_max_s, cell->interval_s);
        }
    }
    sweep->baseline_s /= baselines;
    sweep->cost_s /= count;
    sweep->lag_s = fmax(sweep->lag_s / count, 0);
    sweep->mtbf_s = running_s / failures;
    return baselines > 0 && count > 2 && sweep->interval_max_s > sweep->interval_min_s &&
           sweep->cost_s > 0;
}

static void measure_restart(struct interval_sweep *sweep, const struct report_data *data)
{
    double count = 0;
    for (size_t i = 0; i < data->recovery_count; i++) {
        const struct report_recovery *recovery = &data->recoveries[i];
        if (strcmp(recovery->cell->sweep, sweep->name) == 0 && isfinite(recovery->down_s)) {
            count++;
            sweep->restart_s += recovery->down_s;
        }
    }
    sweep->restart_s /= count;
}

static bool find_sweep(struct interval_sweep *sweep, const struct report_data *data)
{
    for (size_t i = 0; i < data->cell_count;) {
        *sweep = (struct interval_sweep){ .name = data->cells[i].sweep, .cells = &data->cells[i] };
        bool full_speed = true;
        while (i < data->cell_count && strcmp(data->cells[i].sweep, sweep->name) == 0) {
            full_speed = full_speed && isinf(data->cells[i].rate);
            sweep->cell_count++;
            i++;
        }
        if (full_speed && measure(sweep)) {
            measure_restart(sweep, data);
            return isfinite(sweep->restart_s);
        }
    }
    return false;
}

/* ---- the optima ------------------------------------------------------------------------------ */

struct optimum {
    const char *name;
    double interval_s; /* T, the cost included */
};

enum { OPTIMUM_COUNT = 3 };

static void find_optima(const struct interval_sweep *sweep, struct optimum optima[OPTIMUM_COUNT])
{
    double cost_s = sweep->cost_s;
    optima[0] = (struct optimum){ "Young", model_young_s(cost_s, sweep->mtbf_s) + cost_s };
    optima[1] =
        (struct optimum){ "Daly", model_daly_higher_order_s(cost_s, sweep->mtbf_s) + cost_s };
    optima[2] =
        (struct optimum){ "utilisation", model_utilisation_optimum_s(cost_s, sweep->mtbf_s) };
}

static double modelled(const struct interval_sweep *sweep, double interval_s)
{
    struct model_stream stream = { .cost_s = sweep->cost_s,
                                   .mtbf_s = sweep->mtbf_s,
                                   .restart_s = sweep->restart_s,
                                   .lag_s = sweep->lag_s };
    return model_utilisation(&stream, interval_s);
}

/* ---- the figure ------------------------------------------------------------------------------ */

enum { CURVE_POINTS = 120 };

static void append_data(struct report_figure *figure, const struct interval_sweep *sweep)
{
    buffer_append_text(&figure->data, "$useful << EOD\n");
    for (size_t i = 0; i < sweep->cell_count; i++) {
        const struct report_cell *cell = &sweep->cells[i];
        if (is_baseline(cell)) {
            continue;
        }
        double useful = sweep->baseline_s / cell->simulated_s;
        double overhead = cell->checkpoints > 0 ? stop_s(cell) / cell->interval_s : NAN;
        plot_append_number(&figure->data, cell->interval_s);
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, 100 * useful);
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, 100 * overhead);
        buffer_append_text(&figure->data, "\n");
        const double numbers[] = { cell->interval_s, cell->seed, cell->simulated_s,
                                   cell->recoveries, useful,     modelled(sweep, cell->interval_s),
                                   overhead };
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            table_add_number(figure->table, numbers[j]);
        }
    }
    buffer_append_text(&figure->data, "EOD\n$useful_model << EOD\n");
    for (int i = 0; i <= CURVE_POINTS; i++) {
        double interval_s =
            sweep->interval_min_s / 2 *
            pow(4 * sweep->interval_max_s / sweep->interval_min_s, (double)i / CURVE_POINTS);
        plot_append_number(&figure->data, interval_s);
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, 100 * modelled(sweep, interval_s));
        buffer_append_text(&figure->data, " ");
        plot_append_number(&figure->data, 100 * sweep->cost_s / interval_s);
        buffer_append_text(&figure->data, "\n");
    }
    buffer_append_text(&figure->data, "EOD\n");
}

static void append_optima(struct buffer *body, const struct optimum optima[OPTIMUM_COUNT])
{
    static const char *const dashes[OPTIMUM_COUNT] = { "(8,5)", "(2,4)", "(10,4,2,4)" };
    for (int i = 0; i < OPTIMUM_COUNT; i++) {
        buffer_append_text(body, "set arrow from ");
        plot_append_number(body, optima[i].interval_s);
        buffer_append_text(body, ", graph 0 to ");
        plot_append_number(body, optima[i].interval_s);
        buffer_append_format(body, ", graph 1 nohead dt %s lw 1.6 lc rgb '%s'\n", dashes[i],
                             plot_colour((uint32_t)i + 1));
    }
}

static void add_panel(struct report_figure *figure, struct arena *arena,
                      const struct interval_sweep *sweep, const struct optimum *optima, bool useful)
{
    static const char *const dashes[OPTIMUM_COUNT] = { "(8,5)", "(2,4)", "(10,4,2,4)" };
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = {
        .title = useful ? "time for useful work" : "time that checkpoints stop the work",
        .x = "interval T (s)",
        .y = useful ? "useful work (%)" : "overhead (%)",
        .log_x = true,
        .log_y = !useful,
        .key = "below center horizontal Left reverse width 1",
    };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set xrange [");
    plot_append_number(&body, sweep->interval_min_s / 2);
    buffer_append_text(&body, ":");
    plot_append_number(&body, sweep->interval_max_s * 2);
    buffer_append_text(&body, "]\n");
    append_optima(&body, optima);
    buffer_append_format(&body,
                         "plot $useful_model using 1:%d with lines lw 1.4 lc rgb '" PLOT_FIFTH
                         "' title 'model', \\\n    $useful using 1:%d with points pt 7 ps 0.8"
                         " lc rgb '" PLOT_MAIN "' title 'measured'",
                         useful ? 2 : 3, useful ? 2 : 3);
    for (int i = 0; i < OPTIMUM_COUNT; i++) {
        buffer_append_format(&body,
                             ", \\\n    keyentry with lines dt %s lw 1.6 lc rgb '%s'"
                             " title '%s'",
                             dashes[i], plot_colour((uint32_t)i + 1), optima[i].name);
    }
    buffer_append_text(&body, "\n");
    figure_add_panel(figure, useful ? "useful-work-share" : "useful-work-overhead", axes.title,
                     &body);
}

/* The interval with the largest mean share of useful work. */
static double best_interval_s(const struct interval_sweep *sweep, double *best)
{
    double found_s = NAN;
    *best = 0;
    for (size_t i = 0; i < sweep->cell_count; i++) {
        double sum = 0;
        double count = 0;
        for (size_t j = 0; j < sweep->cell_count && !is_baseline(&sweep->cells[i]); j++) {
            if (sweep->cells[j].interval_s == sweep->cells[i].interval_s) {
                sum += sweep->baseline_s / sweep->cells[j].simulated_s;
                count++;
            }
        }
        if (count > 0 && sum / count > *best) {
            *best = sum / count;
            found_s = sweep->cells[i].interval_s;
        }
    }
    return found_s;
}

static void describe(struct report_figure *figure, struct arena *arena,
                     const struct interval_sweep *sweep, const struct optimum *optima)
{
    double best = 0;
    double interval_s = best_interval_s(sweep, &best);
    buffer_append_format(
        &figure->caption,
        "%s: a checkpoint stops the work for C = %s, a failure comes every M = %s, and the job is "
        "down for R = %s. Of the intervals tried, T = %s leaves the most time for useful work, "
        "%s %%, measured by a run without checkpoints and failures. The optimum is at %s after "
        "Young, %s after Daly, %s by utilisation; there the model says %s %%. To the left "
        "checkpoints cost more, to the right work done again after failures does.",
        sweep->name, text_seconds(arena, sweep->cost_s), text_seconds(arena, sweep->mtbf_s),
        text_seconds(arena, sweep->restart_s), text_seconds(arena, interval_s),
        text_number(arena, 100 * best), text_seconds(arena, optima[0].interval_s),
        text_seconds(arena, optima[1].interval_s), text_seconds(arena, optima[2].interval_s),
        text_number(arena, 100 * modelled(sweep, optima[2].interval_s)));
}

void figure_interval(struct report_figure *figure, struct arena *arena,
                     const struct report_data *data)
{
    static const char *const columns[] = { "T (s)",         "seed",         "run took (s)",
                                           "failures",      "useful share", "model's share",
                                           "overhead share" };
    figure_init(figure, arena, "useful-work", "Overhead and useful work against the interval");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Useful work", columns,
               sizeof columns / sizeof *columns);
    struct interval_sweep sweep;
    if (!find_sweep(&sweep, data)) {
        return;
    }
    CHECK(sweep.mtbf_s > 0);
    struct optimum optima[OPTIMUM_COUNT];
    find_optima(&sweep, optima);
    append_data(figure, &sweep);
    add_panel(figure, arena, &sweep, optima, true);
    add_panel(figure, arena, &sweep, optima, false);
    describe(figure, arena, &sweep, optima);
}
