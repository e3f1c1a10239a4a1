#include "sim/command/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "model/base/check.h"
#include "reports/results.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/verdict.h"
#include "sim/command/compare_private.h"
#include "sim/live/live_measure.h"
#include "sim/live/live_run.h"

/* ---- running --------------------------------------------------------------------------------- */

static enum status run_live_once(struct comparison *comparison, const struct compared_cell *cell,
                                 struct side *side)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer notes;
    buffer_init(&notes, &arena);
    struct live_run_options how = { .threads = comparison->options->threads,
                                    .folder = comparison->place.folder };
    struct run run;
    enum status status =
        live_run(&run, &arena, &cell->scenario, cell->input, &how, &notes, comparison->error);
    if (status == STATUS_OK) {
        side_of_run(side, &run, comparison->arena);
    }
    arena_drop(&arena);
    return status;
}

/* Once through the whole grid before any cell is run again: what disturbs the machine for a while
 * then disturbs one run of several cells, and not all runs of one. */
static enum status run_live_all(struct comparison *comparison)
{
    const struct options *options = comparison->options;
    const char *path = options->out != NULL
                           ? options->out
                           : arena_format(comparison->arena, "out/compare/%s", comparison->name);
    struct output_folder folder = { .arena = comparison->arena,
                                    .path = path,
                                    .error = comparison->error };
    enum status status = output_folder_make(&folder);
    comparison->place.folder = arena_format(comparison->arena, "%s/volumes", path);
    if (status == STATUS_OK) {
        status = compare_look(comparison, 0);
    }
    struct progress progress;
    progress_init(&progress, isatty(STDERR_FILENO) ? stderr : NULL);
    for (uint32_t i = 0; i < options->repeats && status == STATUS_OK; i++) {
        for (uint64_t j = 0; j < comparison->cell_count && status == STATUS_OK; j++) {
            uint64_t number = i * comparison->cell_count + j + 1;
            progress_show(&progress, "%s: live run %" PRIu64 " of %" PRIu64, comparison->name,
                          number, options->repeats * comparison->cell_count);
            struct compared_cell *cell = &comparison->cells[j];
            status = run_live_once(comparison, cell, &cell->live[i]);
            if (status == STATUS_OK) {
                status = compare_look(comparison, number);
            }
        }
    }
    progress_end(&progress);
    return status;
}

static void simulate(struct comparison *comparison, struct compared_cell *cell)
{
    struct arena arena;
    arena_init(&arena);
    struct run run;
    run_scenario(&run, &arena, &cell->scenario, cell->input, &(struct run_options){ 0 });
    side_of_run(&cell->simulated, &run, comparison->arena);
    arena_drop(&arena);
}

/* All live runs first: they fork, and to simulate some backends starts threads. */
static enum status run_all(struct comparison *comparison)
{
    enum status status = run_live_all(comparison);
    for (uint64_t i = 0; i < comparison->cell_count && status == STATUS_OK; i++) {
        status = compare_recalibrate(comparison, &comparison->cells[i]);
        if (status == STATUS_OK) {
            simulate(comparison, &comparison->cells[i]);
        }
    }
    return status;
}

/* ---- the cells ------------------------------------------------------------------------------- */

/* The costs of the fragment that `calibrate` wrote, which needs a job to be a scenario; NULL: each
 * scenario has its own. */
static enum status read_costs(struct comparison *comparison, const struct cluster **costs)
{
    static const char *const settings[] = { "job.name=count" };
    const struct scenario_overrides overrides = { .settings = settings, .setting_count = 1 };
    struct scenario *machine = arena_alloc(comparison->arena, 1, sizeof *machine);
    *costs = NULL;
    if (comparison->options->calibration == NULL) {
        return STATUS_OK;
    }
    *costs = &machine->cluster;
    return scenario_read(machine, comparison->arena, comparison->options->calibration, &overrides,
                         comparison->error);
}

static enum status read_cell(struct comparison *comparison, struct compared_cell *cell,
                             const struct cluster *costs)
{
    const struct options *options = comparison->options;
    enum status status =
        scenario_parse(&cell->scenario, comparison->arena, bytes_of_text(cell->grid->json),
                       options->scenarios[0], ".", NULL, comparison->error);
    if (status != STATUS_OK) {
        return status;
    }
    cell->scenario.path = options->scenarios[0];
    cell->scenario.cluster = costs != NULL ? *costs : cell->scenario.cluster;
    cell->live = arena_alloc(comparison->arena, options->repeats, sizeof *cell->live);
    return run_read_input(&cell->scenario, comparison->arena, &cell->input, comparison->error);
}

static enum status read_cells(struct comparison *comparison)
{
    const struct options *options = comparison->options;
    const char *path = options->scenarios[0];
    struct scenario scenario;
    struct sweep_grid grid;
    struct grid_cell *cells = NULL;
    const struct cluster *costs;
    enum status status = scenario_read_sweep(&grid, &scenario, comparison->arena, path,
                                             &options->overrides, comparison->error);
    if (status == STATUS_OK) {
        status = sweep_grid_cells(&grid, path, &options->overrides, comparison->arena, &cells,
                                  comparison->error);
    }
    if (status == STATUS_OK) {
        status = read_costs(comparison, &costs);
    }
    if (status != STATUS_OK) {
        return status;
    }
    comparison->name = scenario.name;
    comparison->cell_count = grid.cell_count;
    comparison->cells = arena_alloc(comparison->arena, grid.cell_count, sizeof *comparison->cells);
    for (uint64_t i = 0; i < grid.cell_count && status == STATUS_OK; i++) {
        comparison->cells[i].grid = &cells[i];
        status = read_cell(comparison, &comparison->cells[i], costs);
    }
    return status;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static enum status keep_rows(struct comparison *comparison, const char *build)
{
    const struct options *options = comparison->options;
    if (options->database == NULL) {
        return STATUS_OK;
    }
    size_t count = 0;
    struct results_comparison *rows =
        arena_alloc(comparison->arena, comparison->cell_count * QUANTITY_COUNT, sizeof *rows);
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        const struct compared_cell *cell = &comparison->cells[i];
        const char *costs = compare_costs_text(comparison, cell);
        for (int j = 0; j < QUANTITY_COUNT; j++) {
            rows[count++] = (struct results_comparison){
                .coordinates = cell->grid->coordinates,
                .quantity = quantity_info((enum quantity)j)->column,
                .tasks = cell->simulated.task_count,
                .interval_ns = cell->scenario.job.checkpoint.interval_ns,
                .is_equal = compare_is_equal(comparison, cell),
                .costs = costs,
                .simulated = cell->simulated.values[j],
                .live = compare_live_value(comparison, cell, (enum quantity)j),
            };
        }
    }
    struct results_comparison_head head = { .name = comparison->name,
                                            .build = build,
                                            .live = options->threads ? "threads" : "processes",
                                            .live_runs = options->repeats,
                                            .is_recalibrated = options->recalibrate };
    struct results *results = NULL;
    enum status status =
        results_open(&results, comparison->arena, options->database, comparison->error);
    if (status == STATUS_OK) {
        status = results_keep_comparison(results, &head, rows, count, comparison->error);
    }
    results_close(results);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool all_are_equal(const struct comparison *comparison)
{
    bool are_equal = true;
    for (uint64_t i = 0; i < comparison->cell_count; i++) {
        are_equal = are_equal && compare_is_equal(comparison, &comparison->cells[i]);
    }
    return are_equal;
}

enum verdict compare_command(const struct options *options, const char *build)
{
    CHECK(options->scenario_count == 1);
    CHECK(options->repeats >= 1);
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct comparison comparison = { .options = options,
                                     .arena = &arena,
                                     .place = { .command = "compare", .error = &error },
                                     .error = &error };
    enum verdict verdict = VERDICT_PASS;
    enum status status = read_cells(&comparison);
    if (status == STATUS_OK) {
        live_tell_load(stderr);
        status = run_all(&comparison);
    }
    if (status == STATUS_OK) {
        compare_tell(&comparison);
        verdict = all_are_equal(&comparison) ? VERDICT_PASS : VERDICT_WRONG;
        status = keep_rows(&comparison, build);
    }
    if (status != STATUS_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "%.*s\n", (int)error.size, (const char *)error.data);
        verdict = verdict_of_status(status);
    }
    arena_drop(&arena);
    return verdict;
}
