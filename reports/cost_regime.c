#include "reports/cost_regime.h"

#include <math.h>
#include <string.h>

#include "model/base/check.h"

/* In the order in which the textbook would tell them. */
static const struct {
    const char *name;
    const char *title;
} textbook[] = {
    { "own-disks", "full snapshots, own disks" },
    { "shared-store", "full snapshots, one shared store" },
    { "incremental", "incremental snapshots, one shared store" },
    { "backpressure", "aligned barriers under backpressure" },
    { "one-at-a-time", "one task at a time" },
};
enum { TEXTBOOK_COUNT = sizeof textbook / sizeof *textbook };

static uint32_t rank(const char *name)
{
    uint32_t i = 0;
    while (i < TEXTBOOK_COUNT && strcmp(textbook[i].name, name) != 0) {
        i++;
    }
    return i;
}

const char *cost_regime_title(const struct cost_regime *regime)
{
    uint32_t i = rank(regime->name);
    return i < TEXTBOOK_COUNT ? textbook[i].title : regime->name;
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

static double value_of(const struct report_cell *cell, bool tasks)
{
    return tasks ? cell->tasks : cell->interval_s;
}

struct cost_values cost_values_of(const struct cost_regime *regime, bool tasks)
{
    struct cost_values found = { .count = 0 };
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
        if (found.count == COST_VALUES_MAX) {
            found.values[COST_VALUES_MAX - 1] = next; /* the ends matter most */
        } else {
            found.values[found.count++] = next;
        }
    }
}

const char *cost_panel_name(struct arena *arena, const char *figure,
                            const struct cost_regime *regime)
{
    return arena_format(arena, "%s-%s", figure, regime->name);
}
