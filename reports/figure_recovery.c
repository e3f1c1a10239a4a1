#include "reports/figure_recovery.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/fit.h"
#include "reports/khaos_iot.h"
#include "reports/models_recovery.h"

enum { SERIES_MAX = 6, SWEEPS_MAX = 4 };

#define KHAOS_SWEEP "khaos-iot"

/* The recoveries of one sweep. */
struct group {
    const char *name;
    const struct report_recovery *items;
    size_t count;
};

/* Records per second that the job can count: every record costs the same at each subtask, and the
 * subtasks work side by side. */
static double capacity_of(const struct report_cell *cell)
{
    return cell->record_s > 0 ? cell->parallelism / cell->record_s : INFINITY;
}

static double predicted_s(const struct report_recovery *recovery)
{
    struct model_load load = { .input_rate = recovery->cell->rate,
                               .capacity = capacity_of(recovery->cell) };
    if (!isfinite(load.input_rate) || !isfinite(load.capacity) || !isfinite(recovery->down_s) ||
        recovery->age_s < 0) {
        return NAN;
    }
    return model_recovery_s(&load, recovery->down_s, recovery->age_s);
}

/* ---- series ---------------------------------------------------------------------------------- */

static double value_of(const struct report_recovery *recovery, bool rate)
{
    return rate ? recovery->cell->rate : recovery->cell->interval_s;
}

/* The next larger rate or interval in the group; INFINITY: none. */
static double next_value(const struct group *group, bool rate, double last)
{
    double next = INFINITY;
    for (size_t i = 0; i < group->count; i++) {
        double value = value_of(&group->items[i], rate);
        next = value > last && value < next ? value : next;
    }
    return next;
}

static bool varies(const struct group *group)
{
    double rate = next_value(group, true, -INFINITY);
    double interval = next_value(group, false, -INFINITY);
    return isfinite(next_value(group, true, rate)) && isfinite(next_value(group, false, interval));
}

static uint32_t find_groups(const struct report_data *data, struct group groups[SWEEPS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < data->recovery_count && count < SWEEPS_MAX;) {
        struct group group = { .name = data->recoveries[i].cell->sweep,
                               .items = &data->recoveries[i] };
        while (i < data->recovery_count &&
               strcmp(data->recoveries[i].cell->sweep, group.name) == 0) {
            group.count++;
            i++;
        }
        if (varies(&group)) {
            groups[count++] = group;
        }
    }
    return count;
}

/* ---- over the interval, and over the rate ---------------------------------------------------- */

/* Columns: x, measured, model; in the order of x. */
static void append_series(struct report_figure *figure, const char *block,
                          const struct group *group, bool by_rate, double fixed)
{
    buffer_append_format(&figure->data, "$%s << EOD\n", block);
    for (double x = next_value(group, by_rate, -INFINITY); isfinite(x);
         x = next_value(group, by_rate, x)) {
        for (size_t i = 0; i < group->count; i++) {
            const struct report_recovery *recovery = &group->items[i];
            if (value_of(recovery, by_rate) == x && value_of(recovery, !by_rate) == fixed) {
                plot_append_number(&figure->data, x);
                buffer_append_text(&figure->data, " ");
                plot_append_number(&figure->data, recovery->total_s);
                buffer_append_text(&figure->data, " ");
                plot_append_number(&figure->data, predicted_s(recovery));
                buffer_append_text(&figure->data, "\n");
            }
        }
    }
    buffer_append_text(&figure->data, "EOD\n");
}

static void add_model_panel(struct report_figure *figure, struct arena *arena, uint32_t index,
                            const struct group *group, bool by_rate)
{
    struct buffer body;
    buffer_init(&body, arena);
    const char *title =
        arena_format(arena, "%s, over the %s", group->name, by_rate ? "input rate" : "interval");
    struct plot_axes axes = { .title = title,
                              .x = by_rate ? "input rate (records/s)" : "interval T (s)",
                              .y = "failure until caught up (s)",
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set yrange [0:*]\nset xrange [0:*]\nplot ");
    uint32_t k = 0;
    for (double fixed = next_value(group, !by_rate, -INFINITY); isfinite(fixed) && k < SERIES_MAX;
         fixed = next_value(group, !by_rate, fixed), k++) {
        const char *block = arena_format(arena, "recovery%" PRIu32 "%s%" PRIu32, index,
                                         by_rate ? "rate" : "interval", k);
        append_series(figure, block, group, by_rate, fixed);
        buffer_append_format(
            &body,
            "%s$%s using 1:3 with lines lw 1.2 lc rgb '" PLOT_FIFTH "' %s, \\\n"
            "    $%s using 1:2 with points pt %" PRIu32
            " ps 0.9 lw 1.4 lc rgb '%s' title '%s %s%s'",
            k == 0 ? "" : ", \\\n    ", block, k == 0 ? "title 'model'" : "notitle", block,
            plot_shape(k), plot_colour(k), by_rate ? "T =" : "",
            by_rate ? text_seconds(arena, fixed) : text_number(arena, fixed), by_rate ? "" : "/s");
    }
    buffer_append_text(&body, "\n");
    figure_add_panel(
        figure, arena_format(arena, "recovery-%s-%s", group->name, by_rate ? "rate" : "interval"),
        title, &body);
}

/* How far model and simulator are apart. */
static void describe_model(struct report_figure *figure, struct arena *arena,
                           const struct group *group)
{
    double worst = 0;
    size_t count = 0;
    double *predicted = arena_alloc(arena, group->count, sizeof *predicted);
    double *measured = arena_alloc(arena, group->count, sizeof *measured);
    for (size_t i = 0; i < group->count; i++) {
        double model_s = predicted_s(&group->items[i]);
        double total_s = group->items[i].total_s;
        if (isfinite(model_s) && isfinite(total_s)) {
            predicted[count] = model_s;
            measured[count++] = total_s;
            double apart = fabs(total_s - model_s) / model_s;
            worst = apart > worst ? apart : worst;
        }
    }
    if (count == 0) {
        return;
    }
    buffer_append_format(
        &figure->caption,
        "%s%s: %zu recoveries, simulated and by the model D + λ (A + D) / (μ − λ), with the "
        "downtime D and the age A of the checkpoint as they were, λ the input rate and μ the "
        "capacity. They are at most %s %% apart (R² %s). Longer intervals cost more the closer "
        "the rate is to the capacity: each second of A is λ / (μ − λ) seconds of recovery.",
        figure->caption.size > 0 ? "\n\n" : "", group->name, count,
        text_number(arena, worst < 1e-4 ? 0.01 : 100 * worst),
        text_r2(arena, fit_r2(predicted, measured, count)));
}

static void add_rows(struct report_table *table, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct report_recovery *recovery = &group->items[i];
        table_add(table, group->name);
        const double numbers[] = {
            (double)recovery->cell->run_id,
            recovery->cell->interval_s,
            recovery->cell->rate,
            capacity_of(recovery->cell),
            recovery->age_s,
            recovery->detection_s,
            recovery->restart_s,
            recovery->restore_s,
            recovery->catch_up_s,
            recovery->total_s,
            predicted_s(recovery),
            recovery->replayed,
        };
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            table_add_number(table, numbers[j]);
        }
    }
}

/* ---- beside the measurements of Khaos -------------------------------------------------------- */

/* What the simulated rates are multiplied with, to be those of the measured job. */
static double khaos_scale(const struct group *group)
{
    return KHAOS_IOT_CAPACITY / capacity_of(group->items[0].cell);
}

/* The simulated recovery of the same interval with the nearest rate; NULL: none. */
static const struct report_recovery *nearest(const struct group *group,
                                             const struct khaos_point *point)
{
    const struct report_recovery *found = NULL;
    double best = 0.02 * KHAOS_IOT_CAPACITY;
    for (size_t i = 0; i < group->count; i++) {
        const struct report_recovery *recovery = &group->items[i];
        double apart = fabs(recovery->cell->rate * khaos_scale(group) - point->rate);
        if (recovery->cell->interval_s == point->interval_s && apart < best) {
            best = apart;
            found = recovery;
        }
    }
    return found;
}

static void append_khaos_data(struct report_figure *figure, const struct group *group, uint32_t k,
                              double interval_s)
{
    buffer_append_format(&figure->data, "$khaos%" PRIu32 " << EOD\n", k);
    for (size_t i = 0; i < khaos_iot_count; i++) {
        const struct report_recovery *recovery = nearest(group, &khaos_iot[i]);
        if (khaos_iot[i].interval_s == interval_s &&
            khaos_iot[i].recovery_s < KHAOS_IOT_SATURATED_S) {
            plot_append_number(&figure->data, khaos_iot[i].rate / 1e3);
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, khaos_iot[i].recovery_s);
            buffer_append_text(&figure->data, " ");
            plot_append_number(&figure->data, recovery == NULL ? NAN : recovery->total_s);
            buffer_append_text(&figure->data, "\n");
        }
    }
    buffer_append_text(&figure->data, "EOD\n");
}

static void add_khaos_panel(struct report_figure *figure, struct arena *arena,
                            const struct group *group)
{
    struct buffer body;
    buffer_init(&body, arena);
    struct plot_axes axes = { .title = "beside the Khaos IoT job",
                              .x = "input rate (thousand records/s)",
                              .y = "recovery time (s)",
                              .key = "below center horizontal Left reverse width 1" };
    plot_begin(&body, &axes);
    buffer_append_text(&body, "set yrange [0:*]\nset xrange [0:*]\nplot ");
    uint32_t k = 0;
    for (double interval_s = next_value(group, false, -INFINITY);
         isfinite(interval_s) && k < SERIES_MAX;
         interval_s = next_value(group, false, interval_s), k++) {
        append_khaos_data(figure, group, k, interval_s);
        buffer_append_format(&body,
                             "%s$khaos%" PRIu32 " using 1:3 with lines dt %" PRIu32
                             " lw 1.6 lc rgb '%s' notitle, \\\n    $khaos%" PRIu32
                             " using 1:2 with points pt %" PRIu32
                             " ps 0.9 lw 1.4 lc rgb '%s' title 'T = %g s'",
                             k == 0 ? "" : ", \\\n    ", k, k + 1, plot_colour(k), k, plot_shape(k),
                             plot_colour(k), interval_s);
    }
    buffer_append_text(&body, "\n");
    figure_add_panel(figure, "recovery-khaos-iot-measured",
                     "recovery times that Khaos measured as points, simulated ones as lines",
                     &body);
}

static void describe_khaos(struct report_figure *figure, struct arena *arena,
                           const struct group *group)
{
    double *simulated = arena_alloc(arena, khaos_iot_count, sizeof *simulated);
    double *measured = arena_alloc(arena, khaos_iot_count, sizeof *measured);
    size_t count = 0;
    for (size_t i = 0; i < khaos_iot_count; i++) {
        const struct report_recovery *recovery = nearest(group, &khaos_iot[i]);
        if (khaos_iot[i].recovery_s < KHAOS_IOT_SATURATED_S && recovery != NULL &&
            isfinite(recovery->total_s)) {
            simulated[count] = recovery->total_s;
            measured[count++] = khaos_iot[i].recovery_s;
        }
    }
    buffer_append_format(
        &figure->caption,
        "%sBeside the Khaos IoT job: points are what Geldenhuys et al. measured on Flink, lines "
        "what is simulated with failures 3 s before the next checkpoint, their heartbeat timeout "
        "and a capacity of 36,750 records a second, all rates divided by %s. Over %zu points R² "
        "is %s; one saturated point (30,000 records a second, 1,397 s) is left out. What was "
        "measured has steps, as recovery was told by an anomaly detector.",
        figure->caption.size > 0 ? "\n\n" : "", text_number(arena, khaos_scale(group)), count,
        text_r2(arena, fit_r2(simulated, measured, count)));
}

void figure_recovery(struct report_figure *figure, struct arena *arena,
                     const struct report_data *data)
{
    static const char *const columns[] = {
        "sweep",
        "run",
        "T (s)",
        "rate (1/s)",
        "capacity (1/s)",
        "age A (s)",
        "detect (s)",
        "restart (s)",
        "restore (s)",
        "catch up (s)",
        "total (s)",
        "model (s)",
        "records replayed",
    };
    figure_init(figure, arena, "recovery-time", "Recovery time against interval and rate");
    figure->table = arena_alloc(arena, 1, sizeof *figure->table);
    table_init(figure->table, arena, figure->name, "Recoveries and the model", columns,
               sizeof columns / sizeof *columns);
    figure->columns = 3;
    struct group groups[SWEEPS_MAX];
    uint32_t count = find_groups(data, groups);
    for (uint32_t i = 0; i < count; i++) {
        add_rows(figure->table, &groups[i]);
        if (strcmp(groups[i].name, KHAOS_SWEEP) != 0) {
            add_model_panel(figure, arena, i, &groups[i], false);
            add_model_panel(figure, arena, i, &groups[i], true);
            describe_model(figure, arena, &groups[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(groups[i].name, KHAOS_SWEEP) == 0 &&
            isfinite(capacity_of(groups[i].items[0].cell))) {
            add_khaos_panel(figure, arena, &groups[i]);
            describe_khaos(figure, arena, &groups[i]);
        }
    }
}
