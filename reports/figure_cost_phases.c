#include "reports/figure_cost.h"

#include <inttypes.h>
#include <math.h>

#include "model/base/check.h"

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
    struct cost_values tasks = cost_values_of(regime, true);
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
        struct cost_values tasks = cost_values_of(&regimes[i], true);
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

static const char *const phase_names[PHASE_COUNT] = {
    "waits for a barrier", "aligns",         "stands still (sync)",
    "waits for the store", "writes (async)", "acks and manifest",
};

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

/* Numbers of at most three digits before the point. */
static bool phases_in_seconds(const struct cost_regime *regime)
{
    struct cost_values tasks = cost_values_of(regime, true);
    double longest_s = 0;
    for (uint32_t k = 0; k < tasks.count; k++) {
        double phases_s[PHASE_COUNT];
        double sum_s = 0;
        mean_phases(regime, tasks.values[k], phases_s);
        for (int j = 0; j < PHASE_COUNT; j++) {
            sum_s += phases_s[j];
        }
        longest_s = fmax(longest_s, sum_s);
    }
    return longest_s >= 1;
}

static void append_phase_data(struct report_figure *figure, uint32_t index,
                              const struct cost_regime *regime)
{
    struct cost_values tasks = cost_values_of(regime, true);
    double scale = phases_in_seconds(regime) ? 1 : 1e3;
    buffer_append_format(&figure->data, "$phases%" PRIu32 " << EOD\n", index);
    for (uint32_t k = 0; k < tasks.count; k++) {
        double phases_s[PHASE_COUNT];
        mean_phases(regime, tasks.values[k], phases_s);
        buffer_append_format(&figure->data, "%g", tasks.values[k]);
        table_add(figure->table, regime->name);
        table_add_number(figure->table, tasks.values[k]);
        for (int j = 0; j < PHASE_COUNT; j++) {
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, phases_s[j] * scale);
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
    static const char *const fills[PHASE_COUNT] = { "#eef1f4", "#f2b27a", "#d1660a",
                                                    "#c4d8ea", "#5b8fc2", "#003366" };
    append_phase_data(figure, index, regime);
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = cost_regime_title(regime),
                              .x = "tasks N",
                              .y = phases_in_seconds(regime) ? "time (s)" : "time (ms)",
                              .key = "below center vertical maxrows 3 Left reverse width -3" };
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
    figure_add_panel(figure, cost_panel_name(arena, figure->name, regime), label, &body);
}

static void describe_phases(struct report_figure *figure, struct arena *arena,
                            const struct cost_regime *regime)
{
    struct cost_values tasks = cost_values_of(regime, true);
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
    static const char *const columns[] = { "regime",    "N (tasks)", "start delay (s)",
                                           "align (s)", "sync (s)",  "store wait (s)",
                                           "write (s)", "rest (s)" };
    CHECK(count > 0 && count <= COST_REGIMES_MAX);
    figure_init(figure, arena, "phases", "Where the time of a checkpoint goes");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, figure->title, columns, 2 + PHASE_COUNT);
    buffer_append_text(&figure->caption,
                       "The phases of the subtask that acknowledged last, means over all T and "
                       "seeds. While it stands still a sink makes its output durable, in the same "
                       "store.");
    for (uint32_t i = 0; i < count; i++) {
        add_phase_panel(figure, arena, i, &regimes[i]);
        describe_phases(figure, arena, &regimes[i]);
    }
}
