#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/verdict.h"
#include "sim/command/compare_private.h"
#include "sim/live/sample.h"

uint64_t compare_live_value(const struct comparison *comparison, const struct compared_cell *cell,
                            enum quantity quantity)
{
    struct sample values = sample_in(comparison->arena);
    for (uint32_t i = 0; i < comparison->options->repeats; i++) {
        if (cell->live[i].values[quantity] > 0) {
            sample_add(&values, cell->live[i].values[quantity]);
        }
    }
    return sample_median(&values);
}

const struct side *compare_worst_live(const struct comparison *comparison,
                                      const struct compared_cell *cell)
{
    for (uint32_t i = 0; i < comparison->options->repeats; i++) {
        if (!side_is_equal(&cell->simulated, &cell->live[i])) {
            return &cell->live[i];
        }
    }
    return &cell->live[0];
}

bool compare_is_equal(const struct comparison *comparison, const struct compared_cell *cell)
{
    return side_is_equal(&cell->simulated, compare_worst_live(comparison, cell));
}

/* ---- ratios ---------------------------------------------------------------------------------- */

/* In hundredths; 0: there is none, or less than half of one. */
static uint64_t ratio_of(uint64_t simulated, uint64_t live)
{
    CHECK(simulated < UINT64_MAX / 200);
    return live == 0 ? 0 : (simulated * 200 + live) / (2 * live);
}

/* "1.07"; `otherwise` if there is none. */
static const char *ratio_text(struct arena *arena, uint64_t hundredths, const char *otherwise)
{
    return hundredths == 0
               ? otherwise
               : arena_format(arena, "%" PRIu64 ".%02" PRIu64, hundredths / 100, hundredths % 100);
}

static const char *cell_ratio(const struct comparison *comparison, const struct compared_cell *cell,
                              enum quantity quantity, const char *otherwise)
{
    return ratio_text(
        comparison->arena,
        ratio_of(cell->simulated.values[quantity], compare_live_value(comparison, cell, quantity)),
        otherwise);
}

/* Of all cells that have one; `count` are those. */
static uint64_t median_ratio(const struct comparison *comparison, enum quantity quantity,
                             size_t *count)
{
    struct sample ratios = sample_in(comparison->arena);
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        const struct compared_cell *cell = &comparison->cells[i];
        uint64_t ratio = ratio_of(cell->simulated.values[quantity],
                                  compare_live_value(comparison, cell, quantity));
        if (ratio > 0) {
            sample_add(&ratios, ratio);
        }
    }
    *count = ratios.count;
    return sample_median(&ratios);
}

static const char *shown(const struct comparison *comparison, enum quantity quantity,
                         uint64_t value)
{
    struct buffer text;
    buffer_init(&text, comparison->arena);
    if (value > 0) {
        quantity_info(quantity)->show(&text, value);
    } else {
        buffer_append_text(&text, "none");
    }
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

/* ---- costs ----------------------------------------------------------------------------------- */

static uint64_t cost_of(const struct compared_cell *cell, const struct compared_cost *cost)
{
    uint64_t cost_ns;
    memcpy(&cost_ns, (const char *)&cell->scenario.cluster + cost->offset, sizeof cost_ns);
    return cost_ns;
}

/* The median over all cells, and what the least and the most is if there are several. */
static void print_cost(const struct comparison *comparison, const struct compared_cost *cost)
{
    struct sample costs_ns = sample_in(comparison->arena);
    uint64_t least_ns = UINT64_MAX;
    uint64_t most_ns = 0;
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        uint64_t cost_ns = cost_of(&comparison->cells[i], cost);
        sample_add(&costs_ns, cost_ns);
        least_ns = cost_ns < least_ns ? cost_ns : least_ns;
        most_ns = cost_ns > most_ns ? cost_ns : most_ns;
    }
    struct buffer text;
    buffer_init(&text, comparison->arena);
    human_duration(&text, sample_median(&costs_ns));
    if (comparison->cell_count > 1) {
        buffer_append_text(&text, ", from ");
        human_duration(&text, least_ns);
        buffer_append_text(&text, " to ");
        human_duration(&text, most_ns);
    }
    (void)printf("%-20s %.*s\n", cost->name, (int)text.size, (const char *)text.data);
}

/* Where the costs of simulated time are from, and those that were measured meanwhile. */
static void print_costs(const struct comparison *comparison)
{
    const char *calibration = comparison->options->calibration;
    (void)printf("\nsimulated with the costs of %s",
                 calibration != NULL ? calibration : "the scenario");
    if (!comparison->options->recalibrate) {
        (void)putchar('\n');
        return;
    }
    (void)printf(", but for what was measured around the live runs%s\n",
                 comparison->cell_count > 1 ? " of each cell, in the median" : "");
    for (int i = 0; i < COMPARED_COST_COUNT; i++) {
        print_cost(comparison, &compared_costs[i]);
    }
}

/* ---- one scenario ---------------------------------------------------------------------------- */

/* Quotes double within quotes (RFC 4180); JSON has many. */
static void print_quoted(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        (void)printf(*text == '"' ? "\"\"" : "%c", *text);
    }
    (void)putchar('"');
}

static void print_csv(const struct comparison *comparison)
{
    const struct compared_cell *cell = &comparison->cells[0];
    (void)printf("quantity,simulated,live,ratio\nresult_is_equal,,,%d\n",
                 compare_is_equal(comparison, cell));
    for (int i = 0; i < QUANTITY_COUNT; i++) {
        enum quantity quantity = (enum quantity)i;
        (void)printf("%s,%" PRIu64 ",%" PRIu64 ",%s\n", quantity_info(quantity)->column,
                     cell->simulated.values[i], compare_live_value(comparison, cell, quantity),
                     cell_ratio(comparison, cell, quantity, ""));
    }
    (void)printf("costs,");
    print_quoted(compare_costs_text(comparison, cell));
    (void)printf(",,\n");
}

static void print_row(const char *name, const char *simulated, const char *live, const char *last)
{
    (void)printf("%-20s %-20s %-20s %s\n", name, simulated, live, last);
}

static void print_table(const struct comparison *comparison)
{
    const struct compared_cell *cell = &comparison->cells[0];
    const struct side *simulated = &cell->simulated;
    const struct side *live = compare_worst_live(comparison, cell);
    (void)printf("%s, simulated once and %" PRIu32 " times for real\n\n", comparison->name,
                 comparison->options->repeats);
    print_row("", "simulated", "live", "simulated/live");
    print_row("result", verdict_name(simulated->verdict), verdict_name(live->verdict),
              compare_is_equal(comparison, cell) ? "equal" : "NOT equal");
    print_row("checkpoint ids", simulated->ids, live->ids,
              simulated->keeps_ids && live->keeps_ids ? "the same rules" : "NOT the same rules");
    print_row("restored ids", simulated->restored, live->restored,
              simulated->keeps_restores && live->keeps_restores ? "the same rules"
                                                                : "NOT the same rules");
    for (int i = 0; i < QUANTITY_COUNT; i++) {
        enum quantity quantity = (enum quantity)i;
        print_row(quantity_info(quantity)->name, shown(comparison, quantity, simulated->values[i]),
                  shown(comparison, quantity, compare_live_value(comparison, cell, quantity)),
                  cell_ratio(comparison, cell, quantity, "-"));
    }
    print_costs(comparison);
}

/* ---- a grid ---------------------------------------------------------------------------------- */

static void print_grid_csv(const struct comparison *comparison)
{
    (void)printf("cell,tasks,interval_ns,result_is_equal,quantity,simulated,live,ratio,costs\n");
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        const struct compared_cell *cell = &comparison->cells[i];
        for (int j = 0; j < QUANTITY_COUNT; j++) {
            enum quantity quantity = (enum quantity)j;
            print_quoted(cell->grid->coordinates);
            (void)printf(",%" PRIu32 ",%" PRIu64 ",%d,%s,%" PRIu64 ",%" PRIu64 ",%s,",
                         cell->simulated.task_count, cell->scenario.job.checkpoint.interval_ns,
                         compare_is_equal(comparison, cell), quantity_info(quantity)->column,
                         cell->simulated.values[j], compare_live_value(comparison, cell, quantity),
                         cell_ratio(comparison, cell, quantity, ""));
            print_quoted(compare_costs_text(comparison, cell));
            (void)putchar('\n');
        }
    }
}

/* Of these both times are shown; of the others the ratio alone. */
static const enum quantity times[] = { QUANTITY_CHECKPOINT_TIME, QUANTITY_RECOVERY };
static const enum quantity others[] = { QUANTITY_DOWNTIME, QUANTITY_BYTES, QUANTITY_THROUGHPUT };
enum { TIME_COUNT = sizeof times / sizeof *times, OTHER_COUNT = sizeof others / sizeof *others };

static void print_grid_head(void)
{
    (void)printf("%5s %8s  %-27s %-27s %8s %6s %6s  %s\n", "", "", "checkpoint time",
                 "until caught up", "until it", "", "rec-", "");
    (void)printf("%5s %8s", "tasks", "interval");
    for (int i = 0; i < TIME_COUNT; i++) {
        (void)printf("  %9s %9s %6s", "simulated", "live", "ratio");
    }
    (void)printf("%s %8s %6s %6s  %s\n", "", "runs", "size", "ords/s", "result");
}

static void print_grid_row(const struct comparison *comparison, const struct compared_cell *cell)
{
    struct buffer interval;
    buffer_init(&interval, comparison->arena);
    human_duration(&interval, cell->scenario.job.checkpoint.interval_ns);
    (void)printf("%5" PRIu32 " %8.*s", cell->simulated.task_count, (int)interval.size,
                 (const char *)interval.data);
    for (int i = 0; i < TIME_COUNT; i++) {
        (void)printf("  %9s %9s %6s", shown(comparison, times[i], cell->simulated.values[times[i]]),
                     shown(comparison, times[i], compare_live_value(comparison, cell, times[i])),
                     cell_ratio(comparison, cell, times[i], "-"));
    }
    for (int i = 0; i < OTHER_COUNT; i++) {
        (void)printf(" %*s", i == 0 ? 8 : 6, cell_ratio(comparison, cell, others[i], "-"));
    }
    const struct side *live = compare_worst_live(comparison, cell);
    (void)printf("  %s", compare_is_equal(comparison, cell) ? "equal" : "NOT equal");
    if (!compare_is_equal(comparison, cell)) {
        (void)printf(" (%s: simulated %s, live %s)", cell->grid->label,
                     verdict_name(cell->simulated.verdict), verdict_name(live->verdict));
    }
    (void)putchar('\n');
}

static void print_grid(const struct comparison *comparison)
{
    (void)printf("%s, %" PRIu64 " cells, each simulated once and %" PRIu32 " times for real\n\n",
                 comparison->name, comparison->cell_count, comparison->options->repeats);
    print_grid_head();
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        print_grid_row(comparison, &comparison->cells[i]);
    }
    (void)printf("\nsimulated/live, the median of all cells that have it\n");
    for (int i = 0; i < QUANTITY_COUNT; i++) {
        size_t count;
        uint64_t ratio = median_ratio(comparison, (enum quantity)i, &count);
        (void)printf("%-20s %s (%zu)\n", quantity_info((enum quantity)i)->name,
                     ratio_text(comparison->arena, ratio, "-"), count);
    }
    print_costs(comparison);
}

/* ---- what is not right ----------------------------------------------------------------------- */

/* `run`: which of several live ones, from 1; 0: the simulated one. */
static void print_trouble(FILE *out, const struct compared_cell *cell, const struct side *side,
                          uint32_t run)
{
    if (side->trouble == NULL && side_is_equal(&cell->simulated, side)) {
        return;
    }
    (void)fprintf(out, "%s%s", cell->grid->label, *cell->grid->label != '\0' ? ", " : "");
    if (run == 0) {
        (void)fprintf(out, "simulated: ");
    } else {
        (void)fprintf(out, "live run %" PRIu32 ": ", run);
    }
    if (side->trouble != NULL) {
        (void)fprintf(out, "%s\n", side->trouble);
    } else {
        (void)fprintf(out,
                      "%" PRIu64 " lines of output and %" PRIu64 " keys, simulated %" PRIu64
                      " and %" PRIu64 "\n",
                      side->output_lines, side->keys, cell->simulated.output_lines,
                      cell->simulated.keys);
    }
}

/* A line for each run that is the reason why a cell is not equal. */
static void print_troubles(FILE *out, const struct comparison *comparison)
{
    const char *before = "\n";
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        const struct compared_cell *cell = &comparison->cells[i];
        if (!compare_is_equal(comparison, cell)) {
            (void)fputs(before, out);
            before = "";
            print_trouble(out, cell, &cell->simulated, 0);
            for (uint32_t j = 0; j < comparison->options->repeats; j++) {
                print_trouble(out, cell, &cell->live[j], j + 1);
            }
        }
    }
}

void compare_tell(const struct comparison *comparison)
{
    bool is_grid = comparison->cell_count > 1;
    if (comparison->options->csv) {
        (is_grid ? print_grid_csv : print_csv)(comparison);
    } else {
        (is_grid ? print_grid : print_table)(comparison);
    }
    print_troubles(comparison->options->csv ? stderr : stdout, comparison);
}
