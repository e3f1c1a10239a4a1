#include "reports/cost_law.h"

#include <math.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "reports/models_cost.h"
#include "reports/report_figure.h"

/* ---- the law --------------------------------------------------------------------------------- */

/* Is most of the time spent before the snapshot, waiting for barriers? */
static bool waits_for_barriers(const struct cost_regime *regime)
{
    double waiting = 0;
    double all = 0;
    for (size_t i = 0; i < regime->cell_count; i++) {
        const double *phases = regime->cells[i].phases_s;
        for (int j = 0; j < PHASE_COUNT; j++) {
            all += isfinite(phases[j]) ? phases[j] : 0;
            waiting += j <= PHASE_ALIGNMENT && isfinite(phases[j]) ? phases[j] : 0;
        }
    }
    return waiting > all / 2;
}

/* Is what one task writes by itself slower than what all write together, in most cells? */
static bool is_own_disk(const struct cost_regime *regime)
{
    size_t own = 0;
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        own += cell->task_bytes / cell->client_rate > cell->bytes / cell->store_rate ? 1 : 0;
    }
    return own > regime->cell_count / 2;
}

static enum cost_law law_of(const struct cost_regime *regime)
{
    CHECK(regime->cell_count > 0);
    if (regime->cells[0].incremental) {
        return LAW_INCREMENTAL;
    }
    if (waits_for_barriers(regime)) {
        return LAW_QUEUED;
    }
    if (isfinite(regime->cells[0].writers)) {
        return LAW_SLOTS;
    }
    return is_own_disk(regime) ? LAW_FULL_OWN : LAW_FULL_SHARED;
}

/* T, or what is left of it where one checkpoint takes longer. */
static double effective_interval_s(const struct report_cell *cell)
{
    return model_effective_period_s(cell->interval_s, cell->duration_s, 0);
}

static double changed_keys(const struct report_cell *cell)
{
    struct model_changes changes = { .key_count = cell->keys, .update_rate = cell->rate };
    return model_changed_keys(&changes, effective_interval_s(cell));
}

static double term_of(enum cost_law law, const struct report_cell *cell)
{
    struct model_pipe pipe = { .task_rate = cell->client_rate, .shared_rate = cell->store_rate };
    switch (law) {
    case LAW_FULL_OWN: return model_duration_full_s(&pipe, cell->task_bytes, 1);
    case LAW_FULL_SHARED:
        return model_duration_full_s(&pipe, cell->bytes / cell->parallelism, cell->parallelism);
    case LAW_SLOTS: return ceil(cell->parallelism / cell->writers);
    case LAW_INCREMENTAL: return changed_keys(cell);
    case LAW_QUEUED: return cell->parallelism;
    }
    CHECK(false);
    return NAN;
}

/* "d0 + k N s / B", with what its symbols are. Static storage. */
static const char *cost_law_formula(enum cost_law law)
{
    switch (law) {
    case LAW_FULL_OWN: return "d0 + k s/b";
    case LAW_FULL_SHARED: return "d0 + k max(s/b, S/B)";
    case LAW_SLOTS: return "d0 + c ceil(p/W)";
    case LAW_INCREMENTAL: return "d0 + k K (1 - exp(-r T/K))";
    case LAW_QUEUED: return "d0 + k p";
    }
    CHECK(false);
    return "";
}

/* ---- the analysis ---------------------------------------------------------------------------- */

static void widen(double *low, double *high, double value)
{
    *low = value < *low ? value : *low;
    *high = value > *high ? value : *high;
}

static double mean_duration_s(const struct cost_regime *regime, double tasks)
{
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < regime->cell_count; i++) {
        if (regime->cells[i].tasks == tasks) {
            sum += regime->cells[i].duration_s;
            count++;
        }
    }
    return sum / count;
}

/* How much the durations spread over T at one N, and over N. */
static void compare_cells(struct cost_analysis *analysis, const struct cost_regime *regime)
{
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *one = &regime->cells[i];
        double low = one->duration_s;
        double high = one->duration_s;
        double sum = 0;
        double count = 0;
        for (size_t j = 0; j < regime->cell_count; j++) {
            const struct report_cell *other = &regime->cells[j];
            if (other->tasks == one->tasks) {
                widen(&low, &high, other->duration_s);
                sum += other->duration_s;
                count++;
            }
        }
        double effect = (high - low) / (sum / count);
        analysis->interval_effect =
            effect > analysis->interval_effect ? effect : analysis->interval_effect;
    }
    analysis->tasks_ratio =
        mean_duration_s(regime, analysis->tasks_max) / mean_duration_s(regime, analysis->tasks_min);
}

static void fill_points(struct cost_analysis *analysis, const struct cost_regime *regime)
{
    for (size_t i = 0; i < regime->cell_count; i++) {
        const struct report_cell *cell = &regime->cells[i];
        analysis->product_s[i] = cell->interval_s * cell->tasks;
        analysis->duration_s[i] = cell->duration_s;
        analysis->term[i] = term_of(analysis->law, cell);
        widen(&analysis->tasks_min, &analysis->tasks_max, cell->tasks);
        widen(&analysis->interval_min_s, &analysis->interval_max_s, cell->interval_s);
        widen(&analysis->duration_min_s, &analysis->duration_max_s, cell->duration_s);
        widen(&analysis->off_min, &analysis->off_max, analysis->product_s[i] / cell->duration_s);
        if (analysis->law == LAW_INCREMENTAL) {
            double repeat = cell->rate * effective_interval_s(cell) / cell->keys;
            analysis->repeat_max = isnan(analysis->repeat_max) || repeat > analysis->repeat_max
                                       ? repeat
                                       : analysis->repeat_max;
        }
    }
}

bool cost_analyse(struct cost_analysis *analysis, struct arena *arena,
                  const struct cost_regime *regime)
{
    size_t count = regime->cell_count;
    *analysis = (struct cost_analysis){
        .law = law_of(regime),
        .count = count,
        .product_s = arena_alloc(arena, count, sizeof(double)),
        .duration_s = arena_alloc(arena, count, sizeof(double)),
        .term = arena_alloc(arena, count, sizeof(double)),
        .law_s = arena_alloc(arena, count, sizeof(double)),
        .tasks_min = INFINITY,
        .interval_min_s = INFINITY,
        .duration_min_s = INFINITY,
        .off_min = INFINITY,
        .repeat_max = NAN,
        .expected_slope = NAN,
    };
    fill_points(analysis, regime);
    compare_cells(analysis, regime);
    if (!fit_line(analysis->product_s, analysis->duration_s, count, &analysis->line)) {
        return false;
    }
    if (!fit_line(analysis->term, analysis->duration_s, count, &analysis->own)) {
        /* On own disks the term hardly moves: then the law is a constant. */
        double sum = 0;
        for (size_t i = 0; i < count; i++) {
            sum += analysis->duration_s[i];
        }
        analysis->own = (struct fit_line){ .slope = 0, .intercept = sum / (double)count };
    }
    for (size_t i = 0; i < count; i++) {
        analysis->law_s[i] = analysis->own.intercept + analysis->own.slope * analysis->term[i];
    }
    if (analysis->law == LAW_FULL_OWN || analysis->law == LAW_FULL_SHARED) {
        analysis->expected_slope = 1;
    }
    analysis->formula_r2 = fit_r2(analysis->product_s, analysis->duration_s, count);
    return true;
}

/* ---- the words ------------------------------------------------------------------------------- */

/* Where a straight line in T N explains at least this share of the variance, it holds. */
#define LINE_HOLDS_R2 0.98

static void describe_law(const struct cost_analysis *analysis, struct arena *arena,
                         struct buffer *out)
{
    const char *intercept = text_seconds(arena, analysis->own.intercept);
    double slope = analysis->own.slope;
    buffer_append_format(out, " Its own law, %s, has R² %s (d0 = %s, ",
                         cost_law_formula(analysis->law), text_r2(arena, analysis->own.r2),
                         intercept);
    switch (analysis->law) {
    case LAW_FULL_OWN:
    case LAW_FULL_SHARED:
        buffer_append_format(out,
                             "k = %s where 1 is exact; s bytes of a task, S of all, b the rate of "
                             "one writer, B of the store).",
                             text_number(arena, slope));
        return;
    case LAW_SLOTS:
        buffer_append_format(out, "c = %s for each round of W writers; p tasks write state).",
                             text_seconds(arena, slope));
        return;
    case LAW_INCREMENTAL:
        buffer_append_format(out,
                             "k = %s for each changed key; K keys in all, r updates per second).",
                             text_seconds(arena, slope));
        return;
    case LAW_QUEUED:
        buffer_append_format(out, "k = %s for each of p inputs, whose buffers are full).",
                             text_seconds(arena, slope));
        return;
    }
}

static void explain_law(const struct cost_analysis *analysis, struct arena *arena,
                        struct buffer *out)
{
    const char *effect = text_number(arena, 100 * analysis->interval_effect);
    const char *growth = text_number(arena, analysis->tasks_ratio);
    switch (analysis->law) {
    case LAW_FULL_OWN:
        buffer_append_format(out,
                             " because a full snapshot holds all keys however long T is (T moves "
                             "the time by %s %% at most), and on disks of their own tasks write "
                             "side by side: the largest part counts, not the number of parts (the "
                             "largest N takes %s times as long as the smallest).",
                             effect, growth);
        return;
    case LAW_FULL_SHARED:
        buffer_append_format(out,
                             " because a full snapshot holds all keys however long T is (T moves "
                             "the time by %s %% at most); N counts, as all write through one store "
                             "(the largest N takes %s times as long as the smallest).",
                             effect, growth);
        return;
    case LAW_SLOTS:
        buffer_append_format(
            out,
            " because tasks write one round after the other: N counts (the largest "
            "takes %s times as long as the smallest), T does not (%s %% at most). "
            "With the time of one task's write in place of T, the formula is this "
            "law.",
            growth, effect);
        return;
    case LAW_QUEUED:
        buffer_append_format(out,
                             " because barriers wait in buffers, which hold as much whatever T is; "
                             "what is left of T (%s %% at most) is whether a checkpoint begins "
                             "before the queues of the one before are full again.",
                             effect);
        return;
    case LAW_INCREMENTAL:
        buffer_append_format(out,
                             " because what changes within T grows with T while keys seldom come "
                             "twice: up to r T/K = 0.1 the line is at most 5 %% too much, here r "
                             "T/K goes to %s.",
                             text_number(arena, analysis->repeat_max));
        return;
    }
}

void cost_describe(const struct cost_analysis *analysis, const struct cost_regime *regime,
                   struct arena *arena, struct buffer *out)
{
    CHECK(analysis->count == regime->cell_count);
    bool holds = analysis->line.r2 >= LINE_HOLDS_R2;
    buffer_append_format(
        out, "%s (%s): %zu runs, N from %s to %s, T from %s to %s. A checkpoint takes %s to %s.",
        cost_regime_title(regime), regime->name, analysis->count,
        text_number(arena, analysis->tasks_min), text_number(arena, analysis->tasks_max),
        text_seconds(arena, analysis->interval_min_s),
        text_seconds(arena, analysis->interval_max_s),
        text_seconds(arena, analysis->duration_min_s),
        text_seconds(arena, analysis->duration_max_s));
    buffer_append_format(out,
                         " T × N in seconds is %s to %s times the measured time (R² %s); the "
                         "best line a T N + b has R² %s.",
                         text_number(arena, analysis->off_min),
                         text_number(arena, analysis->off_max),
                         text_r2(arena, analysis->formula_r2), text_r2(arena, analysis->line.r2));
    describe_law(analysis, arena, out);
    if (holds && analysis->law == LAW_INCREMENTAL) {
        buffer_append_format(
            out,
            " Time that grows in proportion to T × N holds here, for T × N from %s "
            "to %s, but with a = %s per second and task in place of 1,",
            text_seconds(arena, analysis->interval_min_s * analysis->tasks_min),
            text_seconds(arena, analysis->interval_max_s * analysis->tasks_max),
            text_seconds(arena, analysis->line.slope));
    } else if (holds) {
        buffer_append_text(out, " A line in T × N fits, but T × N is not the reason,");
    } else {
        buffer_append_text(out, " Time proportional to T × N does not hold here,");
    }
    explain_law(analysis, arena, out);
}
