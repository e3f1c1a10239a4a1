#include "sim/campaign/sweep.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "reports/results_pack.h"
#include "sim/campaign/outputs.h"
#include "sim/campaign/sweep_grid.h"
#include "sim/campaign/verdict.h"
#include "sim/campaign/workers.h"

/* The first byte of what a child sends. */
enum { CHILD_RAN = 1, CHILD_FAILED = 2 };

struct sweep {
    const struct sweep_options *options;
    struct arena *arena;
    struct sweep_state *state;
    struct sweep_cell *cells; /* the state's, to write */
    uint64_t next;
    uint64_t start_ns;
    enum status status; /* of the database; not OK: stop */
    struct buffer *error;
};

static uint64_t wall_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the cells ------------------------------------------------------------------------------- */

static enum status find_cells(struct sweep *sweep, const struct sweep_grid *grid)
{
    const struct sweep_options *options = sweep->options;
    struct grid_cell *cells;
    enum status status = sweep_grid_cells(grid, options->scenario, options->overrides,
                                          sweep->arena, &cells, sweep->error);
    for (uint64_t i = 0; i < grid->cell_count && status == STATUS_OK; i++) {
        sweep->cells[i] =
            (struct sweep_cell){ .label = cells[i].label,
                                 .coordinates = cells[i].coordinates,
                                 .json = cells[i].json,
                                 .hash = hash_bytes(bytes_of_text(cells[i].json)),
                                 .message = "" };
    }
    return status;
}

static int compare_cells(const void *a, const void *b)
{
    const struct sweep_cell *one = *(struct sweep_cell *const *)a;
    const struct sweep_cell *other = *(struct sweep_cell *const *)b;
    if (one->hash != other->hash) {
        return one->hash < other->hash ? -1 : 1;
    }
    int order = strcmp(one->json, other->json);
    return order != 0 ? order : one < other ? -1 : one > other;
}

/* Two cells may come to the same run, such as two spellings of a value: it is run once. */
static void find_twins(struct sweep *sweep)
{
    uint64_t count = sweep->state->cell_count;
    struct sweep_cell **sorted = arena_alloc(sweep->arena, count + 1, sizeof *sorted);
    for (uint64_t i = 0; i < count; i++) {
        sorted[i] = &sweep->cells[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_cells);
    for (uint64_t i = 1; i < count; i++) {
        if (sorted[i]->hash == sorted[i - 1]->hash &&
            strcmp(sorted[i]->json, sorted[i - 1]->json) == 0) {
            sorted[i]->fate = SWEEP_TWIN;
            sweep->state->found_count++;
        }
    }
    arena_free(sweep->arena, sorted);
}

static void note_verdict(struct sweep *sweep, struct sweep_cell *cell, enum verdict verdict)
{
    cell->verdict = verdict;
    sweep->state->worst = verdict_worse(sweep->state->worst, verdict);
    sweep->state->failed_count += verdict != VERDICT_PASS ? 1 : 0;
}

/* Rule S1. */
static enum status claim(struct sweep *sweep, struct sweep_cell *cell, int *exit_code)
{
    struct results_cell place = { .sweep = sweep->state->name, .coordinates = cell->coordinates };
    return results_claim_cell(sweep->options->results, cell->json, sweep->options->build, &place,
                              exit_code, sweep->error);
}

static enum status claim_finished(struct sweep *sweep)
{
    for (uint64_t i = 0; i < sweep->state->cell_count; i++) {
        struct sweep_cell *cell = &sweep->cells[i];
        int exit_code = -1;
        if (cell->fate == SWEEP_TWIN) {
            continue;
        }
        enum status status = claim(sweep, cell, &exit_code);
        if (status != STATUS_OK) {
            return status;
        }
        if (exit_code >= 0) {
            cell->fate = SWEEP_FOUND;
            sweep->state->found_count++;
            note_verdict(sweep, cell, (enum verdict)exit_code);
        }
    }
    return STATUS_OK;
}

/* ---- in the child ---------------------------------------------------------------------------- */

static void pack_run(struct sweep *sweep, struct run *run, struct buffer *result)
{
    struct verdict_view view = { .run = run };
    view.violations = oracle_violations(run->oracle, &view.violation_count);
    *buffer_extend(result, 1) = CHILD_RAN;
    outputs_pack(&view, sweep->options->build, result);
}

static void run_cell(void *context, uint64_t job, struct buffer *result)
{
    struct sweep *sweep = context;
    CHECK(job < sweep->state->cell_count);
    const struct sweep_cell *cell = &sweep->cells[job];
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct scenario scenario;
    struct bytes input;
    enum status status = scenario_parse(&scenario, &arena, bytes_of_text(cell->json),
                                        sweep->options->scenario, ".", NULL, &error);
    if (status == STATUS_OK) {
        scenario.path = sweep->options->scenario;
        status = run_read_input(&scenario, &arena, &input, &error);
    }
    if (status == STATUS_OK) {
        struct run run;
        run_scenario(&run, &arena, &scenario, input, &(struct run_options){ 0 });
        pack_run(sweep, &run, result);
    } else {
        *buffer_extend(result, 1) = CHILD_FAILED;
        buffer_append(result, buffer_bytes(&error));
    }
    arena_drop(&arena);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void report(struct sweep *sweep, const struct sweep_cell *last)
{
    sweep->state->elapsed_ns = wall_now_ns() - sweep->start_ns;
    sweep->state->last = last;
    if (sweep->options->report != NULL) {
        sweep->options->report(sweep->options->context, sweep->state);
    }
}

static bool next_cell(void *context, uint64_t *job)
{
    struct sweep *sweep = context;
    while (sweep->next < sweep->state->cell_count &&
           sweep->cells[sweep->next].fate != SWEEP_WAITING) {
        sweep->next++;
    }
    *job = sweep->next++;
    return *job < sweep->state->cell_count;
}

static bool tick(void *context)
{
    report(context, NULL);
    return true;
}

/* Rule S2. */
static enum status keep_run(struct sweep *sweep, struct sweep_cell *cell, struct bytes packed)
{
    struct arena scratch;
    arena_init(&scratch);
    struct results_package package;
    enum status status = results_unpack(&package, &scratch, packed);
    CHECK(status == STATUS_OK);
    status =
        results_add(sweep->options->results, &package.run, &package.summary, package.faults,
                    package.fault_count, package.violations, package.violation_count, sweep->error);
    int exit_code = -1;
    if (status == STATUS_OK) {
        status = claim(sweep, cell, &exit_code);
    }
    if (status == STATUS_OK) {
        CHECK(exit_code == package.run.exit_code);
        cell->fate = SWEEP_RAN;
        cell->wall_ns = package.run.wall_ns;
        if (package.violation_count > 0) {
            cell->message = arena_format(sweep->arena, "%s: %s", package.violations[0].property,
                                         package.violations[0].message);
        }
        note_verdict(sweep, cell, (enum verdict)package.run.exit_code);
    }
    arena_drop(&scratch);
    return status;
}

/* Rule S4. */
static void note_crash(struct sweep *sweep, struct sweep_cell *cell, const struct worker_end *end)
{
    cell->fate = SWEEP_CRASHED;
    struct bytes said = end->error_output;
    while (said.size > 0 && said.data[said.size - 1] == '\n') {
        said.size--;
    }
    cell->message =
        arena_format(sweep->arena, "its process died (signal %d)%s%.*s", end->signal,
                     said.size > 0 ? ": " : "", (int)said.size, (const char *)said.data);
    note_verdict(sweep, cell, VERDICT_WRONG);
}

static bool cell_ended(void *context, const struct worker_end *end)
{
    struct sweep *sweep = context;
    CHECK(end->job < sweep->state->cell_count);
    struct sweep_cell *cell = &sweep->cells[end->job];
    CHECK(cell->fate == SWEEP_WAITING);
    struct bytes rest = { .data = end->result.data + 1, .size = end->result.size - 1 };
    if (end->crashed || end->result.size == 0) {
        note_crash(sweep, cell, end);
    } else if (end->result.data[0] == CHILD_FAILED) {
        cell->fate = SWEEP_FAILED;
        cell->message = arena_format(sweep->arena, "%.*s", (int)rest.size, (const char *)rest.data);
        note_verdict(sweep, cell, VERDICT_SURROUNDINGS);
    } else {
        sweep->status = keep_run(sweep, cell, rest);
        if (sweep->status != STATUS_OK) {
            return false;
        }
    }
    sweep->state->ended_count++;
    report(sweep, cell);
    return true;
}

static enum status run_missing(struct sweep *sweep)
{
    struct worker_pool pool = {
        .processes = sweep->options->processes,
        .next = next_cell,
        .run = run_cell,
        .ended = cell_ended,
        .tick = tick,
        .context = sweep,
    };
    sweep->start_ns = wall_now_ns();
    enum status status = workers_run(&pool, &sweep->state->interrupted);
    if (sweep->status != STATUS_OK) {
        return sweep->status;
    }
    if (status != STATUS_OK) {
        buffer_append_format(sweep->error, "%s: no process can be made", sweep->options->scenario);
    }
    return status;
}

enum status sweep_run(struct sweep_state *state, struct arena *arena,
                      const struct sweep_options *options, struct buffer *error)
{
    CHECK(options->results != NULL);
    CHECK(options->overrides != NULL);
    *state = (struct sweep_state){ .worst = VERDICT_PASS };
    struct sweep sweep = { .options = options, .arena = arena, .state = state, .error = error };
    struct sweep_grid grid;
    struct scenario scenario;
    enum status status =
        scenario_read_sweep(&grid, &scenario, arena, options->scenario, options->overrides, error);
    if (status != STATUS_OK) {
        return status;
    }
    state->name = scenario.name;
    sweep.cells = arena_alloc(arena, grid.cell_count, sizeof *sweep.cells);
    state->cells = sweep.cells;
    state->cell_count = grid.cell_count;
    status = find_cells(&sweep, &grid);
    if (status == STATUS_OK) {
        find_twins(&sweep);
        status = results_forget_sweep(options->results, state->name, error);
    }
    if (status == STATUS_OK) {
        status = claim_finished(&sweep);
    }
    return status == STATUS_OK ? run_missing(&sweep) : status;
}
