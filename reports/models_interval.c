#include "reports/models_interval.h"

#include <math.h>

#include "model/base/check.h"

/* Newton's method needs about six steps; the limit only keeps the loop finite. */
enum { NEWTON_STEPS_MAX = 64 };

double model_job_mtbf_s(double node_mtbf_s, double node_count)
{
    CHECK(node_mtbf_s >= 0);
    CHECK(node_count >= 1);
    return node_mtbf_s / node_count;
}

double model_no_failure_probability(double duration_s, double mtbf_s)
{
    CHECK(duration_s >= 0);
    CHECK(mtbf_s > 0);
    return exp(-duration_s / mtbf_s);
}

double model_young_s(double cost_s, double mtbf_s)
{
    CHECK(cost_s >= 0);
    CHECK(mtbf_s >= 0);
    /* With C = 0 the product would be no number. */
    return isinf(mtbf_s) ? INFINITY : sqrt(2 * cost_s * mtbf_s);
}

double model_daly_first_order_s(double cost_s, double mtbf_s, double restart_s)
{
    CHECK(restart_s >= 0);
    CHECK(mtbf_s >= 0);
    return model_young_s(cost_s, mtbf_s + restart_s) - cost_s;
}

double model_daly_low_order_s(double cost_s, double mtbf_s)
{
    return model_young_s(cost_s, mtbf_s) - cost_s;
}

double model_daly_higher_order_s(double cost_s, double mtbf_s)
{
    CHECK(cost_s >= 0);
    CHECK(mtbf_s >= 0);
    if (cost_s >= 2 * mtbf_s) {
        return mtbf_s;
    }
    double x = cost_s / (2 * mtbf_s);
    return model_young_s(cost_s, mtbf_s) * (1 + sqrt(x) / 3 + x / 9) - cost_s;
}

double model_lambert_gap(double excess)
{
    CHECK(excess >= 0);
    /* f(y) = y + ln(1 - y) + excess falls and bends downwards, so that Newton's method comes
     * monotonically from any start at or right of the root; both bounds of the start are right of
     * it. */
    double y = fmin(sqrt(2 * excess), -expm1(-1 - excess));
    if (y == 0 || y >= 1) {
        return y;
    }
    for (int step = 0; step < NEWTON_STEPS_MAX; step++) {
        double change = (y + log1p(-y) + excess) * (1 - y) / y;
        if (change >= 0) {
            break; /* Rounding alone moves it up. */
        }
        y += change;
    }
    CHECK(y > 0);
    CHECK(y < 1);
    return y;
}

double model_daly_exact_s(double cost_s, double mtbf_s)
{
    CHECK(cost_s >= 0);
    CHECK(mtbf_s >= 0);
    if (mtbf_s == 0 || isinf(mtbf_s)) {
        return mtbf_s;
    }
    return mtbf_s * model_lambert_gap(cost_s / mtbf_s);
}

static void check_run(const struct model_run *run)
{
    CHECK(run->work_s >= 0);
    CHECK(run->cost_s >= 0);
    CHECK(run->mtbf_s > 0);
    CHECK(run->restart_s >= 0);
}

double model_wall_time_s(const struct model_run *run, double solve_s)
{
    CHECK(solve_s >= 0);
    double rate = model_progress_rate(run);
    return rate > 0 ? solve_s / rate : INFINITY;
}

double model_progress_rate(const struct model_run *run)
{
    check_run(run);
    if (run->work_s == 0) {
        return 0;
    }
    if (isinf(run->work_s)) {
        return isinf(run->mtbf_s) ? 1 : 0;
    }
    if (isinf(run->mtbf_s)) {
        return run->work_s / (run->work_s + run->cost_s);
    }
    double segments = expm1((run->work_s + run->cost_s) / run->mtbf_s);
    return exp(-run->restart_s / run->mtbf_s) * (run->work_s / run->mtbf_s) / segments;
}

double model_barrier_lag_s(double operator_count, double hop_delay_s)
{
    CHECK(operator_count >= 1);
    CHECK(hop_delay_s >= 0);
    return (operator_count - 1) * hop_delay_s;
}

double model_utilisation(const struct model_stream *stream, double interval_s)
{
    CHECK(stream->lag_s >= 0);
    CHECK(interval_s >= 0);
    /* It is Daly's progress rate with T - C for the work and R + L for the restart. */
    const struct model_run run = {
        .work_s = fmax(0, interval_s - stream->cost_s),
        .cost_s = stream->cost_s,
        .mtbf_s = stream->mtbf_s,
        .restart_s = stream->restart_s + stream->lag_s,
    };
    return model_progress_rate(&run);
}

double model_utilisation_optimum_s(double cost_s, double mtbf_s)
{
    return cost_s + model_daly_exact_s(cost_s, mtbf_s);
}
